#include "tests/amtsim/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/fleet.h"

#define REALMS_MAX 25

struct user {
    uint32_t handle; /* 0: free */
    bool disabled;
    struct user_entry entry;
};

struct users {
    char admin[USERS_NAME_MAX + 1]; /* "": the fleet's */
    uint32_t next_handle;
    struct user list[USERS_MAX];
};

static struct users *users_of(struct device *d)
{
    if (d->users == NULL) {
        d->users = xcalloc(1, sizeof(*d->users));
        d->users->next_handle = 1;
    }
    return d->users;
}

void users_free(struct users *users)
{
    free(users);
}

const char *users_admin_name(const struct device *d)
{
    return d->users != NULL && d->users->admin[0] != '\0' ? d->users->admin : d->fleet->options->user;
}

static struct user *by_name(const struct device *d, const char *name)
{
    for (unsigned i = 0; d->users != NULL && name[0] != '\0' && i < USERS_MAX; i++) {
        struct user *u = &d->users->list[i];
        if (u->handle != 0 && strcmp(u->entry.name, name) == 0)
            return u;
    }
    return NULL;
}

bool users_ha1(const struct device *d, const char *name, uint8_t out[16])
{
    const struct user *u = by_name(d, name);
    if (u == NULL || u->disabled || u->entry.access == 0)
        return false;
    memcpy(out, u->entry.ha1, 16);
    return true;
}

uint32_t users_realms(const struct device *d, const char *name)
{
    const struct user *u = by_name(d, name);
    if (u == NULL)
        return strcmp(name, users_admin_name(d)) == 0 ? REALMS_ALL : 0;
    return u->entry.realms;
}

bool users_by_sid(const struct device *d, const uint8_t *sid, size_t n, uint32_t *realms)
{
    for (unsigned i = 0; d->users != NULL && i < USERS_MAX; i++) {
        const struct user *u = &d->users->list[i];
        if (u->handle == 0 || u->disabled || u->entry.access == 0 || u->entry.sid_len != n || n == 0 ||
            memcmp(u->entry.sid, sid, n) != 0)
            continue;
        *realms = u->entry.realms;
        return true;
    }
    return false;
}

bool users_may_redirect(const struct device *d, const char *name)
{
    return (users_realms(d, name) & (REALM_BIT(REALM_REDIRECTION) | REALM_BIT(REALM_ADMINISTRATOR))) != 0;
}

/* --- accounts --- */

static struct user *by_handle(const struct device *d, uint32_t handle)
{
    for (unsigned i = 0; d->users != NULL && handle != 0 && i < USERS_MAX; i++) {
        if (d->users->list[i].handle == handle)
            return &d->users->list[i];
    }
    return NULL;
}

bool users_name_ok(const char *name)
{
    return name[0] != '\0' && strlen(name) <= USERS_NAME_MAX && strpbrk(name, "(),:\"&<>") == NULL;
}

const struct user_entry *users_entry(const struct device *d, uint32_t handle)
{
    const struct user *u = by_handle(d, handle);
    return u != NULL ? &u->entry : NULL;
}

size_t users_handles(const struct device *d, uint32_t out[USERS_MAX])
{
    size_t n = 0;
    for (unsigned i = 0; d->users != NULL && i < USERS_MAX; i++) {
        if (d->users->list[i].handle != 0)
            out[n++] = d->users->list[i].handle;
    }
    return n;
}

uint32_t users_add(struct device *d, const struct user_entry *entry, uint32_t *handle)
{
    struct users *users = users_of(d);
    if (by_name(d, entry->name) != NULL || strcmp(entry->name, users_admin_name(d)) == 0)
        return RET_DUPLICATE;
    for (unsigned i = 0; i < USERS_MAX; i++) {
        if (users->list[i].handle != 0)
            continue;
        *handle = users->next_handle++;
        users->list[i] = (struct user){.handle = *handle, .entry = *entry};
        device_acl_changed(d);
        return RET_OK;
    }
    return RET_MAXIMUM;
}

uint32_t users_update(struct device *d, uint32_t handle, const struct user_entry *entry)
{
    struct user *u = by_handle(d, handle), *same = by_name(d, entry->name);
    if (u == NULL)
        return RET_INVALID_HANDLE;
    if (same != NULL && same != u)
        return RET_DUPLICATE;
    u->entry = *entry;
    device_acl_changed(d);
    return RET_OK;
}

uint32_t users_remove(struct device *d, uint32_t handle)
{
    struct user *u = by_handle(d, handle);
    if (u == NULL)
        return RET_INVALID_HANDLE;
    *u = (struct user){0};
    device_acl_changed(d);
    return RET_OK;
}

uint32_t users_set_admin(struct device *d, const char *name, const uint8_t ha1[16])
{
    struct users *users = users_of(d);
    if (!users_name_ok(name) || by_name(d, name) != NULL)
        return RET_BAD_PARAMETER;
    snprintf(users->admin, sizeof(users->admin), "%s", name);
    memcpy(d->login.admin_ha1, ha1, 16);
    d->login.admin_ha1_known = true;
    device_acl_changed(d);
    return RET_OK;
}

/* --- parameters --- */

static uint32_t handle_of(struct call *c)
{
    uint64_t handle = 0;
    call_num(c, "Handle", UINT32_MAX, &handle);
    return (uint32_t)handle;
}

/* 16 raw bytes in base64, or (MeshCentral) 32 hex digits. */
static bool read_ha1(const char *text, uint8_t out[16])
{
    unsigned byte;
    if (strlen(text) == 32 && strspn(text, "0123456789abcdefABCDEF") == 32) {
        for (unsigned i = 0; i < 16; i++) {
            sscanf(text + 2 * i, "%2x", &byte);
            out[i] = (uint8_t)byte;
        }
        return true;
    }
    struct buf raw = buf_init(64);
    bool ok = text_base64_decode(&raw, text, strlen(text)) && raw.len == 16;
    if (ok)
        memcpy(out, raw.p, 16);
    buf_free(&raw);
    return ok;
}

static bool read_sid(const char *text, struct user_entry *u)
{
    struct buf raw = buf_init(256);
    bool ok = text_base64_decode(&raw, text, strlen(text)) && raw.len >= 8 && raw.len <= USERS_SID_MAX;
    if (ok) {
        memcpy(u->sid, raw.p, raw.len);
        u->sid_len = (uint8_t)raw.len;
    }
    buf_free(&raw);
    return ok;
}

static uint32_t read_realms(struct call *c, struct user_entry *u)
{
    u->realms = 0;
    struct xml_el el = xml_child(c->in, NULL, "Realms");
    for (; el.node != NULL; el = xml_next(el, NULL, "Realms")) {
        uint64_t realm;
        if (!text_u64(xml_text(c->message->doc, el), 2, REALMS_MAX - 1, &realm))
            return RET_INVALID_REALM;
        u->realms |= 1u << realm;
    }
    return RET_OK;
}

/* Name, password or SID, access and realms into *u. */
static uint32_t read_user(struct call *c, struct user_entry *u)
{
    const char *name = call_text(c, "DigestUsername"), *password = call_text(c, "DigestPassword");
    const char *sid = call_text(c, "KerberosUserSid");
    uint64_t access;
    if (!call_num(c, "AccessPermission", 2, &access) || (name == NULL) == (sid == NULL))
        return RET_BAD_PARAMETER;
    u->access = (uint8_t)access;
    if (name != NULL) {
        if (!users_name_ok(name))
            return RET_BAD_PARAMETER;
        if (password == NULL || !read_ha1(password, u->ha1))
            return RET_INVALID_PASSWORD;
        snprintf(u->name, sizeof(u->name), "%s", name);
    } else if (!read_sid(sid, u)) {
        return RET_BAD_PARAMETER;
    }
    return read_realms(c, u);
}

/* --- methods --- */

static uint32_t add_user(struct call *c)
{
    struct user_entry u = {0};
    uint32_t handle = 0, result = read_user(c, &u);
    if (result == RET_OK)
        result = users_add(c->device, &u, &handle);
    if (result == RET_OK)
        out_num(c->out, "Handle", handle);
    return result;
}

static uint32_t update_user(struct call *c)
{
    struct user_entry u = {0};
    if (users_entry(c->device, handle_of(c)) == NULL)
        return RET_INVALID_HANDLE;
    uint32_t result = read_user(c, &u);
    return result == RET_OK ? users_update(c->device, handle_of(c), &u) : result;
}

static uint32_t remove_user(struct call *c)
{
    return users_remove(c->device, handle_of(c));
}

static uint32_t get_user(struct call *c)
{
    const struct user_entry *u = users_entry(c->device, handle_of(c));
    if (u == NULL)
        return RET_INVALID_HANDLE;
    out_num(c->out, "AccessPermission", u->access);
    if (u->name[0] != '\0')
        out_str(c->out, "DigestUsername", u->name);
    if (u->sid_len > 0)
        out_bytes(c->out, "KerberosUserSid", u->sid, u->sid_len);
    for (unsigned realm = 0; realm < REALMS_MAX; realm++) {
        if (u->realms >> realm & 1)
            out_num(c->out, "Realms", realm);
    }
    return RET_OK;
}

static uint32_t enumerate_users(struct call *c)
{
    uint64_t start;
    if (!call_num(c, "StartIndex", UINT32_MAX, &start) || start == 0)
        return RET_BAD_PARAMETER;
    uint32_t handles[USERS_MAX];
    size_t total = users_handles(c->device, handles);
    for (uint64_t i = start - 1; i < total; i++)
        out_num(c->out, "Handles", handles[i]);
    out_num(c->out, "HandlesCount", start - 1 < total ? total - (start - 1) : 0);
    out_num(c->out, "TotalCount", total);
    return RET_OK;
}

static uint32_t set_enabled(struct call *c)
{
    bool enabled;
    struct user *u = by_handle(c->device, handle_of(c));
    if (u == NULL)
        return RET_INVALID_HANDLE;
    if (!call_bool(c, "Enabled", &enabled))
        return RET_BAD_PARAMETER;
    u->disabled = !enabled;
    device_acl_changed(c->device);
    return RET_OK;
}

static uint32_t get_enabled(struct call *c)
{
    const struct user *u = by_handle(c->device, handle_of(c));
    if (u == NULL)
        return RET_INVALID_HANDLE;
    out_bool(c->out, "Enabled", !u->disabled);
    return RET_OK;
}

static uint32_t get_admin(struct call *c)
{
    out_str(c->out, "Username", users_admin_name(c->device));
    return RET_OK;
}

static uint32_t get_admin_status(struct call *c)
{
    out_bool(c->out, "IsDefault", false);
    return RET_OK;
}

static uint32_t set_admin(struct call *c)
{
    const char *name = call_text(c, "Username"), *password = call_text(c, "DigestPassword");
    uint8_t ha1[16];
    if (name == NULL || !users_name_ok(name))
        return RET_BAD_PARAMETER;
    if (password == NULL || !read_ha1(password, ha1))
        return RET_INVALID_PASSWORD;
    return users_set_admin(c->device, name, ha1);
}

static const char *const service[] = {"AllowHttpQopAuthOnly",
                                      "1",
                                      "CreationClassName",
                                      "AMT_AuthorizationService",
                                      "ElementName",
                                      "Intel(r) AMT Authorization Service",
                                      "EnabledState",
                                      "5",
                                      "Name",
                                      "Intel(r) AMT Authorization Service",
                                      "RequestedState",
                                      "12",
                                      "SystemCreationClassName",
                                      "CIM_ComputerSystem",
                                      "SystemName",
                                      "Intel(r) AMT",
                                      NULL};

static const struct class_method methods[] = {
    {"AddUserAclEntryEx", add_user},
    {"EnumerateUserAclEntries", enumerate_users},
    {"GetUserAclEntryEx", get_user},
    {"UpdateUserAclEntryEx", update_user},
    {"RemoveUserAclEntry", remove_user},
    {"SetAdminAclEntryEx", set_admin},
    {"GetAdminAclEntry", get_admin},
    {"GetAdminAclEntryStatus", get_admin_status},
    {"GetAdminNetAclEntryStatus", get_admin_status},
    {"SetAclEnabledState", set_enabled},
    {"GetAclEnabledState", get_enabled},
    {0},
};

const struct class_row class_user_rows[] = {
    {.name = "AMT_AuthorizationService", .fixed = service, .methods = methods},
    {0},
};
