#include "tests/amtsim/defense.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tests/amtsim/agents.h"
#include "tests/amtsim/alerts.h"
#include "tests/amtsim/defense_internal.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/record.h"

const char *const defense_owner_names[] = {"console", "agent", "environment", "heuristics", "default", NULL};

/* The numbers are ours: the reference knows 8 policies, 80 filters and 32 + 32 places. */
static const struct {
    uint8_t since;
    struct defense_limits ports[DEFENSE_PORTS];
} limits_table[] = {
    {11,
     {{{32, 32}, {16, 16}, {8, 8}, {4, 4}, 4, true, true},
      {{32, 32}, {16, 16}, {8, 8}, {4, 4}, 4, true, true}}},
    {0,
     {{{32, 32}, {16, 16}, {8, 8}, {4, 4}, 4, true, false},
      {{16, 16}, {8, 8}, {4, 4}, {2, 2}, 4, true, false}}},
};

bool defense_has_port(const struct device *d, unsigned port)
{
    return port < DEFENSE_PORTS && (d->ports & 1u << port) != 0;
}

const struct defense_limits *defense_limits(const struct device *d, unsigned port)
{
    size_t i = 0;
    while (d->generation->number < limits_table[i].since)
        i++;
    return &limits_table[i].ports[port];
}

static struct defense *defense_of(struct device *d)
{
    if (d->defense == NULL)
        d->defense = xcalloc(1, sizeof(*d->defense));
    return d->defense;
}

void defense_free(struct device *d)
{
    if (d->defense == NULL)
        return;
    free(d->defense->filters);
    free(d->defense);
    d->defense = NULL;
}

struct defense_heuristics *defense_heuristics(struct device *d)
{
    return &defense_of(d)->heuristics;
}

/* --- filters --- */

const struct defense_filter *defense_filter(const struct device *d, uint32_t handle)
{
    for (size_t i = 0; d->defense != NULL && i < d->defense->filter_count; i++) {
        if (d->defense->filters[i].handle == handle)
            return &d->defense->filters[i];
    }
    return NULL;
}

const struct defense_filter *defense_filter_at(const struct device *d, bool ip, size_t k)
{
    for (size_t i = 0; d->defense != NULL && i < d->defense->filter_count; i++) {
        if (d->defense->filters[i].ip == ip && k-- == 0)
            return &d->defense->filters[i];
    }
    return NULL;
}

size_t defense_filter_count(const struct device *d, bool ip)
{
    size_t n = 0;
    for (size_t i = 0; d->defense != NULL && i < d->defense->filter_count; i++)
        n += d->defense->filters[i].ip == ip;
    return n;
}

bool defense_filter_used(const struct device *d, uint32_t handle)
{
    for (size_t i = 0; i < defense_policy_count(d); i++) {
        const struct defense_policy *p = defense_policy_at(d, i);
        for (size_t k = 0; k < p->count; k++) {
            if (p->handles[k] == handle)
                return true;
        }
    }
    return false;
}

uint32_t defense_filter_add(struct device *d, const struct defense_filter *filter)
{
    struct defense *f = defense_of(d);
    if (f->filter_count == DEFENSE_FILTERS_MAX)
        return 0;
    f->filters = xreallocarray(f->filters, f->filter_count + 1, sizeof(*f->filters));
    f->filters[f->filter_count] = *filter;
    f->filters[f->filter_count].handle = ++f->last_handle;
    f->filter_count++;
    record_defense(d, RECORD_FILTER_ADDED, f->last_handle, 0);
    return f->last_handle;
}

void defense_filter_remove(struct device *d, uint32_t handle)
{
    struct defense *f = defense_of(d);
    for (size_t i = 0; i < f->filter_count; i++) {
        if (f->filters[i].handle != handle)
            continue;
        f->filter_count--;
        memmove(f->filters + i, f->filters + i + 1, (f->filter_count - i) * sizeof(*f->filters));
        record_defense(d, RECORD_FILTER_REMOVED, handle, 0);
        return;
    }
}

/* --- policies --- */

size_t defense_policy_count(const struct device *d)
{
    return d->defense != NULL ? d->defense->policy_count : 0;
}

const struct defense_policy *defense_policy_at(const struct device *d, size_t i)
{
    return i < defense_policy_count(d) ? &d->defense->policies[i] : NULL;
}

const struct defense_policy *defense_policy(const struct device *d, uint32_t handle)
{
    for (size_t i = 0; i < defense_policy_count(d); i++) {
        if (d->defense->policies[i].handle == handle)
            return &d->defense->policies[i];
    }
    return NULL;
}

bool defense_policy_used(const struct device *d, uint32_t handle)
{
    for (unsigned owner = 0; owner < DEFENSE_OWNERS; owner++) {
        for (unsigned port = 0; port < DEFENSE_PORTS; port++) {
            if (defense_bound(d, (enum defense_owner)owner, port) == handle)
                return true;
        }
    }
    return false;
}

uint32_t defense_policy_add(struct device *d, const struct defense_policy *policy)
{
    struct defense *f = defense_of(d);
    if (f->policy_count == DEFENSE_POLICIES_MAX)
        return 0;
    f->policies[f->policy_count] = *policy;
    f->policies[f->policy_count].handle = ++f->last_handle;
    f->policy_count++;
    record_defense(d, RECORD_POLICY_ADDED, f->last_handle, 0);
    return f->last_handle;
}

void defense_policy_remove(struct device *d, uint32_t handle)
{
    struct defense *f = defense_of(d);
    for (size_t i = 0; i < f->policy_count; i++) {
        if (f->policies[i].handle != handle)
            continue;
        f->policy_count--;
        memmove(f->policies + i, f->policies + i + 1, (f->policy_count - i) * sizeof(*f->policies));
        record_defense(d, RECORD_POLICY_REMOVED, handle, 0);
        return;
    }
}

void defense_policy_minutes(struct device *d, uint32_t handle, uint32_t minutes)
{
    struct defense *f = defense_of(d);
    for (size_t i = 0; i < f->policy_count; i++) {
        if (f->policies[i].handle == handle)
            f->policies[i].minutes = minutes;
    }
}

/* Places that the policy takes in a direction: all, and those of IPv6 alone. */
struct need {
    uint32_t filters, counters, filters6, counters6;
};

static struct need need_of(const struct device *d, const struct defense_policy *p, unsigned direction,
                           uint32_t ratio)
{
    struct need n = {.filters = 1, .counters = p->rest[direction].count};
    n.counters += direction == DEFENSE_TX && (p->anti_spoof & 2) != 0;
    for (size_t i = 0; i < p->count; i++) {
        const struct defense_filter *f = defense_filter(d, p->handles[i]);
        if (f == NULL || f->direction != direction)
            continue;
        bool six = f->ip && f->version == 6;
        bool counts = f->profile <= DEFENSE_LIMIT;
        n.filters += six ? ratio : 1;
        n.counters += counts ? (six ? ratio : 1) : 0;
        n.filters6 += six;
        n.counters6 += six && counts;
    }
    return n;
}

bool defense_fits(const struct device *d, const struct defense_policy *p, unsigned port)
{
    const struct defense_limits *l = defense_limits(d, port);
    for (unsigned k = 0; k < DEFENSE_DIRECTIONS; k++) {
        struct need n = need_of(d, p, k, l->ratio);
        if (n.filters > l->filters[k] || n.counters > l->counters[k] || n.filters6 > l->filters6[k] ||
            n.counters6 > l->counters6[k])
            return false;
    }
    return true;
}

/* --- which policy is active --- */

void defense_set_agent(struct device *d, bool asks)
{
    defense_of(d)->agent = asks;
}

int64_t defense_now_ms(const struct device *d)
{
    return device_mono_ms(d) + (d->defense != NULL ? d->defense->skipped_ms : 0);
}

static bool engaged(const struct defense *f, enum defense_owner owner)
{
    switch (owner) {
    case DEFENSE_AGENT:
        return f->agent;
    case DEFENSE_ENVIRONMENT:
        return f->outside;
    case DEFENSE_HEURISTICS:
        return f->heuristics.reason != 0;
    default:
        return true;
    }
}

static bool enabled(const struct defense *f, enum defense_owner owner, unsigned port)
{
    const struct binding *b = &f->bindings[owner][port];
    return b->policy != 0 && !b->expired && engaged(f, owner);
}

/* The owner whose policy is active: the highest precedence, among equals the first; DEFENSE_OWNERS: none. */
static enum defense_owner winner(const struct device *d, unsigned port)
{
    const struct defense *f = d->defense;
    enum defense_owner best = DEFENSE_OWNERS;
    uint32_t highest = 0;
    for (unsigned owner = 0; owner < DEFENSE_DEFAULT; owner++) {
        const struct binding *b = &f->bindings[owner][port];
        const struct defense_policy *p = defense_policy(d, b->policy);
        bool held = owner == DEFENSE_CONSOLE && fault_pending(d, FAULT_IGNORE_ACTIVATION) != NULL;
        if (held || !enabled(f, (enum defense_owner)owner, port) ||
            (best != DEFENSE_OWNERS && p->precedence <= highest))
            continue;
        best = (enum defense_owner)owner;
        highest = p->precedence;
    }
    return best == DEFENSE_OWNERS && enabled(f, DEFENSE_DEFAULT, port) ? DEFENSE_DEFAULT : best;
}

static void add_row(struct defense_live *live, uint32_t of)
{
    live->rows[live->count++] = (struct defense_row){.of = of};
}

static void activate(struct device *d, unsigned port, uint32_t handle)
{
    struct defense_live *live = &d->defense->live[port];
    const struct defense_policy *p = defense_policy(d, handle);
    int64_t now = device_wall_ms(d);
    *live = (struct defense_live){.policy = handle, .since_ms = now, .reset_ms = now};
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->count; i++)
        add_row(live, p->handles[i]);
    add_row(live, DEFENSE_ROW_TX);
    add_row(live, DEFENSE_ROW_RX);
    add_row(live, DEFENSE_ROW_SPOOF);
}

/* Lets time-outs happen, one after the other, and finds the active policy. */
static void settle(struct device *d, unsigned port)
{
    struct defense *f = defense_of(d);
    int64_t now = defense_now_ms(d);
    struct defense_heuristics *h = &f->heuristics;
    enum defense_owner owner;
    agents_settle(d);
    if (h->encounter_s > 0 && device_wall_ms(d) - h->breach_ms >= (int64_t)h->encounter_s * 1000)
        h->reason = 0;
    while ((owner = winner(d, port)) != DEFENSE_OWNERS) {
        struct binding *b = &f->bindings[owner][port];
        const struct defense_policy *p = defense_policy(d, b->policy);
        if (!b->armed) {
            b->armed = true;
            b->armed_ms = now;
        }
        if (p->minutes == 0 || now - b->armed_ms < (int64_t)p->minutes * 60000)
            break;
        b->expired = true;
    }
    uint32_t active = owner != DEFENSE_OWNERS ? f->bindings[owner][port].policy : 0;
    f->winner[port] = owner;
    if (f->live[port].policy != active)
        activate(d, port, active);
}

struct defense_live *defense_live(struct device *d, unsigned port)
{
    settle(d, port);
    return &d->defense->live[port];
}

uint32_t defense_bound(const struct device *d, enum defense_owner owner, unsigned port)
{
    return d->defense != NULL ? d->defense->bindings[owner][port].policy : 0;
}

void defense_bind(struct device *d, enum defense_owner owner, unsigned port, uint32_t policy)
{
    defense_of(d)->bindings[owner][port] = (struct binding){.policy = policy};
    record_defense(d, owner == DEFENSE_DEFAULT ? RECORD_DEFAULT_SET : RECORD_POLICY_ENABLED, policy, port);
    alert_raise(d, ALERT_DEFENSE_CHANGED);
    settle(d, port);
}

void defense_unbind(struct device *d, enum defense_owner owner, unsigned port)
{
    record_defense(d, owner == DEFENSE_DEFAULT ? RECORD_DEFAULT_CLEARED : RECORD_POLICY_DISABLED,
                   defense_bound(d, owner, port), port);
    alert_raise(d, ALERT_DEFENSE_CHANGED);
    defense_of(d)->bindings[owner][port] = (struct binding){0};
    settle(d, port);
}

enum defense_state defense_state(struct device *d, enum defense_owner owner, unsigned port)
{
    if (defense_bound(d, owner, port) == 0)
        return DEFENSE_ABSENT;
    settle(d, port);
    const struct defense *f = d->defense;
    if (f->winner[port] == owner)
        return DEFENSE_ACTIVE;
    return enabled(f, owner, port) ? DEFENSE_ENABLED : DEFENSE_DISABLED;
}

void defense_update(struct device *d, unsigned port, bool reset)
{
    struct defense_live *live = defense_live(d, port);
    for (size_t i = 0; i < live->count; i++) {
        struct defense_row *row = &live->rows[i];
        row->shown = row->packets;
        row->shown_matched = row->matched;
        row->matched = false;
        if (reset)
            row->packets = 0;
    }
    if (reset)
        live->reset_ms = device_wall_ms(d);
}

void defense_power_lost(struct device *d)
{
    for (unsigned port = 0; d->defense != NULL && port < DEFENSE_PORTS; port++) {
        if (d->defense->live[port].policy != 0)
            activate(d, port, d->defense->live[port].policy);
    }
}

/* --- addresses --- */

void defense_learn(struct device *d, unsigned port, const uint8_t *address, size_t n)
{
    struct defense *f = defense_of(d);
    if (n == 4) {
        memcpy(f->address4[port], address, 4);
        f->has_address4[port] = true;
        return;
    }
    memmove(f->address6[port][1], f->address6[port][0],
            sizeof(f->address6[port][0]) * (DEFENSE_ADDRESSES6 - 1));
    memcpy(f->address6[port][0], address, 16);
}

bool defense_own_address(const struct device *d, unsigned port, const uint8_t *address, size_t n)
{
    const struct defense *f = d->defense;
    uint32_t first = d->fleet->options->address + d->index;
    const uint8_t usual[4] = {(uint8_t)(first >> 24), (uint8_t)(first >> 16), (uint8_t)(first >> 8),
                              (uint8_t)first};
    if (n == 4)
        return memcmp(address, f != NULL && f->has_address4[port] ? f->address4[port] : usual, 4) == 0;
    for (unsigned i = 0; f != NULL && i < DEFENSE_ADDRESSES6; i++) {
        if (memcmp(address, f->address6[port][i], 16) == 0)
            return true;
    }
    return false;
}
