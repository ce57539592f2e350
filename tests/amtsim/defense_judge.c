#include "tests/amtsim/defense_judge.h"

#include <string.h>

#include "base/bytes.h"
#include "tests/amtsim/alerts.h"
#include "tests/amtsim/record.h"

enum {
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TYPE_VLAN = 0x8100,
    TYPE_QINQ = 0x88a8,
    IP_TCP = 6,
    IP_UDP = 17,
    TAGS_MAX = 2,
    EXTENSIONS_MAX = 8,
};

/* What filters can look at. */
struct packet {
    uint16_t ethertype;
    uint8_t version;           /* 4, 6; 0: no IP, or not readable */
    bool has_ports, has_flags; /* the first fragment */
    uint8_t protocol;
    uint8_t source[16], destination[16];
    uint16_t source_port, destination_port;
    uint8_t flags;
    struct rd payload; /* behind UDP's header */
};

/* --- reading --- */

static void read_transport(struct packet *p, struct rd *r)
{
    if (p->protocol != IP_TCP && p->protocol != IP_UDP)
        return;
    p->source_port = rd_be16(r);
    p->destination_port = rd_be16(r);
    p->has_ports = rd_ok(r);
    if (p->protocol == IP_TCP) {
        rd_skip(r, 9); /* sequence, acknowledgement, data offset */
        p->flags = rd_u8(r) & 0x3f;
        p->has_flags = rd_ok(r);
    } else {
        rd_skip(r, 4);
        p->payload = *r;
    }
}

static void read_ipv4(struct packet *p, struct rd *r)
{
    uint8_t first = rd_u8(r);
    size_t header = (size_t)(first & 15) * 4;
    rd_skip(r, 1);
    size_t total = rd_be16(r);
    rd_skip(r, 2);
    uint16_t fragment = rd_be16(r);
    rd_skip(r, 1);
    p->protocol = rd_u8(r);
    rd_skip(r, 2);
    rd_copy(r, p->source, 4);
    rd_copy(r, p->destination, 4);
    if (!rd_ok(r) || first >> 4 != 4 || header < 20 || (total != 0 && total < header))
        return;
    if (total != 0 && total - 20 < r->n) /* the rest only fills the frame; 0: left to the network card */
        *r = rd_init(r->p, total - 20);
    rd_skip(r, header - 20);
    if (!rd_ok(r))
        return;
    p->version = 4;
    if ((fragment & 0x1fff) == 0)
        read_transport(p, r);
}

/* Behind the extension headers; false: no transport header is in this packet. */
static bool skip_extensions(struct packet *p, struct rd *r)
{
    for (unsigned i = 0; i < EXTENSIONS_MAX; i++) {
        uint8_t kind = p->protocol;
        if (kind != 0 && kind != 43 && kind != 44 && kind != 60)
            return true;
        p->protocol = rd_u8(r);
        uint8_t length = rd_u8(r);
        if (kind == 44) {
            uint16_t fragment = rd_be16(r);
            rd_skip(r, 4);
            if ((fragment & 0xfff8) != 0)
                return false;
            continue;
        }
        rd_skip(r, (size_t)length * 8 + 6);
    }
    return false;
}

static void read_ipv6(struct packet *p, struct rd *r)
{
    uint8_t first = rd_u8(r);
    rd_skip(r, 5);
    p->protocol = rd_u8(r);
    rd_skip(r, 1);
    rd_copy(r, p->source, 16);
    rd_copy(r, p->destination, 16);
    if (!rd_ok(r) || first >> 4 != 6)
        return;
    p->version = 6;
    if (skip_extensions(p, r) && rd_ok(r))
        read_transport(p, r);
}

static void read_packet(struct packet *p, const void *frame, size_t n)
{
    struct rd r = rd_init(frame, n);
    memset(p, 0, sizeof(*p));
    rd_skip(&r, 12);
    p->ethertype = rd_be16(&r);
    for (unsigned i = 0; i < TAGS_MAX && (p->ethertype == TYPE_VLAN || p->ethertype == TYPE_QINQ); i++) {
        rd_skip(&r, 2);
        p->ethertype = rd_be16(&r);
    }
    if (p->ethertype == TYPE_IPV4)
        read_ipv4(p, &r);
    else if (p->ethertype == TYPE_IPV6)
        read_ipv6(p, &r);
}

/* --- fitting --- */

static bool fits_address(const struct defense_address *a, const uint8_t *address, size_t n)
{
    for (size_t i = 0; a->given && i < n; i++) {
        if ((address[i] & a->mask[i]) != a->address[i])
            return false;
    }
    return true;
}

static bool fits_port(const struct defense_range *r, const struct packet *p, uint16_t port)
{
    return !r->given || (p->has_ports && port >= r->start && port <= r->end);
}

static bool fits(const struct defense_filter *f, const struct packet *p)
{
    if (!f->ip)
        return p->ethertype == f->ethertype;
    size_t n = f->version == 6 ? 16 : 4;
    bool flags = f->flags_on == 0 && f->flags_off == 0;
    return p->version == f->version && (!f->has_protocol || p->protocol == f->protocol) &&
           fits_address(&f->source, p->source, n) && fits_address(&f->destination, p->destination, n) &&
           fits_port(&f->source_ports, p, p->source_port) &&
           fits_port(&f->destination_ports, p, p->destination_port) &&
           (flags ||
            (p->has_flags && (p->flags & f->flags_on) == f->flags_on && (p->flags & f->flags_off) == 0));
}

/* --- judging --- */

static void note(struct device *d, struct defense_row *row, bool counts, bool tells, unsigned port)
{
    row->packets += counts;
    if (!row->matched && tells) {
        record_defense(d, RECORD_FILTER_EVENT, row->of, port);
        alert_raise(d, ALERT_DEFENSE_TRIGGERED);
    }
    row->matched = true;
}

/* A packet that fits a rate limit; true while the second has room. */
static bool within_limit(struct device *d, struct defense_row *row, uint32_t limit)
{
    int64_t second = device_mono_ms(d) / 1000;
    if (row->second != second) {
        row->second = second;
        row->passed = 0;
    }
    if (row->passed == limit)
        return false;
    row->passed++;
    return true;
}

static bool lets_pass(struct device *d, const struct defense_filter *f, struct defense_row *row)
{
    switch (f->profile) {
    case DEFENSE_DROP:
    case DEFENSE_DROP_COUNT:
        return false;
    case DEFENSE_LIMIT:
        return within_limit(d, row, f->limit);
    default:
        return true;
    }
}

static struct defense_row *row_of(struct defense_live *live, uint32_t of)
{
    size_t i = 0;
    while (live->rows[i].of != of)
        i++;
    return &live->rows[i];
}

/* An own address, none yet, or one of the link alone. */
static bool is_spoofed(const struct device *d, unsigned port, const struct packet *p)
{
    static const uint8_t none[16];
    const struct defense_limits *l = defense_limits(d, port);
    if (p->version == 4)
        return l->spoof4 && memcmp(p->source, none, 4) != 0 && !defense_own_address(d, port, p->source, 4);
    bool local = p->source[0] == 0xfe && (p->source[1] & 0xc0) == 0x80;
    return p->version == 6 && l->spoof6 && !local && memcmp(p->source, none, 16) != 0 &&
           !defense_own_address(d, port, p->source, 16);
}

/* The host's lease is the device's: an acknowledgement to the client tells the address. (1.7) */
static void learn(struct device *d, unsigned port, const struct packet *p)
{
    struct rd r = p->payload;
    uint8_t yours[4];
    if (p->version != 4 || !p->has_ports || p->protocol != IP_UDP || p->source_port != 67 || rd_u8(&r) != 2)
        return;
    rd_skip(&r, 15);
    rd_copy(&r, yours, 4);
    rd_skip(&r, 216);
    if (rd_be32(&r) != 0x63825363 || !rd_ok(&r))
        return;
    for (uint8_t option = rd_u8(&r); rd_ok(&r) && option != 255; option = rd_u8(&r)) {
        struct rd value = rd_sub(&r, option != 0 ? rd_u8(&r) : 0);
        if (option == 53 && rd_u8(&value) == 5 && rd_ok(&value))
            defense_learn(d, port, yours, 4);
    }
}

bool defense_judge(struct device *d, unsigned port, enum defense_direction direction, const void *frame,
                   size_t n)
{
    struct packet p;
    struct defense_live *live = defense_live(d, port);
    const struct defense_policy *policy = defense_policy(d, live->policy);
    bool any = false, pass = true;
    read_packet(&p, frame, n);
    if (direction == DEFENSE_RX)
        learn(d, port, &p);
    if (policy == NULL)
        return true;
    if (direction == DEFENSE_TX && policy->anti_spoof != 0 && is_spoofed(d, port, &p)) {
        note(d, row_of(live, DEFENSE_ROW_SPOOF), policy->anti_spoof & 2, policy->anti_spoof & 1, port);
        return false;
    }
    for (size_t i = 0; i < policy->count; i++) {
        const struct defense_filter *f = defense_filter(d, policy->handles[i]);
        if (f->direction != direction || !fits(f, &p))
            continue;
        struct defense_row *row = row_of(live, f->handle);
        any = true;
        note(d, row, f->profile <= DEFENSE_LIMIT, f->event, port);
        pass = lets_pass(d, f, row) && pass;
    }
    if (any)
        return pass;
    const struct defense_rest *rest = &policy->rest[direction];
    note(d, row_of(live, direction == DEFENSE_TX ? DEFENSE_ROW_TX : DEFENSE_ROW_RX), rest->count, rest->event,
         port);
    return !rest->drop;
}
