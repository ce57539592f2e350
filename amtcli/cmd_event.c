/* event: what happened that somebody may want to know of. */
#include "amtcli/cmd_event.h"

#include <stdio.h>
#include <string.h>

#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/stream.h"
#include "base/text.h"

#define LINE_MAX_BYTES (1 << 20)

static const struct option_row filter_options[] = {
    {"since", 's', OPTION_TEXT, "WHEN", "from then on: 2h, 7d (ago) or 2026-01-02T03:04:05Z"},
    {"host", 0, OPTION_TEXT, "NAME", "of this host; * and ? as in a shell; may be given several times"},
    {"console", 'c', OPTION_TEXT, "NAME",
     "of this console; * and ? as in a shell; may be given several times"},
    {"kind", 'k', OPTION_TEXT, "KIND", "of this kind, such as pattern or flood; may be given several times"},
    {"severity", 'S', OPTION_CHOICE, "SEVERITY", "at least so severe", .choices = "info warning critical",
     .standard = "info"},
    {NULL},
};
static const struct option_row until_options[] = {{"until", 'u', OPTION_TEXT, "WHEN", "up to then"}, {NULL}};
static const struct option_row *const list_tables[] = {filter_options, until_options, options_limit,
                                                       options_output, NULL};
static const struct option_row *const follow_tables[] = {filter_options, options_limit, options_output, NULL};
static const struct option_row *const show_tables[] = {options_output, NULL};

static const struct column columns[] = {{"EVENT", "id"},
                                        {"AT", "at"},
                                        {"SEVERITY", "severity"},
                                        {"KIND", "kind"},
                                        {"CONSOLE", "console"},
                                        {"HOST", "host"},
                                        {"", "text"},
                                        {NULL}};

static void take_names(json_t *params, const struct args *args, const char *option, const char *field)
{
    json_t *names = json_array();
    const char *name;

    for (size_t i = 0; (name = args_value_at(args, option, i)); i++)
        json_array_append_new(names, json_string(name));
    if (json_array_size(names) > 0)
        json_object_set(params, field, names);
    json_decref(names);
}

static json_t *filter_params(const struct args *args)
{
    static const struct param map[] = {{"severity", "severity"}, {"limit", "limit"}, {NULL}};
    json_t *params = json_object();

    params_take(params, args, map);
    params_take_when(params, args, "since", "since_ms");
    params_take_when(params, args, "until", "until_ms");
    take_names(params, args, "host", "hosts");
    take_names(params, args, "console", "consoles");
    take_names(params, args, "kind", "kinds");
    return params;
}

static int event_list(struct context *ctx)
{
    json_t *reply;
    int code = context_call(ctx, "event.list", filter_params(&ctx->args), &reply);

    if (code != 0)
        return code;
    output_rows(output_format(&ctx->args), reply, columns);
    json_decref(reply);
    return EXIT_ALL;
}

/* --- follow --- */

/* A line each, in columns of fixed width: nobody knows what is still to come. */
static void on_event(void *arg, const json_t *event)
{
    static const struct {
        const char *field;
        int width;
    } fields[] = {{"at", 24}, {"severity", 8}, {"kind", 8}, {"console", 12}, {"host", 12}, {"text", 0}};
    const struct stream *stream = arg;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct buf cell = buf_init(LINE_MAX_BYTES);

        cell_text(event, fields[i].field, &cell);
        fprintf(stream->out, "%-*s%s", fields[i].width, buf_str(&cell), fields[i].width > 0 ? "  " : "\n");
        buf_free(&cell);
    }
    fflush(stream->out);
}

static void on_event_json(void *arg, const json_t *event)
{
    const struct stream *stream = arg;

    json_dumpf(event, stream->out, output_line_flags());
    fputc('\n', stream->out);
    fflush(stream->out);
}

static int event_follow(struct context *ctx)
{
    struct stream stream = {.ctx = ctx, .out = stdout};
    json_t *params = filter_params(&ctx->args);

    if (output_format(&ctx->args) == FORMAT_CSV) {
        json_decref(params);
        fputs("amtcli event follow: what goes on for ever is shown as a table or as JSON, a line each\n",
              stderr);
        return EXIT_USAGE;
    }
    if (!args_has(&ctx->args, "limit") && !args_has(&ctx->args, "since"))
        json_object_set_new(params, "limit", json_integer(10));
    else if (!args_has(&ctx->args, "limit"))
        json_object_set_new(params, "limit", json_integer(100000));
    return stream_call(&stream, "event.follow", params,
                       output_format(&ctx->args) == FORMAT_JSON ? on_event_json : on_event, NULL);
}

/* --- show --- */

/* What a capture has in its data is worth seeing as lines. */
static void print_lines(const json_t *data)
{
    const char *text = json_string_value(json_object_get(data, "lines"));
    const char *end;

    for (; text && *text; text = *end ? end + 1 : end) {
        struct buf line = buf_init(LINE_MAX_BYTES);

        end = text + strcspn(text, "\n");
        text_printable(&line, text, (size_t)(end - text));
        printf("  | %s\n", buf_str(&line));
        buf_free(&line);
    }
}

static int event_show(struct context *ctx)
{
    static const struct column fields[] = {{"event", "id"},          {"at", "at"},           {"kind", "kind"},
                                           {"severity", "severity"}, {"console", "console"}, {"host", "host"},
                                           {"text", "text"},         {"data", "details"},    {NULL}};
    json_t *reply, *details;
    int64_t id;
    int code;

    if (!text_i64(ctx->args.operands[0], 1, INT64_MAX, &id)) {
        fputs("amtcli event show: expected the number of an event; see 'amtcli event list'\n", stderr);
        return EXIT_USAGE;
    }
    code = context_call(ctx, "event.show", json_pack("{s:I}", "id", (json_int_t)id), &reply);
    if (code != 0)
        return code;
    if (output_format(&ctx->args) == FORMAT_TABLE && json_object_get(reply, "data")) {
        details = json_deep_copy(json_object_get(reply, "data"));
        json_object_del(details, "lines");
        json_object_set_new(reply, "details", details);
    }
    output_object(output_format(&ctx->args), reply, fields);
    if (output_format(&ctx->args) == FORMAT_TABLE)
        print_lines(json_object_get(reply, "data"));
    json_decref(reply);
    return EXIT_ALL;
}

const struct command command_event_list = {
    "event list",
    "",
    0,
    0,
    "what happened at hosts and consoles, the newest last",
    list_tables,
    "event list --since 1d --severity warning\nevent list --console 'rack1-*' --kind pattern -o csv",
    event_list};
const struct command command_event_follow = {"event follow",
                                             "",
                                             0,
                                             0,
                                             "the newest events, and what happens from now on",
                                             follow_tables,
                                             "event follow\nevent follow --severity critical -o json",
                                             event_follow};
const struct command command_event_show = {
    "event show",    "ID",      1, 1, "one event with all that is known of it", show_tables,
    "event show 17", event_show};
