/* Agent presence: watchdogs, and what follows when their state changes. (reference wsman.md, 3.14) */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tests/amtsim/agents.h"
#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/defense.h"

#define ID_TEXT 40

/* --- watchdogs --- */

static const char *guid_text(const struct agent *a, char out[ID_TEXT])
{
    struct buf text = buf_init(ID_TEXT);
    text_base64(&text, a->guid, AGENT_GUID_BYTES);
    snprintf(out, ID_TEXT, "%s", buf_str(&text));
    buf_free(&text);
    return out;
}

static unsigned watchdog_count(const struct device *d)
{
    return (unsigned)agents_count((struct device *)d); /* what is due happens when somebody looks */
}

static void watchdog(struct device *d, unsigned i, struct out *o)
{
    const struct agent *a = agents_at(d, i);
    char id[ID_TEXT];
    out_str(o, "CreationClassName", "AMT_AgentPresenceWatchdog");
    out_num(o, "CurrentState", a->state);
    out_str(o, "DeviceID", guid_text(a, id));
    out_str(o, "ElementName", "Intel(r) AMT:Agent Presence Watchdog");
    out_str(o, "MonitoredEntityDescription", a->name);
    out_num(o, "StartupInterval", a->startup_s);
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "Intel(r) AMT");
    if (a->expired_ms > 0)
        out_time(o, "TimeOfLastExpiration", a->expired_ms);
    out_num(o, "TimeoutInterval", a->timeout_s);
}

static bool read_guid(struct call *c, uint8_t guid[AGENT_GUID_BYTES])
{
    const char *text = call_text(c, "DeviceID");
    struct buf bytes = buf_init(64);
    bool good =
        text != NULL && text_base64_decode(&bytes, text, strlen(text)) && bytes.len == AGENT_GUID_BYTES;
    if (good)
        memcpy(guid, bytes.p, AGENT_GUID_BYTES);
    else
        c->fault = SOAP_INVALID_VALUES;
    buf_free(&bytes);
    return good;
}

static void add_watchdog(struct call *c, struct epr *epr)
{
    static char id[ID_TEXT]; /* until the answer is written */
    struct agent a = {.timeout_s = 0};
    const char *name = call_text(c, "MonitoredEntityDescription");
    uint64_t startup = 0, timeout = 0;
    if (!read_guid(c, a.guid))
        return;
    bool good = call_num(c, "StartupInterval", AGENT_SECONDS_MAX, &startup) &&
                call_num(c, "TimeoutInterval", AGENT_SECONDS_MAX, &timeout);
    if (!good || timeout == 0 || (name != NULL && strlen(name) > AGENT_NAME_MAX)) {
        c->fault = SOAP_INVALID_VALUES;
        return;
    }
    snprintf(a.name, sizeof(a.name), "%s", name != NULL ? name : "");
    a.startup_s = (uint32_t)startup;
    a.timeout_s = (uint32_t)timeout;
    if (agents_find(c->device, a.guid) != NULL)
        c->fault = SOAP_ALREADY_EXISTS;
    else if (agents_add(c->device, &a) == NULL)
        c->fault = SOAP_NO_ROOM;
    *epr = epr_one("AMT_AgentPresenceWatchdog", "DeviceID", guid_text(&a, id));
}

static void remove_watchdog(struct call *c)
{
    agents_remove(c->device, agents_at(c->device, c->instance));
}

static uint32_t add_action(struct call *c)
{
    struct agent_action action = {.policy = AGENT_LEAVES};
    uint64_t from = 0, to = 0, policy = AGENT_LEAVES;
    if (c->message->selector_count == 0)
        return RET_INVALID_HANDLE;
    if (!call_num(c, "OldState", AGENT_ANY, &from) || !call_num(c, "NewState", AGENT_ANY, &to) || from == 0 ||
        to == 0 || !call_bool(c, "EventOnTransition", &action.event))
        return RET_BAD_PARAMETER;
    if (call_has(c, "ActionSd") && !call_num(c, "ActionSd", AGENT_DEACTIVATE, &policy))
        return RET_BAD_PARAMETER;
    call_bool(c, "ActionEac", &action.access_control);
    action.from = (uint16_t)from;
    action.to = (uint16_t)to;
    action.policy = (uint8_t)policy;
    return agents_add_action(c->device, agents_at(c->device, c->instance), &action) ? RET_OK : RET_MAXIMUM;
}

static uint32_t delete_actions(struct call *c)
{
    if (c->message->selector_count == 0)
        return RET_INVALID_HANDLE;
    agents_at(c->device, c->instance)->action_count = 0;
    return RET_OK;
}

/* What only the program itself may say, over the machine's local interface. */
static uint32_t local_only(struct call *c)
{
    (void)c;
    return RET_NOT_PERMITTED;
}

/* --- conditions and actions, and what belongs together --- */

static unsigned action_count(const struct device *d)
{
    return (unsigned)agents_actions(d);
}

/* The i-th action of all agents, and whose it is. */
static const struct agent_action *action_at(struct device *d, unsigned i, const struct agent **whose)
{
    size_t at = 0;
    while (i >= agents_at(d, at)->action_count)
        i -= (unsigned)agents_at(d, at++)->action_count;
    *whose = agents_at(d, at);
    return &agents_at(d, at)->actions[i];
}

static const char *number_text(const struct agent_action *action, char out[ID_TEXT])
{
    snprintf(out, ID_TEXT, "%u", action->number);
    return out;
}

static void policy_keys(struct out *o)
{
    out_str(o, "PolicyRuleCreationClassName", "AMT_AgentPresenceWatchdog");
    out_str(o, "PolicyRuleName", "Intel(r) AMT:Agent Presence");
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "Intel(r) AMT");
}

static void action_instance(struct device *d, unsigned i, struct out *o)
{
    const struct agent *whose;
    const struct agent_action *action = action_at(d, i, &whose);
    char number[ID_TEXT];
    if (action->policy != AGENT_LEAVES)
        out_num(o, "ActionSd", action->policy);
    out_str(o, "CreationClassName", "AMT_AgentPresenceWatchdogAction");
    out_bool(o, "EventOnTransition", action->event);
    out_str(o, "PolicyActionName", number_text(action, number));
    policy_keys(o);
}

static void condition(struct device *d, unsigned i, struct out *o)
{
    const struct agent *whose;
    const struct agent_action *action = action_at(d, i, &whose);
    char number[ID_TEXT];
    out_str(o, "CreationClassName", "AMT_StateTransitionCondition");
    out_num(o, "NewState", action->to);
    out_num(o, "OldState", action->from);
    out_str(o, "PolicyConditionName", number_text(action, number));
    policy_keys(o);
}

static uint32_t get_access_control(struct call *c)
{
    const struct agent *whose;
    out_bool(c->out, "ActionEac", action_at(c->device, c->instance, &whose)->access_control);
    return RET_OK;
}

static unsigned dependencies(const struct device *d)
{
    return 2 * (unsigned)agents_actions(d);
}

/* Even: watchdog and condition; odd: condition and action. */
static void dependency(struct device *d, unsigned i, struct out *o)
{
    const struct agent *whose;
    const struct agent_action *action = action_at(d, i / 2, &whose);
    char number[ID_TEXT], guid[ID_TEXT];
    struct epr dog = epr_one("AMT_AgentPresenceWatchdog", "DeviceID", guid_text(whose, guid));
    struct epr when =
        epr_one("AMT_StateTransitionCondition", "PolicyConditionName", number_text(action, number));
    struct epr then = epr_one("AMT_AgentPresenceWatchdogAction", "PolicyActionName", number);
    out_epr(o, "Antecedent", i % 2 == 0 ? &dog : &when);
    out_epr(o, "Dependent", i % 2 == 0 ? &when : &then);
}

/* --- what there is room for --- */

static const char *const capabilities[] = {"ElementName",
                                           "Intel(r) AMT:Agent Presence Capabilities",
                                           "InstanceID",
                                           "Intel(r) AMT:Agent Presence Capabilities",
                                           "MaxEacAgents",
                                           "0",
                                           "MaxTotalActions",
                                           "64",
                                           "MaxTotalAgents",
                                           "16",
                                           "MinGuaranteedActionListSize",
                                           "4",
                                           NULL};

static const char *const watchdog_action[] = {"AgentPresenceWatchDogExpirationAction",
                                              "0",
                                              "ElementName",
                                              "Intel(r) WatchDog Action",
                                              "HeciWatchDogExpirationAction",
                                              "0",
                                              "InstanceID",
                                              "Intel(r) WatchDog Action",
                                              NULL};

static const struct class_method watchdog_methods[] = {
    {"AddAction", add_action},      {"AssertPresence", local_only},
    {"AssertShutdown", local_only}, {"DeleteAllActions", delete_actions},
    {"RegisterAgent", local_only},  {0}};
static const struct class_method action_methods[] = {{"GetActionEac", get_access_control}, {0}};

const struct class_row class_agent_rows[] = {
    {.name = "AMT_AgentPresenceCapabilities", .fixed = capabilities},
    {.name = "AMT_AgentPresenceWatchdog",
     .datetime = true,
     .exact = true,
     .instance = watchdog,
     .count = watchdog_count,
     .create = add_watchdog,
     .remove = remove_watchdog,
     .methods = watchdog_methods},
    {.name = "AMT_AgentPresenceWatchdogAction",
     .instance = action_instance,
     .count = action_count,
     .methods = action_methods},
    {.name = "AMT_StateTransitionCondition", .instance = condition, .count = action_count},
    {.name = "CIM_ConcreteDependency", .instance = dependency, .count = dependencies},
    {.name = "IPS_WatchDogAction", .since = 11, .fixed = watchdog_action},
    {0},
};
