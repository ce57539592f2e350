/* Delivers an alert to its subscriber: an HTTP POST from the device's address.
 *
 * Only subscribers on loopback are reached, by plain HTTP, or by HTTPS when a root that the device keeps has
 * signed their certificate. With PushWithAck the alert is repeated until the
 * subscriber acknowledges it, or ALERT_TRIES are over; with Push it is told once. (reference wsman.md, 3.7)
 */
#ifndef AMTSIM_ALERT_POST_H
#define AMTSIM_ALERT_POST_H

#include <stdbool.h>

#define ALERT_TRIES 3

struct alert_post;
struct subscription;

/* http[s]://127.x.y.z[:port]/path, or localhost. */
bool alert_post_can_reach(const char *url);

/* Begins to deliver the first alert of the subscription's queue; calls subscription_told later, from the
 * loop.
 */
struct alert_post *alert_post_start(struct subscription *subscription);
/* Ends it without calling; NULL is fine. */
void alert_post_cancel(struct alert_post *post);

#endif
