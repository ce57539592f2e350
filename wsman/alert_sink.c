#include "wsman/alert_sink.h"

#include <stdio.h>
#include <string.h>

#include "wsman/answer.h"

#define LISTENER     "CIM_ListenerDestinationWSManagement"
#define SUBSCRIPTION "CIM_FilterCollectionSubscription"
#define COLLECTION   "CIM_FilterCollection"
#define TRAP_SINK    "AMT_SNMPEventSubscriber"
#define TRAP_URL     "snmp://"
#define TRAP_PORT    162
#define TRAP_TO_IPV4 3 /* InfoFormat */

enum step {
    READ_LISTENERS,
    READ_SUBSCRIPTIONS,
    TAKE_BACK,
    READ_COLLECTIONS,
    SUBSCRIBE,
    /* firmware without WS-Eventing */
    READ_TRAP_SINKS,
    TAKE_BACK_TRAPS,
    READ_POLICIES,
    SUBSCRIBE_TRAPS,
};

static struct alert_sink_seq *of(struct seq *seq)
{
    return (struct alert_sink_seq *)seq;
}

static void copy(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text ? text : "");
}

/* --- who is there --- */

static struct wsman_request *ask_listeners(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, "CIM_ListenerDestination", NULL);
}

static bool begins(const char *text, const char *with)
{
    return with && strncmp(text, with, strlen(with)) == 0;
}

static int hear_listeners(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct alert_sink_seq *as = of(seq);

    if (!call)
        return READ_TRAP_SINKS;
    if (as->action == ALERT_SINK_SUBSCRIBE && !as->url) {
        err_set(
            err, CAUSE_INVALID_ARGUMENT,
            "this device tells its alerts over HTTP, and this amtd listens for traps only: give 'alerts' in "
            "amtd.yaml a 'listen'");
        return SEQ_FAIL;
    }
    for (size_t i = 0; i < wsman_call_count(call) && as->count < ALERT_SINKS_MAX; i++) {
        struct wsman_obj obj = wsman_call_obj(call, i);
        struct alert_sink *sink = &as->sinks[as->count++];

        copy(sink->url, sizeof(sink->url), wsman_str(obj, "Destination"));
        copy(sink->name, sizeof(sink->name), wsman_str(obj, "Name"));
        copy(sink->system, sizeof(sink->system), wsman_str(obj, "SystemName"));
        sink->ours = begins(sink->url, as->base);
        sink->exact = as->url && strcmp(sink->url, as->url) == 0;
    }
    return SEQ_NEXT;
}

static struct wsman_request *ask_subscriptions(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, SUBSCRIPTION, NULL);
}

/* By the name of the listener that a subscription refers to. */
static int hear_subscriptions(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct alert_sink_seq *as = of(seq);

    (void)err;
    for (size_t i = 0; call && i < wsman_call_count(call); i++) {
        struct wsman_obj obj = wsman_call_obj(call, i);
        const char *name = wsman_epr_selector(obj, "Handler", "Name");

        for (size_t k = 0; name && k < as->count; k++)
            if (strcmp(as->sinks[k].name, name) == 0)
                copy(as->sinks[k].filter, sizeof(as->sinks[k].filter),
                     wsman_epr_selector(obj, "Filter", "InstanceID"));
    }
    return as->action == ALERT_SINK_READ ? SEQ_DONE : SEQ_NEXT;
}

/* --- taking back --- */

/* What is ours and not wanted; when subscribing, the one that is right stays. NULL: there is no more. */
static struct alert_sink *next_unwanted(struct alert_sink_seq *as)
{
    for (; as->at < as->count; as->at++) {
        struct alert_sink *sink = &as->sinks[as->at];

        if (sink->ours && sink->filter[0] && !(as->action == ALERT_SINK_SUBSCRIBE && sink->exact))
            return sink;
    }
    return NULL;
}

static bool is_there(const struct alert_sink_seq *as)
{
    for (size_t i = 0; i < as->count; i++)
        if (as->sinks[i].exact && as->sinks[i].filter[0])
            return true;
    return false;
}

/* Nothing is left to be taken back. */
static struct wsman_request *none_unwanted(struct seq *seq, enum step subscribe)
{
    struct alert_sink_seq *as = of(seq);

    if (as->action == ALERT_SINK_SUBSCRIBE)
        as->was_there = is_there(as);
    seq_go(seq, as->action == ALERT_SINK_UNSUBSCRIBE || as->was_there ? (int)SEQ_DONE : (int)subscribe);
    return NULL;
}

static struct wsman_request *ask_take_back(struct seq *seq, struct err *err)
{
    const struct alert_sink *sink = next_unwanted(of(seq));
    struct wsman_request *rq;

    (void)err;
    if (!sink)
        return none_unwanted(seq, READ_COLLECTIONS);
    const struct wsman_selector filter[] = {{"InstanceID", sink->filter}, {NULL, NULL}};
    const struct wsman_selector handler[] = {{"CreationClassName", LISTENER},
                                             {"Name", sink->name},
                                             {"SystemCreationClassName", "CIM_ComputerSystem"},
                                             {"SystemName", sink->system},
                                             {NULL, NULL}};

    rq = wsman_request_new(WSMAN_UNSUBSCRIBE, SUBSCRIPTION, NULL);
    wsman_select_epr(rq, "Filter", COLLECTION, filter);
    wsman_select_epr(rq, "Handler", LISTENER, handler);
    return rq;
}

static int hear_take_back(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct alert_sink_seq *as = of(seq);

    (void)call;
    (void)err;
    as->was_there = true;
    as->sinks[as->at++].filter[0] = '\0';
    return seq->at; /* the next one */
}

/* --- subscribing --- */

static struct wsman_request *ask_collections(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, COLLECTION, NULL);
}

/* "Intel(r) AMT:All", which some firmware calls AllEvents. */
static bool is_all(const char *name)
{
    const char *last = name ? strrchr(name, ':') : NULL;

    return last && strncmp(last + 1, "All", 3) == 0;
}

static int hear_collections(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct alert_sink_seq *as = of(seq);

    for (size_t i = 0; i < wsman_call_count(call); i++) {
        const char *name = wsman_str(wsman_call_obj(call, i), "InstanceID");

        if (is_all(name) && !as->collection[0])
            copy(as->collection, sizeof(as->collection), name);
    }
    if (as->collection[0])
        return SEQ_NEXT;
    err_set(err, CAUSE_UNSUPPORTED, "this firmware has no collection of all alerts");
    return SEQ_FAIL;
}

static struct wsman_request *ask_subscribe(struct seq *seq, struct err *err)
{
    const struct alert_sink_seq *as = of(seq);
    const struct wsman_delivery delivery = {.ack = true, .url = as->url};
    struct wsman_request *rq = wsman_request_new(WSMAN_SUBSCRIBE, COLLECTION, NULL);

    (void)err;
    wsman_select(rq, "InstanceID", as->collection);
    wsman_set_delivery(rq, &delivery);
    return rq;
}

/* Firmware has room for a few, and says of a full table no more than that it cannot. */
static int hear_subscribed(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    const struct alert_sink_seq *as = of(seq);
    size_t others = 0;

    if (call)
        return SEQ_DONE;
    for (size_t i = 0; i < as->count; i++)
        others += !as->sinks[i].ours && as->sinks[i].filter[0];
    if (others > 0 && strcmp(err->code, "f:EventSourceUnableToProcess") == 0) {
        err_set(err, CAUSE_LIMIT_EXCEEDED,
                "the device takes no more subscribers of its alerts: %zu others have all places", others);
        err_code(err, "f:EventSourceUnableToProcess");
    }
    return SEQ_FAIL;
}

/* --- traps, of firmware that has nothing else --- */

static struct wsman_request *ask_trap_sinks(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, TRAP_SINK, NULL);
}

static int hear_trap_sinks(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct alert_sink_seq *as = of(seq);

    if (!call) {
        err_set(err, CAUSE_UNSUPPORTED, "this firmware sends no alerts");
        return SEQ_FAIL;
    }
    for (size_t i = 0; i < wsman_call_count(call) && as->count < ALERT_SINKS_MAX; i++) {
        struct wsman_obj obj = wsman_call_obj(call, i);
        struct alert_sink *sink = &as->sinks[as->count++];
        const char *address = wsman_str(obj, "AccessInfo");
        uint32_t policy = 0;

        wsman_u32(obj, "PolicyID", &policy);
        sink->trap = true;
        snprintf(sink->url, sizeof(sink->url), TRAP_URL "%s", address ? address : "");
        snprintf(sink->filter, sizeof(sink->filter), "policy %u", policy);
        copy(sink->name, sizeof(sink->name), wsman_str(obj, "Name"));
        copy(sink->system, sizeof(sink->system), wsman_str(obj, "SystemName"));
        sink->ours = sink->exact = as->traps && address && strcmp(address, as->traps) == 0;
    }
    if (as->action == ALERT_SINK_READ)
        return SEQ_DONE;
    if (as->action == ALERT_SINK_UNSUBSCRIBE || as->traps)
        return SEQ_NEXT;
    err_set(err, CAUSE_INVALID_ARGUMENT,
            "this device tells its alerts by SNMP traps, and this amtd listens for none: give 'alerts' in "
            "amtd.yaml "
            "a 'traps'");
    return SEQ_FAIL;
}

static struct wsman_request *ask_take_back_traps(struct seq *seq, struct err *err)
{
    const struct alert_sink *sink = next_unwanted(of(seq));
    struct wsman_request *rq;

    (void)err;
    if (!sink)
        return none_unwanted(seq, READ_POLICIES);
    rq = wsman_request_new(WSMAN_DELETE, TRAP_SINK, NULL);
    wsman_select(rq, "CreationClassName", TRAP_SINK);
    wsman_select(rq, "Name", sink->name);
    wsman_select(rq, "SystemCreationClassName", "CIM_ComputerSystem");
    wsman_select(rq, "SystemName", sink->system);
    return rq;
}

static struct wsman_request *ask_policies(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, "AMT_PETFilterSetting", NULL);
}

/* The first that sends what it matches; what a device does not tell is taken for a yes. */
static int hear_policies(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    for (size_t i = 0; i < wsman_call_count(call); i++) {
        struct wsman_obj obj = wsman_call_obj(call, i);

        bool enabled = true, sends = true;

        wsman_bool(obj, "EnableFilter", &enabled);
        wsman_bool(obj, "SendAlert", &sends);
        if (enabled && sends && wsman_u32(obj, "PolicyID", &of(seq)->policy))
            return SEQ_NEXT;
    }
    err_set(err, CAUSE_UNSUPPORTED, "this firmware sends no events as traps");
    return SEQ_FAIL;
}

static struct wsman_request *ask_subscribe_traps(struct seq *seq, struct err *err)
{
    const struct alert_sink_seq *as = of(seq);
    struct wsman_request *rq = wsman_request_new(WSMAN_CREATE, TRAP_SINK, NULL);

    (void)err;
    wsman_add_str(rq, "AccessInfo", as->traps);
    wsman_add_u32(rq, "InfoFormat", TRAP_TO_IPV4);
    wsman_add_u32(rq, "PolicyID", as->policy);
    wsman_add_u32(rq, "Port", TRAP_PORT);
    return rq;
}

static const struct seq_step steps[] = {
    [READ_LISTENERS] = {"read listeners", SEQ_READ | SEQ_ABSENT_OK, ask_listeners, hear_listeners},
    [READ_SUBSCRIPTIONS] = {"read subscriptions", SEQ_READ | SEQ_ABSENT_OK, ask_subscriptions,
                            hear_subscriptions},
    [TAKE_BACK] = {"unsubscribe", SEQ_CHANGE, ask_take_back, hear_take_back},
    [READ_COLLECTIONS] = {"read collections of alerts", SEQ_READ, ask_collections, hear_collections},
    [SUBSCRIBE] = {"subscribe", SEQ_CHANGE | SEQ_FAILURE_OK, ask_subscribe, hear_subscribed},
    [READ_TRAP_SINKS] = {"read receivers of traps", SEQ_READ | SEQ_ABSENT_OK, ask_trap_sinks,
                         hear_trap_sinks},
    [TAKE_BACK_TRAPS] = {"unsubscribe", SEQ_CHANGE, ask_take_back_traps, hear_take_back},
    [READ_POLICIES] = {"read policies of traps", SEQ_READ, ask_policies, hear_policies},
    [SUBSCRIBE_TRAPS] = {"subscribe", SEQ_CHANGE, ask_subscribe_traps, hear_subscribed},
};

void alert_sink_seq_init(struct alert_sink_seq *as, enum alert_sink_action action, const char *url,
                         const char *base, const char *traps)
{
    memset(as, 0, sizeof(*as));
    seq_init(&as->seq, SEQ_TABLE(steps));
    as->action = action;
    as->url = url;
    as->base = base;
    as->traps = traps;
}
