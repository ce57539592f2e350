/* Fewer boxes that say the same. Internal to filters/. */
#ifndef FILTERS_JOIN_H
#define FILTERS_JOIN_H

#include "filters/box.h"

/* Calls fn for every pair of boxes of one direction that some packet fits both; at most JOIN_PAIRS_MAX pairs
 * are compared. False when there were more. */
#define JOIN_PAIRS_MAX 20000000
typedef void overlap_fn(void *arg, size_t a, size_t b);
bool boxes_each_overlap(const struct boxes *boxes, overlap_fn *fn, void *arg);

/* Drops plain boxes that another of the same verdict holds, and joins halves of networks and neighbouring
 * ranges. Boxes that count, limit or tell are joined within their rule only. The verdict of every packet, and
 * what is counted, stay the same. */
void boxes_reduce(struct boxes *boxes);
/* Drops plain boxes that do what the policy's default would do anyway. Last of all: what is widened
 * afterwards may swallow what a rule drops. */
void boxes_drop_idle(struct boxes *boxes, const struct rules_policy *policy);

#endif
