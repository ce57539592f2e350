#include "filters/cover.h"

#define STEPS_MAX 100000 /* pieces looked at; beyond it a box counts as not covered */
#define DEPTH_MAX 500    /* boxes that part one piece after the other */
#define PORT_MAX  65535

struct cover {
    const struct boxes *boxes;
    struct covered *out;
    unsigned steps, depth;
};

static void use_rule(struct covered *out, uint32_t rule)
{
    for (size_t i = 0; i < out->rule_count; i++)
        if (out->rules[i] == rule)
            return;
    if (out->rule_count < COVER_RULES_MAX)
        out->rules[out->rule_count++] = rule;
}

static bool covered_from(struct cover *cover, const struct box *piece, size_t from);

/* The piece less the network `inner`, as its halves on the way there; `net` is one of the piece's own. */
static bool split_net(struct cover *cover, const struct box *piece, struct net *net, const struct net *inner,
                      size_t from)
{
    while (net->bits < inner->bits) {
        struct net whole = *net, half = *net;

        half.bits++;
        if (!net_contains(&half, inner))
            half.address = net_last(&half) + 1;
        *net = half;
        net->address ^= net_mask(half.version, half.bits) & ~net_mask(whole.version, whole.bits);
        if (!covered_from(cover, piece, from + 1))
            return false;
        *net = half;
    }
    return covered_from(cover, piece, from);
}

/* The piece before, behind and within the ports of `inner`; `ports` are the piece's own. */
static bool split_ports(struct cover *cover, const struct box *piece, struct box_ports *ports,
                        const struct box_ports *inner, size_t from)
{
    struct box_ports whole = *ports;

    if (!whole.given)
        whole = (struct box_ports){true, 0, PORT_MAX};
    if (whole.first < inner->first) {
        *ports = (struct box_ports){true, whole.first, (uint16_t)(inner->first - 1)};
        if (!covered_from(cover, piece, from + 1))
            return false;
    }
    if (whole.last > inner->last) {
        *ports = (struct box_ports){true, (uint16_t)(inner->last + 1), whole.last};
        if (!covered_from(cover, piece, from + 1))
            return false;
    }
    *ports = (struct box_ports){true, whole.first > inner->first ? whole.first : inner->first,
                                whole.last < inner->last ? whole.last : inner->last};
    return covered_from(cover, piece, from);
}

static bool ports_inside(const struct box_ports *inner, const struct box_ports *outer)
{
    return !outer->given || (inner->given && inner->first >= outer->first && inner->last <= outer->last);
}

/* One box that fits part of the piece: the first dimension in which it is smaller parts the piece. */
static bool split(struct cover *cover, const struct box *whole, const struct box *by, size_t i)
{
    struct box piece = *whole;

    if ((by->protocol >= 0 && piece.protocol != by->protocol) || (by->tcp_on & ~piece.tcp_on) ||
        (by->tcp_off & ~piece.tcp_off) || piece.version == 0)
        return covered_from(cover, whole, i + 1);
    if (by->source.bits > piece.source.bits)
        return split_net(cover, &piece, &piece.source, &by->source, i);
    if (by->destination.bits > piece.destination.bits)
        return split_net(cover, &piece, &piece.destination, &by->destination, i);
    if (!ports_inside(&piece.source_ports, &by->source_ports))
        return split_ports(cover, &piece, &piece.source_ports, &by->source_ports, i);
    if (!ports_inside(&piece.destination_ports, &by->destination_ports))
        return split_ports(cover, &piece, &piece.destination_ports, &by->destination_ports, i);
    return false;
}

/* By the boxes from `from` on: those before it fit nothing of the piece. */
static bool covered_from(struct cover *cover, const struct box *piece, size_t from)
{
    bool covered;

    if (++cover->steps > STEPS_MAX || cover->depth >= DEPTH_MAX)
        return false;
    for (size_t i = from; i < cover->boxes->count; i++) {
        const struct box *box = &cover->boxes->items[i];

        if (box->direction != piece->direction || box_drops(box) || !box_overlaps(box, piece))
            continue;
        use_rule(cover->out, box->rule);
        cover->out->limited |= box->profile == SD_RATE_LIMIT;
        if (box_contains(box, piece))
            return true;
        cover->out->partly = true;
        cover->depth++;
        covered = split(cover, piece, box, i);
        cover->depth--;
        return covered;
    }
    return false;
}

void box_cover(const struct box *box, const struct boxes *boxes, const struct rules_policy *policy,
               struct covered *out)
{
    const struct rules_default *otherwise = box->direction == SD_TX ? &policy->out : &policy->in;
    struct cover cover = {.boxes = boxes, .out = out};

    *out = (struct covered){0};
    for (size_t i = 0; i < boxes->count; i++) {
        const struct box *other = &boxes->items[i];

        if (other->direction != box->direction || !box_overlaps(other, box))
            continue;
        out->limited |= other->profile == SD_RATE_LIMIT;
        if (!box_drops(other))
            continue;
        out->by_rule = true;
        out->partly = !box_contains(other, box);
        use_rule(out, other->rule);
        return;
    }
    out->passes = covered_from(&cover, box, 0) || !otherwise->drop;
}
