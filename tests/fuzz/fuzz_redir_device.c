/* A redirection session of a device, fed by a hostile client: before login, or with SOL open. All at once and
 * in pieces it must come to the same end. First byte: bit 0: SOL is open; the others: size of the pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>

#include "tests/unit/amtsim/redir_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum redir_fate run(struct sim *sim, const uint8_t *data, size_t size, size_t piece)
{
    struct client c = {0};
    client_open(&c, sim, &sim->fleet->devices[0]);
    if (data[0] & 1)
        client_start(&c, "SOL ");
    c.piece = piece;
    client_say(&c, data + 1, size - 1);
    enum redir_fate fate = redir_session_fate(c.session);
    client_wait(&c, 70000);
    if (redir_session_fate(c.session) == REDIR_GOES_ON)
        abort(); /* nobody is silent for so long */
    client_close(&c);
    return fate;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sim sim;
    if (sim.fleet == NULL) {
        sim_start(&sim, 1, 9);
        sim.options.lock_count = 0;
    }
    if (size == 0)
        return 0;
    if (run(&sim, data, size, 0) != run(&sim, data, size, 1 + data[0] / 2))
        abort();
    return 0;
}
