/* Filters that are due: undone when their time is over or nobody confirmed, finished or put back when a run
 * did not come to its end. Looks at the store at start, when the next moment comes, and when a run on filters
 * has ended. Loop's thread only. */
#ifndef AMTD_FLEET_FILTER_WATCH_H
#define AMTD_FLEET_FILTER_WATCH_H

#include <stdbool.h>
#include <uv.h>

#include "amtd/fleet/engine.h"

struct filter_watch;

/* All are borrowed and outlive it. */
struct filter_watch *filter_watch_new(uv_loop_t *loop, struct store *store, struct engine *engine);
/* Starts nothing more. Frees itself from the loop, when the store has answered. NULL is fine. */
void filter_watch_free(struct filter_watch *watch);
/* Something has or will become due: this amtd is needed, even if nobody talks to it. */
bool filter_watch_pending(const struct filter_watch *watch);

#endif
