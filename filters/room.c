#include "filters/room.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/xalloc.h"

#define COSTLY_SHOWN 5

struct compiled_use room_used(const struct boxes *boxes, const struct rules_policy *policy,
                              enum sd_direction direction)
{
    const struct rules_default *otherwise = direction == SD_TX ? &policy->out : &policy->in;
    struct compiled_use use = {.filters = 1, .counters = otherwise->count};

    /* whether anti-spoofing takes a counter no source says: it is better to have one left over */
    if (direction == SD_TX && (policy->anti_spoof & SD_ANTI_SPOOF_COUNT))
        use.counters++;
    for (size_t i = 0; i < boxes->count; i++) {
        const struct box *box = &boxes->items[i];

        if (box->direction != direction)
            continue;
        *(box->version == 6 ? &use.filters_ipv6 : &use.filters) += 1;
        if (sd_profile_counts(box->profile))
            *(box->version == 6 ? &use.counters_ipv6 : &use.counters) += 1;
    }
    return use;
}

void room_limits(const struct compiled_use *use, const struct sd_port_limits *port,
                 enum sd_direction direction, struct room_limit out[ROOM_KINDS])
{
    const struct sd_room *four = direction == SD_TX ? &port->ipv4_tx : &port->ipv4_rx;
    const struct sd_room *six = direction == SD_TX ? &port->ipv6_tx : &port->ipv6_rx;
    uint32_t ratio = port->ipv6_ratio ? port->ipv6_ratio : 1;

    /* IPv6 shares the places of IPv4, and has an own limit besides */
    out[ROOM_FILTERS] = (struct room_limit){use->filters + ratio * use->filters_ipv6, four->filters};
    out[ROOM_FILTERS_IPV6] = (struct room_limit){use->filters_ipv6 + 1, six->filters};
    out[ROOM_COUNTERS] = (struct room_limit){use->counters + ratio * use->counters_ipv6, four->counters};
    out[ROOM_COUNTERS_IPV6] = (struct room_limit){use->counters_ipv6, six->counters};
}

bool room_exceeded(const struct room_limit *limit)
{
    return limit->there > 0 && limit->needed > limit->there;
}

/* --- who takes it --- */

struct cost {
    uint32_t rule, places;
};

static int by_places(const void *a, const void *b)
{
    const struct cost *x = a, *y = b;

    if (x->places != y->places)
        return x->places > y->places ? -1 : 1;
    return x->rule < y->rule ? -1 : 1;
}

/* The rules that take most of it: "rule 'web' takes 12, 'mail' 8". direction -1: both. */
static void costly_text(const struct boxes *boxes, const struct ruleset *rules, int direction,
                        enum room_kind kind, uint32_t ratio, struct buf *out)
{
    struct cost *costs = xcalloc(rules->count + 1, sizeof(*costs));
    bool counters = kind == ROOM_COUNTERS || kind == ROOM_COUNTERS_IPV6;
    bool six_only = kind == ROOM_FILTERS_IPV6 || kind == ROOM_COUNTERS_IPV6;

    for (size_t i = 0; i < rules->count; i++)
        costs[i].rule = (uint32_t)i;
    for (size_t i = 0; i < boxes->count; i++) {
        const struct box *box = &boxes->items[i];

        if ((direction >= 0 && (int)box->direction != direction) || (six_only && box->version != 6) ||
            (counters && !sd_profile_counts(box->profile)))
            continue;
        costs[box->rule].places += box->version == 6 && !six_only ? ratio : 1;
    }
    qsort(costs, rules->count, sizeof(*costs), by_places);
    for (size_t i = 0; i < rules->count && i < COSTLY_SHOWN && costs[i].places > 0; i++)
        buf_printf(out, "%s'%s' takes %" PRIu32, i == 0 ? "; rule " : ", ", rules->rules[costs[i].rule].name,
                   costs[i].places);
    free(costs);
}

static int check_direction(const struct boxes *boxes, const struct ruleset *rules,
                           const struct sd_port_limits *port, enum sd_direction direction, const char *who,
                           struct findings *findings)
{
    static const char *const things[] = {"filters", "IPv6 filters", "counters", "IPv6 counters"};
    struct compiled_use use = room_used(boxes, &rules->policy, direction);
    struct room_limit limits[ROOM_KINDS];
    int rc = 0;

    room_limits(&use, port, direction, limits);
    for (enum room_kind kind = ROOM_FILTERS; kind < ROOM_KINDS; kind++) {
        struct buf costly = buf_init(1000);

        if (!room_exceeded(&limits[kind]))
            continue;
        costly_text(boxes, rules, (int)direction, kind, port->ipv6_ratio ? port->ipv6_ratio : 1, &costly);
        findings_add(findings, FINDING_ERROR, rules->policy.place, NULL,
                     "%s%" PRIu32
                     " places for %s needed in the direction %s, the default included, and there are "
                     "%" PRIu32 "%s",
                     who, limits[kind].needed, things[kind], direction == SD_TX ? "out" : "in",
                     limits[kind].there, buf_str(&costly));
        buf_free(&costly);
        rc = -1;
    }
    return rc;
}

int room_check(const struct boxes *boxes, const struct ruleset *rules, const struct sd_limits *device,
               const struct sd_port_limits *port, const char *who, struct findings *findings)
{
    size_t most =
        device && device->filters && device->filters < SD_HANDLES_MAX ? device->filters : SD_HANDLES_MAX;
    struct buf costly = buf_init(1000);
    int rc = 0;

    if (boxes->count > most) {
        costly_text(boxes, rules, -1, ROOM_FILTERS, 1, &costly);
        findings_add(findings, FINDING_ERROR, rules->policy.place, NULL,
                     "%s%zu filters needed, and a policy holds %zu%s", who, boxes->count, most,
                     buf_str(&costly));
        rc = -1;
    }
    buf_free(&costly);
    if (port && check_direction(boxes, rules, port, SD_TX, who, findings) != 0)
        rc = -1;
    if (port && check_direction(boxes, rules, port, SD_RX, who, findings) != 0)
        rc = -1;
    return rc;
}
