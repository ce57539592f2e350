#include "filters/rules.h"

#include <stdlib.h>

#include "wsman/system_defense_objects.h"

void match_clear(struct match *match)
{
    nets_free(&match->local.nets);
    nets_free(&match->remote.nets);
    ranges_free(&match->local.ports);
    ranges_free(&match->remote.ports);
}

static size_t at_least_one(size_t n)
{
    return n ? n : 1;
}

size_t match_combinations(const struct match *match)
{
    return at_least_one(match->local.nets.count) * at_least_one(match->remote.nets.count) *
           at_least_one(match->local.ports.count) * at_least_one(match->remote.ports.count);
}

/* "0.0.0.0/0" says as little as "any". */
static bool holds_all(const struct nets *nets, uint8_t version)
{
    for (size_t i = 0; i < nets->count; i++)
        if (nets->items[i].version == version && nets->items[i].bits == 0)
            return true;
    return false;
}

static bool side_says_nothing(const struct side *side, uint8_t version)
{
    return (side->any || holds_all(&side->nets, version)) && side->ports.count == 0;
}

bool match_is_ethertype(const struct match *match, uint8_t version, uint16_t *ethertype)
{
    if (match->ethertype != 0) {
        *ethertype = match->ethertype;
        return version == 0;
    }
    if (version == 0 || match->protocol >= 0 || !side_says_nothing(&match->local, version) ||
        !side_says_nothing(&match->remote, version))
        return false;
    *ethertype = version == 4 ? SD_ETHERTYPE_IPV4 : SD_ETHERTYPE_IPV6;
    return true;
}

bool match_has_version(const struct match *match, uint8_t version)
{
    if (match->ethertype != 0 || version == 0)
        return match->ethertype != 0 && version == 0;
    return version == 4 ? match->v4 : match->v6;
}

void ruleset_free(struct ruleset *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->count; i++)
        match_clear(&rules->rules[i].match);
    for (size_t i = 0; i < rules->need_count; i++)
        match_clear(&rules->needs[i].match);
    free(rules->rules);
    free(rules->needs);
    free(rules);
}
