/* Circuit Breaker on the network ports: what they take, what is enabled there, what was counted. (reference
 * eoi.md, chapter 4; system-defense.md, 2.4, 2.5) */
#include <ctype.h>
#include <eoiH.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "wsman/eoi/eoi_internal.h"

#define PORT_ID "Intel(r) AMT Ethernet Port "

/* --- the ends of an association --- */

/* The interface is the number at the end of the port's DeviceID. */
static unsigned *interface_in(struct eoi *eoi, const char *id)
{
    uint64_t number;

    if (!id || strncmp(id, PORT_ID, strlen(PORT_ID)) != 0 ||
        !text_u64(id + strlen(PORT_ID), 0, UINT16_MAX, &number))
        return NULL;
    return eoi_number(eoi, (uint32_t)number);
}

static unsigned *policy_in(struct eoi *eoi, const char *id)
{
    uint64_t handle;

    return text_u64(id, 1, UINT32_MAX, &handle) ? eoi_number(eoi, (uint32_t)handle) : NULL;
}

/* Requests that begin with an interface, and a policy behind it: those that an instance is made of, */
static int fill_ends(struct eoi *eoi, void *in, struct err *err)
{
    const struct wsman_request *rq = eoi_request(eoi);
    unsigned **ends = in;

    (void)err;
    ends[0] = interface_in(eoi, wsman_request_reference(rq, "Antecedent", "DeviceID"));
    ends[1] = policy_in(eoi, wsman_request_reference(rq, "Dependent", "InstanceID"));
    return EOI_ASK;
}

/* or those by which it is chosen; */
static int fill_selected_ends(struct eoi *eoi, void *in, struct err *err)
{
    const struct wsman_request *rq = eoi_request(eoi);
    unsigned **ends = in;

    (void)err;
    ends[0] = interface_in(eoi, wsman_request_selected(rq, "Antecedent", "DeviceID"));
    ends[1] = policy_in(eoi, wsman_request_selected(rq, "Dependent", "InstanceID"));
    return EOI_ASK;
}

/* or the interface alone. */
static int fill_selected_interface(struct eoi *eoi, void *in, struct err *err)
{
    (void)err;
    *(unsigned **)in = interface_in(eoi, wsman_request_selected(eoi_request(eoi), "Antecedent", "DeviceID"));
    return EOI_ASK;
}

static const struct eoi_step enable_steps[] = {{EOI_CbPolicyEnable, .fill = fill_ends}};
static const struct eoi_step disable_steps[] = {{EOI_CbPolicyDisable, .fill = fill_selected_ends}};
static const struct eoi_step set_default_steps[] = {{EOI_CbPolicySetDefault, .fill = fill_ends}};
static const struct eoi_step no_default_steps[] = {{EOI_CbPolicySetDefault, .fill = fill_selected_interface}};

/* --- limits --- */

/* Those of the device are the same for all its ports: the first tells. */
static int take_device_limits(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _cb__CbQueryCapabilitiesResponse *answer = out;

    (void)err;
    eoi_show(eoi, "AMT_GeneralSystemDefenseCapabilities");
    eoi_show_maybe(eoi, "GlobalMaxSupportedPolicies", answer->MaxPolicies);
    eoi_show_maybe(eoi, "GlobalMaxSupportedFilters", answer->MaxFilters);
    eoi_shown(eoi, "AMT_GeneralSystemDefenseCapabilities");
    return EOI_NEXT;
}

static int take_port_limits(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _cb__CbQueryCapabilitiesResponse *answer = out;
    char id[64];

    (void)err;
    snprintf(id, sizeof(id), "System Defense Capabilities Port %u", eoi->handles[eoi->handle_at++]);
    eoi_show(eoi, "AMT_NetworkPortSystemDefenseCapabilities");
    eoi_show_text(eoi, "InstanceID", id);
    eoi_show_maybe(eoi, "IPv4_MaxTxFilters", answer->MaxTxFilters);
    eoi_show_maybe(eoi, "IPv4_MaxRxFilters", answer->MaxRxFilters);
    eoi_show_maybe(eoi, "IPv4_MaxTxCounters", answer->MaxTxCounters);
    eoi_show_maybe(eoi, "IPv4_MaxRxCounters", answer->MaxRxCounters);
    if (answer->AntiSpoofing)
        eoi_show_flag(eoi, "IPv4_AntiSpoofingCapable", *answer->AntiSpoofing == true_);
    eoi_shown(eoi, "AMT_NetworkPortSystemDefenseCapabilities");
    return EOI_AGAIN;
}

static const struct eoi_step device_limit_steps[] = {
    {EOI_EnumerateInterfaces, .may_fail = true, .take = eoi_take_interfaces},
    {EOI_CbQueryCapabilities, .fill = eoi_fill_handle, .take = take_device_limits},
};
static const struct eoi_step port_limit_steps[] = {
    {EOI_EnumerateInterfaces, .may_fail = true, .take = eoi_take_interfaces},
    {EOI_CbQueryCapabilities, .fill = eoi_fill_handle, .take = take_port_limits},
};

/* --- what is enabled --- */

static void show_port(struct eoi *eoi, uint32_t interface)
{
    char id[64];
    const struct wsman_selector selectors[] = {{"DeviceID", id}, {NULL, NULL}};

    snprintf(id, sizeof(id), PORT_ID "%u", interface);
    eoi_show_reference(eoi, "Antecedent", "CIM_EthernetPort", selectors);
}

static void show_association(struct eoi *eoi, uint32_t interface, uint32_t policy, bool active)
{
    const char *class_name = wsman_request_class(eoi_request(eoi));
    char id[12];
    const struct wsman_selector selectors[] = {{"InstanceID", id}, {NULL, NULL}};

    snprintf(id, sizeof(id), "%u", policy);
    eoi_show(eoi, class_name);
    eoi_show_flag(eoi, "Active", active);
    show_port(eoi, interface);
    eoi_show_reference(eoi, "Dependent", "AMT_SystemDefensePolicy", selectors);
    eoi_show_flag(eoi, "Enabled", true);
    eoi_shown(eoi, class_name);
}

static int take_enabled(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _cb__CbPolicyGetActiveResponse *answer = out;
    uint32_t interface = eoi->handles[eoi->handle_at++];

    (void)err;
    if (answer->EnabledHandle)
        show_association(eoi, interface, *answer->EnabledHandle,
                         answer->PolicyHandle && *answer->PolicyHandle == *answer->EnabledHandle);
    return EOI_AGAIN;
}

/* Which policies are active is noted first: the defaults among them are so because no other is enabled. */
static int note_active(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _cb__CbPolicyGetActiveResponse *answer = out;

    (void)err;
    eoi->noted[eoi->handle_at++] = answer->PolicyHandle && !answer->EnabledHandle ? *answer->PolicyHandle : 0;
    return EOI_AGAIN;
}

static int begin_again(struct eoi *eoi, void *in, struct err *err)
{
    (void)in;
    (void)err;
    eoi->handle_at = 0;
    return EOI_PASS;
}

static int take_default(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _cb__CbPolicyGetDefaultResponse *answer = out;
    size_t i = eoi->handle_at++;

    (void)err;
    if (answer->PolicyHandle)
        show_association(eoi, eoi->handles[i], *answer->PolicyHandle, eoi->noted[i] == *answer->PolicyHandle);
    return EOI_AGAIN;
}

static const struct eoi_step enabled_steps[] = {
    {EOI_EnumerateInterfaces, .may_fail = true, .take = eoi_take_interfaces},
    {EOI_CbPolicyGetActive, .fill = eoi_fill_handle, .take = take_enabled},
};
static const struct eoi_step default_steps[] = {
    {EOI_EnumerateInterfaces, .may_fail = true, .take = eoi_take_interfaces},
    {EOI_CbPolicyGetActive, .fill = eoi_fill_handle, .take = note_active},
    {EOI_LOCAL, .fill = begin_again},
    {EOI_CbPolicyGetDefault, .fill = eoi_fill_handle, .take = take_default},
};

/* --- statistics --- */

static int note_policy(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _cb__CbPolicyGetActiveResponse *answer = out;

    (void)err;
    eoi->noted[eoi->handle_at++] = answer->PolicyHandle ? *answer->PolicyHandle : 0;
    return EOI_AGAIN;
}

static int fill_statistics(struct eoi *eoi, void *out, struct err *err)
{
    struct _cb__CbStatisticsGet *in = out;

    (void)err;
    while (eoi->handle_at < eoi->handle_count && eoi->noted[eoi->handle_at] == 0)
        eoi->handle_at++;
    if (eoi->handle_at == eoi->handle_count)
        return EOI_PASS;
    in->Interface = eoi_number(eoi, eoi->handles[eoi->handle_at]);
    in->PolicyHandle = eoi_number(eoi, eoi->noted[eoi->handle_at]);
    in->Reset = eoi_flag(eoi, false);
    return EOI_ASK;
}

/* The filter, or the default, within the reference to its association. */
static void show_counted(struct eoi *eoi, const struct cb__Statistic *entry)
{
    static const struct {
        const char *of, *name;
    } own[] = {{"TxDefault", "Tx Default"}, {"RxDefault", "Rx Default"}, {"AntiSpoofing", "Anti Spoofing"}};
    const char *name = NULL;
    char id[12];
    const struct wsman_selector by_id[] = {{"InstanceID", id}, {NULL, NULL}};
    struct wsman_selector by_name[] = {{"Name", NULL}, {NULL, NULL}};

    for (size_t i = 0; entry->Of && i < sizeof(own) / sizeof(own[0]); i++)
        if (strcmp(own[i].of, entry->Of) == 0)
            name = own[i].name;
    by_name[0].value = name ? name : "";
    snprintf(id, sizeof(id), "%u", entry->FilterHandle ? *entry->FilterHandle : 0);
    buf_puts(&eoi->items, "<Dependent><a:ReferenceParameters><w:SelectorSet><w:Selector Name=\"Dependent\">");
    eoi_show_reference(eoi, "a:EndpointReference", "AMT_NetworkFilter",
                       entry->FilterHandle ? by_id : by_name);
    buf_puts(&eoi->items, "</w:Selector></w:SelectorSet></a:ReferenceParameters></Dependent>");
}

static int take_statistics(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _cb__CbStatisticsGetResponse *answer = out;
    uint32_t interface = eoi->handles[eoi->handle_at++];

    (void)err;
    for (int i = 0; i < answer->__sizeEntry; i++) {
        const struct cb__Statistic *entry = &answer->Entry[i];

        eoi_show(eoi, "AMT_ActiveFilterStatistics");
        show_port(eoi, interface);
        show_counted(eoi, entry);
        eoi_show_flag(eoi, "FilterMatched", entry->Matched && *entry->Matched == true_);
        eoi_show_maybe(eoi, "ReadCount", entry->Count);
        eoi_shown(eoi, "AMT_ActiveFilterStatistics");
    }
    return EOI_AGAIN;
}

static const struct eoi_step statistic_steps[] = {
    {EOI_EnumerateInterfaces, .may_fail = true, .take = eoi_take_interfaces},
    {EOI_CbPolicyGetActive, .fill = eoi_fill_handle, .take = note_policy},
    {EOI_LOCAL, .fill = begin_again},
    {EOI_CbStatisticsGet, .fill = fill_statistics, .take = take_statistics},
};

/* They are up to date whenever they are asked for. */
static int nothing_to_do(struct eoi *eoi, void *in, struct err *err)
{
    (void)eoi;
    (void)in;
    (void)err;
    return EOI_PASS;
}

static const struct eoi_step update_steps[] = {{EOI_LOCAL, .fill = nothing_to_do}};

const struct eoi_row eoi_breaker_port_rows[] = {
    {WSMAN_ENUMERATE, "AMT_GeneralSystemDefenseCapabilities", NULL, EOI_STEPS(device_limit_steps)},
    {WSMAN_ENUMERATE, "AMT_NetworkPortSystemDefenseCapabilities", NULL, EOI_STEPS(port_limit_steps)},
    {WSMAN_ENUMERATE, "AMT_NetworkPortSystemDefensePolicy", NULL, EOI_STEPS(enabled_steps)},
    {WSMAN_CREATE, "AMT_NetworkPortSystemDefensePolicy", NULL, EOI_STEPS(enable_steps)},
    {WSMAN_DELETE, "AMT_NetworkPortSystemDefensePolicy", NULL, EOI_STEPS(disable_steps)},
    {WSMAN_ENUMERATE, "AMT_NetworkPortDefaultSystemDefensePolicy", NULL, EOI_STEPS(default_steps)},
    {WSMAN_CREATE, "AMT_NetworkPortDefaultSystemDefensePolicy", NULL, EOI_STEPS(set_default_steps)},
    {WSMAN_DELETE, "AMT_NetworkPortDefaultSystemDefensePolicy", NULL, EOI_STEPS(no_default_steps)},
    {WSMAN_ENUMERATE, "AMT_ActiveFilterStatistics", NULL, EOI_STEPS(statistic_steps)},
    {WSMAN_INVOKE, "AMT_SystemDefensePolicy", "UpdateStatistics", EOI_STEPS(update_steps)},
    {0},
};
