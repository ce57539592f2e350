/* run.start and run.cancel: the caller's window on a run. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/operation_json.h"
#include "amtd/daemon.h"
#include "amtd/fleet/engine.h"
#include "amtd/fleet/task_args.h"
#include "base/xalloc.h"

/* A caller that watches a run: a cursor on its results. */
struct viewer {
    struct api_request *rq;
    struct active_run *run; /* NULL until it is ready */
    size_t shown;
    size_t stage;
    bool gone;
};

/* --- reading the order --- */

struct limits {
    uint32_t parallel, per_subnet;
    struct stages stages;
    int64_t pause_ms, timeout_ms;
};

static const struct task_arg limits_table[] = {
    {"parallel", TASK_ARG_U32, offsetof(struct limits, parallel), .min = 1, .max = RUN_PARALLEL_MAX},
    {"per_subnet", TASK_ARG_U32, offsetof(struct limits, per_subnet), .min = 0, .max = RUN_PARALLEL_MAX},
    {"canary", TASK_ARG_U32, offsetof(struct limits, stages.canary), .min = 0, .max = HOSTLIST_MAX},
    {"batch", TASK_ARG_U32, offsetof(struct limits, stages.batch), .min = 0, .max = HOSTLIST_MAX},
    {"max_failures", TASK_ARG_U32, offsetof(struct limits, stages.max_failures), .min = 0,
     .max = HOSTLIST_MAX},
    {"pause_ms", TASK_ARG_MS, offsetof(struct limits, pause_ms), .min = 0, .max = 86400000},
    {"timeout_ms", TASK_ARG_MS, offsetof(struct limits, timeout_ms), .min = 100, .max = 86400000},
    {NULL},
};

static int read_limits(const json_t *params, struct run_order *order, struct err *err)
{
    struct limits limits = {.parallel = RUN_PARALLEL_DEFAULT,
                            .stages = {STAGES_CHOOSE, STAGES_CHOOSE, STAGES_CHOOSE}};
    json_t *known = json_object();
    int status;

    for (const struct task_arg *arg = limits_table; arg->name; arg++)
        if (json_object_get(params, arg->name))
            json_object_set(known, arg->name, json_object_get(params, arg->name));
    status = task_args_read(limits_table, known, &limits, err);
    json_decref(known);
    order->parallel = limits.parallel;
    order->per_subnet = limits.per_subnet;
    order->stages = limits.stages;
    order->pause_ms = limits.pause_ms;
    order->timeout_ms = limits.timeout_ms;
    return status;
}

static enum api_role role_for(const struct task *task)
{
    if (task->administers)
        return ROLE_ADMINISTER;
    return task->quarantines ? ROLE_QUARANTINE : ROLE_OPERATE;
}

static int read_order(struct api_request *rq, struct run_order *order, struct err *err)
{
    const json_t *params = api_params(rq);
    const json_t *args = json_object_get(params, "args");

    order->task = task_by_name(json_string_value(json_object_get(params, "task")));
    if (!order->task)
        return err_set(err, CAUSE_NOT_FOUND, "there is no task '%s'",
                       json_string_value(json_object_get(params, "task")));
    order->args = xcalloc(1, order->task->args_size + 1);
    if (order->task->parse(order->args, args, err) != 0 || read_limits(params, order, err) != 0)
        return -1;
    if (order->task->describe)
        order->args_text = order->task->describe(order->args);
    else
        order->args_text = task_args_text(order->task, args);
    order->target = xstrdup(json_string_value(json_object_get(params, "target")));
    order->profile = xstrdup(json_string_value(json_object_get(params, "profile")));
    order->who = xstrdup(api_who(rq));
    order->user = user_copy(api_user(rq));
    order->need = order->task->changes(order->args) ? role_for(order->task) : ROLE_WATCH;
    order->dry_run = json_is_true(json_object_get(params, "dry_run"));
    order->confirmed = json_is_true(json_object_get(params, "confirmed"));
    return 0;
}

/* --- showing --- */

static void view_end(struct viewer *viewer)
{
    const struct run *record = run_record(viewer->run);

    api_reply(viewer->rq, json_pack("{s:I, s:I, s:I, s:I}", "run", (json_int_t)record->id, "hosts",
                                    (json_int_t)run_hosts(viewer->run)->count, "ok", (json_int_t)record->ok,
                                    "failed", (json_int_t)record->failed));
    run_unwatch(viewer->run);
    free(viewer);
}

static void view_stage(struct viewer *viewer)
{
    size_t stage, stages;
    int64_t wait_ms;

    run_stage(viewer->run, &stage, &stages, &wait_ms);
    if (stages < 2 || wait_ms <= 0 || stage == viewer->stage)
        return;
    viewer->stage = stage;
    api_event(viewer->rq, json_pack("{s:I, s:I, s:I}", "stage", (json_int_t)stage, "stages",
                                    (json_int_t)stages, "wait_ms", (json_int_t)wait_ms));
}

static void view_result(struct viewer *viewer, const struct operation *result)
{
    if (viewer->gone)
        return;
    operation_write(api_row_begin(viewer->rq), result, NULL);
    api_row_end(viewer->rq);
}

/* Shows what is new, as fast as the caller reads. */
static void view(struct viewer *viewer)
{
    while (viewer->shown < run_results(viewer->run)) {
        if (!viewer->gone && api_backlog(viewer->rq) > API_HIGH_WATER)
            return;
        view_result(viewer, run_result(viewer->run, viewer->shown++));
    }
    view_stage(viewer);
    if (run_is_over(viewer->run))
        view_end(viewer);
}

static void view_dry_run(struct viewer *viewer)
{
    const struct hosts *hosts = run_hosts(viewer->run);
    const struct run_order *order = run_order(viewer->run);
    struct buf text = buf_init(1024);
    struct rows *rows;

    while (viewer->shown < hosts->count) {
        const struct host *host = &hosts->items[viewer->shown];
        size_t stage = stages_of(&order->stages, hosts->count, run_place(viewer->run, viewer->shown));

        if (!viewer->gone && api_backlog(viewer->rq) > API_HIGH_WATER)
            break;
        buf_reset(&text);
        order->task->would(order->args, host, &text);
        rows = api_row_begin(viewer->rq);
        rows_text(rows, "host", host->name);
        rows_text(rows, "would", buf_str(&text));
        rows_integer(rows, "stage", (int64_t)stage);
        api_row_end(viewer->rq);
        viewer->shown++;
    }
    buf_free(&text);
    if (viewer->shown == hosts->count)
        view_end(viewer);
}

static void news(void *arg, struct active_run *run)
{
    struct viewer *viewer = arg;

    if (run_order(run)->dry_run)
        view_dry_run(viewer);
    else
        view(viewer);
}

static void drained(struct api_request *rq, void *arg)
{
    struct viewer *viewer = arg;

    (void)rq;
    if (viewer->run)
        news(viewer, viewer->run);
}

/* The run goes on; the viewer only takes note of the results, so that its memory is given back at the end. */
static void gone(struct api_request *rq, void *arg)
{
    struct viewer *viewer = arg;

    (void)rq;
    viewer->gone = true;
    if (viewer->run)
        news(viewer, viewer->run);
}

static void ready(void *arg, struct active_run *run)
{
    struct viewer *viewer = arg;
    const struct run *record = run_record(run);
    const struct stages *stages = &run_order(run)->stages;
    size_t hosts = run_hosts(run)->count;
    json_t *state;

    viewer->run = run;
    state =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "run", (json_int_t)record->id, "hosts", (json_int_t)hosts,
                  "stages", (json_int_t)stages_count(stages, hosts), "canary", (json_int_t)stages->canary,
                  "batch", (json_int_t)stages->batch, "max_failures", (json_int_t)stages->max_failures);
    if (run_order(run)->need > ROLE_WATCH && !run_order(run)->dry_run)
        api_begun(viewer->rq, state, run_hosts(run));
    api_event(viewer->rq, state);
}

static void refused(void *arg, const struct err *err)
{
    struct viewer *viewer = arg;

    api_fail(viewer->rq, err);
    free(viewer);
}

void call_run_start(struct api_request *rq)
{
    struct run_order order = {0};
    struct run_watch watch = {.ready = ready, .refused = refused, .news = news};
    struct viewer *viewer;
    struct err err = ERR_INIT;

    read_order(rq, &order, &err); /* the run itself looks what the caller may with the target */
    if (err.cause != CAUSE_NONE) {
        run_order_clear(&order);
        api_fail(rq, &err);
        return;
    }
    viewer = xcalloc(1, sizeof(*viewer));
    viewer->rq = rq;
    watch.arg = viewer;
    api_on_drained(rq, drained, viewer);
    api_on_gone(rq, gone, viewer);
    engine_run(daemon_engine(api_daemon(rq)), &order, &watch);
}

void call_run_cancel(struct api_request *rq)
{
    json_int_t id = json_integer_value(json_object_get(api_params(rq), "run"));
    struct active_run *run = engine_find(daemon_engine(api_daemon(rq)), id);
    struct err err = ERR_INIT;
    char *why;
    size_t spared;

    if (!run || run_is_over(run)) {
        err_set(&err, CAUSE_NOT_FOUND, "run %lld is not under way", (long long)id);
        api_fail(rq, &err);
        return;
    }
    why = xasprintf("by %s", api_who(rq));
    spared = run_cancel(run, why);
    free(why);
    api_reply(rq, json_pack("{s:I}", "cancelled", (json_int_t)spared));
}
