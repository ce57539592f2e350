#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "amtd/fleet/stages.h"

static struct stages settled(size_t hosts, bool careful)
{
    struct stages stages = {STAGES_CHOOSE, STAGES_CHOOSE, STAGES_CHOOSE};

    stages_settle(&stages, hosts, careful);
    return stages;
}

static void only_careful_tasks_on_many_hosts_have_stages_unasked(void **state)
{
    static const struct {
        size_t hosts;
        bool careful;
        struct stages want;
        size_t count;
    } rows[] = {
        {1000, false, {0, 0, 0}, 1}, {5, true, {0, 0, 0}, 1},     {6, true, {1, 25, 5}, 2},
        {100, true, {1, 25, 25}, 5}, {101, true, {5, 26, 26}, 5}, {1000, true, {5, 250, 250}, 5},
        {26, true, {1, 25, 7}, 2},   {27, true, {1, 25, 7}, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stages s = settled(rows[i].hosts, rows[i].careful);

        assert_int_equal(s.canary, rows[i].want.canary);
        assert_int_equal(s.batch, rows[i].want.batch);
        assert_int_equal(s.max_failures, rows[i].want.max_failures);
        assert_int_equal(stages_count(&s, rows[i].hosts), rows[i].count);
    }
}

static void what_was_ordered_stays(void **state)
{
    struct stages s = {0, STAGES_CHOOSE, 3};

    (void)state;
    stages_settle(&s, 1000, true);
    assert_int_equal(s.canary, 0);
    assert_int_equal(s.batch, 250);
    assert_int_equal(s.max_failures, 3);
}

static void every_place_is_in_one_stage(void **state)
{
    static const struct stages rows[] = {{0, 0, 0}, {3, 0, 0}, {0, 7, 0}, {3, 7, 0}, {50, 1, 0}, {1, 1, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t at = 0, stage = 1;

        for (; at < 40; stage++)
            for (size_t end = at + stages_size(&rows[i], 40, at); at < 40 && at < end; at++)
                assert_int_equal(stages_of(&rows[i], 40, at), stage);
        assert_int_equal(stages_count(&rows[i], 40), stage - 1);
    }
    assert_int_equal(stages_count(&rows[3], 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_careful_tasks_on_many_hosts_have_stages_unasked),
        cmocka_unit_test(what_was_ordered_stays),
        cmocka_unit_test(every_place_is_in_one_stage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
