#include "filters/net.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define PORT_MAX 65535

static unsigned width(uint8_t version)
{
    return version == 4 ? 32 : 128;
}

static net_number all_ones(uint8_t version)
{
    return version == 4 ? UINT32_MAX : ~(net_number)0;
}

net_number net_mask(uint8_t version, unsigned bits)
{
    if (bits == 0)
        return 0;
    if (bits >= width(version))
        return all_ones(version);
    return all_ones(version) & ~(((net_number)1 << (width(version) - bits)) - 1);
}

net_number net_last(const struct net *net)
{
    return net->address | (all_ones(net->version) & ~net_mask(net->version, net->bits));
}

bool net_contains(const struct net *outer, const struct net *inner)
{
    return outer->version == inner->version && outer->bits <= inner->bits &&
           (inner->address & net_mask(outer->version, outer->bits)) == outer->address;
}

struct net net_hull(const struct net *a, const struct net *b)
{
    struct net hull = *a;

    while (hull.bits > 0 && !net_contains(&hull, b)) {
        hull.bits--;
        hull.address &= net_mask(hull.version, hull.bits);
    }
    if (b->bits < hull.bits)
        hull = *b;
    return hull;
}

double net_size(const struct net *net)
{
    return ldexp(1.0, (int)(width(net->version) - net->bits));
}

net_number net_from_bytes(const uint8_t *p, uint8_t version)
{
    net_number number = 0;

    for (size_t i = 0; i < width(version) / 8; i++)
        number = number << 8 | p[i];
    return number;
}

void net_to_bytes(net_number address, uint8_t version, uint8_t out[16])
{
    size_t n = width(version) / 8;

    memset(out, 0, 16);
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(address >> (8 * (n - 1 - i)));
}

void net_address_text(net_number address, uint8_t version, struct buf *out)
{
    uint8_t bytes[16];
    char text[INET6_ADDRSTRLEN] = "?";

    net_to_bytes(address, version, bytes);
    inet_ntop(version == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text));
    buf_puts(out, text);
}

void net_text(const struct net *net, struct buf *out)
{
    net_address_text(net->address, net->version, out);
    if (net->bits < width(net->version))
        buf_printf(out, "/%u", net->bits);
}

/* --- lists of networks --- */

int nets_add(struct nets *list, const struct net *net, struct err *err)
{
    if (list->count >= NETS_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "more than %d networks in one list", NETS_MAX);
    /* grows by doubling: at every power of two */
    if ((list->count & (list->count - 1)) == 0)
        list->items = xreallocarray(list->items, list->count ? list->count * 2 : 1, sizeof(*list->items));
    list->items[list->count++] = *net;
    return 0;
}

int nets_add_range(struct nets *list, uint8_t version, net_number first, net_number last, struct err *err)
{
    while (first <= last) {
        struct net net = {.version = version, .bits = (uint8_t)width(version), .address = first};

        /* the largest network that begins here and does not pass the end */
        while (net.bits > 0) {
            struct net larger = net;

            larger.bits--;
            if ((first & ~net_mask(version, larger.bits) & all_ones(version)) != 0 ||
                net_last(&larger) > last)
                break;
            net = larger;
        }
        if (nets_add(list, &net, err) != 0)
            return -1;
        if (net_last(&net) == all_ones(version))
            break;
        first = net_last(&net) + 1;
    }
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct net *x = a, *y = b;

    if (x->version != y->version)
        return x->version < y->version ? -1 : 1;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return (x->bits > y->bits) - (x->bits < y->bits);
}

/* Two halves of one network. */
static bool siblings(const struct net *a, const struct net *b)
{
    return a->version == b->version && a->bits == b->bits && a->bits > 0 && a->address != b->address &&
           (b->address & net_mask(a->version, a->bits - 1U)) ==
               (a->address & net_mask(a->version, a->bits - 1U));
}

void nets_normalise(struct nets *list)
{
    size_t kept = 0;

    if (list->count < 2)
        return;
    qsort(list->items, list->count, sizeof(*list->items), by_place);
    for (size_t i = 0; i < list->count; i++) {
        struct net net = list->items[i];

        if (kept > 0 && net_contains(&list->items[kept - 1], &net))
            continue;
        /* joined halves may be one half of something larger */
        while (kept > 0 && siblings(&list->items[kept - 1], &net)) {
            net = list->items[--kept];
            net.bits--;
        }
        list->items[kept++] = net;
    }
    list->count = kept;
}

bool nets_hold(const struct nets *list, uint8_t version, net_number address)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct net *net = &list->items[i];

        if (net->version == version && (address & net_mask(version, net->bits)) == net->address)
            return true;
    }
    return false;
}

bool nets_contain(const struct nets *outer, const struct nets *inner)
{
    for (size_t i = 0; i < inner->count; i++) {
        bool held = false;

        for (size_t j = 0; j < outer->count && !held; j++)
            held = net_contains(&outer->items[j], &inner->items[i]);
        if (!held)
            return false;
    }
    return true;
}

bool nets_has_version(const struct nets *list, uint8_t version)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].version == version)
            return true;
    return false;
}

void nets_copy(struct nets *to, const struct nets *from)
{
    *to = (struct nets){0};
    for (size_t i = 0; i < from->count; i++)
        nets_add(to, &from->items[i], NULL);
}

void nets_free(struct nets *list)
{
    free(list->items);
    *list = (struct nets){0};
}

/* --- lists of ranges --- */

int ranges_add(struct ranges *list, unsigned first, unsigned last, struct err *err)
{
    if (first > last || last > PORT_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "ports %u-%u: expected 0 to 65535, the lower one first",
                       first, last);
    if (list->count >= RANGES_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "more than %d ranges of ports in one list", RANGES_MAX);
    if ((list->count & (list->count - 1)) == 0)
        list->items = xreallocarray(list->items, list->count ? list->count * 2 : 1, sizeof(*list->items));
    list->items[list->count++] = (struct range){(uint16_t)first, (uint16_t)last};
    return 0;
}

static int by_first(const void *a, const void *b)
{
    const struct range *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

void ranges_normalise(struct ranges *list)
{
    size_t kept = 0;

    if (list->count < 2)
        return;
    qsort(list->items, list->count, sizeof(*list->items), by_first);
    for (size_t i = 1; i < list->count; i++) {
        struct range *before = &list->items[kept], *range = &list->items[i];

        if (range->first <= before->last + 1U) {
            if (range->last > before->last)
                before->last = range->last;
        } else {
            list->items[++kept] = *range;
        }
    }
    list->count = kept + 1;
}

bool ranges_hold(const struct ranges *list, uint16_t port)
{
    for (size_t i = 0; i < list->count; i++)
        if (port >= list->items[i].first && port <= list->items[i].last)
            return true;
    return false;
}

bool ranges_contain(const struct ranges *outer, const struct ranges *inner)
{
    for (size_t i = 0; i < inner->count; i++) {
        bool held = false;

        for (size_t j = 0; j < outer->count && !held; j++)
            held = inner->items[i].first >= outer->items[j].first &&
                   inner->items[i].last <= outer->items[j].last;
        if (!held)
            return false;
    }
    return true;
}

void ranges_text(const struct ranges *list, struct buf *out)
{
    for (size_t i = 0; i < list->count; i++) {
        buf_printf(out, "%s%u", i ? "," : "", list->items[i].first);
        if (list->items[i].last != list->items[i].first)
            buf_printf(out, "-%u", list->items[i].last);
    }
}

void ranges_copy(struct ranges *to, const struct ranges *from)
{
    *to = (struct ranges){0};
    for (size_t i = 0; i < from->count; i++)
        ranges_add(to, from->items[i].first, from->items[i].last, NULL);
}

void ranges_free(struct ranges *list)
{
    free(list->items);
    *list = (struct ranges){0};
}
