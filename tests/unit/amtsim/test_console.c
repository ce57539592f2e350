#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/amtsim/console.h"

/* Byte number i of a stream that does not repeat where the ring does. */
static uint8_t nth(uint64_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static void check_tail(const struct console *c, uint64_t total)
{
    struct buf out = buf_init(1 << 20);
    uint64_t kept = total < CONSOLE_KEPT ? total : CONSOLE_KEPT;

    assert_int_equal(console_total(c), total);
    console_tail(c, &out);
    assert_true(buf_ok(&out));
    assert_int_equal(out.len, kept);
    for (uint64_t i = 0; i < kept; i++)
        assert_int_equal(out.p[i], nth(total - kept + i));
    buf_free(&out);
}

static void keeps_the_last_bytes(void **state)
{
    static const size_t steps[] = {1, 5, 4096, 65535, 65536, 65537, 200000};
    static uint8_t part[200000];

    (void)state;
    for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
        struct console *c = NULL;
        uint64_t total = 0;
        unsigned rounds = steps[s] < 100 ? 30000 : 40;

        check_tail(c, 0);
        for (unsigned i = 0; i < rounds; i++) {
            for (size_t k = 0; k < steps[s]; k++)
                part[k] = nth(total + k);
            console_take(&c, part, steps[s]);
            total += steps[s];
            if (rounds < 100)
                check_tail(c, total);
        }
        check_tail(c, total);
        console_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_the_last_bytes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
