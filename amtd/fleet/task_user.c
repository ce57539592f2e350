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

enum user_action { USER_SHOW, USER_CHECK, USER_APPLY, USER_ROTATE };

static const char *const action_names[] = {"show", "check", "apply", "rotate", NULL};

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
    const struct host *host;
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

/* "helpdesk=remote-control,redirection@any" as an object, as far as it is one. */
static json_t *spelled_out(const char *text)
{
    size_t name = strcspn(text, "="), realms = strcspn(text + name, "@");
    json_t *json = json_pack("{s:s%}", "name", text, name), *list;

    if (text[name] == '=') {
        json_object_set_new(json, "realms", list = json_array());
        for (const char *p = text + name + 1, *end = text + name + realms; p < end;) {
            size_t n = strcspn(p, ",@");

            json_array_append_new(list, json_stringn(p, n));
            p += n + (p[n] == ',');
        }
    }
    if (text[name + realms] == '@')
        json_object_set_new(json, "access", json_string(text + name + realms + 1));
    return json;
}

static int read_account(const struct user_args *ua, struct account *account, const json_t *json,
                        struct err *err)
{
    const json_t *realms = json_object_get(json, "realms"), *access = json_object_get(json, "access");

    if (read_name(account, json_object_get(json, "name"), err) != 0)
        return -1;
    if (ua->action == USER_ROTATE)
        return realms || access
                   ? err_set(err, CAUSE_INVALID_ARGUMENT,
                             "account '%s': rotate changes passwords alone; it takes names", account->name)
                   : 0;
    if (!realms)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "account '%s': expected NAME=REALMS[@ACCESS] such as "
                       "helpdesk=remote-control,redirection@any",
                       account->name);
    return read_realms(account, realms, err) != 0 ? -1 : read_access(account, access, err);
}

static int read_accounts(struct user_args *ua, const json_t *json, struct err *err)
{
    json_t *item;
    size_t i;

    if (json_array_size(json) > WANTED_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "a device has room for at most %d accounts", WANTED_MAX);
    json_array_foreach((json_t *)json, i, item)
    {
        struct account *account = &ua->wanted[ua->count++];
        json_t *spelled = json_is_string(item) ? spelled_out(json_string_value(item)) : json_incref(item);
        int status = read_account(ua, account, spelled, err);

        json_decref(spelled);
        if (status != 0)
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
    if (status == 0 && ua->action == USER_ROTATE && ua->exact)
        status = err_set(err, CAUSE_INVALID_ARGUMENT, "rotate removes no accounts: it takes no 'exact'");
    return status;
}

static bool user_changes(const void *args)
{
    return ((const struct user_args *)args)->action >= USER_APPLY;
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

static bool doubtful(void *arg, const char *user)
{
    const struct user_work *w = arg;
    const struct own_password *own = own_password(&w->host->passwords, user);

    return own && own->next;
}

static void user_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    struct user_work *w = work;

    (void)quirks;
    w->args = args;
    w->host = host;
    for (size_t i = 0; user_changes(args) && i < w->args->count; i++)
        w->passwords[i] = random_password(RANDOM_PASSWORD_LENGTH);
}

static int user_login(void *work, const struct login *login, struct err *err)
{
    struct user_work *w = work;
    struct accounts_request request = {
        .wanted = w->args->wanted,
        .count = w->args->count,
        .exact = w->args->exact,
        .apply = user_changes(w->args),
        .renew = w->args->action == USER_ROTATE,
        .hash = hash,
        .doubtful = doubtful,
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

static bool may_be_there(const struct user_work *w, const char *user)
{
    if (!w->seq.admin[0] || strcmp(user, w->seq.admin) == 0 || (w->self && strcmp(user, w->self) == 0))
        return true;
    for (size_t i = 0; i < w->seq.count; i++) {
        const struct account_row *row = &w->seq.rows[i];
        bool unread = !row->account.name[0] && !row->sid[0];

        if (unread || strcmp(row->account.name, user) == 0)
            return true;
    }
    return false;
}

/* Passwords of accounts that went while nobody could write it down. */
static void give_up_gone(const struct user_work *w, struct buf *kept)
{
    const struct own_passwords *own = &w->host->passwords;

    for (size_t i = 0; i < own->count; i++)
        if (!may_be_there(w, own->items[i].user))
            buf_printf(kept, "-%s\n", own->items[i].user);
}

/* What the store is to make of it: '+' or '-' and an account, one a line. */
static char *describe_kept(const struct user_work *w, bool whole)
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
    if (whole && user_changes(w->args))
        give_up_gone(w, &kept);
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

/* For people: what is there, as it is given to `apply`, or what becomes of it. */
static void say_account(const struct user_work *w, const json_t *row, struct buf *out)
{
    const char *realms = json_string_value(json_object_get(row, "realms"));
    const char *access = json_string_value(json_object_get(row, "access"));
    const char *change = json_string_value(json_object_get(row, "change"));

    buf_printf(out, "%s%s", out->len > 0 ? " " : "", json_string_value(json_object_get(row, "account")));
    if (w->args->action == USER_SHOW) {
        buf_puts(out, "=");
        for (const char *p = realms; *p; p++)
            if (*p != ' ')
                buf_putc(out, *p);
        if (strcmp(access, account_access_names[ACCOUNT_NETWORK]) != 0)
            buf_printf(out, "@%s", access);
    } else if (strcmp(change, account_change_names[ACCOUNT_SAME]) != 0) {
        buf_printf(out, ":%s", change);
    }
}

static const char *remark_of(const struct user_work *w, size_t differ)
{
    if (w->args->action == USER_ROTATE)
        return differ > 0 ? "new passwords" : "it has none of these accounts";
    if (differ == 0)
        return "as they should be";
    return w->args->action == USER_APPLY ? "corrected" : "not as they should be";
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
        say_account(w, row, &names);
    }
    finding->detail = json_pack("{s:s, s:o, s:s}", "administrator", w->seq.admin, "accounts", accounts,
                                "names", buf_str(&names));
    buf_free(&names);
    if (w->args->action != USER_SHOW)
        json_object_set_new(finding->detail, "differ", json_integer((json_int_t)differ));
    finding->kept = describe_kept(w, failure == NULL);
    if (!failure && w->args->action != USER_SHOW)
        finding->remark = remark_of(w, differ);
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
    else if (ua->action == USER_ROTATE)
        buf_printf(out, "would give %zu accounts new passwords, where they are there", ua->count);
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
