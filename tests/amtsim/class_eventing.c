/* Alert subscriptions: the collections that can be subscribed to; there are no subscribers. (wsman.md, 3.7)
 */
#include "tests/amtsim/class_tables.h"

static const char *const names[] = {"Intel(r) AMT:All", "Intel(r) AMT:Platform", "Intel(r) AMT:Features",
                                    "Intel(r) AMT:User Notification"};

static unsigned collections(const struct device *d)
{
    (void)d;
    return sizeof(names) / sizeof(names[0]);
}

static unsigned none(const struct device *d)
{
    (void)d;
    return 0;
}

static void collection(struct device *d, unsigned i, struct out *o)
{
    (void)d;
    out_str(o, "CollectionName", names[i]);
    out_str(o, "ElementName", "Intel(r) AMT:Filter Collection");
    out_str(o, "InstanceID", names[i]);
}

const struct class_row class_eventing_rows[] = {
    {.name = "AMT_PETFilterForTarget", .until = 17, .count = none},
    {.name = "AMT_SNMPEventSubscriber", .until = 17, .count = none},
    {.name = "CIM_FilterCollection", .instance = collection, .count = collections},
    {.name = "CIM_FilterCollectionSubscription", .datetime = true, .count = none},
    {.name = "CIM_ListenerDestination", .abstract_only = true},
    {.name = "CIM_ListenerDestinationWSManagement", .parent = "CIM_ListenerDestination", .count = none},
    {0},
};
