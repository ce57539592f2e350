#include "filters/evaluate.h"

#include <stdlib.h>

#include "base/xalloc.h"

#define SLOTS_PER_RULE 6 /* two directions; version 4, 6, none */

/* --- one rule --- */

static bool side_fits(const struct side *side, const struct packet *packet, net_number address, uint16_t port)
{
    if (!side->any && !nets_hold(&side->nets, packet->version, address))
        return false;
    return side->ports.count == 0 || (packet->has_ports && ranges_hold(&side->ports, port));
}

static bool flags_fit(const struct match *match, const struct packet *packet)
{
    if ((match->tcp_on | match->tcp_off) == 0)
        return true;
    return packet->has_flags && (packet->tcp_flags & match->tcp_on) == match->tcp_on &&
           (packet->tcp_flags & match->tcp_off) == 0;
}

bool match_fits(const struct match *match, enum sd_direction direction, const struct packet *packet)
{
    static const uint8_t versions[] = {0, 4, 6};
    bool leaves = direction == SD_TX;
    uint16_t ethertype;

    if (!(leaves ? match->out : match->in))
        return false;
    for (size_t i = 0; i < 3; i++)
        if (match_has_version(match, versions[i]) && match_is_ethertype(match, versions[i], &ethertype) &&
            ethertype == packet->ethertype)
            return true;
    if (packet->version == 0 || !match_has_version(match, packet->version))
        return false;
    return (match->protocol < 0 || match->protocol == packet->protocol) && flags_fit(match, packet) &&
           side_fits(leaves ? &match->local : &match->remote, packet, packet->source, packet->source_port) &&
           side_fits(leaves ? &match->remote : &match->local, packet, packet->destination,
                     packet->destination_port);
}

bool packet_is_spoofed(const struct packet *packet, const struct nets *own)
{
    const net_number link_local = (net_number)0xfe80 << 112; /* fe80::/10 */

    if (packet->version == 0 || packet->source == 0 ||
        (packet->version == 6 && (packet->source & net_mask(6, 10)) == link_local))
        return false;
    return !nets_hold(own, packet->version, packet->source);
}

/* --- limits --- */

struct limits limits_init(const struct ruleset *rules)
{
    return (struct limits){.rules = rules,
                           .second = INT64_MIN,
                           .passed = xcalloc(rules->count + 1, SLOTS_PER_RULE * sizeof(uint32_t))};
}

void limits_free(struct limits *limits)
{
    free(limits->passed);
    limits->passed = NULL;
}

bool limit_take(struct limits *limits, size_t rule, enum sd_direction direction, uint16_t ethertype,
                int64_t now_ms)
{
    size_t slot = ethertype == SD_ETHERTYPE_IPV4 ? 1 : ethertype == SD_ETHERTYPE_IPV6 ? 2 : 0;
    int64_t second = now_ms / 1000;
    uint32_t *passed;

    if (second != limits->second) {
        for (size_t i = 0; i < limits->rules->count * SLOTS_PER_RULE; i++)
            limits->passed[i] = 0;
        limits->second = second;
    }
    passed = &limits->passed[rule * SLOTS_PER_RULE + (direction == SD_RX ? 3U : 0U) + slot];
    if (*passed >= limits->rules->rules[rule].rate)
        return true;
    (*passed)++;
    return false;
}

/* --- all rules --- */

struct verdict evaluate(const struct ruleset *rules, const struct nets *own, struct limits *limits,
                        enum sd_direction direction, const struct packet *packet, int64_t now_ms)
{
    const struct rules_policy *policy = &rules->policy;
    size_t passed_by = SIZE_MAX, dropped_by = SIZE_MAX;

    if (direction == SD_TX && policy->anti_spoof != SD_ANTI_SPOOF_OFF && own &&
        packet_is_spoofed(packet, own))
        return (struct verdict){true, BY_ANTI_SPOOFING, 0};
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->rules[i];
        bool drops = rule->action == RULE_DROP;
        size_t *by;

        if (!match_fits(&rule->match, direction, packet))
            continue;
        if (rule->action == RULE_LIMIT && limits)
            drops = limit_take(limits, i, direction, packet->ethertype, now_ms);
        by = drops ? &dropped_by : &passed_by;
        if (*by == SIZE_MAX)
            *by = i;
    }
    if (dropped_by != SIZE_MAX)
        return (struct verdict){true, BY_RULE, dropped_by};
    if (passed_by != SIZE_MAX)
        return (struct verdict){false, BY_RULE, passed_by};
    return (struct verdict){(direction == SD_TX ? policy->out : policy->in).drop, BY_DEFAULT, 0};
}
