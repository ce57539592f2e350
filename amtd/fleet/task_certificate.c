/* certificate: the certificate of a device's TLS, given by amtd's own CA. */
#include "amtd/fleet/task_certificate_internal.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "amtd/store/certificates.h"
#include "base/clock.h"

#define CERTIFICATE_BUDGET_MS 300000
#define CHECK_BUDGET_MS       60000
#define DAYS_MAX              1825

static const char *const action_names[] = {"issue", "renew", "check", "remove", NULL};
static const char *const switch_names[] = {"keep", "on", "off", NULL}; /* as enum certificate_switch */

static const struct task_arg args_table[] = {
    {"action", TASK_ARG_NAME, offsetof(struct certificate_args, action), true, .names = action_names},
    {"mutual", TASK_ARG_NAME, offsetof(struct certificate_args, mutual), .names = switch_names},
    {"plain", TASK_ARG_NAME, offsetof(struct certificate_args, plain), .names = switch_names},
    {"push_key", TASK_ARG_BOOL, offsetof(struct certificate_args, push_key)},
    {"force", TASK_ARG_BOOL, offsetof(struct certificate_args, force)},
    {"days", TASK_ARG_U32, offsetof(struct certificate_args, days), .min = 1, .max = DAYS_MAX},
    {"within_ms", TASK_ARG_MS, offsetof(struct certificate_args, within_ms), .min = 1000,
     .max = DAYS_MAX * DAY_MS},
    {NULL},
};

/* --- arguments --- */

static int certificate_parse(void *args, const json_t *json, struct err *err)
{
    const struct certificate_args *ca = args;
    bool makes;

    if (task_args_read(args_table, json, args, err) != 0)
        return -1;
    makes = ca->action == CERTIFICATE_DO_ISSUE || ca->action == CERTIFICATE_DO_RENEW;
    if (!makes && (ca->mutual || ca->plain || ca->push_key || ca->force || ca->days))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' takes none of mutual, plain, push_key, force, days",
                       action_names[ca->action]);
    return 0;
}

static bool certificate_changes(const void *args)
{
    return ((const struct certificate_args *)args)->action != CERTIFICATE_DO_CHECK;
}

static int64_t certificate_budget(const void *args)
{
    return certificate_changes(args) ? CERTIFICATE_BUDGET_MS : CHECK_BUDGET_MS;
}

static void certificate_would(const void *args, const struct host *host, struct buf *out)
{
    static const char *const texts[] = {
        [CERTIFICATE_DO_ISSUE] = "would give it a certificate of amtd's CA, if it has none that is good",
        [CERTIFICATE_DO_RENEW] = "would renew its certificate, if that is due",
        [CERTIFICATE_DO_CHECK] = "would look at its certificate",
        [CERTIFICATE_DO_REMOVE] = "would switch TLS off and remove its certificate",
    };

    (void)host;
    buf_puts(out, texts[((const struct certificate_args *)args)->action]);
}

/* --- beginning --- */

static void add_name(struct certificate_work *w, const char *name)
{
    size_t count = 0;

    if (!name || !name[0])
        return;
    for (; w->names[count]; count++)
        if (strcmp(w->names[count], name) == 0)
            return;
    if (count < NAMES_MAX && (count == 0 || leaf_name_fits(name)))
        w->names[count] = name;
}

static void certificate_init(void *work, const void *args, const struct host *host,
                             const struct quirks *quirks)
{
    struct certificate_work *w = work;

    (void)quirks;
    w->args = args;
    w->host = host;
    add_name(w, host->name);
    add_name(w, host->address);
    add_name(w, pairs_get(&host->facts, "amt.name"));
}

static int refuse_login(const struct certificate_work *w, const struct profile *profile, struct err *err)
{
    const struct certificate_args *ca = w->args;
    bool tls = profile->tls != PROFILE_TLS_NONE;

    if (ca->action == CERTIFICATE_DO_REMOVE && tls)
        return err_set(
            err, CAUSE_INVALID_ARGUMENT,
            "profile '%s' talks over TLS, which is to be switched off: order it with one that does "
            "not (--profile), after the ports without TLS were opened (certificate issue --plain on)",
            profile->name);
    if (ca->plain == CERTIFICATE_OFF && !tls)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "profile '%s' talks without TLS: amtd would not reach the device any more; give it a "
                       "profile with TLS first",
                       profile->name);
    if (ca->mutual == CERTIFICATE_ON && !profile->client_cert_file)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "profile '%s' has no client certificate: amtd would not reach the device any more",
                       profile->name);
    if ((ca->action == CERTIFICATE_DO_ISSUE || ca->action == CERTIFICATE_DO_RENEW) &&
        profile->tls == PROFILE_TLS_CA &&
        (!profile->ca_file || w->authority_count == 0 ||
         !authority_in_file(profile->ca_file, &w->authorities[0])))
        return err_set(err, CAUSE_TLS_UNTRUSTED,
                       "profile '%s' does not trust amtd's CA: add what 'amtcli certificate ca export' shows "
                       "to %s",
                       profile->name, profile->ca_file ? profile->ca_file : "a CA file of its own");
    return 0;
}

static int certificate_login(void *work, const struct login *login, struct err *err)
{
    struct certificate_work *w = work;
    struct certificate_request r = certificate_work_request(w);

    if (refuse_login(w, login->profile, err) != 0)
        return -1;
    certificate_seq_clear(&w->seq);
    certificate_seq_init(&w->seq, &r);
    return 0;
}

static void certificate_drop(void *work)
{
    struct certificate_work *w = work;

    certificate_work_let_go(w);
    certificate_seq_clear(&w->seq);
    for (size_t i = 0; i < w->authority_count; i++)
        buf_free(&w->authorities[i]);
    for (size_t i = 0; i < w->former_count; i++)
        buf_free(&w->former[i]);
    json_decref(w->before);
    free(w->proven);
    free(w->next);
    free(w->replaces);
}

/* --- in the store --- */

static int admit_run(struct tx *tx, const void *args, const struct hosts *hosts, struct err *err)
{
    (void)hosts;
    return ((const struct certificate_args *)args)->action == CERTIFICATE_DO_ISSUE
               ? tx_authority_need(tx, clock_wall(clock_system()), err)
               : 0;
}

static int admit(struct tx *tx, const void *args, const struct run *run, const struct host *host,
                 char **known, struct err *err)
{
    (void)args;
    (void)run;
    return tx_certificate_known(tx, host->id, known, err);
}

static int note(struct tx *tx, const struct operation *operation, const void *journal, struct err *err)
{
    return tx_certificate_begin(tx, operation->host_id, journal, operation->run_id,
                                clock_wall(clock_system()), err);
}

static int settle(struct tx *tx, const void *args, const struct run *run, const struct operation *operation,
                  const char *kept, struct err *err)
{
    (void)args;
    (void)run;
    if (!kept)
        return 0;
    return kept[0] == '+' ? tx_certificate_settle(tx, operation->host_id, kept + 1, operation->ended_ms, err)
                          : tx_certificate_give_up(tx, operation->host_id, operation->ended_ms, err);
}

static const struct task_keeping certificate_keeping = {
    .admit_run = admit_run,
    .admit = admit,
    .know = certificate_work_know,
    .journal = certificate_work_journal,
    .note = note,
    .forget = free,
    .settle = settle,
};

const struct task task_certificate = {
    .name = "certificate",
    .args_size = sizeof(struct certificate_args),
    .work_size = sizeof(struct certificate_work),
    .parse = certificate_parse,
    .changes = certificate_changes,
    .careful = certificate_changes,
    .budget_ms = certificate_budget,
    .init = certificate_init,
    .login = certificate_login,
    .pause = certificate_work_pause,
    .find = certificate_work_find,
    .drop = certificate_drop,
    .would = certificate_would,
    .administers = true,
    .keeping = &certificate_keeping,
};
