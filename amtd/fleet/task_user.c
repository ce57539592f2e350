/* user: the accounts of devices, shown, compared with what they should be, and corrected as a whole. */
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/random_password.h"
#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "amtd/store/passwords.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "wsman/accounts.h"
#include "wsman/http_digest.h"

#define USER_BUDGET_MS 120000
#define WANTED_MAX     16 /* firmware has room for 7 to 16 accounts */
#define TEXT_MAX       1000

enum user_action { USER_SHOW, USER_CHECK, USER_APPLY };

static const char *const action_names[] = {"show", "check", "apply", NULL};

struct user_args {
    int action; /* enum user_action */
    bool exact;
    struct account wanted[WANTED_MAX];
    size_t count;
};

static const struct task_arg args_table[] = {
    {"action", TASK_ARG_NAME, offsetof(struct user_args, action), true, .names = action_names},
    {"exact", TASK_ARG_BOOL, offsetof(struct user_args, exact)},
    {NULL},
};

struct user_work {
    struct accounts_seq seq; /* first */
    const struct user_args *args;
    char *self;
    struct secret *passwords[WANTED_MAX]; /* of args->wanted; made when there is something to apply */
};

/* --- arguments --- */

/* Names of AMT users: reference wsman.md, section 1.3. */
static int read_name(struct account *account, const json_t *json, struct err *err)
{
    const char *name = json_string_value(json);

    if (!name || !name[0] || strlen(name) > ACCOUNT_NAME_MAX || strpbrk(name, " (),:\"&<>\n\r\t"))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'%s' is no name for an account of AMT: 1 to %d bytes without (),:\"&<>",
                       name ? name : "", ACCOUNT_NAME_MAX);
    strncpy(account->name, name, ACCOUNT_NAME_MAX);
    return 0;
}

static int read_realms(struct account *account, const json_t *json, struct err *err)
{
    const json_t *item;
    size_t i;

    json_array_foreach((json_t *)json, i, item)
    {
        const char *name = json_string_value(item);
        int number = name ? account_realm_number(name) : -1;

        if (number < 0)
            return err_set(err, CAUSE_INVALID_ARGUMENT, "account '%s': there is no realm '%s'", account->name,
                           name ? name : "");
        account->realms |= UINT32_C(1) << number;
    }
    return account->realms
               ? 0
               : err_set(err, CAUSE_INVALID_ARGUMENT, "account '%s' has no realms", account->name);
}

static int read_access(struct account *account, const json_t *json, struct err *err)
{
    const char *text = json_string_value(json);

    account->access = ACCOUNT_NETWORK;
    for (int i = 0; text && account_access_names[i]; i++) {
        if (strcmp(account_access_names[i], text) == 0) {
            account->access = (enum account_access)i;
            return 0;
        }
    }
    return json ? err_set(err, CAUSE_INVALID_ARGUMENT,
                          "account '%s': 'access' is one of local, network and any", account->name)
                : 0;
}

static int read_accounts(struct user_args *ua, const json_t *json, struct err *err)
{
    const json_t *item;
    size_t i;

    if (json_array_size(json) > WANTED_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "a device has room for at most %d accounts", WANTED_MAX);
    json_array_foreach((json_t *)json, i, item)
    {
        struct account *account = &ua->wanted[ua->count++];

        if (read_name(account, json_object_get(item, "name"), err) != 0 ||
            read_realms(account, json_object_get(item, "realms"), err) != 0 ||
            read_access(account, json_object_get(item, "access"), err) != 0)
            return -1;
        for (size_t k = 0; k + 1 < ua->count; k++)
            if (strcmp(ua->wanted[k].name, account->name) == 0)
                return err_set(err, CAUSE_INVALID_ARGUMENT, "account '%s' is given twice", account->name);
    }
    return 0;
}

static int user_parse(void *args, const json_t *json, struct err *err)
{
    struct user_args *ua = args;
    json_t *rest = json_is_object(json) ? json_copy((json_t *)json) : NULL;
    int status;

    json_object_del(rest, "accounts");
    status = task_args_read(args_table, rest, ua, err);
    json_decref(rest);
    if (status == 0)
        status = read_accounts(ua, json_object_get(json, "accounts"), err);
    if (status == 0 && ua->action != USER_SHOW && ua->count == 0 && !ua->exact)
        status = err_set(err, CAUSE_INVALID_ARGUMENT,
                         "no 'accounts' are given, and others may stay: nothing is wanted");
    return status;
}

static bool user_changes(const void *args)
{
    return ((const struct user_args *)args)->action == USER_APPLY;
}

static int64_t user_budget(const void *args)
{
    (void)args;
    return USER_BUDGET_MS;
}

/* --- on one host --- */

static const struct secret *password_of(const struct user_work *w, const char *user)
{
    for (size_t i = 0; i < w->args->count; i++)
        if (strcmp(w->args->wanted[i].name, user) == 0)
            return w->passwords[i];
    return NULL;
}

static int hash(void *arg, const char *user, const char *realm, uint8_t out[PASSWORD_HASH_LEN],
                struct err *err)
{
    const struct secret *password = password_of(arg, user);

    if (!password)
        return err_set(err, CAUSE_SYSTEM, "there are no random numbers for a password");
    return http_digest_ha1(user, realm, password, out, err);
}

static void user_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    struct user_work *w = work;

    (void)host;
    (void)quirks;
    w->args = args;
    for (size_t i = 0; w->args->action == USER_APPLY && i < w->args->count; i++)
        w->passwords[i] = random_password(RANDOM_PASSWORD_LENGTH);
}

static int user_login(void *work, const struct login *login, struct err *err)
{
    struct user_work *w = work;
    struct accounts_request request = {
        .wanted = w->args->wanted,
        .count = w->args->count,
        .exact = w->args->exact,
        .apply = w->args->action == USER_APPLY,
        .hash = hash,
        .arg = w,
    };

    (void)err;
    xreplace(&w->self, login->profile->auth == PROFILE_AUTH_DIGEST ? login->profile->user : NULL);
    request.self = w->self;
    accounts_seq_init(&w->seq, &request);
    return 0;
}

static bool gets_password(const struct account_row *row)
{
    return row->change == ACCOUNT_ADD || row->change == ACCOUNT_CORRECT;
}

/* What the store is to make of it: '+' or '-' and an account, one a line. */
static char *describe_kept(const struct user_work *w)
{
    struct buf kept = buf_init(8192);
    char *text = NULL;

    for (size_t i = 0; i < w->seq.count; i++) {
        const struct account_row *row = &w->seq.rows[i];

        if (row->done && gets_password(row))
            buf_printf(&kept, "+%s\n", row->account.name);
        else if (row->done && row->change == ACCOUNT_REMOVE)
            buf_printf(&kept, "-%s\n", row->account.name);
    }
    if (kept.len > 0)
        text = xstrdup(buf_str(&kept));
    buf_free(&kept);
    return text;
}

static json_t *describe_row(const struct user_work *w, const struct account_row *row)
{
    const struct account *is = &row->account;
    struct buf realms = buf_init(TEXT_MAX), wanted = buf_init(TEXT_MAX);
    json_t *json;

    account_realms_say(is->realms, &realms);
    account_realms_say(row->wanted.realms, &wanted);
    json = json_pack("{s:s, s:s, s:s, s:b}", "account", is->name[0] ? is->name : row->sid, "realms",
                     buf_str(&realms), "access", account_access_names[is->access], "enabled",
                     (int)!row->disabled);
    if (w->args->action != USER_SHOW)
        json_object_set_new(json, "change", json_string(account_change_names[row->change]));
    if (row->change == ACCOUNT_CORRECT)
        json_object_set_new(json, "wanted",
                            json_pack("{s:s, s:s}", "realms", buf_str(&wanted), "access",
                                      account_access_names[row->wanted.access]));
    buf_free(&realms);
    buf_free(&wanted);
    return json;
}

static void user_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct user_work *w = work;
    json_t *accounts = json_array();
    struct buf names = buf_init(8192);
    size_t differ = accounts_differ(&w->seq);

    for (size_t i = 0; i < w->seq.count; i++) {
        json_t *row = describe_row(w, &w->seq.rows[i]);

        json_array_append_new(accounts, row);
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", json_string_value(json_object_get(row, "account")));
    }
    finding->detail = json_pack("{s:s, s:o, s:s}", "administrator", w->seq.admin, "accounts", accounts,
                                "names", buf_str(&names));
    buf_free(&names);
    if (w->args->action != USER_SHOW)
        json_object_set_new(finding->detail, "differ", json_integer((json_int_t)differ));
    finding->kept = describe_kept(w);
    if (failure || w->args->action == USER_SHOW)
        return;
    if (differ == 0)
        finding->remark = "as they should be";
    else
        finding->remark = w->args->action == USER_APPLY ? "corrected" : "not as they should be";
}

static void user_drop(void *work)
{
    struct user_work *w = work;

    for (size_t i = 0; i < WANTED_MAX; i++)
        secret_free(w->passwords[i]);
    free(w->self);
}

static void user_would(const void *args, const struct host *host, struct buf *out)
{
    const struct user_args *ua = args;

    (void)host;
    if (ua->action == USER_APPLY)
        buf_printf(out, "would see that %zu accounts are as they should be%s", ua->count,
                   ua->exact ? ", and remove all others" : "");
    else
        buf_puts(out, "would read its accounts");
}

/* --- in the store --- */

struct journal {
    char *users[WANTED_MAX];
    struct secret *passwords[WANTED_MAX];
    size_t count;
};

static void *user_journal(const void *work)
{
    const struct user_work *w = work;
    struct journal *journal = xcalloc(1, sizeof(*journal));

    for (size_t i = 0; i < w->seq.count && journal->count < WANTED_MAX; i++) {
        if (!gets_password(&w->seq.rows[i]))
            continue;
        journal->users[journal->count] = xstrdup(w->seq.rows[i].account.name);
        journal->passwords[journal->count++] = secret_share(password_of(w, w->seq.rows[i].account.name));
    }
    return journal;
}

static int note(struct tx *tx, const struct operation *operation, const void *p, struct err *err)
{
    const struct journal *journal = p;
    int64_t now = clock_wall(clock_system());

    for (size_t i = 0; i < journal->count; i++)
        if (tx_password_next(tx, operation->host_id, journal->users[i], journal->passwords[i],
                             operation->run_id, now, err) != 0)
            return -1;
    return 0;
}

static void forget(void *p)
{
    struct journal *journal = p;

    for (size_t i = 0; journal && i < journal->count; i++) {
        free(journal->users[i]);
        secret_free(journal->passwords[i]);
    }
    free(journal);
}

static int settle(struct tx *tx, const void *args, const struct run *run, const struct operation *operation,
                  const char *kept, struct err *err)
{
    (void)args;
    (void)run;
    for (const char *p = kept; p && *p; p += strcspn(p, "\n") + 1) {
        char *user = xstrndup(p + 1, strcspn(p + 1, "\n"));
        int status = p[0] == '+'
                         ? tx_password_settle(tx, operation->host_id, user, true, operation->ended_ms, err)
                         : tx_password_forget_user(tx, operation->host_id, user, operation->ended_ms, err);

        free(user);
        if (status != 0)
            return -1;
    }
    return 0;
}

static const struct task_keeping user_keeping = {
    .journal = user_journal,
    .note = note,
    .forget = forget,
    .settle = settle,
};

const struct task task_user = {
    .name = "user",
    .args_size = sizeof(struct user_args),
    .work_size = sizeof(struct user_work),
    .parse = user_parse,
    .changes = user_changes,
    .budget_ms = user_budget,
    .init = user_init,
    .login = user_login,
    .find = user_find,
    .drop = user_drop,
    .would = user_would,
    .administers = true,
    .keeping = &user_keeping,
};
