/* Schedules: jobs that begin by themselves. */
#include "amtcli/cmd_schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/job_input.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "base/xalloc.h"

#define COUNT_MAX 1000000

static const struct option_row add_options[] = {
    {"cron", 0, OPTION_TEXT, "TIMES", "minute hour day month weekday, as crontab(5) has them, or @daily"},
    {"every", 0, OPTION_TIME, "T", "the same time apart, from now on", .min = 60000,
     .max = (int64_t)366 * 86400000},
    {"job", 'j', OPTION_FILE, "FILE", "the job file; kept as it is now", .required = true},
    {"target", 't', OPTION_TEXT, "TARGET", "which hosts, found out each time", .required = true},
    {"zone", 0, OPTION_TEXT, "ZONE", "the time zone of these times, such as Europe/Berlin",
     .standard = "that of amtd's machine"},
    {"window", 0, OPTION_TEXT, "HH:MM-HH:MM", "times outside of it do not count"},
    {"catch-up", 0, OPTION_FLAG, NULL, "what amtd slept through is done once when it is back"},
    {"profile", 'p', OPTION_TEXT, "PROFILE", "log in with this profile alone"},
    {"parallel", 'P', OPTION_NUMBER, "N", "hosts worked on at a time", .min = 1, .max = 4096},
    {"per-subnet", 0, OPTION_NUMBER, "N", "of these, at most so many in one subnet", .max = 4096},
    {"canary", 0, OPTION_NUMBER, "N", "so many hosts go ahead", .max = COUNT_MAX},
    {"batch", 0, OPTION_NUMBER, "N", "work in stages of so many hosts", .max = COUNT_MAX},
    {"pause", 0, OPTION_TIME, "T", "wait between stages", .min = 0, .max = 86400000},
    {"max-failures", 0, OPTION_NUMBER, "N", "begin no more hosts after so many failures", .max = COUNT_MAX},
    {NULL},
};

static void print_times(const json_t *times)
{
    json_t *one;
    size_t i;

    json_array_foreach(times, i, one) printf("%s\n", json_string_value(one));
}

static int add(struct context *ctx, const struct job_input *input)
{
    static const struct param map[] = {{"cron", "cron"},
                                       {"every", "every_ms"},
                                       {"target", "target"},
                                       {"zone", "zone"},
                                       {"window", "window"},
                                       {"catch-up", "catch_up"},
                                       {"profile", "profile"},
                                       {"parallel", "parallel"},
                                       {"per-subnet", "per_subnet"},
                                       {"canary", "canary"},
                                       {"batch", "batch"},
                                       {"pause", "pause_ms"},
                                       {"max-failures", "max_failures"},
                                       {NULL}};
    json_t *params = json_pack("{s:s, s:O}", "name", ctx->args.operands[0], "job", input->params), *reply;
    int code;

    params_take(params, &ctx->args, map);
    code = context_call(ctx, "schedule.add", params, &reply);
    if (code == 0 && output_format(&ctx->args) == FORMAT_JSON) {
        output_json(reply);
    } else if (code == 0) {
        fprintf(stderr, "%s begins at\n", ctx->args.operands[0]);
        print_times(json_object_get(reply, "times"));
    }
    json_decref(reply);
    return code;
}

static int schedule_add(struct context *ctx)
{
    const char *path = args_value(&ctx->args, "job");
    struct job_input input = {0};
    int code = EXIT_USAGE;

    if (args_has(&ctx->args, "cron") == args_has(&ctx->args, "every"))
        fputs("amtcli schedule add: one of --cron and --every\n", stderr);
    else
        code = job_input_open(ctx, path, &input);
    if (code == 0 && job_input_tell(&input, path) > 0)
        code = EXIT_USAGE;
    if (code == 0)
        code = add(ctx, &input);
    job_input_clear(&input);
    return code;
}

static const struct option_row *const add_tables[] = {add_options, options_output, NULL};

const struct command command_schedule_add = {
    "schedule add",
    "NAME",
    1,
    1,
    "have a job begin by itself",
    add_tables,
    "schedule add nightly --cron '0 2 * * *' --job nightly.yaml --target @lab\n"
    "schedule add look --every 6h --job look.yaml --target all --window 06:00-22:00 --catch-up",
    schedule_add};

/* --- list, show, next --- */

static int schedule_list(struct context *ctx)
{
    static const struct column columns[] = {{"NAME", "name"},         {"WHEN", "when"},     {"ZONE", "zone"},
                                            {"JOB", "job"},           {"TARGET", "target"}, {"NEXT", "next"},
                                            {"LAST RUN", "last_run"}, {"", "last_note"},    {NULL, NULL}};
    json_t *reply, *row;
    size_t i;
    int code = context_call(ctx, "schedule.list", NULL, &reply);

    json_array_foreach(reply, i, row)
    {
        const char *cron = json_string_value(json_object_get(row, "cron"));
        json_int_t every = json_integer_value(json_object_get(row, "every_ms")) / 60000;

        if (output_format(&ctx->args) == FORMAT_JSON)
            break;
        json_object_set_new(row, "when", cron ? json_string(cron) : json_sprintf("every %lld min", every));
        if (!json_is_true(json_object_get(row, "enabled")))
            json_object_set_new(row, "next", json_string("disabled"));
    }
    if (code == 0)
        output_rows(output_format(&ctx->args), reply, columns);
    json_decref(reply);
    return code;
}

static const struct option_row *const output_tables[] = {options_output, NULL};

const struct command command_schedule_list = {
    "schedule list", "",           0, 0, "jobs that begin by themselves, and when next", output_tables,
    "schedule list", schedule_list};

static int schedule_show(struct context *ctx)
{
    static const struct column fields[] = {
        {"name", "name"},       {"cron", "cron"},       {"every (ms)", "every_ms"},
        {"zone", "zone"},       {"window", "window"},   {"catch up", "catch_up"},
        {"enabled", "enabled"}, {"job", "job"},         {"target", "target"},
        {"who", "who"},         {"created", "created"}, {"last run", "last_run"},
        {"last", "last_note"},  {"next", "next"},       {NULL, NULL}};
    json_t *reply;
    int code = context_call(ctx, "schedule.show", json_pack("{s:s}", "name", ctx->args.operands[0]), &reply);

    if (code == 0)
        output_object(output_format(&ctx->args), reply, fields);
    json_decref(reply);
    return code;
}

const struct command command_schedule_show = {
    "schedule show", "NAME", 1, 1, "one of them", output_tables, "schedule show nightly -o json",
    schedule_show};

static const struct option_row next_options[] = {
    {"count", 'n', OPTION_NUMBER, "N", "so many", .min = 2, .max = 1000, .standard = "5"}, {NULL}};

static int schedule_next(struct context *ctx)
{
    static const struct param map[] = {{"count", "times"}, {NULL}};
    json_t *params = json_pack("{s:s}", "name", ctx->args.operands[0]), *reply;
    int code;

    params_take(params, &ctx->args, map);
    code = context_call(ctx, "schedule.show", params, &reply);
    if (code == 0 && output_format(&ctx->args) == FORMAT_JSON)
        output_json(json_object_get(reply, "times"));
    else if (code == 0)
        print_times(json_object_get(reply, "times"));
    json_decref(reply);
    return code;
}

static const struct option_row *const next_tables[] = {next_options, options_output, NULL};

const struct command command_schedule_next = {"schedule next",
                                              "NAME",
                                              1,
                                              1,
                                              "the next times at which it begins",
                                              next_tables,
                                              "schedule next nightly -n 20",
                                              schedule_next};

/* --- enable, disable, remove --- */

/* "schedule remove" -> "schedule.remove" */
static int order(struct context *ctx)
{
    char *call = xstrdup(ctx->command->name);
    int code;

    call[strlen("schedule")] = '.';
    code = context_call(ctx, call, json_pack("{s:s}", "name", ctx->args.operands[0]), NULL);
    free(call);
    return code;
}

#define ORDER(id, text)                                                                                      \
    const struct command command_schedule_##id = {                                                           \
        "schedule " #id, "NAME", 1, 1, text, NULL, "schedule " #id " nightly", order}

ORDER(enable, "go on with one that was disabled; what was due meanwhile does not count");
ORDER(disable, "begin it no more for now");
ORDER(remove, "forget it; what it began goes on");
