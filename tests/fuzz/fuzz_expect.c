#include <stdint.h>
#include <stdlib.h>

#include "base/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a machine prints: no script comes further than its end, and what is expected at last is found. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char end[] = "\a\033\\x\nlogin:\nab$ the end";
    struct expect *e = expect_new(1000);
    struct buf send = buf_init(4096);

    if (expect_add(e, "login: ?$", NULL) != 0 || expect_add_send(e, "x", NULL) != 0 ||
        expect_add(e, "^[a-z]+[#$] ", NULL) != 0 || expect_add(e, "the end", NULL) != 0)
        abort();
    expect_begin(e, 0, &send);
    expect_feed(e, data, size, 0, &send);
    if (expect_done(e) != (expect_waits(e) == NULL) || send.len > 1)
        abort();
    expect_feed(e, end, sizeof(end) - 1, 0, &send);
    if (!expect_done(e) || send.len != 1)
        abort();
    buf_free(&send);
    expect_free(e);
    return 0;
}
