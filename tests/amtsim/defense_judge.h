/* Judges Ethernet frames by the active policy of a port, as the network interface does below the operating
 * system. (reference system-defense.md, 1.2 - 1.4)
 *
 * It knows the device's objects and the reference only: its decoding of packets is its own. */
#ifndef AMTSIM_DEFENSE_JUDGE_H
#define AMTSIM_DEFENSE_JUDGE_H

#include "tests/amtsim/defense.h"

/* True: the frame passes. Counts, keeps rate limits, and records events. A frame that is cut short matches
 * what can be read of it. */
bool defense_judge(struct device *device, unsigned port, enum defense_direction direction, const void *frame,
                   size_t n);

#endif
