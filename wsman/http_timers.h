/* Moments at which something of the transport is due: a binary heap of nodes that live in their owners.
 *
 * Arming and disarming cost O(log n), the earliest O(1), and there is no allocation per timer: ten thousand
 * idle connections are ten thousand nodes. No clock in it: the caller says what time it is. */
#ifndef WSMAN_HTTP_TIMERS_H
#define WSMAN_HTTP_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Embedded; zeroed with its owner it is unarmed. */
struct http_timer {
    int64_t at;  /* due at this time of the owner's monotonic clock */
    size_t slot; /* place in the heap, 1 is the top; 0: not armed */
    void (*fire)(struct http_timer *timer);
};

struct http_timers {
    struct http_timer **heap; /* [1..count] */
    size_t count;
    size_t cap;
};

void http_timers_clear(struct http_timers *timers); /* frees the heap; nodes belong to their owners */

/* Arms, or moves one that is armed. */
void http_timer_arm(struct http_timers *timers, struct http_timer *timer, int64_t at);
void http_timer_disarm(struct http_timers *timers, struct http_timer *timer); /* fine when not armed */
bool http_timer_armed(const struct http_timer *timer);

/* When the earliest is due; INT64_MAX when none is armed. */
int64_t http_timers_next(const struct http_timers *timers);
/* Takes the earliest out when it is due at `now` (it is then unarmed), else NULL. The caller calls its fire.
 */
struct http_timer *http_timers_take(struct http_timers *timers, int64_t now);

#endif
