/* status, stop, calendar. */
#include <stdio.h>
#include <string.h>

#include "amtcli/cmd_daemon.h"
#include "amtcli/fold.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "base/text.h"

static int status(struct context *ctx)
{
    static const struct column fields[] = {{"version", "version"},
                                           {"pid", "pid"},
                                           {"state", "state_dir"},
                                           {"socket", "socket"},
                                           {"hosts", "hosts"},
                                           {"consoles", "consoles"},
                                           {"console bytes/s", "console_rate"},
                                           {"active runs", "runs_active"},
                                           {"started", "started"},
                                           {NULL}};
    json_t *reply;
    int code = context_call(ctx, "daemon.status", NULL, &reply);

    if (code != 0)
        return code;
    output_object(output_format(&ctx->args), reply, fields);
    json_decref(reply);
    return EXIT_ALL;
}

static int stop(struct context *ctx)
{
    struct err err = ERR_INIT;

    if (!ctx->client)
        ctx->client = client_open(ctx->server, false, &err); /* not started only to be stopped */
    if (!ctx->client)
        return print_failure(&err);
    if (client_stop_daemon(ctx->client, &err) != 0)
        return print_failure(&err);
    client_close(ctx->client);
    ctx->client = NULL;
    return EXIT_ALL;
}

static int config_reload(struct context *ctx)
{
    json_t *reply;
    int code = context_call(ctx, "daemon.reload", NULL, &reply);
    json_int_t consoles;
    const char *later;

    if (code != 0)
        return code;
    later = json_string_value(json_object_get(reply, "later"));
    consoles = json_integer_value(json_object_get(reply, "consoles"));
    fprintf(stderr, "%lld %s\n", (long long)consoles, text_plural((uint64_t)consoles, "console", "consoles"));
    if (later && later[0])
        fprintf(stderr, "changed, but only read when amtd starts: %s\n", later);
    json_decref(reply);
    return EXIT_ALL;
}

static const struct option_row calendar_options[] = {
    {"within", 0, OPTION_TIME, "T", "what is due within T, such as 30d", .min = 3600000,
     .max = (int64_t)36500 * 86400000, .standard = "90d"},
    {"password-age", 0, OPTION_TIME, "T", "when a machine's own password is to be changed", .min = 3600000,
     .max = (int64_t)36500 * 86400000, .standard = "90d"},
    {"fold", 'b', OPTION_FLAG, NULL, "one line for hosts with the same thing to do on the same day"},
    {NULL},
};

/* Its last mention, which is in the command to give, becomes "HOST". */
static json_t *text_without(const char *text, const char *host)
{
    size_t n = strlen(host);
    const char *found = NULL;

    for (const char *p = text; n > 0 && (p = strstr(p, host)); p++)
        if (p > text && p[-1] == ' ' && (p[n] == ' ' || p[n] == '\0'))
            found = p;
    return found ? json_sprintf("%.*sHOST%s", (int)(found - text), text, found + n) : json_string(text);
}

/* What is the same for many hosts, but for the time of the day. Takes rows over. */
static json_t *fold_dues(json_t *rows)
{
    static const struct column same[] = {{"", "at"}, {"", "days"}, {"", "what"}, {"", "text"}, {NULL}};
    json_t *row, *folded;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        const char *at = json_string_value(json_object_get(row, "at"));
        const char *host = json_string_value(json_object_get(row, "host"));
        const char *text = json_string_value(json_object_get(row, "text"));

        if (host && text)
            json_object_set_new(row, "text", text_without(text, host));
        if (at)
            json_object_set_new(row, "at", json_stringn(at, strcspn(at, "T")));
    }
    folded = fold_results(rows, same);
    json_decref(rows);
    return folded;
}

static int calendar(struct context *ctx)
{
    static const struct param map[] = {{"within", "within_ms"}, {"password-age", "password_age_ms"}, {NULL}};
    static const struct column columns[] = {{"DUE", "at"},    {"DAYS", "days"}, {"WHAT", "what"},
                                            {"HOST", "host"}, {"", "text"},     {NULL}};
    static const struct column folded[] = {
        {"COUNT", "count"}, {"DUE", "at"}, {"DAYS", "days"}, {"WHAT", "what"}, {"HOSTS", "host"},
        {"", "text"},       {NULL}};
    bool fold = args_has(&ctx->args, "fold");
    json_t *params = json_object(), *reply;
    int code;

    if (ctx->args.operand_count > 0)
        json_object_set_new(params, "target", json_string(ctx->args.operands[0]));
    params_take(params, &ctx->args, map);
    code = context_call(ctx, "calendar.list", params, &reply);
    if (code != EXIT_ALL)
        return code;
    if (fold)
        reply = fold_dues(reply);
    output_rows(output_format(&ctx->args), reply, fold ? folded : columns);
    json_decref(reply);
    return EXIT_ALL;
}

static const struct option_row *const output_tables[] = {options_output, NULL};
static const struct option_row *const calendar_tables[] = {calendar_options, options_output, NULL};

const struct command command_status = {
    "status", "", 0, 0, "show how amtd is", output_tables, "status\nstatus -o json", status};
const struct command command_config_reload = {
    "config reload",
    "",
    0,
    0,
    "let amtd read its configuration again; what stays the same is not touched",
    NULL,
    "config reload",
    config_reload};
const struct command command_stop = {"stop", "", 0, 0, "end amtd", NULL, "stop", stop};
const struct command command_calendar = {
    "calendar",
    "[TARGET]",
    0,
    1,
    "what expires or ages next: certificates, passwords, clocks, exceptions for old TLS",
    calendar_tables,
    "calendar -b\ncalendar @lab --within 30d -o csv",
    calendar};
