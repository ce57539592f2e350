#include "wsman/system_defense.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/answer.h"
#include "wsman/system_defense_internal.h"

const char *sd_owner_name(enum sd_owner owner)
{
    static const char *const names[SD_OWNERS] = {
        [SD_CONSOLE] = "a console",         [SD_DEFAULT] = "the default",
        [SD_AGENT] = "agent presence",      [SD_ENVIRONMENT] = "environment detection",
        [SD_HEURISTICS] = "worm detection",
    };

    return names[owner];
}

static struct sd_seq *of(struct seq *seq)
{
    return (struct sd_seq *)seq;
}

/* --- what a device holds --- */

void sd_state_clear(struct sd_state *state)
{
    free(state->policies);
    free(state->filters);
    memset(state, 0, sizeof(*state));
}

void sd_state_copy(struct sd_state *to, const struct sd_state *from)
{
    sd_state_clear(to);
    *to = *from;
    to->policies = xreallocarray(NULL, from->policy_count + 1, sizeof(*to->policies));
    to->filters = xreallocarray(NULL, from->filter_count + 1, sizeof(*to->filters));
    if (from->policy_count > 0)
        memcpy(to->policies, from->policies, from->policy_count * sizeof(*to->policies));
    if (from->filter_count > 0)
        memcpy(to->filters, from->filters, from->filter_count * sizeof(*to->filters));
}

const struct sd_policy *sd_state_policy(const struct sd_state *state, const char *id)
{
    for (size_t i = 0; i < state->policy_count; i++)
        if (strcmp(state->policies[i].id, id) == 0)
            return &state->policies[i];
    return NULL;
}

const struct sd_filter *sd_state_filter(const struct sd_state *state, uint32_t handle)
{
    for (size_t i = 0; i < state->filter_count; i++)
        if (state->filters[i].handle == handle)
            return &state->filters[i];
    return NULL;
}

static struct sd_enabled *find_enabled(struct sd_state *state, enum sd_owner owner, unsigned port)
{
    for (size_t i = 0; i < state->enabled_count; i++)
        if (state->enabled[i].owner == owner && state->enabled[i].port == port)
            return &state->enabled[i];
    return NULL;
}

const struct sd_enabled *sd_state_enabled(const struct sd_state *state, enum sd_owner owner, unsigned port)
{
    return find_enabled((struct sd_state *)state, owner, port);
}

const struct sd_enabled *sd_state_active(const struct sd_state *state, unsigned port)
{
    for (size_t i = 0; i < state->enabled_count; i++)
        if (state->enabled[i].port == port && state->enabled[i].active)
            return &state->enabled[i];
    return NULL;
}

/* --- changes --- */

static const struct {
    const char *text, *step;
} verbs[] = {
    [SD_CREATE_FILTER] = {"create filter", "create filter"},
    [SD_CREATE_POLICY] = {"create policy", "create policy"},
    [SD_SET_TIMEOUT] = {"set the time-out of policy", "set time-out"},
    [SD_ENABLE] = {"enable policy", "enable policy"},
    [SD_DISABLE] = {"disable policy", "disable policy"},
    [SD_DELETE_POLICY] = {"delete policy", "delete policy"},
    [SD_DELETE_FILTER] = {"delete filter", "delete filter"},
    [SD_UPDATE_STATISTICS] = {"update statistics of policy", "update statistics"},
};

static const char *change_name(const struct sd_change *change, const struct sd_state *state)
{
    const struct sd_policy *policy;
    const struct sd_filter *filter;

    switch (change->verb) {
    case SD_CREATE_FILTER:
        return change->filter.name;
    case SD_CREATE_POLICY:
        return change->policy.name;
    case SD_DELETE_FILTER:
        filter = sd_state_filter(state, change->filter.handle);
        return filter ? filter->name : "?";
    default:
        policy = sd_state_policy(state, change->policy.id);
        return policy ? policy->name : "?";
    }
}

void sd_change_text(const struct sd_change *change, const struct sd_state *state, struct buf *out)
{
    const char *name = change_name(change, state);

    buf_printf(out, "%s ", verbs[change->verb].text);
    text_printable(out, name, strlen(name));
    if (change->verb == SD_ENABLE || change->verb == SD_DISABLE)
        buf_printf(out, " on port %u%s%s", change->port, change->owner == SD_CONSOLE ? "" : " for ",
                   change->owner == SD_CONSOLE ? "" : sd_owner_name(change->owner));
    if (change->verb == SD_SET_TIMEOUT)
        buf_printf(out, " to %u minutes", change->minutes);
}

/* The highest precedence wins; the default only where nothing else is enabled. */
static void settle_port(struct sd_state *state, unsigned port)
{
    struct sd_enabled *best = NULL;
    uint32_t highest = 0;

    for (size_t i = 0; i < state->enabled_count; i++) {
        struct sd_enabled *e = &state->enabled[i];
        const struct sd_policy *policy = sd_state_policy(state, e->policy);
        bool better = !best || best->owner == SD_DEFAULT || (policy && policy->precedence > highest);

        if (e->port != port)
            continue;
        e->active = false;
        if (!e->enabled || !policy || !better || (best && e->owner == SD_DEFAULT))
            continue;
        best = e;
        highest = policy->precedence;
    }
    if (best)
        best->active = true;
}

static void apply_enable(struct sd_state *state, const struct sd_change *change)
{
    struct sd_enabled *e = find_enabled(state, change->owner, change->port);

    if (!e && state->enabled_count == SD_ENABLED_MAX)
        return;
    if (!e)
        e = &state->enabled[state->enabled_count++];
    memset(e, 0, sizeof(*e));
    e->owner = change->owner;
    e->port = change->port;
    e->enabled = true;
    memcpy(e->policy, change->policy.id, sizeof(e->policy));
    settle_port(state, change->port);
}

static void apply_disable(struct sd_state *state, const struct sd_change *change)
{
    for (size_t i = state->enabled_count; i-- > 0;) {
        struct sd_enabled *e = &state->enabled[i];

        if (e->owner != change->owner || (e->port != change->port && change->owner != SD_ENVIRONMENT))
            continue;
        memmove(e, e + 1, (state->enabled_count - i - 1) * sizeof(*e));
        state->enabled_count--;
    }
    for (size_t i = 0; i < state->port_count; i++)
        settle_port(state, state->ports[i].number);
}

static void apply_delete_policy(struct sd_state *state, const char *id)
{
    for (size_t i = 0; i < state->policy_count; i++) {
        if (strcmp(state->policies[i].id, id) != 0)
            continue;
        memmove(&state->policies[i], &state->policies[i + 1],
                (state->policy_count - i - 1) * sizeof(*state->policies));
        state->policy_count--;
        return;
    }
}

static void apply_delete_filter(struct sd_state *state, uint32_t handle)
{
    for (size_t i = 0; i < state->filter_count; i++) {
        if (state->filters[i].handle != handle)
            continue;
        memmove(&state->filters[i], &state->filters[i + 1],
                (state->filter_count - i - 1) * sizeof(*state->filters));
        state->filter_count--;
        return;
    }
}

static void apply_create(struct sd_state *state, const struct sd_change *change, uint32_t handle,
                         const char *id)
{
    if (change->verb == SD_CREATE_FILTER) {
        state->filters = xreallocarray(state->filters, state->filter_count + 1, sizeof(*state->filters));
        state->filters[state->filter_count] = change->filter;
        state->filters[state->filter_count++].handle = handle;
    } else {
        struct sd_policy *policy;

        state->policies = xreallocarray(state->policies, state->policy_count + 1, sizeof(*state->policies));
        policy = &state->policies[state->policy_count++];
        *policy = change->policy;
        memset(policy->id, 0, sizeof(policy->id));
        memcpy(policy->id, id, strlen(id) < SD_ID_MAX ? strlen(id) : SD_ID_MAX - 1);
    }
}

void sd_state_apply(struct sd_state *state, const struct sd_change *change, uint32_t handle, const char *id)
{
    switch (change->verb) {
    case SD_CREATE_FILTER:
    case SD_CREATE_POLICY:
        apply_create(state, change, handle, id);
        break;
    case SD_ENABLE:
        apply_enable(state, change);
        break;
    case SD_DISABLE:
        apply_disable(state, change);
        break;
    case SD_DELETE_POLICY:
        apply_delete_policy(state, change->policy.id);
        break;
    case SD_DELETE_FILTER:
        apply_delete_filter(state, change->filter.handle);
        break;
    case SD_SET_TIMEOUT:
    case SD_UPDATE_STATISTICS:
        break;
    }
}

/* --- the sequence: reading --- */

enum {
    STEP_LIMITS,
    STEP_PORTS,
    STEP_PORT_LIMITS,
    STEP_ADDRESSES,
    STEP_POLICIES,
    STEP_ETHERNET_FILTERS,
    STEP_IP_FILTERS,
    STEP_CONSOLE,
    STEP_DEFAULT,
    STEP_AGENT,
    STEP_ENVIRONMENT,
    STEP_HEURISTICS,
    STEP_DECIDE,
    STEP_CHANGE,
    STEP_COUNTS,
};

/* What does not change while we look is read once. */
static struct wsman_request *ask_once(struct seq *seq, const char *class_name)
{
    return of(seq)->reads == 0 ? wsman_request_new(WSMAN_ENUMERATE, class_name, NULL) : NULL;
}

static struct wsman_request *ask_limits(struct seq *seq, struct err *err)
{
    (void)err;
    return ask_once(seq, "AMT_GeneralSystemDefenseCapabilities");
}

static int hear_limits(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)err;
    if (call)
        sd_read_limits(&of(seq)->state, call);
    return SEQ_NEXT;
}

static struct wsman_request *ask_ports(struct seq *seq, struct err *err)
{
    (void)err;
    return ask_once(seq, "CIM_EthernetPort");
}

static int hear_ports(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)err;
    sd_read_ports(&of(seq)->state, call);
    return SEQ_NEXT;
}

static struct wsman_request *ask_port_limits(struct seq *seq, struct err *err)
{
    (void)err;
    return ask_once(seq, "AMT_NetworkPortSystemDefenseCapabilities");
}

static int hear_port_limits(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)err;
    if (call)
        sd_read_port_limits(&of(seq)->state, call);
    return SEQ_NEXT;
}

static struct wsman_request *ask_addresses(struct seq *seq, struct err *err)
{
    (void)err;
    return ask_once(seq, "AMT_EthernetPortSettings");
}

static int hear_addresses(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)err;
    if (call)
        sd_read_addresses(&of(seq)->state, call);
    return SEQ_NEXT;
}

static struct wsman_request *ask_policies(struct seq *seq, struct err *err)
{
    struct sd_state *state = &of(seq)->state;

    (void)err;
    of(seq)->reads++;
    state->policy_count = state->filter_count = state->enabled_count = 0;
    return wsman_request_new(WSMAN_ENUMERATE, "AMT_SystemDefensePolicy", NULL);
}

static int hear_policies(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)err;
    of(seq)->state.absent = call == NULL;
    if (!call)
        return STEP_DECIDE;
    sd_read_policies(&of(seq)->state, call);
    return SEQ_NEXT;
}

static struct wsman_request *ask_ethernet(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, "AMT_Hdr8021Filter", NULL);
}

static int hear_ethernet(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)err;
    if (call)
        sd_read_filters(&of(seq)->state, call, SD_ETHERNET);
    return SEQ_NEXT;
}

static struct wsman_request *ask_ip(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, "AMT_IPHeadersFilter", NULL);
}

static int hear_ip(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)err;
    if (call)
        sd_read_filters(&of(seq)->state, call, SD_IP);
    return SEQ_NEXT;
}

/* One step for each owner; their classes come in the order of the steps. A device may fault where there is no
 * instance: read as none. (chapter 1.6) */
static enum sd_owner owner_at(const struct seq *seq)
{
    return (enum sd_owner)(seq->at - STEP_CONSOLE);
}

static struct wsman_request *ask_enabled(struct seq *seq, struct err *err)
{
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, sd_owner_class(owner_at(seq)), NULL);
}

static int hear_enabled(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)err;
    if (call)
        sd_read_enabled(&of(seq)->state, call, owner_at(seq));
    return SEQ_NEXT;
}

/* --- the sequence: deciding and changing --- */

static struct wsman_request *ask_decide(struct seq *seq, struct err *err)
{
    struct sd_seq *ss = of(seq);
    int where;

    sd_seq_no_changes(ss);
    where = ss->decide(ss, err);
    if (where == SEQ_FAIL)
        return NULL;
    if (where == SD_HOLD)
        seq_hold(seq);
    if (where == SD_HOLD)
        seq_go(seq, STEP_DECIDE);
    else if (where == SD_READ)
        seq_go(seq, STEP_LIMITS);
    else if (where == SD_READ_COUNTS)
        seq_go(seq, STEP_COUNTS);
    else if (where == SD_CARRY_OUT)
        seq_go(seq, STEP_CHANGE);
    else
        seq_go(seq, SEQ_DONE);
    return NULL;
}

static int hear_nothing(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)seq;
    (void)call;
    (void)err;
    return SEQ_NEXT;
}

static struct wsman_request *ask_change(struct seq *seq, struct err *err)
{
    struct sd_seq *ss = of(seq);

    (void)err;
    if (ss->at == ss->count) {
        seq_go(seq, STEP_DECIDE);
        return NULL;
    }
    ss->changed = ss->changed || ss->changes[ss->at].verb != SD_UPDATE_STATISTICS;
    seq->note = verbs[ss->changes[ss->at].verb].step;
    return sd_write_change(&ss->changes[ss->at]);
}

/* The answer is lost, or the device was too busy to say: it may have been done. */
static bool is_uncertain(const struct err *err)
{
    return err->cause == CAUSE_DROPPED || err->cause == CAUSE_TIMEOUT || err->cause == CAUSE_UNREACHABLE ||
           err->cause == CAUSE_REFUSED || err->cause == CAUSE_BAD_ANSWER || err->cause == CAUSE_TOO_LARGE;
}

static int change_failed(struct sd_seq *ss, const struct err *err)
{
    const struct sd_change *change = &ss->changes[ss->at];
    bool uncertain = is_uncertain(err);

    if (change->optional && !uncertain) {
        ss->passed_over = true;
        ss->at++;
        return STEP_CHANGE;
    }
    ss->failure = *err;
    ss->uncertain = uncertain;
    return STEP_LIMITS;
}

/* 0, or -1: the device answered, and its answer is a refusal. */
static int check_method(const struct wsman_call *call, struct err *err)
{
    const struct wsman_request *rq = wsman_call_request(call);

    if (wsman_request_verb(rq) != WSMAN_INVOKE)
        return 0;
    return wsman_return_value_to_err(wsman_request_class(rq), wsman_request_method(rq),
                                     wsman_call_return_value(call), err);
}

static int hear_change(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct sd_seq *ss = of(seq);
    const struct sd_change *change = &ss->changes[ss->at];
    bool creates = change->verb == SD_CREATE_FILTER || change->verb == SD_CREATE_POLICY;
    const char *id = NULL;
    uint64_t handle = 0;

    if (!call || check_method(call, err) != 0)
        return change_failed(ss, err);
    if (creates)
        id = sd_read_created(wsman_call_obj(call, 0));
    if (creates && (!id || (change->verb == SD_CREATE_FILTER && !text_u64(id, 1, UINT32_MAX, &handle)))) {
        ss->at = ss->count; /* some firmware does not name what it made: look */
        return STEP_LIMITS;
    }
    sd_state_apply(&ss->state, change, (uint32_t)handle, id);
    ss->at++;
    return STEP_CHANGE;
}

static struct wsman_request *ask_counts(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, "AMT_ActiveFilterStatistics", NULL);
}

static int hear_counts(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)err;
    if (call)
        sd_read_counts(of(seq), call);
    return STEP_DECIDE;
}

static const struct seq_step sd_steps[] = {
    [STEP_LIMITS] = {"read limits", SEQ_READ | SEQ_ABSENT_OK, ask_limits, hear_limits},
    [STEP_PORTS] = {"read ports", SEQ_READ, ask_ports, hear_ports},
    [STEP_PORT_LIMITS] = {"read limits of ports", SEQ_READ | SEQ_ABSENT_OK, ask_port_limits,
                          hear_port_limits},
    [STEP_ADDRESSES] = {"read addresses", SEQ_READ | SEQ_ABSENT_OK, ask_addresses, hear_addresses},
    [STEP_POLICIES] = {"read policies", SEQ_READ | SEQ_ABSENT_OK, ask_policies, hear_policies},
    [STEP_ETHERNET_FILTERS] = {"read Ethernet filters", SEQ_READ | SEQ_ABSENT_OK, ask_ethernet,
                               hear_ethernet},
    [STEP_IP_FILTERS] = {"read IP filters", SEQ_READ | SEQ_ABSENT_OK, ask_ip, hear_ip},
    [STEP_CONSOLE] = {"read enabled policies", SEQ_READ | SEQ_ABSENT_OK, ask_enabled, hear_enabled},
    [STEP_DEFAULT] = {"read default policies", SEQ_READ | SEQ_ABSENT_OK, ask_enabled, hear_enabled},
    [STEP_AGENT] = {"read agent presence policies", SEQ_READ | SEQ_ABSENT_OK, ask_enabled, hear_enabled},
    [STEP_ENVIRONMENT] = {"read environment policies", SEQ_READ | SEQ_ABSENT_OK, ask_enabled, hear_enabled},
    [STEP_HEURISTICS] = {"read worm detection policies", SEQ_READ | SEQ_ABSENT_OK, ask_enabled, hear_enabled},
    [STEP_DECIDE] = {"decide", SEQ_READ, ask_decide, hear_nothing},
    [STEP_CHANGE] = {"change", SEQ_CHANGE | SEQ_FAILURE_OK, ask_change, hear_change},
    [STEP_COUNTS] = {"read statistics", SEQ_READ | SEQ_ABSENT_OK, ask_counts, hear_counts},
};

void sd_seq_init(struct sd_seq *ss, int (*decide)(struct sd_seq *ss, struct err *err))
{
    memset(ss, 0, sizeof(*ss));
    seq_init(&ss->seq, SEQ_TABLE(sd_steps));
    ss->decide = decide;
}

void sd_seq_clear(struct sd_seq *ss)
{
    sd_state_clear(&ss->state);
    free(ss->changes);
    free(ss->counts);
    ss->changes = NULL;
    ss->counts = NULL;
    ss->count = ss->at = ss->count_count = 0;
}

struct sd_change *sd_seq_change(struct sd_seq *ss, enum sd_verb verb)
{
    struct sd_change *change;

    ss->changes = xreallocarray(ss->changes, ss->count + 1, sizeof(*ss->changes));
    change = &ss->changes[ss->count++];
    memset(change, 0, sizeof(*change));
    change->verb = verb;
    return change;
}

void sd_seq_no_changes(struct sd_seq *ss)
{
    ss->count = ss->at = 0;
}
