/* System Defense: policies, the ports where they are enabled, and what ports take. (reference
 * system-defense.md, 2.4, 2.5, 3.3 - 3.6) */
#include "tests/amtsim/class_defense.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tests/amtsim/class_tables.h"

#define RET_NOT_ACTIVE 0x812 /* [our choice: the reference leaves it open] */

const char *class_policy_id(uint32_t handle, char *out)
{
    snprintf(out, CLASS_ID_MAX, "Intel(r) AMT:Handle: %u", handle);
    return out;
}

uint32_t class_defense_policy(const struct device *d, const struct epr *epr)
{
    char id[CLASS_ID_MAX];
    const char *value = epr_value(epr, "InstanceID");
    for (size_t i = 0; value != NULL && i < defense_policy_count(d); i++) {
        uint32_t handle = defense_policy_at(d, i)->handle;
        if (strcmp(epr->class_name, "AMT_SystemDefensePolicy") == 0 &&
            strcmp(value, class_policy_id(handle, id)) == 0)
            return handle;
    }
    return 0;
}

unsigned class_defense_port(const struct device *d, const struct epr *epr)
{
    for (unsigned port = 0; port < DEFENSE_PORTS; port++) {
        struct epr have = epr_ethernet_port(port);
        if (defense_has_port(d, port) && epr_value(epr, "DeviceID") != NULL && epr_covers(&have, epr))
            return port;
    }
    return DEFENSE_PORTS;
}

/* --- a new policy --- */

static void read_rest(struct call *c, const char *way, struct defense_rest *rest)
{
    char name[32];
    snprintf(name, sizeof(name), "%sDefaultDrop", way);
    rest->drop = class_need_bool(c, name);
    snprintf(name, sizeof(name), "%sDefaultMatchEvent", way);
    rest->event = class_need_bool(c, name);
    snprintf(name, sizeof(name), "%sDefaultCount", way);
    rest->count = class_need_bool(c, name);
}

static void add_handle(struct call *c, struct defense_policy *p, uint64_t handle)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->handles[i] == handle)
            c->fault = SOAP_INVALID_PARAMETER;
    }
    if (defense_filter(c->device, (uint32_t)handle) == NULL)
        c->fault = SOAP_INVALID_PARAMETER;
    else if (p->count == DEFENSE_HANDLES_MAX)
        c->fault = SOAP_NO_ROOM;
    else
        p->handles[p->count++] = (uint32_t)handle;
}

/* Repeated elements; MeshCommander's list with commas in one element too. */
static void read_handles(struct call *c, struct defense_policy *p)
{
    struct xml_el el = xml_child(c->in, NULL, "FilterCreationHandles");
    for (; el.node != NULL; el = xml_next(el, NULL, "FilterCreationHandles")) {
        const char *text = xml_text(c->message->doc, el);
        while (*text != '\0') {
            char number[16];
            uint64_t handle;
            size_t n = strcspn(text, ",");
            snprintf(number, sizeof(number), "%.*s", n < sizeof(number) ? (int)n : 0, text);
            if (text_u64(number, 1, UINT32_MAX, &handle))
                add_handle(c, p, handle);
            else
                c->fault = SOAP_INVALID_PARAMETER;
            text += n + (text[n] == ',');
        }
    }
}

static void read_policy(struct call *c, struct defense_policy *p)
{
    class_need_name(c, "PolicyName", p->name);
    p->precedence = (uint32_t)class_need_num(c, "PolicyPrecedence", UINT32_MAX);
    if (call_has(c, "AntiSpoofingSupport"))
        p->anti_spoof = (uint8_t)class_need_num(c, "AntiSpoofingSupport", 3);
    read_rest(c, "Tx", &p->rest[DEFENSE_TX]);
    read_rest(c, "Rx", &p->rest[DEFENSE_RX]);
    read_handles(c, p);
}

static void add_policy(struct call *c, struct epr *epr)
{
    static char id[CLASS_ID_MAX]; /* until the answer is written */
    struct defense_policy p = {0};
    uint32_t handle = 0;
    read_policy(c, &p);
    if (c->fault == SOAP_OK && fault_strike(c->device, FAULT_FLASH_WORN, c->row->name, NULL) != NULL)
        c->fault = SOAP_FLASH_WORN;
    if (c->fault != SOAP_OK)
        return;
    bool fits = (!defense_has_port(c->device, 0) || defense_fits(c->device, &p, 0)) &&
                (defense_has_port(c->device, 0) || defense_fits(c->device, &p, 1));
    if (fits)
        handle = defense_policy_add(c->device, &p);
    if (handle == 0)
        c->fault = SOAP_NO_ROOM;
    *epr = epr_one("AMT_SystemDefensePolicy", "InstanceID", class_policy_id(handle, id));
}

static void remove_policy(struct call *c)
{
    uint32_t handle = defense_policy_at(c->device, c->instance)->handle;
    if (defense_policy_used(c->device, handle))
        c->fault = SOAP_IN_USE;
    else
        defense_policy_remove(c->device, handle);
}

static unsigned policy_count(const struct device *d)
{
    return (unsigned)defense_policy_count(d);
}

static void write_rest(struct out *o, const char *way, const struct defense_rest *rest)
{
    char name[32];
    snprintf(name, sizeof(name), "%sDefaultCount", way);
    out_bool(o, name, rest->count);
    snprintf(name, sizeof(name), "%sDefaultDrop", way);
    out_bool(o, name, rest->drop);
    snprintf(name, sizeof(name), "%sDefaultMatchEvent", way);
    out_bool(o, name, rest->event);
}

static void policy(struct device *d, unsigned i, struct out *o)
{
    char id[CLASS_ID_MAX];
    const struct defense_policy *p = defense_policy_at(d, i);
    out_num(o, "AntiSpoofingSupport", p->anti_spoof);
    for (size_t k = 0; k < p->count; k++)
        out_num(o, "FilterCreationHandles", p->handles[k]);
    out_str(o, "InstanceID", class_policy_id(p->handle, id));
    out_str(o, "PolicyName", p->name);
    out_num(o, "PolicyPrecedence", p->precedence);
    write_rest(o, "Rx", &p->rest[DEFENSE_RX]);
    write_rest(o, "Tx", &p->rest[DEFENSE_TX]);
}

/* --- its methods --- */

static uint32_t get_timeout(struct call *c)
{
    out_num(c->out, "Timeout", defense_policy_at(c->device, c->instance)->minutes);
    return RET_OK;
}

static uint32_t set_timeout(struct call *c)
{
    uint64_t minutes;
    if (c->message->selector_count == 0 || !call_num(c, "Timeout", UINT32_MAX, &minutes))
        return RET_BAD_PARAMETER;
    if (minutes > DEFENSE_MINUTES_MAX)
        return RET_BAD_PARAMETER;
    defense_policy_minutes(c->device, defense_policy_at(c->device, c->instance)->handle, (uint32_t)minutes);
    return RET_OK;
}

static uint32_t update_statistics(struct call *c)
{
    struct epr epr;
    bool reset = false;
    call_bool(c, "ResetOnRead", &reset);
    unsigned port =
        call_epr(c, "NetworkInterface", &epr) ? class_defense_port(c->device, &epr) : DEFENSE_PORTS;
    if (port == DEFENSE_PORTS)
        return RET_BAD_PARAMETER;
    if (defense_live(c->device, port)->policy != defense_policy_at(c->device, c->instance)->handle)
        return RET_NOT_ACTIVE;
    defense_update(c->device, port, reset);
    return RET_OK;
}

/* --- enabling: an association for every owner --- */

static const struct {
    const char *class_name;
    enum defense_owner owner;
} owners[] = {
    {"AMT_NetworkPortSystemDefensePolicy", DEFENSE_CONSOLE},
    {"AMT_NetworkPortDefaultSystemDefensePolicy", DEFENSE_DEFAULT},
    {"AMT_AgentPresenceInterfacePolicy", DEFENSE_AGENT},
    {"AMT_EnvironmentDetectionInterfacePolicy", DEFENSE_ENVIRONMENT},
};

static enum defense_owner owner_of(const struct class_row *row)
{
    size_t i = 0;
    while (strcmp(owners[i].class_name, row->name) != 0)
        i++;
    return owners[i].owner;
}

bool class_read_ends(struct call *c, unsigned *port, uint32_t *handle)
{
    struct epr antecedent, dependent;
    if (!call_epr(c, "Antecedent", &antecedent) || !call_epr(c, "Dependent", &dependent)) {
        c->fault = SOAP_SCHEMA;
        return false;
    }
    *port = class_defense_port(c->device, &antecedent);
    *handle = class_defense_policy(c->device, &dependent);
    if (*port == DEFENSE_PORTS || *handle == 0)
        c->fault = SOAP_DESTINATION_UNREACHABLE;
    return c->fault == SOAP_OK;
}

static void enable(struct call *c, struct epr *epr)
{
    static struct epr ends[2]; /* until the answer is written */
    static char id[CLASS_ID_MAX];
    unsigned port;
    uint32_t handle;
    enum defense_owner owner = owner_of(c->row);
    if (!class_read_ends(c, &port, &handle))
        return;
    if (defense_bound(c->device, owner, port) != 0)
        c->fault = SOAP_ALREADY_EXISTS;
    else if (!defense_fits(c->device, defense_policy(c->device, handle), port))
        c->fault = SOAP_NO_ROOM;
    else if (owner == DEFENSE_CONSOLE &&
             fault_strike(c->device, FAULT_REFUSE_ACTIVATION, c->row->name, NULL) != NULL)
        c->fault = SOAP_INTERNAL;
    if (c->fault != SOAP_OK)
        return;
    defense_bind(c->device, owner, port, handle);
    ends[0] = epr_ethernet_port(port);
    ends[1] = epr_one("AMT_SystemDefensePolicy", "InstanceID", class_policy_id(handle, id));
    *epr = epr_association(c->row->name, &ends[0], &ends[1]);
}

/* The port of the i-th association of the owner. */
static unsigned bound_at(const struct device *d, enum defense_owner owner, unsigned i)
{
    unsigned port = 0;
    while (port < DEFENSE_PORTS && (defense_bound(d, owner, port) == 0 || i-- > 0))
        port++;
    return port;
}

static unsigned bound_count(const struct device *d, enum defense_owner owner)
{
    unsigned n = 0;
    while (bound_at(d, owner, n) < DEFENSE_PORTS)
        n++;
    return n;
}

static void disable(struct call *c)
{
    enum defense_owner owner = owner_of(c->row);
    defense_unbind(c->device, owner, bound_at(c->device, owner, c->instance));
}

static void association(struct device *d, enum defense_owner owner, unsigned i, struct out *o)
{
    char id[CLASS_ID_MAX];
    unsigned port = bound_at(d, owner, i);
    enum defense_state state = defense_state(d, owner, port);
    struct epr on = epr_ethernet_port(port);
    struct epr of =
        epr_one("AMT_SystemDefensePolicy", "InstanceID", class_policy_id(defense_bound(d, owner, port), id));
    out_bool(o, "Active", state == DEFENSE_ACTIVE);
    out_epr(o, "Antecedent", &on);
    out_epr(o, "Dependent", &of);
    if (owner != DEFENSE_DEFAULT)
        out_bool(o, "Enabled", state >= DEFENSE_ENABLED);
}

#define ASSOCIATION(owner, name)                                                                             \
    static unsigned name##_count(const struct device *d)                                                     \
    {                                                                                                        \
        return bound_count(d, owner);                                                                        \
    }                                                                                                        \
    static void name##_instance(struct device *d, unsigned i, struct out *o)                                 \
    {                                                                                                        \
        association(d, owner, i, o);                                                                         \
    }
ASSOCIATION(DEFENSE_CONSOLE, console)
ASSOCIATION(DEFENSE_DEFAULT, fallback)
ASSOCIATION(DEFENSE_AGENT, agent)
ASSOCIATION(DEFENSE_ENVIRONMENT, environment)

/* --- what there is room for --- */

static const char *const general[] = {"ElementName",
                                      "Intel(r) AMT:General System Defense Capabilities",
                                      "GlobalMaxSupportedFilters",
                                      "80",
                                      "GlobalMaxSupportedPolicies",
                                      "8",
                                      "InstanceID",
                                      "Intel(r) AMT:General System Defense Capabilities",
                                      NULL};

static unsigned port_count(const struct device *d)
{
    return (unsigned)defense_has_port(d, 0) + defense_has_port(d, 1);
}

static void port_limits(struct device *d, unsigned i, struct out *o)
{
    unsigned port = i == 0 && defense_has_port(d, 0) ? 0 : 1;
    const struct defense_limits *l = defense_limits(d, port);
    out_str(o, "ElementName", "Intel(r) AMT:System Defense Capabilities");
    out_bool(o, "IPv4_AntiSpoofingCapable", l->spoof4);
    out_num(o, "IPv4_MaxRxCounters", l->counters[DEFENSE_RX]);
    out_num(o, "IPv4_MaxRxFilters", l->filters[DEFENSE_RX]);
    out_num(o, "IPv4_MaxTxCounters", l->counters[DEFENSE_TX]);
    out_num(o, "IPv4_MaxTxFilters", l->filters[DEFENSE_TX]);
    out_bool(o, "IPv6_AntiSpoofingCapable", l->spoof6);
    out_num(o, "IPv6_MaxRxCounters", l->counters6[DEFENSE_RX]);
    out_num(o, "IPv6_MaxRxFilters", l->filters6[DEFENSE_RX]);
    out_num(o, "IPv6_MaxTxCounters", l->counters6[DEFENSE_TX]);
    out_num(o, "IPv6_MaxTxFilters", l->filters6[DEFENSE_TX]);
    out_num(o, "IPv6_to_IPv4_Ratio", l->ratio);
    out_fmt(o, "InstanceID", "Intel(r) AMT:System Defense Capabilities Port %u", port);
}

/* --- the service --- */

static const char *const service[] = {
    SERVICE_KEYS("AMT_SystemDefenseService", "Intel(r) AMT System Defense Service"), NULL};

static void in_service(struct device *d, unsigned i, struct out *o)
{
    char id[CLASS_ID_MAX];
    struct epr s = epr_service("AMT_SystemDefenseService", "Intel(r) AMT System Defense Service");
    struct epr p = epr_one("AMT_SystemDefensePolicy", "InstanceID",
                           class_policy_id(defense_policy_at(d, i)->handle, id));
    out_epr(o, "Antecedent", &s);
    out_epr(o, "Dependent", &p);
}

static const struct class_method policy_methods[] = {
    {"GetTimeout", get_timeout}, {"SetTimeout", set_timeout}, {"UpdateStatistics", update_statistics}, {0}};

#define POLICY_ON_PORT .parent = "AMT_InterfacePolicy", .admin = true, .exact = true

const struct class_row class_defense_rows[] = {
    {.name = "AMT_AgentPresenceInterfacePolicy",
     POLICY_ON_PORT,
     .instance = agent_instance,
     .count = agent_count,
     .create = enable,
     .remove = disable},
    {.name = "AMT_EnvironmentDetectionInterfacePolicy",
     POLICY_ON_PORT,
     .instance = environment_instance,
     .count = environment_count},
    {.name = "AMT_GeneralSystemDefenseCapabilities", .admin = true, .fixed = general},
    {.name = "AMT_InterfacePolicy", .admin = true, .abstract_only = true},
    {.name = "AMT_NetworkPortDefaultSystemDefensePolicy",
     POLICY_ON_PORT,
     .instance = fallback_instance,
     .count = fallback_count,
     .create = enable,
     .remove = disable},
    {.name = "AMT_NetworkPortSystemDefenseCapabilities",
     .admin = true,
     .instance = port_limits,
     .count = port_count},
    {.name = "AMT_NetworkPortSystemDefensePolicy",
     POLICY_ON_PORT,
     .instance = console_instance,
     .count = console_count,
     .create = enable,
     .remove = disable},
    {.name = "AMT_SystemDefensePolicy",
     .admin = true,
     .exact = true,
     .instance = policy,
     .count = policy_count,
     .create = add_policy,
     .remove = remove_policy,
     .methods = policy_methods},
    {.name = "AMT_SystemDefensePolicyInService",
     .admin = true,
     .exact = true,
     .instance = in_service,
     .count = policy_count},
    {.name = "AMT_SystemDefenseService", .admin = true, .fixed = service},
    {0},
};
