/* Who is told of alerts by SNMP traps, as instances of AMT_SNMPEventSubscriber. (reference eoi.md, 3.5;
 * wsman.md, 3.8) */
#include <arpa/inet.h>
#include <eoiH.h>
#include <stdio.h>

#include "wsman/eoi/eoi_internal.h"

#define SUBSCRIBER  "AMT_SNMPEventSubscriber"
#define FORMAT_IPV4 3 /* InfoFormat */

/* --- which events there are to subscribe to --- */

static int take_policies(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _emi__EnumerateAlertPoliciesResponse *answer = out;

    (void)err;
    for (int i = 0; i < answer->__sizePolicyID; i++) {
        eoi_show(eoi, "AMT_PETFilterSetting");
        eoi_show_number(eoi, "PolicyID", answer->PolicyID[i]);
        eoi_shown(eoi, "AMT_PETFilterSetting");
    }
    return EOI_NEXT;
}

static const struct eoi_step policy_steps[] = {{EOI_EnumerateAlertPolicies, .take = take_policies}};

/* --- who there is --- */

static int take_subscription(struct eoi *eoi, const void *out, struct err *err)
{
    const struct emi__AlertSubscription *from =
        ((const struct _emi__GetAlertSubscriptionResponse *)out)->AlertSubscription;

    if (!from || !from->AlertTargetIPAddress)
        return eoi_missing(eoi, from ? "AlertTargetIPAddress" : "AlertSubscription", err);
    eoi_show(eoi, SUBSCRIBER);
    eoi_show_number(eoi, "Name", eoi->handles[eoi->handle_at++]);
    eoi_show_ipv4(eoi, "AccessInfo", from->AlertTargetIPAddress);
    eoi_show_number(eoi, "InfoFormat", FORMAT_IPV4);
    eoi_show_maybe(eoi, "PolicyID", from->PolicyID);
    eoi_shown(eoi, SUBSCRIBER);
    return EOI_AGAIN;
}

static const struct eoi_step subscriber_steps[] = {
    {EOI_EnumerateAlertSubscriptions, .take = eoi_take_listed},
    {EOI_GetAlertSubscription, .fill = eoi_fill_handle, .take = take_subscription},
};

/* --- one more, one less --- */

static int fill_subscribe(struct eoi *eoi, void *out, struct err *err)
{
    const char *text = wsman_request_text(eoi_request(eoi), "AccessInfo", 0);
    struct _emi__SubscribeForAlert *in = out;
    struct in_addr address;
    uint32_t policy = 0;

    if (!text || inet_pton(AF_INET, text, &address) != 1) {
        err_set(err, CAUSE_UNSUPPORTED, "this generation sends traps to IPv4 addresses only");
        return EOI_FAIL;
    }
    wsman_request_u32(eoi_request(eoi), "PolicyID", &policy);
    in->AlertSubscription = eoi_alloc(eoi, sizeof(*in->AlertSubscription));
    in->AlertSubscription->AlertTargetIPAddress = eoi_number(eoi, ntohl(address.s_addr));
    in->AlertSubscription->PolicyID = eoi_number(eoi, policy);
    return EOI_ASK;
}

static int take_subscribed(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _emi__SubscribeForAlertResponse *answer = out;
    char name[12];
    const struct wsman_selector selectors[] = {{"Name", name}, {NULL, NULL}};

    if (!answer->SubscriptionHandle)
        return eoi_missing(eoi, "SubscriptionHandle", err);
    snprintf(name, sizeof(name), "%u", *answer->SubscriptionHandle);
    eoi_show_reference(eoi, "ResourceCreated", SUBSCRIBER, selectors);
    return EOI_NEXT;
}

static const struct eoi_step subscribe_steps[] = {
    {EOI_SubscribeForAlert, .fill = fill_subscribe, .take = take_subscribed}};
static const struct eoi_step cancel_steps[] = {{EOI_CancelAlertSubscription, .fill = eoi_fill_selected}};

const struct eoi_row eoi_alert_rows[] = {
    {WSMAN_ENUMERATE, "AMT_PETFilterSetting", NULL, EOI_STEPS(policy_steps)},
    {WSMAN_ENUMERATE, SUBSCRIBER, NULL, EOI_STEPS(subscriber_steps)},
    {WSMAN_CREATE, SUBSCRIBER, NULL, EOI_STEPS(subscribe_steps)},
    {WSMAN_DELETE, SUBSCRIBER, NULL, EOI_STEPS(cancel_steps)},
    {0},
};
