#include "tests/unit/console/log_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct log_bench b;

int bench_begin(void **state)
{
    (void)state;
    bench_setup(&b);
    return 0;
}

int bench_end(void **state)
{
    (void)state;
    bench_teardown(&b);
    return 0;
}

void bench_expect(struct clog *log, const char *text)
{
    struct buf out = buf_init(1 << 20);

    bench_read(log, 0, &out);
    assert_string_equal(buf_str(&out), text);
    buf_free(&out);
}
