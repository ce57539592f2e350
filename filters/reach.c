#include "filters/reach.h"

#include <assert.h>
#include <string.h>

#include "filters/rules.h"

#define PROTOCOL_ICMP   1
#define PROTOCOL_TCP    6
#define PROTOCOL_ICMPV6 58
#define PORTS_OF_NEED   4 /* that are tried, the first ones */

static_assert(REACH_NAME_MAX == RULE_NAME_MAX, "names of needs fit");

/* Of a machine that may be asked anything: one of them answers, be it with a refusal. */
static const uint16_t usual_ports[] = {22, 445, 3389};

struct ways {
    struct reach_way *items;
    size_t count;
};

static void add(struct ways *ways, const struct need *need, uint16_t port)
{
    struct reach_way *way = &ways->items[ways->count];

    for (size_t i = 0; i < ways->count; i++)
        if (ways->items[i].port == port)
            return;
    if (ways->count == REACH_WAYS_MAX)
        return;
    memcpy(way->need, need->name, sizeof(way->need));
    way->port = port;
    ways->count++;
}

static void add_ports(struct ways *ways, const struct need *need)
{
    const struct ranges *ports = &need->match.local.ports;
    size_t left = PORTS_OF_NEED;

    for (size_t i = 0; i < ports->count; i++)
        for (uint32_t port = ports->items[i].first; port <= ports->items[i].last && left > 0; port++, left--)
            add(ways, need, (uint16_t)port);
    for (size_t i = 0; ports->count == 0 && i < sizeof(usual_ports) / sizeof(usual_ports[0]); i++)
        add(ways, need, usual_ports[i]);
}

/* The server may begin: from its address, and from a port that it does not have to have. */
static bool may_begin(const struct match *match, uint8_t version, net_number server)
{
    const struct side *remote = &match->remote;

    return match->in && match->out && match->ethertype == 0 && (version == 4 ? match->v4 : match->v6) &&
           remote->ports.count == 0 && match->tcp_on == 0 && match->tcp_off == 0 &&
           (remote->any || nets_hold(&remote->nets, version, server));
}

size_t reach_ways(const struct ruleset *rules, uint8_t version, net_number server,
                  struct reach_way out[REACH_WAYS_MAX])
{
    struct ways ways = {out, 0};
    int ping = version == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;

    for (size_t i = 0; i < rules->need_count; i++) {
        const struct need *need = &rules->needs[i];
        int protocol = need->match.protocol;

        if (!may_begin(&need->match, version, server))
            continue;
        if (protocol == PROTOCOL_TCP || protocol < 0)
            add_ports(&ways, need);
        if (protocol == ping || protocol < 0)
            add(&ways, need, 0);
    }
    return ways.count;
}
