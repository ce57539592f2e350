/* A moment that is meant to come: kept so that neither a restart of amtd nor a change of the clock moves it.
 *
 * Within one boot of this machine the time since boot decides, which nobody can set; after a reboot only the
 * wall clock is left. */
#ifndef AMTD_STORE_MOMENT_H
#define AMTD_STORE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#define MOMENT_BOOT_MAX 40

struct moment {
    int64_t wall_ms; /* 0: never */
    int64_t up_ms;   /* since boot, suspended time included */
    char boot[MOMENT_BOOT_MAX];
};

/* Now. Thread-safe. */
struct moment moment_now(void);
struct moment moment_in(const struct moment *now, int64_t ms); /* ms 0: never */
/* Milliseconds until it comes: 0 when it is there or over; -1: never. */
int64_t moment_left_ms(const struct moment *moment, const struct moment *now);

#endif
