/* Who is told of alerts over the SOAP interface. (reference eoi.md, 3.5) */
#include <simH.h>
#include <stdio.h>
#include <string.h>

#include "tests/amtsim/eoi_internal.h"
#include "tests/amtsim/traps.h"

#define LOOPBACK 127

int __emi__EnumerateAlertPolicies(struct soap *soap, struct _emi__EnumerateAlertPolicies *in,
                                  struct _emi__EnumerateAlertPoliciesResponse *out)
{
    struct device *d = eoi_enter(soap, "EnumerateAlertPolicies", false, &out->Status);
    (void)in;
    if (d == NULL)
        return SOAP_OK;
    out->__sizePolicyID = 1;
    out->PolicyID = eoi_number(soap, TRAP_POLICY);
    return SOAP_OK;
}

int __emi__EnumerateAlertSubscriptions(struct soap *soap, struct _emi__EnumerateAlertSubscriptions *in,
                                       struct _emi__EnumerateAlertSubscriptionsResponse *out)
{
    struct device *d = eoi_enter(soap, "EnumerateAlertSubscriptions", false, &out->Status);
    const struct trap_sink *sink;
    (void)in;
    if (d == NULL)
        return SOAP_OK;
    out->SubscriptionHandle = soap_malloc(soap, TRAP_SINKS_MAX * sizeof(*out->SubscriptionHandle));
    for (; (sink = trap_sink_at(d, (size_t)out->__sizeSubscriptionHandle)) != NULL;
         out->__sizeSubscriptionHandle++)
        out->SubscriptionHandle[out->__sizeSubscriptionHandle] = sink->handle;
    return SOAP_OK;
}

int __emi__GetAlertSubscription(struct soap *soap, struct _emi__GetAlertSubscription *in,
                                struct _emi__GetAlertSubscriptionResponse *out)
{
    struct device *d = eoi_enter(soap, "GetAlertSubscription", false, &out->Status);
    const struct trap_sink *sink = d != NULL ? trap_sink_find(d, eoi_value(in->SubscriptionHandle)) : NULL;
    if (d == NULL)
        return SOAP_OK;
    if (sink == NULL)
        return eoi_leave(soap, &out->Status, PT_INVALID_HANDLE);
    out->AlertSubscription = soap_malloc(soap, sizeof(*out->AlertSubscription));
    soap_default_emi__AlertSubscription(soap, out->AlertSubscription);
    out->AlertSubscription->AlertTargetIPAddress = eoi_number(soap, sink->address);
    out->AlertSubscription->PolicyID = eoi_number(soap, sink->policy);
    out->AlertSubscription->CommunityString = eoi_text(soap, sink->community);
    return SOAP_OK;
}

/* Firmware 3.0 has a status of its own for what is wrong here; the others say invalid parameter. */
int __emi__SubscribeForAlert(struct soap *soap, struct _emi__SubscribeForAlert *in,
                             struct _emi__SubscribeForAlertResponse *out)
{
    struct device *d = eoi_enter(soap, "SubscribeForAlert", true, &out->Status);
    const struct emi__AlertSubscription *from = in->AlertSubscription;
    struct trap_sink sink = {.community = "public"};
    if (d == NULL)
        return SOAP_OK;
    if (from == NULL || eoi_value(from->AlertTargetIPAddress) >> 24 != LOOPBACK ||
        eoi_value(from->PolicyID) != TRAP_POLICY ||
        (from->CommunityString != NULL && strlen(from->CommunityString) > TRAP_COMMUNITY_MAX))
        return eoi_leave(soap, &out->Status, PT_INVALID_PARAMETER);
    sink.address = *from->AlertTargetIPAddress;
    sink.policy = TRAP_POLICY;
    if (from->CommunityString != NULL)
        snprintf(sink.community, sizeof(sink.community), "%s", from->CommunityString);
    if (!trap_sink_add(d, &sink))
        return eoi_leave(soap, &out->Status, PT_MAX_LIMIT);
    out->SubscriptionHandle = eoi_number(soap, sink.handle);
    return eoi_leave(soap, &out->Status, PT_SUCCESS);
}

int __emi__CancelAlertSubscription(struct soap *soap, struct _emi__CancelAlertSubscription *in,
                                   struct _emi__CancelAlertSubscriptionResponse *out)
{
    struct device *d = eoi_enter(soap, "CancelAlertSubscription", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    return eoi_leave(soap, &out->Status,
                     trap_sink_remove(d, eoi_value(in->SubscriptionHandle)) ? PT_SUCCESS : PT_INVALID_HANDLE);
}
