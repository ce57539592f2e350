/* An open IDE-R session of a device whose machine reads and writes, fed by a hostile client. First byte: size
 * of the pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>

#include "tests/unit/amtsim/redir_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned asked, answered;

static void on_done(void *arg, const struct drive_answer *answer)
{
    static volatile uint8_t sum;
    (void)arg;
    answered++;
    for (size_t i = 0; i < answer->n; i++)
        sum = (uint8_t)(sum + answer->data[i]);
}

static void ask(struct device *device, enum drive drive, uint8_t op, uint32_t expect, uint32_t write)
{
    static const uint8_t zeros[512];
    struct drive_request r = {.drive = drive,
                              .cdb = {op},
                              .expect = expect,
                              .data = write > 0 ? zeros : NULL,
                              .data_len = write,
                              .done = on_done};
    if (redir_drive(device, &r))
        asked++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sim sim;
    struct client c = {0};
    if (sim.fleet == NULL)
        sim_start(&sim, 1, 16);
    if (size == 0)
        return 0;
    struct device *device = &sim.fleet->devices[0];
    client_open(&c, &sim, device);
    client_start(&c, "IDER");
    client_say_hex(&c, "48 00 00 00 01 00 00 00 03 19 00 00 00");
    for (unsigned i = 0; i < 4; i++) {
        ask(device, DRIVE_CD, 0x28, 65536, 0);
        ask(device, DRIVE_FLOPPY, i % 2 ? 0x2A : 0x25, 512, i % 2 ? 512 : 0);
    }
    c.piece = 1 + data[0];
    client_say(&c, data + 1, size - 1);
    redir_machine_reset(device);
    client_wait(&c, 70000);
    if (redir_session_fate(c.session) == REDIR_GOES_ON)
        abort();
    client_close(&c);
    if (asked != answered)
        abort(); /* a command without an end */
    return 0;
}
