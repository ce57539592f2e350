#include "tests/unit/filters/random_rules.h"

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

static void random_address(uint64_t *seed, struct buf *out)
{
    uint32_t bits = 28 + random_below(seed, 5), host = random_below(seed, 16);

    if (random_below(seed, 3) == 0) {
        bits = 124 + random_below(seed, 5);
        host &= ~((1U << (128 - bits)) - 1);
        buf_printf(out, "fe80::%x/%u", host, bits);
        return;
    }
    host &= ~((1U << (32 - bits)) - 1);
    buf_printf(out, "10.0.0.%u/%u", host, bits);
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
    static const char *const protocols[] = {"tcp", "udp", "icmp", "any"};
    static const char *const flags[] = {"syn", "!ack", "syn !ack", "rst"};
    static const char *const ethertypes[] = {"arp", "ipv4", "ipv6", "lldp"};
    static const char *const versions[] = {"4", "6", "both"};
    uint32_t protocol = random_below(seed, 4);

    if (random_below(seed, 6) == 0) {
        buf_printf(out, " ethertype='%s'", ethertypes[random_below(seed, COUNT(ethertypes))]);
        return;
    }
    buf_printf(out, " protocol='%s'", protocols[protocol]);
    if (protocol != 2 && random_below(seed, 2) == 0)
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
    uint32_t n = random_below(seed, most + 1);
    /* mixed files mostly contradict themselves */
    uint32_t drops = random_below(seed, 3) == 0 ? 5 : 40;

    buf_printf(out, "<policy default-out='%s' default-in='%s' count='%s'/>", actions[random_below(seed, 2)],
               actions[random_below(seed, 2)], random_below(seed, 2) ? "yes" : "no");
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

void random_packet(uint64_t *seed, struct packet *out)
{
    static const uint16_t ethertypes[] = {0x0800, 0x0800, 0x0800, 0x86dd, 0x0806, 0x88cc, 0x0800};
    static const uint8_t protocols[] = {6, 17, 1, 58, 47};

    *out = (struct packet){.ethertype = ethertypes[random_below(seed, COUNT(ethertypes))]};
    if (out->ethertype != 0x0800 && out->ethertype != 0x86dd)
        return;
    if (random_below(seed, 20) == 0)
        return;
    out->version = out->ethertype == 0x0800 ? 4 : 6;
    out->source = random_below(seed, 18);
    out->destination = random_below(seed, 18);
    out->source |= out->version == 4 ? 0x0a000000 : (net_number)0xfe80 << 112;
    out->destination |= out->version == 4 ? 0x0a000000 : (net_number)0xfe80 << 112;
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
