/* The device's clock: how far it is off, and setting it. (reference wsman.md, section 3.10) */
#ifndef WSMAN_CLOCK_SYNC_H
#define WSMAN_CLOCK_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "wsman/seq.h"

struct clock_seq {
    struct seq seq; /* first */
    bool set;       /* correct it when it is off by more than limit_s */
    int64_t limit_s;
    const struct clock *clock; /* ours; borrowed */
    int64_t device_s;          /* seconds since 1970 by the device, as read */
    int64_t off_s;             /* device minus ours */
    bool was_set;
    /* private */
    int64_t heard_s; /* our time when the answer came */
};

/* set: correct the clock when it is off by more than limit_s seconds (0: 10). */
void clock_seq_init(struct clock_seq *cs, bool set, int64_t limit_s, const struct clock *clock);

#endif
