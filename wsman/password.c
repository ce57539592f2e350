#include "wsman/password.h"

#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "wsman/answer.h"

#define SERVICE "AMT_AuthorizationService"

enum step { READ_ADMIN, LIST_USERS, READ_USER, READ_REALM, SET };

static struct password_seq *of(struct seq *seq)
{
    return (struct password_seq *)seq;
}

static int check(const struct wsman_call *call, const char *method, struct err *err)
{
    return wsman_return_value_to_err(SERVICE, method, wsman_call_return_value(call), err);
}

/* --- which account --- */

static struct wsman_request *ask_admin(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_INVOKE, SERVICE, "GetAdminAclEntry");
}

/* Who may not see the administrator's account is not the administrator. */
static int hear_admin(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct password_seq *ps = of(seq);
    const char *name = call ? wsman_str(wsman_call_obj(call, 0), "Username") : NULL;

    if (call ? check(call, "GetAdminAclEntry", err) != 0 : cause_is_passing(err->cause))
        return SEQ_FAIL;
    ps->is_admin = name && strcmp(name, ps->request.user) == 0;
    return ps->is_admin ? (int)READ_REALM : SEQ_NEXT;
}

static struct wsman_request *ask_users(struct seq *seq, struct err *err)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, SERVICE, "EnumerateUserAclEntries");

    (void)err;
    wsman_add_u32(rq, "StartIndex", of(seq)->handle_count + 1);
    return rq;
}

static int hear_users(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct password_seq *ps = of(seq);
    struct wsman_obj obj = wsman_call_obj(call, 0);
    size_t room = PASSWORD_USERS_MAX - ps->handle_count, n;

    if (check(call, "EnumerateUserAclEntries", err) != 0)
        return SEQ_FAIL;
    if (!wsman_u32(obj, "TotalCount", &ps->total)) {
        err_set(err, CAUSE_BAD_ANSWER, "the device does not say how many accounts it has");
        return SEQ_FAIL;
    }
    n = wsman_u32_array(obj, "Handles", ps->handles + ps->handle_count, room);
    ps->handle_count += (uint32_t)n;
    return n > 0 && n < room && ps->handle_count < ps->total ? (int)LIST_USERS : SEQ_NEXT;
}

static struct wsman_request *ask_user(struct seq *seq, struct err *err)
{
    struct password_seq *ps = of(seq);
    struct wsman_request *rq;

    if (ps->at == ps->handle_count) {
        err_set(err, CAUSE_NOT_FOUND, "the device has no account '%s'", ps->request.user);
        return NULL;
    }
    rq = wsman_request_new(WSMAN_INVOKE, SERVICE, "GetUserAclEntryEx");
    wsman_add_u32(rq, "Handle", ps->handles[ps->at]);
    return rq;
}

/* Firmware fails for single handles without a reason (reference wsman.md, section 3.9): they are skipped. */
static int hear_user(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct password_seq *ps = of(seq);
    struct wsman_obj obj;
    const char *name;

    if (!call && cause_is_passing(err->cause))
        return SEQ_FAIL;
    if (!call || wsman_call_return_value(call) != 0) {
        ps->at++;
        return READ_USER;
    }
    obj = wsman_call_obj(call, 0);
    name = wsman_str(obj, "DigestUsername");
    if (!name || strcmp(name, ps->request.user) != 0) {
        ps->at++;
        return READ_USER;
    }
    if (!wsman_u32(obj, "AccessPermission", &ps->access)) {
        err_set(err, CAUSE_BAD_ANSWER, "the device does not say from where account '%s' may log in", name);
        return SEQ_FAIL;
    }
    ps->realm_count = (uint32_t)wsman_u32_array(obj, "Realms", ps->realms, PASSWORD_REALMS_MAX);
    return SEQ_NEXT;
}

/* --- the password --- */

static struct wsman_request *ask_realm(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "AMT_GeneralSettings", NULL);
}

static int hear_realm(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct password_seq *ps = of(seq);
    const char *realm = wsman_str(wsman_call_obj(call, 0), "DigestRealm");

    if (!realm || !realm[0] || strlen(realm) >= sizeof(ps->realm)) {
        err_set(err, CAUSE_BAD_ANSWER, "the device does not tell its digest realm");
        return SEQ_FAIL;
    }
    snprintf(ps->realm, sizeof(ps->realm), "%s", realm);
    return SEQ_NEXT;
}

static struct wsman_request *ask_set(struct seq *seq, struct err *err)
{
    struct password_seq *ps = of(seq);
    uint8_t hash[PASSWORD_HASH_LEN];
    struct wsman_request *rq;

    if (ps->request.hash(ps->request.arg, ps->realm, hash, err) != 0)
        return NULL;
    rq = wsman_request_new(WSMAN_INVOKE, SERVICE,
                           ps->is_admin ? "SetAdminAclEntryEx" : "UpdateUserAclEntryEx");
    if (!ps->is_admin)
        wsman_add_u32(rq, "Handle", ps->handles[ps->at]);
    wsman_add_str(rq, ps->is_admin ? "Username" : "DigestUsername", ps->request.user);
    wsman_add_base64(rq, "DigestPassword", hash, sizeof(hash));
    secret_wipe(hash, sizeof(hash));
    if (!ps->is_admin)
        wsman_add_u32(rq, "AccessPermission", ps->access);
    for (uint32_t i = 0; i < ps->realm_count; i++)
        wsman_add_u32(rq, "Realms", ps->realms[i]);
    ps->asked = true;
    return rq;
}

static int hear_set(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct password_seq *ps = of(seq);

    if (check(call, ps->is_admin ? "SetAdminAclEntryEx" : "UpdateUserAclEntryEx", err) == 0)
        return SEQ_DONE;
    ps->denied = true;
    return SEQ_FAIL;
}

static const struct seq_step password_steps[] = {
    [READ_ADMIN] = {"read administrator's account", SEQ_READ | SEQ_FAILURE_OK, ask_admin, hear_admin},
    [LIST_USERS] = {"list accounts", SEQ_READ, ask_users, hear_users},
    [READ_USER] = {"read account", SEQ_READ | SEQ_FAILURE_OK, ask_user, hear_user},
    [READ_REALM] = {"read digest realm", SEQ_READ, ask_realm, hear_realm},
    [SET] = {"set password", SEQ_CHANGE, ask_set, hear_set},
};

void password_seq_init(struct password_seq *ps, const struct password_request *request)
{
    memset(ps, 0, sizeof(*ps));
    seq_init(&ps->seq, SEQ_TABLE(password_steps));
    ps->request = *request;
}
