/* A datagram at the port for traps. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/alerts/trap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    struct buf said = buf_init(300);
    char sent[37], swapped[37];
    struct trap trap;
    int status = trap_read(&trap, data, size, &err);

    if ((status == 0) != (err.cause == CAUSE_NONE))
        abort();
    if (status == 0) {
        trap_say(&trap, &said);
        trap_guids(&trap, sent, swapped);
        if (!buf_ok(&said) || said.len == 0 || strlen(sent) != 36 || strlen(swapped) != 36)
            abort();
    }
    buf_free(&said);
    return 0;
}
