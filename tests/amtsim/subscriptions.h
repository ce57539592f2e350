/* Who hears of a device's alerts: the subscriptions of WS-Eventing. (reference wsman.md, 3.7)
 *
 * A subscription owns the alerts that wait for it; they are posted one after the other (alert_post.h). */
#ifndef AMTSIM_SUBSCRIPTIONS_H
#define AMTSIM_SUBSCRIPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/amtsim/class.h"

#define SUBSCRIPTIONS_MAX      9
#define SUBSCRIPTION_URL_MAX   253
#define SUBSCRIPTION_QUEUE_MAX 32 /* alerts that wait; more are lost */

/* The collections of alerts that can be subscribed to: names, NULL-terminated. */
enum collection { COLLECTION_ALL, COLLECTION_PLATFORM, COLLECTION_FEATURES, COLLECTION_USER, COLLECTIONS };
extern const char *const collection_names[COLLECTIONS + 1];

struct alert_post;

struct waiting_alert {
    struct waiting_alert *next;
    char id[64]; /* MessageID */
    char *document;
};

struct subscription {
    struct device *device;
    struct subscription *next;
    enum collection collection;
    bool ack;      /* PushWithAck */
    char name[40]; /* key of its CIM_ListenerDestinationWSManagement */
    char *url;
    char *headers;         /* the subscriber's reference parameters as XML; "" for none */
    char *user, *password; /* for a sink that asks for digest; NULL: none */
    struct waiting_alert *queue;
    size_t queued;
    struct alert_post *post; /* the first of the queue is under way; NULL: nothing is */
    struct epr filter, handler;
};

/* Carries a Subscribe out: the call's body and instance (of CIM_FilterCollection). *manager refers to the
 * subscription. Sets call->fault when it is refused. */
void subscription_add(struct call *call, struct epr *manager);
/* The i-th of the device, oldest first, or NULL. */
struct subscription *subscription_at(const struct device *device, unsigned i);
unsigned subscription_count(const struct device *device);
void subscription_remove(struct subscription *subscription);
void subscriptions_free(struct device *device);

/* Queues an alert's document (taken over) and sees that it is posted. */
void subscription_tell(struct subscription *subscription, const char *id, char *document);
/* The first of the queue has been delivered, or is given up. */
void subscription_told(struct subscription *subscription, bool delivered);

#endif
