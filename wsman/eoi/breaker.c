/* System Defense as Circuit Breaker, which it was called then: filters and policies. (reference eoi.md,
 * chapter 4; system-defense.md, chapter 2) */
#include <ctype.h>
#include <eoiH.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wsman/eoi/eoi_internal.h"

#define TCP_FLAGS 6

static uint32_t number_in(const char *text)
{
    uint64_t value = 0;

    text_u64(text, 0, UINT32_MAX, &value);
    return (uint32_t)value;
}

/* A member of the request as an optional number of the message. */
static unsigned *maybe(struct eoi *eoi, const char *name)
{
    uint32_t value;

    return wsman_request_u32(eoi_request(eoi), name, &value) ? eoi_number(eoi, value) : NULL;
}

static void *maybe_flag(struct eoi *eoi, const char *name)
{
    bool on = false;

    wsman_request_bool(eoi_request(eoi), name, &on);
    return eoi_flag(eoi, on);
}

static char *maybe_text(struct eoi *eoi, const char *name)
{
    const char *text = wsman_request_text(eoi_request(eoi), name, 0);

    return text ? eoi_text(eoi, text) : NULL;
}

/* What was made, as the reference that a Create answers with. */
static void show_created(struct eoi *eoi, const char *class_name, uint32_t handle)
{
    char id[12];
    const struct wsman_selector selectors[] = {{"InstanceID", id}, {NULL, NULL}};

    snprintf(id, sizeof(id), "%u", handle);
    eoi_show_reference(eoi, "ResourceCreated", class_name, selectors);
}

/* --- a new filter --- */

/* "0A000001": an address of four bytes. */
static unsigned *maybe_address(struct eoi *eoi, const char *name)
{
    const char *text = wsman_request_text(eoi_request(eoi), name, 0);

    if (!text || strlen(text) != 8 || strspn(text, "0123456789abcdefABCDEF") != 8)
        return NULL;
    return eoi_number(eoi, (uint32_t)strtoul(text, NULL, 16));
}

static unsigned *maybe_flags(struct eoi *eoi, const char *name)
{
    uint32_t mask = 0;
    const char *text;

    for (size_t i = 0; (text = wsman_request_text(eoi_request(eoi), name, i)) != NULL; i++)
        mask |= number_in(text) < TCP_FLAGS ? 1u << number_in(text) : 0;
    return mask ? eoi_number(eoi, mask) : NULL;
}

static struct cb__Ports *fill_ports(struct eoi *eoi)
{
    struct cb__Ports *p = eoi_alloc(eoi, sizeof(*p));

    p->SourceStart = maybe(eoi, "HdrSrcPortStart");
    p->SourceEnd = maybe(eoi, "HdrSrcPortEnd");
    p->DestinationStart = maybe(eoi, "HdrDestPortStart");
    p->DestinationEnd = maybe(eoi, "HdrDestPortEnd");
    p->TcpFlagsOn = maybe_flags(eoi, "TCPFlagsOn");
    p->TcpFlagsOff = maybe_flags(eoi, "TCPFlagsOff");
    return p->SourceStart || p->DestinationStart || p->TcpFlagsOn || p->TcpFlagsOff ? p : NULL;
}

static struct cb__IPv4 *fill_ipv4(struct eoi *eoi)
{
    struct cb__IPv4 *ip = eoi_alloc(eoi, sizeof(*ip));

    ip->SourceAddress = maybe_address(eoi, "HdrSrcAddress");
    ip->SourceMask = maybe_address(eoi, "HdrSrcMask");
    ip->DestinationAddress = maybe_address(eoi, "HdrDestAddress");
    ip->DestinationMask = maybe_address(eoi, "HdrDestMask");
    ip->Protocol = maybe(eoi, "HdrProtocolID");
    ip->Ports = fill_ports(eoi);
    return ip;
}

static struct cb__IPv6 *fill_ipv6(struct eoi *eoi)
{
    struct cb__IPv6 *ip = eoi_alloc(eoi, sizeof(*ip));

    ip->SourceAddress = maybe_text(eoi, "HdrSrcAddress");
    ip->SourceMask = maybe_text(eoi, "HdrSrcMask");
    ip->DestinationAddress = maybe_text(eoi, "HdrDestAddress");
    ip->DestinationMask = maybe_text(eoi, "HdrDestMask");
    ip->Protocol = maybe(eoi, "HdrProtocolID");
    ip->Ports = fill_ports(eoi);
    return ip;
}

static int fill_filter(struct eoi *eoi, void *out, struct err *err)
{
    struct _cb__CbFilterAdd *in = out;
    struct cb__Filter *f = eoi_alloc(eoi, sizeof(*f));
    uint32_t version = 0;

    (void)err;
    f->Name = maybe_text(eoi, "Name");
    f->Direction = maybe(eoi, "FilterDirection");
    f->Profile = maybe(eoi, "FilterProfile");
    f->ProfileData = maybe(eoi, "FilterProfileData");
    f->EventOnMatch = maybe_flag(eoi, "ActionEventOnMatch");
    if (strcmp(wsman_request_class(eoi_request(eoi)), "AMT_Hdr8021Filter") == 0) {
        f->Ethernet = eoi_alloc(eoi, sizeof(*f->Ethernet));
        f->Ethernet->Type = maybe(eoi, "HdrProtocolID8021");
    } else if (wsman_request_u32(eoi_request(eoi), "HdrIPVersion", &version) && version == 6) {
        f->IPv6 = fill_ipv6(eoi);
    } else {
        f->IPv4 = fill_ipv4(eoi);
    }
    in->Filter = f;
    return EOI_ASK;
}

static int take_filter_handle(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _cb__CbFilterAddResponse *answer = out;

    if (!answer->FilterHandle)
        return eoi_missing(eoi, "FilterHandle", err);
    show_created(eoi, wsman_request_class(eoi_request(eoi)), *answer->FilterHandle);
    return EOI_NEXT;
}

static const struct eoi_step filter_add_steps[] = {
    {EOI_CbFilterAdd, .fill = fill_filter, .take = take_filter_handle}};
static const struct eoi_step filter_remove_steps[] = {{EOI_CbFilterRemove, .fill = eoi_fill_selected}};

/* --- the filters there are --- */

static void show_address(struct eoi *eoi, const char *name, const unsigned *address)
{
    char text[9];

    if (!address)
        return;
    snprintf(text, sizeof(text), "%08X", *address);
    eoi_show_text(eoi, name, text);
}

static void show_flags(struct eoi *eoi, const char *name, const unsigned *mask)
{
    for (unsigned bit = 0; mask && bit < TCP_FLAGS; bit++)
        if (*mask & 1u << bit)
            eoi_show_number(eoi, name, bit);
}

static void show_ports(struct eoi *eoi, const struct cb__Ports *p)
{
    if (!p)
        return;
    eoi_show_maybe(eoi, "HdrSrcPortStart", p->SourceStart);
    eoi_show_maybe(eoi, "HdrSrcPortEnd", p->SourceEnd);
    eoi_show_maybe(eoi, "HdrDestPortStart", p->DestinationStart);
    eoi_show_maybe(eoi, "HdrDestPortEnd", p->DestinationEnd);
    show_flags(eoi, "TCPFlagsOn", p->TcpFlagsOn);
    show_flags(eoi, "TCPFlagsOff", p->TcpFlagsOff);
}

static void show_ipv4(struct eoi *eoi, const struct cb__IPv4 *ip)
{
    eoi_show_number(eoi, "HdrIPVersion", 4);
    show_address(eoi, "HdrSrcAddress", ip->SourceAddress);
    show_address(eoi, "HdrSrcMask", ip->SourceMask);
    show_address(eoi, "HdrDestAddress", ip->DestinationAddress);
    show_address(eoi, "HdrDestMask", ip->DestinationMask);
    eoi_show_maybe(eoi, "HdrProtocolID", ip->Protocol);
    show_ports(eoi, ip->Ports);
}

static void show_ipv6(struct eoi *eoi, const struct cb__IPv6 *ip)
{
    eoi_show_number(eoi, "HdrIPVersion", 6);
    eoi_show_text(eoi, "HdrSrcAddress", ip->SourceAddress);
    eoi_show_text(eoi, "HdrSrcMask", ip->SourceMask);
    eoi_show_text(eoi, "HdrDestAddress", ip->DestinationAddress);
    eoi_show_text(eoi, "HdrDestMask", ip->DestinationMask);
    eoi_show_maybe(eoi, "HdrProtocolID", ip->Protocol);
    show_ports(eoi, ip->Ports);
}

/* Of both kinds that there are, those of the class that was asked for. */
static int take_filter(struct eoi *eoi, const void *out, struct err *err)
{
    const struct cb__Filter *f = ((const struct _cb__CbFilterGetResponse *)out)->Filter;
    const char *class_name = wsman_request_class(eoi_request(eoi));
    bool ethernet = strcmp(class_name, "AMT_Hdr8021Filter") == 0;
    uint32_t handle = eoi->handles[eoi->handle_at++];

    if (!f || (!f->Ethernet && !f->IPv4 && !f->IPv6))
        return eoi_missing(eoi, "Filter", err);
    if (ethernet != (f->Ethernet != NULL))
        return EOI_AGAIN;
    eoi_show(eoi, class_name);
    eoi_show_number(eoi, "InstanceID", handle);
    eoi_show_text(eoi, "Name", f->Name);
    eoi_show_maybe(eoi, "FilterDirection", f->Direction);
    eoi_show_maybe(eoi, "FilterProfile", f->Profile);
    eoi_show_maybe(eoi, "FilterProfileData", f->ProfileData);
    if (f->EventOnMatch)
        eoi_show_flag(eoi, "ActionEventOnMatch", *f->EventOnMatch == true_);
    if (f->Ethernet)
        eoi_show_maybe(eoi, "HdrProtocolID8021", f->Ethernet->Type);
    else if (f->IPv6)
        show_ipv6(eoi, f->IPv6);
    else
        show_ipv4(eoi, f->IPv4);
    eoi_shown(eoi, class_name);
    return EOI_AGAIN;
}

static const struct eoi_step filter_steps[] = {
    {EOI_CbFilterEnumerate, .take = eoi_take_listed},
    {EOI_CbFilterGet, .fill = eoi_fill_handle, .take = take_filter},
};

/* --- policies --- */

static struct cb__Default *fill_default(struct eoi *eoi, const char *way)
{
    struct cb__Default *d = eoi_alloc(eoi, sizeof(*d));
    char name[40];

    snprintf(name, sizeof(name), "%sDefaultDrop", way);
    d->Drop = maybe_flag(eoi, name);
    snprintf(name, sizeof(name), "%sDefaultCount", way);
    d->Count = maybe_flag(eoi, name);
    snprintf(name, sizeof(name), "%sDefaultMatchEvent", way);
    d->Event = maybe_flag(eoi, name);
    return d;
}

static int fill_policy(struct eoi *eoi, void *out, struct err *err)
{
    struct _cb__CbPolicyAdd *in = out;
    struct cb__Policy *p = eoi_alloc(eoi, sizeof(*p));
    const struct wsman_request *rq = eoi_request(eoi);
    size_t n = 0;

    (void)err;
    while (wsman_request_text(rq, "FilterCreationHandles", n))
        n++;
    p->Name = maybe_text(eoi, "PolicyName");
    p->Precedence = maybe(eoi, "PolicyPrecedence");
    p->AntiSpoofing = maybe(eoi, "AntiSpoofingSupport");
    p->__sizeFilterHandle = (int)n;
    p->FilterHandle = eoi_alloc(eoi, (n + 1) * sizeof(*p->FilterHandle));
    for (size_t i = 0; i < n; i++)
        p->FilterHandle[i] = number_in(wsman_request_text(rq, "FilterCreationHandles", i));
    p->TxDefault = fill_default(eoi, "Tx");
    p->RxDefault = fill_default(eoi, "Rx");
    in->Policy = p;
    return EOI_ASK;
}

static int take_policy_handle(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _cb__CbPolicyAddResponse *answer = out;

    if (!answer->PolicyHandle)
        return eoi_missing(eoi, "PolicyHandle", err);
    show_created(eoi, "AMT_SystemDefensePolicy", *answer->PolicyHandle);
    return EOI_NEXT;
}

static void show_default(struct eoi *eoi, const char *way, const struct cb__Default *d)
{
    char name[40];

    snprintf(name, sizeof(name), "%sDefaultDrop", way);
    eoi_show_flag(eoi, name, d && d->Drop && *d->Drop == true_);
    snprintf(name, sizeof(name), "%sDefaultCount", way);
    eoi_show_flag(eoi, name, d && d->Count && *d->Count == true_);
    snprintf(name, sizeof(name), "%sDefaultMatchEvent", way);
    eoi_show_flag(eoi, name, d && d->Event && *d->Event == true_);
}

static int take_policy(struct eoi *eoi, const void *out, struct err *err)
{
    const struct cb__Policy *p = ((const struct _cb__CbPolicyGetResponse *)out)->Policy;

    if (!p)
        return eoi_missing(eoi, "Policy", err);
    eoi_show(eoi, "AMT_SystemDefensePolicy");
    eoi_show_number(eoi, "InstanceID", eoi->handles[eoi->handle_at++]);
    eoi_show_text(eoi, "PolicyName", p->Name);
    eoi_show_maybe(eoi, "PolicyPrecedence", p->Precedence);
    eoi_show_maybe(eoi, "AntiSpoofingSupport", p->AntiSpoofing);
    for (int i = 0; i < p->__sizeFilterHandle; i++)
        eoi_show_number(eoi, "FilterCreationHandles", p->FilterHandle[i]);
    show_default(eoi, "Tx", p->TxDefault);
    show_default(eoi, "Rx", p->RxDefault);
    eoi_shown(eoi, "AMT_SystemDefensePolicy");
    return EOI_AGAIN;
}

static const struct eoi_step policy_steps[] = {
    {EOI_CbPolicyEnumerate, .take = eoi_take_listed},
    {EOI_CbPolicyGet, .fill = eoi_fill_handle, .take = take_policy},
};
static const struct eoi_step policy_add_steps[] = {
    {EOI_CbPolicyAdd, .fill = fill_policy, .take = take_policy_handle}};
static const struct eoi_step policy_remove_steps[] = {{EOI_CbPolicyRemove, .fill = eoi_fill_selected}};

const struct eoi_row eoi_breaker_rows[] = {
    {WSMAN_ENUMERATE, "AMT_SystemDefensePolicy", NULL, EOI_STEPS(policy_steps)},
    {WSMAN_CREATE, "AMT_SystemDefensePolicy", NULL, EOI_STEPS(policy_add_steps)},
    {WSMAN_DELETE, "AMT_SystemDefensePolicy", NULL, EOI_STEPS(policy_remove_steps)},
    {WSMAN_ENUMERATE, "AMT_Hdr8021Filter", NULL, EOI_STEPS(filter_steps)},
    {WSMAN_CREATE, "AMT_Hdr8021Filter", NULL, EOI_STEPS(filter_add_steps)},
    {WSMAN_DELETE, "AMT_Hdr8021Filter", NULL, EOI_STEPS(filter_remove_steps)},
    {WSMAN_ENUMERATE, "AMT_IPHeadersFilter", NULL, EOI_STEPS(filter_steps)},
    {WSMAN_CREATE, "AMT_IPHeadersFilter", NULL, EOI_STEPS(filter_add_steps)},
    {WSMAN_DELETE, "AMT_IPHeadersFilter", NULL, EOI_STEPS(filter_remove_steps)},
    {0},
};
