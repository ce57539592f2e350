/* job.run, job.watch, job.list, job.show, and what is done to a run of a job. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/job_params.h"
#include "amtd/api/listing.h"
#include "amtd/api/operation_json.h"
#include "amtd/daemon.h"
#include "amtd/fleet/task_args.h"
#include "amtd/jobs/jobs.h"
#include "base/xalloc.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MOST    100000

/* --- results as rows --- */

static void write_members(struct rows *rows, const struct job_result *result)
{
    rows_text(rows, "task", result->label);
    rows_text(rows, "kind", result->kind);
    operation_write(rows, &result->operation, result->skipped ? "skipped" : NULL);
}

static void write_task(void *arg, const struct job_result *result)
{
    struct rows *rows = arg;

    rows_object(rows, NULL);
    write_members(rows, result);
    rows_object_end(rows);
}

/* The host from begin to end, with all its tasks in the order in which they were done. */
static void write_live_host(struct rows *rows, const struct job_run *run, size_t host)
{
    const struct job_result *result;
    const struct job *job = job_run_job(run);

    operation_write(rows, job_run_host(run, host), NULL);
    rows_list(rows, "tasks");
    for (size_t i = 0; i < job->count; i++)
        if ((result = job_run_result(run, host, (uint32_t)i)))
            write_task(rows, result);
    for (size_t i = job->count; i-- > 0;)
        if ((result = job_run_result(run, host, (uint32_t)(JOB_UNDO_BASE + i))))
            write_task(rows, result);
    rows_list_end(rows);
}

/* --- watching --- */

struct job_watcher {
    struct api_request *rq;
    struct job_run *run; /* NULL until it is ready */
    struct job_viewer *viewer;
    size_t shown;
    size_t stage;
    bool brief;             /* tells of tasks only how many are done */
    size_t done, done_told; /* of these */
    bool gone;
};

static void watch_end(struct job_watcher *w)
{
    const struct run *record = &job_run_record(w->run)->run;

    api_reply(w->rq, json_pack("{s:I, s:I, s:I, s:I}", "run", (json_int_t)record->id, "hosts",
                               (json_int_t)job_run_hosts(w->run)->count, "ok", (json_int_t)record->ok,
                               "failed", (json_int_t)record->failed));
    job_run_unwatch(w->viewer);
    free(w);
}

static void watch_stage(struct job_watcher *w)
{
    size_t stage, stages;
    int64_t wait_ms;

    job_run_stage(w->run, &stage, &stages, &wait_ms);
    if (stages < 2 || wait_ms <= 0 || stage == w->stage)
        return;
    w->stage = stage;
    api_event(w->rq, json_pack("{s:I, s:I, s:I}", "stage", (json_int_t)stage, "stages", (json_int_t)stages,
                               "wait_ms", (json_int_t)wait_ms));
}

static void show_task(struct job_watcher *w, const struct job_news *news)
{
    const struct job_result *result = job_run_result(w->run, news->host, news->task);
    struct rows *rows;

    w->done++;
    if (w->brief || !result)
        return;
    rows = api_row_begin(w->rq);
    rows_text(rows, "host", job_run_hosts(w->run)->items[news->host].name);
    write_members(rows, result);
    api_row_end(w->rq);
}

static void show_host(struct job_watcher *w, size_t host)
{
    write_live_host(api_row_begin(w->rq), w->run, host);
    api_row_end(w->rq);
}

static void watch_done(struct job_watcher *w)
{
    if (!w->brief || w->gone || w->done == w->done_told)
        return;
    w->done_told = w->done;
    api_event(w->rq, json_pack("{s:I}", "tasks_done", (json_int_t)w->done));
}

static void show_news(struct job_watcher *w)
{
    while (w->shown < job_run_news(w->run)) {
        struct job_news news;

        if (!w->gone && api_backlog(w->rq) > API_HIGH_WATER)
            return;
        news = job_run_news_at(w->run, w->shown++);
        if (w->gone)
            continue;
        if (news.task == JOB_HOST_ENDED)
            show_host(w, news.host);
        else
            show_task(w, &news);
    }
    watch_done(w);
    watch_stage(w);
    if (job_run_is_over(w->run))
        watch_end(w);
}

static void would(const struct job *job, const struct host *host, struct buf *text)
{
    for (size_t i = 0; i < job->count; i++) {
        const struct job_task *task = &job->tasks[i];
        struct err err = ERR_INIT;
        void *args = job_task_parse(task, &err);

        buf_printf(text, "%s%s: ", i > 0 ? "; " : "", task->name);
        if (args)
            task->engine->would(args, host, text);
        else
            buf_printf(text, "would %s", task->kind->text);
        job_task_drop(task, args);
        if (task->when)
            buf_printf(text, ", when %s", task->when);
    }
}

static void show_dry_run(struct job_watcher *w)
{
    const struct hosts *hosts = job_run_hosts(w->run);
    struct buf text = buf_init(65536);
    struct rows *rows;

    while (w->shown < hosts->count) {
        const struct host *host = &hosts->items[w->shown];

        if (!w->gone && api_backlog(w->rq) > API_HIGH_WATER)
            break;
        buf_reset(&text);
        would(job_run_job(w->run), host, &text);
        rows = api_row_begin(w->rq);
        rows_text(rows, "host", host->name);
        rows_text(rows, "would", buf_str(&text));
        api_row_end(w->rq);
        w->shown++;
    }
    buf_free(&text);
    if (w->shown == hosts->count)
        watch_end(w);
}

static void news(void *arg, struct job_run *run)
{
    if (job_run_order(run)->dry_run)
        show_dry_run(arg);
    else
        show_news(arg);
}

static void drained(struct api_request *rq, void *arg)
{
    struct job_watcher *w = arg;

    (void)rq;
    if (w->run)
        news(w, w->run);
}

/* The run goes on. */
static void gone(struct api_request *rq, void *arg)
{
    struct job_watcher *w = arg;

    (void)rq;
    w->gone = true;
    if (w->run)
        news(w, w->run);
}

static void begin_watching(struct job_watcher *w, struct job_run *run)
{
    const struct job_record *record = job_run_record(run);
    const struct job *job = job_run_job(run);
    json_t *tasks = json_array();

    w->run = run;
    for (size_t i = 0; i < job->count; i++)
        json_array_append_new(tasks, json_string(job->tasks[i].name));
    api_event(w->rq, json_pack("{s:I, s:I, s:s, s:o}", "run", (json_int_t)record->run.id, "hosts",
                               (json_int_t)job_run_hosts(run)->count, "job", job->name, "tasks", tasks));
}

static void ready(void *arg, struct job_run *run)
{
    struct job_watcher *w = arg;
    json_t *state;

    begin_watching(w, run);
    if (job_run_order(run)->dry_run || job_role(job_run_job(run)) == ROLE_WATCH)
        return;
    state = json_pack("{s:I, s:I}", "run", (json_int_t)job_run_record(run)->run.id, "hosts",
                      (json_int_t)job_run_hosts(run)->count);
    api_begun(w->rq, state, job_run_hosts(run));
    json_decref(state);
}

static void refused(void *arg, const struct err *err)
{
    struct job_watcher *w = arg;

    api_fail(w->rq, err);
    free(w);
}

static struct job_watcher *job_watcher_new(struct api_request *rq, struct job_watch *watch)
{
    struct job_watcher *w = xcalloc(1, sizeof(*w));

    w->rq = rq;
    w->brief = json_is_true(json_object_get(api_params(rq), "brief"));
    *watch = (struct job_watch){.arg = w, .ready = ready, .refused = refused, .news = news};
    api_on_drained(rq, drained, w);
    api_on_gone(rq, gone, w);
    return w;
}

/* --- job.run --- */

static const struct task_arg rollout_table[] = {
    {"parallel", TASK_ARG_MS, offsetof(struct job_rollout, parallel), .min = 1, .max = RUN_PARALLEL_MAX},
    {"per_subnet", TASK_ARG_MS, offsetof(struct job_rollout, per_subnet), .min = 0, .max = RUN_PARALLEL_MAX},
    {"canary", TASK_ARG_MS, offsetof(struct job_rollout, canary), .min = 0, .max = HOSTLIST_MAX},
    {"batch", TASK_ARG_MS, offsetof(struct job_rollout, batch), .min = 0, .max = HOSTLIST_MAX},
    {"max_failures", TASK_ARG_MS, offsetof(struct job_rollout, max_failures), .min = 0, .max = HOSTLIST_MAX},
    {"pause_ms", TASK_ARG_MS, offsetof(struct job_rollout, pause_ms), .min = 0, .max = 86400000},
    {NULL},
};

int job_rollout_read(const json_t *params, struct job_rollout *rollout, struct err *err)
{
    json_t *known = json_object();
    int status;

    *rollout = (struct job_rollout){-1, -1, -1, -1, -1, -1};
    for (const struct task_arg *arg = rollout_table; arg->name; arg++)
        if (json_object_get(params, arg->name))
            json_object_set(known, arg->name, json_object_get(params, arg->name));
    status = task_args_read(rollout_table, known, rollout, err);
    json_decref(known);
    return status;
}

static void begin(struct api_request *rq, struct job_order *order)
{
    struct job_watch watch;
    struct job_watcher *w = job_watcher_new(rq, &watch);

    jobs_run(daemon_jobs(api_daemon(rq)), order, &watch, &w->viewer);
}

/* The run itself looks what he may with the target. */
static void is_ordered_by(const struct api_request *rq, struct job_order *order)
{
    order->who = xstrdup(api_who(rq));
    order->uid = api_uid(rq);
    order->user = user_copy(api_user(rq));
}

void call_job_run(struct api_request *rq)
{
    const json_t *params = api_params(rq);
    struct job_order order = {0};
    json_t *mistakes = NULL;
    struct err err = ERR_INIT;

    order.job = job_from_params(params, &mistakes, &err);
    if (order.job)
        job_rollout_read(params, &order.rollout, &err);
    if (err.cause != CAUSE_NONE) {
        job_order_clear(&order);
        api_fail_with(rq, &err, mistakes);
        return;
    }
    order.text = xstrdup(param_text(params, "text"));
    order.files = json_incref(json_object_get(params, "files"));
    order.target = xstrdup(param_text(params, "target"));
    order.profile = xstrdup(param_text(params, "profile"));
    is_ordered_by(rq, &order);
    order.dry_run = json_is_true(json_object_get(params, "dry_run"));
    order.confirmed = json_is_true(json_object_get(params, "confirmed"));
    begin(rq, &order);
}

/* --- job.retry --- */

struct retry {
    struct api_request *rq;
    int64_t run;
    struct job_order order;
    bool unreadable;
};

/* The hosts of the run that failed, each by its name of today. */
static int failed_hosts(struct tx *tx, int64_t run, char **target, struct err *err)
{
    struct operation *operations;
    struct hosts there = {0};
    struct buf names = buf_init(64 << 20);
    struct run record;
    size_t count;
    int status = tx_run_get(tx, run, &record, &operations, &count, err);

    run_clear(&record);
    if (status == 0)
        status = tx_job_hosts(tx, run, &there, err);
    for (size_t i = 0; i < count; i++) {
        bool failed = operations[i].state == OPERATION_FAILED;

        for (size_t k = 0; failed && k < there.count; k++)
            if (there.items[k].id == operations[i].host_id)
                buf_printf(&names, "%s%s", names.len > 0 ? "," : "", there.items[k].name);
        operation_clear(&operations[i]);
    }
    free(operations);
    hosts_clear(&there);
    if (status == 0 && names.len == 0)
        status = err_set(err, CAUSE_NOT_FOUND, "no host of run %lld has failed", (long long)run);
    *target = status == 0 ? buf_take(&names) : NULL;
    buf_free(&names);
    return status;
}

/* Of runs that are not his own nobody hears who does not watch every host. */
static int get_record(struct tx *tx, const struct api_request *rq, int64_t run, struct job_record *record,
                      struct err *err)
{
    struct actor actor = api_actor(rq);
    int status = tx_job_get(tx, run, record, err);

    tx_as(tx, &actor);
    if (status == 0 && !tx_is_his(tx, record->run.who)) {
        job_record_clear(record);
        status = err_set(err, CAUSE_NOT_FOUND, "there is no run %lld of a job", (long long)run);
    }
    tx_as(tx, NULL);
    return status;
}

static int retry_work(struct tx *tx, void *data, struct err *err)
{
    struct retry *r = data;
    struct job_record record;
    struct job_reading reading;
    json_t *settings;

    job_order_clear(&r->order); /* it may be done again */
    if (get_record(tx, r->rq, r->run, &record, err) != 0)
        return -1;
    if (record.state != JOB_RUN_OVER) {
        job_record_clear(&record);
        return err_set(err, CAUSE_IN_USE, "run %lld is not over", (long long)r->run);
    }
    r->order.files = json_loads(record.files, 0, NULL);
    r->order.job = job_read(record.name, record.text, strlen(record.text), r->order.files, &reading);
    r->order.text = xstrdup(record.text);
    settings = json_loads(record.settings, 0, NULL);
    r->order.profile = xstrdup(json_string_value(json_object_get(settings, "profile")));
    r->order.retry_of = r->run;
    json_decref(settings);
    job_reading_clear(&reading);
    job_record_clear(&record);
    if (!r->order.job)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "its job file cannot be read by this amtd");
    return failed_hosts(tx, r->run, &r->order.target, err);
}

static void retry_loaded(void *data, const struct err *failure)
{
    struct retry *r = data;
    struct api_request *rq = r->rq;
    const json_t *params = api_params(rq);
    struct err err = failure ? *failure : (struct err)ERR_INIT;

    if (!failure)
        job_rollout_read(params, &r->order.rollout, &err);
    if (err.cause != CAUSE_NONE) {
        job_order_clear(&r->order);
        api_fail(rq, &err);
    } else {
        is_ordered_by(rq, &r->order);
        r->order.confirmed = json_is_true(json_object_get(params, "confirmed"));
        begin(rq, &r->order);
    }
    free(r);
}

void call_job_retry(struct api_request *rq)
{
    struct retry *r = xcalloc(1, sizeof(*r));

    r->rq = rq;
    r->run = json_integer_value(json_object_get(api_params(rq), "run"));
    store_submit(daemon_store(api_daemon(rq)), retry_work, retry_loaded, r);
}

/* --- what is done to one --- */

static struct job_run *find_run(struct api_request *rq)
{
    int64_t id = json_integer_value(json_object_get(api_params(rq), "run"));
    struct job_run *run = jobs_find(daemon_jobs(api_daemon(rq)), id);
    struct err err = ERR_INIT;

    if (run && !job_run_is_over(run))
        return run;
    err_set(&err, CAUSE_NOT_FOUND, "run %lld of a job is not under way", (long long)id);
    api_fail(rq, &err);
    return NULL;
}

void call_job_watch(struct api_request *rq)
{
    struct job_run *run = find_run(rq);
    struct job_watch watch;
    struct job_watcher *w;

    if (!run)
        return;
    w = job_watcher_new(rq, &watch);
    begin_watching(w, run);
    w->viewer = job_run_watch(run, &watch);
}

static void set_paused(struct api_request *rq, bool on)
{
    struct job_run *run = find_run(rq);

    if (!run)
        return;
    job_run_pause(run, on);
    api_reply(rq, json_object());
}

void call_job_pause(struct api_request *rq)
{
    set_paused(rq, true);
}

void call_job_resume(struct api_request *rq)
{
    set_paused(rq, false);
}

void call_job_cancel(struct api_request *rq)
{
    struct job_run *run = find_run(rq);
    size_t spared;
    char *why;

    if (!run)
        return;
    why = xasprintf("by %s", api_who(rq));
    spared = job_run_cancel(run, why);
    free(why);
    api_reply(rq, json_pack("{s:I}", "cancelled", (json_int_t)spared));
}

/* --- looking back --- */

static json_t *describe(const struct job_record *record)
{
    static const char *const states[] = {"running", "paused", "cancelled", "over"};
    const struct run *run = &record->run;
    json_t *event = record->event ? json_loads(record->event, 0, NULL) : NULL;

    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:s*, s:s*, s:o*, s:o}", "run",
                     (json_int_t)run->id, "job", record->name, "hash", record->hash, "state",
                     record->held && record->state == JOB_RUN_PAUSED ? "waiting" : states[record->state],
                     "target", run->target, "who", run->who, "began", json_time(run->began_ms), "ended",
                     json_time(run->ended_ms), "hosts", (json_int_t)run->hosts, "ok", (json_int_t)run->ok,
                     "failed", (json_int_t)run->failed, "schedule", record->schedule, "reaction",
                     record->reaction, "event", event, "retry_of",
                     record->retry_of > 0 ? json_integer(record->retry_of) : json_null());
}

int call_job_list(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    const json_t *limit = json_object_get(params, "limit");
    struct job_record *records;
    size_t count;
    int status;

    if (limit && (json_integer_value(limit) < 1 || json_integer_value(limit) > LIMIT_MOST))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'limit' must be from 1 to %d", LIMIT_MOST);
    status = tx_jobs(tx, param_text(params, "name"), tx_only(tx),
                     limit ? (size_t)json_integer_value(limit) : LIMIT_DEFAULT, &records, &count, err);
    *reply = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(*reply, describe(&records[i]));
        job_record_clear(&records[i]);
    }
    free(records);
    return status;
}

/* --- job.show --- */

struct host_row {
    struct tx *tx;
    struct rows *rows;
    struct err *err;
    int status;
};

/* What was taken back has the highest numbers, and so comes last. */
static void write_host(void *arg, const struct operation *operation)
{
    struct host_row *h = arg;

    rows_begin(h->rows);
    operation_write(h->rows, operation, NULL);
    if (rows_list(h->rows, "tasks")) {
        h->status =
            tx_job_results_tell(h->tx, operation->run_id, operation->host_id, write_task, h->rows, h->err);
        rows_list_end(h->rows);
    }
    rows_end(h->rows);
}

static int write_one(struct tx *tx, void *state, int64_t id, struct rows *rows, struct err *err)
{
    struct host_row h = {tx, rows, err, 0};
    int status = tx_operation_tell(tx, id, write_host, &h, err);

    (void)state;
    return status == 0 ? h.status : -1;
}

static int open_job(struct tx *tx, struct listing *l, struct err *err)
{
    int64_t id = json_integer_value(json_object_get(l->params, "run"));
    struct listing_ids *ids = xcalloc(1, sizeof(*ids));
    struct job_record record;
    int status = tx_job_get(tx, id, &record, err);

    l->state = ids;
    if (status == 0 && !tx_is_his(tx, record.run.who))
        status = err_set(err, CAUSE_NOT_FOUND, "there is no run %lld of a job", (long long)id);
    if (status == 0) {
        l->head = describe(&record);
        l->member = "results";
        json_object_set_new(l->head, "text", json_string(record.text));
        status = tx_operation_ids(tx, id, &ids->ids, &ids->count, err);
    }
    job_record_clear(&record);
    return status;
}

static int more_hosts(struct tx *tx, struct listing *l, struct err *err)
{
    return listing_some(tx, l, write_one, err);
}

const struct api_list list_job = {open_job, more_hosts, listing_ids_free};
