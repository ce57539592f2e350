/* purge, purge show: what was kept long enough. */
#include "amtcli/cmd_purge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/forms.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "base/text.h"

#define TIME_MAX 64

static const struct option_row purge_options[] = {
    {"dry-run", 'n', OPTION_FLAG, NULL, "only say what would go"},
    {NULL},
};

static void print_database(const json_t *report)
{
    const json_t *file = json_object_get(report, "database");

    if (json_is_object(file))
        fprintf(stderr, "the database has %lld MiB, %lld of them free; %lld MiB were given back\n",
                json_integer_value(json_object_get(file, "bytes")) >> 20,
                json_integer_value(json_object_get(file, "free")) >> 20,
                json_integer_value(json_object_get(file, "given_back")) >> 20);
}

static int purge(struct context *ctx)
{
    static const struct param map[] = {{"dry-run", "dry_run"}, {NULL}};
    static const struct column columns[] = {
        {"WHAT", "what"}, {"REMOVED", "removed"}, {"SIZE", "bytes", form_bytes},
        {"FROM", "from"}, {"TO", "to"},           {NULL}};
    json_t *params = json_object(), *reply;
    int code;

    params_take(params, &ctx->args, map);
    code = context_call(ctx, "purge.run", params, &reply);
    if (code == 0 && output_format(&ctx->args) == FORMAT_JSON)
        output_json(reply);
    else if (code == 0)
        output_rows(output_format(&ctx->args), json_object_get(reply, "kinds"), columns);
    if (code == 0 && output_format(&ctx->args) == FORMAT_TABLE)
        print_database(reply);
    json_decref(reply);
    return code;
}

/* --- show --- */

static json_t *age_text(json_int_t ms)
{
    struct buf text = buf_init(TIME_MAX);
    json_t *age;

    text_duration(&text, ms);
    age = json_string(ms == 0 ? "no limit" : buf_str(&text));
    buf_free(&text);
    return age;
}

static const json_t *kind_of(const json_t *report, const char *what)
{
    const json_t *kind;
    size_t i;

    json_array_foreach(json_object_get(report, "kinds"), i, kind)
    {
        if (strcmp(json_string_value(json_object_get(kind, "what")), what) == 0)
            return kind;
    }
    return NULL;
}

static void print_shown(struct context *ctx, json_t *reply)
{
    static const struct column columns[] = {
        {"WHAT", "what"}, {"AGE", "age"}, {"SIZE", "bytes", form_bytes}, {"REMOVED LAST", "removed"}, {NULL}};
    const json_t *last = json_object_get(reply, "last"), *next = json_object_get(reply, "next"), *kind;
    json_t *row;
    size_t i;

    json_array_foreach(json_object_get(reply, "limits"), i, row)
    {
        kind = kind_of(last, json_string_value(json_object_get(row, "what")));
        json_object_set_new(row, "age", age_text(json_integer_value(json_object_get(row, "age_ms"))));
        if (json_integer_value(json_object_get(row, "bytes")) == 0)
            json_object_set_new(row, "bytes", json_string("no limit"));
        if (kind)
            json_object_set(row, "removed", json_object_get(kind, "removed"));
    }
    if ((kind = kind_of(last, "console-logs")))
        json_array_append_new(json_object_get(reply, "limits"),
                              json_pack("{s:s, s:s, s:s, s:O}", "what", "console-logs", "age", "by console",
                                        "size", "by console", "removed", json_object_get(kind, "removed")));
    output_rows(output_format(&ctx->args), json_object_get(reply, "limits"), columns);
    if (output_format(&ctx->args) != FORMAT_TABLE || !json_is_object(last))
        return;
    print_database(last);
    fprintf(stderr, "last %s, next %s\n", json_string_value(json_object_get(last, "began")),
            json_string_value(next));
}

static int purge_show(struct context *ctx)
{
    json_t *reply;
    int code = context_call(ctx, "purge.show", NULL, &reply);

    if (code == 0 && output_format(&ctx->args) == FORMAT_JSON)
        output_json(reply);
    else if (code == 0)
        print_shown(ctx, reply);
    json_decref(reply);
    return code;
}

static const struct option_row *const purge_tables[] = {purge_options, options_output, NULL};
static const struct option_row *const output_tables[] = {options_output, NULL};

const struct command command_purge = {"purge",
                                      "",
                                      0,
                                      0,
                                      "remove what was kept long enough now, as amtd does once a day",
                                      purge_tables,
                                      "purge --dry-run\npurge -o json",
                                      purge};
const struct command command_purge_show = {
    "purge show",  "",           0,         0, "how long what is kept, and what was removed last",
    output_tables, "purge show", purge_show};
