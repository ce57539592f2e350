/* Alert subscriptions: the collections that can be subscribed to, and the subscribers. (wsman.md, 3.7) */
#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/subscriptions.h"

static unsigned collections(const struct device *d)
{
    (void)d;
    return COLLECTIONS;
}

static unsigned none(const struct device *d)
{
    (void)d;
    return 0;
}

static void collection(struct device *d, unsigned i, struct out *o)
{
    (void)d;
    out_str(o, "CollectionName", collection_names[i]);
    out_str(o, "ElementName", "Intel(r) AMT:Filter Collection");
    out_str(o, "InstanceID", collection_names[i]);
}

enum { DELIVERY_PUSH = 2, DELIVERY_PUSH_WITH_ACK = 3 };

static void listener(struct device *d, unsigned i, struct out *o)
{
    const struct subscription *s = subscription_at(d, i);
    out_str(o, "CreationClassName", "CIM_ListenerDestinationWSManagement");
    if (s->user != NULL)
        out_str(o, "DeliveryAuth", "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/http/digest");
    out_num(o, "DeliveryMode", s->ack ? DELIVERY_PUSH_WITH_ACK : DELIVERY_PUSH);
    out_str(o, "Destination", s->url);
    out_str(o, "ElementName", "Intel(r) AMT WSMAN Listener");
    out_str(o, "Name", s->name);
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "Intel(r) AMT");
}

static void subscription(struct device *d, unsigned i, struct out *o)
{
    const struct subscription *s = subscription_at(d, i);
    out_epr(o, "Filter", &s->filter);
    out_epr(o, "Handler", &s->handler);
}

static void unsubscribe(struct call *c)
{
    subscription_remove(subscription_at(c->device, c->instance));
}

const struct class_row class_eventing_rows[] = {
    {.name = "AMT_PETFilterForTarget", .until = 17, .count = none},
    {.name = "AMT_SNMPEventSubscriber", .until = 17, .count = none},
    {.name = "CIM_FilterCollection",
     .instance = collection,
     .count = collections,
     .subscribe = subscription_add},
    {.name = "CIM_FilterCollectionSubscription",
     .datetime = true,
     .instance = subscription,
     .count = subscription_count,
     .unsubscribe = unsubscribe},
    {.name = "CIM_ListenerDestination", .abstract_only = true},
    {.name = "CIM_ListenerDestinationWSManagement",
     .parent = "CIM_ListenerDestination",
     .instance = listener,
     .count = subscription_count},
    {0},
};
