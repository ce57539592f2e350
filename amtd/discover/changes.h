/* What a sweep found otherwise than the one before through the same addresses, as events. */
#ifndef AMTD_DISCOVER_CHANGES_H
#define AMTD_DISCOVER_CHANGES_H

#include "amtd/store/event.h"
#include "amtd/store/store.h"

#define CHANGES_EVENTS_MAX 500 /* of one sweep; an event more says how many there are */

/* Store's thread: [{address, change, was?, is?, what?}] (sweep_json.h), or NULL when it is the first sweep of
 * its kind. -1 and err. */
int changes_find(struct tx *tx, int64_t sweep, json_t **changes, struct err *err);
/* Loop's thread. changes NULL is fine. */
void changes_raise(struct events *events, int64_t sweep, const json_t *changes);

#endif
