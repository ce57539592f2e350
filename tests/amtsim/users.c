#include "tests/amtsim/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/fleet.h"

#define USERS_MAX    16
#define NAME_MAX_LEN 16
#define REALMS_MAX   25

struct user {
    uint32_t handle;             /* 0: free */
    char name[NAME_MAX_LEN + 1]; /* "" for Kerberos accounts */
    uint8_t ha1[16];
    uint8_t sid[USERS_SID_MAX];
    uint8_t sid_len;
    uint8_t access;  /* 0 local, 1 network, 2 any */
    uint32_t realms; /* bit per realm number */
    bool disabled;
};

struct users {
    char admin[NAME_MAX_LEN + 1]; /* "": the fleet's */
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
        if (u->handle != 0 && strcmp(u->name, name) == 0)
            return u;
    }
    return NULL;
}

bool users_ha1(const struct device *d, const char *name, uint8_t out[16])
{
    const struct user *u = by_name(d, name);
    if (u == NULL || u->disabled || u->access == 0)
        return false;
    memcpy(out, u->ha1, 16);
    return true;
}

uint32_t users_realms(const struct device *d, const char *name)
{
    const struct user *u = by_name(d, name);
    if (u == NULL)
        return strcmp(name, users_admin_name(d)) == 0 ? REALMS_ALL : 0;
    return u->realms;
}

bool users_by_sid(const struct device *d, const uint8_t *sid, size_t n, uint32_t *realms)
{
    for (unsigned i = 0; d->users != NULL && i < USERS_MAX; i++) {
        const struct user *u = &d->users->list[i];
        if (u->handle == 0 || u->disabled || u->access == 0 || u->sid_len != n || n == 0 ||
            memcmp(u->sid, sid, n) != 0)
            continue;
        *realms = u->realms;
        return true;
    }
    return false;
}

bool users_may_redirect(const struct device *d, const char *name)
{
    return (users_realms(d, name) & (REALM_BIT(REALM_REDIRECTION) | REALM_BIT(REALM_ADMINISTRATOR))) != 0;
}

/* --- parameters --- */

static struct user *by_handle(struct call *c)
{
    uint64_t handle;
    if (!call_num(c, "Handle", UINT32_MAX, &handle) || handle == 0 || c->device->users == NULL)
        return NULL;
    for (unsigned i = 0; i < USERS_MAX; i++) {
        if (c->device->users->list[i].handle == handle)
            return &c->device->users->list[i];
    }
    return NULL;
}

static bool name_ok(const char *name)
{
    return name[0] != '\0' && strlen(name) <= NAME_MAX_LEN && strpbrk(name, "(),:\"&<>") == NULL;
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

static bool read_sid(const char *text, struct user *u)
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

static uint32_t read_realms(struct call *c, struct user *u)
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
static uint32_t read_user(struct call *c, struct user *u)
{
    const char *name = call_text(c, "DigestUsername"), *password = call_text(c, "DigestPassword");
    const char *sid = call_text(c, "KerberosUserSid");
    uint64_t access;
    if (!call_num(c, "AccessPermission", 2, &access) || (name == NULL) == (sid == NULL))
        return RET_BAD_PARAMETER;
    u->access = (uint8_t)access;
    if (name != NULL) {
        if (!name_ok(name))
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
    struct user u = {0};
    struct users *users = users_of(c->device);
    uint32_t result = read_user(c, &u);
    if (result != RET_OK)
        return result;
    if (by_name(c->device, u.name) != NULL || strcmp(u.name, users_admin_name(c->device)) == 0)
        return RET_DUPLICATE;
    for (unsigned i = 0; i < USERS_MAX; i++) {
        if (users->list[i].handle != 0)
            continue;
        u.handle = users->next_handle++;
        users->list[i] = u;
        out_num(c->out, "Handle", u.handle);
        device_acl_changed(c->device);
        return RET_OK;
    }
    return RET_MAXIMUM;
}

static uint32_t update_user(struct call *c)
{
    struct user *old = by_handle(c);
    if (old == NULL)
        return RET_INVALID_HANDLE;
    struct user u = {.handle = old->handle, .disabled = old->disabled};
    uint32_t result = read_user(c, &u);
    if (result != RET_OK)
        return result;
    struct user *same = by_name(c->device, u.name);
    if (same != NULL && same != old)
        return RET_DUPLICATE;
    *old = u;
    device_acl_changed(c->device);
    return RET_OK;
}

static uint32_t remove_user(struct call *c)
{
    struct user *u = by_handle(c);
    if (u == NULL)
        return RET_INVALID_HANDLE;
    *u = (struct user){0};
    device_acl_changed(c->device);
    return RET_OK;
}

static uint32_t get_user(struct call *c)
{
    const struct user *u = by_handle(c);
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
    uint32_t total = 0;
    if (!call_num(c, "StartIndex", UINT32_MAX, &start) || start == 0)
        return RET_BAD_PARAMETER;
    const struct users *users = c->device->users;
    uint32_t handles[USERS_MAX];
    for (unsigned i = 0; users != NULL && i < USERS_MAX; i++) {
        if (users->list[i].handle != 0)
            handles[total++] = users->list[i].handle;
    }
    for (uint64_t i = start - 1; i < total; i++)
        out_num(c->out, "Handles", handles[i]);
    out_num(c->out, "HandlesCount", start - 1 < total ? total - (start - 1) : 0);
    out_num(c->out, "TotalCount", total);
    return RET_OK;
}

static uint32_t set_enabled(struct call *c)
{
    bool enabled;
    struct user *u = by_handle(c);
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
    const struct user *u = by_handle(c);
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
    if (name == NULL || !name_ok(name) || by_name(c->device, name) != NULL)
        return RET_BAD_PARAMETER;
    if (password == NULL || !read_ha1(password, ha1))
        return RET_INVALID_PASSWORD;
    struct users *users = users_of(c->device);
    snprintf(users->admin, sizeof(users->admin), "%s", name);
    memcpy(c->device->login.admin_ha1, ha1, sizeof(ha1));
    c->device->login.admin_ha1_known = true;
    device_acl_changed(c->device);
    return RET_OK;
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
