/* evaluate() at speed: the same verdicts, and counts, for streams of packets.
 *
 * Rules become flat rows of masks and ranges, four side by side, sorted by direction, IP version and
 * protocol, so that a packet meets only those that may fit it and no branch depends on a row. */
#ifndef FILTERS_MATCHER_H
#define FILTERS_MATCHER_H

#include <stdint.h>

#include "filters/evaluate.h"

struct matcher;

/* rules and own (NULL: not known) are borrowed. Free with matcher_free. */
struct matcher *matcher_new(const struct ruleset *rules, const struct nets *own);
void matcher_free(struct matcher *matcher); /* NULL is fine */

/* As evaluate(), with limits, and counts: what fits, and what is decided without a rule. */
struct verdict matcher_judge(struct matcher *matcher, enum sd_direction direction,
                             const struct packet *packet, int64_t now_ms);

/* Packets of that direction that fitted the rule. */
uint64_t matcher_hits(const struct matcher *matcher, size_t rule, enum sd_direction direction);
/* Those of which the rule decided that they were dropped. */
uint64_t matcher_drops(const struct matcher *matcher, size_t rule, enum sd_direction direction);
/* Packets that no rule fitted. */
uint64_t matcher_default_hits(const struct matcher *matcher, enum sd_direction direction);
uint64_t matcher_spoofed(const struct matcher *matcher);

#endif
