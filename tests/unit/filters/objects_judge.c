#include "tests/unit/filters/objects_judge.h"

#include <string.h>

static bool address_matches(const struct sd_address *condition, net_number address, uint8_t version)
{
    uint8_t bytes[16] = {0};
    size_t n = version == 4 ? 4 : 16;

    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(address >> 8 * (n - 1 - i));
    for (size_t i = 0; condition->given && i < n; i++)
        if ((bytes[i] & condition->mask[i]) != condition->address[i])
            return false;
    return true;
}

static bool port_matches(const struct sd_ports *condition, const struct packet *packet, uint16_t port)
{
    return !condition->given || (packet->has_ports && port >= condition->start && port <= condition->end);
}

static bool matches(const struct sd_filter *filter, const struct packet *packet)
{
    if (filter->kind == SD_ETHERNET)
        return packet->ethertype == filter->ethertype;
    if (packet->version != filter->ip_version)
        return false;
    if (filter->protocol_given && packet->protocol != filter->protocol)
        return false;
    if (filter->tcp_on || filter->tcp_off) {
        if (!packet->has_flags || (packet->tcp_flags & filter->tcp_on) != filter->tcp_on ||
            (packet->tcp_flags & filter->tcp_off) != 0)
            return false;
    }
    return address_matches(&filter->source, packet->source, packet->version) &&
           address_matches(&filter->destination, packet->destination, packet->version) &&
           port_matches(&filter->source_ports, packet, packet->source_port) &&
           port_matches(&filter->destination_ports, packet, packet->destination_port);
}

/* 1.4: neither its own, nor none yet, nor, of IPv6, one of the link. */
static bool is_spoofed(const struct objects *objects, const struct packet *packet)
{
    if (packet->version == 4)
        return packet->source != 0 && packet->source != objects->own4;
    return packet->version == 6 && packet->source != 0 && packet->source >> 118 != 0x3fa &&
           packet->source != objects->own6;
}

bool objects_drop(struct objects *objects, enum sd_direction direction, const struct packet *packet,
                  int64_t second)
{
    bool any = false, drop = false;

    if (second != objects->second) {
        memset(objects->passed, 0, sizeof(objects->passed));
        objects->second = second;
    }
    if (direction == SD_TX && objects->compiled->policy.anti_spoof && is_spoofed(objects, packet))
        return true;
    for (size_t i = 0; i < objects->compiled->count; i++) {
        const struct sd_filter *filter = &objects->compiled->filters[i].filter;

        if (filter->direction != direction || !matches(filter, packet))
            continue;
        any = true;
        objects->hits[i]++;
        if (filter->profile == SD_DROP || filter->profile == SD_DROP_COUNT)
            drop = true;
        else if (filter->profile == SD_RATE_LIMIT && objects->passed[i]++ >= filter->rate)
            drop = true;
    }
    if (any)
        return drop;
    return direction == SD_TX ? objects->compiled->policy.tx.drop : objects->compiled->policy.rx.drop;
}
