#include "amtcli/run_view.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/interrupt.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/progress.h"
#include "amtcli/reply.h"
#include "base/text.h"

#define COUNT_MAX 1000000

#define ROLLOUT                                                                                                \
    {"parallel", 'P',         OPTION_NUMBER,    "N", "hosts worked on at a time",                              \
     .min = 1,   .max = 4096, .standard = "256"},                                                              \
        {"per-subnet",                                                                                         \
         0,                                                                                                    \
         OPTION_NUMBER,                                                                                        \
         "N",                                                                                                  \
         "of these, at most so many in one subnet; 0: any number",                                             \
         .max = 4096,                                                                                          \
         .standard = "0"},                                                                                     \
        {"canary",                                                                                             \
         0,                                                                                                    \
         OPTION_NUMBER,                                                                                        \
         "N",                                                                                                  \
         "so many hosts go ahead; the others begin only when all of them are well; 0: none",                   \
         .max = COUNT_MAX},                                                                                    \
        {"batch", 0, OPTION_NUMBER, "N", "work in stages of so many hosts; 0: all at once", .max = COUNT_MAX}, \
        {"pause", 0, OPTION_TIME, "T", "wait between stages", .min = 0, .max = 86400000},                      \
        {"max-failures",  0, OPTION_NUMBER, "N", "begin no more hosts after so many failures; 0: go on",       \
         .max = COUNT_MAX},                                                                                    \
    {                                                                                                          \
        "fold", 'b', OPTION_FLAG, NULL, "one line for hosts with equal results"                                \
    }
#define PROFILE                                                                                              \
    {                                                                                                        \
        "profile", 'p', OPTION_TEXT, "PROFILE", "log in with this profile alone"                             \
    }
#define DRY_RUN                                                                                              \
    {                                                                                                        \
        "dry-run", 'n', OPTION_FLAG, NULL, "show what would be done to whom; send nothing"                   \
    }

const struct option_row options_run[] = {
    PROFILE, {"timeout", 0, OPTION_TIME, "T", "time for one host", .min = 100, .max = 86400000},
    DRY_RUN, ROLLOUT,
    {NULL},
};
const struct option_row options_job[] = {PROFILE, DRY_RUN, ROLLOUT, {NULL}};
const struct option_row options_rollout[] = {ROLLOUT, {NULL}};
const struct option_row options_fold[] = {
    {"fold", 'b', OPTION_FLAG, NULL, "one line for hosts with equal results"}, {NULL}};

/* --- the run while it goes on --- */

struct run_view {
    struct context *ctx;
    const char *call;   /* "run.start" */
    const char *cancel; /* the call that stops it; NULL: nobody who only watches does that */
    const char *show;   /* the command that shows it */
    struct progress progress;
    struct result_rows rows;
    json_int_t run; /* 0: amtd has not said yet */
    bool left;
};

static size_t size_of(const json_t *event, const char *field)
{
    json_int_t n = json_integer_value(json_object_get(event, field));

    return n > 0 ? (size_t)n : 0;
}

/* What became of a host. */
static void on_row(void *arg, const char *json, size_t n)
{
    struct run_view *v = arg;

    result_rows_add_text(&v->rows, json, n);
    v->progress.ok = v->rows.ok;
    v->progress.failed = v->rows.failed;
    progress_draw(&v->progress);
}

static void on_tasks(struct run_view *v, const json_t *event)
{
    v->progress.steps = size_of(event, "tasks_done");
}

static void on_stage(struct run_view *v, const json_t *event)
{
    v->progress.stage = size_of(event, "stage");
    v->progress.stages = size_of(event, "stages");
    v->progress.pause_until =
        clock_mono(v->progress.clock) + json_integer_value(json_object_get(event, "wait_ms"));
}

/* What is done in stages says so before it begins. */
static void tell_stages(struct run_view *v, const json_t *event)
{
    size_t stages = size_of(event, "stages"), canary = size_of(event, "canary"),
           batch = size_of(event, "batch"), failures = size_of(event, "max_failures");

    if (stages < 2)
        return;
    progress_erase(&v->progress);
    fprintf(stderr, "%zu stages: ", stages);
    if (canary > 0)
        fprintf(stderr, "%zu %s ahead and must be well, then ", canary,
                text_plural(canary, "host goes", "hosts go"));
    if (batch > 0 && batch < v->progress.hosts)
        fprintf(stderr, "%zu at a time", batch);
    else
        fputs("the others", stderr);
    if (failures > 0)
        fprintf(stderr, "; nothing more begins after %zu failures", failures);
    fputc('\n', stderr);
}

static void on_run(struct run_view *v, const json_t *event)
{
    v->run = json_integer_value(json_object_get(event, "run"));
    v->progress.hosts = size_of(event, "hosts");
    v->progress.stages = size_of(event, "stages");
    v->progress.stage = 1;
    tell_stages(v, event);
}

/* The kinds of events, by the field that tells each. */
static void on_event(void *arg, const json_t *event)
{
    static const struct {
        const char *field;
        void (*take)(struct run_view *v, const json_t *event);
    } kinds[] = {{"tasks_done", on_tasks}, {"stage", on_stage}, {"run", on_run}};
    struct run_view *v = arg;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (json_object_get(event, kinds[i].field)) {
            kinds[i].take(v, event);
            break;
        }
    }
    progress_draw(&v->progress);
}

static void leave_run(struct run_view *v)
{
    progress_erase(&v->progress);
    if (v->run > 0)
        fprintf(stderr, "amtcli: left; the run goes on in amtd: amtcli %s show %lld\n", v->show,
                (long long)v->run);
    else
        fprintf(stderr, "amtcli: left; amtd has not said whether the run has begun: amtcli %s list\n",
                v->show);
    v->left = true;
    client_leave(v->ctx->client);
}

static void stop_run(struct run_view *v)
{
    progress_erase(&v->progress);
    v->progress.stopping = true;
    if (!v->cancel) {
        leave_run(v);
        return;
    }
    fputs("amtcli: stopping: what has begun is finished, nothing more begins (Ctrl-C again to leave)\n",
          stderr);
    client_post(v->ctx->client, v->cancel, json_pack("{s:I}", "run", v->run));
}

/* The first Ctrl-C stops what has not begun, as soon as the run has a number; the second leaves it to amtd.
 */
static void on_idle(void *arg)
{
    struct run_view *v = arg;

    if (interrupt_count() > 1 && !v->left) {
        leave_run(v);
        return;
    }
    if (interrupt_count() > 0 && v->run > 0 && !v->progress.stopping) {
        stop_run(v);
    }
    progress_draw(&v->progress);
}

static int call_run(struct run_view *v, json_t *params, struct err *err)
{
    const struct reply_rows rows = {v, on_row, on_event};
    struct interrupt interrupt;
    int status;

    progress_init(&v->progress, clock_system(), isatty(STDERR_FILENO) ? stderr : NULL);
    interrupt_begin(&interrupt);
    status = client_rows(v->ctx->client, v->call, json_incref(params), &rows, on_idle, v, NULL, err);
    interrupt_end(&interrupt);
    progress_erase(&v->progress);
    return status;
}

/* --- from the command line to the exit code --- */

void run_options(json_t *params, const struct args *args)
{
    static const struct param map[] = {{"profile", "profile"},
                                       {"parallel", "parallel"},
                                       {"per-subnet", "per_subnet"},
                                       {"batch", "batch"},
                                       {"canary", "canary"},
                                       {"pause", "pause_ms"},
                                       {"max-failures", "max_failures"},
                                       {"timeout", "timeout_ms"},
                                       {"dry-run", "dry_run"},
                                       {"yes", "confirmed"},
                                       {NULL}};

    params_take(params, args, map);
}

/* amtd refused because nobody has said yes: asks, and starts anew. */
static int confirm_and_run(struct run_view *v, json_t *params, struct err *err, int *code)
{
    const char *target = json_string_value(json_object_get(params, "target"));

    *code = confirm_hosts(v->ctx, target, v->ctx->command->name);
    if (*code != EXIT_ALL)
        return -1;
    json_object_set_new(params, "confirmed", json_true());
    return call_run(v, params, err);
}

/* The line to amtd broke in the middle. The next amtd takes up runs of jobs, and closes others. */
static void tell_where(const struct run_view *v)
{
    bool is_job = strcmp(v->show, "job") == 0;

    fprintf(stderr, "amtcli: run %lld %s: amtcli %s %s %lld\n", (long long)v->run,
            is_job ? "goes on where it was when amtd is back" : "is told of when amtd is back", v->show,
            is_job ? "watch" : "show", (long long)v->run);
}

static int end_of(struct run_view *v, int status, const struct err *err, enum result_shape shape)
{
    int code = EXIT_ALL;

    if (status == 0)
        return show_result_rows(&v->ctx->args, &v->rows, shape);
    if (v->rows.count > 0) /* the line broke or was left: what came is shown */
        show_result_rows(&v->ctx->args, &v->rows, shape);
    code = v->left ? EXIT_SOME_FAILED : context_failure(v->ctx, err);
    if (!v->left && err->cause == CAUSE_NO_DAEMON && v->run > 0)
        tell_where(v);
    context_drop(v->ctx, err);
    return code;
}

json_t *run_params(const char *task, json_t *args, const char *target)
{
    return json_pack("{s:s, s:o, s:s}", "task", task, "args", args, "target", target);
}

int call_and_show(struct context *ctx, const char *call, json_t *params, enum result_shape shape)
{
    bool is_job = strncmp(call, "job.", 4) == 0, watches = strcmp(call, "job.watch") == 0;
    struct run_view v = {.ctx = ctx,
                         .call = call,
                         .cancel = watches  ? NULL
                                   : is_job ? "job.cancel"
                                            : "run.cancel",
                         .show = is_job ? "job" : "run"};
    struct err err = ERR_INIT;
    int status, code = EXIT_ALL;

    result_rows_init(&v.rows, output_format(&ctx->args) == FORMAT_JSON);
    if (!watches)
        run_options(params, &ctx->args);
    if (is_job)
        json_object_set_new(params, "brief", json_true());
    if (!context_client(ctx)) {
        code = EXIT_NO_DAEMON;
    } else {
        status = call_run(&v, params, &err);
        if (status != 0 && err.cause == CAUSE_REFUSED_UNCONFIRMED && json_object_get(params, "target") &&
            can_ask())
            status = confirm_and_run(&v, params, &err, &code);
        if (watches && status != 0 && err.cause == CAUSE_NOT_FOUND)
            code = RUN_NOT_UNDER_WAY;
        else if (code == EXIT_ALL)
            code = end_of(&v, status, &err, shape);
    }
    result_rows_clear(&v.rows);
    json_decref(params);
    return code;
}

int run_and_show(struct context *ctx, json_t *params, enum result_shape shape)
{
    return call_and_show(ctx, "run.start", params, shape);
}
