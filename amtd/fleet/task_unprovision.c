/* unprovision: devices' set-up taken back, with what keeps it from happening by mistake. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "amtd/store/alerts.h"
#include "amtd/store/certificates.h"
#include "amtd/store/filters.h"
#include "amtd/store/passwords.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/unprovision.h"

#define UNPROVISION_BUDGET_MS 90000
#define CONFIRM_MAX           256 /* bytes; the longest name of a host */
#define ALREADY               "already"

struct unprovision_args {
    bool full;
    bool filters;              /* also where filters of ours are active */
    char confirm[CONFIRM_MAX]; /* the host's name, or how many they are */
};

static const struct task_arg args_table[] = {
    {"full", TASK_ARG_BOOL, offsetof(struct unprovision_args, full)},
    {"filters", TASK_ARG_BOOL, offsetof(struct unprovision_args, filters)},
    {"confirm", TASK_ARG_TEXT, offsetof(struct unprovision_args, confirm), true, .size = CONFIRM_MAX},
    {NULL},
};

struct unprovision_work {
    struct unprovision_seq seq; /* first */
};

static int unprovision_parse(void *args, const json_t *json, struct err *err)
{
    return task_args_read(args_table, json, args, err);
}

static bool always(const void *args)
{
    (void)args;
    return true;
}

static int64_t unprovision_budget(const void *args)
{
    (void)args;
    return UNPROVISION_BUDGET_MS;
}

static void unprovision_init(void *work, const void *args, const struct host *host,
                             const struct quirks *quirks)
{
    struct unprovision_work *w = work;

    (void)host;
    (void)quirks;
    unprovision_seq_init(&w->seq, ((const struct unprovision_args *)args)->full);
}

static void unprovision_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct unprovision_work *w = work;
    const char *how = w->seq.full || w->seq.client_mode ? "full" : "partial";
    char at[CLOCK_TEXT_MAX];

    if (failure || !w->seq.done)
        return;
    finding->detail = json_pack("{s:s, s:b}", "unprovisioned", how, "already", (int)w->seq.already);
    finding->kept = xstrdup(w->seq.already ? ALREADY : how);
    finding->remark = w->seq.already ? "was not provisioned" : "unprovisioned";
    pairs_set(&finding->facts, "amt.state", "pre");
    if (!w->seq.already) {
        pairs_set(&finding->facts, "unprovisioned", how);
        pairs_set(&finding->facts, "unprovisioned.at", clock_text(clock_wall(clock_system()), at));
    }
}

static void unprovision_would(const void *args, const struct host *host, struct buf *out)
{
    const struct unprovision_args *ua = args;
    const char *version = pairs_get(&host->facts, "amt.version");

    buf_printf(out, "would %s unprovision it (AMT %s)", ua->full ? "fully" : "partially",
               version ? version : "of an unknown version");
}

/* --- in the store --- */

/* A habit types yes; who unprovisions types how many machines it will cost. */
static int admit_run(struct tx *tx, const void *args, const struct hosts *hosts, struct err *err)
{
    const struct unprovision_args *ua = args;
    char count[24];

    (void)tx;
    snprintf(count, sizeof(count), "%zu", hosts->count);
    if (strcmp(ua->confirm, count) == 0 ||
        (hosts->count == 1 && strcmp(ua->confirm, hosts->items[0].name) == 0))
        return 0;
    return err_set(err, CAUSE_REFUSED_UNCONFIRMED,
                   "this is about %zu %s, not '%s': unprovisioning is confirmed by the exact number%s",
                   hosts->count, text_plural(hosts->count, "host", "hosts"), ua->confirm,
                   text_plural(hosts->count, ", or by the host's name", ""));
}

/* Whoever made its filters active: people, agent presence, worm detection. */
static int check_filters(struct tx *tx, const struct unprovision_args *ua, const struct host *host,
                         struct err *err)
{
    bool found = false;

    for (int owner = 0; !ua->filters && !found && owner < SD_OWNERS; owner++) {
        struct filter_row row = {0};

        if (tx_filter_get(tx, host->id, (enum sd_owner)owner, &row, &found, err) != 0)
            return -1;
        if (found)
            err_set(err, CAUSE_REFUSED_UNCONFIRMED,
                    "a filter is active there, set by %s, and would be gone: remove it before (amtcli filter "
                    "remove %s), or say so (--filters)",
                    row.who ? row.who : "somebody", host->name);
        filter_row_clear(&row);
    }
    return found ? -1 : 0;
}

/* Nobody but this store knows it: it is in somebody's hands before the machine may be lost to amtd. */
static int check_passwords(struct tx *tx, const struct host *host, struct err *err)
{
    char *user = NULL;

    if (tx_password_unseen(tx, host->id, &user, err) != 0)
        return -1;
    if (!user)
        return 0;
    err_set(
        err, CAUSE_REFUSED_UNCONFIRMED,
        "the password of its account '%s' is only in amtd's store, and nobody has looked at it yet: amtcli "
        "password show %s, or for many: amtcli password export TARGET FILE",
        user, host->name);
    free(user);
    return -1;
}

static int admit(struct tx *tx, const void *args, const struct run *run, const struct host *host,
                 char **known, struct err *err)
{
    (void)run;
    (void)known;
    return check_filters(tx, args, host, err) == 0 && check_passwords(tx, host, err) == 0 ? 0 : -1;
}

/* Its filters are gone, its certificate, and what was trusted by it; and with a full one, which in client
 * mode each one is, its passwords, as the administrator's is that of a factory again. Of one that was not
 * provisioned nobody knows which it was. */
static int settle(struct tx *tx, const void *args, const struct run *run, const struct operation *operation,
                  const char *kept, struct err *err)
{
    size_t unused;

    (void)args;
    (void)run;
    if (!kept || operation->state != OPERATION_OK)
        return 0;
    if (tx_filter_drop_all(tx, operation->host_id, err) != 0 ||
        tx_alert_forget(tx, operation->host_id, err) != 0 ||
        tx_certificate_give_up(tx, operation->host_id, operation->ended_ms, err) != 0)
        return -1;
    return strcmp(kept, "full") == 0
               ? tx_password_forget(tx, operation->host_id, operation->ended_ms, &unused, err)
               : 0;
}

static const struct task_keeping unprovision_keeping = {
    .admit_run = admit_run,
    .admit = admit,
    .settle = settle,
};

const struct task task_unprovision = {
    .name = "unprovision",
    .args_size = sizeof(struct unprovision_args),
    .work_size = sizeof(struct unprovision_work),
    .parse = unprovision_parse,
    .changes = always,
    .careful = always,
    .budget_ms = unprovision_budget,
    .init = unprovision_init,
    .find = unprovision_find,
    .would = unprovision_would,
    .administers = true,
    .keeping = &unprovision_keeping,
};
