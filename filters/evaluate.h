/* What rules mean. This is the definition: everything else in filters/ is held against it by tests.
 *
 * 1. A packet that leaves the host with a false source address is dropped when the policy says anti-spoofing
 * and the host's own addresses are known. Not false: its own, link-local and unspecified ones. Only IP is
 * looked at.
 * 2. All rules of the packet's direction are looked at; there is no order among them.
 * 3. When at least one fits: any dropping one, or any limit that is reached, drops the packet; else it
 * passes.
 * 4. When none fits, the policy's default for the direction decides.
 *
 * A limit lets `rate` packets pass in each second of the caller's clock, for each direction and IP version on
 * its own; it counts every packet that fits it. (reference system-defense.md, 1.2 to 1.4) */
#ifndef FILTERS_EVALUATE_H
#define FILTERS_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "filters/packet.h"
#include "filters/rules.h"
#include "wsman/system_defense_objects.h"

enum decided_by {
    BY_RULE,
    BY_DEFAULT,
    BY_ANTI_SPOOFING,
};

struct verdict {
    bool drop;
    enum decided_by by;
    size_t rule; /* BY_RULE: its index; the first in the file that decides as was decided */
};

/* Steps 2 and 3 for one rule: does it fit? */
bool match_fits(const struct match *match, enum sd_direction direction, const struct packet *packet);
/* Step 1: an IP packet whose source is neither own nor link-local nor unspecified. */
bool packet_is_spoofed(const struct packet *packet, const struct nets *own);

/* How full the limits are. */
struct limits {
    const struct ruleset *rules; /* borrowed */
    int64_t second;
    uint32_t *passed; /* owned: packets of this second, by rule, direction and version */
};
struct limits limits_init(const struct ruleset *rules);
void limits_free(struct limits *limits);
/* Counts one packet that fits that limiting rule; true when it is one too many. */
bool limit_take(struct limits *limits, size_t rule, enum sd_direction direction, uint16_t ethertype,
                int64_t now_ms);

/* Judges one packet. own: the host's addresses, or NULL when they are not known; limits: NULL when limits are
 * never reached. O(rules): matcher.h is the same at speed. */
struct verdict evaluate(const struct ruleset *rules, const struct nets *own, struct limits *limits,
                        enum sd_direction direction, const struct packet *packet, int64_t now_ms);

#endif
