/* Tells of certificates that end soon, and of new ones, by events. Looks at the store at start, once an hour,
 * and when a run on certificates has ended. Loop's thread only. */
#ifndef AMTD_FLEET_CERTIFICATE_WATCH_H
#define AMTD_FLEET_CERTIFICATE_WATCH_H

#include <uv.h>

#include "amtd/fleet/engine.h"
#include "amtd/store/event.h"

struct certificate_watch;

/* All are borrowed and outlive it. */
struct certificate_watch *certificate_watch_new(uv_loop_t *loop, struct store *store, struct engine *engine,
                                                struct events *events, const struct clock *clock);
/* Frees itself from the loop, when the store has answered. NULL is fine. */
void certificate_watch_free(struct certificate_watch *watch);

#endif
