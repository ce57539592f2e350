#include "wsman/system_defense_objects.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

#define PROTOCOL_ICMP   1
#define PROTOCOL_TCP    6
#define PROTOCOL_UDP    17
#define PROTOCOL_ICMPV6 58
#define TCP_FLAGS       63

bool sd_profile_counts(enum sd_profile profile)
{
    return profile == SD_PASS_COUNT || profile == SD_DROP_COUNT || profile == SD_RATE_LIMIT;
}

/* --- meaning --- */

static bool same_address(const struct sd_address *a, const struct sd_address *b)
{
    return a->given == b->given && (!a->given || (memcmp(a->address, b->address, sizeof(a->address)) == 0 &&
                                                  memcmp(a->mask, b->mask, sizeof(a->mask)) == 0));
}

static bool same_ports(const struct sd_ports *a, const struct sd_ports *b)
{
    return a->given == b->given && (!a->given || (a->start == b->start && a->end == b->end));
}

bool sd_filter_same(const struct sd_filter *a, const struct sd_filter *b)
{
    if (a->kind != b->kind || a->profile != b->profile || a->direction != b->direction ||
        a->event != b->event || (a->profile == SD_RATE_LIMIT && a->rate != b->rate))
        return false;
    if (a->kind == SD_ETHERNET)
        return a->ethertype == b->ethertype;
    return a->ip_version == b->ip_version && a->protocol_given == b->protocol_given &&
           (!a->protocol_given || a->protocol == b->protocol) && same_address(&a->source, &b->source) &&
           same_address(&a->destination, &b->destination) && same_ports(&a->source_ports, &b->source_ports) &&
           same_ports(&a->destination_ports, &b->destination_ports) && a->tcp_on == b->tcp_on &&
           a->tcp_off == b->tcp_off;
}

/* --- what hardware takes (sections 2.1 to 2.3) --- */

static int refuse(const struct sd_filter *filter, const char *why, struct err *err)
{
    return err_set(err, CAUSE_INVALID_ARGUMENT, "filter '%s': %s", filter->name, why);
}

static bool address_fits(const struct sd_address *a, uint8_t version)
{
    for (size_t i = 0; a->given && i < sizeof(a->address); i++) {
        if ((a->address[i] & ~a->mask[i]) != 0 || (version == 4 && i >= 4 && a->mask[i] != 0))
            return false;
    }
    return true;
}

static int check_ports(const struct sd_filter *f, struct err *err)
{
    const struct sd_ports *src = &f->source_ports, *dst = &f->destination_ports;

    if (!src->given && !dst->given)
        return 0;
    if (!f->protocol_given || (f->protocol != PROTOCOL_TCP && f->protocol != PROTOCOL_UDP))
        return refuse(f, "ports need TCP or UDP", err);
    if ((src->given && src->start > src->end) || (dst->given && dst->start > dst->end))
        return refuse(f, "a port range begins behind its end", err);
    if (src->given && dst->given && (src->start != src->end || dst->start != dst->end))
        return refuse(f, "a range of ports on one side leaves no room for ports on the other", err);
    return 0;
}

static int check_ip(const struct sd_filter *f, struct err *err)
{
    if (f->ip_version != 4 && f->ip_version != 6)
        return refuse(f, "the IP version is 4 or 6", err);
    if (!address_fits(&f->source, f->ip_version) || !address_fits(&f->destination, f->ip_version))
        return refuse(f, "an address holds bits outside its mask", err);
    if ((f->tcp_on | f->tcp_off) != 0 && (!f->protocol_given || f->protocol != PROTOCOL_TCP))
        return refuse(f, "TCP flags need TCP", err);
    if ((f->tcp_on & f->tcp_off) != 0 || ((f->tcp_on | f->tcp_off) & ~TCP_FLAGS) != 0)
        return refuse(f, "a TCP flag is unknown, or both on and off", err);
    return check_ports(f, err);
}

int sd_filter_check(const struct sd_filter *f, struct err *err)
{
    if (f->name[0] == '\0' || memchr(f->name, '\0', sizeof(f->name)) == NULL)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "a filter's name has 1 to %d characters", SD_NAME_MAX);
    if ((unsigned)f->profile > SD_DROP || (unsigned)f->direction > SD_RX)
        return refuse(f, "unknown profile or direction", err);
    if ((f->profile == SD_RATE_LIMIT) != (f->rate > 0))
        return refuse(f, "a rate belongs to the rate limit, and only there", err);
    if (f->kind == SD_ETHERNET)
        return f->ethertype > 0 ? 0 : refuse(f, "no EtherType", err);
    return check_ip(f, err);
}

/* --- text --- */

static const char *const profile_words[] = {"pass (counted)", "drop (counted)", "limit", "pass", "drop"};

static const struct {
    unsigned number;
    const char *word;
} ethertypes[] = {{SD_ETHERTYPE_IPV4, "ipv4"},
                  {SD_ETHERTYPE_ARP, "arp"},
                  {SD_ETHERTYPE_IPV6, "ipv6"},
                  {SD_ETHERTYPE_8021X, "eapol"}},
  protocols[] = {
      {PROTOCOL_ICMP, "icmp"}, {PROTOCOL_TCP, "tcp"}, {PROTOCOL_UDP, "udp"}, {PROTOCOL_ICMPV6, "icmpv6"}};

static void address_text(const struct sd_address *a, uint8_t version, struct buf *out)
{
    int family = version == 6 ? AF_INET6 : AF_INET;
    size_t bytes = version == 6 ? 16 : 4;
    unsigned bits = 0;
    char text[INET6_ADDRSTRLEN] = "?", mask[INET6_ADDRSTRLEN] = "?";
    bool prefix = true;

    inet_ntop(family, a->address, text, sizeof(text));
    inet_ntop(family, a->mask, mask, sizeof(mask));
    for (size_t i = 0; i < bytes * 8; i++) {
        bool set = (a->mask[i / 8] >> (7 - i % 8)) & 1;

        prefix &= !set || bits == i;
        bits += set;
    }
    if (!prefix)
        buf_printf(out, "%s/%s", text, mask);
    else if (bits == bytes * 8)
        buf_puts(out, text);
    else
        buf_printf(out, "%s/%u", text, bits);
}

static void side_text(const char *word, const struct sd_address *a, const struct sd_ports *ports,
                      uint8_t version, struct buf *out)
{
    if (!a->given && !ports->given)
        return;
    buf_printf(out, " %s ", word);
    if (a->given)
        address_text(a, version, out);
    if (!ports->given)
        return;
    buf_puts(out, a->given ? " port " : "port ");
    if (ports->start == ports->end)
        buf_printf(out, "%u", ports->start);
    else
        buf_printf(out, "%u-%u", ports->start, ports->end);
}

void sd_filter_text(const struct sd_filter *f, struct buf *out)
{
    buf_printf(out, "%s %s", f->direction == SD_TX ? "tx" : "rx",
               (unsigned)f->profile <= SD_DROP ? profile_words[f->profile] : "?");
    if (f->profile == SD_RATE_LIMIT)
        buf_printf(out, " %u/s", f->rate);
    if (f->kind == SD_ETHERNET) {
        for (size_t i = 0; i < sizeof(ethertypes) / sizeof(ethertypes[0]); i++) {
            if (ethertypes[i].number == f->ethertype) {
                buf_printf(out, " %s", ethertypes[i].word);
                return;
            }
        }
        buf_printf(out, " ethertype 0x%04x", f->ethertype);
        return;
    }
    buf_printf(out, " ipv%u", f->ip_version);
    for (size_t i = 0; f->protocol_given && i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        if (protocols[i].number == f->protocol) {
            buf_printf(out, " %s", protocols[i].word);
            break;
        }
        if (i + 1 == sizeof(protocols) / sizeof(protocols[0]))
            buf_printf(out, " protocol %u", f->protocol);
    }
    side_text("from", &f->source, &f->source_ports, f->ip_version, out);
    side_text("to", &f->destination, &f->destination_ports, f->ip_version, out);
    if (f->tcp_on != 0)
        buf_printf(out, " flags on 0x%02x", f->tcp_on);
    if (f->tcp_off != 0)
        buf_printf(out, " flags off 0x%02x", f->tcp_off);
}
