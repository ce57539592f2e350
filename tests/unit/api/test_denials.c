/* How many denials of somebody have rows of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "amtd/api/denials.h"

struct told {
    uint32_t count;
    char who[32];
    unsigned times;
};

static void left_out(void *arg, const char *who, uint32_t count)
{
    struct told *told = arg;

    snprintf(told->who, sizeof(told->who), "%s", who);
    told->count = count;
    told->times++;
}

static unsigned passed(struct denials *denials, const char *who, unsigned tries)
{
    unsigned count = 0;

    for (unsigned i = 0; i < tries; i++)
        count += denials_pass(denials, who);
    return count;
}

static void the_first_pass_and_the_others_are_counted(void **state)
{
    struct told told = {0};
    struct denials *denials;
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    denials = denials_new(&loop, left_out, &told);
    assert_int_equal(passed(denials, "uid 1 (a)", DENIALS_MOST), DENIALS_MOST);
    assert_int_equal(passed(denials, "uid 1 (a)", 1000), 0);
    assert_int_equal(passed(denials, "uid 2 (b)", 7), 7); /* who was quiet is heard */
    assert_int_equal(told.times, 0);
    denials_free(denials); /* as at the end of the window */
    assert_int_equal(told.times, 1);
    assert_int_equal(told.count, 1000);
    assert_string_equal(told.who, "uid 1 (a)");
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_first_pass_and_the_others_are_counted)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
