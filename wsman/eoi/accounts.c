/* Accounts. (reference eoi.md, 3.2) */
#include <eoiH.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "wsman/eoi/eoi_internal.h"

#define BYTES_MAX  64
#define REALMS_MAX 64

/* By their number in AMT_AuthorizationService. */
static const char *const permissions[] = {"LocalAccessPermission", "NetworkAccessPermission",
                                          "AnyAccessPermission"};

static int take_admin(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _sai__GetAdminAclEntryResponse *answer = out;

    if (!answer->Username)
        return eoi_missing(eoi, "Username", err);
    eoi_show(eoi, "GetAdminAclEntry_OUTPUT");
    eoi_show_text(eoi, "Username", answer->Username);
    eoi_shown(eoi, "GetAdminAclEntry_OUTPUT");
    return EOI_NEXT;
}

static int fill_start(struct eoi *eoi, void *out, struct err *err)
{
    struct _sai__EnumerateUserAclEntries *in = out;
    uint32_t start = 1;

    (void)err;
    wsman_request_u32(eoi_request(eoi), "StartIndex", &start);
    in->StartIndex = eoi_number(eoi, start);
    return EOI_ASK;
}

static int take_handles(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _sai__EnumerateUserAclEntriesResponse *answer = out;

    if (!answer->TotalCount)
        return eoi_missing(eoi, "TotalCount", err);
    eoi_show(eoi, "EnumerateUserAclEntries_OUTPUT");
    eoi_show_number(eoi, "TotalCount", *answer->TotalCount);
    for (int i = 0; i < answer->__sizeHandle; i++)
        eoi_show_number(eoi, "Handles", answer->Handle[i]);
    eoi_shown(eoi, "EnumerateUserAclEntries_OUTPUT");
    return EOI_NEXT;
}

static unsigned *handle_in(struct eoi *eoi)
{
    uint32_t handle = 0;

    wsman_request_u32(eoi_request(eoi), "Handle", &handle);
    return eoi_number(eoi, handle);
}

static int fill_handle(struct eoi *eoi, void *out, struct err *err)
{
    struct _sai__GetUserAclEntryEx *in = out;

    (void)err;
    in->Handle = handle_in(eoi);
    return EOI_ASK;
}

static void show_bytes(struct eoi *eoi, const char *name, const struct xsd__base64Binary *bytes)
{
    struct buf text = buf_init(2 * BYTES_MAX);

    if (bytes && bytes->__ptr && bytes->__size > 0 && bytes->__size <= BYTES_MAX) {
        text_base64(&text, bytes->__ptr, (size_t)bytes->__size);
        eoi_show_text(eoi, name, buf_str(&text));
    }
    buf_free(&text);
}

static int take_user(struct eoi *eoi, const void *out, struct err *err)
{
    const struct sai__UserAclEntryEx *entry = ((const struct _sai__GetUserAclEntryExResponse *)out)->EntryEx;

    if (!entry)
        return eoi_missing(eoi, "EntryEx", err);
    eoi_show(eoi, "GetUserAclEntryEx_OUTPUT");
    for (uint32_t i = 0; entry->AccessPermission && i < sizeof(permissions) / sizeof(permissions[0]); i++)
        if (strcmp(permissions[i], entry->AccessPermission) == 0)
            eoi_show_number(eoi, "AccessPermission", i);
    eoi_show_text(eoi, "DigestUsername", entry->Username);
    show_bytes(eoi, "KerberosUserSid", entry->Sid);
    for (int i = 0; i < entry->__sizeRealm; i++)
        eoi_show_number(eoi, "Realms", entry->Realm[i]);
    eoi_shown(eoi, "GetUserAclEntryEx_OUTPUT");
    return EOI_NEXT;
}

/* A member of the request that is base64 there, like the hash of user, realm and password; NULL: none. */
static struct xsd__base64Binary *bytes_in(struct eoi *eoi, const char *member)
{
    const char *text = wsman_request_text(eoi_request(eoi), member, 0);
    struct xsd__base64Binary *bytes = NULL;
    struct buf raw = buf_init_secret(BYTES_MAX);

    if (text && text_base64_decode(&raw, text, strlen(text))) {
        bytes = eoi_alloc(eoi, sizeof(*bytes));
        bytes->__ptr = eoi_alloc(eoi, raw.len + 1);
        bytes->__size = (int)raw.len;
        memcpy(bytes->__ptr, raw.p, raw.len);
    }
    buf_free(&raw);
    return bytes;
}

static char *name_in(struct eoi *eoi, const char *member)
{
    const char *name = wsman_request_text(eoi_request(eoi), member, 0);

    return name ? eoi_text(eoi, name) : NULL;
}

static int fill_admin(struct eoi *eoi, void *out, struct err *err)
{
    struct _sai__SetAdminAclEntryEx *in = out;

    (void)err;
    in->EntryEx = eoi_alloc(eoi, sizeof(*in->EntryEx));
    in->EntryEx->Username = name_in(eoi, "Username");
    in->EntryEx->DigestPassword = bytes_in(eoi, "DigestPassword");
    return EOI_ASK;
}

static struct sai__UserAclEntryEx *entry_in(struct eoi *eoi)
{
    struct sai__UserAclEntryEx *entry = eoi_alloc(eoi, sizeof(*entry));
    const struct wsman_request *rq = eoi_request(eoi);
    uint32_t access = 0;
    uint64_t realm;

    if (wsman_request_u32(rq, "AccessPermission", &access) &&
        access < sizeof(permissions) / sizeof(permissions[0]))
        entry->AccessPermission = eoi_text(eoi, permissions[access]);
    entry->Username = name_in(eoi, "DigestUsername");
    entry->DigestPassword = bytes_in(eoi, "DigestPassword");
    entry->Sid = bytes_in(eoi, "KerberosUserSid");
    entry->Realm = eoi_alloc(eoi, REALMS_MAX * sizeof(*entry->Realm));
    while (entry->__sizeRealm < REALMS_MAX &&
           text_u64(wsman_request_text(rq, "Realms", (size_t)entry->__sizeRealm), 0, UINT32_MAX, &realm))
        entry->Realm[entry->__sizeRealm++] = (unsigned)realm;
    return entry;
}

static int fill_user(struct eoi *eoi, void *out, struct err *err)
{
    struct _sai__UpdateUserAclEntryEx *in = out;

    (void)err;
    in->Handle = handle_in(eoi);
    in->EntryEx = entry_in(eoi);
    return EOI_ASK;
}

static int fill_new_user(struct eoi *eoi, void *out, struct err *err)
{
    struct _sai__AddUserAclEntryEx *in = out;

    (void)err;
    in->EntryEx = entry_in(eoi);
    return EOI_ASK;
}

static int take_new_user(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _sai__AddUserAclEntryExResponse *answer = out;

    if (!answer->Handle)
        return eoi_missing(eoi, "Handle", err);
    eoi_show(eoi, "AddUserAclEntryEx_OUTPUT");
    eoi_show_number(eoi, "Handle", *answer->Handle);
    eoi_shown(eoi, "AddUserAclEntryEx_OUTPUT");
    return EOI_NEXT;
}

static int fill_removal(struct eoi *eoi, void *out, struct err *err)
{
    struct _sai__RemoveUserAclEntry *in = out;

    (void)err;
    in->Handle = handle_in(eoi);
    return EOI_ASK;
}

static const struct eoi_step admin_steps[] = {{EOI_GetAdminAclEntry, .take = take_admin}};
static const struct eoi_step list_steps[] = {
    {EOI_EnumerateUserAclEntries, .fill = fill_start, .take = take_handles}};
static const struct eoi_step user_steps[] = {{EOI_GetUserAclEntryEx, .fill = fill_handle, .take = take_user}};
static const struct eoi_step set_admin_steps[] = {{EOI_SetAdminAclEntryEx, .fill = fill_admin}};
static const struct eoi_step set_user_steps[] = {{EOI_UpdateUserAclEntryEx, .fill = fill_user}};
static const struct eoi_step add_user_steps[] = {
    {EOI_AddUserAclEntryEx, .fill = fill_new_user, .take = take_new_user}};
static const struct eoi_step remove_user_steps[] = {{EOI_RemoveUserAclEntry, .fill = fill_removal}};

const struct eoi_row eoi_account_rows[] = {
    {WSMAN_INVOKE, "AMT_AuthorizationService", "GetAdminAclEntry", EOI_STEPS(admin_steps)},
    {WSMAN_INVOKE, "AMT_AuthorizationService", "EnumerateUserAclEntries", EOI_STEPS(list_steps)},
    {WSMAN_INVOKE, "AMT_AuthorizationService", "GetUserAclEntryEx", EOI_STEPS(user_steps)},
    {WSMAN_INVOKE, "AMT_AuthorizationService", "SetAdminAclEntryEx", EOI_STEPS(set_admin_steps)},
    {WSMAN_INVOKE, "AMT_AuthorizationService", "UpdateUserAclEntryEx", EOI_STEPS(set_user_steps)},
    {WSMAN_INVOKE, "AMT_AuthorizationService", "AddUserAclEntryEx", EOI_STEPS(add_user_steps)},
    {WSMAN_INVOKE, "AMT_AuthorizationService", "RemoveUserAclEntry", EOI_STEPS(remove_user_steps)},
    {0},
};
