/* Where there is no room: boxes that say more than their rules, chosen so that as little as possible passes
 * that should not. Internal to filters/. */
#ifndef FILTERS_WIDEN_H
#define FILTERS_WIDEN_H

#include "filters/room.h"

/* Joins passing boxes, and gives counters up, until the rest fits the limits; -1 when that cannot be reached.
 * Drops and limits are never widened. */
int boxes_widen(struct boxes *boxes, const struct ruleset *rules, const struct sd_limits *device,
                const struct sd_port_limits *ports, size_t port_count);
/* One finding of that level for every box that says more than its rules, and every rule no longer counted as
 * compared with `before`. */
void widen_tell(const struct boxes *boxes, const struct boxes *before, const struct ruleset *rules,
                enum finding_level level, const char *verb, struct findings *findings);

#endif
