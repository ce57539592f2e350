/* log: what consoles printed. */
#include "amtcli/cmd_log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "amtcli/interrupt.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/stream.h"
#include "base/text.h"

#define CONTEXT_MAX 1000
#define LINES_MAX   100000000
#define CELL_MAX    (1 << 20)
#define DATA_MAX    (64 << 20)
#define MAIL_MAX    (10 * 1024 * 1024)

/* --- the range of a log --- */

static const struct option_row range_options[] = {
    {"since", 's', OPTION_TEXT, "WHEN", "from then on: 2h, 7d (ago) or 2026-01-02T03:04:05Z"},
    {"until", 'u', OPTION_TEXT, "WHEN", "up to then"},
    {"lines", 'n', OPTION_NUMBER, "N", "the last N lines", .min = 1, .max = LINES_MAX},
    {"boot", 0, OPTION_NUMBER, "N", "a boot of the machine: 0 the last one, 1 the one before",
     .max = 1000000},
    {"from", 0, OPTION_NUMBER, "OFFSET", "from this byte on", .max = INT64_MAX},
    {"to", 0, OPTION_NUMBER, "OFFSET", "up to this byte", .max = INT64_MAX},
    {NULL},
};

static void take_range(json_t *params, const struct args *args)
{
    static const struct param map[] = {
        {"lines", "lines"}, {"boot", "boot"}, {"from", "from"}, {"to", "to"}, {NULL}};

    params_take(params, args, map);
    params_take_when(params, args, "since", "since_ms");
    params_take_when(params, args, "until", "until_ms");
}

/* --- bytes --- */

static void say_gap(const json_t *event)
{
    struct buf why = buf_init(CELL_MAX);

    cell_text(event, "why", &why);
    fprintf(stderr, "amtcli: bytes %lld to %lld: %s\n",
            (long long)json_integer_value(json_object_get(event, "offset")),
            (long long)json_integer_value(json_object_get(event, "skipped_to")), buf_str(&why));
    buf_free(&why);
}

static void on_bytes(void *arg, const json_t *event)
{
    const struct stream *stream = arg;
    const json_t *text = json_object_get(event, "text"), *data = json_object_get(event, "data");
    struct buf bytes = buf_init(DATA_MAX);

    if (json_object_get(event, "skipped_to"))
        say_gap(event);
    else if (text)
        fwrite(json_string_value(text), 1, json_string_length(text), stream->out);
    else if (data && text_base64_decode(&bytes, json_string_value(data), json_string_length(data)))
        fwrite(bytes.p, 1, bytes.len, stream->out);
    buf_free(&bytes);
    fflush(stream->out);
}

static const struct option_row form_options[] = {
    {"format", 0, OPTION_CHOICE, "FORMAT",
     "bytes as they are, without what moves and colours, a page, a recording",
     .choices = "plain stripped html asciicast", .standard = "stripped on a terminal, else plain"},
    {"stamps", 't', OPTION_FLAG, NULL, "the time in front of each line"},
    {NULL},
};

static json_t *show_params(const struct args *args, const char *format)
{
    static const struct param map[] = {{"format", "format"}, {"stamps", "stamps"}, {NULL}};
    json_t *params = json_pack("{s:s}", "name", args->operands[0]);

    if (format)
        json_object_set_new(params, "format", json_string(format));
    params_take(params, args, map);
    take_range(params, args);
    return params;
}

static int log_show(struct context *ctx)
{
    struct stream stream = {.ctx = ctx, .out = stdout};

    return stream_call(&stream, "log.show",
                       show_params(&ctx->args, isatty(STDOUT_FILENO) ? "stripped" : NULL), on_bytes, NULL);
}

static int log_follow(struct context *ctx)
{
    struct stream stream = {.ctx = ctx, .out = stdout};
    json_t *params = show_params(&ctx->args, isatty(STDOUT_FILENO) ? "stripped" : NULL);

    json_object_set_new(params, "follow", json_true());
    if (!args_has(&ctx->args, "lines") && !args_has(&ctx->args, "since") && !args_has(&ctx->args, "from") &&
        !args_has(&ctx->args, "boot"))
        json_object_set_new(params, "lines", json_integer(10));
    return stream_call(&stream, "log.show", params, on_bytes, NULL);
}

/* What the name of a file says about what is to be in it. */
static const char *format_of(const char *path)
{
    static const char *const endings[][2] = {
        {".html", "html"}, {".htm", "html"}, {".cast", "asciicast"}, {".txt", "stripped"}};
    size_t n = strlen(path);

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (n > strlen(endings[i][0]) && strcmp(path + n - strlen(endings[i][0]), endings[i][0]) == 0)
            return endings[i][1];
    return "plain";
}

static int log_export(struct context *ctx)
{
    const char *path = ctx->args.operands[1];
    bool out = strcmp(path, "-") == 0;
    int fd = out ? -1 : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666), code, failed;
    struct stream stream = {.ctx = ctx, .out = out ? stdout : fd >= 0 ? fdopen(fd, "wb") : NULL};
    long end;

    if (!stream.out) {
        fprintf(stderr, "amtcli: %s: %s\n", path, strerror(errno));
        return EXIT_USAGE;
    }
    code = stream_call(&stream, "log.show", show_params(&ctx->args, format_of(path)), on_bytes, NULL);
    if (out)
        return code;
    end = ftell(stream.out); /* what was in the file is gone only when there is something in its place */
    failed = ferror(stream.out) ||
             ((end > 0 || (end == 0 && code == EXIT_ALL)) && ftruncate(fd, end) != 0 && errno != EINVAL);
    if (fclose(stream.out) != 0 || failed) {
        fprintf(stderr, "amtcli: %s: %s\n", path, failed ? "not all could be written" : strerror(errno));
        code = code == EXIT_ALL ? EXIT_SOME_FAILED : code;
    }
    return code;
}

/* --- print --- */

static pid_t start_printing(const char *title, const char *printer, FILE **out)
{
    const char *argv[8] = {"lp", "-t", title, printer ? "-d" : NULL, printer};
    int ends[2];
    pid_t pid;

    if (pipe(ends) != 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        close(ends[1]);
        execvp("lp", (char *const *)argv);
        fprintf(stderr, "amtcli: lp: %s\n",
                errno == ENOENT ? "there is no such program here; it comes with CUPS (cups-client)"
                                : strerror(errno));
        _exit(127);
    }
    close(ends[0]);
    *out = pid > 0 ? fdopen(ends[1], "wb") : NULL;
    return pid;
}

static int log_print(struct context *ctx)
{
    struct stream stream = {.ctx = ctx};
    void (*kept)(int) = signal(SIGPIPE, SIG_IGN); /* what lp has to say comes from lp */
    pid_t pid = start_printing(ctx->args.operands[0], args_value(&ctx->args, "printer"), &stream.out);
    int code = EXIT_SOME_FAILED, status = 0;

    if (pid < 0 || !stream.out) {
        fprintf(stderr, "amtcli: lp: %s\n", strerror(errno));
    } else {
        code = stream_call(&stream, "log.show", show_params(&ctx->args, "stripped"), on_bytes, NULL);
        fclose(stream.out);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (code == EXIT_ALL && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
            code = EXIT_SOME_FAILED;
    }
    signal(SIGPIPE, kept);
    return code;
}

/* --- mail --- */

static const char *ending_of(const char *format)
{
    return strcmp(format, "html") == 0        ? "html"
           : strcmp(format, "asciicast") == 0 ? "cast"
           : strcmp(format, "plain") == 0     ? "log"
                                              : "txt";
}

static json_t *mail_params(const struct args *args, const char *format, const char *p, size_t n)
{
    const char *subject = args_value(args, "subject");
    struct buf data = buf_init(2 * MAIL_MAX);
    json_t *params = json_object(), *to = json_array();

    for (int i = 1; i < args->operand_count; i++)
        json_array_append_new(to, json_string(args->operands[i]));
    text_base64(&data, p, n);
    json_object_set_new(params, "to", to);
    json_object_set_new(params, "subject",
                        subject ? json_string(subject)
                                : json_sprintf("Log of console %s", args->operands[0]));
    json_object_set_new(params, "text",
                        json_sprintf("Attached is what console %s printed.\n", args->operands[0]));
    json_object_set_new(params, "name", json_sprintf("%s.%s", args->operands[0], ending_of(format)));
    json_object_set_new(params, "data", json_string(buf_str(&data)));
    buf_free(&data);
    return params;
}

static int log_mail(struct context *ctx)
{
    const char *format = args_value(&ctx->args, "format");
    struct stream stream = {.ctx = ctx};
    char *text = NULL;
    size_t n = 0;
    int code;

    format = format ? format : "stripped";
    stream.out = open_memstream(&text, &n);
    if (!stream.out) {
        fprintf(stderr, "amtcli: %s\n", strerror(errno));
        return EXIT_SOME_FAILED;
    }
    code = stream_call(&stream, "log.show", show_params(&ctx->args, format), on_bytes, NULL);
    fclose(stream.out);
    if (code == EXIT_ALL && n > MAIL_MAX) {
        fprintf(
            stderr,
            "amtcli: %zu bytes are too much for a mail: at most %d; choose less with --since or --lines\n", n,
            MAIL_MAX);
        code = EXIT_USAGE;
    }
    if (code == EXIT_ALL && interrupt_count() == 0)
        code = context_call(ctx, "mail.send", mail_params(&ctx->args, format, text, n), NULL);
    free(text);
    return code;
}

/* --- search --- */

static const struct option_row search_options[] = {
    {"regex", 'E', OPTION_TEXT, "REGEX", "what is looked for: an extended regular expression",
     .required = true},
    {"ignore-case", 'i', OPTION_FLAG, NULL, "capital and small letters are the same"},
    {"invert", 'v', OPTION_FLAG, NULL, "lines that do not have it"},
    {"context", 'C', OPTION_NUMBER, "N", "so many lines around each", .max = CONTEXT_MAX},
    {"before", 'B', OPTION_NUMBER, "N", "so many lines before each", .max = CONTEXT_MAX},
    {"after", 'A', OPTION_NUMBER, "N", "so many lines behind each", .max = CONTEXT_MAX},
    {"count", 'c', OPTION_FLAG, NULL, "how many lines, a console each"},
    {"list", 'l', OPTION_FLAG, NULL, "only the names of consoles that have it"},
    {"limit", 'm', OPTION_NUMBER, "N", "no more than so many", .min = 1, .max = LINES_MAX},
    {"stamps", 't', OPTION_FLAG, NULL, "the time in front of each line"},
    {NULL},
};

static void print_line(const struct stream *stream, const json_t *event, const json_t *line, char mark)
{
    bool stamps = args_has(&stream->ctx->args, "stamps");
    struct buf text = buf_init(CELL_MAX);

    if (stream->several) {
        cell_text(event, "console", &text);
        buf_putc(&text, mark);
    }
    if (stamps) {
        cell_text(line, "at", &text);
        buf_putc(&text, mark);
    }
    cell_text(line, "text", &text);
    fprintf(stream->out, "%s\n", buf_str(&text));
    buf_free(&text);
}

/* "pc7:text" a match, "pc7-text" a line around one, "pc7:12" a count, "pc7" a name. */
static void on_match(void *arg, const json_t *event)
{
    struct stream *stream = arg;
    const json_t *count = json_object_get(event, "count");
    struct buf failure = buf_init(CELL_MAX);

    if (json_object_get(event, "failure")) {
        cell_text(event, "failure", &failure);
        fprintf(stderr, "amtcli: %s: %s\n", json_string_value(json_object_get(event, "console")),
                buf_str(&failure));
        buf_free(&failure);
        return;
    }

    stream->count += !count || json_integer_value(count) > 0;
    if (stream->rows)
        json_array_append(stream->rows, (json_t *)event);
    else if (count)
        fprintf(stream->out, "%s:%lld\n", json_string_value(json_object_get(event, "console")),
                (long long)json_integer_value(count));
    else if (json_object_get(event, "text"))
        print_line(stream, event, event, json_is_true(json_object_get(event, "context")) ? '-' : ':');
    else
        fprintf(stream->out, "%s\n", json_string_value(json_object_get(event, "console")));
}

static json_t *search_params(const struct args *args)
{
    static const struct param map[] = {{"regex", "regex"},
                                       {"ignore-case", "ignore_case"},
                                       {"invert", "invert"},
                                       {"before", "before"},
                                       {"after", "after"},
                                       {"count", "count"},
                                       {"list", "list"},
                                       {"limit", "limit"},
                                       {NULL}};
    static const struct param around[] = {{"context", "before"}, {"context", "after"}, {NULL}};
    json_t *params = json_object(), *names = json_array();

    for (int i = 0; i < args->operand_count; i++)
        json_array_append_new(names, json_string(args->operands[i]));
    if (json_array_size(names) > 0)
        json_object_set(params, "names", names);
    json_decref(names);
    params_take(params, args, around);
    params_take(params, args, map);
    take_range(params, args);
    return params;
}

/* As grep: 0 found, 1 not found. */
static int log_search(struct context *ctx)
{
    static const struct column columns[] = {{"CONSOLE", "console"}, {"OFFSET", "offset"}, {"AT", "at"},
                                            {"TEXT", "text"},       {"COUNT", "count"},   {NULL}};
    const struct args *args = &ctx->args;
    enum format format = output_format(args);
    struct stream stream = {.ctx = ctx, .out = stdout};
    int code;

    stream.several = args->operand_count != 1 || strpbrk(args->operands[0], "*?[") != NULL;
    stream.rows = format != FORMAT_TABLE ? json_array() : NULL;
    code = stream_call(&stream, "log.search", search_params(args), on_match, NULL);
    if (stream.rows)
        output_rows(format, stream.rows, columns);
    json_decref(stream.rows);
    return code != EXIT_ALL ? code : stream.count > 0 ? EXIT_ALL : EXIT_SOME_FAILED;
}

/* --- events --- */

static int log_events(struct context *ctx)
{
    static const struct column columns[] = {{"AT", "at"},   {"OFFSET", "offset"}, {"EVENT", "event"},
                                            {"WHO", "who"}, {"", "text"},         {NULL}};
    struct stream stream = {.ctx = ctx, .out = stdout, .rows = json_array()};
    json_t *params = json_pack("{s:s}", "name", ctx->args.operands[0]);
    int code;

    take_range(params, &ctx->args);
    code = stream_call(&stream, "log.events", params, stream_collect, NULL);
    if (code == EXIT_ALL)
        output_rows(output_format(&ctx->args), stream.rows, columns);
    json_decref(stream.rows);
    return code;
}

/* --- verify --- */

static int log_verify(struct context *ctx)
{
    static const struct column columns[] = {{"SEGMENT", "segment"}, {"FIRST", "first"}, {"END", "end"},
                                            {"STATE", "state"},     {"", "text"},       {NULL}};
    struct stream stream = {.ctx = ctx, .out = stdout, .rows = json_array()};
    enum format format = output_format(&ctx->args);
    json_t *reply = NULL;
    bool intact;
    int code = stream_call(&stream, "log.verify", json_pack("{s:s}", "name", ctx->args.operands[0]),
                           stream_collect, &reply);

    if (code != EXIT_ALL || !reply) { /* interrupted: nothing is proved */
        json_decref(stream.rows);
        json_decref(reply);
        return code != EXIT_ALL ? code : EXIT_SOME_FAILED;
    }
    intact = json_is_true(json_object_get(reply, "intact"));
    if (format == FORMAT_JSON) {
        json_object_set(reply, "segments", stream.rows);
        output_json(reply);
    } else {
        output_rows(format, stream.rows, columns);
    }
    if (format == FORMAT_TABLE)
        printf("%s: signed up to byte %lld of %lld%s%s\n", intact ? "intact" : "DAMAGED",
               (long long)json_integer_value(json_object_get(reply, "signed_to")),
               (long long)json_integer_value(json_object_get(reply, "end")),
               json_string_value(json_object_get(reply, "key")) ? ", key " : "",
               json_string_value(json_object_get(reply, "key"))
                   ? json_string_value(json_object_get(reply, "key"))
                   : "");
    json_decref(stream.rows);
    json_decref(reply);
    return intact ? EXIT_ALL : EXIT_SOME_FAILED;
}

/* --- the commands --- */

static const struct option_row print_options[] = {
    {"printer", 'd', OPTION_TEXT, "NAME", "which printer", .standard = "that of lp"}, {NULL}};
static const struct option_row mail_options[] = {
    {"subject", 0, OPTION_TEXT, "TEXT", "of the mail", .standard = "Log of console CONSOLE"}, {NULL}};
static const struct option_row *const mail_tables[] = {mail_options, range_options, form_options, NULL};
static const struct option_row *const show_tables[] = {range_options, form_options, NULL};
static const struct option_row *const search_tables[] = {search_options, range_options, options_output, NULL};
static const struct option_row *const events_tables[] = {range_options, options_output, NULL};
static const struct option_row *const verify_tables[] = {options_output, NULL};
static const struct option_row *const print_tables[] = {print_options, range_options, NULL};

const struct command command_log_show = {
    "log show",
    "CONSOLE",
    1,
    1,
    "show what a console printed",
    show_tables,
    "log show pc7 --since 1h\nlog show pc7 --boot 0 --stamps\nlog show pc7 --format plain > pc7.log",
    log_show};
const struct command command_log_follow = {
    "log follow", "CONSOLE",        1,         1, "show what a console prints, as it comes",
    show_tables,  "log follow pc7", log_follow};
const struct command command_log_search = {
    "log search",
    "[CONSOLE...]",
    0,
    -1,
    "search what consoles printed, as grep does",
    search_tables,
    "log search -E 'Kernel panic|Oops' --since 7d -C 3\nlog search -i -E 'link is down' 'rack1-*' -c",
    log_search};
const struct command command_log_export = {
    "log export",
    "CONSOLE FILE",
    2,
    2,
    "write what a console printed into a file: .html, .cast (asciicast), .txt (stripped), else plain; - is "
    "stdout",
    show_tables,
    "log export pc7 pc7.html --boot 0\nlog export pc7 - --format asciicast > pc7.cast",
    log_export};
const struct command command_log_events = {
    "log events",
    "CONSOLE",
    1,
    1,
    "show what happened around a console: up, down, who wrote, power, breaks",
    events_tables,
    "log events pc7 --since 1d",
    log_events};
const struct command command_log_verify = {
    "log verify",
    "CONSOLE",
    1,
    1,
    "prove that nobody changed a log: 0 intact, 1 damaged, with the place",
    verify_tables,
    "log verify pc7",
    log_verify};
const struct command command_log_print = {"log print",
                                          "CONSOLE",
                                          1,
                                          1,
                                          "print what a console printed, with lp",
                                          print_tables,
                                          "log print pc7 --boot 0",
                                          log_print};
const struct command command_log_mail = {
    "log mail",
    "CONSOLE ADDRESS...",
    2,
    -1,
    "mail what a console printed, through the mail server of amtd",
    mail_tables,
    "log mail pc7 ops@example.com --since 1h\nlog mail pc7 a@example.com "
    "--boot 0 --format html",
    log_mail};
