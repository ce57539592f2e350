#include "filters/join.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define COMPARE(a, b)                                                                                        \
    if ((a) != (b))                                                                                          \
    return (a) < (b) ? -1 : 1

/* --- overlaps --- */

/* The network on the far side: the one that tells boxes apart best. Networks are disjoint or one in the
 * other, so a walk in their order meets, on a stack, all that hold the present one. */
static struct net far_net(const struct box *box)
{
    struct net every = {0};

    if (box->version == 0)
        return every;
    return box->direction == SD_TX ? box->destination : box->source;
}

static int by_far_net(const void *pa, const void *pb, void *arg)
{
    const struct boxes *boxes = arg;
    const struct box *a = &boxes->items[*(const uint32_t *)pa], *b = &boxes->items[*(const uint32_t *)pb];
    struct net x = far_net(a), y = far_net(b);

    COMPARE(a->direction, b->direction);
    COMPARE(a->ethertype, b->ethertype);
    COMPARE(x.address, y.address);
    COMPARE(x.bits, y.bits);
    COMPARE(*(const uint32_t *)pa, *(const uint32_t *)pb);
    return 0;
}

static bool may_hold(const struct box *outer, const struct box *inner)
{
    struct net x = far_net(outer), y = far_net(inner);

    if (outer->direction != inner->direction || outer->ethertype != inner->ethertype)
        return false;
    y.version = x.version; /* an EtherType's box has none, and holds all */
    return x.bits == 0 || (y.bits > 0 && net_contains(&x, &y));
}

bool boxes_each_overlap(const struct boxes *boxes, overlap_fn *fn, void *arg)
{
    uint32_t *order = xreallocarray(NULL, boxes->count + 1, sizeof(*order));
    uint32_t *stack = xreallocarray(NULL, boxes->count + 1, sizeof(*stack));
    size_t depth = 0, compared = 0;

    for (size_t i = 0; i < boxes->count; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, boxes->count, sizeof(*order), by_far_net, (void *)boxes);
    for (size_t i = 0; i < boxes->count && compared <= JOIN_PAIRS_MAX; i++) {
        const struct box *box = &boxes->items[order[i]];

        while (depth > 0 && !may_hold(&boxes->items[stack[depth - 1]], box))
            depth--;
        for (size_t j = 0; j < depth; j++)
            if (box_overlaps(&boxes->items[stack[j]], box))
                fn(arg, stack[j], order[i]);
        compared += depth;
        stack[depth++] = order[i];
    }
    free(order);
    free(stack);
    return compared <= JOIN_PAIRS_MAX;
}

/* --- boxes held by others --- */

struct marks {
    struct boxes *boxes;
    bool *gone;
};

/* What counts, limits or tells holds only what fits exactly the same: a device takes no filter twice. */
static void mark_held(void *arg, size_t a, size_t b)
{
    struct marks *marks = arg;
    struct box *x = &marks->boxes->items[a], *y = &marks->boxes->items[b];
    bool plain = box_is_plain(x) && box_is_plain(y), x_holds = box_contains(x, y),
         y_holds = box_contains(y, x);

    if (marks->gone[a] || marks->gone[b] || x->profile != y->profile || x->rate != y->rate ||
        x->event != y->event || (!plain && !(x_holds && y_holds)))
        return;
    if (x_holds) {
        boxes_join_rules(marks->boxes, x, y);
        marks->gone[b] = true;
    } else if (y_holds) {
        boxes_join_rules(marks->boxes, y, x);
        marks->gone[a] = true;
    }
}

static void sweep(struct boxes *boxes, const bool *gone)
{
    size_t kept = 0;

    for (size_t i = 0; i < boxes->count; i++)
        if (!gone[i])
            boxes->items[kept++] = boxes->items[i];
    boxes->count = kept;
}

static void drop_held(struct boxes *boxes)
{
    struct marks marks = {boxes, xcalloc(boxes->count + 1, sizeof(bool))};

    boxes_each_overlap(boxes, mark_held, &marks);
    sweep(boxes, marks.gone);
    free(marks.gone);
}

/* --- neighbours --- */

enum dimension { SOURCE, DESTINATION, SOURCE_PORTS, DESTINATION_PORTS, DIMENSIONS };

static int compare_nets(const struct net *a, const struct net *b)
{
    COMPARE(a->address, b->address);
    COMPARE(a->bits, b->bits);
    return 0;
}

static int compare_ports(const struct box_ports *a, const struct box_ports *b)
{
    COMPARE(a->given, b->given);
    COMPARE(a->first, b->first);
    COMPARE(a->last, b->last);
    return 0;
}

static int compare_kind(const struct box *a, const struct box *b)
{
    COMPARE(a->direction, b->direction);
    COMPARE(a->profile, b->profile);
    COMPARE(a->rate, b->rate);
    COMPARE(a->event, b->event);
    COMPARE(a->ethertype, b->ethertype);
    COMPARE(a->version, b->version);
    COMPARE(a->protocol, b->protocol);
    COMPARE(a->tcp_on, b->tcp_on);
    COMPARE(a->tcp_off, b->tcp_off);
    if (!box_is_plain(a))
        COMPARE(a->rule, b->rule);
    return 0;
}

static int compare_dimension(const struct box *a, const struct box *b, enum dimension dimension)
{
    switch (dimension) {
    case SOURCE:
        return compare_nets(&a->source, &b->source);
    case DESTINATION:
        return compare_nets(&a->destination, &b->destination);
    case SOURCE_PORTS:
        return compare_ports(&a->source_ports, &b->source_ports);
    default:
        return compare_ports(&a->destination_ports, &b->destination_ports);
    }
}

/* All dimensions but one. */
static int compare_others(const struct box *a, const struct box *b, enum dimension but)
{
    int order = compare_kind(a, b);

    for (enum dimension d = SOURCE; d < DIMENSIONS && order == 0; d++)
        if (d != but)
            order = compare_dimension(a, b, d);
    return order;
}

static int by_others(const void *pa, const void *pb, void *arg)
{
    enum dimension but = *(const enum dimension *)arg;
    int order = compare_others(pa, pb, but);

    return order != 0 ? order : compare_dimension(pa, pb, but);
}

/* Joins b into a along one network; both alike in all else, a first in order. */
static bool join_nets(struct net *a, const struct net *b)
{
    struct net parent = *a;

    if (net_contains(a, b))
        return true;
    if (a->bits != b->bits || a->bits == 0)
        return false;
    parent.bits--;
    parent.address &= net_mask(parent.version, parent.bits);
    if (!net_contains(&parent, b))
        return false;
    *a = parent;
    return true;
}

/* The same for ports; a range needs the other side to say nothing. */
static bool join_ports(struct box_ports *a, const struct box_ports *b, const struct box_ports *other)
{
    if (!a->given || (a->first <= b->first && a->last >= b->last))
        return true;
    if (other->given || !b->given || b->first > a->last + 1U)
        return false;
    a->last = b->last;
    return true;
}

static bool join(struct box *a, const struct box *b, enum dimension dimension)
{
    switch (dimension) {
    case SOURCE:
        return join_nets(&a->source, &b->source);
    case DESTINATION:
        return join_nets(&a->destination, &b->destination);
    case SOURCE_PORTS:
        return join_ports(&a->source_ports, &b->source_ports, &a->destination_ports);
    default:
        return join_ports(&a->destination_ports, &b->destination_ports, &a->source_ports);
    }
}

static void join_along(struct boxes *boxes, enum dimension dimension)
{
    size_t kept = 0;

    if (boxes->count == 0)
        return;
    qsort_r(boxes->items, boxes->count, sizeof(*boxes->items), by_others, &dimension);
    for (size_t i = 0; i < boxes->count; i++) {
        struct box box = boxes->items[i];

        /* what was joined may be one half of something larger */
        while (kept > 0 && box.version != 0 && box.profile != SD_RATE_LIMIT &&
               compare_others(&boxes->items[kept - 1], &box, dimension) == 0 &&
               join(&boxes->items[kept - 1], &box, dimension)) {
            boxes_join_rules(boxes, &boxes->items[kept - 1], &box);
            boxes->items[kept - 1].widened |= box.widened;
            box = boxes->items[--kept];
        }
        boxes->items[kept++] = box;
    }
    boxes->count = kept;
}

/* --- what the default does anyway --- */

struct overlaps {
    const struct boxes *boxes;
    bool *crossed; /* a pass by a drop, or the other way round */
};

static void mark_crossed(void *arg, size_t a, size_t b)
{
    struct overlaps *overlaps = arg;

    if (box_drops(&overlaps->boxes->items[a]) != box_drops(&overlaps->boxes->items[b]))
        overlaps->crossed[a] = overlaps->crossed[b] = true;
}

void boxes_drop_idle(struct boxes *boxes, const struct rules_policy *policy)
{
    struct overlaps overlaps = {boxes, xcalloc(boxes->count + 1, sizeof(bool))};
    bool *gone = xcalloc(boxes->count + 1, sizeof(bool));

    if (boxes_each_overlap(boxes, mark_crossed, &overlaps)) {
        for (size_t i = 0; i < boxes->count; i++) {
            const struct box *box = &boxes->items[i];
            const struct rules_default *otherwise = box->direction == SD_TX ? &policy->out : &policy->in;

            gone[i] = box_is_plain(box) && otherwise->drop == box_drops(box) && !otherwise->count &&
                      !otherwise->event && /* a drop has work where it takes away from what passes */
                      !(box_drops(box) && overlaps.crossed[i]);
        }
        sweep(boxes, gone);
    }
    free(overlaps.crossed);
    free(gone);
}

void boxes_reduce(struct boxes *boxes)
{
    size_t before;

    do {
        before = boxes->count;
        drop_held(boxes);
        for (enum dimension d = SOURCE; d < DIMENSIONS; d++)
            join_along(boxes, d);
    } while (boxes->count < before);
}
