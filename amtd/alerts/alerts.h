/* Alerts as a whole: the listeners, the desk, and that hosts go on telling: firmware forgets its subscribers
 * when it is set up anew, so each is looked at once a day. Loop's thread only. */
#ifndef AMTD_ALERTS_ALERTS_H
#define AMTD_ALERTS_ALERTS_H

#include <uv.h>

#include "amtd/alerts/alert_listener.h"
#include "amtd/alerts/alert_settings.h"
#include "amtd/fleet/engine.h"

struct alerts;

/* Pointers are borrowed and outlive it, but settings. NULL and err: invalid-argument (names the setting),
 * system. Where neither listen nor traps is set, nothing is heard, and hosts are told to nobody. */
struct alerts_parts {
    uv_loop_t *loop;
    struct streams *streams;
    struct store *store;
    struct engine *engine;
    struct events *events;
    const struct clock *clock;
};
struct alerts *alerts_new(const struct alerts_parts *parts, const struct alert_settings *settings,
                          struct err *err);
/* Before the engine is stopped. Frees later, from the loop. NULL is fine. */
void alerts_free(struct alerts *alerts);

#endif
