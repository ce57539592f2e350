/* What boxes take of a port's room. Internal to filters/. */
#ifndef FILTERS_ROOM_H
#define FILTERS_ROOM_H

#include "filters/box.h"
#include "filters/compile.h"

/* What the boxes of one direction and the policy's default take. */
struct compiled_use room_used(const struct boxes *boxes, const struct rules_policy *policy,
                              enum sd_direction direction);

/* One thing there is too little of. */
enum room_kind { ROOM_FILTERS, ROOM_FILTERS_IPV6, ROOM_COUNTERS, ROOM_COUNTERS_IPV6, ROOM_KINDS };
struct room_limit {
    uint32_t needed, there; /* there 0: not known */
};
/* Both for one port and direction; exceeded where needed > there > 0. */
void room_limits(const struct compiled_use *use, const struct sd_port_limits *port,
                 enum sd_direction direction, struct room_limit out[ROOM_KINDS]);
bool room_exceeded(const struct room_limit *limit);

/* Adds an error, with `who` in front, for everything that is exceeded; -1 then. */
int room_check(const struct boxes *boxes, const struct ruleset *rules, const struct sd_limits *device,
               const struct sd_port_limits *port, const char *who, struct findings *findings);

#endif
