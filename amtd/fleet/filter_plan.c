#include "amtd/fleet/filter_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define NUMBERS_MAX 999 /* tries for a name that is free */

void filter_steps_clear(struct filter_steps *steps)
{
    free(steps->items);
    memset(steps, 0, sizeof(*steps));
}

static struct sd_change *add(struct filter_steps *steps, enum sd_verb verb)
{
    struct sd_change *change;

    steps->items = xreallocarray(steps->items, steps->count + 1, sizeof(*steps->items));
    change = &steps->items[steps->count++];
    memset(change, 0, sizeof(*change));
    change->verb = verb;
    return change;
}

static void add_port(struct filter_steps *steps, enum sd_verb verb, enum sd_owner owner, unsigned port,
                     const char *id)
{
    struct sd_change *change = add(steps, verb);

    change->owner = owner;
    change->port = port;
    snprintf(change->policy.id, sizeof(change->policy.id), "%s", id);
}

bool filter_is_ours(const char *name)
{
    return strncmp(name, FILTER_OURS, strlen(FILTER_OURS)) == 0;
}

/* --- looking --- */

static const struct sd_policy *ours_of(const struct sd_state *state, const char *id)
{
    const struct sd_policy *policy = sd_state_policy(state, id);

    return policy && filter_is_ours(policy->name) ? policy : NULL;
}

const struct sd_policy *filter_enabled(const struct sd_state *state, unsigned port)
{
    const struct sd_enabled *e = sd_state_enabled(state, SD_CONSOLE, port);

    return e ? ours_of(state, e->policy) : NULL;
}

/* The filter of ours that means the same, among all (policy NULL) or those of a policy. */
static const struct sd_filter *find_filter(const struct sd_state *state, const struct sd_policy *policy,
                                           const struct sd_filter *wanted)
{
    for (size_t i = 0; i < state->filter_count; i++) {
        const struct sd_filter *f = &state->filters[i];
        bool in = policy == NULL;

        for (size_t k = 0; policy && k < policy->count; k++)
            in = in || policy->handles[k] == f->handle;
        if (in && filter_is_ours(f->name) && sd_filter_same(f, wanted))
            return f;
    }
    return NULL;
}

static bool is_wanted(const struct filter_goal *goal, const struct sd_filter *filter)
{
    for (size_t i = 0; i < goal->count; i++)
        if (sd_filter_same(&goal->filters[i], filter))
            return true;
    return false;
}

static bool same_default(const struct sd_default *a, const struct sd_default *b)
{
    return a->drop == b->drop && a->event == b->event && a->count == b->count;
}

static bool same_policy(const struct sd_state *state, const struct sd_policy *p,
                        const struct filter_goal *goal)
{
    if (!filter_is_ours(p->name) || p->precedence != goal->policy.precedence ||
        p->anti_spoof != goal->policy.anti_spoof || !same_default(&p->tx, &goal->policy.tx) ||
        !same_default(&p->rx, &goal->policy.rx))
        return false;
    for (size_t i = 0; i < p->count; i++) {
        const struct sd_filter *f = sd_state_filter(state, p->handles[i]);

        if (!f || !is_wanted(goal, f))
            return false;
    }
    for (size_t i = 0; i < goal->count; i++)
        if (!find_filter(state, p, &goal->filters[i]))
            return false;
    return true;
}

static bool is_enabled(const struct sd_state *state, const char *id)
{
    for (size_t i = 0; i < state->enabled_count; i++)
        if (strcmp(state->enabled[i].policy, id) == 0)
            return true;
    return false;
}

/* Of several that mean the same the one that is enabled already. */
const struct sd_policy *filter_present(const struct sd_state *state, const struct filter_goal *goal)
{
    const struct sd_policy *found = NULL;

    for (size_t i = 0; !goal->nothing && i < state->policy_count; i++) {
        const struct sd_policy *p = &state->policies[i];

        if (same_policy(state, p, goal) &&
            (!found || (is_enabled(state, p->id) && !is_enabled(state, found->id))))
            found = p;
    }
    return found;
}

static bool filter_used(const struct sd_state *state, uint32_t handle, const struct sd_policy *except)
{
    for (size_t i = 0; i < state->policy_count; i++)
        for (size_t k = 0; &state->policies[i] != except && k < state->policies[i].count; k++)
            if (state->policies[i].handles[k] == handle)
                return true;
    return false;
}

/* --- names --- */

static bool name_taken(const struct sd_state *state, const struct filter_steps *steps, const char *name)
{
    for (size_t i = 0; i < state->filter_count; i++)
        if (strcmp(state->filters[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < state->policy_count; i++)
        if (strcmp(state->policies[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < steps->count; i++)
        if (strcmp(steps->items[i].filter.name, name) == 0 || strcmp(steps->items[i].policy.name, name) == 0)
            return true;
    return false;
}

/* FILTER_OURS and what fits of the name; where that is taken, a number at its end. */
static void make_name(const struct sd_state *state, const struct filter_steps *steps, const char *name,
                      char out[SD_NAME_MAX + 1])
{
    const char *own = filter_is_ours(name) ? name + strlen(FILTER_OURS) : name;
    char number[8] = "";

    for (int i = 2; i < NUMBERS_MAX; i++) {
        int room = SD_NAME_MAX - (int)strlen(FILTER_OURS) - (int)strlen(number);
        char text[2 * SD_NAME_MAX];

        snprintf(text, sizeof(text), "%s%.*s%s", FILTER_OURS, room, own, number);
        snprintf(out, SD_NAME_MAX + 1, "%.*s", SD_NAME_MAX, text);
        if (!name_taken(state, steps, out))
            return;
        snprintf(number, sizeof(number), "%d", i);
    }
}

/* --- refusing --- */

static int refuse_others(const struct sd_state *state, const struct filter_goal *goal, struct err *err)
{
    for (size_t i = 0; i < state->enabled_count; i++) {
        const struct sd_enabled *e = &state->enabled[i];
        const struct sd_policy *p = sd_state_policy(state, e->policy);

        if (!p || filter_is_ours(p->name))
            continue;
        if (e->owner == goal->owner)
            return err_set(
                err, CAUSE_IN_USE,
                "another product's policy '%s' is enabled on port %u, where %s may enable only one", p->name,
                e->port, sd_owner_name(e->owner));
        if (goal->owner == SD_CONSOLE && e->active && e->owner != SD_DEFAULT &&
            p->precedence >= goal->policy.precedence)
            return err_set(err, CAUSE_IN_USE,
                           "policy '%s' of %s is active on port %u with precedence %u, not below ours (%u)",
                           p->name, sd_owner_name(e->owner), e->port, p->precedence, goal->policy.precedence);
    }
    return 0;
}

static int refuse_device(const struct sd_state *state, struct err *err)
{
    if (state->absent)
        return err_set(err, CAUSE_UNSUPPORTED,
                       "the device offers no System Defense: it has none, or is in client control mode");
    if (state->port_count == 0)
        return err_set(err, CAUSE_UNSUPPORTED, "the device shows no network port");
    return 0;
}

/* --- room --- */

/* Leftovers of ours that hold a place and serve nothing. */
static void free_places(const struct sd_state *state, const struct filter_goal *goal,
                        struct filter_steps *steps)
{
    for (size_t i = 0; i < state->policy_count; i++) {
        const struct sd_policy *p = &state->policies[i];

        if (filter_is_ours(p->name) && !is_enabled(state, p->id))
            memcpy(add(steps, SD_DELETE_POLICY)->policy.id, p->id, SD_ID_MAX);
    }
    for (size_t i = 0; i < state->filter_count; i++) {
        const struct sd_filter *f = &state->filters[i];

        if (filter_is_ours(f->name) && !filter_used(state, f->handle, NULL) && !is_wanted(goal, f))
            add(steps, SD_DELETE_FILTER)->filter = *f;
    }
}

static size_t count_others(const struct sd_state *state, bool policies)
{
    size_t n = 0;

    for (size_t i = 0; policies && i < state->policy_count; i++)
        n += !filter_is_ours(state->policies[i].name);
    for (size_t i = 0; !policies && i < state->filter_count; i++)
        n += !filter_is_ours(state->filters[i].name);
    return n;
}

static int no_room(const struct sd_state *state, size_t more, bool policies, struct err *err)
{
    size_t have = policies ? state->policy_count : state->filter_count;
    size_t most = policies ? state->limits.policies : state->limits.filters;

    return err_set(err, CAUSE_LIMIT_EXCEEDED,
                   "no room for %zu more %s: the device holds %zu of at most %zu, %zu of other"
                   " products",
                   more, policies ? "policies" : "filters", have, most, count_others(state, policies));
}

/* 0: there is room, or steps make it. */
static int make_room(const struct sd_state *state, const struct filter_goal *goal, size_t filters,
                     struct filter_steps *steps, struct err *err)
{
    bool many_policies = state->limits.policies > 0 && state->policy_count + 1 > state->limits.policies;
    bool many_filters = state->limits.filters > 0 && state->filter_count + filters > state->limits.filters;

    if (!many_policies && !many_filters)
        return 0;
    free_places(state, goal, steps);
    if (steps->count > 0)
        return 0;
    return many_policies ? no_room(state, 1, true, err) : no_room(state, filters, false, err);
}

/* --- making the policy --- */

static void add_policy(const struct sd_state *state, const struct filter_goal *goal,
                       struct filter_steps *steps)
{
    struct sd_policy policy = goal->policy;

    memset(policy.id, 0, sizeof(policy.id));
    policy.count = 0;
    for (size_t i = 0; i < goal->count && i < SD_HANDLES_MAX; i++)
        policy.handles[policy.count++] = find_filter(state, NULL, &goal->filters[i])->handle;
    make_name(state, steps, goal->policy.name, policy.name);
    add(steps, SD_CREATE_POLICY)->policy = policy;
}

static int plan_objects(const struct sd_state *state, const struct filter_goal *goal,
                        struct filter_steps *steps, struct err *err)
{
    size_t missing = 0;

    if (goal->count > SD_HANDLES_MAX)
        return err_set(err, CAUSE_LIMIT_EXCEEDED, "a policy holds at most %d filters, not %zu",
                       SD_HANDLES_MAX, goal->count);
    for (size_t i = 0; i < goal->count; i++)
        missing += find_filter(state, NULL, &goal->filters[i]) == NULL;
    if (make_room(state, goal, missing, steps, err) != 0 || steps->count > 0)
        return steps->count > 0 ? 0 : -1;
    for (size_t i = 0; missing > 0 && i < goal->count; i++) {
        struct sd_filter filter = goal->filters[i];

        if (find_filter(state, NULL, &filter))
            continue;
        filter.handle = 0;
        make_name(state, steps, goal->filters[i].name, filter.name);
        add(steps, SD_CREATE_FILTER)->filter = filter;
    }
    if (missing == 0)
        add_policy(state, goal, steps);
    return 0;
}

/* --- enabling --- */

/* Whoever enables only one of ours by a switch: the rest of the owners are not ours to change. */
static const enum sd_owner switched_owners[] = {SD_CONSOLE, SD_AGENT, SD_HEURISTICS};
#define SWITCHED_OWNERS (sizeof(switched_owners) / sizeof(switched_owners[0]))

/* The owner's policy on the port becomes another one (to NULL: none), for the console without a gap where
 * something was enabled. */
static void switch_port(const struct sd_state *state, enum sd_owner owner, unsigned port, const char *to,
                        struct filter_steps *steps)
{
    const struct sd_enabled *now = sd_state_enabled(state, owner, port);

    if (owner == SD_CONSOLE && now && to && !sd_state_enabled(state, SD_DEFAULT, port)) {
        add_port(steps, SD_ENABLE, SD_DEFAULT, port, to);
        steps->items[steps->count - 1].optional = true;
    }
    if (now)
        add_port(steps, SD_DISABLE, owner, port, now->policy);
    if (to)
        add_port(steps, SD_ENABLE, owner, port, to);
}

/* Worm detection is there on the wired port only. */
static bool is_for_port(const struct filter_goal *goal, unsigned port)
{
    return goal->owner != SD_HEURISTICS || port == 0;
}

static bool needs_switch(const struct sd_state *state, const struct filter_goal *goal,
                         const struct sd_policy *target, unsigned port)
{
    const struct sd_enabled *now = sd_state_enabled(state, goal->owner, port);
    bool held_back = now && goal->owner == SD_CONSOLE && !now->enabled;

    return !now || held_back || goal->again || strcmp(now->policy, target->id) != 0;
}

/* The time-out must be there before the policy is enabled; a policy that was lying there may have an old one.
 */
static void plan_timeout(const struct filter_goal *goal, const struct sd_policy *target,
                         struct filter_steps *steps)
{
    struct sd_change *change;

    if (goal->minutes == 0 && goal->made)
        return;
    change = add(steps, SD_SET_TIMEOUT);
    memcpy(change->policy.id, target->id, SD_ID_MAX);
    change->minutes = goal->minutes;
    change->optional = goal->minutes == 0;
}

static void plan_enable(const struct sd_state *state, const struct filter_goal *goal,
                        const struct sd_policy *target, struct filter_steps *steps)
{
    for (size_t i = 0; i < state->port_count; i++) {
        unsigned port = state->ports[i].number;

        if (!is_for_port(goal, port) || !needs_switch(state, goal, target, port))
            continue;
        if (steps->count == 0)
            plan_timeout(goal, target, steps);
        switch_port(state, goal->owner, port, target->id, steps);
    }
}

static bool is_to_go(const struct sd_state *state, const struct filter_goal *goal, const struct sd_enabled *e)
{
    bool ours_to_switch = e->owner == goal->owner || (goal->owner == SD_CONSOLE && e->owner == SD_DEFAULT);

    return goal->everything || (ours_to_switch && ours_of(state, e->policy));
}

static void plan_disable(const struct sd_state *state, const struct filter_goal *goal,
                         struct filter_steps *steps)
{
    bool environment = false;

    for (size_t i = 0; i < state->enabled_count; i++) {
        const struct sd_enabled *e = &state->enabled[i];

        if (!is_to_go(state, goal, e) || (e->owner == SD_ENVIRONMENT && environment))
            continue;
        environment = environment || e->owner == SD_ENVIRONMENT;
        add_port(steps, SD_DISABLE, e->owner, e->port, e->policy);
    }
}

int filter_plan_switch(const struct sd_state *state, const struct filter_goal *goal,
                       struct filter_steps *steps, struct err *err)
{
    const struct sd_policy *target = filter_present(state, goal);

    memset(steps, 0, sizeof(*steps));
    if (goal->nothing && goal->unknown && state->absent)
        return 0;
    if (refuse_device(state, err) != 0)
        return -1;
    if (goal->nothing) {
        plan_disable(state, goal, steps);
        return 0;
    }
    if (refuse_others(state, goal, err) != 0)
        return -1;
    if (!target)
        return plan_objects(state, goal, steps, err);
    plan_enable(state, goal, target, steps);
    return 0;
}

/* --- checking --- */

/* Behind a sentence about a policy that waits. */
static const char *for_whom(enum sd_owner owner)
{
    return owner == SD_AGENT ? " for agent presence" : owner == SD_HEURISTICS ? " for worm detection" : "";
}

static int check_port(const struct sd_state *state, const struct filter_goal *goal,
                      const struct sd_policy *target, unsigned port, struct err *err)
{
    const struct sd_enabled *now = sd_state_enabled(state, goal->owner, port);
    const struct sd_enabled *active = sd_state_active(state, port);
    const struct sd_policy *other = active ? sd_state_policy(state, active->policy) : NULL;

    if (!now || strcmp(now->policy, target->id) != 0)
        return err_set(err, CAUSE_NOT_REACHED, "policy '%s' is not enabled on port %u%s", target->name, port,
                       for_whom(goal->owner));
    if (now->active || goal->owner != SD_CONSOLE) /* the others become active when they are asked for */
        return 0;
    if (other && active->owner != SD_CONSOLE)
        return err_set(err, CAUSE_IN_USE, "policy '%s' of %s is active on port %u in place of ours",
                       other->name, sd_owner_name(active->owner), port);
    return err_set(err, CAUSE_NOT_REACHED, "policy '%s' is enabled on port %u and does not become active",
                   target->name, port);
}

int filter_plan_check(const struct sd_state *state, const struct filter_goal *goal, struct err *err)
{
    const struct sd_policy *target = filter_present(state, goal);

    for (size_t i = 0; goal->nothing && i < state->enabled_count; i++)
        if (is_to_go(state, goal, &state->enabled[i]))
            return err_set(err, CAUSE_NOT_REACHED, "a policy is still enabled on port %u%s",
                           state->enabled[i].port, for_whom(state->enabled[i].owner));
    if (goal->nothing)
        return 0;
    if (!target)
        return err_set(err, CAUSE_NOT_REACHED, "the device does not hold the policy that was put there%s",
                       for_whom(goal->owner));
    for (size_t i = 0; i < state->port_count; i++)
        if (is_for_port(goal, state->ports[i].number) &&
            check_port(state, goal, target, state->ports[i].number, err) != 0)
            return -1;
    return 0;
}

/* --- cleaning --- */

static bool keeps_policy(const struct sd_state *state, const struct filter_goal *goal,
                         const struct sd_policy *p, const struct sd_policy *target)
{
    if (p == target || (!goal->everything && !filter_is_ours(p->name)))
        return true;
    for (size_t i = 0; i < state->enabled_count; i++) /* the default goes in the same batch, before */
        if (strcmp(state->enabled[i].policy, p->id) == 0 && state->enabled[i].owner != SD_DEFAULT)
            return true;
    return false;
}

static bool kept_policy_names(const struct sd_state *state, const struct filter_goal *goal,
                              const struct sd_policy *target, uint32_t handle)
{
    for (size_t i = 0; i < state->policy_count; i++) {
        const struct sd_policy *p = &state->policies[i];

        for (size_t k = 0; keeps_policy(state, goal, p, target) && k < p->count; k++)
            if (p->handles[k] == handle)
                return true;
    }
    return false;
}

void filter_plan_clean(const struct sd_state *state, const struct filter_goal *goal,
                       struct filter_steps *steps)
{
    const struct sd_policy *target = filter_present(state, goal);

    memset(steps, 0, sizeof(*steps));
    for (size_t i = 0; i < state->enabled_count; i++) {
        const struct sd_enabled *e = &state->enabled[i];

        if (e->owner == SD_DEFAULT && (goal->everything || ours_of(state, e->policy)))
            add_port(steps, SD_DISABLE, e->owner, e->port, e->policy);
    }
    for (size_t i = 0; i < state->policy_count; i++)
        if (!keeps_policy(state, goal, &state->policies[i], target))
            memcpy(add(steps, SD_DELETE_POLICY)->policy.id, state->policies[i].id, SD_ID_MAX);
    for (size_t i = 0; i < state->filter_count; i++) {
        const struct sd_filter *f = &state->filters[i];

        if ((goal->everything || filter_is_ours(f->name)) &&
            !kept_policy_names(state, goal, target, f->handle))
            add(steps, SD_DELETE_FILTER)->filter = *f;
    }
    for (size_t i = 0; i < steps->count; i++)
        steps->items[i].optional = true;
}

/* --- undoing --- */

/* What of ours the owner had enabled on the port, if it is still there to be enabled. */
static const char *was_enabled(const struct sd_state *state, const struct sd_state *before,
                               enum sd_owner owner, unsigned port)
{
    const struct sd_enabled *e = sd_state_enabled(before, owner, port);

    return e && ours_of(before, e->policy) && sd_state_policy(state, e->policy) ? e->policy : NULL;
}

static const char *now_enabled(const struct sd_state *state, enum sd_owner owner, unsigned port)
{
    const struct sd_enabled *e = sd_state_enabled(state, owner, port);

    return e && ours_of(state, e->policy) ? e->policy : NULL;
}

static bool same_id(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void undo_ports(const struct sd_state *state, const struct sd_state *before,
                       struct filter_steps *steps)
{
    for (size_t i = 0; i < SWITCHED_OWNERS * state->port_count; i++) {
        enum sd_owner owner = switched_owners[i % SWITCHED_OWNERS];
        unsigned port = state->ports[i / SWITCHED_OWNERS].number;
        const char *was = was_enabled(state, before, owner, port);

        if (!same_id(was, now_enabled(state, owner, port)))
            switch_port(state, owner, port, was, steps);
    }
}

/* Defaults of ours are for the time of a switch only. */
static void undo_defaults(const struct sd_state *state, const struct sd_state *before,
                          struct filter_steps *steps)
{
    for (size_t i = 0; i < state->port_count; i++) {
        unsigned port = state->ports[i].number;
        const char *was = was_enabled(state, before, SD_DEFAULT, port),
                   *now = now_enabled(state, SD_DEFAULT, port);

        if (!same_id(was, now) && now)
            add_port(steps, SD_DISABLE, SD_DEFAULT, port, now);
        if (!same_id(was, now) && was)
            add_port(steps, SD_ENABLE, SD_DEFAULT, port, was);
    }
}

static void undo_objects(const struct sd_state *state, const struct sd_state *before,
                         struct filter_steps *steps)
{
    for (size_t i = 0; i < state->policy_count; i++)
        if (filter_is_ours(state->policies[i].name) && !sd_state_policy(before, state->policies[i].id))
            memcpy(add(steps, SD_DELETE_POLICY)->policy.id, state->policies[i].id, SD_ID_MAX);
    for (size_t i = 0; i < state->filter_count; i++)
        if (filter_is_ours(state->filters[i].name) && !sd_state_filter(before, state->filters[i].handle))
            add(steps, SD_DELETE_FILTER)->filter = state->filters[i];
}

void filter_plan_undo(const struct sd_state *state, const struct sd_state *before, struct filter_steps *steps)
{
    memset(steps, 0, sizeof(*steps));
    undo_ports(state, before, steps);
    if (steps->count == 0)
        undo_defaults(state, before, steps);
    if (steps->count == 0)
        undo_objects(state, before, steps);
}

bool filter_plan_undone(const struct sd_state *state, const struct sd_state *before)
{
    struct filter_steps steps;
    bool undone;

    filter_plan_undo(state, before, &steps);
    undone = steps.count == 0;
    filter_steps_clear(&steps);
    for (size_t i = 0; i < before->enabled_count; i++) {
        const struct sd_enabled *e = &before->enabled[i], *now = sd_state_enabled(state, e->owner, e->port);

        if (e->owner != SD_ENVIRONMENT && ours_of(before, e->policy) &&
            (!now || strcmp(now->policy, e->policy) != 0))
            undone = false;
    }
    return undone;
}
