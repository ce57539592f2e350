/* Filters on a simulated device: reached, refused, and lost at every single exchange of each kind of work;
 * the device is then always either as wanted or as before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/fleet/filter_work.h"
#include "tests/amtsim/defense.h"
#include "tests/unit/wsman/sd_bench.h"

static struct sim sim;
static struct sd_bench bench;
static struct filter_work work;
static struct err err;
static struct sd_filter filters[4];

static int start(void **state)
{
    (void)state;
    sim_start(&sim, 1, 16);
    memset(&bench, 0, sizeof(bench));
    bench.sim = &sim;
    bench.device = &sim.fleet->devices[0];
    bench.device->ports = 3;
    memset(&work, 0, sizeof(work));
    err_clear(&err);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    filter_work_clear(&work);
    sim_stop(&sim);
    return 0;
}

static struct filter_goal goal_of(uint16_t first)
{
    struct filter_goal goal = {.filters = filters, .count = 4};

    for (uint16_t i = 0; i < 4; i++)
        filters[i] = (struct sd_filter){.kind = SD_IP,
                                        .name = "amt:tcp",
                                        .profile = SD_PASS,
                                        .direction = i % 2 ? SD_TX : SD_RX,
                                        .ip_version = 4,
                                        .protocol_given = true,
                                        .protocol = 6,
                                        .source_ports = {true, (uint16_t)(first + i), (uint16_t)(first + i)}};
    snprintf(goal.policy.name, sizeof(goal.policy.name), "amt:%u", first);
    goal.policy.precedence = 100;
    goal.policy.tx.drop = goal.policy.rx.drop = true;
    return goal;
}

static int run(enum filter_mode mode, struct filter_goal goal)
{
    filter_work_clear(&work);
    filter_work_init(&work, mode);
    work.goal = goal;
    err_clear(&err);
    return sd_bench_run(&bench, &work.sd.seq, &err);
}

static char *dump(void)
{
    json_t *json = defense_json(bench.device);
    char *text = json_dumps(json, JSON_INDENT(1));

    json_decref(json);
    return text;
}

static void set_fault(struct fault fault)
{
    struct plan *plan = plan_new();

    plan->faults[plan->count++] = fault;
    fault_plan_set(bench.device, plan);
}

static void applied_unchanged_switched_removed(void **state)
{
    (void)state;
    assert_int_equal(run(FILTER_APPLY, goal_of(1000)), 0);
    assert_int_equal(work.outcome, FILTER_ACTIVE);
    assert_int_equal(run(FILTER_APPLY, goal_of(1000)), 0);
    assert_int_equal(work.outcome, FILTER_UNCHANGED);
    assert_false(work.sd.changed);
    assert_int_equal(work.sd.reads, 1);
    assert_int_equal(run(FILTER_APPLY, goal_of(1002)), 0);
    assert_int_equal(work.outcome, FILTER_ACTIVE);
    assert_int_equal(defense_filter_count(bench.device, true), 4);
    assert_int_equal(defense_policy_count(bench.device), 1);
    assert_string_equal(defense_policy_at(bench.device, 0)->name, "amt:1002");
    assert_int_equal(run(FILTER_LOOK, goal_of(1002)), 0);
    assert_false(work.differs);
    assert_int_equal(run(FILTER_LOOK, goal_of(1000)), 0);
    assert_true(work.differs);
    assert_int_equal(run(FILTER_REMOVE, (struct filter_goal){.nothing = true}), 0);
    assert_int_equal(work.outcome, FILTER_REMOVED);
    assert_int_equal(defense_filter_count(bench.device, true) + defense_policy_count(bench.device), 0);
    assert_int_equal(run(FILTER_REMOVE, (struct filter_goal){.nothing = true}), 0);
    assert_int_equal(work.outcome, FILTER_UNCHANGED);
}

static void refused_activation_puts_back(void **state)
{
    (void)state;
    assert_int_equal(run(FILTER_APPLY, goal_of(1000)), 0);
    char *before = dump();
    set_fault(
        (struct fault){.kind = FAULT_REFUSE_ACTIVATION, .after = 1, .first = 1}); /* on the second port */
    assert_int_equal(run(FILTER_APPLY, goal_of(2000)), -1);
    assert_int_equal(work.outcome, FILTER_ROLLED_BACK);
    assert_int_equal(err.cause, CAUSE_FAULT);
    char *after = dump();
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void ignored_activation_puts_back(void **state)
{
    (void)state;
    set_fault((struct fault){.kind = FAULT_IGNORE_ACTIVATION});
    char *before = dump();
    assert_int_equal(run(FILTER_APPLY, goal_of(2000)), -1);
    assert_int_equal(work.outcome, FILTER_ROLLED_BACK);
    assert_int_equal(err.cause, CAUSE_NOT_REACHED);
    char *after = dump();
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* --- ways that are tried from this end --- */

static size_t active_at_hold[4], holds;
static bool lose_way;

static void hold(void *arg)
{
    (void)arg;
    active_at_hold[holds++] = defense_state(bench.device, DEFENSE_CONSOLE, 1) == DEFENSE_ACTIVE;
    if (lose_way && holds == 2)
        err_set(&work.cut, CAUSE_NOT_REACHED, "a way is lost");
}

static int try_ways(struct filter_work *w, struct err *e)
{
    (void)e;
    w->tries_ways = true;
    return 0;
}

static int run_trying(struct filter_goal goal)
{
    holds = 0;
    bench.hold = hold;
    filter_work_clear(&work);
    filter_work_init(&work, FILTER_APPLY);
    work.goal = goal;
    work.prepare = try_ways;
    err_clear(&err);
    return sd_bench_run(&bench, &work.sd.seq, &err);
}

static void ways_are_tried_before_and_after(void **state)
{
    (void)state;
    lose_way = false;
    assert_int_equal(run_trying(goal_of(1000)), 0);
    assert_int_equal(work.outcome, FILTER_ACTIVE);
    assert_int_equal(holds, 2);
    assert_false(active_at_hold[0]);
    assert_true(active_at_hold[1]);
    assert_int_equal(run_trying(goal_of(1000)), 0); /* what changes nothing is not tried */
    assert_int_equal(work.outcome, FILTER_UNCHANGED);
    assert_int_equal(holds, 0);
}

static void a_lost_way_puts_back(void **state)
{
    (void)state;
    assert_int_equal(run(FILTER_APPLY, goal_of(1000)), 0);
    char *before = dump();
    lose_way = true;
    assert_int_equal(run_trying(goal_of(2000)), -1);
    assert_int_equal(work.outcome, FILTER_ROLLED_BACK);
    assert_int_equal(err.cause, CAUSE_NOT_REACHED);
    assert_string_equal(err.text, "a way is lost");
    assert_int_equal(holds, 2);
    char *after = dump();
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* amtd died when the policy was active and before the ways were tried: whoever comes later tries them. */
static void a_repair_tries_the_ways_that_are_left(void **state)
{
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        assert_int_equal(run(FILTER_APPLY, goal_of(2000)), 0);
        filter_work_clear(&work);
        filter_work_init(&work, FILTER_REPAIR);
        work.goal = goal_of(2000);
        work.tries_ways = true;
        work.holds = 1;
        holds = 1;
        lose_way = lost == 1;
        bench.hold = hold;
        err_clear(&err);
        assert_int_equal(sd_bench_run(&bench, &work.sd.seq, &err), 0);
        assert_int_equal(holds, 2);
        assert_int_equal(work.outcome, lost ? FILTER_ROLLED_BACK : FILTER_ACTIVE);
        assert_int_equal(defense_bound(bench.device, DEFENSE_CONSOLE, 0) == 0, lost);
    }
}

static void no_room_changes_nothing(void **state)
{
    json_t *o = json_pack("{s:i, s:i}", "policies", 8, "filters", 70);

    (void)state;
    assert_int_equal(defense_set(bench.device, o, NULL), 0);
    json_decref(o);
    assert_int_equal(run(FILTER_APPLY, goal_of(2000)), -1);
    assert_int_equal(work.outcome, FILTER_UNCHANGED);
    assert_int_equal(err.cause, CAUSE_LIMIT_EXCEEDED);
    assert_int_equal(bench.changes, 0);
}

/* Every change once loses its answer: carried out, and not carried out. It comes to its end all the same. */
static void every_answer_lost(void **state)
{
    (void)state;
    for (int before = 0; before < 2; before++) {
        for (size_t at = 1; at < 60; at++) {
            start(NULL);
            assert_int_equal(run(FILTER_APPLY, goal_of(1000)), 0);
            size_t so_far = bench.changes;
            bench.lose_first = before;
            bench.lose_at = so_far + at;
            assert_int_equal(run(FILTER_APPLY, goal_of(1002)), 0);
            assert_int_equal(work.outcome, FILTER_ACTIVE);
            assert_int_equal(defense_filter_count(bench.device, true), 4);
            assert_int_equal(defense_policy_count(bench.device), 1);
            assert_int_equal(defense_bound(bench.device, DEFENSE_DEFAULT, 0), 0);
            bool all = bench.changes < bench.lose_at;
            stop(NULL);
            if (all)
                break;
        }
    }
    start(NULL);
}

/* --- lost at every single exchange --- */

enum wanted { WANT_POLICY, WANT_NOTHING, WANT_NOTHING_AT_ALL };

static const struct scene {
    const char *name;
    enum filter_mode mode;
    enum sd_owner owner;
    enum wanted wanted;
    bool replaces; /* the owner has a policy of ours enabled before */
    bool others;   /* another product's objects are there */
} scenes[] = {
    {"apply", FILTER_APPLY, SD_CONSOLE, WANT_POLICY, false, false},
    {"apply beside others", FILTER_APPLY, SD_CONSOLE, WANT_POLICY, false, true},
    {"switch", FILTER_APPLY, SD_CONSOLE, WANT_POLICY, true, true},
    {"remove", FILTER_REMOVE, SD_CONSOLE, WANT_NOTHING, true, true},
    {"remove everything", FILTER_REMOVE, SD_CONSOLE, WANT_NOTHING_AT_ALL, true, true},
    {"undo to nothing", FILTER_REMOVE, SD_CONSOLE, WANT_NOTHING, true, false},
    {"apply for agents", FILTER_APPLY, SD_AGENT, WANT_POLICY, false, true},
    {"switch for agents", FILTER_APPLY, SD_AGENT, WANT_POLICY, true, false},
    {"remove for agents", FILTER_REMOVE, SD_AGENT, WANT_NOTHING, true, false},
};
#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

static struct filter_goal scene_goal(const struct scene *scene)
{
    struct filter_goal goal = goal_of(1002);

    if (scene->wanted != WANT_POLICY)
        goal = (struct filter_goal){.nothing = true, .everything = scene->wanted == WANT_NOTHING_AT_ALL};
    goal.owner = scene->owner;
    return goal;
}

static void scene_begin(const struct scene *scene)
{
    json_t *others = json_pack("{s:i, s:i}", "policies", 2, "filters", 3);

    start(NULL);
    if (scene->others)
        assert_int_equal(defense_set(bench.device, others, NULL), 0);
    json_decref(others);
    if (scene->replaces) {
        struct filter_goal goal = goal_of(1000);

        goal.owner = scene->owner;
        assert_int_equal(run(FILTER_APPLY, goal), 0);
    }
}

/* What is there is what the scene wants: nothing of ours besides, others' as it was. */
static void assert_reached(const struct scene *scene)
{
    size_t others = scene->others && scene->wanted != WANT_NOTHING_AT_ALL;
    size_t ours = scene->wanted == WANT_POLICY;

    assert_int_equal(defense_filter_count(bench.device, true) + defense_filter_count(bench.device, false),
                     3 * others + 4 * ours);
    assert_int_equal(defense_policy_count(bench.device), 2 * others + ours);
    assert_int_equal(defense_bound(bench.device, DEFENSE_DEFAULT, 0), 0);
    filter_work_clear(&work);
    filter_work_init(&work, FILTER_LOOK);
    work.goal = scene_goal(scene);
    assert_int_equal(sd_bench_run(&bench, &work.sd.seq, &err), 0);
    assert_false(work.differs);
}

/* Somebody comes later with what was noted; nothing answers him from the exchange die_at on (0: all do). */
static int repair(const struct scene *scene, const json_t *noted, size_t die_at)
{
    bench.requests = 0;
    bench.die_at = die_at;
    filter_work_clear(&work);
    filter_work_init(&work, FILTER_REPAIR);
    work.goal = scene_goal(scene);
    filter_before_read(noted, &work.before);
    err_clear(&err);
    return sd_bench_run(&bench, &work.sd.seq, &err);
}

/* Nothing answers any more from the exchange `at` on, and of the first repair from another on. False: it came
 * to its end before. */
static bool lost_at(const struct scene *scene, size_t at)
{
    json_t *noted;
    int status;

    scene_begin(scene);
    char *was = dump();
    bench.requests = 0;
    bench.die_at = at;
    status = run(scene->mode, scene_goal(scene));
    noted = filter_before_json(&work.before);
    if (status == 0) {
        bench.die_at = 0;
        assert_reached(scene);
    } else if (!work.sd.changed) {
        char *is = dump();

        assert_string_equal(was, is);
        free(is);
    } else {
        repair(scene, noted, 1 + at * 7 % 40);
        assert_int_equal(repair(scene, noted, 0), 0);
        if (work.outcome == FILTER_ROLLED_BACK) {
            char *is = dump();

            assert_int_equal(scene->wanted, WANT_POLICY);
            assert_string_equal(was, is);
            free(is);
        } else {
            assert_reached(scene);
        }
    }
    json_decref(noted);
    free(was);
    status = status == 0 && bench.requests < at;
    stop(NULL);
    return !status;
}

/* Each scene with trouble at every single call, until one of them comes to its end untroubled. */
static void at_every_call(bool (*trouble_at)(const struct scene *scene, size_t at))
{
    for (size_t i = 0; i < SCENES; i++) {
        size_t at = 1;

        while (at < 200 && trouble_at(&scenes[i], at))
            at++;
        if (at == 200)
            fail_msg("%s never came to its end", scenes[i].name);
        print_message("%s: at each of %zu calls\n", scenes[i].name, at - 1);
    }
    start(NULL);
}

/* The device is then always either as wanted or as before, at the latest when somebody has come who finishes
 * or undoes it. */
static void lost_for_good_and_repaired(void **state)
{
    (void)state;
    at_every_call(lost_at);
}

/* The device refuses the call `at`, and only that. False: it was never made. */
static bool refused_at(const struct scene *scene, size_t at)
{
    json_t *noted;
    int status;

    scene_begin(scene);
    char *was = dump();
    set_fault(
        (struct fault){.kind = FAULT_BUSY, .how = FAULT_BY_QUOTA, .first = 1, .after = (uint32_t)at - 1});
    status = run(scene->mode, scene_goal(scene));
    bool struck = bench.device->strikes[0] > 0;
    fault_plan_set(bench.device, NULL);
    noted = filter_before_json(&work.before);
    if (filter_work_outcome(&work, status != 0) == FILTER_UNFINISHED)
        assert_int_equal(repair(scene, noted, 0), 0);
    if (work.outcome == FILTER_REMOVED || work.outcome == FILTER_ACTIVE) {
        assert_reached(scene);
    } else {
        char *is = dump();

        if (strcmp(was, is) != 0)
            fail_msg("%s: refused at %zu, said to be %s: %s", scene->name, at,
                     filter_outcome_name(work.outcome), err.text);
        free(is);
    }
    json_decref(noted);
    free(was);
    stop(NULL);
    return struck;
}

static void refused_at_every_call(void **state)
{
    (void)state;
    at_every_call(refused_at);
}

static void counts_are_read(void **state)
{
    (void)state;
    struct filter_goal goal = goal_of(1000);
    goal.policy.tx.count = true;
    assert_int_equal(run(FILTER_APPLY, goal), 0);
    assert_int_equal(run(FILTER_COUNT, goal), 0);
    assert_int_equal(work.sd.count_count, 2); /* the default of each port */
    assert_false(work.sd.changed);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(applied_unchanged_switched_removed),
        TEST(refused_activation_puts_back),
        TEST(ignored_activation_puts_back),
        TEST(ways_are_tried_before_and_after),
        TEST(a_lost_way_puts_back),
        TEST(a_repair_tries_the_ways_that_are_left),
        TEST(no_room_changes_nothing),
        cmocka_unit_test_setup_teardown(every_answer_lost, NULL, stop),
        cmocka_unit_test_setup_teardown(lost_for_good_and_repaired, NULL, stop),
        cmocka_unit_test_setup_teardown(refused_at_every_call, NULL, stop),
        TEST(counts_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
