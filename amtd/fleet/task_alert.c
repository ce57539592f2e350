/* alert: who hears of a device's alerts, and whether this amtd does. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "amtd/store/alerts.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "wsman/alert_sink.h"

#define ALERT_BUDGET_MS 60000

struct alert_args {
    int action; /* enum alert_sink_action */
};

static const char *const action_names[] = {"show", "on", "off", NULL};

static const struct task_arg args_table[] = {
    {"action", TASK_ARG_NAME, offsetof(struct alert_args, action), true, .names = action_names},
    {NULL},
};

struct alert_work {
    struct alert_sink_seq seq; /* first */
    struct alert_way way;
};

static int alert_parse(void *args, const json_t *json, struct err *err)
{
    return task_args_read(args_table, json, args, err);
}

static bool alert_changes(const void *args)
{
    return ((const struct alert_args *)args)->action != ALERT_SINK_READ;
}

static int64_t alert_budget(const void *args)
{
    (void)args;
    return ALERT_BUDGET_MS;
}

static void alert_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    const struct alert_args *aa = args;
    struct alert_work *w = work;

    (void)host;
    (void)quirks;
    alert_sink_seq_init(&w->seq, (enum alert_sink_action)aa->action, NULL, NULL, NULL);
}

/* --- in the store --- */

#define NOWHERE "-"

static const char *or_nowhere(const char *text)
{
    return text ? text : NOWHERE;
}

/* known: base, the host's own address and that of traps, apart by blanks. */
static int admit(struct tx *tx, const void *args, const struct run *run, const struct host *host,
                 char **known, struct err *err)
{
    const struct alert_args *aa = args;
    struct alert_way way;
    int status = tx_alert_way(tx, host->id, &way, err);

    (void)run;
    if (status == 0)
        *known = xasprintf("%s %s %s", or_nowhere(way.base), or_nowhere(way.url), or_nowhere(way.traps));
    else if (aa->action == ALERT_SINK_READ && err->cause == CAUSE_INVALID_ARGUMENT)
        status = 0; /* whoever else hears of them can be shown all the same */
    alert_way_clear(&way);
    return status;
}

/* The word at *at, of a list that is apart by blanks; *at is behind it then. NULL: NOWHERE. Caller's. */
static char *next_word(const char **at)
{
    size_t n = strcspn(*at, " ");
    char *word = strncmp(*at, NOWHERE, n) == 0 ? NULL : xstrndup(*at, n);

    *at += n + ((*at)[n] == ' ');
    return word;
}

static void know(void *work, const char *known)
{
    struct alert_work *w = work;

    if (!known)
        return;
    w->way.base = next_word(&known);
    w->way.url = next_word(&known);
    w->way.traps = next_word(&known);
    alert_sink_seq_init(&w->seq, w->seq.action, w->way.url, w->way.base, w->way.traps);
}

static int settle(struct tx *tx, const void *args, const struct run *run, const struct operation *operation,
                  const char *kept, struct err *err)
{
    const struct alert_args *aa = args;

    (void)run;
    (void)kept;
    if (operation->state != OPERATION_OK || aa->action == ALERT_SINK_READ)
        return 0;
    return tx_alert_subscribed(tx, operation->host_id,
                               aa->action == ALERT_SINK_SUBSCRIBE ? clock_wall(clock_system()) : 0, err);
}

static const struct task_keeping alert_keeping = {.admit = admit, .know = know, .settle = settle};

/* --- what was found --- */

/* The path of our own is a secret of the device and amtd. */
static json_t *describe(const struct alert_work *w, const struct alert_sink *sink)
{
    return json_pack("{s:s, s:s, s:b}", "url", sink->ours && !sink->trap ? w->way.base : sink->url, "alerts",
                     sink->filter, "ours", (int)sink->ours);
}

static void alert_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct alert_work *w = work;
    bool heard = w->seq.action == ALERT_SINK_SUBSCRIBE && !failure;
    json_int_t others = 0;
    json_t *sinks = json_array();

    for (size_t i = 0; i < w->seq.count; i++) {
        if (!w->seq.sinks[i].filter[0])
            continue;
        heard |= w->seq.sinks[i].exact;
        others += !w->seq.sinks[i].ours;
        if (w->seq.action == ALERT_SINK_READ)
            json_array_append_new(sinks, describe(w, &w->seq.sinks[i]));
    }
    finding->detail = json_pack("{s:b, s:I}", "heard", (int)heard, "others", others);
    if (w->seq.action == ALERT_SINK_READ)
        json_object_set(finding->detail, "subscribers", sinks);
    json_decref(sinks);
    if (failure)
        return;
    if (w->seq.action == ALERT_SINK_SUBSCRIBE)
        finding->remark = w->seq.was_there ? "told to this amtd already" : "told to this amtd from now on";
    else if (w->seq.action == ALERT_SINK_UNSUBSCRIBE)
        finding->remark = w->seq.was_there ? "not told to this amtd any more" : "was not told to this amtd";
    else
        finding->remark = heard ? "told to this amtd" : "not told to this amtd";
}

static void alert_drop(void *work)
{
    struct alert_work *w = work;

    alert_way_clear(&w->way);
}

static void alert_would(const void *args, const struct host *host, struct buf *out)
{
    static const char *const texts[] = {"look who hears of its alerts", "have its alerts told to this amtd",
                                        "end that its alerts are told to this amtd"};

    (void)host;
    buf_printf(out, "would %s", texts[((const struct alert_args *)args)->action]);
}

const struct task task_alert = {
    .name = "alert",
    .args_size = sizeof(struct alert_args),
    .work_size = sizeof(struct alert_work),
    .parse = alert_parse,
    .changes = alert_changes,
    .budget_ms = alert_budget,
    .init = alert_init,
    .find = alert_find,
    .drop = alert_drop,
    .would = alert_would,
    .keeping = &alert_keeping,
};
