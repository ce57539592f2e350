/* Plans, carried out on a model of a device: every way from one state to another ends where it should, never
 * leaves a port open in between, leaves other products alone, and can be undone from wherever it stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/fleet/filter_plan.h"

#define BATCHES_MAX 40

static uint32_t seed;
static uint32_t next_handle;

static uint32_t chance(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

/* --- a device --- */

static struct sd_filter a_filter(uint16_t port)
{
    struct sd_filter f = {.kind = SD_IP,
                          .profile = SD_PASS,
                          .direction = port % 2 ? SD_TX : SD_RX,
                          .ip_version = 4,
                          .protocol_given = true,
                          .protocol = 6,
                          .destination_ports = {true, port, port}};

    snprintf(f.name, sizeof(f.name), "amt:port-%u", port);
    return f;
}

static void carry_out(struct sd_state *state, const struct sd_change *change)
{
    char id[SD_ID_MAX];

    snprintf(id, sizeof(id), "Intel(r) AMT:Handle: %u", ++next_handle);
    sd_state_apply(state, change, next_handle, id);
}

static uint32_t put_filter(struct sd_state *state, const char *name, uint16_t port)
{
    struct sd_change change = {.verb = SD_CREATE_FILTER, .filter = a_filter(port)};

    snprintf(change.filter.name, sizeof(change.filter.name), "%s", name);
    carry_out(state, &change);
    return next_handle;
}

static const char *put_policy(struct sd_state *state, const char *name, uint32_t precedence,
                              const uint32_t *handles, size_t count)
{
    struct sd_change change = {.verb = SD_CREATE_POLICY};

    snprintf(change.policy.name, sizeof(change.policy.name), "%s", name);
    change.policy.precedence = precedence;
    change.policy.tx.drop = change.policy.rx.drop = true;
    change.policy.count = count;
    if (count > 0)
        memcpy(change.policy.handles, handles, count * sizeof(*handles));
    carry_out(state, &change);
    return state->policies[state->policy_count - 1].id;
}

static void put_on(struct sd_state *state, enum sd_owner owner, unsigned port, const char *id)
{
    struct sd_change change = {.verb = SD_ENABLE, .owner = owner, .port = port};

    snprintf(change.policy.id, sizeof(change.policy.id), "%s", id);
    carry_out(state, &change);
}

static void device(struct sd_state *state, unsigned ports)
{
    memset(state, 0, sizeof(*state));
    state->limits = (struct sd_limits){8, 80};
    for (unsigned i = 0; i < ports; i++)
        state->ports[state->port_count++].number = i;
}

static struct filter_goal goal_of(struct sd_filter *filters, size_t count, uint16_t first)
{
    struct filter_goal goal = {.filters = filters, .count = count};

    for (size_t i = 0; i < count; i++)
        filters[i] = a_filter((uint16_t)(first + i));
    snprintf(goal.policy.name, sizeof(goal.policy.name), "amt:quarantine");
    goal.policy.precedence = 100;
    goal.policy.tx.drop = goal.policy.rx.drop = true;
    return goal;
}

/* --- carrying plans out --- */

struct walk {
    bool guarded[SD_PORTS_MAX]; /* something decided on the port at the beginning */
    size_t steps;
    size_t stop_after; /* 0: never */
};

static void begin(struct walk *walk, const struct sd_state *state)
{
    memset(walk, 0, sizeof(*walk));
    for (size_t i = 0; i < state->port_count; i++)
        walk->guarded[i] = sd_state_active(state, state->ports[i].number) != NULL;
}

/* True when it stopped on the way. */
static bool run_steps(struct walk *walk, struct sd_state *state, struct filter_steps *steps)
{
    bool stopped = false;

    for (size_t i = 0; i < steps->count && !stopped; i++) {
        carry_out(state, &steps->items[i]);
        walk->steps++;
        for (size_t k = 0; k < state->port_count; k++)
            if (walk->guarded[k] && !sd_state_active(state, state->ports[k].number))
                fail_msg("port %zu is open after step %zu", k, walk->steps);
        stopped = walk->steps == walk->stop_after;
    }
    filter_steps_clear(steps);
    return stopped;
}

/* True when it went to its end. */
static bool reach(struct walk *walk, struct sd_state *state, struct filter_goal *goal)
{
    struct filter_steps steps;
    struct err err = ERR_INIT;

    for (int i = 0;; i++) {
        assert_true(i < BATCHES_MAX);
        if (filter_plan_switch(state, goal, &steps, &err) != 0)
            fail_msg("%s", err.text);
        if (steps.count == 0)
            break;
        if (run_steps(walk, state, &steps))
            return false;
        goal->made = true;
    }
    if (filter_plan_check(state, goal, &err) != 0)
        fail_msg("%s", err.text);
    filter_plan_clean(state, goal, &steps);
    return !run_steps(walk, state, &steps);
}

static void undo(struct walk *walk, struct sd_state *state, const struct sd_state *before)
{
    struct filter_steps steps;

    walk->stop_after = 0;
    for (int i = 0;; i++) {
        assert_true(i < BATCHES_MAX);
        filter_plan_undo(state, before, &steps);
        if (steps.count == 0)
            break;
        run_steps(walk, state, &steps);
    }
    assert_true(filter_plan_undone(state, before));
}

static size_t count_ours(const struct sd_state *state)
{
    size_t n = 0;

    for (size_t i = 0; i < state->filter_count; i++)
        n += filter_is_ours(state->filters[i].name);
    for (size_t i = 0; i < state->policy_count; i++)
        n += filter_is_ours(state->policies[i].name);
    return n;
}

static void same_objects(const struct sd_state *a, const struct sd_state *b)
{
    assert_int_equal(a->filter_count, b->filter_count);
    assert_int_equal(a->policy_count, b->policy_count);
    assert_int_equal(a->enabled_count, b->enabled_count);
    for (size_t i = 0; i < a->enabled_count; i++) {
        const struct sd_enabled *e = &a->enabled[i], *other = sd_state_enabled(b, e->owner, e->port);

        assert_non_null(other);
        assert_string_equal(e->policy, other->policy);
    }
}

/* --- tests --- */

static void from_nothing(void **state)
{
    struct sd_state now;
    struct sd_filter filters[5];
    struct filter_goal goal = goal_of(filters, 5, 100);
    struct filter_steps steps;
    struct walk walk;

    (void)state;
    device(&now, 2);
    begin(&walk, &now);
    assert_true(reach(&walk, &now, &goal));
    assert_int_equal(walk.steps, 5 + 1 + 2); /* filters, policy, two ports: nothing else */
    assert_int_equal(count_ours(&now), 6);
    assert_string_equal(filter_enabled(&now, 1)->name, "amt:quarantine");
    assert_int_equal(filter_plan_switch(&now, &goal, &steps, NULL), 0);
    assert_int_equal(steps.count, 0); /* what is there is not made again */
    sd_state_clear(&now);
}

static void to_a_new_version_and_to_nothing(void **state)
{
    struct sd_state now;
    struct sd_filter filters[6];
    struct filter_goal goal = goal_of(filters, 6, 100), nothing = {.nothing = true};
    struct walk walk;

    (void)state;
    device(&now, 1);
    begin(&walk, &now);
    assert_true(reach(&walk, &now, &goal));
    goal = goal_of(filters, 6, 103); /* three of them stay */
    begin(&walk, &now);
    assert_true(reach(&walk, &now, &goal));
    /* 3 filters, policy, default on, old off, new on, default off, old policy, 3 old filters */
    assert_int_equal(walk.steps, 3 + 1 + 3 + 1 + 1 + 3);
    assert_int_equal(count_ours(&now), 7);
    assert_string_equal(filter_enabled(&now, 0)->name, "amt:quarantine2"); /* the name was taken meanwhile */
    memset(&walk, 0, sizeof(walk));
    assert_true(reach(&walk, &now, &nothing));
    assert_int_equal(count_ours(&now), 0);
    assert_int_equal(now.enabled_count, 0);
    sd_state_clear(&now);
}

static void time_outs_are_set_before_and_run_anew(void **state)
{
    struct sd_state now;
    struct sd_filter filters[1];
    struct filter_goal goal = goal_of(filters, 1, 7);
    struct filter_steps steps;
    struct walk walk;

    (void)state;
    device(&now, 1);
    goal.minutes = 15;
    begin(&walk, &now);
    assert_true(reach(&walk, &now, &goal));
    assert_int_equal(walk.steps, 1 + 1 + 1 + 1);
    goal.again = true;
    assert_int_equal(filter_plan_switch(&now, &goal, &steps, NULL), 0);
    static const enum sd_verb order[] = {SD_SET_TIMEOUT, SD_ENABLE, SD_DISABLE, SD_ENABLE};
    assert_int_equal(steps.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(steps.items[i].verb, order[i]);
    assert_int_equal(steps.items[1].owner, SD_DEFAULT);
    assert_true(steps.items[1].optional);
    filter_steps_clear(&steps);
    sd_state_clear(&now);
}

static void others_are_left_alone_or_named(void **state)
{
    struct sd_state now, kept = {0};
    struct sd_filter filters[2];
    struct filter_goal goal = goal_of(filters, 2, 5), nothing = {.nothing = true};
    struct filter_steps steps;
    struct err err = ERR_INIT;
    struct walk walk;
    uint32_t handle;
    const char *id;

    (void)state;
    device(&now, 1);
    handle = put_filter(&now, "isv-1", 5); /* means the same as one of ours: not used all the same */
    id = put_policy(&now, "isv", 50, &handle, 1);
    put_on(&now, SD_AGENT, 0, id);
    sd_state_copy(&kept, &now);
    memset(&walk, 0, sizeof(walk));
    assert_true(reach(&walk, &now, &goal));
    assert_int_equal(count_ours(&now), 3);
    memset(&walk, 0, sizeof(walk));
    assert_true(reach(&walk, &now, &nothing));
    same_objects(&now, &kept);

    goal.policy.precedence = 50; /* not above agent presence */
    assert_int_equal(filter_plan_switch(&now, &goal, &steps, &err), -1);
    assert_int_equal(err.cause, CAUSE_IN_USE);
    assert_non_null(strstr(err.text, "agent presence"));
    goal.policy.precedence = 100;
    put_on(&now, SD_CONSOLE, 0, now.policies[0].id);
    assert_int_equal(filter_plan_switch(&now, &goal, &steps, &err), -1);
    assert_int_equal(err.cause, CAUSE_IN_USE);
    assert_non_null(strstr(err.text, "'isv'"));
    nothing.everything = true;
    memset(&walk, 0, sizeof(walk));
    assert_true(reach(&walk, &now, &nothing));
    assert_int_equal(now.filter_count + now.policy_count + now.enabled_count, 0);
    sd_state_clear(&now);
    sd_state_clear(&kept);
}

static void room_is_made_of_leftovers_or_missed(void **state)
{
    struct sd_state now;
    struct sd_filter filters[10];
    struct filter_goal goal = goal_of(filters, 10, 1000);
    struct filter_steps steps;
    struct err err = ERR_INIT;
    struct walk walk;

    (void)state;
    device(&now, 1);
    for (uint16_t i = 0; i < 70; i++)
        put_filter(&now, "isv", i);
    for (uint16_t i = 0; i < 6; i++)
        put_filter(&now, "amt:old", (uint16_t)(200 + i));
    put_policy(&now, "amt:old", 1, NULL, 0);
    begin(&walk, &now);
    assert_true(reach(&walk, &now, &goal));
    assert_int_equal(count_ours(&now), 11);
    goal = goal_of(filters, 10, 3000);
    assert_int_equal(filter_plan_switch(&now, &goal, &steps, &err), -1);
    assert_int_equal(err.cause, CAUSE_LIMIT_EXCEEDED);
    assert_non_null(strstr(err.text, "80 of at most 80, 70 of other products"));
    now.absent = true;
    assert_int_equal(filter_plan_switch(&now, &goal, &steps, &err), -1);
    assert_int_equal(err.cause, CAUSE_UNSUPPORTED);
    sd_state_clear(&now);
}

static void what_does_not_become_active_is_said(void **state)
{
    struct sd_state now;
    struct sd_filter filters[1];
    struct filter_goal goal = goal_of(filters, 1, 7);
    struct err err = ERR_INIT;
    struct walk walk;

    (void)state;
    device(&now, 1);
    begin(&walk, &now);
    assert_true(reach(&walk, &now, &goal));
    now.enabled[0].active = false;
    assert_int_equal(filter_plan_check(&now, &goal, &err), -1);
    assert_int_equal(err.cause, CAUSE_NOT_REACHED);
    put_on(&now, SD_AGENT, 0, put_policy(&now, "isv", 900, NULL, 0));
    assert_int_equal(filter_plan_check(&now, &goal, &err), -1);
    assert_int_equal(err.cause, CAUSE_IN_USE);
    sd_state_clear(&now);
}

/* A device with something of ours, something of others, and a goal; stopped after every possible step. */
static void random_device(struct sd_state *now)
{
    uint32_t handles[8], n = chance(8);

    device(now, 1 + chance(2));
    for (uint32_t i = 0; i < n; i++)
        handles[i] = put_filter(now, "amt:was", (uint16_t)(100 + chance(12)));
    if (chance(3) > 0) {
        put_policy(now, "amt:was", chance(2) ? 100 : 50, handles, n);
        for (size_t i = 0; i < now->port_count; i++)
            if (chance(3) > 0)
                put_on(now, SD_CONSOLE, now->ports[i].number, now->policies[0].id);
    }
    if (chance(2) > 0)
        put_on(now, SD_AGENT, 0, put_policy(now, "isv", chance(90), NULL, 0));
    if (chance(4) == 0)
        put_on(now, SD_DEFAULT, 0, put_policy(now, "isv2", 0, NULL, 0));
}

static void every_way_can_be_undone(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 400; round++) {
        for (size_t stop = 1; stop < 60; stop++) {
            struct sd_state before = {0}, now;
            struct sd_filter filters[6];
            struct walk walk;
            bool done;

            seed = round;
            random_device(&now);
            struct filter_goal goal = goal_of(filters, chance(7), (uint16_t)(100 + chance(12)));
            sd_state_copy(&before, &now);
            begin(&walk, &now);
            walk.stop_after = stop;
            done = reach(&walk, &now, &goal);
            if (!done && count_ours(&before) <= count_ours(&now) &&
                filter_plan_check(&now, &goal, NULL) != 0) {
                undo(&walk, &now, &before);
                same_objects(&now, &before);
            }
            sd_state_clear(&now);
            sd_state_clear(&before);
            if (done)
                break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_nothing),
        cmocka_unit_test(to_a_new_version_and_to_nothing),
        cmocka_unit_test(time_outs_are_set_before_and_run_anew),
        cmocka_unit_test(others_are_left_alone_or_named),
        cmocka_unit_test(room_is_made_of_leftovers_or_missed),
        cmocka_unit_test(what_does_not_become_active_is_said),
        cmocka_unit_test(every_way_can_be_undone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
