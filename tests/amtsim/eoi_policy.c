/* Policies of Circuit Breaker over the SOAP interface, where they are enabled and what they counted.
 * (reference eoi.md, chapter 4) */
#include <simH.h>
#include <string.h>

#include "tests/amtsim/defense.h"
#include "tests/amtsim/eoi_internal.h"

static bool read_rest(const struct cb__Default *in, struct defense_rest *rest)
{
    if (in == NULL || in->Drop == NULL)
        return false;
    rest->drop = *in->Drop == true_;
    rest->count = in->Count != NULL && *in->Count == true_;
    rest->event = in->Event != NULL && *in->Event == true_;
    return true;
}

static unsigned read_handles(const struct device *d, const struct cb__Policy *in, struct defense_policy *p)
{
    if (in->__sizeFilterHandle > DEFENSE_HANDLES_MAX)
        return PT_MAX_LIMIT;
    for (int i = 0; i < in->__sizeFilterHandle; i++) {
        if (defense_filter(d, in->FilterHandle[i]) == NULL)
            return PT_INVALID_HANDLE;
        for (size_t k = 0; k < p->count; k++) {
            if (p->handles[k] == in->FilterHandle[i])
                return PT_DUPLICATE;
        }
        p->handles[p->count++] = in->FilterHandle[i];
    }
    return PT_SUCCESS;
}

static unsigned read_policy(const struct device *d, const struct cb__Policy *in, struct defense_policy *p)
{
    if (in == NULL || in->Name == NULL || in->Name[0] == '\0' || strlen(in->Name) > DEFENSE_NAME_MAX ||
        in->Precedence == NULL || eoi_value(in->AntiSpoofing) > 3 ||
        !read_rest(in->TxDefault, &p->rest[DEFENSE_TX]) || !read_rest(in->RxDefault, &p->rest[DEFENSE_RX]))
        return PT_INVALID_PARAMETER;
    memcpy(p->name, in->Name, strlen(in->Name) + 1);
    p->precedence = *in->Precedence;
    p->anti_spoof = (uint8_t)eoi_value(in->AntiSpoofing);
    return read_handles(d, in, p);
}

int __cb__CbPolicyAdd(struct soap *soap, struct _cb__CbPolicyAdd *in, struct _cb__CbPolicyAddResponse *out)
{
    struct defense_policy p = {0};
    struct device *d = eoi_enter(soap, "CbPolicyAdd", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    unsigned status = read_policy(d, in->Policy, &p);
    if (status == PT_SUCCESS &&
        fault_strike(d, FAULT_FLASH_WORN, "CircuitBreakerService", "CbPolicyAdd") != NULL)
        status = PT_FLASH_WRITE_LIMIT;
    if (status == PT_SUCCESS && !defense_fits(d, &p, defense_has_port(d, 0) ? 0 : 1))
        status = PT_MAX_LIMIT;
    uint32_t handle = status == PT_SUCCESS ? defense_policy_add(d, &p) : 0;
    if (status == PT_SUCCESS && handle == 0)
        status = PT_MAX_LIMIT;
    if (handle != 0)
        out->PolicyHandle = eoi_number(soap, handle);
    return eoi_leave(soap, &out->Status, status);
}

int __cb__CbPolicyEnumerate(struct soap *soap, struct _cb__CbPolicyEnumerate *in,
                            struct _cb__CbPolicyEnumerateResponse *out)
{
    struct device *d = eoi_enter(soap, "CbPolicyEnumerate", false, &out->Status);
    (void)in;
    if (d == NULL)
        return SOAP_OK;
    out->PolicyHandle = soap_malloc(soap, DEFENSE_POLICIES_MAX * sizeof(*out->PolicyHandle));
    for (size_t i = 0; i < defense_policy_count(d); i++)
        out->PolicyHandle[out->__sizePolicyHandle++] = defense_policy_at(d, i)->handle;
    return SOAP_OK;
}

static struct cb__Default *show_rest(struct soap *soap, const struct defense_rest *rest)
{
    struct cb__Default *to = soap_malloc(soap, sizeof(*to));
    to->Drop = eoi_flag(soap, rest->drop);
    to->Count = eoi_flag(soap, rest->count);
    to->Event = eoi_flag(soap, rest->event);
    return to;
}

int __cb__CbPolicyGet(struct soap *soap, struct _cb__CbPolicyGet *in, struct _cb__CbPolicyGetResponse *out)
{
    struct device *d = eoi_enter(soap, "CbPolicyGet", false, &out->Status);
    const struct defense_policy *p = d != NULL ? defense_policy(d, eoi_value(in->PolicyHandle)) : NULL;
    if (d == NULL)
        return SOAP_OK;
    if (p == NULL)
        return eoi_leave(soap, &out->Status, PT_INVALID_HANDLE);
    struct cb__Policy *to = soap_malloc(soap, sizeof(*to));
    soap_default_cb__Policy(soap, to);
    to->Name = eoi_text(soap, p->name);
    to->Precedence = eoi_number(soap, p->precedence);
    to->AntiSpoofing = eoi_number(soap, p->anti_spoof);
    to->__sizeFilterHandle = (int)p->count;
    to->FilterHandle = soap_malloc(soap, (p->count + 1) * sizeof(*to->FilterHandle));
    memcpy(to->FilterHandle, p->handles, p->count * sizeof(*to->FilterHandle));
    to->TxDefault = show_rest(soap, &p->rest[DEFENSE_TX]);
    to->RxDefault = show_rest(soap, &p->rest[DEFENSE_RX]);
    out->Policy = to;
    return SOAP_OK;
}

int __cb__CbPolicyRemove(struct soap *soap, struct _cb__CbPolicyRemove *in,
                         struct _cb__CbPolicyRemoveResponse *out)
{
    struct device *d = eoi_enter(soap, "CbPolicyRemove", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    if (defense_policy(d, eoi_value(in->PolicyHandle)) == NULL)
        return eoi_leave(soap, &out->Status, PT_INVALID_HANDLE);
    if (defense_policy_used(d, *in->PolicyHandle))
        return eoi_leave(soap, &out->Status, PT_NOT_PERMITTED);
    defense_policy_remove(d, *in->PolicyHandle);
    return eoi_leave(soap, &out->Status, PT_SUCCESS);
}

/* --- where they hold --- */

static unsigned check_ends(const struct device *d, const unsigned *interface, const unsigned *policy)
{
    unsigned status = policy == NULL ? PT_INVALID_PARAMETER : eoi_check_interface(d, interface);
    return status == PT_SUCCESS && defense_policy(d, *policy) == NULL ? PT_INVALID_HANDLE : status;
}

int __cb__CbPolicyEnable(struct soap *soap, struct _cb__CbPolicyEnable *in,
                         struct _cb__CbPolicyEnableResponse *out)
{
    struct device *d = eoi_enter(soap, "CbPolicyEnable", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    unsigned status = check_ends(d, in->Interface, in->PolicyHandle);
    if (status == PT_SUCCESS && defense_bound(d, DEFENSE_CONSOLE, *in->Interface) != 0)
        status = PT_DUPLICATE;
    if (status == PT_SUCCESS && !defense_fits(d, defense_policy(d, *in->PolicyHandle), *in->Interface))
        status = PT_MAX_LIMIT;
    if (status == PT_SUCCESS &&
        fault_strike(d, FAULT_REFUSE_ACTIVATION, "CircuitBreakerService", "CbPolicyEnable") != NULL)
        status = PT_INTERNAL;
    if (status == PT_SUCCESS)
        defense_bind(d, DEFENSE_CONSOLE, *in->Interface, *in->PolicyHandle);
    return eoi_leave(soap, &out->Status, status);
}

int __cb__CbPolicyDisable(struct soap *soap, struct _cb__CbPolicyDisable *in,
                          struct _cb__CbPolicyDisableResponse *out)
{
    struct device *d = eoi_enter(soap, "CbPolicyDisable", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    unsigned status = check_ends(d, in->Interface, in->PolicyHandle);
    if (status == PT_SUCCESS && defense_bound(d, DEFENSE_CONSOLE, *in->Interface) != *in->PolicyHandle)
        status = PT_INVALID_HANDLE;
    if (status == PT_SUCCESS)
        defense_unbind(d, DEFENSE_CONSOLE, *in->Interface);
    return eoi_leave(soap, &out->Status, status);
}

int __cb__CbPolicyGetActive(struct soap *soap, struct _cb__CbPolicyGetActive *in,
                            struct _cb__CbPolicyGetActiveResponse *out)
{
    struct device *d = eoi_enter(soap, "CbPolicyGetActive", false, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    unsigned status = eoi_check_interface(d, in->Interface);
    if (status != PT_SUCCESS)
        return eoi_leave(soap, &out->Status, status);
    uint32_t active = defense_live(d, *in->Interface)->policy;
    uint32_t enabled = defense_bound(d, DEFENSE_CONSOLE, *in->Interface);
    out->PolicyHandle = active != 0 ? eoi_number(soap, active) : NULL;
    out->EnabledHandle = enabled != 0 ? eoi_number(soap, enabled) : NULL;
    return SOAP_OK;
}

int __cb__CbPolicySetDefault(struct soap *soap, struct _cb__CbPolicySetDefault *in,
                             struct _cb__CbPolicySetDefaultResponse *out)
{
    struct device *d = eoi_enter(soap, "CbPolicySetDefault", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    unsigned status = eoi_check_interface(d, in->Interface);
    if (status == PT_SUCCESS && in->PolicyHandle != NULL && defense_policy(d, *in->PolicyHandle) == NULL)
        status = PT_INVALID_HANDLE;
    if (status != PT_SUCCESS)
        return eoi_leave(soap, &out->Status, status);
    if (defense_bound(d, DEFENSE_DEFAULT, *in->Interface) != 0)
        defense_unbind(d, DEFENSE_DEFAULT, *in->Interface);
    if (in->PolicyHandle != NULL)
        defense_bind(d, DEFENSE_DEFAULT, *in->Interface, *in->PolicyHandle);
    return eoi_leave(soap, &out->Status, PT_SUCCESS);
}

int __cb__CbPolicyGetDefault(struct soap *soap, struct _cb__CbPolicyGetDefault *in,
                             struct _cb__CbPolicyGetDefaultResponse *out)
{
    struct device *d = eoi_enter(soap, "CbPolicyGetDefault", false, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    unsigned status = eoi_check_interface(d, in->Interface);
    if (status != PT_SUCCESS)
        return eoi_leave(soap, &out->Status, status);
    uint32_t policy = defense_bound(d, DEFENSE_DEFAULT, *in->Interface);
    out->PolicyHandle = policy != 0 ? eoi_number(soap, policy) : NULL;
    return SOAP_OK;
}

/* --- what was counted --- */

static const char *name_of(uint32_t row)
{
    return row == DEFENSE_ROW_TX ? "TxDefault" : row == DEFENSE_ROW_RX ? "RxDefault" : "AntiSpoofing";
}

/* Only what counts or tells is in the statistics. */
static bool shows(const struct device *d, const struct defense_policy *p, uint32_t row)
{
    const struct defense_filter *f = defense_filter(d, row);
    if (f != NULL)
        return f->profile <= DEFENSE_LIMIT || f->event;
    if (row == DEFENSE_ROW_SPOOF)
        return p->anti_spoof != 0;
    const struct defense_rest *rest = &p->rest[row == DEFENSE_ROW_TX ? DEFENSE_TX : DEFENSE_RX];
    return rest->count || rest->event;
}

static void show_statistics(struct soap *soap, struct device *d, const struct defense_live *live,
                            struct _cb__CbStatisticsGetResponse *out)
{
    out->ActivationTime = eoi_number(soap, (unsigned)(live->since_ms / 1000));
    out->LastResetTime = eoi_number(soap, (unsigned)(live->reset_ms / 1000));
    out->Entry = soap_malloc(soap, (live->count + 1) * sizeof(*out->Entry));
    for (size_t i = 0; i < live->count; i++) {
        const struct defense_row *row = &live->rows[i];
        if (!shows(d, defense_policy(d, live->policy), row->of))
            continue;
        struct cb__Statistic *entry = &out->Entry[out->__sizeEntry++];
        soap_default_cb__Statistic(soap, entry);
        if (defense_filter(d, row->of) != NULL)
            entry->FilterHandle = eoi_number(soap, row->of);
        else
            entry->Of = eoi_text(soap, name_of(row->of));
        entry->Count = eoi_number(soap, row->shown);
        entry->Matched = eoi_flag(soap, row->shown_matched);
    }
}

int __cb__CbStatisticsGet(struct soap *soap, struct _cb__CbStatisticsGet *in,
                          struct _cb__CbStatisticsGetResponse *out)
{
    struct device *d = eoi_enter(soap, "CbStatisticsGet", false, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    unsigned status = check_ends(d, in->Interface, in->PolicyHandle);
    if (status == PT_SUCCESS && defense_live(d, *in->Interface)->policy != *in->PolicyHandle)
        status = PT_UNSUPPORTED; /* not the active one */
    if (status != PT_SUCCESS)
        return eoi_leave(soap, &out->Status, status);
    defense_update(d, *in->Interface, in->Reset != NULL && *in->Reset == true_);
    show_statistics(soap, d, defense_live(d, *in->Interface), out);
    return SOAP_OK;
}
