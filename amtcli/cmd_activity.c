/* activity, activity verify, activity export: who did what, and that nobody changed it since. */
#include "amtcli/cmd_activity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/deed.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "base/text.h"
#include "base/xalloc.h"

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
    static const struct param map[] = {
        {"since", "since_ms"}, {"host", "host"},   {"who", "who"}, {"what", "what"},
        {"result", "result"},  {"limit", "limit"}, {NULL}};
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

/* --- against a copy: whoever has the key, or puts an older state in the place of all, is found by it --- */

struct against {
    const char *path;
    json_t *copy; /* rows that are not found yet, by id */
    json_t *findings;
};

static void find(struct against *a, json_t *row, const char *text)
{
    char *whole = xasprintf("%s %s", text, a->path);

    json_object_set_new(row, "text", json_string(whole));
    json_array_append(a->findings, row);
    free(whole);
}

/* NULL: it cannot be read, which was said. */
static json_t *read_copy(const char *path)
{
    FILE *file = fopen(path, "re");
    json_t *copy = json_object(), *row;
    char *line = NULL, id[24];
    size_t size = 0, number = 0;

    while (file && copy && getline(&line, &size, file) > 0) {
        number++;
        row = json_loads(line, 0, NULL);
        if (json_is_integer(json_object_get(row, "id")) && json_is_string(json_object_get(row, "hash"))) {
            snprintf(id, sizeof(id), "%lld", (long long)json_integer_value(json_object_get(row, "id")));
            json_object_set(copy, id, row);
        } else {
            fprintf(stderr, "amtcli activity verify: %s: line %zu is no row of 'amtcli activity export'\n",
                    path, number);
            json_decref(copy);
            copy = NULL;
        }
        json_decref(row);
    }
    if (!file || ferror(file)) {
        fprintf(stderr, "amtcli activity verify: %s: %m\n", path);
        json_decref(copy);
        copy = NULL;
    }
    free(line);
    if (file)
        fclose(file);
    return copy;
}

static void compare(void *arg, const json_t *event)
{
    struct against *a = arg;
    json_t *row;
    char id[24];

    snprintf(id, sizeof(id), "%lld", (long long)json_integer_value(json_object_get(event, "id")));
    row = json_object_get(a->copy, id);
    if (row && !json_equal(json_object_get(row, "hash"), json_object_get(event, "hash")))
        find(a, row, "is another one than in");
    json_object_del(a->copy, id);
}

/* What the rules of keeping have removed since need not be there. */
static void look_for_missing(struct against *a, const json_t *reply)
{
    json_int_t cut = json_integer_value(json_object_get(json_object_get(reply, "cut"), "last"));
    const char *id;
    json_t *row;

    json_object_foreach(a->copy, id, row)
    {
        if (json_integer_value(json_object_get(row, "id")) > cut)
            find(a, row, "is gone, and is in");
    }
}

/* Adds to the findings of the verdict what the copy tells. 0, or an exit code after what failed was said. */
static int verify_against(struct context *ctx, const char *path, json_t *verdict)
{
    struct against a = {path, read_copy(path), json_object_get(verdict, "findings")};
    struct client *client = a.copy ? context_client(ctx) : NULL;
    struct err err = ERR_INIT;
    json_t *reply = NULL;
    int code = !a.copy ? EXIT_USAGE : !client ? EXIT_NO_DAEMON : 0;
    size_t before = json_array_size(a.findings);

    if (code == 0 &&
        client_call(client, "activity.export", json_object(), compare, NULL, &a, &reply, &err) != 0) {
        context_drop(ctx, &err);
        code = print_failure(&err);
    }
    if (code == 0)
        look_for_missing(&a, reply);
    if (json_array_size(a.findings) > before) {
        json_object_set_new(verdict, "intact", json_false());
        json_object_set_new(verdict, "wrong",
                            json_integer(json_integer_value(json_object_get(verdict, "wrong")) +
                                         (json_int_t)(json_array_size(a.findings) - before)));
    }
    json_decref(reply);
    json_decref(a.copy);
    return code;
}

static int activity_verify(struct context *ctx)
{
    static const struct column columns[] = {{"ENTRY", "id"},  {"AT", "at"}, {"WHO", "who"},
                                            {"WHAT", "what"}, {"", "text"}, {NULL}};
    enum format format = output_format(&ctx->args);
    json_t *reply;
    bool intact;
    int code = context_call(ctx, "activity.verify", NULL, &reply);

    if (code == 0 && ctx->args.operand_count > 0 &&
        (code = verify_against(ctx, ctx->args.operands[0], reply)) != 0)
        json_decref(reply);
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
    {"who", 0, OPTION_TEXT, "TEXT", "only of those whose name has this: anna, schedule, node"},
    {"what", 0, OPTION_TEXT, "TEXT", "only what has this: power, grant.add"},
    {"result", 0, OPTION_TEXT, "RESULT", "only what ended so: ok, failed, denied, begun or another cause"},
    {NULL},
};
static const struct option_row export_options[] = {SINCE, {NULL}};
static const struct option_row *const activity_tables[] = {activity_options, options_limit, options_output,
                                                           NULL};
static const struct option_row *const output_tables[] = {options_output, NULL};
static const struct option_row *const export_tables[] = {export_options, NULL};

const struct command command_activity = {
    "activity",
    "",
    0,
    0,
    "who did what, when, to which hosts, with which result",
    activity_tables,
    "activity --since 2h\nactivity --host pc7 -o csv\nactivity --who anna --result denied",
    activity};
const struct command command_activity_verify = {
    "activity verify",
    "[COPY]",
    0,
    1,
    "prove that nobody changed the activity log, and that it has all of a COPY from 'activity export': 0 "
    "intact, 1 damaged, with the place",
    output_tables,
    "activity verify\nactivity verify /mnt/safe/activity.jsonl",
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
