/* System Defense: the heuristic filter against worms. Wired port only, gone with AMT 12. (reference
 * system-defense.md, 1.11) */
#include <string.h>

#include "tests/amtsim/class_defense.h"
#include "tests/amtsim/class_tables.h"

#define LAST_GENERATION 11
#define SETTINGS_ID     "Intel(r) AMT:Heuristic Packet Filter Settings"
#define STATISTICS_ID   "Intel(r) AMT:Heuristic Packet Filter Statistics"

enum { STATE_RUNNING = 0, STATE_BREACH = 1, STATE_DISABLED = 3 };

static void settings(struct device *d, unsigned i, struct out *o)
{
    const struct defense_heuristics *h = defense_heuristics(d);
    (void)i;
    out_bool(o, "BlockAll", h->block_all);
    out_bool(o, "BlockOffensivePort", h->block_port);
    out_str(o, "ElementName", SETTINGS_ID);
    out_bool(o, "Enabled", defense_bound(d, DEFENSE_HEURISTICS, 0) != 0);
    out_num(o, "EncounterTimeout", h->encounter_s);
    out_num(o, "FastConnectionRateClearTime", h->fast_ms);
    out_num(o, "FastConnectionRateThreshold", h->fast_count);
    out_str(o, "InstanceID", SETTINGS_ID);
    out_num(o, "SlowConnectionRateClearTime", h->slow_s);
    out_num(o, "SlowConnectionRateThreshold", h->slow_count);
}

static uint32_t number(struct call *c, const char *name, uint32_t most)
{
    uint64_t n = 0;
    return call_num(c, name, most, &n) ? (uint32_t)n : 0;
}

static void settings_put(struct call *c)
{
    struct defense_heuristics h = *defense_heuristics(c->device);
    call_bool(c, "BlockAll", &h.block_all);
    call_bool(c, "BlockOffensivePort", &h.block_port);
    h.encounter_s = number(c, "EncounterTimeout", UINT32_MAX);
    h.fast_count = number(c, "FastConnectionRateThreshold", UINT32_MAX);
    h.fast_ms = number(c, "FastConnectionRateClearTime", 1000);
    h.slow_count = number(c, "SlowConnectionRateThreshold", UINT32_MAX);
    h.slow_s = number(c, "SlowConnectionRateClearTime", 50);
    bool fast = h.fast_count > 0, slow = h.slow_count > 0;
    if (fast == slow || (fast && h.fast_ms < 10) || (slow && h.slow_s < 10))
        c->fault = SOAP_INVALID_VALUES;
    h.written = true;
    if (c->fault == SOAP_OK)
        *defense_heuristics(c->device) = h;
}

/* --- the policy for a breach --- */

static unsigned bound_count(const struct device *d)
{
    return defense_bound(d, DEFENSE_HEURISTICS, 0) != 0;
}

static void association(struct device *d, unsigned i, struct out *o)
{
    char id[CLASS_ID_MAX];
    enum defense_state state = defense_state(d, DEFENSE_HEURISTICS, 0);
    struct epr on = epr_ethernet_port(0);
    struct epr of = epr_one("AMT_SystemDefensePolicy", "InstanceID",
                            class_policy_id(defense_bound(d, DEFENSE_HEURISTICS, 0), id));
    (void)i;
    out_bool(o, "Active", state == DEFENSE_ACTIVE);
    out_epr(o, "Antecedent", &on);
    out_epr(o, "Dependent", &of);
    out_bool(o, "Enabled", state >= DEFENSE_ENABLED);
}

static void enable(struct call *c, struct epr *epr)
{
    static struct epr ends[2]; /* until the answer is written */
    static char id[CLASS_ID_MAX];
    unsigned port;
    uint32_t handle;
    if (!class_read_ends(c, &port, &handle))
        return;
    if (port != 0 || !defense_heuristics(c->device)->written)
        c->fault = SOAP_UNSUPPORTED;
    else if (defense_bound(c->device, DEFENSE_HEURISTICS, 0) != 0)
        c->fault = SOAP_ALREADY_EXISTS;
    if (c->fault != SOAP_OK)
        return;
    defense_bind(c->device, DEFENSE_HEURISTICS, 0, handle);
    ends[0] = epr_ethernet_port(0);
    ends[1] = epr_one("AMT_SystemDefensePolicy", "InstanceID", class_policy_id(handle, id));
    *epr = epr_association(c->row->name, &ends[0], &ends[1]);
}

static void disable(struct call *c)
{
    defense_heuristics(c->device)->reason = 0;
    defense_unbind(c->device, DEFENSE_HEURISTICS, 0);
}

/* --- what happened --- */

static void statistics(struct device *d, unsigned i, struct out *o)
{
    const struct defense_heuristics *h = defense_heuristics(d);
    bool on = defense_bound(d, DEFENSE_HEURISTICS, 0) != 0;
    (void)i;
    out_bool(o, "BlockedAll", h->reason != 0 && h->block_all);
    out_num(o, "BlockedOffensivePort", 0);
    out_num(o, "BlockedOffensivePortProtocol", 0);
    out_str(o, "ElementName", STATISTICS_ID);
    out_str(o, "InstanceID", STATISTICS_ID);
    out_num(o, "State", !on ? STATE_DISABLED : h->reason != 0 ? STATE_BREACH : STATE_RUNNING);
    out_time(o, "TimeStamp", h->breach_ms);
    out_num(o, "TriggerReason", h->reason);
}

static uint32_t reset_statistics(struct call *c)
{
    if (!call_has(c, "SelectedStatistics"))
        return RET_BAD_PARAMETER;
    defense_heuristics(c->device)->reason = 0;
    defense_heuristics(c->device)->breach_ms = 0;
    return RET_OK;
}

static const struct class_method statistics_methods[] = {{"ResetSelectedStats", reset_statistics}, {0}};

const struct class_row class_heuristics_rows[] = {
    {.name = "AMT_HeuristicPacketFilterInterfacePolicy",
     .parent = "AMT_InterfacePolicy",
     .until = LAST_GENERATION,
     .admin = true,
     .exact = true,
     .instance = association,
     .count = bound_count,
     .create = enable,
     .remove = disable},
    {.name = "AMT_HeuristicPacketFilterSettings",
     .until = LAST_GENERATION,
     .admin = true,
     .instance = settings,
     .put = settings_put},
    {.name = "AMT_HeuristicPacketFilterStatistics",
     .until = LAST_GENERATION,
     .admin = true,
     .datetime = true,
     .instance = statistics,
     .methods = statistics_methods},
    {0},
};
