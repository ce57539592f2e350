/* The alert desk: where what devices tell comes in, is told apart from what others say, and becomes events.
 *
 * An alert over HTTP names its host by the secret path it was sent to, a trap by the UUID in it, or by the
 * address it came from. A host that tells too much is heard in part, and that is said. Loop's thread only. */
#ifndef AMTD_ALERTS_ALERT_DESK_H
#define AMTD_ALERTS_ALERT_DESK_H

#include <uv.h>

#include "amtd/alerts/trap.h"
#include "amtd/store/event.h"
#include "amtd/store/store.h"
#include "base/clock.h"
#include "wsman/alert.h"

#define ALERTS_BURST      40 /* of a host at once; more are counted and left out */
#define ALERTS_PER_SECOND 4  /* ... and after that */

struct alert_desk;

/* Pointers are borrowed and outlive it. */
struct alert_desk *alert_desk_new(struct store *store, struct events *events, const struct clock *clock);
/* What is being looked up is not heard any more. NULL is fine. */
void alert_desk_free(struct alert_desk *desk);

enum alert_heard {
    ALERT_HEARD,     /* it is an event now, or was left out as one too many */
    ALERT_NOBODY,    /* no host has this token */
    ALERT_NOT_HEARD, /* it could not be looked up: try again */
};
/* alert is taken over. done follows, never from inside this call, and not after alert_desk_free. */
typedef void alert_desk_done(void *arg, enum alert_heard heard);
void alert_desk_alert(struct alert_desk *desk, const char *token, struct wsman_alert *alert,
                      alert_desk_done *done, void *arg);
/* from: the address that the trap came from. */
void alert_desk_trap(struct alert_desk *desk, const struct trap *trap, const char *from);

#endif
