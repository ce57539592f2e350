#include "filters/matcher.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define LANES        4
#define PORT_NONE    65536 /* the port of a packet that has none: only 'any' holds it */
#define FLAGS_NONE   0x40  /* the flags of a packet that has none */
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17

typedef uint32_t lanes __attribute__((vector_size(LANES * 4)));
typedef int32_t signed_lanes __attribute__((vector_size(LANES * 4)));

/* Four rows. An address has one word (IPv4) or four; unused words are 0 under mask 0. */
struct rows4 {
    lanes source, source_mask, destination, destination_mask;
    signed_lanes source_first, source_last, destination_first, destination_last;
    lanes protocol, protocol_mask, flags, flags_mask;
    uint32_t rule[LANES];
};
struct rows6 {
    struct rows4 low; /* the lowest words, and everything else */
    lanes source[3], source_mask[3], destination[3], destination_mask[3];
};

/* What a packet of one direction, version and protocol meets. */
enum bucket_protocol { BUCKET_TCP, BUCKET_UDP, BUCKET_OTHER, BUCKETS };
struct bucket {
    struct rows6 *rows; /* owned */
    struct rows4 *rows_ipv4;
    size_t count, cap; /* rows */
};

struct ethernet_row {
    uint16_t ethertype;
    uint32_t rule;
};

struct matcher {
    const struct ruleset *rules;
    const struct nets *own;
    struct limits limits;
    struct bucket buckets[2][2][BUCKETS]; /* direction; IPv4, IPv6 */
    struct ethernet_row *ethernet[2];     /* owned */
    size_t ethernet_count[2];
    uint64_t (*hits)[2], (*drops)[2]; /* owned; by rule and direction */
    uint64_t default_hits[2];
    uint64_t spoofed;
};

/* --- rows --- */

struct row {
    struct net source, destination;
    struct range source_ports, destination_ports;
    bool source_any, destination_any; /* ports */
    const struct match *match;
    uint32_t rule;
};

static uint32_t word_of(net_number number, unsigned word)
{
    return (uint32_t)(number >> (32 * word));
}

/* No packet has all the ports in an empty range. */
static void clear_rows(struct rows4 *rows)
{
    memset(rows, 0, sizeof(*rows));
    rows->source_first = rows->source_first + PORT_NONE + 1;
}

static void set_row(struct rows4 *rows, size_t lane, const struct row *row)
{
    const struct match *match = row->match;
    uint8_t version = row->source.version;
    bool flags = (match->tcp_on | match->tcp_off) != 0;

    rows->source[lane] = word_of(row->source.address, 0);
    rows->source_mask[lane] = word_of(net_mask(version, row->source.bits), 0);
    rows->destination[lane] = word_of(row->destination.address, 0);
    rows->destination_mask[lane] = word_of(net_mask(version, row->destination.bits), 0);
    rows->source_first[lane] = row->source_any ? 0 : row->source_ports.first;
    rows->source_last[lane] = row->source_any ? PORT_NONE : row->source_ports.last;
    rows->destination_first[lane] = row->destination_any ? 0 : row->destination_ports.first;
    rows->destination_last[lane] = row->destination_any ? PORT_NONE : row->destination_ports.last;
    rows->protocol[lane] = match->protocol >= 0 ? (uint32_t)match->protocol : 0;
    rows->protocol_mask[lane] = match->protocol >= 0 ? 0xff : 0;
    rows->flags[lane] = match->tcp_on;
    rows->flags_mask[lane] = flags ? match->tcp_on | match->tcp_off | FLAGS_NONE : 0;
    rows->rule[lane] = row->rule;
}

static void set_high_words(struct rows6 *rows, size_t lane, const struct row *row)
{
    net_number source_mask = net_mask(6, row->source.bits);
    net_number destination_mask = net_mask(6, row->destination.bits);

    for (unsigned word = 1; word < 4; word++) {
        rows->source[word - 1][lane] = word_of(row->source.address, word);
        rows->source_mask[word - 1][lane] = word_of(source_mask, word);
        rows->destination[word - 1][lane] = word_of(row->destination.address, word);
        rows->destination_mask[word - 1][lane] = word_of(destination_mask, word);
    }
}

static void add_to_bucket(struct bucket *bucket, const struct row *row)
{
    size_t lane = bucket->count % LANES, last = bucket->count / LANES;
    bool six = row->source.version == 6;

    if (lane == 0 && last == bucket->cap) {
        bucket->cap = bucket->cap ? 2 * bucket->cap : 4;
        if (six)
            bucket->rows = xreallocarray(bucket->rows, bucket->cap, sizeof(*bucket->rows));
        else
            bucket->rows_ipv4 = xreallocarray(bucket->rows_ipv4, bucket->cap, sizeof(*bucket->rows_ipv4));
    }
    if (six) {
        if (lane == 0) {
            memset(&bucket->rows[last], 0, sizeof(bucket->rows[last]));
            clear_rows(&bucket->rows[last].low);
        }
        set_row(&bucket->rows[last].low, lane, row);
        set_high_words(&bucket->rows[last], lane, row);
    } else {
        if (lane == 0)
            clear_rows(&bucket->rows_ipv4[last]);
        set_row(&bucket->rows_ipv4[last], lane, row);
    }
    bucket->count++;
}

static void add_row(struct matcher *m, enum sd_direction direction, const struct row *row)
{
    struct bucket *buckets = m->buckets[direction][row->source.version == 6];
    int protocol = row->match->protocol;

    if (protocol < 0 || protocol == PROTOCOL_TCP)
        add_to_bucket(&buckets[BUCKET_TCP], row);
    if (protocol < 0 || protocol == PROTOCOL_UDP)
        add_to_bucket(&buckets[BUCKET_UDP], row);
    if (protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP)
        add_to_bucket(&buckets[BUCKET_OTHER], row);
}

/* --- building --- */

static void add_ports(struct matcher *m, enum sd_direction direction, struct row *row,
                      const struct side *source, const struct side *destination)
{
    static const struct range none;
    const struct range *from = source->ports.count ? source->ports.items : &none;
    const struct range *to = destination->ports.count ? destination->ports.items : &none;
    size_t from_count = source->ports.count ? source->ports.count : 1;
    size_t to_count = destination->ports.count ? destination->ports.count : 1;

    row->source_any = source->ports.count == 0;
    row->destination_any = destination->ports.count == 0;
    for (size_t i = 0; i < from_count; i++) {
        for (size_t j = 0; j < to_count; j++) {
            row->source_ports = from[i];
            row->destination_ports = to[j];
            add_row(m, direction, row);
        }
    }
}

static void add_version(struct matcher *m, enum sd_direction direction, uint8_t version,
                        const struct match *match, uint32_t rule)
{
    const struct side *source = direction == SD_TX ? &match->local : &match->remote;
    const struct side *destination = direction == SD_TX ? &match->remote : &match->local;
    const struct net every = {.version = version};
    const struct nets any = {(struct net *)&every, 1};
    const struct nets *from = source->any ? &any : &source->nets;
    const struct nets *to = destination->any ? &any : &destination->nets;
    struct row row = {.match = match, .rule = rule};

    for (size_t i = 0; i < from->count; i++) {
        for (size_t j = 0; j < to->count; j++) {
            row.source = from->items[i];
            row.destination = to->items[j];
            if (row.source.version == version && row.destination.version == version)
                add_ports(m, direction, &row, source, destination);
        }
    }
}

static void add_ethernet(struct matcher *m, enum sd_direction direction, uint16_t ethertype, uint32_t rule)
{
    size_t n = m->ethernet_count[direction]++;

    m->ethernet[direction] = xreallocarray(m->ethernet[direction], n + 1, sizeof(struct ethernet_row));
    m->ethernet[direction][n] = (struct ethernet_row){ethertype, rule};
}

static void add_rule(struct matcher *m, uint32_t index)
{
    static const uint8_t versions[] = {0, 4, 6};
    const struct match *match = &m->rules->rules[index].match;

    for (enum sd_direction d = SD_TX; d <= SD_RX; d++) {
        if (!(d == SD_TX ? match->out : match->in))
            continue;
        for (size_t i = 0; i < 3; i++) {
            uint16_t ethertype;

            if (!match_has_version(match, versions[i]))
                continue;
            if (match_is_ethertype(match, versions[i], &ethertype))
                add_ethernet(m, d, ethertype, index);
            else
                add_version(m, d, versions[i], match, index);
        }
    }
}

struct matcher *matcher_new(const struct ruleset *rules, const struct nets *own)
{
    struct matcher *m = xcalloc(1, sizeof(*m));

    m->rules = rules;
    m->own = own;
    m->limits = limits_init(rules);
    m->hits = xcalloc(rules->count + 1, sizeof(*m->hits));
    m->drops = xcalloc(rules->count + 1, sizeof(*m->drops));
    for (size_t i = 0; i < rules->count; i++)
        add_rule(m, (uint32_t)i);
    return m;
}

void matcher_free(struct matcher *m)
{
    if (!m)
        return;
    for (size_t d = 0; d < 2; d++) {
        for (size_t v = 0; v < 2; v++) {
            for (size_t p = 0; p < BUCKETS; p++) {
                free(m->buckets[d][v][p].rows);
                free(m->buckets[d][v][p].rows_ipv4);
            }
        }
        free(m->ethernet[d]);
    }
    limits_free(&m->limits);
    free(m->hits);
    free(m->drops);
    free(m);
}

/* --- judging --- */

/* A packet as rows are compared with it. */
struct probe {
    uint32_t source, destination, protocol, flags;
    int32_t source_port, destination_port;
    const struct packet *packet;
};

/* What the rules that fit have decided so far. */
struct decision {
    struct matcher *matcher;
    enum sd_direction direction;
    uint16_t ethertype;
    int64_t now_ms;
    uint32_t passed_by, dropped_by; /* the lowest rule each; UINT32_MAX none */
};

static void fits(struct decision *decision, uint32_t index)
{
    struct matcher *m = decision->matcher;
    enum rule_action action = m->rules->rules[index].action;
    bool drops = action == RULE_DROP;
    uint32_t *by;

    m->hits[index][decision->direction]++;
    if (action == RULE_LIMIT)
        drops = limit_take(&m->limits, index, decision->direction, decision->ethertype, decision->now_ms);
    by = drops ? &decision->dropped_by : &decision->passed_by;
    if (index < *by)
        *by = index;
}

/* All ones in the lanes whose row fits. */
static inline signed_lanes compare_rows(const struct rows4 *rows, const struct probe *probe)
{
    lanes differs = ((rows->source ^ probe->source) & rows->source_mask) |
                    ((rows->destination ^ probe->destination) & rows->destination_mask) |
                    ((rows->protocol ^ probe->protocol) & rows->protocol_mask) |
                    ((rows->flags ^ probe->flags) & rows->flags_mask);

    return (signed_lanes)(differs == 0) & (rows->source_first <= probe->source_port) &
           (rows->source_last >= probe->source_port) & (rows->destination_first <= probe->destination_port) &
           (rows->destination_last >= probe->destination_port);
}

static inline void take_lanes(struct decision *decision, const struct rows4 *rows, signed_lanes hit)
{
    uint64_t halves[2];

    memcpy(halves, &hit, sizeof(halves));
    if ((halves[0] | halves[1]) == 0)
        return;
    for (size_t lane = 0; lane < LANES; lane++)
        if (hit[lane])
            fits(decision, rows->rule[lane]);
}

static void judge_ipv4(struct decision *decision, const struct bucket *bucket, const struct probe *probe)
{
    for (size_t i = 0; i * LANES < bucket->count; i++) {
        const struct rows4 *rows = &bucket->rows_ipv4[i];

        take_lanes(decision, rows, compare_rows(rows, probe));
    }
}

static void judge_ipv6(struct decision *decision, const struct bucket *bucket, const struct probe *probe)
{
    for (size_t i = 0; i * LANES < bucket->count; i++) {
        const struct rows6 *rows = &bucket->rows[i];
        lanes differs = {0};

        for (unsigned word = 1; word < 4; word++) {
            differs |=
                (rows->source[word - 1] ^ word_of(probe->packet->source, word)) & rows->source_mask[word - 1];
            differs |= (rows->destination[word - 1] ^ word_of(probe->packet->destination, word)) &
                       rows->destination_mask[word - 1];
        }
        take_lanes(decision, &rows->low, (signed_lanes)(differs == 0) & compare_rows(&rows->low, probe));
    }
}

static void judge_ip(struct decision *decision, const struct packet *packet)
{
    struct probe probe = {.source = word_of(packet->source, 0),
                          .destination = word_of(packet->destination, 0),
                          .protocol = packet->protocol,
                          .flags = packet->has_flags ? packet->tcp_flags : FLAGS_NONE,
                          .source_port = packet->has_ports ? packet->source_port : PORT_NONE,
                          .destination_port = packet->has_ports ? packet->destination_port : PORT_NONE,
                          .packet = packet};
    enum bucket_protocol protocol = packet->protocol == PROTOCOL_TCP   ? BUCKET_TCP
                                    : packet->protocol == PROTOCOL_UDP ? BUCKET_UDP
                                                                       : BUCKET_OTHER;
    const struct bucket *bucket =
        &decision->matcher->buckets[decision->direction][packet->version == 6][protocol];

    if (packet->version == 4)
        judge_ipv4(decision, bucket, &probe);
    else
        judge_ipv6(decision, bucket, &probe);
}

struct verdict matcher_judge(struct matcher *m, enum sd_direction direction, const struct packet *packet,
                             int64_t now_ms)
{
    const struct rules_policy *policy = &m->rules->policy;
    struct decision decision = {.matcher = m,
                                .direction = direction,
                                .ethertype = packet->ethertype,
                                .now_ms = now_ms,
                                .passed_by = UINT32_MAX,
                                .dropped_by = UINT32_MAX};

    if (direction == SD_TX && policy->anti_spoof != SD_ANTI_SPOOF_OFF && m->own &&
        packet_is_spoofed(packet, m->own)) {
        m->spoofed++;
        return (struct verdict){true, BY_ANTI_SPOOFING, 0};
    }
    for (size_t i = 0; i < m->ethernet_count[direction]; i++)
        if (m->ethernet[direction][i].ethertype == packet->ethertype)
            fits(&decision, m->ethernet[direction][i].rule);
    if (packet->version != 0)
        judge_ip(&decision, packet);
    if (decision.dropped_by != UINT32_MAX) {
        m->drops[decision.dropped_by][direction]++;
        return (struct verdict){true, BY_RULE, decision.dropped_by};
    }
    if (decision.passed_by != UINT32_MAX)
        return (struct verdict){false, BY_RULE, decision.passed_by};
    m->default_hits[direction]++;
    return (struct verdict){(direction == SD_TX ? policy->out : policy->in).drop, BY_DEFAULT, 0};
}

/* --- counts --- */

uint64_t matcher_hits(const struct matcher *m, size_t rule, enum sd_direction direction)
{
    return m->hits[rule][direction];
}

uint64_t matcher_drops(const struct matcher *m, size_t rule, enum sd_direction direction)
{
    return m->drops[rule][direction];
}

uint64_t matcher_default_hits(const struct matcher *m, enum sd_direction direction)
{
    return m->default_hits[direction];
}

uint64_t matcher_spoofed(const struct matcher *m)
{
    return m->spoofed;
}
