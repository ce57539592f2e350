/* What a device does with a packet, from its objects alone: the reference's chapter 1.2 written down once
 * more, without a line of filters/. */
#ifndef TESTS_UNIT_FILTERS_OBJECTS_JUDGE_H
#define TESTS_UNIT_FILTERS_OBJECTS_JUDGE_H

#include "filters/compile.h"
#include "filters/packet.h"

struct objects {
    const struct compiled *compiled;
    int64_t second;
    uint32_t passed[SD_HANDLES_MAX];
    uint64_t hits[SD_HANDLES_MAX];
    net_number own4, own6; /* the host's addresses */
};

/* True: dropped, because of a false source address, by filters or by the default. */
bool objects_drop(struct objects *objects, enum sd_direction direction, const struct packet *packet,
                  int64_t second);

#endif
