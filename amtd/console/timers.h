/* Many timers on one clock: a heap, so that setting one of ten thousand costs little and the loop needs one
 * timer of its own. One thread. */
#ifndef AMTD_CONSOLE_TIMERS_H
#define AMTD_CONSOLE_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t at_ms;
    size_t place; /* in the heap, from 1; 0: not set */
    void (*fire)(void *arg);
    void *arg;
};

struct timers {
    struct timer **heap; /* [0] is not used */
    size_t count, room;
    void (*earlier)(void *arg); /* a timer was set that is due before all others; NULL: no need to know */
    void *arg;
};

void timers_clear(struct timers *timers);
/* Sets it, or sets it anew; INT64_MAX: not at all. */
void timers_set(struct timers *timers, struct timer *timer, int64_t at_ms);
/* When the next one is due; INT64_MAX: none is set. */
int64_t timers_next(const struct timers *timers);
/* Fires what is due, TIMERS_AT_ONCE at most: when a thousand are due together, the loop sees to its sockets
 * in between. A timer is not set any more when it fires; one that is set meanwhile for now or before fires in
 * the next call. */
#define TIMERS_AT_ONCE 128
void timers_run(struct timers *timers, int64_t now_ms);

#endif
