#include "filters/sentence.h"

#include <ctype.h>
#include <string.h>

#include "filters/words.h"
#include "wsman/system_defense_objects.h"

#define NETS_SHOWN      6
#define PROTOCOL_ICMP   1
#define PROTOCOL_ICMPV6 58

static void upper_text(struct buf *out, size_t from)
{
    for (size_t i = from; i < out->len; i++)
        out->p[i] = (uint8_t)toupper(out->p[i]);
}

static void what_text(const struct match *match, struct buf *out)
{
    uint16_t ethertype;
    size_t from = out->len;

    if (match_is_ethertype(match, 0, &ethertype)) {
        ethertype_text(ethertype, out);
        if (ethertype == SD_ETHERTYPE_ARP || ethertype == SD_ETHERTYPE_8021X)
            upper_text(out, from);
    } else if (match->protocol < 0) {
        buf_printf(out, "all %s", match->v4 && match->v6 ? "IP" : match->v4 ? "IPv4" : "IPv6");
    } else if (match->protocol == PROTOCOL_ICMP || match->protocol == PROTOCOL_ICMPV6) {
        buf_puts(out, match->protocol == PROTOCOL_ICMP ? "ICMP" : "ICMPv6");
    } else {
        buf_puts(out, match->v4 && match->v6 ? "" : match->v4 ? "IPv4 " : "IPv6 ");
        from = out->len;
        protocol_text(match->protocol, out);
        if (strncmp(buf_str(out) + from, "protocol", 8) != 0)
            upper_text(out, from);
    }
}

static void addresses_text(const struct nets *nets, struct buf *out)
{
    for (size_t i = 0; i < nets->count && i < NETS_SHOWN; i++) {
        buf_puts(out, i == 0 ? "" : i + 1 == nets->count ? " or " : ", ");
        net_text(&nets->items[i], out);
    }
    if (nets->count > NETS_SHOWN)
        buf_printf(out, " or %zu more networks", nets->count - NETS_SHOWN);
}

static void side_text(const struct side *side, bool local, struct buf *out)
{
    bool many = side->ports.count > 1 ||
                (side->ports.count == 1 && side->ports.items[0].first != side->ports.items[0].last);

    if (side->ports.count > 0) {
        buf_puts(out, many ? "ports " : "port ");
        ranges_text(&side->ports, out);
        buf_puts(out, " of ");
    }
    if (local)
        buf_puts(out, "this host");
    else if (side->any)
        buf_puts(out, "any address");
    if (side->any)
        return;
    buf_puts(out, local ? " at " : "");
    addresses_text(&side->nets, out);
}

void match_sentence(const struct match *match, struct buf *out)
{
    bool narrow = match->ethertype == 0 && !(match->local.any && match->remote.any &&
                                             match->local.ports.count == 0 && match->remote.ports.count == 0);
    const struct side *from = match->out ? &match->local : &match->remote;
    const struct side *to = match->out ? &match->remote : &match->local;

    what_text(match, out);
    if (!narrow) {
        buf_puts(out, match->out && match->in ? ", both ways" : match->out ? ", out" : ", in");
    } else {
        buf_puts(out, match->out && match->in ? " between " : " from ");
        side_text(from, from == &match->local, out);
        buf_puts(out, match->out && match->in ? " and " : " to ");
        side_text(to, to == &match->local, out);
    }
    if (match->tcp_on | match->tcp_off) {
        buf_puts(out, ", with flags ");
        tcp_flags_text(match->tcp_on, match->tcp_off, out);
    }
}

void rule_sentence(const struct rule *rule, struct buf *out)
{
    if (rule->action == RULE_LIMIT)
        buf_printf(out, "Passes at most %u packets a second of ", rule->rate);
    else
        buf_puts(out, rule->action == RULE_PASS ? "Passes " : "Drops ");
    match_sentence(&rule->match, out);
    if (rule->count && rule->event)
        buf_puts(out, "; counts them, and tells of the first");
    else if (rule->count || rule->event)
        buf_puts(out, rule->count ? "; counts them" : "; tells of the first");
    buf_putc(out, '.');
}

void policy_sentence(const struct rules_policy *policy, bool alone, struct buf *out)
{
    const char *rest = alone ? "Everything" : "Everything else";

    if (policy->out.drop == policy->in.drop)
        buf_printf(out, "%s %s, both ways", rest, policy->out.drop ? "is dropped" : "passes");
    else
        buf_printf(out, "%s %s on its way out, and %s on its way in", rest,
                   policy->out.drop ? "is dropped" : "passes", policy->in.drop ? "is dropped" : "passes");
    if (policy->anti_spoof != SD_ANTI_SPOOF_OFF)
        buf_puts(out, "; packets with a false source address are dropped");
    if (policy->timeout_minutes > 0)
        buf_printf(out, "; the hardware takes all of it back after %u minutes", policy->timeout_minutes);
    buf_putc(out, '.');
}
