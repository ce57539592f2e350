/* agent: watchdogs over programs on hosts, by agent presence. (wsman/agent_presence.h) */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "base/xalloc.h"
#include "wsman/agent_presence.h"

#define AGENT_BUDGET_MS 60000
#define STATES_TEXT     80

struct agent_args {
    int action; /* position in action_names */
    bool all, silent;
    char guid[AGENT_GUID_TEXT];
    char name[AGENT_NAME_MAX + 1];
    int64_t startup_ms, timeout_ms;
    char activate_on[STATES_TEXT], deactivate_on[STATES_TEXT];
    struct agent_request request;
};

enum { ACTION_LIST, ACTION_ADD, ACTION_REMOVE };
static const char *const action_names[] = {"list", "add", "remove", NULL};

static const struct task_arg args_table[] = {
    {"action", TASK_ARG_NAME, offsetof(struct agent_args, action), true, .names = action_names},
    {"guid", TASK_ARG_TEXT, offsetof(struct agent_args, guid), .size = AGENT_GUID_TEXT},
    {"name", TASK_ARG_TEXT, offsetof(struct agent_args, name), .size = AGENT_NAME_MAX + 1},
    {"startup_ms", TASK_ARG_MS, offsetof(struct agent_args, startup_ms), .min = 1000,
     .max = (int64_t)AGENT_SECONDS_MAX * 1000},
    {"timeout_ms", TASK_ARG_MS, offsetof(struct agent_args, timeout_ms), .min = 1000,
     .max = (int64_t)AGENT_SECONDS_MAX * 1000},
    {"activate_on", TASK_ARG_TEXT, offsetof(struct agent_args, activate_on), .size = STATES_TEXT},
    {"deactivate_on", TASK_ARG_TEXT, offsetof(struct agent_args, deactivate_on), .size = STATES_TEXT},
    {"silent", TASK_ARG_BOOL, offsetof(struct agent_args, silent)},
    {"all", TASK_ARG_BOOL, offsetof(struct agent_args, all)},
    {NULL},
};

/* --- arguments --- */

/* "expired,stopped" as bits; "none" none. */
static int read_states(const char *what, const char *text, uint32_t *bits, struct err *err)
{
    const char *p = text;

    *bits = 0;
    while (*p && strcmp(text, "none") != 0) {
        size_t n = strcspn(p, ",");
        uint32_t state = AGENT_NOT_STARTED;

        while (state < AGENT_ANY &&
               (strlen(agent_state_name(state)) != n || strncmp(agent_state_name(state), p, n) != 0))
            state <<= 1;
        if (state > AGENT_ANY)
            return err_set(err, CAUSE_INVALID_ARGUMENT,
                           "'%s': '%.*s': expected none, or some of not-started, stopped, running, expired, "
                           "suspended, parted by commas",
                           what, (int)n, p);
        *bits |= state;
        p += n + (p[n] == ',');
    }
    return 0;
}

static void add_rule(struct agent_watchdog *dog, uint32_t to, enum agent_effect effect, bool event)
{
    if (to != 0)
        dog->rules[dog->rule_count++] = (struct agent_rule){AGENT_ANY, to, event, effect};
}

static int read_watchdog(struct agent_args *aa, struct err *err)
{
    struct agent_watchdog *dog = &aa->request.watchdog;
    uint32_t activate, deactivate;

    if (!aa->guid[0] || !aa->name[0] || !aa->startup_ms || !aa->timeout_ms)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "adding wants 'guid', 'name', 'startup_ms' and 'timeout_ms'");
    if (read_states("activate_on", aa->activate_on[0] ? aa->activate_on : "expired,stopped", &activate,
                    err) != 0 ||
        read_states("deactivate_on", aa->deactivate_on[0] ? aa->deactivate_on : "running", &deactivate,
                    err) != 0)
        return -1;
    if (activate & deactivate)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "a state cannot both activate and deactivate the policy");
    memcpy(dog->name, aa->name, sizeof(dog->name));
    dog->startup_s = (uint32_t)(aa->startup_ms / 1000);
    dog->timeout_s = (uint32_t)(aa->timeout_ms / 1000);
    add_rule(dog, activate, AGENT_ACTIVATES, !aa->silent);
    add_rule(dog, deactivate, AGENT_DEACTIVATES, !aa->silent);
    return 0;
}

static int check_action(const struct agent_args *aa, struct err *err)
{
    if (aa->action == ACTION_LIST && (aa->guid[0] || aa->all))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "listing shows all watchdogs");
    if (aa->action == ACTION_REMOVE && aa->all == (aa->guid[0] != '\0'))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "removing wants 'guid' or 'all'");
    if (aa->action != ACTION_ADD && (aa->name[0] || aa->startup_ms || aa->timeout_ms || aa->activate_on[0] ||
                                     aa->deactivate_on[0] || aa->silent))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'name', 'startup_ms', 'timeout_ms', 'activate_on', 'deactivate_on' and 'silent' go "
                       "with add only");
    if (aa->action == ACTION_ADD && aa->all)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'all' goes with remove only");
    return 0;
}

static int agent_parse(void *args, const json_t *json, struct err *err)
{
    struct agent_args *aa = args;
    static const enum agent_action actions[] = {AGENT_READ, AGENT_ADD, AGENT_REMOVE};

    if (task_args_read(args_table, json, args, err) != 0 || check_action(aa, err) != 0)
        return -1;
    if (aa->guid[0] && !agent_guid_read(aa->guid, aa->request.watchdog.guid))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'guid': expected one such as 6a1d6f2e-0b3c-4c1e-9d55-0123456789ab, not '%s'",
                       aa->guid);
    aa->request.action = aa->all ? AGENT_REMOVE_ALL : actions[aa->action];
    return aa->action == ACTION_ADD ? read_watchdog(aa, err) : 0;
}

static bool agent_changes(const void *args)
{
    return ((const struct agent_args *)args)->action != ACTION_LIST;
}

static int64_t agent_budget(const void *args)
{
    (void)args;
    return AGENT_BUDGET_MS;
}

/* --- the work --- */

static void agent_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    (void)host;
    (void)quirks;
    agent_seq_init(work, &((const struct agent_args *)args)->request);
}

/* "expired,stopped"; to which states rules lead that have this effect. */
static json_t *states_json(const struct agent_watchdog *dog, enum agent_effect effect)
{
    struct buf text = buf_init(STATES_TEXT);
    uint32_t bits = 0;
    json_t *out;

    for (size_t i = 0; i < dog->rule_count; i++)
        if (dog->rules[i].effect == effect)
            bits |= dog->rules[i].to;
    for (uint32_t state = AGENT_NOT_STARTED; state < AGENT_ANY; state <<= 1)
        if (bits & state)
            buf_printf(&text, "%s%s", text.len > 0 ? "," : "", agent_state_name(state));
    out = json_string(buf_str(&text));
    buf_free(&text);
    return out;
}

static json_t *dog_json(const struct agent_watchdog *dog)
{
    bool event = false;

    for (size_t i = 0; i < dog->rule_count; i++)
        event = event || dog->rules[i].event;
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:b}", "guid", dog->guid, "name", dog->name,
                     "state", agent_state_name(dog->state), "startup_s", (json_int_t)dog->startup_s,
                     "timeout_s", (json_int_t)dog->timeout_s, "activate_on",
                     states_json(dog, AGENT_ACTIVATES), "deactivate_on", states_json(dog, AGENT_DEACTIVATES),
                     "event", (int)event);
}

static void agent_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct agent_seq *as = work;
    json_t *agents = json_array();

    for (size_t i = 0; i < as->count; i++)
        json_array_append_new(agents, dog_json(&as->dogs[i]));
    finding->detail = json_pack("{s:o, s:b, s:I}", "agents", agents, "changed", (int)as->changed, "most",
                                (json_int_t)as->most);
    if (failure)
        return;
    if (!as->there)
        finding->remark = "this firmware has no agent presence";
    else if (as->request.action != AGENT_READ && !as->changed)
        finding->remark = "it was so already";
    else if (as->count == 0)
        finding->remark = "it watches over no program";
}

static void agent_drop(void *work)
{
    agent_seq_clear(work);
}

static void agent_would(const void *args, const struct host *host, struct buf *out)
{
    const struct agent_args *aa = args;

    (void)host;
    if (aa->action == ACTION_LIST)
        buf_puts(out, "would read its watchdogs");
    else if (aa->action == ACTION_ADD)
        buf_printf(out, "would watch over %s", aa->name);
    else
        buf_printf(out, "would watch over %s no more", aa->all ? "anything" : aa->guid);
}

const struct task task_agent = {
    .name = "agent",
    .args_size = sizeof(struct agent_args),
    .work_size = sizeof(struct agent_seq),
    .parse = agent_parse,
    .changes = agent_changes,
    .budget_ms = agent_budget,
    .init = agent_init,
    .find = agent_find,
    .drop = agent_drop,
    .would = agent_would,
    .quarantines = true,
};
