/* Schedules: jobs that begin by themselves. */
#include "amtcli/cmd_schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/cmd_discover.h"
#include "amtcli/job_input.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/run_view.h"
#include "base/text.h"
#include "base/xalloc.h"

#define COUNT_MAX 1000000

static const struct option_row time_options[] = {
    {"cron", 0, OPTION_TEXT, "TIMES", "minute hour day month weekday, as crontab(5) has them, or @daily"},
    {"every", 0, OPTION_TIME, "T", "the same time apart, from now on", .min = 60000,
     .max = (int64_t)366 * 86400000},
    {"zone", 0, OPTION_TEXT, "ZONE", "the time zone of these times, such as Europe/Berlin",
     .standard = "that of amtd's machine"},
    {"window", 0, OPTION_TEXT, "HH:MM-HH:MM", "times outside of it do not count"},
    {"catch-up", 0, OPTION_FLAG, NULL, "what amtd slept through is done once when it is back"},
    {NULL},
};
static const struct option_row work_options[] = {
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
    {NULL},
};
static const struct option_row turn_options[] = {
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

/* --- what is to be done, and when --- */

static void take_times(const struct args *args, json_t *params)
{
    static const struct param map[] = {{"cron", "cron"},     {"every", "every_ms"},    {"zone", "zone"},
                                       {"window", "window"}, {"catch-up", "catch_up"}, {NULL}};

    if (args_has(args, "cron"))
        json_object_del(params, "every_ms");
    if (args_has(args, "every"))
        json_object_del(params, "cron");
    if (args_has(args, "no-window"))
        json_object_del(params, "window");
    if (args_has(args, "no-catch-up"))
        json_object_del(params, "catch_up");
    params_take(params, args, map);
}

/* How the hosts of a job take their turns, and its target. */
static void take_turns(const struct args *args, json_t *params)
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

    params_take(params, args, map);
}

/* 0, or the exit code after a message. */
static int take_sweep(const struct args *args, json_t *params)
{
    json_t *sweep = json_object_get(params, "discover"), *words = json_array();
    const char *word;

    if (!sweep) {
        sweep = json_object();
        json_object_set_new(params, "discover", sweep);
    }
    for (size_t i = 0; (word = args_value_at(args, "discover", i)); i++)
        json_array_append_new(words, json_string(word));
    if (json_array_size(words) > 0)
        json_object_set(sweep, "addresses", words);
    json_decref(words);
    return discover_take(args, sweep);
}

/* The same. */
static int take_job(struct context *ctx, const char *path, json_t *params)
{
    struct job_input input = {0};
    int code = job_input_open(ctx, path, &input);

    if (code == 0 && job_input_tell(&input, path) > 0)
        code = EXIT_USAGE;
    if (code == 0)
        json_object_set(params, "job", input.params);
    job_input_clear(&input);
    return code;
}

/* What belongs to a sweep says nothing of a job, and the other way round. */
static bool goes_together(const struct context *ctx, bool sweep)
{
    static const char *const of_sweep[] = {"discover", "add",     "tag",  "rate",
                                           "sockets",  "timeout", "port", "rmcp-port"},
                             *const of_job[] = {"job",   "target", "parallel",     "canary",
                                                "batch", "pause",  "max-failures", "dry-run"};
    const char *const *names = sweep ? of_job : of_sweep;
    size_t count = sweep ? sizeof(of_job) / sizeof(of_job[0]) : sizeof(of_sweep) / sizeof(of_sweep[0]);

    for (size_t i = 0; i < count; i++)
        if (args_has(&ctx->args, names[i])) {
            fprintf(stderr, "amtcli %s: --%s goes with a %s\n", ctx->command->name, names[i],
                    sweep ? "job" : "sweep");
            return false;
        }
    return true;
}

/* A target may name what is not there yet; mostly it is mistyped. */
static void tell_target(struct context *ctx, const char *target)
{
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

/* Has amtd keep it, and says when it begins. params is taken. */
static int put(struct context *ctx, json_t *params)
{
    json_t *reply;
    int code = context_call(ctx, "schedule.add", params, &reply);

    if (code == 0 && output_format(&ctx->args) == FORMAT_JSON) {
        output_json(reply);
    } else if (code == 0) {
        const char *target = json_string_value(json_object_get(reply, "target"));
        const json_t *times = json_object_get(reply, "times");

        fprintf(stderr, "%s begins at%s\n", json_string_value(json_object_get(reply, "name")),
                json_array_size(times) > 0 ? "" : " no time: it is disabled");
        print_times(times);
        fflush(stdout);
        if (target)
            tell_target(ctx, target);
    }
    json_decref(reply);
    return code;
}

/* --- add --- */

static int schedule_add(struct context *ctx)
{
    const struct args *args = &ctx->args;
    const char *path = args_value(args, "job");
    json_t *params;
    int code = 0;

    if (args_has(args, "cron") == args_has(args, "every")) {
        fputs("amtcli schedule add: expected either --cron or --every\n", stderr);
        return EXIT_USAGE;
    }
    if (args_has(args, "job") == args_has(args, "discover") || (path && !args_has(args, "target"))) {
        fputs("amtcli schedule add: expected either --job and --target, or --discover\n", stderr);
        return EXIT_USAGE;
    }
    if (!goes_together(ctx, !path))
        return EXIT_USAGE;
    params = json_pack("{s:s}", "name", args->operands[0]);
    take_times(args, params);
    if (path)
        take_turns(args, params);
    code = path ? take_job(ctx, path, params) : take_sweep(args, params);
    if (code == 0)
        return put(ctx, params);
    json_decref(params);
    return code;
}

static const struct option_row *const add_tables[] = {work_options, time_options, turn_options,
                                                      options_output, NULL};

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

static const struct option_row name_options[] = {
    {"name", 'n', OPTION_TEXT, "NAME", "of the schedule", .standard = "that of the job"}, {NULL}};

static int job_schedule(struct context *ctx)
{
    const struct args *args = &ctx->args;
    const char *name = args_value(args, "name");
    json_t *params;
    int code;

    if (args_has(args, "cron") == args_has(args, "every")) {
        fputs("amtcli job schedule: expected either --cron or --every\n", stderr);
        return EXIT_USAGE;
    }
    params = json_pack("{s:s}", "target", args->operands[1]);
    take_times(args, params);
    take_turns(args, params);
    code = take_job(ctx, args->operands[0], params);
    if (code == 0) {
        json_t *named = json_object_get(json_object_get(params, "job"), "name");

        json_object_set_new(params, "name", name ? json_string(name) : json_incref(named));
        return put(ctx, params);
    }
    json_decref(params);
    return code;
}

static const struct option_row *const job_tables[] = {name_options, time_options, turn_options,
                                                      options_output, NULL};

const struct command command_job_schedule = {
    "job schedule",
    "FILE TARGET",
    2,
    2,
    "have a job begin by itself, as 'schedule add' does",
    job_tables,
    "job schedule nightly.yaml @lab --cron '0 2 * * *'\n"
    "job schedule look.yaml all --every 6h --window 06:00-22:00 --catch-up --name look",
    job_schedule};

/* --- set, run: from what is kept --- */

/* Parameters of schedule.add that make the schedule as it is. NULL: *code after a message. */
static json_t *kept(struct context *ctx, int *code)
{
    static const char *const fields[] = {"name",     "cron",       "every_ms", "zone",     "window",
                                         "catch_up", "target",     "discover", "profile",  "parallel",
                                         "canary",   "per_subnet", "batch",    "pause_ms", "max_failures"};
    json_t *reply, *params;

    *code = context_call(ctx, "schedule.show", json_pack("{s:s}", "name", ctx->args.operands[0]), &reply);
    if (*code != 0)
        return NULL;
    params = json_object();
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (json_object_get(reply, fields[i]))
            json_object_set(params, fields[i], json_object_get(reply, fields[i]));
    if (json_object_get(reply, "job"))
        json_object_set_new(params, "job",
                            json_pack("{s:O, s:O, s:O}", "name", json_object_get(reply, "job"), "text",
                                      json_object_get(reply, "text"), "files",
                                      json_object_get(reply, "files")));
    json_decref(reply);
    return params;
}

static int schedule_set(struct context *ctx)
{
    const struct args *args = &ctx->args;
    const char *path = args_value(args, "job");
    json_t *params;
    bool sweep;
    int code;

    if (args_has(args, "cron") && args_has(args, "every")) {
        fputs("amtcli schedule set: expected --cron or --every, not both\n", stderr);
        return EXIT_USAGE;
    }
    params = kept(ctx, &code);
    if (!params)
        return code;
    sweep = json_object_get(params, "discover") != NULL;
    take_times(args, params);
    json_object_set_new(params, "replace", json_true());
    if (!goes_together(ctx, sweep))
        code = EXIT_USAGE;
    else if (sweep)
        code = take_sweep(args, params);
    else
        take_turns(args, params);
    if (code == 0 && path)
        code = take_job(ctx, path, params);
    if (code == 0)
        return put(ctx, params);
    json_decref(params);
    return code;
}

static const struct option_row unset_options[] = {
    {"no-window", 0, OPTION_FLAG, NULL, "times count all day"},
    {"no-catch-up", 0, OPTION_FLAG, NULL, "what amtd slept through is left out"},
    {NULL},
};
static const struct option_row *const set_tables[] = {work_options, time_options,   unset_options,
                                                      turn_options, options_output, NULL};

const struct command command_schedule_set = {
    "schedule set",
    "NAME",
    1,
    1,
    "change a schedule: what is not given stays; it is yours then, and begins with your rights",
    set_tables,
    "schedule set nightly --cron '30 1 * * *'\n"
    "schedule set nightly --job nightly.yaml\n"
    "schedule set look --target '@lab,!pc7' --no-window",
    schedule_set};

/* By hand: the times and the window are those of the schedule alone. */
static int schedule_run(struct context *ctx)
{
    static const char *const left[] = {"name", "cron", "every_ms", "zone", "window", "catch_up", "job"};
    int code;
    json_t *params = kept(ctx, &code), *sweep = json_object_get(params, "discover"), *job;

    if (!params)
        return code;
    if (sweep) {
        code = goes_together(ctx, true) ? discover_and_show(ctx, json_incref(sweep)) : EXIT_USAGE;
        json_decref(params);
        return code;
    }
    job = json_incref(json_object_get(params, "job"));
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
        json_object_del(params, left[i]);
    json_object_update(params, job);
    json_decref(job);
    return call_and_show(ctx, "job.run", params, RESULT_JOB);
}

static const struct option_row *const run_tables[] = {options_output, options_yes, options_job, NULL};

const struct command command_schedule_run = {
    "schedule run",
    "NAME",
    1,
    1,
    "do now what a schedule does, with your rights; its own times stay as they are",
    run_tables,
    "schedule run nightly --dry-run\nschedule run nightly --yes",
    schedule_run};

/* --- list, show, next --- */

/* For people: "every 6h" or the cron expression as `when`, what it does, and that it never comes. */
static void tell_plainly(json_t *row)
{
    const char *cron = json_string_value(json_object_get(row, "cron"));
    struct buf when = buf_init(64);

    buf_puts(&when, cron ? cron : "every ");
    if (!cron)
        text_duration(&when, json_integer_value(json_object_get(row, "every_ms")));
    json_object_set_new(row, "when", json_string(buf_str(&when)));
    buf_free(&when);
    if (!json_is_true(json_object_get(row, "enabled")))
        json_object_set_new(row, "next", json_string("disabled"));
}

static int schedule_list(struct context *ctx)
{
    static const struct column columns[] = {{"SCHEDULE", "name"},     {"WHEN", "when"},     {"ZONE", "zone"},
                                            {"JOB", "job"},           {"TARGET", "target"}, {"NEXT", "next"},
                                            {"LAST RUN", "last_run"}, {"", "last_note"},    {NULL, NULL}};
    json_t *reply, *row;
    size_t i;
    int code = context_call(ctx, "schedule.list", NULL, &reply);

    if (output_format(&ctx->args) != FORMAT_JSON)
        json_array_foreach(reply, i, row)
        {
            tell_plainly(row);
            if (json_object_get(row, "discover"))
                json_object_set_new(row, "job", json_string("(a sweep)"));
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
                                           {"when", "when"},
                                           {"zone", "zone"},
                                           {"window", "window"},
                                           {"catch up", "catch_up"},
                                           {"enabled", "enabled"},
                                           {"job", "job"},
                                           {"target", "target"},
                                           {"canary", "canary"},
                                           {"batch", "batch"},
                                           {"max failures", "max_failures"},
                                           {"profile", "profile"},
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

    if (code == 0 && output_format(&ctx->args) == FORMAT_TABLE)
        tell_plainly(reply);
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
