#include "filters/packet.h"

#include "base/bytes.h"
#include "filters/words.h"
#include "wsman/system_defense_objects.h"

#define MAC_BYTES        12
#define ETHERTYPE_MIN    1536
#define ETHERTYPE_VLAN   0x8100
#define ETHERTYPE_QINQ   0x88a8
#define IPV4_HEADER      20
#define IPV6_HEADER      40
#define FRAGMENT_OFFSET  0x1fff
#define PROTOCOL_TCP     6
#define PROTOCOL_UDP     17
#define TCP_FLAGS        0x3f
#define TCP_FLAGS_OFFSET 13

/* IPv6 extension headers (RFC 8200) that are skipped; what AH and ESP protect is theirs. */
enum {
    EXTENSION_HOP = 0,
    EXTENSION_ROUTING = 43,
    EXTENSION_FRAGMENT = 44,
    EXTENSION_OPTIONS = 60,
};

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void decode_transport(struct packet *out, struct rd *r)
{
    struct view header;

    if (out->protocol != PROTOCOL_TCP && out->protocol != PROTOCOL_UDP)
        return;
    header = rd_bytes(r, 4);
    if (header.n != 4)
        return;
    out->has_ports = true;
    out->source_port = be16(header.p);
    out->destination_port = be16(header.p + 2);
    if (out->protocol != PROTOCOL_TCP)
        return;
    header = rd_bytes(r, TCP_FLAGS_OFFSET + 1 - 4);
    if (header.n == 0)
        return;
    out->has_flags = true;
    out->tcp_flags = header.p[TCP_FLAGS_OFFSET - 4] & TCP_FLAGS;
}

static void decode_ipv4(struct packet *out, struct rd r)
{
    size_t all = r.n, total, options;
    struct view header = rd_bytes(&r, IPV4_HEADER);

    if (header.n != IPV4_HEADER || header.p[0] >> 4 != 4 || (header.p[0] & 15) < 5)
        return;
    options = (header.p[0] & 15U) * 4 - IPV4_HEADER;
    total = be16(header.p + 2);
    /* 0: the sender's network card was to fill it in */
    if (total != 0 && total < IPV4_HEADER + options)
        return;
    if (total != 0 && total < all)
        r = rd_init(r.p, total - IPV4_HEADER);
    rd_skip(&r, options);
    if (!rd_ok(&r))
        return;
    out->version = 4;
    out->protocol = header.p[9];
    out->source = net_from_bytes(header.p + 12, 4);
    out->destination = net_from_bytes(header.p + 16, 4);
    if ((be16(header.p + 6) & FRAGMENT_OFFSET) == 0)
        decode_transport(out, &r);
}

/* Skips extension headers; false where no transport header follows. */
static bool skip_extensions(struct packet *out, struct rd *r)
{
    for (int i = 0; i < PACKET_EXTENSIONS_MAX; i++) {
        struct view header;
        bool fragment = out->protocol == EXTENSION_FRAGMENT;

        if (!fragment && out->protocol != EXTENSION_HOP && out->protocol != EXTENSION_ROUTING &&
            out->protocol != EXTENSION_OPTIONS)
            return true;
        header = rd_bytes(r, 8);
        if (header.n != 8)
            return false;
        out->protocol = header.p[0];
        if (fragment && (be16(header.p + 2) >> 3) != 0)
            return false;
        if (!fragment)
            rd_skip(r, header.p[1] * 8U);
        if (!rd_ok(r))
            return false;
    }
    return false;
}

static void decode_ipv6(struct packet *out, struct rd r)
{
    struct view header = rd_bytes(&r, IPV6_HEADER);
    size_t length;

    if (header.n != IPV6_HEADER || header.p[0] >> 4 != 6)
        return;
    length = be16(header.p + 4);
    if (length != 0 && length < r.n) /* 0: longer than 16 bits say */
        r = rd_init(r.p, length);
    out->version = 6;
    out->protocol = header.p[6];
    out->source = net_from_bytes(header.p + 8, 6);
    out->destination = net_from_bytes(header.p + 24, 6);
    if (skip_extensions(out, &r))
        decode_transport(out, &r);
}

void packet_decode_payload(struct packet *out, uint16_t ethertype, const uint8_t *p, size_t n)
{
    struct rd r = rd_init(p, n);

    *out = (struct packet){.ethertype = ethertype};
    for (int i = 0;
         i < PACKET_TAGS_MAX && (out->ethertype == ETHERTYPE_VLAN || out->ethertype == ETHERTYPE_QINQ); i++) {
        rd_skip(&r, 2);
        out->ethertype = rd_be16(&r);
    }
    if (out->ethertype < ETHERTYPE_MIN)
        out->ethertype = 0;
    if (out->ethertype == SD_ETHERTYPE_IPV4)
        decode_ipv4(out, r);
    else if (out->ethertype == SD_ETHERTYPE_IPV6)
        decode_ipv6(out, r);
}

bool packet_decode(struct packet *out, const uint8_t *frame, size_t n)
{
    struct rd r = rd_init(frame, n);
    uint16_t ethertype;

    rd_skip(&r, MAC_BYTES);
    ethertype = rd_be16(&r);
    packet_decode_payload(out, ethertype, r.p, r.bad ? 0 : r.n);
    return rd_ok(&r);
}

bool packet_decode_ip(struct packet *out, const uint8_t *p, size_t n)
{
    bool four = n > 0 && p[0] >> 4 == 4;

    packet_decode_payload(out, four ? SD_ETHERTYPE_IPV4 : SD_ETHERTYPE_IPV6, p, n);
    return n > 0 && (four || p[0] >> 4 == 6);
}

/* --- text --- */

static void end_text(const struct packet *packet, net_number address, uint16_t port, struct buf *out)
{
    bool brackets = packet->version == 6 && packet->has_ports;

    if (brackets)
        buf_putc(out, '[');
    net_address_text(address, packet->version, out);
    if (brackets)
        buf_putc(out, ']');
    if (packet->has_ports)
        buf_printf(out, ":%u", port);
}

void packet_text(const struct packet *packet, struct buf *out)
{
    if (packet->version == 0) {
        if (packet->ethertype == 0)
            buf_puts(out, "802.3 frame");
        else
            ethertype_text(packet->ethertype, out);
        return;
    }
    protocol_word(packet->protocol, out);
    buf_putc(out, ' ');
    end_text(packet, packet->source, packet->source_port, out);
    buf_puts(out, " > ");
    end_text(packet, packet->destination, packet->destination_port, out);
    if (packet->has_flags && packet->tcp_flags != 0) {
        buf_puts(out, " flags ");
        tcp_flags_text(packet->tcp_flags, 0, out);
    }
}
