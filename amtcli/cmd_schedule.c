/* Schedules: jobs that begin by themselves. */
#include "amtcli/cmd_schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/cmd_discover.h"
#include "amtcli/job_input.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "base/text.h"
#include "base/xalloc.h"

#define COUNT_MAX 1000000

static const struct option_row add_options[] = {
    {"cron", 0, OPTION_TEXT, "TIMES", "minute hour day month weekday, as crontab(5) has them, or @daily"},
    {"every", 0, OPTION_TIME, "T", "the same time apart, from now on", .min = 60000,
     .max = (int64_t)366 * 86400000},
    {"job", 'j', OPTION_FILE, "FILE", "the job file; kept as it is now"},
    {"target", 't', OPTION_TEXT, "TARGET", "with --job: which hosts, found out each time"},
    {"discover", 0, OPTION_TEXT, "ADDRESSES",
     "instead of a job: a sweep, as 'amtcli discover'; may be given several times"},
    {"add", 0, OPTION_FLAG, NULL, "with --discover: make hosts of the AMT devices that are found"},
    {"tag", 0, OPTION_TEXT, "NAME=VALUE", "with --add: a tag for new hosts; may be given several times"},
    {"rate", 0, OPTION_NUMBER, "N", "with --discover: packets a second", .min = 1, .max = 1000000},
    {"sockets", 0, OPTION_NUMBER, "N", "with --discover: connections at a time", .min = 2, .max = 8192},
    {"timeout", 0, OPTION_TIME, "T", "with --discover: for a connection, and for an answer", .min = 100,
     .max = 60000},
    {"port", 0, OPTION_NUMBER, "N", "with --discover: of management", .min = 1, .max = 65534},
    {"rmcp-port", 0, OPTION_NUMBER, "N", "with --discover: of presence pings", .min = 1, .max = 65535},
    {"zone", 0, OPTION_TEXT, "ZONE", "the time zone of these times, such as Europe/Berlin",
     .standard = "that of amtd's machine"},
    {"window", 0, OPTION_TEXT, "HH:MM-HH:MM", "times outside of it do not count"},
    {"catch-up", 0, OPTION_FLAG, NULL, "what amtd slept through is done once when it is back"},
    {"profile", 'p', OPTION_TEXT, "PROFILE", "log in with this profile alone"},
    {"parallel", 'P', OPTION_NUMBER, "N", "hosts worked on at a time", .min = 1, .max = 4096},
    {"per-subnet", 0, OPTION_NUMBER, "N", "of these, or of packets a second, at most so many in one subnet",
     .max = 1000000},
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

/* params: what there is to do; taken. */
static int add(struct context *ctx, json_t *params)
{
    static const struct param map[] = {{"cron", "cron"},     {"every", "every_ms"},    {"zone", "zone"},
                                       {"window", "window"}, {"catch-up", "catch_up"}, {NULL}};
    json_t *reply;
    int code;

    json_object_set_new(params, "name", json_string(ctx->args.operands[0]));
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

static int add_sweep(struct context *ctx)
{
    json_t *sweep = json_object(), *words = json_array();
    const char *word;
    int code = discover_take(&ctx->args, sweep);

    for (size_t i = 0; (word = args_value_at(&ctx->args, "discover", i)); i++)
        json_array_append_new(words, json_string(word));
    json_object_set_new(sweep, "addresses", words);
    if (code == 0)
        code = add(ctx, json_pack("{s:O}", "discover", sweep));
    json_decref(sweep);
    return code;
}

static int add_job(struct context *ctx, const struct job_input *input)
{
    static const struct param map[] = {{"target", "target"},
                                       {"profile", "profile"},
                                       {"parallel", "parallel"},
                                       {"per-subnet", "per_subnet"},
                                       {"canary", "canary"},
                                       {"batch", "batch"},
                                       {"pause", "pause_ms"},
                                       {"max-failures", "max_failures"},
                                       {NULL}};
    json_t *params = json_pack("{s:O}", "job", input->params);

    params_take(params, &ctx->args, map);
    return add(ctx, params);
}

/* What belongs to a sweep says nothing of a job, and the other way round. */
static bool goes_together(const struct args *args)
{
    static const char *const of_sweep[] = {"add", "tag", "rate", "sockets", "timeout", "port", "rmcp-port"},
                             *const of_job[] = {"target", "parallel", "canary",
                                                "batch",  "pause",    "max-failures"};
    bool sweep = args_has(args, "discover");

    for (size_t i = 0; !sweep && i < sizeof(of_sweep) / sizeof(of_sweep[0]); i++)
        if (args_has(args, of_sweep[i])) {
            fprintf(stderr, "amtcli schedule add: --%s goes with --discover\n", of_sweep[i]);
            return false;
        }
    for (size_t i = 0; sweep && i < sizeof(of_job) / sizeof(of_job[0]); i++)
        if (args_has(args, of_job[i])) {
            fprintf(stderr, "amtcli schedule add: --%s goes with --job\n", of_job[i]);
            return false;
        }
    return true;
}

/* A target may name what is not there yet; mostly it is mistyped. */
static void tell_target(struct context *ctx)
{
    const char *target = args_value(&ctx->args, "target");
    struct err err = ERR_INIT;
    json_t *reply = NULL;
    size_t count;

    if (!context_client(ctx) ||
        client_call(ctx->client, "target.resolve", json_pack("{s:s}", "target", target), NULL, NULL, NULL,
                    &reply, &err) != 0) {
        fprintf(stderr, "amtcli: warning: as it is now, the target fails: %s\n", err.text);
    } else {
        count = json_array_size(json_object_get(reply, "hosts"));
        fprintf(stderr, "now on %zu %s of %s\n", count, text_plural(count, "host", "hosts"), target);
    }
    json_decref(reply);
}

static int schedule_add(struct context *ctx)
{
    const char *path = args_value(&ctx->args, "job");
    struct job_input input = {0};
    int code = EXIT_USAGE;

    if (args_has(&ctx->args, "cron") == args_has(&ctx->args, "every"))
        fputs("amtcli schedule add: expected either --cron or --every\n", stderr);
    else if (args_has(&ctx->args, "job") == args_has(&ctx->args, "discover") ||
             (path && !args_has(&ctx->args, "target")))
        fputs("amtcli schedule add: expected either --job and --target, or --discover\n", stderr);
    else if (!goes_together(&ctx->args))
        return EXIT_USAGE;
    else if (!path)
        return add_sweep(ctx);
    else
        code = job_input_open(ctx, path, &input);
    if (code == 0 && job_input_tell(&input, path) > 0)
        code = EXIT_USAGE;
    if (code == 0)
        code = add_job(ctx, &input);
    if (code == 0 && output_format(&ctx->args) == FORMAT_TABLE)
        tell_target(ctx);
    job_input_clear(&input);
    return code;
}

static const struct option_row *const add_tables[] = {add_options, options_output, NULL};

const struct command command_schedule_add = {
    "schedule add",
    "NAME",
    1,
    1,
    "have a job, or a sweep, begin by itself",
    add_tables,
    "schedule add nightly --cron '0 2 * * *' --job nightly.yaml --target @lab\n"
    "schedule add look --every 6h --job look.yaml --target all --window 06:00-22:00 --catch-up\n"
    "schedule add sweep --cron '0 3 * * 0' --discover 10.0.0.0/16 --add --profile lab",
    schedule_add};

/* --- list, show, next --- */

static int schedule_list(struct context *ctx)
{
    static const struct column columns[] = {{"SCHEDULE", "name"},     {"WHEN", "when"},     {"ZONE", "zone"},
                                            {"JOB", "job"},           {"TARGET", "target"}, {"NEXT", "next"},
                                            {"LAST RUN", "last_run"}, {"", "last_note"},    {NULL, NULL}};
    json_t *reply, *row;
    size_t i;
    int code = context_call(ctx, "schedule.list", NULL, &reply);

    json_array_foreach(reply, i, row)
    {
        const char *cron = json_string_value(json_object_get(row, "cron"));
        struct buf when = buf_init(64);

        if (output_format(&ctx->args) == FORMAT_JSON)
            break;
        buf_puts(&when, cron ? cron : "every ");
        if (!cron)
            text_duration(&when, json_integer_value(json_object_get(row, "every_ms")));
        json_object_set_new(row, "when", json_string(buf_str(&when)));
        buf_free(&when);
        if (json_object_get(row, "discover"))
            json_object_set_new(row, "job", json_string("(a sweep)"));
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
    static const struct column fields[] = {{"name", "name"},
                                           {"cron", "cron"},
                                           {"every (ms)", "every_ms"},
                                           {"zone", "zone"},
                                           {"window", "window"},
                                           {"catch up", "catch_up"},
                                           {"enabled", "enabled"},
                                           {"job", "job"},
                                           {"target", "target"},
                                           {"discover", "discover"},
                                           {"last sweep", "last_sweep"},
                                           {"who", "who"},
                                           {"created", "created"},
                                           {"last run", "last_run"},
                                           {"last", "last_note"},
                                           {"next", "next"},
                                           {NULL, NULL}};
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
