/* Rates over a sliding window, and their marks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "amtd/console/traffic.h"

static const struct traffic_marks marks = {.window_ms = 10000, .high = 1000, .low = 10};

static void rates_slide(void **state)
{
    struct traffic a = {0};

    (void)state;
    traffic_begin(&a, 5000);
    assert_int_equal(traffic_rate(&a, &marks, 5000), 0);
    traffic_add(&a, &marks, 5000, 500);
    assert_int_equal(traffic_rate(&a, &marks, 5000), 500); /* of a second at least */
    assert_int_equal(traffic_rate(&a, &marks, 10000), 100);
    for (int64_t at = 6000; at < 25000; at += 1000)
        traffic_add(&a, &marks, at, 500);
    assert_int_equal(traffic_rate(&a, &marks, 24999), 500);
    assert_int_equal(traffic_rate(&a, &marks, 30000), 250); /* half of it lies behind */
    assert_int_equal(traffic_rate(&a, &marks, 35000), 0);
    traffic_add(&a, &marks, 1000000, 10000);
    assert_int_equal(traffic_rate(&a, &marks, 1000000), 1000);
}

static void floods_and_silence(void **state)
{
    struct traffic a = {0};
    int64_t at = 0;

    (void)state;
    traffic_begin(&a, at);
    assert_false(traffic_judge(&a, &marks, 9000)); /* not yet */
    assert_true(traffic_judge(&a, &marks, 10000));
    assert_int_equal(a.state, TRAFFIC_SILENCE);
    assert_false(traffic_judge(&a, &marks, 11000));
    for (at = 20000; at < 40000; at += 100)
        traffic_add(&a, &marks, at, 105);
    assert_true(traffic_judge(&a, &marks, at));
    assert_int_equal(a.state, TRAFFIC_FLOOD);
    for (; at < 60000; at += 100)
        traffic_add(&a, &marks, at, 95);
    assert_false(traffic_judge(&a, &marks, at)); /* below the mark, but not much */
    for (; at < 80000; at += 100)
        traffic_add(&a, &marks, at, 80);
    assert_true(traffic_judge(&a, &marks, at));
    assert_int_equal(a.state, TRAFFIC_STEADY);
    assert_true(traffic_judge(&a, &marks, at + 30000));
    assert_int_equal(a.state, TRAFFIC_SILENCE);
    traffic_add(&a, &marks, at + 30000, 200);
    assert_true(traffic_judge(&a, &marks, at + 30000));
    assert_int_equal(a.state, TRAFFIC_STEADY);
}

static void no_marks(void **state)
{
    static const struct traffic_marks none = {.window_ms = 1000};
    struct traffic a = {0};

    (void)state;
    traffic_begin(&a, 0);
    traffic_add(&a, &none, 100, 1000000000);
    assert_false(traffic_judge(&a, &none, 500));
    assert_false(traffic_judge(&a, &none, 100000));
    assert_int_equal(traffic_next(&none, 5), INT64_MAX);
    assert_int_equal(traffic_next(&marks, 5), 2505);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rates_slide), cmocka_unit_test(floods_and_silence),
                                       cmocka_unit_test(no_marks)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
