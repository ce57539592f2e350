#include "wsman/agent_presence.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/answer.h"
#include "wsman/identity.h"

#define WATCHDOG   "AMT_AgentPresenceWatchdog"
#define CONDITION  "AMT_StateTransitionCondition"
#define ACTION     "AMT_AgentPresenceWatchdogAction"
#define GUID_BYTES 16
#define GUID_TEXT  36
#define KEY_MAX    64
#define LINKS_MAX  256

/* A condition: whose it is, and under which name it leads to which action. */
struct agent_link {
    char condition[KEY_MAX], action[KEY_MAX];
    char guid[AGENT_GUID_TEXT]; /* "": nobody's */
    struct agent_rule rule;
};

enum {
    STEP_LIMITS,
    STEP_DOGS,
    STEP_LINKS,
    STEP_CONDITIONS,
    STEP_ACTIONS,
    STEP_DECIDE,
    STEP_REMOVE,
    STEP_CREATE,
    STEP_RULE,
    STEP_UNDO,
};

static struct agent_seq *of(struct seq *seq)
{
    return (struct agent_seq *)seq;
}

const char *agent_state_name(uint32_t state)
{
    static const struct {
        uint32_t state;
        const char *name;
    } names[] = {{AGENT_NOT_STARTED, "not-started"},
                 {AGENT_STOPPED, "stopped"},
                 {AGENT_RUNNING, "running"},
                 {AGENT_EXPIRED, "expired"},
                 {AGENT_SUSPENDED, "suspended"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].state == state)
            return names[i].name;
    return "unknown";
}

/* --- GUIDs: the wire has the first three groups in little-endian order --- */

static void swap_groups(uint8_t guid[GUID_BYTES])
{
    static const uint8_t order[GUID_BYTES] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    uint8_t copy[GUID_BYTES];

    memcpy(copy, guid, GUID_BYTES);
    for (size_t i = 0; i < GUID_BYTES; i++)
        guid[i] = copy[order[i]];
}

bool agent_guid_read(const char *text, char out[AGENT_GUID_TEXT])
{
    size_t n = strlen(text);

    if (n != GUID_TEXT)
        return false;
    for (size_t i = 0; i <= n; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

        if (i < n && (hyphen ? text[i] != '-' : !isxdigit((unsigned char)text[i])))
            return false;
        out[i] = (char)tolower((unsigned char)text[i]);
    }
    return true;
}

/* The selector of a watchdog. */
static char *wire_of(const char *guid)
{
    uint8_t bytes[GUID_BYTES] = {0};
    struct buf wire = buf_init(KEY_MAX);
    size_t n = 0;

    for (const char *p = guid; *p && n < GUID_BYTES; p += *p == '-' ? 1 : 2) {
        unsigned value;

        if (*p != '-' && sscanf(p, "%2x", &value) == 1)
            bytes[n++] = (uint8_t)value;
    }
    swap_groups(bytes);
    text_base64(&wire, bytes, GUID_BYTES);
    return buf_take(&wire);
}

static bool guid_of_wire(const char *wire, char out[AGENT_GUID_TEXT])
{
    struct buf bytes = buf_init(KEY_MAX);
    bool good = wire && text_base64_decode(&bytes, wire, strlen(wire)) && bytes.len == GUID_BYTES;

    if (good)
        identity_uuid_text(bytes.p, out);
    buf_free(&bytes);
    return good;
}

/* --- reading --- */

static struct wsman_request *ask_limits(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, "AMT_AgentPresenceCapabilities", NULL);
}

static int hear_limits(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)err;
    if (call && wsman_call_count(call) > 0) {
        wsman_u32(wsman_call_obj(call, 0), "MaxTotalAgents", &of(seq)->most);
        wsman_u32(wsman_call_obj(call, 0), "MaxTotalActions", &of(seq)->most_actions);
    }
    return SEQ_NEXT;
}

static struct wsman_request *ask_dogs(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, WATCHDOG, NULL);
}

static void read_dog(struct agent_seq *as, struct wsman_obj obj)
{
    struct agent_watchdog *dog = &as->dogs[as->count];
    const char *name = wsman_str(obj, "MonitoredEntityDescription");

    memset(dog, 0, sizeof(*dog));
    if (!guid_of_wire(wsman_str(obj, "DeviceID"), dog->guid))
        return;
    snprintf(dog->name, sizeof(dog->name), "%s", name ? name : "");
    wsman_u32(obj, "StartupInterval", &dog->startup_s);
    wsman_u32(obj, "TimeoutInterval", &dog->timeout_s);
    wsman_u32(obj, "CurrentState", &dog->state);
    as->count++;
}

static int hear_dogs(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct agent_seq *as = of(seq);

    as->count = as->link_count = 0;
    as->there = call != NULL;
    if (!call && as->request.action == AGENT_READ)
        return SEQ_DONE;
    if (!call) {
        err_set(err, CAUSE_UNSUPPORTED, "this firmware has no agent presence");
        return SEQ_FAIL;
    }
    for (size_t i = 0; i < wsman_call_count(call) && as->count < AGENTS_MAX; i++)
        read_dog(as, wsman_call_obj(call, i));
    return as->count > 0 ? SEQ_NEXT : STEP_DECIDE;
}

static struct wsman_request *ask_links(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, "CIM_ConcreteDependency", NULL);
}

/* The link of that condition, made when there is none; NULL: too many. */
static struct agent_link *link_of(struct agent_seq *as, const char *condition)
{
    struct agent_link *link;

    for (size_t i = 0; i < as->link_count; i++)
        if (strcmp(as->links[i].condition, condition) == 0)
            return &as->links[i];
    if (as->link_count == LINKS_MAX || strlen(condition) >= KEY_MAX)
        return NULL;
    if (!as->links)
        as->links = xcalloc(LINKS_MAX, sizeof(*as->links));
    link = &as->links[as->link_count++];
    *link = (struct agent_link){.rule.effect = AGENT_LEAVES};
    snprintf(link->condition, sizeof(link->condition), "%s", condition);
    return link;
}

/* Watchdog and condition, or condition and action: told apart by their keys. */
static void read_link(struct agent_seq *as, struct wsman_obj obj)
{
    const char *dog = wsman_epr_selector(obj, "Antecedent", "DeviceID");
    const char *when = wsman_epr_selector(obj, dog ? "Dependent" : "Antecedent", "PolicyConditionName");
    const char *then = wsman_epr_selector(obj, "Dependent", "PolicyActionName");
    struct agent_link *link = when ? link_of(as, when) : NULL;

    if (link && dog)
        guid_of_wire(dog, link->guid);
    else if (link && then && strlen(then) < KEY_MAX)
        snprintf(link->action, sizeof(link->action), "%s", then);
}

static int hear_links(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)err;
    for (size_t i = 0; call && i < wsman_call_count(call); i++)
        read_link(of(seq), wsman_call_obj(call, i));
    return SEQ_NEXT;
}

static struct wsman_request *ask_conditions(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, CONDITION, NULL);
}

static int hear_conditions(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct agent_seq *as = of(seq);

    (void)err;
    for (size_t i = 0; i < as->link_count && call; i++) {
        struct wsman_obj obj = wsman_call_find(call, "PolicyConditionName", as->links[i].condition);

        if (!obj.el.node)
            continue;
        wsman_u32(obj, "OldState", &as->links[i].rule.from);
        wsman_u32(obj, "NewState", &as->links[i].rule.to);
    }
    return SEQ_NEXT;
}

static struct wsman_request *ask_actions(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, ACTION, NULL);
}

static struct agent_watchdog *find_dog(struct agent_seq *as, const char *guid)
{
    for (size_t i = 0; i < as->count; i++)
        if (strcmp(as->dogs[i].guid, guid) == 0)
            return &as->dogs[i];
    return NULL;
}

static int hear_actions(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct agent_seq *as = of(seq);

    (void)err;
    for (size_t i = 0; i < as->link_count && call; i++) {
        struct agent_link *link = &as->links[i];
        struct wsman_obj obj = wsman_call_find(call, "PolicyActionName", link->action);
        struct agent_watchdog *dog = find_dog(as, link->guid);
        uint32_t effect = AGENT_LEAVES;

        if (!obj.el.node || !dog || dog->rule_count == AGENT_RULES_MAX)
            continue;
        wsman_bool(obj, "EventOnTransition", &link->rule.event);
        wsman_u32(obj, "ActionSd", &effect);
        link->rule.effect = effect < AGENT_LEAVES ? (enum agent_effect)effect : AGENT_LEAVES;
        dog->rules[dog->rule_count++] = link->rule;
    }
    return SEQ_NEXT;
}

/* --- deciding --- */

static bool same_rule(const struct agent_rule *a, const struct agent_rule *b)
{
    return a->from == b->from && a->to == b->to && a->event == b->event && a->effect == b->effect;
}

static bool same_dog(const struct agent_watchdog *a, const struct agent_watchdog *b)
{
    bool same = strcmp(a->name, b->name) == 0 && a->startup_s == b->startup_s &&
                a->timeout_s == b->timeout_s && a->rule_count == b->rule_count;

    for (size_t i = 0; same && i < a->rule_count; i++) {
        bool found = false;

        for (size_t k = 0; k < b->rule_count; k++)
            found = found || same_rule(&a->rules[i], &b->rules[k]);
        same = found;
    }
    return same;
}

static bool is_to_go(struct agent_seq *as, const struct agent_watchdog *dog)
{
    switch (as->request.action) {
    case AGENT_READ:
        return false;
    case AGENT_REMOVE_ALL:
        return true;
    case AGENT_REMOVE:
        return strcmp(dog->guid, as->request.watchdog.guid) == 0;
    case AGENT_ADD:
        return strcmp(dog->guid, as->request.watchdog.guid) == 0 && !same_dog(dog, &as->request.watchdog);
    }
    return false;
}

static int check_room(const struct agent_seq *as, struct err *err)
{
    size_t rules = as->request.watchdog.rule_count;

    if (as->most > 0 && as->count >= as->most)
        return err_set(err, CAUSE_LIMIT_EXCEEDED,
                       "the device watches over at most %u agents, and does over %zu", as->most, as->count);
    for (size_t i = 0; i < as->count; i++)
        rules += as->dogs[i].rule_count;
    if (as->most_actions > 0 && rules > as->most_actions)
        return err_set(err, CAUSE_LIMIT_EXCEEDED, "the device takes at most %u actions of all agents",
                       as->most_actions);
    return 0;
}

static struct wsman_request *ask_decide(struct seq *seq, struct err *err)
{
    struct agent_seq *as = of(seq);
    bool is_there = as->request.action == AGENT_ADD && find_dog(as, as->request.watchdog.guid);

    for (as->remove_at = 0; as->remove_at < as->count; as->remove_at++) {
        if (is_to_go(as, &as->dogs[as->remove_at])) {
            seq_go(seq, STEP_REMOVE);
            return NULL;
        }
    }
    if (as->request.action != AGENT_ADD || is_there) {
        seq_go(seq, SEQ_DONE);
        return NULL;
    }
    if (check_room(as, err) == 0)
        seq_go(seq, STEP_CREATE);
    return NULL;
}

static int hear_nothing(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)seq;
    (void)call;
    (void)err;
    return SEQ_NEXT;
}

/* --- changing --- */

static struct wsman_request *about(enum wsman_verb verb, const char *method, const char *guid)
{
    struct wsman_request *rq = wsman_request_new(verb, WATCHDOG, method);
    char *wire = wire_of(guid);

    wsman_select(rq, "DeviceID", wire);
    free(wire);
    return rq;
}

static struct wsman_request *ask_remove(struct seq *seq, struct err *err)
{
    (void)err;
    return about(WSMAN_DELETE, NULL, of(seq)->dogs[of(seq)->remove_at].guid);
}

static int hear_remove(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct agent_seq *as = of(seq);

    (void)call;
    (void)err;
    as->changed = true;
    memmove(&as->dogs[as->remove_at], &as->dogs[as->remove_at + 1],
            (as->count - as->remove_at - 1) * sizeof(as->dogs[0]));
    as->count--;
    return STEP_DECIDE;
}

static struct wsman_request *ask_create(struct seq *seq, struct err *err)
{
    const struct agent_watchdog *dog = &of(seq)->request.watchdog;
    struct wsman_request *rq = wsman_request_new(WSMAN_CREATE, WATCHDOG, NULL);
    char *wire = wire_of(dog->guid);

    (void)err;
    wsman_add_str(rq, "CreationClassName", "0"); /* the device fills in what it is */
    wsman_add_str(rq, "DeviceID", wire);
    wsman_add_str(rq, "MonitoredEntityDescription", dog->name);
    wsman_add_u32(rq, "StartupInterval", dog->startup_s);
    wsman_add_str(rq, "SystemCreationClassName", "0");
    wsman_add_str(rq, "SystemName", "0");
    wsman_add_u32(rq, "TimeoutInterval", dog->timeout_s);
    free(wire);
    return rq;
}

static int hear_create(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct agent_seq *as = of(seq);

    (void)call;
    (void)err;
    as->changed = as->created = true;
    as->rule_at = 0;
    as->dogs[as->count] = as->request.watchdog;
    as->dogs[as->count++].state = AGENT_NOT_STARTED;
    return SEQ_NEXT;
}

static struct wsman_request *ask_rule(struct seq *seq, struct err *err)
{
    const struct agent_seq *as = of(seq);
    const struct agent_rule *rule = &as->request.watchdog.rules[as->rule_at];
    struct wsman_request *rq;

    (void)err;
    if (as->rule_at == as->request.watchdog.rule_count) {
        seq_go(seq, SEQ_DONE);
        return NULL;
    }
    rq = about(WSMAN_INVOKE, "AddAction", as->request.watchdog.guid);
    wsman_add_u32(rq, "OldState", rule->from);
    wsman_add_u32(rq, "NewState", rule->to);
    wsman_add_bool(rq, "EventOnTransition", rule->event);
    if (rule->effect != AGENT_LEAVES)
        wsman_add_u32(rq, "ActionSd", (uint32_t)rule->effect);
    wsman_add_bool(rq, "ActionEac", false);
    return rq;
}

/* A watchdog without its actions would bark at nobody: it goes again. */
static int hear_rule(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct agent_seq *as = of(seq);

    if (call && wsman_return_value_to_err(WATCHDOG, "AddAction", wsman_call_return_value(call), err) == 0) {
        as->rule_at++;
        return STEP_RULE;
    }
    as->why = *err;
    return STEP_UNDO;
}

static struct wsman_request *ask_undo(struct seq *seq, struct err *err)
{
    (void)err;
    return about(WSMAN_DELETE, NULL, of(seq)->request.watchdog.guid);
}

static int hear_undo(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct agent_seq *as = of(seq);

    *err = as->why;
    if (!call)
        err_context(err, "the watchdog stays without its actions");
    else
        as->count--;
    return SEQ_FAIL;
}

static const struct seq_step agent_steps[] = {
    [STEP_LIMITS] = {"read limits", SEQ_READ | SEQ_ABSENT_OK, ask_limits, hear_limits},
    [STEP_DOGS] = {"read watchdogs", SEQ_READ | SEQ_ABSENT_OK, ask_dogs, hear_dogs},
    [STEP_LINKS] = {"read what belongs together", SEQ_READ | SEQ_ABSENT_OK, ask_links, hear_links},
    [STEP_CONDITIONS] = {"read conditions", SEQ_READ | SEQ_ABSENT_OK, ask_conditions, hear_conditions},
    [STEP_ACTIONS] = {"read actions", SEQ_READ | SEQ_ABSENT_OK, ask_actions, hear_actions},
    [STEP_DECIDE] = {"decide", SEQ_READ, ask_decide, hear_nothing},
    [STEP_REMOVE] = {"remove watchdog", SEQ_CHANGE, ask_remove, hear_remove},
    [STEP_CREATE] = {"create watchdog", SEQ_CHANGE, ask_create, hear_create},
    [STEP_RULE] = {"add action", SEQ_CHANGE | SEQ_FAILURE_OK, ask_rule, hear_rule},
    [STEP_UNDO] = {"remove watchdog again", SEQ_CHANGE | SEQ_FAILURE_OK, ask_undo, hear_undo},
};

void agent_seq_init(struct agent_seq *as, const struct agent_request *request)
{
    memset(as, 0, sizeof(*as));
    seq_init(&as->seq, SEQ_TABLE(agent_steps));
    as->request = *request;
}

void agent_seq_clear(struct agent_seq *as)
{
    free(as->links);
    as->links = NULL;
}
