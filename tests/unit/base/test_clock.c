/* Times as text, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

static void writes_milliseconds(void **state)
{
    char out[CLOCK_TEXT_MAX];

    (void)state;
    assert_string_equal(clock_text_ms(1767323045678, out), "2026-01-02T03:04:05.678Z");
    assert_string_equal(clock_text_ms(0, out), "1970-01-01T00:00:00.000Z");
    assert_string_equal(clock_text(1767323045678, out), "2026-01-02T03:04:05Z");
}

static void reads_what_it_writes(void **state)
{
    int64_t ms = 0;

    (void)state;
    assert_true(clock_from_text("2026-01-02T03:04:05.678Z", &ms));
    assert_int_equal(ms, 1767323045678);
    assert_true(clock_from_text("2026-01-02 03:04:05Z", &ms));
    assert_int_equal(ms, 1767323045000);
    assert_true(clock_from_text("2026-01-02T04:04:05.6789+01:00", &ms));
    assert_int_equal(ms, 1767323045678);
    assert_true(clock_from_text("2026-01-01T22:04:05-05:00", &ms));
    assert_int_equal(ms, 1767323045000);
}

static void refuses_the_rest(void **state)
{
    static const char *const bad[] = {"",
                                      "2026",
                                      "2026-13-02T03:04:05Z",
                                      "2026-01-02T24:04:05Z",
                                      "2026-01-02T03:04:05",
                                      "2026-01-02T03:04:05.Z",
                                      "2026-01-02T03:04:05Zx",
                                      "2026-01-02T03:04:05+1:00",
                                      " 2026-01-02T03:04:05Z"};
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(clock_from_text(bad[i], &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_milliseconds),
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(refuses_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
