/* console: a terminal on one; and what can be done to them without one. */
#include "amtcli/cmd_console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/console_session.h"
#include "amtcli/forms.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "base/text.h"
#include "base/xalloc.h"

#define MS_HOUR    3600000
#define MS_DAY     86400000
#define TEXT_MAX   65536
#define REPLAY_MAX 10000

/* --- attached --- */

static const struct option_row console_options[] = {
    {"read-only", 'r', OPTION_FLAG, NULL, "watch only: nothing that is typed goes there"},
    {"force", 'f', OPTION_FLAG, NULL, "take the right to write from whoever has it"},
    {"replay", 'n', OPTION_NUMBER, "N", "begin so many lines back", .max = REPLAY_MAX,
     .standard = "20 on a terminal, else 0"},
    {"escape", 'e', OPTION_TEXT, "XY", "the two characters that begin a sequence; none: there is none",
     .standard = "$AMTCLI_ESCAPE, else ^Ec on a terminal, else none"},
    {"charset", 0, OPTION_CHOICE, "NAME", "what the machine speaks: cp437 for firmware screens",
     .choices = "utf-8 cp437 latin1", .standard = "$AMTCLI_CHARSET, else utf-8"},
    {"keys", 0, OPTION_FILE, "NAME",
     "what keys send: plain (as they are), linux, vt100+, vt100, intel (firmware), or a file with lines F10 "
     "= \\e0",
     .standard = "$AMTCLI_KEYS, else plain"},
    {"expect", 0, OPTION_TEXT, "REGEX",
     "a script: wait for a text; may be given several times, in order with --send"},
    {"send", 0, OPTION_TEXT, "TEXT", "a script: type a text; \\r is Enter, \\e Escape, \\x03 Ctrl-C"},
    {"timeout", 0, OPTION_TIME, "T", "a script: time for each --expect", .min = 1, .max = MS_DAY,
     .standard = "30s"},
    {NULL},
};

/* --expect and --send in the order given; -1 after a message. */
static int read_script(struct console_session *s, const struct args *args)
{
    struct err err = ERR_INIT;
    int status = 0;

    s->timeout_ms = 30000;
    args_number(args, "timeout", &s->timeout_ms);
    if (!args_has(args, "expect") && !args_has(args, "send"))
        return 0;
    s->expect = expect_new(s->timeout_ms);
    for (size_t i = 0; i < args->option_count && status == 0; i++) {
        const struct arg *arg = &args->options[i];

        if (strcmp(arg->row->name, "expect") == 0)
            status = expect_add(s->expect, arg->value, &err);
        else if (strcmp(arg->row->name, "send") == 0)
            status = expect_add_send(s->expect, arg->value, &err);
    }
    if (status != 0)
        fprintf(stderr, "amtcli console: %s\n", err.text);
    return status;
}

static const char *option_or(const struct args *args, const char *option, const char *variable,
                             const char *standard)
{
    const char *value = args_value(args, option);

    if (!value && variable)
        value = getenv(variable);
    return value && value[0] ? value : standard;
}

static int prepare(struct console_session *s, const struct args *args)
{
    struct err err = ERR_INIT;
    bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);

    if (args_has(args, "read-only") && (args_has(args, "force") || args_has(args, "send"))) {
        fputs("amtcli console: --read-only goes without --force and --send\n", stderr);
        return -1;
    }
    s->mode = args_has(args, "read-only") ? "watch" : args_has(args, "force") ? "force" : "write";
    if (read_script(s, args) != 0)
        return -1;
    s->interactive = terminal && !s->expect;
    s->replay = s->interactive ? CONSOLE_REPLAY_LINES : 0;
    args_number(args, "replay", &s->replay);
    s->charset = charset_new(option_or(args, "charset", "AMTCLI_CHARSET", "utf-8"), &err);
    s->keys = s->charset ? keys_new(option_or(args, "keys", "AMTCLI_KEYS", "plain"), &err) : NULL;
    if (s->keys && escape_init(&s->escape,
                               s->interactive ? option_or(args, "escape", "AMTCLI_ESCAPE", "^Ec")
                                              : option_or(args, "escape", NULL, "none"),
                               &err) == 0)
        return 0;
    fprintf(stderr, "amtcli console: %s\n", err.text);
    return -1;
}

static int console(struct context *ctx)
{
    struct console_session s = {.ctx = ctx, .name = xstrdup(ctx->args.operands[0])};
    int code = prepare(&s, &ctx->args) == 0 ? console_session_run(&s) : EXIT_USAGE;

    console_session_clear(&s);
    return code;
}

int console_with_run(struct context *ctx, const char *name, json_t *run)
{
    struct console_session s = {.ctx = ctx, .name = xstrdup(name), .run = run, .stays = true};
    int code = prepare(&s, &ctx->args) == 0 ? console_session_run(&s) : EXIT_USAGE;

    console_session_clear(&s);
    return code;
}

/* --- looking --- */

static json_t *names_of(const struct args *args)
{
    json_t *params = json_object(), *names = json_array();

    for (int i = 0; i < args->operand_count; i++)
        json_array_append_new(names, json_string(args->operands[i]));
    if (json_array_size(names) > 0)
        json_object_set(params, "names", names);
    json_decref(names);
    return params;
}

static int rows(struct context *ctx, const char *call, const struct column *columns)
{
    json_t *reply;
    int code = context_call(ctx, call, names_of(&ctx->args), &reply);

    if (code != 0)
        return code;
    output_rows(output_format(&ctx->args), reply, columns);
    json_decref(reply);
    return EXIT_ALL;
}

static int console_list(struct context *ctx)
{
    static const struct column columns[] = {{"CONSOLE", "name"},
                                            {"STATE", "state"},
                                            {"DEVICE", "device"},
                                            {"SINCE", "since"},
                                            {"SOURCE", "source"},
                                            {"SIGNALS", "signals"},
                                            {"RATE", "rate"},
                                            {"READERS", "readers"},
                                            {"WRITER", "writer"},
                                            {"LAST", "last"},
                                            {"SIZE", "size", form_bytes},
                                            {"LOG", "logging"},
                                            {"", "reason"},
                                            {NULL}};

    return rows(ctx, "console.list", columns);
}

static int console_who(struct context *ctx)
{
    static const struct column columns[] = {{"CONSOLE", "console"}, {"ID", "id"},
                                            {"WHO", "who"},         {"FROM", "from"},
                                            {"WRITES", "holds"},    {"WAITS", "waits"},
                                            {"WATCHES", "watches"}, {"SINCE", "since"},
                                            {"BEHIND", "behind"},   {NULL}};

    return rows(ctx, "console.who", columns);
}

static int console_state(struct context *ctx)
{
    static const struct column fields[] = {{"console", "name"},
                                           {"state", "state"},
                                           {"reason", "reason"},
                                           {"since", "since"},
                                           {"next try", "next_try"},
                                           {"attempts", "attempts"},
                                           {"source", "source"},
                                           {"device", "device"},
                                           {"signals", "signals"},
                                           {"writer", "writer"},
                                           {"readers", "readers"},
                                           {"rate", "rate"},
                                           {"received", "received"},
                                           {"last", "last"},
                                           {"logging", "logging"},
                                           {"log from", "first"},
                                           {"log to", "end"},
                                           {"size", "size"},
                                           {NULL}};
    json_t *reply;
    int code = context_call(ctx, "console.show", json_pack("{s:s}", "name", ctx->args.operands[0]), &reply);

    if (code != 0)
        return code;
    output_object(output_format(&ctx->args), reply, fields);
    json_decref(reply);
    return EXIT_ALL;
}

/* --- doing --- */

static int simple(struct context *ctx, const char *call, json_t *params)
{
    json_object_set_new(params, "name", json_string(ctx->args.operands[0]));
    return context_call(ctx, call, params, NULL);
}

static int broadcast(struct context *ctx, const char *text)
{
    json_t *params, *reply;
    int code;

    if (args_has(&ctx->args, "to")) {
        fputs("amtcli console message: --to is for one console\n", stderr);
        return EXIT_USAGE;
    }
    ctx->args.operand_count--;
    params = names_of(&ctx->args);
    json_object_set_new(params, "text", json_string(text));
    code = context_call(ctx, "console.broadcast", params, &reply);
    if (code != EXIT_ALL)
        return code;
    fprintf(stderr, "told those at %zu %s\n", json_array_size(reply),
            text_plural(json_array_size(reply), "console", "consoles"));
    json_decref(reply);
    return EXIT_ALL;
}

static int console_message(struct context *ctx)
{
    const struct args *args = &ctx->args;
    const char *text = args->operands[args->operand_count - 1];
    json_t *params;
    int64_t to;

    if (args->operand_count > 2 || strpbrk(args->operands[0], "*?["))
        return broadcast(ctx, text);
    params = json_pack("{s:s}", "text", text);
    if (args_number(args, "to", &to))
        json_object_set_new(params, "to", json_integer(to));
    return simple(ctx, "console.message", params);
}

static int console_note(struct context *ctx)
{
    return simple(ctx, "console.note", json_pack("{s:s}", "text", ctx->args.operands[1]));
}

static int console_break(struct context *ctx)
{
    static const struct param map[] = {{"length", "length_ms"}, {"which", "which"}, {NULL}};
    json_t *params = json_object();

    params_take(params, &ctx->args, map);
    return simple(ctx, "console.break", params);
}

static int console_up(struct context *ctx)
{
    return simple(ctx, "console.up", json_object());
}

static int console_down(struct context *ctx)
{
    return simple(ctx, "console.down", json_object());
}

static int console_logging(struct context *ctx)
{
    return simple(ctx, "console.logging", json_pack("{s:b}", "on", strcmp(ctx->args.operands[1], "on") == 0));
}

static int console_disconnect(struct context *ctx)
{
    int64_t id;

    if (!text_i64(ctx->args.operands[1], 1, INT64_MAX, &id)) {
        fputs("amtcli: expected the number of an attachment; see 'amtcli console who'\n", stderr);
        return EXIT_USAGE;
    }
    return simple(ctx, "console.disconnect", json_pack("{s:I}", "id", (json_int_t)id));
}

static int console_roll(struct context *ctx)
{
    json_t *reply;
    int code = context_call(ctx, "console.roll", names_of(&ctx->args), &reply);

    if (code != 0)
        return code;
    fprintf(stderr, "%zu logs rolled\n", json_array_size(reply));
    json_decref(reply);
    return EXIT_ALL;
}

static int say_sent(const json_t *reply)
{
    const json_t *refused = json_object_get(reply, "refused");
    json_t *row;
    size_t i;

    json_array_foreach((json_t *)refused, i, row)
    {
        struct buf text = buf_init(TEXT_MAX);

        cell_text(row, "console", &text);
        buf_puts(&text, ": ");
        cell_text(row, "message", &text);
        buf_puts(&text, " (");
        cell_text(row, "cause", &text);
        fprintf(stderr, "amtcli: %s)\n", buf_str(&text));
        buf_free(&text);
    }
    fprintf(stderr, "sent to %zu, refused by %zu\n", json_array_size(json_object_get(reply, "sent")),
            json_array_size(refused));
    return json_array_size(refused) > 0 ? EXIT_SOME_FAILED : EXIT_ALL;
}

/* The last operand is the text, the others are consoles. */
static int console_send(struct context *ctx)
{
    struct args *args = &ctx->args;
    struct buf bytes = buf_init(TEXT_MAX), data = buf_init(2 * TEXT_MAX);
    json_t *params, *reply;
    int code;

    if (!text_unescape(args->operands[args->operand_count - 1], &bytes) || !buf_ok(&bytes)) {
        fputs("amtcli console send: expected text with \\r, \\n, \\t, \\e, \\x7f, \\\\\n", stderr);
        buf_free(&bytes);
        return EXIT_USAGE;
    }
    args->operand_count--;
    params = names_of(args);
    text_base64(&data, bytes.p, bytes.len);
    json_object_set_new(params, "data", json_string(buf_str(&data)));
    if (args_has(args, "force"))
        json_object_set_new(params, "force", json_true());
    buf_free(&bytes);
    buf_free(&data);
    code = context_call(ctx, "console.send", params, &reply);
    if (code == EXIT_ALL) {
        code = say_sent(reply);
        json_decref(reply);
    }
    return code;
}

/* --- the commands --- */

static const struct option_row send_options[] = {
    {"force", 'f', OPTION_FLAG, NULL, "also where somebody else has the right to write"}, {NULL}};
static const struct option_row message_options[] = {
    {"to", 0, OPTION_NUMBER, "ID", "to one alone: its number in 'console who'", .min = 1, .max = INT64_MAX},
    {NULL}};
static const struct option_row break_options[] = {
    {"which", 'w', OPTION_TEXT, "KEY", "another break than that of the console: its key in 'breaks'",
     .standard = "0"},
    {"length", 0, OPTION_TIME, "T", "how long", .min = 1, .max = MS_HOUR, .standard = "as configured"},
    {NULL}};
static const struct option_row *const console_tables[] = {console_options, NULL};
static const struct option_row *const output_tables[] = {options_output, NULL};
static const struct option_row *const send_tables[] = {send_options, NULL};
static const struct option_row *const message_tables[] = {message_options, NULL};
static const struct option_row *const break_tables[] = {break_options, NULL};

const struct command command_console = {
    "console",
    "CONSOLE",
    1,
    1,
    "attach this terminal to a console, or to the serial console of a host; ^Ec . leaves, ^Ec ? helps",
    console_tables,
    "console pc7\nconsole pc7 --read-only --replay 500\nconsole pc7 --keys vt100+ --charset cp437\n"
    "console pc7 --send '\\r' --expect 'login: $' --send 'root\\r' --expect '# $' --timeout 1m",
    console};
const struct command command_console_list = {"console list",
                                             "[CONSOLE...]",
                                             0,
                                             -1,
                                             "list consoles with state, source, rate, readers and writer",
                                             output_tables,
                                             "console list\nconsole list 'rack1-*' -o json",
                                             console_list};
const struct command command_console_show = {
    "console show", "CONSOLE", 1, 1, "show a console", output_tables, "console show pc7", console_state};
const struct command command_console_who = {
    "console who", "[CONSOLE...]",    0,          -1, "list who is attached",
    output_tables, "console who pc7", console_who};
const struct command command_console_send = {
    "console send",
    "CONSOLE... TEXT",
    2,
    -1,
    "type a text into consoles, many at once",
    send_tables,
    "console send pc7 pc8 'uptime\\r'\nconsole send 'rack1-*' '\\x03' --force",
    console_send};
const struct command command_console_message = {"console message",
                                                "CONSOLE... TEXT",
                                                2,
                                                -1,
                                                "send a message to all who are attached",
                                                message_tables,
                                                "console message pc7 'rebooting in a minute'\n"
                                                "console message '*' 'amtd restarts at noon'",
                                                console_message};
const struct command command_console_note = {
    "console note", "CONSOLE TEXT", 2, 2, "write a note into the log", NULL, "console note pc7 'new fan'",
    console_note};
const struct command command_console_break = {"console break",
                                              "CONSOLE",
                                              1,
                                              1,
                                              "send a break",
                                              break_tables,
                                              "console break pc7\nconsole break router --which 2",
                                              console_break};
const struct command command_console_up = {"console up",     "CONSOLE", 1, 1, "connect a console now", NULL,
                                           "console up pc7", console_up};
const struct command command_console_down = {
    "console down", "CONSOLE",          1,           1, "disconnect a console, until 'console up'",
    NULL,           "console down pc7", console_down};
const struct command command_console_logging = {
    "console logging",         "CONSOLE on|off", 2, 2, "switch the log of a console on or off", NULL,
    "console logging pc7 off", console_logging};
const struct command command_console_disconnect = {
    "console disconnect",        "CONSOLE ID",      2, 2, "end the attachment of somebody", NULL,
    "console disconnect pc7 12", console_disconnect};
const struct command command_console_roll = {"console roll",
                                             "[CONSOLE...]",
                                             0,
                                             -1,
                                             "close the open segments of logs",
                                             NULL,
                                             "console roll\nconsole roll pc7",
                                             console_roll};
