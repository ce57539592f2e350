#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "amtd/fleet/subnets.h"

static void limits_each_subnet_by_itself(void **state)
{
    struct subnets *s = subnets_new(2);

    (void)state;
    assert_true(subnets_enter(s, "10.0.0.1"));
    assert_true(subnets_enter(s, "10.0.0.200"));
    assert_false(subnets_enter(s, "10.0.0.3"));
    assert_true(subnets_enter(s, "10.0.1.3"));
    assert_true(subnets_enter(s, "fe80:0:0:1::1"));
    assert_true(subnets_enter(s, "fe80:0:0:1::2"));
    assert_false(subnets_enter(s, "fe80:0:0:1:ffff::3"));
    assert_true(subnets_enter(s, "fe80:0:0:2::1"));
    subnets_leave(s, "10.0.0.1");
    assert_true(subnets_enter(s, "10.0.0.3"));
    subnets_free(s);
}

static void names_and_no_limit_pass(void **state)
{
    struct subnets *s = subnets_new(1), *free_for_all = subnets_new(0);

    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_true(subnets_enter(s, "pc1.example"));
        assert_true(subnets_enter(free_for_all, "10.0.0.1"));
    }
    subnets_leave(s, "10.9.9.9"); /* never entered: nothing to give back */
    assert_true(subnets_enter(s, "10.9.9.9"));
    assert_false(subnets_enter(s, "10.9.9.9"));
    subnets_free(s);
    subnets_free(free_for_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_each_subnet_by_itself),
        cmocka_unit_test(names_and_no_limit_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
