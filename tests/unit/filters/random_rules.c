#include "tests/unit/filters/random_rules.h"

#include <stdlib.h>

#include "tests/unit/filters/text_file.h"

#define PORTS    12
#define COUNT(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))

/* xorshift64*: the same numbers on every machine */
uint32_t random_below(uint64_t *seed, uint32_t n)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (uint32_t)((*seed * 0x2545f4914f6cdd1dULL) >> 33) % n;
}

static void random_ports(uint64_t *seed, struct buf *out)
{
    uint32_t n = 1 + random_below(seed, 3);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t first = random_below(seed, PORTS), last = first + random_below(seed, 3);

        buf_printf(out, i ? ",%u" : "%u", first);
        if (last > first)
            buf_printf(out, "-%u", last);
    }
}

/* One of the addresses that packets have: of IPv4, or of two networks of IPv6. */
static const char *const networks[] = {"10.0.0.", "fe80::", "2001:db8::"};

static void random_address(uint64_t *seed, struct buf *out)
{
    uint32_t network = random_below(seed, 3), six = network > 0, wide = random_below(seed, 5);
    uint32_t host = random_below(seed, 16), last = host + random_below(seed, 4), block = 1U << wide;
    const char *text = networks[network];

    if (random_below(seed, 4) == 0) {
        buf_printf(out, six ? "%s%x-" : "%s%u-", text, host);
        buf_printf(out, six ? "%s%x" : "%s%u", text, last);
        return;
    }
    buf_printf(out, six ? "%s%x" : "%s%u", text, host & ~(block - 1));
    if (!six && random_below(seed, 4) == 0)
        buf_printf(out, "/255.255.255.%u", 256 - block);
    else if (wide > 0 || random_below(seed, 2) == 0)
        buf_printf(out, "/%u", (six ? 128 : 32) - wide);
}

static void random_addresses(uint64_t *seed, struct buf *out)
{
    uint32_t n = 1 + random_below(seed, 3);

    for (uint32_t i = 0; i < n; i++) {
        buf_puts(out, i ? " " : "");
        random_address(seed, out);
    }
}

static void random_match(uint64_t *seed, struct buf *out)
{
    /* the first two have ports; the last three go with addresses of one version only */
    static const char *const protocols[] = {"tcp", "udp", "any", "gre", "47", "icmp", "icmpv6", "igmp"};
    static const char *const flags[] = {"syn", "!ack", "syn !ack", "rst"};
    static const char *const ethertypes[] = {"arp", "ipv4", "ipv6", "lldp", "0x88cc", "34958"};
    static const char *const versions[] = {"4", "6", "both"};
    uint32_t protocol = random_below(seed, random_below(seed, 2) ? 2 : COUNT(protocols));

    if (random_below(seed, 6) == 0) {
        buf_printf(out, " ethertype='%s'", ethertypes[random_below(seed, COUNT(ethertypes))]);
        return;
    }
    buf_printf(out, " protocol='%s'", protocols[protocol]);
    if (protocol < 5 && random_below(seed, 2) == 0)
        buf_printf(out, " ip='%s'", versions[random_below(seed, COUNT(versions))]);
    for (int local = 0; local < 2; local++) {
        if (random_below(seed, 2) == 0) {
            buf_printf(out, " %s='", local ? "local" : "remote");
            random_addresses(seed, out);
            buf_puts(out, "'");
        }
        if (protocol < 2 && random_below(seed, 2) == 0) {
            buf_printf(out, " %s-ports='", local ? "local" : "remote");
            random_ports(seed, out);
            buf_puts(out, "'");
        }
    }
    if (protocol == 0 && random_below(seed, 4) == 0)
        buf_printf(out, " tcp-flags='%s'", flags[random_below(seed, COUNT(flags))]);
}

void random_body(uint64_t *seed, unsigned most, struct buf *out)
{
    static const char *const actions[] = {"pass", "drop"}, *const ways[] = {"both", "out", "in"};
    static const char *const spoofing[] = {"no", "no", "no", "yes", "count", "event"};
    uint32_t n = random_below(seed, most + 1);
    /* mixed files mostly contradict themselves */
    uint32_t drops = random_below(seed, 3) == 0 ? 5 : 40;

    buf_printf(out, "<policy default-out='%s' default-in='%s' count='%s' anti-spoofing='%s'/>",
               actions[random_below(seed, 2)], actions[random_below(seed, 2)],
               random_below(seed, 2) ? "yes" : "no", spoofing[random_below(seed, COUNT(spoofing))]);
    for (uint32_t i = 0; i < n; i++) {
        buf_printf(out, "<filter name='r%u' direction='%s'", i, ways[random_below(seed, 3)]);
        random_match(seed, out);
        if (random_below(seed, 8) == 0)
            buf_printf(out, " action='limit' rate='%u'", 1 + random_below(seed, 3));
        else
            buf_printf(out, " action='%s'", actions[random_below(seed, drops) == 0]);
        buf_printf(out, " count='%s'/>\n", random_below(seed, 4) ? "no" : "yes");
    }
}

/* Mostly from the world of the rules, or not there yet, or from nowhere. */
static net_number random_end(uint64_t *seed, uint8_t version)
{
    net_number host = random_below(seed, 18);

    switch (random_below(seed, 12)) {
    case 0:
        return 0;
    case 1:
        return version == 4 ? 0xa9fe0000 | host : (net_number)0xfc << 120 | host;
    case 2:
    case 3:
    case 4:
        return version == 4 ? 0x0a000003 : (net_number)0x20010db8 << 96 | 3;
    default:
        if (version == 4)
            return 0x0a000000 | host;
        return (random_below(seed, 2) ? (net_number)0xfe80 << 112 : (net_number)0x20010db8 << 96) | host;
    }
}

void random_packet(uint64_t *seed, struct packet *out)
{
    static const uint16_t ethertypes[] = {0x0800, 0x0800, 0x0800, 0x86dd, 0x86dd, 0x0806, 0x88cc, 0x888e};
    static const uint8_t protocols[] = {6, 6, 17, 17, 1, 2, 47, 50, 51, 58};

    *out = (struct packet){.ethertype = ethertypes[random_below(seed, COUNT(ethertypes))]};
    if (out->ethertype != 0x0800 && out->ethertype != 0x86dd)
        return;
    if (random_below(seed, 20) == 0)
        return;
    out->version = out->ethertype == 0x0800 ? 4 : 6;
    out->source = random_end(seed, out->version);
    out->destination = random_end(seed, out->version);
    out->protocol = protocols[random_below(seed, COUNT(protocols))];
    out->has_ports = (out->protocol == 6 || out->protocol == 17) && random_below(seed, 10) > 0;
    out->has_flags = out->protocol == 6 && out->has_ports && random_below(seed, 20) > 0;
    if (out->has_flags)
        out->tcp_flags = (uint8_t)random_below(seed, 64);
    if (!out->has_ports)
        return;
    out->source_port = (uint16_t)random_below(seed, PORTS + 4);
    out->destination_port = (uint16_t)random_below(seed, PORTS + 4);
}

/* --- frames --- */

static void put16(struct buf *out, uint32_t value)
{
    buf_putc(out, (char)(value >> 8));
    buf_putc(out, (char)value);
}

static void put_zeros(struct buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_putc(out, 0);
}

static void put_address(struct buf *out, net_number address, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        buf_putc(out, (char)(address >> 8 * i));
}

/* What the packet has of TCP or UDP. */
static void put_transport(const struct packet *packet, struct buf *out)
{
    if (!packet->has_ports) {
        put_zeros(out, 3); /* even of the ports not all is there */
        return;
    }
    put16(out, packet->source_port);
    put16(out, packet->destination_port);
    put_zeros(out, packet->has_flags ? 9 : 4);
    if (packet->has_flags) {
        buf_putc(out, (char)packet->tcp_flags);
        put_zeros(out, 6);
    }
}

/* Without ports it is a later fragment, half of the time. */
static bool is_later(uint64_t *seed, const struct packet *packet)
{
    return !packet->has_ports && random_below(seed, 2) == 0;
}

static void put_ipv4(uint64_t *seed, const struct packet *packet, struct buf *out)
{
    uint32_t options = random_below(seed, 4) == 0 ? 1 + random_below(seed, 10) : 0;
    bool later = is_later(seed, packet);
    struct buf transport = buf_init(100);

    put_transport(packet, &transport);
    if (later)
        put_zeros(&transport, 20);
    buf_putc(out, (char)(0x45 + options));
    buf_putc(out, 0);
    put16(out, random_below(seed, 10) == 0 ? 0 : (uint32_t)(20 + 4 * options + transport.len));
    put16(out, 7);
    put16(out, later ? 1 + random_below(seed, 0x1fff) : random_below(seed, 3) << 13);
    buf_putc(out, 64);
    buf_putc(out, (char)packet->protocol);
    put16(out, 0);
    put_address(out, packet->source, 4);
    put_address(out, packet->destination, 4);
    put_zeros(out, (size_t)4 * options);
    buf_add(out, transport.p, transport.len);
    buf_free(&transport);
}

static void put_ipv6(uint64_t *seed, const struct packet *packet, struct buf *out)
{
    static const uint8_t kinds[] = {0, 43, 60, 44};
    uint8_t chain[4] = {0}; /* which headers come, then the protocol */
    uint32_t n = random_below(seed, 3) == 0 ? 1 + random_below(seed, 2) : 0;
    struct buf body = buf_init(400);
    bool later = is_later(seed, packet);

    for (uint32_t i = 0; i < n; i++)
        chain[i] = kinds[random_below(seed, COUNT(kinds))];
    if (later)
        chain[n++] = 44;
    chain[n] = packet->protocol;
    for (uint32_t i = 0; i < n; i++) {
        bool fragment = chain[i] == 44, last = later && i == n - 1;
        uint32_t more = fragment ? 0 : random_below(seed, 3);

        buf_putc(&body, (char)chain[i + 1]);
        buf_putc(&body, fragment ? 0 : (char)more);
        put16(&body, last ? (1 + random_below(seed, 0x1fff)) << 3 : fragment);
        put_zeros(&body, 4 + (size_t)8 * more);
    }
    put_transport(packet, &body);
    put16(out, 0x6000);
    put16(out, 0);
    put16(out, random_below(seed, 10) == 0 ? 0 : (uint32_t)body.len);
    buf_putc(out, (char)chain[0]);
    buf_putc(out, 64);
    put_address(out, packet->source, 16);
    put_address(out, packet->destination, 16);
    buf_add(out, body.p, body.len);
    buf_free(&body);
}

void random_frame(uint64_t *seed, const struct packet *packet, struct buf *out)
{
    uint32_t tags = random_below(seed, 4) == 0 ? 1 + random_below(seed, 2) : 0;

    put_zeros(out, 12);
    for (uint32_t i = 0; i < tags; i++) {
        put16(out, random_below(seed, 2) ? 0x8100 : 0x88a8);
        put16(out, random_below(seed, 4096));
    }
    put16(out, packet->ethertype);
    if (packet->version == 4)
        put_ipv4(seed, packet, out);
    else if (packet->version == 6)
        put_ipv6(seed, packet, out);
    else
        put_zeros(out, random_below(seed, 46)); /* of no version, or cut off */
}

/* --- many files --- */

static uint64_t number_of(const char *variable, uint64_t usual)
{
    const char *text = getenv(variable);

    return text ? strtoull(text, NULL, 10) : usual;
}

uint64_t random_sets(uint64_t usual)
{
    return number_of("AMTD_TEST_SETS", usual);
}

uint64_t random_start(uint64_t seed)
{
    return number_of("AMTD_TEST_SEED", seed);
}

uint64_t random_files(uint64_t usual, uint64_t seed, unsigned most,
                      void (*fn)(const char *body, const struct ruleset *rules, uint64_t *seed))
{
    uint64_t sets = random_sets(usual);

    seed = random_start(seed);
    for (uint64_t i = 0; i < sets; i++) {
        struct buf body = buf_init(100000);
        struct filter_file *file;
        struct ruleset *rules;

        random_body(&seed, most, &body);
        rules = rules_of(buf_str(&body), NULL, &file);
        fn(buf_str(&body), rules, &seed);
        ruleset_free(rules);
        filter_file_free(file);
        buf_free(&body);
    }
    return sets;
}
