/* Accounts over the SOAP interface. (reference eoi.md, 3.2) */
#include <simH.h>
#include <string.h>

#include "tests/amtsim/eoi_internal.h"
#include "tests/amtsim/users.h"

#define HA1_LEN     16
#define SID_LEAST   8
#define REALM_LEAST 2
#define REALM_MOST  24

/* By their number in struct user_entry. */
static const char *const permissions[] = {"LocalAccessPermission", "NetworkAccessPermission",
                                          "AnyAccessPermission"};

#define PERMISSIONS (sizeof(permissions) / sizeof(permissions[0]))

int __sai__GetAdminAclEntry(struct soap *soap, struct _sai__GetAdminAclEntry *in,
                            struct _sai__GetAdminAclEntryResponse *out)
{
    struct device *d = eoi_enter(soap, "GetAdminAclEntry", false, &out->Status);
    (void)in;
    if (d != NULL)
        out->Username = eoi_text(soap, users_admin_name(d));
    return SOAP_OK;
}

int __sai__SetAdminAclEntryEx(struct soap *soap, struct _sai__SetAdminAclEntryEx *in,
                              struct _sai__SetAdminAclEntryExResponse *out)
{
    const struct sai__AdminAclEntryEx *entry = in->EntryEx;
    struct device *d = eoi_enter(soap, "SetAdminAclEntryEx", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    if (entry == NULL || entry->Username == NULL)
        return eoi_leave(soap, &out->Status, PT_INVALID_PARAMETER);
    if (entry->DigestPassword == NULL || entry->DigestPassword->__size != HA1_LEN)
        return eoi_leave(soap, &out->Status, PT_INVALID_PASSWORD);
    return eoi_leave(soap, &out->Status, users_set_admin(d, entry->Username, entry->DigestPassword->__ptr));
}

/* --- others --- */

static unsigned read_realms(const struct sai__UserAclEntryEx *in, struct user_entry *u)
{
    for (int i = 0; i < in->__sizeRealm; i++) {
        if (in->Realm[i] < REALM_LEAST || in->Realm[i] > REALM_MOST)
            return PT_INVALID_REALM;
        u->realms |= 1u << in->Realm[i];
    }
    return PT_SUCCESS;
}

static unsigned read_entry(const struct sai__UserAclEntryEx *in, struct user_entry *u)
{
    if (in == NULL || in->AccessPermission == NULL || (in->Username == NULL) == (in->Sid == NULL))
        return PT_INVALID_PARAMETER;
    while (u->access < PERMISSIONS && strcmp(permissions[u->access], in->AccessPermission) != 0)
        u->access++;
    if (u->access == PERMISSIONS || (in->Username != NULL && !users_name_ok(in->Username)))
        return PT_INVALID_PARAMETER;
    if (in->Username != NULL) {
        if (in->DigestPassword == NULL || in->DigestPassword->__size != HA1_LEN)
            return PT_INVALID_PASSWORD;
        memcpy(u->name, in->Username, strlen(in->Username) + 1);
        memcpy(u->ha1, in->DigestPassword->__ptr, HA1_LEN);
    } else if (in->Sid->__size < SID_LEAST || in->Sid->__size > USERS_SID_MAX) {
        return PT_INVALID_PARAMETER;
    } else {
        memcpy(u->sid, in->Sid->__ptr, (size_t)in->Sid->__size);
        u->sid_len = (uint8_t)in->Sid->__size;
    }
    return read_realms(in, u);
}

int __sai__AddUserAclEntryEx(struct soap *soap, struct _sai__AddUserAclEntryEx *in,
                             struct _sai__AddUserAclEntryExResponse *out)
{
    struct user_entry u = {0};
    uint32_t handle = 0;
    struct device *d = eoi_enter(soap, "AddUserAclEntryEx", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    unsigned status = read_entry(in->EntryEx, &u);
    if (status == PT_SUCCESS)
        status = users_add(d, &u, &handle);
    if (status == PT_SUCCESS)
        out->Handle = eoi_number(soap, handle);
    return eoi_leave(soap, &out->Status, status);
}

/* From the account with that number on, from 1. */
int __sai__EnumerateUserAclEntries(struct soap *soap, struct _sai__EnumerateUserAclEntries *in,
                                   struct _sai__EnumerateUserAclEntriesResponse *out)
{
    uint32_t handles[USERS_MAX];
    struct device *d = eoi_enter(soap, "EnumerateUserAclEntries", false, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    if (in->StartIndex == NULL || *in->StartIndex == 0)
        return eoi_leave(soap, &out->Status, PT_INVALID_PARAMETER);
    size_t n = users_handles(d, handles);
    out->TotalCount = eoi_number(soap, (unsigned)n);
    out->Handle = soap_malloc(soap, (n + 1) * sizeof(*out->Handle));
    for (size_t i = *in->StartIndex - 1; i < n; i++)
        out->Handle[out->__sizeHandle++] = handles[i];
    return SOAP_OK;
}

static struct sai__UserAclEntryEx *show_entry(struct soap *soap, const struct user_entry *u)
{
    struct sai__UserAclEntryEx *to = soap_malloc(soap, sizeof(*to));
    soap_default_sai__UserAclEntryEx(soap, to);
    to->AccessPermission = eoi_text(soap, permissions[u->access]);
    to->Realm = soap_malloc(soap, (REALM_MOST + 1) * sizeof(*to->Realm));
    for (unsigned realm = 0; realm <= REALM_MOST; realm++) {
        if (u->realms >> realm & 1)
            to->Realm[to->__sizeRealm++] = realm;
    }
    if (u->name[0] != '\0')
        to->Username = eoi_text(soap, u->name);
    if (u->sid_len > 0) {
        to->Sid = soap_malloc(soap, sizeof(*to->Sid));
        soap_default_xsd__base64Binary(soap, to->Sid);
        to->Sid->__size = u->sid_len;
        to->Sid->__ptr = soap_malloc(soap, u->sid_len);
        memcpy(to->Sid->__ptr, u->sid, u->sid_len);
    }
    return to;
}

int __sai__GetUserAclEntryEx(struct soap *soap, struct _sai__GetUserAclEntryEx *in,
                             struct _sai__GetUserAclEntryExResponse *out)
{
    struct device *d = eoi_enter(soap, "GetUserAclEntryEx", false, &out->Status);
    const struct user_entry *u = d != NULL && in->Handle != NULL ? users_entry(d, *in->Handle) : NULL;
    if (d == NULL)
        return SOAP_OK;
    if (u == NULL)
        return eoi_leave(soap, &out->Status, PT_INVALID_HANDLE);
    out->EntryEx = show_entry(soap, u);
    return SOAP_OK;
}

int __sai__UpdateUserAclEntryEx(struct soap *soap, struct _sai__UpdateUserAclEntryEx *in,
                                struct _sai__UpdateUserAclEntryExResponse *out)
{
    struct user_entry u = {0};
    struct device *d = eoi_enter(soap, "UpdateUserAclEntryEx", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    if (in->Handle == NULL || users_entry(d, *in->Handle) == NULL)
        return eoi_leave(soap, &out->Status, PT_INVALID_HANDLE);
    unsigned status = read_entry(in->EntryEx, &u);
    return eoi_leave(soap, &out->Status, status == PT_SUCCESS ? users_update(d, *in->Handle, &u) : status);
}

int __sai__RemoveUserAclEntry(struct soap *soap, struct _sai__RemoveUserAclEntry *in,
                              struct _sai__RemoveUserAclEntryResponse *out)
{
    struct device *d = eoi_enter(soap, "RemoveUserAclEntry", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    return eoi_leave(soap, &out->Status,
                     in->Handle != NULL ? users_remove(d, *in->Handle) : PT_INVALID_PARAMETER);
}
