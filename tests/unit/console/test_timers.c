/* Many timers on one clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "amtd/console/timers.h"

#define MANY (3 * TIMERS_AT_ONCE)

static struct timers timers;
static struct timer all[MANY];
static size_t fired;
static int64_t last_ms;

static void fire(void *arg)
{
    const struct timer *timer = arg;

    assert_int_equal(timer->place, 0);
    assert_true(timer->at_ms >= last_ms);
    last_ms = timer->at_ms;
    fired++;
}

static void set_all(void)
{
    uint32_t x = 1;

    fired = 0;
    last_ms = 0;
    for (size_t i = 0; i < MANY; i++) {
        x = x * 1664525 + 1013904223;
        all[i] = (struct timer){.fire = fire, .arg = &all[i]};
        timers_set(&timers, &all[i], 1 + x % 1000);
    }
}

static void in_order(void **state)
{
    (void)state;
    set_all();
    for (int64_t now = 0; now <= 1000; now++) {
        timers_run(&timers, now);
        assert_true(timers_next(&timers) > now);
    }
    assert_int_equal(fired, MANY);
    assert_int_equal(timers_next(&timers), INT64_MAX);
}

/* Those that are due together do not all fire in one call. */
static void a_few_at_once(void **state)
{
    (void)state;
    set_all();
    for (size_t calls = 1; calls <= 3; calls++) {
        timers_run(&timers, 1000);
        assert_int_equal(fired, calls * TIMERS_AT_ONCE);
    }
    assert_int_equal(timers_next(&timers), INT64_MAX);
}

static void again(void *arg)
{
    struct timer *timer = arg;

    fired++;
    timers_set(&timers, timer, 0);
}

static void set_meanwhile(void **state)
{
    struct timer timer = {.fire = again, .arg = &timer};

    (void)state;
    fired = 0;
    timers_set(&timers, &timer, 5);
    timers_run(&timers, 5);
    assert_int_equal(fired, 1);
    assert_int_equal(timers_next(&timers), 0);
    timers_run(&timers, 5);
    assert_int_equal(fired, 2);
    timers_set(&timers, &timer, INT64_MAX);
    assert_int_equal(timers_next(&timers), INT64_MAX);
}

static int teardown(void **state)
{
    (void)state;
    timers_clear(&timers);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),
        cmocka_unit_test(a_few_at_once),
        cmocka_unit_test(set_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
