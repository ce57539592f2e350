/* A moment that is meant to come: kept so that neither a restart of amtd nor a change of the clock moves it.
 *
 * Within one boot of this machine the time since boot decides, which nobody can set. After a reboot only the
 * wall clock is left: where it is wrong then, a moment comes too early by as much, or too late, but never
 * later than the whole time it was meant to take, counted from the reboot. */
#ifndef AMTD_STORE_MOMENT_H
#define AMTD_STORE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#define MOMENT_BOOT_MAX 40

struct moment {
    int64_t wall_ms; /* 0: never */
    int64_t up_ms;   /* since boot, suspended time included */
    char boot[MOMENT_BOOT_MAX];
    int64_t span_ms; /* how long it was to last when it was made; 0: not known, and no bound */
};

/* Now. Thread-safe. */
struct moment moment_now(void);
struct moment moment_in(const struct moment *now, int64_t ms); /* ms 0: never */
/* Milliseconds until it comes: 0 when it is there or over; -1: never. */
int64_t moment_left_ms(const struct moment *moment, const struct moment *now);
/* Where somebody has set the wall clock since in the same boot: goes along with it, so that what is shown,
 * and what counts after a reboot, is right again. True when something was changed. */
bool moment_follow(struct moment *moment, const struct moment *now);

#endif
