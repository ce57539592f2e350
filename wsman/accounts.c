#include "wsman/accounts.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "wsman/answer.h"

#define SERVICE "AMT_AuthorizationService"
#define REALMS  32

enum step { READ_ADMIN, LIST, READ_ACCOUNT, READ_ENABLED, COMPARE, READ_REALM, CHANGE, ENABLE };

const char *const account_access_names[] = {"local", "network", "any", NULL};
const char *const account_change_names[] = {"same", "add", "correct", "enable", "remove", "other", NULL};

/* By number. (reference wsman.md, section 3.9) */
static const char *const realm_names[REALMS] = {
    [2] = "redirection",
    [3] = "administrator",
    [4] = "hardware-asset",
    [5] = "remote-control",
    [6] = "storage",
    [7] = "event-manager",
    [8] = "storage-admin",
    [9] = "agent-presence-local",
    [10] = "agent-presence-remote",
    [11] = "circuit-breaker",
    [12] = "network-time",
    [13] = "general-info",
    [14] = "firmware-update",
    [15] = "eit",
    [16] = "local-user-notification",
    [17] = "endpoint-access-control",
    [18] = "endpoint-access-control-admin",
    [19] = "event-log-reader",
    [20] = "audit-log",
    [21] = "user-access-control",
    [24] = "local-system",
};

const char *account_realm_name(unsigned number)
{
    return number < REALMS ? realm_names[number] : NULL;
}

int account_realm_number(const char *name)
{
    for (int i = 0; i < REALMS; i++)
        if (realm_names[i] && strcmp(realm_names[i], name) == 0)
            return i;
    return -1;
}

void account_realms_say(uint32_t realms, struct buf *out)
{
    const char *comma = "";

    for (unsigned i = 0; i < REALMS; i++) {
        if (!(realms >> i & 1))
            continue;
        if (realm_names[i])
            buf_printf(out, "%s%s", comma, realm_names[i]);
        else
            buf_printf(out, "%s%u", comma, i);
        comma = ", ";
    }
}

static struct accounts_seq *of(struct seq *seq)
{
    return (struct accounts_seq *)seq;
}

static int check(const struct wsman_call *call, const char *method, struct err *err)
{
    return wsman_return_value_to_err(SERVICE, method, wsman_call_return_value(call), err);
}

/* --- reading --- */

static struct wsman_request *ask_admin(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_INVOKE, SERVICE, "GetAdminAclEntry");
}

static int hear_admin(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct accounts_seq *as = of(seq);
    const char *name = call ? wsman_str(wsman_call_obj(call, 0), "Username") : NULL;

    if (!call && cause_is_passing(err->cause))
        return SEQ_FAIL;
    snprintf(as->admin, sizeof(as->admin), "%s", name ? name : "");
    return SEQ_NEXT;
}

static struct wsman_request *ask_list(struct seq *seq, struct err *err)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, SERVICE, "EnumerateUserAclEntries");

    (void)err;
    wsman_add_u32(rq, "StartIndex", (uint32_t)of(seq)->count + 1);
    return rq;
}

static int hear_list(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct accounts_seq *as = of(seq);
    struct wsman_obj obj = wsman_call_obj(call, 0);
    uint32_t handles[ACCOUNTS_MAX];
    size_t room = ACCOUNTS_MAX - as->count, n;

    if (check(call, "EnumerateUserAclEntries", err) != 0)
        return SEQ_FAIL;
    if (!wsman_u32(obj, "TotalCount", &as->total)) {
        err_set(err, CAUSE_BAD_ANSWER, "the device does not say how many accounts it has");
        return SEQ_FAIL;
    }
    n = wsman_u32_array(obj, "Handles", handles, room);
    for (size_t i = 0; i < n; i++)
        as->rows[as->count++].handle = handles[i];
    return n > 0 && n < room && as->count < as->total ? (int)LIST : SEQ_NEXT;
}

static struct wsman_request *by_handle(const struct accounts_seq *as, const char *method)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, SERVICE, method);

    wsman_add_u32(rq, "Handle", as->rows[as->at].handle);
    return rq;
}

static struct wsman_request *ask_account(struct seq *seq, struct err *err)
{
    struct accounts_seq *as = of(seq);

    (void)err;
    if (as->at < as->count)
        return by_handle(as, "GetUserAclEntryEx");
    seq_go(seq, COMPARE);
    return NULL;
}

/* "S-1-5-21-...": revision, count, authority big-endian, then numbers little-endian. */
static void sid_text(const struct buf *sid, char *out, size_t size)
{
    struct rd r = rd_init(sid->p, sid->len);
    unsigned revision = rd_u8(&r), count = rd_u8(&r);
    uint64_t authority = (uint64_t)rd_be16(&r) << 32;
    size_t n;

    authority |= rd_be32(&r);
    n = (size_t)snprintf(out, size, "S-%u-%llu", revision, (unsigned long long)authority);
    for (unsigned i = 0; i < count && rd_ok(&r) && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "-%u", rd_le32(&r));
}

static void take_account(struct account_row *row, struct wsman_obj obj)
{
    const char *name = wsman_str(obj, "DigestUsername");
    struct buf sid = buf_init(ACCOUNT_SID_MAX);
    uint32_t realms[REALMS], access = ACCOUNT_NETWORK;
    size_t n = wsman_u32_array(obj, "Realms", realms, REALMS);

    snprintf(row->account.name, sizeof(row->account.name), "%s", name ? name : "");
    if (!name && wsman_base64(obj, "KerberosUserSid", &sid))
        sid_text(&sid, row->sid, sizeof(row->sid));
    if (wsman_u32(obj, "AccessPermission", &access) && access <= ACCOUNT_ANY)
        row->account.access = (enum account_access)access;
    for (size_t i = 0; i < n; i++)
        if (realms[i] < REALMS)
            row->account.realms |= UINT32_C(1) << realms[i];
    buf_free(&sid);
}

/* Firmware fails for single handles without a reason (reference wsman.md, section 3.9): these stay unread,
 * and alone. */
static int hear_account(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct accounts_seq *as = of(seq);

    if (!call && cause_is_passing(err->cause))
        return SEQ_FAIL;
    if (call && wsman_call_return_value(call) == 0)
        take_account(&as->rows[as->at], wsman_call_obj(call, 0));
    return SEQ_NEXT;
}

static struct wsman_request *ask_enabled(struct seq *seq, struct err *err)
{
    (void)err;
    return by_handle(of(seq), "GetAclEnabledState");
}

static int hear_enabled(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct accounts_seq *as = of(seq);
    bool enabled = true;

    if (!call && cause_is_passing(err->cause))
        return SEQ_FAIL;
    if (call && wsman_call_return_value(call) == 0)
        wsman_bool(wsman_call_obj(call, 0), "Enabled", &enabled);
    as->rows[as->at++].disabled = !enabled;
    return READ_ACCOUNT;
}

/* --- comparing --- */

static const struct account *find_wanted(const struct accounts_seq *as, const char *name)
{
    for (size_t i = 0; name[0] && i < as->request.count; i++)
        if (strcmp(as->request.wanted[i].name, name) == 0)
            return &as->request.wanted[i];
    return NULL;
}

static bool is_there(const struct accounts_seq *as, const char *name)
{
    for (size_t i = 0; i < as->count; i++)
        if (strcmp(as->rows[i].account.name, name) == 0)
            return true;
    return false;
}

static bool is_self(const struct accounts_seq *as, const char *name)
{
    return as->request.self && strcmp(name, as->request.self) == 0;
}

/* What was applied before, and cut off there, is applied again. */
static bool is_doubtful(const struct accounts_seq *as, const char *name)
{
    return as->request.apply && as->request.doubtful && !is_self(as, name) &&
           as->request.doubtful(as->request.arg, name);
}

static void compare_row(const struct accounts_seq *as, struct account_row *row)
{
    const struct account *wanted = find_wanted(as, row->account.name);

    if (!wanted) {
        row->change = as->request.exact && row->account.name[0] ? ACCOUNT_REMOVE : ACCOUNT_OTHER;
        return;
    }
    row->wanted = as->request.renew ? row->account : *wanted;
    wanted = &row->wanted;
    if (as->request.renew || is_doubtful(as, wanted->name) || wanted->realms != row->account.realms ||
        wanted->access != row->account.access)
        row->change = ACCOUNT_CORRECT;
    else
        row->change = row->disabled ? ACCOUNT_ENABLE : ACCOUNT_SAME;
}

/* Who saws off the branch that he sits on learns it before. */
static bool refuses_self(const struct accounts_seq *as, const struct account_row *row, struct err *err)
{
    bool changes = row->change == ACCOUNT_CORRECT || row->change == ACCOUNT_REMOVE;

    if (!changes || !is_self(as, row->account.name))
        return false;
    err_set(err, CAUSE_INVALID_ARGUMENT,
            "account '%s' is the one that is logged in, and would be %s: give another profile",
            row->account.name, row->change == ACCOUNT_REMOVE ? "removed" : "changed");
    return true;
}

/* He is in no list, may do everything, and has his password from elsewhere. */
static bool refuses_administrator(const struct accounts_seq *as, const struct account *wanted,
                                  struct err *err)
{
    bool is = as->admin[0] ? strcmp(wanted->name, as->admin) == 0
                           : is_self(as, wanted->name) && !is_there(as, wanted->name);

    if (is)
        err_set(
            err, CAUSE_INVALID_ARGUMENT,
            "account '%s' is the administrator's, who may do everything: leave it out (his password: amtcli "
            "password rotate)",
            wanted->name);
    return is;
}

static struct wsman_request *ask_compare(struct seq *seq, struct err *err)
{
    struct accounts_seq *as = of(seq);

    for (size_t i = 0; i < as->request.count; i++)
        if (refuses_administrator(as, &as->request.wanted[i], err))
            return NULL;
    for (size_t i = 0; i < as->count; i++) {
        compare_row(as, &as->rows[i]);
        if (refuses_self(as, &as->rows[i], err))
            return NULL;
    }
    for (size_t i = 0; i < as->request.count; i++) {
        const struct account *wanted = &as->request.wanted[i];

        if (as->request.renew || is_there(as, wanted->name))
            continue;
        if (as->count == ACCOUNTS_MAX) {
            err_set(err, CAUSE_LIMIT_EXCEEDED, "the device has no room for account '%s'", wanted->name);
            return NULL;
        }
        as->rows[as->count++] =
            (struct account_row){.account = *wanted, .wanted = *wanted, .change = ACCOUNT_ADD};
    }
    as->at = 0;
    if (!as->request.apply || accounts_differ(as) == 0)
        seq_go(seq, SEQ_DONE);
    return NULL;
}

size_t accounts_differ(const struct accounts_seq *as)
{
    size_t n = 0;

    for (size_t i = 0; i < as->count; i++)
        n += as->rows[i].change != ACCOUNT_SAME && as->rows[i].change != ACCOUNT_OTHER;
    return n;
}

/* --- correcting --- */

static struct wsman_request *ask_realm(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "AMT_GeneralSettings", NULL);
}

static int hear_realm(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct accounts_seq *as = of(seq);
    const char *realm = wsman_str(wsman_call_obj(call, 0), "DigestRealm");

    if (!realm || !realm[0] || strlen(realm) >= sizeof(as->realm)) {
        err_set(err, CAUSE_BAD_ANSWER, "the device does not tell its digest realm");
        return SEQ_FAIL;
    }
    snprintf(as->realm, sizeof(as->realm), "%s", realm);
    return SEQ_NEXT;
}

static const char *const methods[] = {[ACCOUNT_ADD] = "AddUserAclEntryEx",
                                      [ACCOUNT_CORRECT] = "UpdateUserAclEntryEx",
                                      [ACCOUNT_ENABLE] = "SetAclEnabledState",
                                      [ACCOUNT_REMOVE] = "RemoveUserAclEntry"};

static const char *method_of(enum account_change change)
{
    return (size_t)change < sizeof(methods) / sizeof(methods[0]) ? methods[change] : NULL;
}

static int add_account(struct accounts_seq *as, const struct account_row *row, struct wsman_request *rq,
                       struct err *err)
{
    uint8_t hash[PASSWORD_HASH_LEN];

    if (as->request.hash(as->request.arg, row->wanted.name, as->realm, hash, err) != 0)
        return -1;
    wsman_add_str(rq, "DigestUsername", row->wanted.name);
    wsman_add_base64(rq, "DigestPassword", hash, sizeof(hash));
    secret_wipe(hash, sizeof(hash));
    wsman_add_u32(rq, "AccessPermission", (uint32_t)row->wanted.access);
    for (uint32_t i = 0; i < REALMS; i++)
        if (row->wanted.realms >> i & 1)
            wsman_add_u32(rq, "Realms", i);
    return 0;
}

static struct wsman_request *ask_change(struct seq *seq, struct err *err)
{
    struct accounts_seq *as = of(seq);
    struct account_row *row;
    struct wsman_request *rq;

    while (as->at < as->count && (as->rows[as->at].done || !method_of(as->rows[as->at].change)))
        as->at++;
    if (as->at == as->count) {
        seq_go(seq, SEQ_DONE);
        return NULL;
    }
    row = &as->rows[as->at];
    rq = row->change == ACCOUNT_ADD ? wsman_request_new(WSMAN_INVOKE, SERVICE, method_of(row->change))
                                    : by_handle(as, method_of(row->change));
    if (row->change == ACCOUNT_ENABLE)
        wsman_add_bool(rq, "Enabled", true);
    if ((row->change == ACCOUNT_ADD || row->change == ACCOUNT_CORRECT) &&
        add_account(as, row, rq, err) != 0) {
        wsman_request_free(rq);
        return NULL;
    }
    return rq;
}

/* One that was switched off is corrected first, and switched on then. */
static int hear_change(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct accounts_seq *as = of(seq);
    struct account_row *row = &as->rows[as->at];

    if (check(call, method_of(row->change), err) != 0) {
        err_context(err, "account '%s'", row->account.name);
        return SEQ_FAIL;
    }
    row->done = true;
    return row->change == ACCOUNT_CORRECT && row->disabled && !as->request.renew ? (int)ENABLE : (int)CHANGE;
}

static struct wsman_request *ask_enable(struct seq *seq, struct err *err)
{
    struct wsman_request *rq = by_handle(of(seq), "SetAclEnabledState");

    (void)err;
    wsman_add_bool(rq, "Enabled", true);
    return rq;
}

static int hear_enable(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)seq;
    return check(call, "SetAclEnabledState", err) == 0 ? (int)CHANGE : SEQ_FAIL;
}

static const struct seq_step steps[] = {
    [READ_ADMIN] = {"read administrator's account", SEQ_READ | SEQ_FAILURE_OK, ask_admin, hear_admin},
    [LIST] = {"list accounts", SEQ_READ, ask_list, hear_list},
    [READ_ACCOUNT] = {"read account", SEQ_READ | SEQ_FAILURE_OK, ask_account, hear_account},
    [READ_ENABLED] = {"read whether it is on", SEQ_READ | SEQ_FAILURE_OK, ask_enabled, hear_enabled},
    [COMPARE] = {"compare", SEQ_READ, ask_compare, NULL},
    [READ_REALM] = {"read digest realm", SEQ_READ, ask_realm, hear_realm},
    [CHANGE] = {"change account", SEQ_CHANGE, ask_change, hear_change},
    [ENABLE] = {"switch account on", SEQ_CHANGE, ask_enable, hear_enable},
};

void accounts_seq_init(struct accounts_seq *as, const struct accounts_request *request)
{
    memset(as, 0, sizeof(*as));
    seq_init(&as->seq, SEQ_TABLE(steps));
    as->request = *request;
}
