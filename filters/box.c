#include "filters/box.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define PROTOCOL_ICMP   1
#define PROTOCOL_TCP    6
#define PROTOCOL_UDP    17
#define PROTOCOL_ICMPV6 58

/* --- the list --- */

void boxes_add(struct boxes *boxes, const struct box *box)
{
    if (boxes->count == boxes->cap) {
        boxes->cap = boxes->cap ? 2 * boxes->cap : 64;
        boxes->items = xreallocarray(boxes->items, boxes->cap, sizeof(*boxes->items));
    }
    boxes->items[boxes->count++] = *box;
}

static bool stands_for(const struct boxes *boxes, const struct box *box, uint32_t rule)
{
    if (box->rule == rule)
        return true;
    for (uint32_t i = box->next; i != 0; i = boxes->links[i - 1].next)
        if (boxes->links[i - 1].rule == rule)
            return true;
    return false;
}

static void add_rule(struct boxes *boxes, struct box *box, uint32_t rule)
{
    if (stands_for(boxes, box, rule))
        return;
    if (boxes->link_count == boxes->link_cap) {
        boxes->link_cap = boxes->link_cap ? 2 * boxes->link_cap : 64;
        boxes->links = xreallocarray(boxes->links, boxes->link_cap, sizeof(*boxes->links));
    }
    boxes->links[boxes->link_count] = (struct box_link){rule, box->next};
    box->next = (uint32_t)++boxes->link_count;
}

void boxes_join_rules(struct boxes *boxes, struct box *into, const struct box *from)
{
    add_rule(boxes, into, from->rule);
    for (uint32_t i = from->next; i != 0; i = boxes->links[i - 1].next)
        add_rule(boxes, into, boxes->links[i - 1].rule);
}

void boxes_each_rule(const struct boxes *boxes, const struct box *box, void (*fn)(void *arg, uint32_t rule),
                     void *arg)
{
    fn(arg, box->rule);
    for (uint32_t i = box->next; i != 0; i = boxes->links[i - 1].next)
        fn(arg, boxes->links[i - 1].rule);
}

void boxes_copy(struct boxes *to, const struct boxes *from)
{
    *to = *from;
    to->items = xreallocarray(NULL, from->cap ? from->cap : 1, sizeof(*to->items));
    to->links = xreallocarray(NULL, from->link_cap ? from->link_cap : 1, sizeof(*to->links));
    if (from->count > 0)
        memcpy(to->items, from->items, from->count * sizeof(*to->items));
    if (from->link_count > 0)
        memcpy(to->links, from->links, from->link_count * sizeof(*to->links));
}

void boxes_free(struct boxes *boxes)
{
    free(boxes->items);
    free(boxes->links);
    *boxes = (struct boxes){0};
}

/* --- from a rule --- */

static enum sd_profile profile_of(const struct rule *rule)
{
    if (rule->action == RULE_LIMIT)
        return SD_RATE_LIMIT;
    if (rule->action == RULE_DROP)
        return rule->count ? SD_DROP_COUNT : SD_DROP;
    return rule->count ? SD_PASS_COUNT : SD_PASS;
}

/* What all boxes of a rule in one direction and version share, and where they go. */
struct making {
    const struct rule *rule;
    const struct box_options *options;
    const struct ranges *source_ports, *destination_ports;
    struct box box;
    struct boxes *out;
    struct findings *findings;
    bool failed;
};

static size_t ports_in(const struct ranges *ranges)
{
    size_t n = 0;

    for (size_t i = 0; i < ranges->count; i++)
        n += ranges->items[i].last - ranges->items[i].first + 1U;
    return n;
}

static struct box_ports whole(const struct range *range)
{
    return (struct box_ports){true, range->first, range->last};
}

/* One side's ranges; the other side says nothing. */
static void make_one_side(struct making *m, const struct ranges *ranges, struct box_ports *place)
{
    for (size_t i = 0; i < ranges->count; i++) {
        *place = whole(&ranges->items[i]);
        boxes_add(m->out, &m->box);
    }
    *place = (struct box_ports){0};
}

/* Single ports on both sides are the only pairs there are. */
static void make_pairs(struct making *m)
{
    struct box *box = &m->box;

    for (size_t i = 0; i < m->source_ports->count; i++) {
        const struct range *s = &m->source_ports->items[i];

        for (unsigned from = s->first; from <= s->last; from++) {
            box->source_ports = (struct box_ports){true, (uint16_t)from, (uint16_t)from};
            for (size_t j = 0; j < m->destination_ports->count; j++) {
                const struct range *d = &m->destination_ports->items[j];

                for (unsigned to = d->first; to <= d->last; to++) {
                    box->destination_ports = (struct box_ports){true, (uint16_t)to, (uint16_t)to};
                    boxes_add(m->out, box);
                }
            }
        }
    }
    box->source_ports = box->destination_ports = (struct box_ports){0};
}

static void make_ranges(struct making *m)
{
    for (size_t i = 0; i < m->source_ports->count; i++) {
        m->box.source_ports = whole(&m->source_ports->items[i]);
        make_one_side(m, m->destination_ports, &m->box.destination_ports);
    }
    m->box.source_ports = (struct box_ports){0};
}

static void make_ports(struct making *m)
{
    size_t sources = ports_in(m->source_ports), destinations = ports_in(m->destination_ports);
    bool leaves = m->box.direction == SD_TX;

    if (sources == 0 && destinations == 0)
        boxes_add(m->out, &m->box);
    else if (destinations == 0)
        make_one_side(m, m->source_ports, &m->box.source_ports);
    else if (sources == 0)
        make_one_side(m, m->destination_ports, &m->box.destination_ports);
    else if (m->options->any_ports)
        make_ranges(m);
    else if (sources * destinations <= BOX_UNFOLD_MAX)
        make_pairs(m);
    else if (m->options->widen_ports && m->rule->action == RULE_PASS)
        make_one_side(m, leaves ? m->destination_ports : m->source_ports,
                      leaves ? &m->box.destination_ports : &m->box.source_ports);
    else
        m->failed = true;
}

static void make_protocols(struct making *m)
{
    const int protocols[] = {PROTOCOL_TCP, PROTOCOL_UDP,
                             m->box.version == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6};

    if (m->box.protocol >= 0 || !m->options->name_protocols) {
        make_ports(m);
        return;
    }
    for (size_t i = 0; i < 3; i++) {
        m->box.protocol = protocols[i];
        make_ports(m);
    }
    m->box.protocol = -1;
}

static void make_addresses(struct making *m, const struct side *source, const struct side *destination)
{
    const struct net any = {.version = m->box.version};
    const struct nets every = {(struct net *)&any, 1};
    const struct nets *from = source->any ? &every : &source->nets;
    const struct nets *to = destination->any ? &every : &destination->nets;

    for (size_t i = 0; i < from->count; i++) {
        if (from->items[i].version != m->box.version)
            continue;
        m->box.source = from->items[i];
        for (size_t j = 0; j < to->count; j++) {
            if (to->items[j].version != m->box.version)
                continue;
            m->box.destination = to->items[j];
            make_protocols(m);
        }
    }
}

/* The boxes of a rule for one version (0: its EtherType); returns how many. */
static size_t make_version(struct making *m, uint8_t version)
{
    const struct match *match = &m->rule->match;
    bool leaves = m->box.direction == SD_TX;
    size_t before = m->out->count;
    uint16_t ethertype;

    if (!match_has_version(match, version))
        return 0;
    if (match_is_ethertype(match, version, &ethertype)) {
        m->box.version = 0;
        m->box.ethertype = ethertype;
        boxes_add(m->out, &m->box);
        return 1;
    }
    m->box.version = version;
    m->box.ethertype = version == 4 ? SD_ETHERTYPE_IPV4 : SD_ETHERTYPE_IPV6;
    m->box.protocol = match->protocol;
    m->box.tcp_on = match->tcp_on;
    m->box.tcp_off = match->tcp_off;
    make_addresses(m, leaves ? &match->local : &match->remote, leaves ? &match->remote : &match->local);
    return m->out->count - before;
}

void boxes_of_rule(const struct rule *rule, uint32_t index, enum sd_direction direction,
                   const struct box_options *options, struct boxes *out, struct findings *findings)
{
    static const uint8_t versions[] = {0, 4, 6};
    const struct match *match = &rule->match;
    bool leaves = direction == SD_TX;
    struct making m = {.rule = rule,
                       .options = options,
                       .source_ports = leaves ? &match->local.ports : &match->remote.ports,
                       .destination_ports = leaves ? &match->remote.ports : &match->local.ports,
                       .out = out,
                       .findings = findings};

    if (!(leaves ? match->out : match->in))
        return;
    for (size_t i = 0; i < 3; i++) {
        size_t made;

        m.box = (struct box){.direction = direction,
                             .profile = profile_of(rule),
                             .rate = rule->rate,
                             .event = rule->event,
                             .protocol = -1,
                             .rule = index};
        made = make_version(&m, versions[i]);
        if (rule->action == RULE_LIMIT && made > 1 && findings)
            findings_add(
                findings, FINDING_ERROR, rule->place, rule->name,
                "a limit must fit one filter in each direction, and this one takes %zu: expected one "
                "network and one range of ports",
                made);
    }
    if (m.failed && findings)
        findings_add(findings, FINDING_ERROR, rule->place, rule->name,
                     "the hardware takes ports on both sides only one by one, and these lists have %zu pairs "
                     "(at most %d): expected fewer, or ports on one side only",
                     ports_in(m.source_ports) * ports_in(m.destination_ports), BOX_UNFOLD_MAX);
}

/* --- comparing --- */

static bool ports_contain(const struct box_ports *outer, const struct box_ports *inner)
{
    return !outer->given || (inner->given && outer->first <= inner->first && outer->last >= inner->last);
}

static bool ports_overlap(const struct box_ports *a, const struct box_ports *b)
{
    return !a->given || !b->given || (a->first <= b->last && b->first <= a->last);
}

static bool nets_overlap(const struct net *a, const struct net *b)
{
    return net_contains(a, b) || net_contains(b, a);
}

bool box_contains(const struct box *outer, const struct box *inner)
{
    if (outer->ethertype != inner->ethertype || outer->version == 0)
        return outer->ethertype == inner->ethertype;
    return inner->version == outer->version && (outer->protocol < 0 || outer->protocol == inner->protocol) &&
           (outer->tcp_on & ~inner->tcp_on) == 0 && (outer->tcp_off & ~inner->tcp_off) == 0 &&
           ports_contain(&outer->source_ports, &inner->source_ports) &&
           ports_contain(&outer->destination_ports, &inner->destination_ports) &&
           net_contains(&outer->source, &inner->source) &&
           net_contains(&outer->destination, &inner->destination);
}

bool box_overlaps(const struct box *a, const struct box *b)
{
    if (a->ethertype != b->ethertype || a->version == 0 || b->version == 0)
        return a->ethertype == b->ethertype;
    return (a->protocol < 0 || b->protocol < 0 || a->protocol == b->protocol) &&
           (a->tcp_on & b->tcp_off) == 0 && (a->tcp_off & b->tcp_on) == 0 &&
           ports_overlap(&a->source_ports, &b->source_ports) &&
           ports_overlap(&a->destination_ports, &b->destination_ports) &&
           nets_overlap(&a->source, &b->source) && nets_overlap(&a->destination, &b->destination);
}

bool box_is_plain(const struct box *box)
{
    return !sd_profile_counts(box->profile) && !box->event;
}

bool box_drops(const struct box *box)
{
    return box->profile == SD_DROP || box->profile == SD_DROP_COUNT;
}

/* --- to a filter --- */

static void set_address(struct sd_address *out, const struct net *net)
{
    if (net->bits == 0)
        return;
    out->given = true;
    net_to_bytes(net->address, net->version, out->address);
    net_to_bytes(net_mask(net->version, net->bits), net->version, out->mask);
}

static void set_ports(struct sd_ports *out, const struct box_ports *ports)
{
    *out = (struct sd_ports){ports->given, ports->first, ports->last};
}

void box_to_filter(const struct box *box, struct sd_filter *out)
{
    *out = (struct sd_filter){.kind = box->version == 0 ? SD_ETHERNET : SD_IP,
                              .profile = box->profile,
                              .direction = box->direction,
                              .event = box->event,
                              .rate = box->rate};
    if (out->kind == SD_ETHERNET) {
        out->ethertype = box->ethertype;
        return;
    }
    out->ip_version = box->version;
    out->protocol_given = box->protocol >= 0;
    out->protocol = out->protocol_given ? (uint8_t)box->protocol : 0;
    out->tcp_on = box->tcp_on;
    out->tcp_off = box->tcp_off;
    set_address(&out->source, &box->source);
    set_address(&out->destination, &box->destination);
    set_ports(&out->source_ports, &box->source_ports);
    set_ports(&out->destination_ports, &box->destination_ports);
}
