/* activity, activity verify, activity export: who did what, and that nobody changed it since. */
#include "amtcli/cmd_activity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/deed.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "base/text.h"

/* For people: what was done as one asks for it. */
static void word_deeds(json_t *rows)
{
    size_t i;
    json_t *row;

    json_array_foreach(rows, i, row)
    {
        const char *what = json_string_value(json_object_get(row, "what"));
        char *text = what ? deed_text(what) : NULL;

        if (text)
            json_object_set_new(row, "what", json_string(text));
        free(text);
    }
}

static int activity(struct context *ctx)
{
    static const struct param map[] = {{"since", "since_ms"}, {"host", "host"}, {"limit", "limit"}, {NULL}};
    static const struct column columns[] = {
        {"AT", "at"},       {"WHO", "who"},       {"WHAT", "what"}, {"TARGET", "target"},
        {"HOSTS", "hosts"}, {"RESULT", "result"}, {"", "detail"},   {NULL}};
    json_t *params = json_object(), *reply;
    int code;

    params_take(params, &ctx->args, map);
    code = context_call(ctx, "activity.list", params, &reply);
    if (code != 0)
        return code;
    if (output_format(&ctx->args) == FORMAT_TABLE)
        word_deeds(reply);
    output_rows(output_format(&ctx->args), reply, columns);
    json_decref(reply);
    return EXIT_ALL;
}

/* --- verify --- */

static void print_verdict(const json_t *reply, bool intact)
{
    const json_t *cut = json_object_get(reply, "cut");
    json_int_t rows = json_integer_value(json_object_get(reply, "rows"));

    printf("%s: %lld %s, signed with the key %s", intact ? "intact" : "DAMAGED", (long long)rows,
           text_plural((uint64_t)rows, "entry", "entries"), json_string_value(json_object_get(reply, "key")));
    if (json_is_object(cut))
        printf(", behind %lld that were not to be kept any longer (%s to %s)",
               (long long)json_integer_value(json_object_get(cut, "rows")),
               json_string_value(json_object_get(cut, "from")),
               json_string_value(json_object_get(cut, "to")));
    if (!intact)
        printf("; wrong: %lld", (long long)json_integer_value(json_object_get(reply, "wrong")));
    putchar('\n');
}

static int activity_verify(struct context *ctx)
{
    static const struct column columns[] = {{"ENTRY", "id"},  {"AT", "at"}, {"WHO", "who"},
                                            {"WHAT", "what"}, {"", "text"}, {NULL}};
    enum format format = output_format(&ctx->args);
    json_t *reply;
    bool intact;
    int code = context_call(ctx, "activity.verify", NULL, &reply);

    if (code != 0)
        return code;
    intact = json_is_true(json_object_get(reply, "intact"));
    if (format == FORMAT_JSON)
        output_json(reply);
    else if (!intact)
        output_rows(format, json_object_get(reply, "findings"), columns);
    if (format == FORMAT_TABLE)
        print_verdict(reply, intact);
    json_decref(reply);
    return intact ? EXIT_ALL : EXIT_SOME_FAILED;
}

/* --- export --- */

static void print_line(void *arg, const json_t *event)
{
    FILE *out = arg;
    char *line = json_dumps(event, output_line_flags() | JSON_SORT_KEYS);

    if (line)
        fprintf(out, "%s\n", line);
    free(line);
}

static int export_to(struct context *ctx, FILE *out, json_t *params)
{
    struct client *client = context_client(ctx);
    struct err err = ERR_INIT;

    if (!client) {
        json_decref(params);
        return EXIT_NO_DAEMON;
    }
    if (client_call(client, "activity.export", params, print_line, NULL, out, NULL, &err) == 0)
        return EXIT_ALL;
    context_drop(ctx, &err);
    return print_failure(&err);
}

static int activity_export(struct context *ctx)
{
    static const struct param map[] = {{"since", "since_ms"}, {NULL}};
    const char *path = ctx->args.operand_count > 0 ? ctx->args.operands[0] : "-";
    bool to_stdout = strcmp(path, "-") == 0;
    FILE *out = to_stdout ? stdout : fopen(path, "wxe");
    json_t *params = json_object();
    int code;

    if (!out) {
        fprintf(stderr, "amtcli activity export: %s: %m\n", path);
        json_decref(params);
        return EXIT_USAGE;
    }
    params_take(params, &ctx->args, map);
    code = export_to(ctx, out, params);
    if ((to_stdout ? fflush(out) : fclose(out)) != 0) {
        fprintf(stderr, "amtcli activity export: %s: %m\n", path);
        code = EXIT_SOME_FAILED;
    }
    return code;
}

/* --- the commands --- */

#define SINCE                                                                                                \
    {                                                                                                        \
        "since", 's', OPTION_TIME, "T", "only the last T, such as 2h or 7d",                                 \
            .min = 1000, .max = (int64_t)36500 * 86400000                                                    \
    }

static const struct option_row activity_options[] = {
    SINCE,
    {"host", 0, OPTION_TEXT, "HOST", "only what touched this host"},
    {NULL},
};
static const struct option_row export_options[] = {SINCE, {NULL}};
static const struct option_row *const activity_tables[] = {activity_options, options_limit, options_output,
                                                           NULL};
static const struct option_row *const output_tables[] = {options_output, NULL};
static const struct option_row *const export_tables[] = {export_options, NULL};

const struct command command_activity = {"activity",
                                         "",
                                         0,
                                         0,
                                         "who did what, when, to which hosts, with which result",
                                         activity_tables,
                                         "activity --since 2h\nactivity --host pc7 -o csv",
                                         activity};
const struct command command_activity_verify = {
    "activity verify",
    "",
    0,
    0,
    "prove that nobody changed the activity log: 0 intact, 1 damaged, with the place",
    output_tables,
    "activity verify",
    activity_verify};
const struct command command_activity_export = {
    "activity export",
    "[FILE]",
    0,
    1,
    "write the activity log, oldest first, one JSON object a line, with its hashes and signatures",
    export_tables,
    "activity export activity.jsonl\nactivity export --since 1d | jq -r .what",
    activity_export};
