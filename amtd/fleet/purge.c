#include "amtd/fleet/purge.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"

#define DAY_MS  ((int64_t)86400000)
#define LOOK_MS 600000        /* between two looks whether it is time */
#define WAIT_MS 300000        /* amtd has other things to do when it begins */
#define LONG_MS (32 * DAY_MS) /* after a longer absence, or with a wrong clock, it waits for a day */
#define GIB     ((int64_t)1 << 30)

#define CONSOLE_LOGS "console-logs" /* closed segments */

struct purge_settings purge_settings_standard(void)
{
    return (struct purge_settings){.wait_ms = WAIT_MS,
                                   .limits = {
                                       [PURGE_RUNS] = {365 * DAY_MS, 4 * GIB},
                                       [PURGE_EVENTS] = {365 * DAY_MS, GIB / 4},
                                       [PURGE_EVENT_DATA] = {90 * DAY_MS, 0},
                                       [PURGE_SWEEPS] = {365 * DAY_MS, GIB},
                                       [PURGE_INVENTORY] = {3 * 365 * DAY_MS, 4 * GIB},
                                       [PURGE_DEVICE_LOGS] = {3 * 365 * DAY_MS, 4 * GIB},
                                       [PURGE_ACTIVITY] = {10 * 365 * DAY_MS, 0},
                                   }};
}

enum step { STEP_MEASURE, STEP_REMOVE, STEP_GIVE_BACK };

/* One purge, from kind to kind. */
struct purge_run {
    struct purges *purges;
    struct purge_settings settings;
    bool dry;
    void (*over)(void *arg, const json_t *report, const struct err *failure); /* NULL: nobody ordered it */
    void *arg;
    int64_t now_ms, began_mono;
    enum step step;
    struct purge_walk walk;
    struct purge_ages *ages;
    int64_t before_ms;
    struct purge_gone portion;
    struct purge_gone gone[PURGE_KINDS];
    struct purge_file file;
    struct purge_gone logs; /* of consoles */
    json_t *report;
    char *text;
};

struct purges {
    uv_timer_t timer; /* first: freed in its close callback */
    struct purge_parts parts;
    struct purge_settings settings;
    struct purge_run *run;
    int64_t last_ms; /* wall clock; 0: never */
    json_t *last;    /* its report, or NULL */
    int64_t begun_mono;
    bool loading, closing;
};

static void closed(uv_handle_t *handle)
{
    struct purges *p = (struct purges *)handle;

    json_decref(p->last);
    free(p);
}

static void maybe_close(struct purges *p)
{
    if (p->closing && !p->run && !p->loading && !uv_is_closing((uv_handle_t *)&p->timer))
        uv_close((uv_handle_t *)&p->timer, closed);
}

/* --- the report --- */

static json_t *time_json(int64_t ms)
{
    char text[CLOCK_TEXT_MAX];

    return ms > 0 ? json_string(clock_text(ms, text)) : json_null();
}

static json_t *kinds_json(const struct purge_run *run)
{
    json_t *kinds = json_array();

    for (size_t i = 0; i < PURGE_KINDS; i++)
        json_array_append_new(
            kinds, json_pack("{s:s, s:I, s:I, s:o, s:o}", "what", purge_names[i], "removed",
                             (json_int_t)run->gone[i].units, "bytes", (json_int_t)run->gone[i].bytes, "from",
                             time_json(run->gone[i].from_ms), "to", time_json(run->gone[i].to_ms)));
    if (!run->dry)
        json_array_append_new(kinds, json_pack("{s:s, s:I, s:I, s:n, s:n}", "what", CONSOLE_LOGS, "removed",
                                               (json_int_t)run->logs.units, "bytes",
                                               (json_int_t)run->logs.bytes, "from", "to"));
    return kinds;
}

/* null: it was not looked at. */
static json_t *file_json(const struct purge_run *run)
{
    const struct purge_file *file = &run->file;

    return file->bytes == 0
               ? json_null()
               : json_pack("{s:I, s:I, s:I}", "bytes", (json_int_t)file->bytes, "free",
                           (json_int_t)file->free_bytes, "given_back", (json_int_t)file->given_back);
}

/* "12 runs, 3 sweeps (1234 bytes)"; NULL: nothing went. Owned. */
static char *gone_text(const struct purge_run *run)
{
    struct buf text = buf_init(1000);
    int64_t bytes = 0;
    char *out = NULL;

    for (size_t i = 0; i < PURGE_KINDS; i++) {
        if (run->gone[i].units > 0)
            buf_printf(&text, "%s%lld of %s", text.len > 0 ? ", " : "", (long long)run->gone[i].units,
                       purge_names[i]);
        bytes += run->gone[i].bytes;
    }
    if (run->logs.units > 0)
        buf_printf(&text, "%s%lld of " CONSOLE_LOGS, text.len > 0 ? ", " : "", (long long)run->logs.units);
    bytes += run->logs.bytes;
    if (text.len > 0) {
        buf_printf(&text, " were removed, about %lld KiB", (long long)(bytes / 1024));
        out = buf_take(&text);
    }
    buf_free(&text);
    return out;
}

static void run_free(struct purge_run *run)
{
    struct purges *p = run->purges;

    p->run = NULL;
    json_decref(run->report);
    free(run->text);
    free(run->ages);
    free(run);
    maybe_close(p);
}

static void tell(struct purge_run *run, const struct err *failure)
{
    struct purges *p = run->purges;

    if (failure)
        log_err("purge", "%s", failure->text);
    if (run->text && !run->dry) {
        log_info("purge", "%s", run->text);
        if (!p->closing)
            event_raise(p->parts.events,
                        &(struct event_report){.kind = EVENT_PURGE,
                                               .severity = SEVERITY_INFO,
                                               .text = run->text,
                                               .data = json_pack("{s:o}", "kinds", kinds_json(run))});
    }
    if (run->over)
        run->over(run->arg, failure ? NULL : run->report, failure);
    else if ((run->text || failure) && !p->closing)
        p->parts.done(p->parts.arg, run->text, failure);
    run_free(run);
}

static int keep_report(struct tx *tx, void *data, struct err *err)
{
    const struct purge_run *run = data;
    char *text = json_dumps(run->report, JSON_COMPACT);
    int status = tx_purge_put(tx, run->now_ms, text, err);

    free(text);
    return status;
}

static void report_kept(void *data, const struct err *failure)
{
    struct purge_run *run = data;
    struct purges *p = run->purges;

    if (!failure) {
        p->last_ms = run->now_ms;
        json_decref(p->last);
        p->last = json_incref(run->report);
    }
    tell(run, failure);
}

/* failure may be NULL. What went before it did. */
static void finish(struct purge_run *run, const struct err *failure)
{
    struct purges *p = run->purges;

    if (!run->dry && p->parts.logs_gone)
        run->logs = p->parts.logs_gone(p->parts.arg);
    run->text = gone_text(run);
    run->report = json_pack("{s:o, s:I, s:b, s:o, s:o}", "began", time_json(run->now_ms), "took_ms",
                            (json_int_t)(clock_mono(p->parts.clock) - run->began_mono), "dry_run",
                            (int)run->dry, "kinds", kinds_json(run), "database", file_json(run));
    if (failure || run->dry)
        tell(run, failure);
    else
        store_submit(p->parts.store, keep_report, report_kept, run);
}

/* --- from portion to portion --- */

static void next_portion(struct purge_run *run);

static int work_portion(struct tx *tx, void *data, struct err *err)
{
    struct purge_run *run = data;

    if (run->step == STEP_GIVE_BACK)
        return tx_purge_give_back(tx, &run->file, err);
    if (run->step == STEP_MEASURE)
        return tx_purge_measure(tx, &run->walk, run->now_ms, run->ages, err);
    return tx_purge_remove(tx, &run->walk, run->before_ms, run->dry, &run->portion, err);
}

static void next_kind(struct purge_run *run, enum purge_kind kind)
{
    const struct purge_limit *limit = &run->settings.limits[kind];

    run->walk = (struct purge_walk){.kind = kind};
    run->before_ms = limit->age_ms > 0 ? run->now_ms - limit->age_ms : INT64_MIN;
    run->step = limit->bytes > 0 ? STEP_MEASURE : STEP_REMOVE;
    memset(run->ages, 0, sizeof(*run->ages));
}

/* The walk is over: what comes behind it. False: that was the last kind. */
static bool next_step(struct purge_run *run)
{
    enum purge_kind kind = run->walk.kind;
    int64_t by_size;

    if (run->step == STEP_GIVE_BACK)
        return false;
    if (run->step == STEP_MEASURE) {
        by_size = purge_moment(run->ages, run->now_ms, run->settings.limits[kind].bytes);
        if (by_size > run->before_ms)
            run->before_ms = by_size;
        run->walk = (struct purge_walk){.kind = kind};
        run->step = STEP_REMOVE;
        return true;
    }
    if (kind + 1 == PURGE_KINDS) {
        run->step = STEP_GIVE_BACK;
        return !run->dry;
    }
    next_kind(run, kind + 1);
    return true;
}

static void portion_worked(void *data, const struct err *failure)
{
    struct purge_run *run = data;

    if (!failure && run->step == STEP_REMOVE)
        purge_gone_add(&run->gone[run->walk.kind], &run->portion);
    if (failure || run->purges->closing)
        finish(run, failure);
    else
        next_portion(run);
}

static bool is_step_over(const struct purge_run *run)
{
    if (run->step == STEP_GIVE_BACK)
        return run->file.over;
    return run->walk.over || (run->step == STEP_REMOVE && run->before_ms == INT64_MIN);
}

static void next_portion(struct purge_run *run)
{
    while (is_step_over(run)) {
        if (!next_step(run)) {
            finish(run, NULL);
            return;
        }
    }
    store_submit(run->purges->parts.store, work_portion, portion_worked, run);
}

static void begin(struct purges *p, bool dry,
                  void (*over)(void *arg, const json_t *report, const struct err *failure), void *arg)
{
    struct purge_run *run = xcalloc(1, sizeof(*run));

    p->run = run;
    run->purges = p;
    run->settings = p->settings;
    run->dry = dry;
    run->over = over;
    run->arg = arg;
    run->now_ms = clock_wall(p->parts.clock);
    run->began_mono = clock_mono(p->parts.clock);
    run->ages = xcalloc(1, sizeof(*run->ages));
    if (!dry && p->parts.expire_logs)
        p->parts.expire_logs(p->parts.arg);
    next_kind(run, 0);
    next_portion(run);
}

int purges_run(struct purges *p, bool dry,
               void (*over)(void *arg, const json_t *report, const struct err *failure), void *arg,
               struct err *err)
{
    if (p->run)
        return err_set(err, CAUSE_IN_USE, "a purge is under way");
    begin(p, dry, over, arg);
    return 0;
}

/* --- once a day --- */

bool purge_is_due(int64_t last_ms, int64_t now_ms, int64_t up_ms, int64_t wait_ms)
{
    int64_t since = now_ms - last_ms;

    if (last_ms == 0 || since < 0 || since > LONG_MS)
        return up_ms >= DAY_MS;
    return since >= DAY_MS && up_ms >= wait_ms;
}

static void on_timer(uv_timer_t *timer)
{
    struct purges *p = (struct purges *)timer;

    if (!p->run && !p->loading && !p->closing &&
        purge_is_due(p->last_ms, clock_wall(p->parts.clock), clock_mono(p->parts.clock) - p->begun_mono,
                     p->settings.wait_ms))
        begin(p, false, NULL, NULL);
}

struct last {
    struct purges *purges;
    int64_t at_ms;
    char *report;
};

static int load_last(struct tx *tx, void *data, struct err *err)
{
    struct last *last = data;

    free(last->report);
    last->report = NULL;
    return tx_purge_last(tx, &last->at_ms, &last->report, err);
}

static void last_loaded(void *data, const struct err *failure)
{
    struct last *last = data;
    struct purges *p = last->purges;

    if (failure)
        log_err("purge", "when the last one was cannot be read: %s", failure->text);
    p->last_ms = last->at_ms;
    p->last = last->report ? json_loads(last->report, 0, NULL) : NULL;
    p->loading = false;
    free(last->report);
    free(last);
    maybe_close(p);
}

struct purges *purges_new(const struct purge_parts *parts, const struct purge_settings *settings)
{
    struct purges *p = xcalloc(1, sizeof(*p));
    struct last *last = xcalloc(1, sizeof(*last));

    p->parts = *parts;
    p->settings = *settings;
    p->begun_mono = clock_mono(parts->clock);
    p->loading = true;
    last->purges = p;
    uv_timer_init(parts->loop, &p->timer);
    uv_timer_start(&p->timer, on_timer, (uint64_t)settings->wait_ms, LOOK_MS);
    uv_unref((uv_handle_t *)&p->timer);
    store_submit(parts->store, load_last, last_loaded, last);
    return p;
}

void purges_configure(struct purges *p, const struct purge_settings *settings)
{
    p->settings = *settings;
}

void purges_free(struct purges *p)
{
    struct err err = ERR_INIT;

    if (!p)
        return;
    p->closing = true;
    if (p->run && p->run->over) {
        err_set(&err, CAUSE_INTERRUPTED, "amtd ends; what is left goes with the next purge");
        p->run->over(p->run->arg, NULL, &err);
        p->run->over = NULL;
    }
    maybe_close(p);
}

json_t *purges_json(const struct purges *p)
{
    json_t *limits = json_array();

    for (size_t i = 0; i < PURGE_KINDS; i++)
        json_array_append_new(limits, json_pack("{s:s, s:I, s:I}", "what", purge_names[i], "age_ms",
                                                (json_int_t)p->settings.limits[i].age_ms, "bytes",
                                                (json_int_t)p->settings.limits[i].bytes));
    return json_pack("{s:o, s:o, s:o}", "limits", limits, "last",
                     p->last ? json_incref(p->last) : json_null(), "next",
                     time_json(p->last_ms > 0 ? p->last_ms + DAY_MS : 0));
}
