/* What a device says to a client of any kind, from the start of the session. The first byte: kind, and ways
 * of logging in that are allowed. */
#include <stdint.h>

#include "sol/redir.h"
#include "tests/fuzz/sol_twins.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned methods[] = {REDIR_MAY_DIGEST, REDIR_MAY(REDIR_KERBEROS), REDIR_MAY(REDIR_CLEAR),
                                       REDIR_MAY_DIGEST | REDIR_MAY(REDIR_CLEAR)};
    struct sol_twin twin = {0};

    if (size == 0)
        return 0;
    twin.kind = (enum sol_twin_kind)(data[0] % 3);
    twin.logged_in = data[0] & 0x80;
    twin.methods = twin.logged_in ? REDIR_MAY_DIGEST : methods[data[0] / 4 % 4];
    sol_twins(&twin, data + 1, size - 1);
    return 0;
}
