#include "amtd/fleet/filter_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define BATCHES_MAX 24   /* of one plan: filters, policy, ports, and again after lost answers */
#define CLEANS_MAX  2    /* of what is not needed any more */
#define LOST_MAX    4    /* answers lost on the way before it is given up */
#define LOOKS_MAX   3    /* at a policy that does not become active */
#define LOOK_MS     1000 /* between two of them */

enum phase {
    PHASE_FIRST,
    PHASE_SWITCH,
    PHASE_CHECK,
    PHASE_CLEAN,
    PHASE_UNDO,
    PHASE_UNDONE,
    PHASE_COUNT,
    PHASE_END
};

const char *filter_outcome_name(enum filter_outcome outcome)
{
    static const char *const names[] = {
        [FILTER_UNCHANGED] = "unchanged",   [FILTER_ACTIVE] = "active",
        [FILTER_REMOVED] = "removed",       [FILTER_ROLLED_BACK] = "rolled-back",
        [FILTER_UNFINISHED] = "unfinished",
    };

    return names[outcome];
}

enum filter_outcome filter_work_outcome(const struct filter_work *work, bool failed)
{
    return failed && work->sd.changed && work->outcome == FILTER_UNCHANGED ? FILTER_UNFINISHED
                                                                           : work->outcome;
}

static int go_on(struct filter_work *work, struct err *err);

static int enter(struct filter_work *work, enum phase phase, struct err *err)
{
    work->phase = (int)phase;
    work->batches = work->looks = 0;
    return go_on(work, err);
}

/* Hands the steps to the sequence. A device that loses every answer and does what it is told comes to an end
 * too. */
static int carry_out(struct filter_work *work, struct filter_steps *steps)
{
    if (steps->count < work->left)
        work->lost = work->batches = 0;
    work->left = steps->count;
    for (size_t i = 0; i < steps->count; i++)
        *sd_seq_change(&work->sd, steps->items[i].verb) = steps->items[i];
    filter_steps_clear(steps);
    return SD_CARRY_OUT;
}

/* Back to what was there, because of err. What changed nothing needs no way back. */
static int turn_back(struct filter_work *work, struct err *err)
{
    if (!work->sd.changed)
        return SEQ_FAIL;
    if (work->mode != FILTER_APPLY) {
        work->outcome = FILTER_UNFINISHED;
        return SEQ_FAIL;
    }
    work->why = *err;
    work->lost = 0;
    return enter(work, PHASE_UNDO, err);
}

/* The last change failed. False: it may be tried again from what is there now. */
static bool is_final(struct filter_work *work, struct err *err)
{
    if (work->sd.failure.cause == CAUSE_NONE)
        return false;
    *err = work->sd.failure;
    err_clear(&work->sd.failure);
    return !work->sd.uncertain || ++work->lost > LOST_MAX;
}

/* --- the phases --- */

static int first(struct filter_work *work, struct err *err)
{
    int ready = work->prepare ? work->prepare(work, err) : 0;

    if (ready != 0)
        return ready == SD_HOLD ? SD_HOLD : SEQ_FAIL;
    if (work->mode != FILTER_REPAIR)
        sd_state_copy(&work->before, &work->sd.state);
    if (work->mode == FILTER_COUNT)
        return enter(work, PHASE_COUNT, err);
    if (work->mode == FILTER_LOOK) {
        work->differs = filter_plan_check(&work->sd.state, &work->goal, &work->why) != 0;
        for (size_t i = 0; !work->differs && i < work->other_count; i++)
            work->differs = filter_plan_check(&work->sd.state, &work->others[i], &work->why) != 0;
        return SEQ_DONE;
    }
    if (work->mode == FILTER_CLEAN)
        return enter(work, PHASE_CLEAN, err);
    if (work->mode == FILTER_REPAIR && !work->goal.nothing) {
        work->sd.changed = true; /* by whoever began */
        if (filter_plan_check(&work->sd.state, &work->goal, &work->why) == 0)
            return enter(work, PHASE_CHECK, err);
        return enter(work, PHASE_UNDO, err);
    }
    return enter(work, PHASE_SWITCH, err);
}

/* True when the sequence is to hold on for the n-th time: it does so once. */
static bool hold_once(struct filter_work *work, unsigned n)
{
    if (!work->tries_ways || work->holds != n - 1)
        return false;
    work->holds = n;
    return true;
}

static int do_switch(struct filter_work *work, struct err *err)
{
    struct filter_steps steps;

    if (is_final(work, err) || filter_plan_switch(&work->sd.state, &work->goal, &steps, err) != 0)
        return turn_back(work, err);
    if (steps.count > 0 && ++work->batches > BATCHES_MAX) {
        filter_steps_clear(&steps);
        err_set(err, CAUSE_NOT_REACHED, "the device takes the changes and does not show them");
        return turn_back(work, err);
    }
    if (steps.count > 0 && hold_once(work, 1)) {
        filter_steps_clear(&steps);
        work->batches--;
        return SD_HOLD;
    }
    if (steps.count > 0) {
        work->goal.made = work->goal.made || steps.items[0].verb == SD_CREATE_POLICY;
        work->goal.again = work->goal.again && steps.items[0].verb <= SD_CREATE_POLICY;
        return carry_out(work, &steps);
    }
    if (work->sd.passed_over)
        work->remark = "switched with a short gap: the device takes no default policy";
    work->phase = PHASE_CHECK;
    return work->sd.changed ? SD_READ : go_on(work, err);
}

/* What was taken away is not always the end of it: others may have enabled a policy too. */
static const char *still_active(const struct sd_state *state)
{
    static const char *const remarks[SD_OWNERS] = {
        [SD_CONSOLE] = "another product's policy is active",
        [SD_DEFAULT] = "a default policy is active",
        [SD_AGENT] = "a policy of agent presence is active",
        [SD_ENVIRONMENT] = "a policy of environment detection is active",
        [SD_HEURISTICS] = "a policy of worm detection is active",
    };
    const struct sd_enabled *active = NULL;

    for (size_t i = 0; !active && i < state->port_count; i++)
        active = sd_state_active(state, state->ports[i].number);
    return active ? remarks[active->owner] : NULL;
}

static int check(struct filter_work *work, struct err *err)
{
    if (filter_plan_check(&work->sd.state, &work->goal, err) == 0) {
        if (work->goal.nothing)
            work->remark = still_active(&work->sd.state);
        if (work->sd.changed && hold_once(work, 2))
            return SD_HOLD;
        if (work->cut.cause != CAUSE_NONE) {
            work->why = work->cut;
            err_clear(&work->cut);
            work->lost = 0;
            return enter(work, PHASE_UNDO, err);
        }
        if (work->sd.changed)
            work->outcome = work->goal.nothing ? FILTER_REMOVED : FILTER_ACTIVE;
        return enter(work, PHASE_CLEAN, err);
    }
    if (++work->looks < LOOKS_MAX) {
        seq_wait(&work->sd.seq, LOOK_MS);
        return SD_READ;
    }
    return turn_back(work, err);
}

/* What is refused is tried once more, as others may have held on to it; what cannot be cleaned then is
 * cleaned with the next change: it decides about nothing. */
static int clean(struct filter_work *work, struct err *err)
{
    struct filter_steps steps;
    unsigned most = work->sd.failure.cause != CAUSE_NONE ? BATCHES_MAX : CLEANS_MAX;

    if (is_final(work, err))
        return SEQ_DONE;
    filter_plan_clean(&work->sd.state, &work->goal, &steps);
    work->unclean = steps.count > 0 && ++work->batches <= most;
    if (!work->unclean) {
        if (steps.count > 0 && work->goal.nothing)
            work->remark = "something that acts no more could not be deleted: the next change tries again";
        filter_steps_clear(&steps);
        return SEQ_DONE;
    }
    if (work->goal.nothing)
        work->outcome = FILTER_REMOVED;
    return carry_out(work, &steps);
}

static int undo(struct filter_work *work, struct err *err)
{
    struct filter_steps steps;

    if (is_final(work, err) || ++work->batches > BATCHES_MAX) {
        work->outcome = FILTER_UNFINISHED;
        *err = work->why;
        err_context(err, "not put back as it was");
        return SEQ_FAIL;
    }
    filter_plan_undo(&work->sd.state, &work->before, &steps);
    if (steps.count > 0)
        return carry_out(work, &steps);
    work->phase = PHASE_UNDONE;
    return SD_READ;
}

static int undone(struct filter_work *work, struct err *err)
{
    if (!filter_plan_undone(&work->sd.state, &work->before) && work->looks++ == 0) {
        work->phase = PHASE_UNDO;
        return go_on(work, err);
    }
    work->outcome = FILTER_ROLLED_BACK;
    if (work->mode == FILTER_REPAIR)
        return SEQ_DONE;
    *err = work->why;
    return SEQ_FAIL;
}

static void want_update(struct filter_work *work, unsigned port)
{
    const struct sd_enabled *active = sd_state_active(&work->sd.state, port);
    struct sd_change *change;

    if (!active)
        return;
    change = sd_seq_change(&work->sd, SD_UPDATE_STATISTICS);
    change->port = port;
    change->optional = true;
    memcpy(change->policy.id, active->policy, sizeof(change->policy.id));
}

static int count(struct filter_work *work, struct err *err)
{
    (void)err;
    if (work->batches++ == 0) {
        for (size_t i = 0; i < work->sd.state.port_count; i++)
            want_update(work, work->sd.state.ports[i].number);
        return SD_CARRY_OUT;
    }
    work->phase = PHASE_END;
    return SD_READ_COUNTS;
}

static int finish(struct filter_work *work, struct err *err)
{
    (void)work;
    (void)err;
    return SEQ_DONE;
}

static int go_on(struct filter_work *work, struct err *err)
{
    static int (*const phases[])(struct filter_work * work, struct err * err) = {
        [PHASE_FIRST] = first, [PHASE_SWITCH] = do_switch, [PHASE_CHECK] = check, [PHASE_CLEAN] = clean,
        [PHASE_UNDO] = undo,   [PHASE_UNDONE] = undone,    [PHASE_COUNT] = count, [PHASE_END] = finish,
    };

    err_clear(err);
    return phases[work->phase](work, err);
}

static int decide(struct sd_seq *ss, struct err *err)
{
    int where = go_on((struct filter_work *)ss, err);

    if (where != SEQ_FAIL) /* what was in the way is dealt with */
        err_clear(err);
    return where;
}

/* --- life --- */

void filter_work_init(struct filter_work *work, enum filter_mode mode)
{
    memset(work, 0, sizeof(*work));
    sd_seq_init(&work->sd, decide);
    work->mode = mode;
}

void filter_work_clear(struct filter_work *work)
{
    sd_state_clear(&work->before);
    sd_seq_clear(&work->sd);
}

/* --- what was there, written down --- */

json_t *filter_before_json(const struct sd_state *before)
{
    json_t *policies = json_array(), *filters = json_array(), *enabled = json_array();

    for (size_t i = 0; i < before->policy_count; i++)
        if (filter_is_ours(before->policies[i].name))
            json_array_append_new(policies, json_string(before->policies[i].id));
    for (size_t i = 0; i < before->filter_count; i++)
        if (filter_is_ours(before->filters[i].name))
            json_array_append_new(filters, json_integer(before->filters[i].handle));
    for (size_t i = 0; i < before->enabled_count; i++) {
        const struct sd_enabled *e = &before->enabled[i];

        json_array_append_new(enabled, json_pack("{s:i, s:i, s:s}", "owner", (int)e->owner, "port",
                                                 (int)e->port, "policy", e->policy));
    }
    return json_pack("{s:o, s:o, s:o}", "policies", policies, "filters", filters, "enabled", enabled);
}

static void read_enabled(const json_t *json, struct sd_state *before)
{
    json_int_t owner = json_integer_value(json_object_get(json, "owner"));
    json_int_t port = json_integer_value(json_object_get(json, "port"));
    const char *policy = json_string_value(json_object_get(json, "policy"));
    struct sd_enabled *e = &before->enabled[before->enabled_count];

    if (before->enabled_count == SD_ENABLED_MAX || !policy || strlen(policy) >= SD_ID_MAX || owner < 0 ||
        owner >= SD_OWNERS || port < 0 || port > UINT16_MAX)
        return;
    memset(e, 0, sizeof(*e));
    e->owner = (enum sd_owner)owner;
    e->port = (unsigned)port;
    memcpy(e->policy, policy, strlen(policy));
    before->enabled_count++;
}

void filter_before_read(const json_t *json, struct sd_state *before)
{
    const json_t *policies = json_object_get(json, "policies"), *filters = json_object_get(json, "filters");
    const json_t *enabled = json_object_get(json, "enabled");
    size_t i;
    json_t *value;

    sd_state_clear(before);
    before->policies = xcalloc(json_array_size(policies) + 1, sizeof(*before->policies));
    before->filters = xcalloc(json_array_size(filters) + 1, sizeof(*before->filters));
    json_array_foreach(policies, i, value)
    {
        struct sd_policy *p = &before->policies[before->policy_count];

        if (!json_is_string(value) || json_string_length(value) >= SD_ID_MAX)
            continue;
        memcpy(p->id, json_string_value(value), json_string_length(value));
        snprintf(p->name, sizeof(p->name), "%s", FILTER_OURS);
        before->policy_count++;
    }
    json_array_foreach(filters, i, value)
    {
        struct sd_filter *f = &before->filters[before->filter_count++];

        f->handle = (uint32_t)json_integer_value(value);
        snprintf(f->name, sizeof(f->name), "%s", FILTER_OURS);
    }
    json_array_foreach(enabled, i, value) read_enabled(value, before);
}
