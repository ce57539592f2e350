/* password: a random password for each host, in place of its profile's. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/random_password.h"
#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "amtd/store/passwords.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "wsman/http_digest.h"
#include "wsman/password.h"

#define PASSWORD_BUDGET_MS 60000

struct password_args {
    uint32_t length; /* 0: RANDOM_PASSWORD_LENGTH */
};

static const struct task_arg args_table[] = {
    {"length", TASK_ARG_U32, offsetof(struct password_args, length), .min = RANDOM_PASSWORD_MIN,
     .max = RANDOM_PASSWORD_MAX},
    {NULL},
};

struct password_work {
    struct password_seq seq; /* first */
    char *user;              /* NULL until the login is known */
    struct secret *fresh;
    bool proved, has_new;
};

/* --- on one host --- */

static int password_parse(void *args, const json_t *json, struct err *err)
{
    return task_args_read(args_table, json, args, err);
}

static bool password_changes(const void *args)
{
    (void)args;
    return true;
}

static int64_t password_budget(const void *args)
{
    (void)args;
    return PASSWORD_BUDGET_MS;
}

static int hash(void *arg, const char *realm, uint8_t out[PASSWORD_HASH_LEN], struct err *err)
{
    const struct password_work *w = arg;

    if (!w->fresh)
        return err_set(err, CAUSE_SYSTEM, "there are no random numbers for a password");
    return http_digest_ha1(w->user, realm, w->fresh, out, err);
}

static void password_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    const struct password_args *pa = args;
    struct password_work *w = work;

    (void)host;
    (void)quirks;
    w->fresh = random_password(pa->length > 0 ? pa->length : RANDOM_PASSWORD_LENGTH);
}

static int password_login(void *work, const struct login *login, struct err *err)
{
    struct password_work *w = work;
    struct password_request request = {.hash = hash, .arg = w};

    if (login->profile->auth != PROFILE_AUTH_DIGEST)
        return err_set(err, CAUSE_UNSUPPORTED, "profile '%s' logs in by Kerberos, which has no password here",
                       login->profile->name);
    xreplace(&w->user, login->profile->user);
    request.user = w->user;
    password_seq_init(&w->seq, &request);
    return 0;
}

static const struct secret *password_new(const void *work, bool *likely)
{
    const struct password_work *w = work;

    *likely = !w->seq.denied;
    return w->seq.asked ? w->fresh : NULL;
}

static void password_proved(void *work, bool has_new)
{
    struct password_work *w = work;

    w->proved = true;
    w->has_new = has_new;
}

/* What the store is to make of it: '+' or '-' and the account; nothing while nobody knows. */
static void password_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct password_work *w = work;

    if (w->proved)
        finding->kept = xasprintf("%c%s", w->has_new ? '+' : '-', w->user);
    if (!failure)
        finding->remark = w->seq.is_admin ? "the administrator's password is new, and proved"
                                          : "the account's password is new, and proved";
}

static void password_drop(void *work)
{
    struct password_work *w = work;

    free(w->user);
    secret_free(w->fresh);
}

static void password_would(const void *args, const struct host *host, struct buf *out)
{
    const struct password_args *pa = args;

    (void)host;
    buf_printf(out, "would set a random password of %u signs and prove it",
               pa->length > 0 ? pa->length : RANDOM_PASSWORD_LENGTH);
}

/* --- in the store --- */

struct journal {
    char *user;
    struct secret *fresh;
};

static void *password_journal(const void *work)
{
    const struct password_work *w = work;
    struct journal *journal = xcalloc(1, sizeof(*journal));

    journal->user = xstrdup(w->user);
    journal->fresh = secret_share(w->fresh);
    return journal;
}

static int note(struct tx *tx, const struct operation *operation, const void *p, struct err *err)
{
    const struct journal *journal = p;

    return tx_password_next(tx, operation->host_id, journal->user, journal->fresh, operation->run_id,
                            clock_wall(clock_system()), err);
}

static void forget(void *p)
{
    struct journal *journal = p;

    if (!journal)
        return;
    free(journal->user);
    secret_free(journal->fresh);
    free(journal);
}

static int settle(struct tx *tx, const void *args, const struct run *run, const struct operation *operation,
                  const char *kept, struct err *err)
{
    (void)args;
    (void)run;
    if (!kept)
        return 0;
    return tx_password_settle(tx, operation->host_id, kept + 1, kept[0] == '+', operation->ended_ms, err);
}

static const struct task_keeping password_keeping = {
    .journal = password_journal,
    .note = note,
    .forget = forget,
    .settle = settle,
};

const struct task task_password = {
    .name = "password",
    .args_size = sizeof(struct password_args),
    .work_size = sizeof(struct password_work),
    .parse = password_parse,
    .changes = password_changes,
    .budget_ms = password_budget,
    .init = password_init,
    .login = password_login,
    .find = password_find,
    .drop = password_drop,
    .would = password_would,
    .administers = true,
    .keeping = &password_keeping,
    .new_password = password_new,
    .proved = password_proved,
};
