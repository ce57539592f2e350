/* Jobs: sequences of tasks on many hosts, out of a file. */
#include "amtcli/cmd_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/forms.h"
#include "amtcli/job_input.h"
#include "amtcli/list_view.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/reply.h"
#include "amtcli/result_view.h"
#include "amtcli/run_view.h"
#include "base/text.h"
#include "base/xalloc.h"

/* --- check --- */

static void print_checked(struct context *ctx, const struct job_input *input, const char *path)
{
    static const struct column columns[] = {{"TASK", "name"},
                                            {"KIND", "kind"},
                                            {"WHEN", "when"},
                                            {"RETRIES", "retries"},
                                            {"IF IT FAILS", "on_failure"},
                                            {NULL, NULL}};
    const json_t *mistakes = json_object_get(input->checked, "mistakes");
    json_t *job = json_object_get(input->checked, "job"), *out;

    if (output_format(&ctx->args) == FORMAT_JSON) {
        out = json_pack("{s:s, s:s, s:O, s:O}", "file", path, "result",
                        json_array_size(mistakes) > 0 ? "invalid" : "good", "mistakes", mistakes, "job", job);
        output_json(out);
        json_decref(out);
    } else if (json_array_size(mistakes) == 0) {
        output_rows(output_format(&ctx->args), json_object_get(job, "tasks"), columns);
    }
}

static int job_check(struct context *ctx)
{
    const char *path = ctx->args.operands[0];
    struct job_input input = {0};
    int code = job_input_open(ctx, path, &input);

    if (code == 0 && ctx->args.operand_count > 1 &&
        json_array_size(json_object_get(input.checked, "mistakes")) == 0) {
        json_object_set_new(input.params, "target", json_string(ctx->args.operands[1]));
        code = job_input_check(ctx, &input);
    }
    if (code == 0) {
        print_checked(ctx, &input, path);
        fflush(stdout);
        if (job_input_tell(&input, path) > 0)
            code = EXIT_USAGE;
    }
    job_input_clear(&input);
    return code;
}

static const struct option_row *const check_tables[] = {options_output, NULL};

const struct command command_job_check = {
    "job check",
    "FILE [TARGET]",
    1,
    2,
    "read a job file and tell every mistake in it, and whether you may do it there",
    check_tables,
    "job check nightly.yaml\njob check nightly.yaml @lab -o json",
    job_check};

/* --- run, watch, retry --- */

static int job_run(struct context *ctx)
{
    const char *path = ctx->args.operands[0];
    struct job_input input = {0};
    json_t *params;
    int code = job_input_open(ctx, path, &input);

    if (code == 0 && job_input_tell(&input, path) > 0)
        code = EXIT_USAGE;
    if (code == 0) {
        params = json_incref(input.params);
        json_object_set_new(params, "target", json_string(ctx->args.operands[1]));
        code = call_and_show(ctx, "job.run", params, RESULT_JOB);
    }
    job_input_clear(&input);
    return code;
}

static const struct option_row *const run_tables[] = {options_output, options_yes, options_job, NULL};

const struct command command_job_run = {
    "job run",
    "FILE TARGET",
    2,
    2,
    "do the tasks of a job file to each host",
    run_tables,
    "job run nightly.yaml @lab --dry-run\njob run nightly.yaml @lab --yes --canary 2 --batch 50 -o json",
    job_run};

/* The number of a run, or 0 after a message. */
static json_int_t run_number(const struct context *ctx)
{
    uint64_t number;

    if (text_u64(ctx->args.operands[0], 1, INT64_MAX, &number))
        return (json_int_t)number;
    fprintf(stderr, "amtcli: expected the number of a run, not '%s': see amtcli job list\n",
            ctx->args.operands[0]);
    return 0;
}

/* What began it, where that was nobody. */
static char *beginner(const json_t *run)
{
    const char *schedule = json_string_value(json_object_get(run, "schedule")),
               *reaction = json_string_value(json_object_get(run, "reaction"));
    const json_t *event = json_object_get(run, "event");

    if (reaction && json_is_integer(json_object_get(event, "id")))
        return xasprintf("reaction %s, event %lld", reaction,
                         (long long)json_integer_value(json_object_get(event, "id")));
    if (reaction)
        return xasprintf("reaction %s", reaction);
    return schedule ? xasprintf("schedule %s", schedule) : NULL;
}

static void tell_beginner(const json_t *run)
{
    const char *text = json_string_value(json_object_get(json_object_get(run, "event"), "text"));
    char *by = beginner(run);

    if (by)
        fprintf(stderr, "begun by %s%s%s\n", by, text ? ": " : "", text ? text : "");
    free(by);
}

/* A row for each task of the host. */
static bool give_tasks(json_t *row, struct output *output)
{
    json_t *task;
    size_t i;

    json_array_foreach(json_object_get(row, "tasks"), i, task)
    {
        json_object_set(task, "host", json_object_get(row, "host"));
        output_row(output, task);
    }
    return false;
}

/* For programs, as it comes. */
static int stream_run(struct context *ctx, json_t *params)
{
    static const char *const of_tasks[] = {
        "host",        "tasks.task", "tasks.result",  "tasks.from",    "tasks.to", "tasks.tries",
        "tasks.cause", "tasks.code", "tasks.message", "tasks.seconds", NULL};
    static const struct list_view view = {
        .call = "job.show", .columns = result_task_columns, .prepare = give_tasks, .fields = of_tasks};
    json_t *run;
    int code = list_show(ctx, &view, params, output_format(&ctx->args), &run);

    if (code == EXIT_ALL && json_integer_value(json_object_get(run, "failed")) > 0)
        code = EXIT_SOME_FAILED;
    json_decref(run);
    return code;
}

/* Of the tasks there is a row each, or how many of them there are. */
static json_t *shown_fields(bool tasks)
{
    static const char *const fields[] = {"host", "result",  "state", "from",   "to",     "seconds",   "cause",
                                         "code", "message", "hint",  "remark", "policy", "difference"};
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        json_array_append_new(list, json_string(fields[i]));
        if (tasks)
            json_array_append_new(list, json_sprintf("tasks.%s", fields[i]));
    }
    json_array_append_new(list, json_string(tasks ? "tasks.task" : "tasks.result"));
    return list;
}

struct gathered {
    struct result_rows rows;
    bool tasks;
};

static void gather(void *arg, const char *json, size_t n)
{
    struct gathered *g = arg;
    json_t *row = json_loadb(json, n, 0, NULL);

    if (!g->tasks)
        result_count_tasks(row);
    result_rows_add(&g->rows, row);
    json_decref(row);
}

static int show_run(struct context *ctx, json_int_t run)
{
    bool tasks = args_has(&ctx->args, "tasks");
    json_t *params = json_pack("{s:I}", "run", run), *reply = NULL;
    struct gathered g = {.tasks = tasks};
    const struct reply_rows rows = {&g, gather};
    int code;

    if (output_format(&ctx->args) != FORMAT_TABLE)
        return stream_run(ctx, params);
    json_object_set_new(params, "fields", shown_fields(tasks));
    result_rows_init(&g.rows, false);
    code = context_rows(ctx, "job.show", params, &rows, &reply);
    if (code == EXIT_ALL) {
        tell_beginner(reply);
        code = tasks ? show_tasks(&ctx->args, &g.rows) : show_result_rows(&ctx->args, &g.rows, RESULT_JOB);
    }
    result_rows_clear(&g.rows);
    json_decref(reply);
    return code;
}

/* One that is over is shown as it was. */
static int job_watch(struct context *ctx)
{
    json_int_t run = run_number(ctx);
    int code;

    if (run == 0)
        return EXIT_USAGE;
    code = call_and_show(ctx, "job.watch", json_pack("{s:I}", "run", run), RESULT_JOB);
    return code == RUN_NOT_UNDER_WAY ? show_run(ctx, run) : code;
}

static const struct option_row *const watch_tables[] = {options_output, options_fold, NULL};

const struct command command_job_watch = {
    "job watch",  "RUN",         1,        1, "see a run of a job to its end; Ctrl-C leaves it alone",
    watch_tables, "job watch 7", job_watch};

static int job_retry(struct context *ctx)
{
    json_int_t run = run_number(ctx);

    if (run == 0)
        return EXIT_USAGE;
    return call_and_show(ctx, "job.retry", json_pack("{s:I}", "run", run), RESULT_JOB);
}

static const struct option_row *const retry_tables[] = {options_output, options_yes, options_rollout, NULL};

const struct command command_job_retry = {
    "job retry",  "RUN",         1,        1, "run a job anew, as it was, on the hosts that failed",
    retry_tables, "job retry 7", job_retry};

/* --- list, show --- */

static const struct option_row list_options[] = {
    {"job", 0, OPTION_TEXT, "NAME", "only runs of this job"},
    {NULL},
};

static int job_list(struct context *ctx)
{
    static const struct column columns[] = {
        {"RUN", "run"}, {"JOB", "job"},       {"STATE", "state"},       {"TARGET", "target"},
        {"WHO", "who"}, {"BEGAN", "began"},   {"TOOK", "took"},         {"HOSTS", "hosts"},
        {"OK", "ok"},   {"FAILED", "failed"}, {"BEGUN BY", "begun_by"}, {NULL, NULL}};
    static const struct column csv[] = {{"RUN", "run"},       {"JOB", "job"},           {"STATE", "state"},
                                        {"TARGET", "target"}, {"WHO", "who"},           {"BEGAN", "began"},
                                        {"ENDED", "ended"},   {"HOSTS", "hosts"},       {"OK", "ok"},
                                        {"FAILED", "failed"}, {"BEGUN BY", "begun_by"}, {NULL, NULL}};
    enum format format = output_format(&ctx->args);
    static const struct param map[] = {{"job", "name"}, {"limit", "limit"}, {NULL}};
    json_t *params = json_object(), *reply, *row;
    size_t i;
    int code;

    params_take(params, &ctx->args, map);
    code = context_call(ctx, "job.list", params, &reply);
    json_array_foreach(reply, i, row)
    {
        char *by = format == FORMAT_JSON ? NULL : beginner(row);

        if (by)
            json_object_set_new(row, "begun_by", json_string(by));
        free(by);
    }
    if (code == 0 && format == FORMAT_TABLE)
        form_took(reply);
    if (code == 0)
        output_rows(format, reply, format == FORMAT_CSV ? csv : columns);
    json_decref(reply);
    return code;
}

static const struct option_row *const list_tables[] = {list_options, options_limit, options_output, NULL};

const struct command command_job_list = {"job list",
                                         "",
                                         0,
                                         0,
                                         "runs of jobs, newest first",
                                         list_tables,
                                         "job list\njob list --job nightly -o json",
                                         job_list};

static const struct option_row show_options[] = {
    {"tasks", 't', OPTION_FLAG, NULL, "a row for each task of each host, as -o csv and json have it"},
    {"text", 0, OPTION_FLAG, NULL, "print the job file that it was made from"},
    {NULL},
};

static int job_show(struct context *ctx)
{
    json_int_t run = run_number(ctx);
    json_t *reply;
    int code;

    if (run == 0)
        return EXIT_USAGE;
    if (!args_has(&ctx->args, "text"))
        return show_run(ctx, run);
    code = context_call(ctx, "job.show", json_pack("{s:I, s:[s]}", "run", run, "fields", "host"), &reply);
    if (code == 0)
        fputs(json_string_value(json_object_get(reply, "text")), stdout);
    json_decref(reply);
    return code;
}

static const struct option_row *const show_tables[] = {show_options, options_output, options_fold, NULL};

const struct command command_job_show = {"job show",
                                         "RUN",
                                         1,
                                         1,
                                         "what a run of a job did to each host; exit status as of the run",
                                         show_tables,
                                         "job show 7\njob show 7 --tasks\njob show 7 -o json",
                                         job_show};

/* --- pause, resume, cancel --- */

/* "job pause" -> "job.pause" */
static int job_order(struct context *ctx)
{
    json_int_t run = run_number(ctx);
    char *call = xstrdup(ctx->command->name);
    int code = EXIT_USAGE;

    call[strlen("job")] = '.';
    if (run > 0)
        code = context_call(ctx, call, json_pack("{s:I}", "run", run), NULL);
    free(call);
    return code;
}

#define JOB_ORDER(id, text)                                                                                  \
    const struct command command_job_##id = {"job " #id, "RUN", 1, 1, text, NULL, "job " #id " 7", job_order}

JOB_ORDER(pause, "begin nothing more for now: hosts under way stay before their next task");
JOB_ORDER(resume, "go on with a run that was paused");
JOB_ORDER(cancel, "end a run: hosts under way end before their next task, the others do not begin");

/* --- schema --- */

static int job_schema(struct context *ctx)
{
    json_t *reply;
    int code = context_call(ctx, "job.schema", NULL, &reply);

    if (code == 0)
        output_json(reply);
    json_decref(reply);
    return code;
}

const struct command command_job_schema = {
    "job schema", "", 0, 0, "print what a job file may hold, as JSON Schema", NULL, "job schema", job_schema};
