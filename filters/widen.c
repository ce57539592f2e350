#include "filters/widen.h"

#include <math.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "filters/join.h"

#define BOXES_MAX 256 /* more than that is not a file that nearly fits */

/* --- one step --- */

static struct box_ports ports_hull(const struct box_ports *a, const struct box_ports *b)
{
    if (!a->given || !b->given)
        return (struct box_ports){0};
    return (struct box_ports){true, a->first < b->first ? a->first : b->first,
                              a->last > b->last ? a->last : b->last};
}

static double ports_size(const struct box_ports *ports)
{
    return ports->given ? ports->last - ports->first + 1.0 : 65536.0;
}

/* Which part of all packets of its version a box lets pass: addresses times ports times protocols. */
static double size_of(const struct box *box)
{
    double address_bits = box->version == 4 ? 64 : 256;

    return net_size(&box->source) * net_size(&box->destination) * ports_size(&box->source_ports) *
           ports_size(&box->destination_ports) * (box->protocol < 0 ? 256 : 1) * exp2(-address_bits - 40);
}

/* The smallest box the hardware can say that holds both. */
static struct box hull_of(const struct box *a, const struct box *b)
{
    struct box hull = *a;

    hull.source = net_hull(&a->source, &b->source);
    hull.destination = net_hull(&a->destination, &b->destination);
    hull.source_ports = ports_hull(&a->source_ports, &b->source_ports);
    hull.destination_ports = ports_hull(&a->destination_ports, &b->destination_ports);
    hull.tcp_on &= b->tcp_on;
    hull.tcp_off &= b->tcp_off;
    if (a->protocol != b->protocol) {
        hull.protocol = -1;
        hull.source_ports = hull.destination_ports = (struct box_ports){0};
    }
    /* a range on one side leaves no room for ports on the other: the wider one is given up */
    if (hull.source_ports.given && hull.destination_ports.given &&
        (hull.source_ports.first != hull.source_ports.last ||
         hull.destination_ports.first != hull.destination_ports.last)) {
        if (ports_size(&hull.source_ports) > ports_size(&hull.destination_ports))
            hull.source_ports = (struct box_ports){0};
        else
            hull.destination_ports = (struct box_ports){0};
    }
    hull.widened = true;
    return hull;
}

static bool may_join(const struct box *a, const struct box *b, enum sd_direction direction)
{
    return a->direction == direction && b->direction == direction && a->version == b->version &&
           a->version != 0 && a->profile == SD_PASS && b->profile == SD_PASS && !a->event && !b->event;
}

/* Joins the pair that grows least; false when there is none left. */
static bool join_cheapest(struct boxes *boxes, enum sd_direction direction)
{
    size_t first = 0, second = 0;
    double least = INFINITY;
    struct box hull;

    for (size_t i = 0; i < boxes->count; i++) {
        for (size_t j = i + 1; j < boxes->count; j++) {
            const struct box *a = &boxes->items[i], *b = &boxes->items[j];
            double growth;

            if (!may_join(a, b, direction))
                continue;
            hull = hull_of(a, b);
            growth = size_of(&hull) - size_of(a) - size_of(b);
            if (growth < least) {
                least = growth;
                first = i;
                second = j;
            }
        }
    }
    if (isinf(least))
        return false;
    hull = hull_of(&boxes->items[first], &boxes->items[second]);
    boxes_join_rules(boxes, &hull, &boxes->items[second]);
    boxes->items[first] = hull;
    boxes->items[second] = boxes->items[--boxes->count];
    boxes_reduce(boxes);
    return true;
}

/* Stops counting the rule that takes most counters; false when no rule counts but by its limit. */
static bool give_up_counter(struct boxes *boxes, const struct ruleset *rules, enum sd_direction direction)
{
    uint32_t *counters = xcalloc(rules->count + 1, sizeof(*counters));
    size_t most = 0;
    bool found;

    for (size_t i = 0; i < boxes->count; i++) {
        const struct box *box = &boxes->items[i];

        if (box->direction == direction && (box->profile == SD_PASS_COUNT || box->profile == SD_DROP_COUNT) &&
            ++counters[box->rule] > counters[most])
            most = box->rule;
    }
    found = counters[most] > 0;
    for (size_t i = 0; found && i < boxes->count; i++)
        if (boxes->items[i].direction == direction && boxes->items[i].rule == most)
            boxes->items[i].profile = box_drops(&boxes->items[i]) ? SD_DROP : SD_PASS;
    boxes_reduce(boxes);
    free(counters);
    return found;
}

/* --- until it fits --- */

/* What there is no room for. */
struct excess {
    bool filters[2], counters[2]; /* enum sd_direction, on any port */
    bool handles;                 /* more than a policy holds */
    bool more_out;                /* most of the filters are on the way out */
};

struct room {
    const struct ruleset *rules;
    const struct sd_port_limits *ports;
    size_t port_count;
    size_t handles;
};

/* Of the boxes as they would be compiled: without what the default does anyway. It stays in `boxes`, because
 * a drop that is idle now has work as soon as a pass is widened over it. */
static struct excess look(const struct boxes *boxes, const struct room *room)
{
    struct excess excess = {0};
    struct boxes left;
    size_t out = 0;

    boxes_copy(&left, boxes);
    boxes_drop_idle(&left, &room->rules->policy);
    for (enum sd_direction d = SD_TX; d <= SD_RX; d++) {
        struct compiled_use use = room_used(&left, &room->rules->policy, d);

        for (size_t i = 0; i < room->port_count; i++) {
            struct room_limit limits[ROOM_KINDS];

            room_limits(&use, &room->ports[i], d, limits);
            excess.filters[d] |=
                room_exceeded(&limits[ROOM_FILTERS]) || room_exceeded(&limits[ROOM_FILTERS_IPV6]);
            excess.counters[d] |=
                room_exceeded(&limits[ROOM_COUNTERS]) || room_exceeded(&limits[ROOM_COUNTERS_IPV6]);
        }
    }
    for (size_t i = 0; i < left.count; i++)
        out += left.items[i].direction == SD_TX;
    excess.handles = left.count > room->handles;
    excess.more_out = 2 * out >= left.count;
    boxes_free(&left);
    return excess;
}

/* One step towards the limits; false when there is none. */
static bool step(struct boxes *boxes, const struct ruleset *rules, const struct excess *excess)
{
    enum sd_direction larger = excess->more_out ? SD_TX : SD_RX, smaller = excess->more_out ? SD_RX : SD_TX;

    for (enum sd_direction d = SD_TX; d <= SD_RX; d++) {
        if (excess->counters[d])
            return give_up_counter(boxes, rules, d);
        if (excess->filters[d])
            return join_cheapest(boxes, d);
    }
    return join_cheapest(boxes, larger) || join_cheapest(boxes, smaller);
}

int boxes_widen(struct boxes *boxes, const struct ruleset *rules, const struct sd_limits *device,
                const struct sd_port_limits *ports, size_t port_count)
{
    struct room room = {rules, ports, port_count, SD_HANDLES_MAX};

    if (device && device->filters && device->filters < SD_HANDLES_MAX)
        room.handles = device->filters;
    if (boxes->count > BOXES_MAX)
        return -1;
    for (;;) {
        struct excess excess = look(boxes, &room);

        if (!excess.filters[SD_TX] && !excess.filters[SD_RX] && !excess.counters[SD_TX] &&
            !excess.counters[SD_RX] && !excess.handles)
            break;
        if (!step(boxes, rules, &excess))
            return -1;
    }
    boxes_drop_idle(boxes, &rules->policy);
    return 0;
}

/* --- telling --- */

#define NAMES_SHOWN 8

struct naming {
    uint32_t *rules; /* owned */
    size_t count;
};

static void take_rule(void *arg, uint32_t rule)
{
    struct naming *naming = arg;

    naming->rules = xreallocarray(naming->rules, naming->count + 1, sizeof(*naming->rules));
    naming->rules[naming->count++] = rule;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void names_text(const struct boxes *boxes, const struct box *box, const struct ruleset *rules,
                       struct buf *out)
{
    struct naming naming = {0};

    boxes_each_rule(boxes, box, take_rule, &naming);
    qsort(naming.rules, naming.count, sizeof(*naming.rules), by_number);
    for (size_t i = 0; i < naming.count && i < NAMES_SHOWN; i++)
        buf_printf(out, "%s'%s'", i > 0 ? ", " : "", rules->rules[naming.rules[i]].name);
    if (naming.count > NAMES_SHOWN)
        buf_printf(out, " and %zu more", naming.count - NAMES_SHOWN);
    free(naming.rules);
}

/* How many addresses of the far side the box lets in, and how many its rules said. */
static void addresses_text(const struct box *box, const struct boxes *before, struct buf *out)
{
    const struct net *far = box->direction == SD_TX ? &box->destination : &box->source;
    double said = 0, now = net_size(far);

    for (size_t i = 0; i < before->count; i++) {
        const struct box *old = &before->items[i];

        if (old->direction == box->direction && old->profile == box->profile && box_contains(box, old))
            said += net_size(old->direction == SD_TX ? &old->destination : &old->source);
    }
    if (now > said)
        buf_printf(out, ", which is %.0f remote addresses instead of %.0f", now, said);
}

static void tell_widened(const struct boxes *boxes, const struct box *box, const struct boxes *before,
                         const struct ruleset *rules, enum finding_level level, const char *verb,
                         struct findings *findings)
{
    struct buf names = buf_init(1000), text = buf_init(1000);
    struct sd_filter filter;

    names_text(boxes, box, rules, &names);
    box_to_filter(box, &filter);
    sd_filter_text(&filter, &text);
    addresses_text(box, before, &text);
    findings_add(findings, level, rules->rules[box->rule].place, NULL, "rules %s %s widened to: %s",
                 buf_str(&names), verb, buf_str(&text));
    buf_free(&names);
    buf_free(&text);
}

void widen_tell(const struct boxes *boxes, const struct boxes *before, const struct ruleset *rules,
                enum finding_level level, const char *verb, struct findings *findings)
{
    for (size_t i = 0; i < boxes->count; i++)
        if (boxes->items[i].widened)
            tell_widened(boxes, &boxes->items[i], before, rules, level, verb, findings);
    for (size_t i = 0; i < rules->count; i++) {
        bool counted = false, counts = false;

        for (size_t j = 0; j < before->count; j++)
            counted |= before->items[j].rule == i && sd_profile_counts(before->items[j].profile);
        for (size_t j = 0; j < boxes->count; j++)
            counts |= boxes->items[j].rule == i && sd_profile_counts(boxes->items[j].profile);
        if (counted && !counts)
            findings_add(findings, level, rules->rules[i].place, rules->rules[i].name, "%s counted no more",
                         verb);
    }
}
