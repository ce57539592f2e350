/* What a device, and through it a hostile host, says to the drives behind a login. The first byte: how blocks
 * are answered. */
#include <stdint.h>

#include "sol/redir.h"
#include "tests/fuzz/sol_twins.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sol_twin twin = {TWIN_IDER, true, REDIR_MAY_DIGEST, TWIN_BLOCKS};

    if (size == 0)
        return 0;
    twin.answers = (enum sol_twin_blocks)(data[0] % 3);
    sol_twins(&twin, data + 1, size - 1);
    return 0;
}
