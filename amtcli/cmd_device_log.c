#include "amtcli/cmd_device_log.h"

#include <stdio.h>
#include <string.h>

#include "amtcli/list_view.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/run_view.h"

#define EXPORT_MOST 10000000

static const struct column event_columns[] = {{"AT", "at"},        {"HOST", "host"}, {"SEVERITY", "severity"},
                                              {"ABOUT", "source"}, {"TEXT", "text"}, {NULL}};
static const struct column audit_columns[] = {
    {"AT", "at"},        {"HOST", "host"}, {"WHO", "who"}, {"FROM", "address"},
    {"ABOUT", "source"}, {"TEXT", "text"}, {NULL}};

static bool is_event(const struct context *ctx)
{
    return strncmp(ctx->command->name, "event", 5) == 0;
}

static int read_logs(struct context *ctx)
{
    return run_and_show(
        ctx, run_params(is_event(ctx) ? "eventlog" : "auditlog", json_object(), ctx->args.operands[0]),
        RESULT_DEVICE_LOG);
}

/* Quietly, for a look at what was never read. */
static int read_quietly(struct context *ctx, const char *target)
{
    json_t *params = run_params(is_event(ctx) ? "eventlog" : "auditlog", json_object(), target),
           *reply = NULL;
    struct err err = ERR_INIT;
    int code = EXIT_ALL;

    if (client_call(ctx->client, "run.start", params, NULL, NULL, NULL, &reply, &err) != 0)
        code = print_failure(&err);
    else if (json_integer_value(json_object_get(reply, "failed")) > 0)
        fprintf(stderr, "some could not be read: amtcli run show %lld\n",
                (long long)json_integer_value(json_object_get(reply, "run")));
    json_decref(reply);
    return code;
}

/* What a search, a look and an export have in common. target NULL: all hosts. */
static json_t *query(struct context *ctx, const char *target)
{
    static const struct param map[] = {
        {"since", "since_ms"}, {"limit", "limit"}, {"severity", "severity"}, {NULL}};
    json_t *params = json_pack("{s:s}", "log", is_event(ctx) ? "event" : "audit");

    params_take(params, &ctx->args, map);
    if (target)
        json_object_set_new(params, "target", json_string(target));
    return params;
}

static int show(struct context *ctx, json_t *params, enum format format)
{
    const struct list_view view = {.call = "devicelog.show",
                                   .columns = is_event(ctx) ? event_columns : audit_columns};

    return list_show(ctx, &view, params, format, NULL);
}

/* A host that was never read is read first, so that the first look shows something. */
static int show_log(struct context *ctx)
{
    const char *target = ctx->args.operand_count > 0 ? ctx->args.operands[0] : NULL;
    json_t *any;
    int code = EXIT_ALL;

    if (target) {
        code = context_call(ctx, "devicelog.show",
                            json_pack("{s:s, s:s, s:i}", "log", is_event(ctx) ? "event" : "audit", "target",
                                      target, "limit", 1),
                            &any);
        if (code == EXIT_ALL && json_array_size(any) == 0) {
            fputs("nothing is known of it yet: reading\n", stderr);
            code = read_quietly(ctx, target);
        }
        if (code == EXIT_ALL)
            json_decref(any);
    }
    return code == EXIT_ALL ? show(ctx, query(ctx, target), output_format(&ctx->args)) : code;
}

static int search_log(struct context *ctx)
{
    json_t *params = query(ctx, ctx->args.operand_count > 1 ? ctx->args.operands[1] : NULL);

    json_object_set_new(params, "words", json_string(ctx->args.operands[0]));
    return show(ctx, params, output_format(&ctx->args));
}

static int export_log(struct context *ctx)
{
    json_t *params = query(ctx, ctx->args.operand_count > 0 ? ctx->args.operands[0] : NULL);

    if (!args_has(&ctx->args, "limit"))
        json_object_set_new(params, "limit", json_integer(EXPORT_MOST));
    return show(ctx, params, args_has(&ctx->args, "output") ? output_format(&ctx->args) : FORMAT_JSON);
}

static const struct option_row range_options[] = {
    {"since", 's', OPTION_TIME, "T", "of the last T, by the devices' clocks", .min = 1000,
     .max = INT64_C(31536000000) * 100},
    {"limit", 'n', OPTION_NUMBER, "N", "the newest N", .min = 1, .max = EXPORT_MOST, .standard = "1000"},
    {NULL},
};
static const struct option_row severity_options[] = {
    {"severity", 0, OPTION_CHOICE, "SEVERITY", "only these",
     .choices = "unspecified monitor information ok non-critical critical non-recoverable"},
    {NULL},
};
static const struct option_row *const read_tables[] = {options_output, options_run, NULL};
static const struct option_row *const event_tables[] = {range_options, severity_options, options_output,
                                                        NULL};
static const struct option_row *const audit_tables[] = {range_options, options_output, NULL};

const struct command command_eventlog_read = {"eventlog read",
                                              "TARGET",
                                              1,
                                              1,
                                              "read what is new in the event logs of devices",
                                              read_tables,
                                              "eventlog read @lab\neventlog read all -b",
                                              read_logs};
const struct command command_eventlog_show = {
    "eventlog show",
    "[TARGET]",
    0,
    1,
    "what was read of the event logs of devices, oldest first",
    event_tables,
    "eventlog show pc7\neventlog show @lab --since 7d --severity critical",
    show_log};
const struct command command_eventlog_search = {
    "eventlog search",
    "TEXT [TARGET]",
    1,
    2,
    "records of event logs that contain a text",
    event_tables,
    "eventlog search 'authentication failed'\neventlog search 'disk failure' @lab -o json",
    search_log};
const struct command command_eventlog_export = {"eventlog export",
                                                "[TARGET]",
                                                0,
                                                1,
                                                "all that was read of event logs, as JSON or CSV",
                                                event_tables,
                                                "eventlog export > events.json\neventlog export @lab -o csv",
                                                export_log};
const struct command command_auditlog_read = {"auditlog read",
                                              "TARGET",
                                              1,
                                              1,
                                              "read what is new in the audit logs of devices",
                                              read_tables,
                                              "auditlog read @lab --profile auditor",
                                              read_logs};
const struct command command_auditlog_show = {
    "auditlog show",
    "[TARGET]",
    0,
    1,
    "what was read of the audit logs of devices: who did what, oldest first",
    audit_tables,
    "auditlog show pc7\nauditlog show @lab --since 7d",
    show_log};
const struct command command_auditlog_search = {"auditlog search",
                                                "TEXT [TARGET]",
                                                1,
                                                2,
                                                "records of audit logs that contain a text",
                                                audit_tables,
                                                "auditlog search 'power down'\nauditlog search anna @lab",
                                                search_log};
const struct command command_auditlog_export = {"auditlog export",
                                                "[TARGET]",
                                                0,
                                                1,
                                                "all that was read of audit logs, as JSON or CSV",
                                                audit_tables,
                                                "auditlog export -o csv > audit.csv",
                                                export_log};
