#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wsman/http_timers.h"

#define COUNT 500

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void come_in_order(void **state)
{
    struct http_timers timers = {0};
    struct http_timer nodes[COUNT] = {0};
    uint32_t seed = 1;
    int64_t last = 0;
    size_t armed = 0;

    (void)state;
    assert_int_equal(http_timers_next(&timers), INT64_MAX);
    for (int i = 0; i < COUNT; i++)
        http_timer_arm(&timers, &nodes[i], next_random(&seed) % 1000);
    for (int i = 0; i < COUNT; i += 3)
        http_timer_disarm(&timers, &nodes[i]);
    for (int i = 1; i < COUNT; i += 3)
        http_timer_arm(&timers, &nodes[i], next_random(&seed) % 1000);
    http_timer_disarm(&timers, &nodes[0]); /* twice is fine */
    for (int i = 0; i < COUNT; i++)
        armed += http_timer_armed(&nodes[i]);
    for (; armed; armed--) {
        assert_int_not_equal(http_timers_next(&timers), INT64_MAX);
        struct http_timer *timer = http_timers_take(&timers, 1000);
        assert_non_null(timer);
        assert_false(http_timer_armed(timer));
        assert_true(timer->at >= last);
        last = timer->at;
    }
    assert_null(http_timers_take(&timers, INT64_MAX));
    http_timers_clear(&timers);
}

static void not_before_their_time(void **state)
{
    struct http_timers timers = {0};
    struct http_timer a = {0}, b = {0};

    (void)state;
    http_timer_arm(&timers, &a, 100);
    http_timer_arm(&timers, &b, 50);
    assert_int_equal(http_timers_next(&timers), 50);
    assert_null(http_timers_take(&timers, 49));
    assert_ptr_equal(http_timers_take(&timers, 50), &b);
    http_timer_arm(&timers, &a, 200); /* later than before */
    assert_null(http_timers_take(&timers, 199));
    assert_ptr_equal(http_timers_take(&timers, 200), &a);
    http_timers_clear(&timers);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(come_in_order),
        cmocka_unit_test(not_before_their_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
