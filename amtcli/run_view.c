#include "amtcli/run_view.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hostlist.h"
#include "base/text.h"
#include "base/xalloc.h"

#define FOLD_ABOVE 50 /* hosts on a terminal: equal results share a line */
#define REDRAW_MS  100

const struct option_row options_run[] = {
    {"profile", 'p', "PROFILE", "log in with this profile alone"},
    {"parallel", 'P', "N", "hosts worked on at a time (default 256)"},
    {"per-subnet", 0, "N", "of these, at most so many in one subnet"},
    {"batch", 0, "N", "work in stages of so many hosts"},
    {"pause", 0, "T", "wait between stages, such as 30s or 5m"},
    {"max-failures", 0, "N", "begin no more hosts after so many failures"},
    {"timeout", 0, "T", "time for one host"},
    {"dry-run", 'n', NULL, "show what would be done to whom; send nothing"},
    {"fold", 'b', NULL, "one line for hosts with equal results"},
    {NULL},
};

/* --- interruption --- */

static volatile sig_atomic_t interrupts;

static void on_interrupt(int number)
{
    (void)number;
    interrupts++;
}

/* --- the run while it goes on --- */

struct view {
    struct context *ctx;
    json_t *results;
    json_int_t run;
    size_t hosts, ok, failed;
    int64_t began;
    int64_t drawn;
    int64_t pause_until;
    size_t stage, stages;
    bool live; /* stderr is a terminal */
    bool drawn_any;
    bool cancelled;
};

static void clear_line(struct view *v)
{
    if (v->drawn_any)
        fputs("\r\033[K", stderr);
    v->drawn_any = false;
}

static void draw(struct view *v, int64_t now)
{
    size_t done = v->ok + v->failed;
    double seconds = (double)(now - v->began) / 1000;
    double rate = seconds > 0 ? (double)done / seconds : 0;

    if (!v->live || v->hosts == 0 || now - v->drawn < REDRAW_MS)
        return;
    v->drawn = now;
    fprintf(stderr, "\r\033[K%zu of %zu, %zu failed, %.0f s", done, v->hosts, v->failed, seconds);
    if (v->stages > 1)
        fprintf(stderr, ", stage %zu of %zu", v->stage, v->stages);
    if (v->pause_until > now)
        fprintf(stderr, ", next in %.0f s", (double)(v->pause_until - now) / 1000);
    else if (done > 0 && done < v->hosts)
        fprintf(stderr, ", about %.0f s left", (double)(v->hosts - done) / rate);
    if (v->cancelled)
        fputs(", stopping", stderr);
    fflush(stderr);
    v->drawn_any = true;
}

static void on_event(void *arg, const json_t *event)
{
    struct view *v = arg;
    const char *result = json_string_value(json_object_get(event, "result"));

    if (json_object_get(event, "stage")) {
        v->stage = (size_t)json_integer_value(json_object_get(event, "stage"));
        v->stages = (size_t)json_integer_value(json_object_get(event, "stages"));
        v->pause_until = clock_mono(clock_system()) + json_integer_value(json_object_get(event, "wait_ms"));
    } else if (json_object_get(event, "host")) {
        json_array_append(v->results, (json_t *)event);
        if (result && strcmp(result, "ok") == 0)
            v->ok++;
        else if (result)
            v->failed++;
    } else {
        v->run = json_integer_value(json_object_get(event, "run"));
        v->hosts = (size_t)json_integer_value(json_object_get(event, "hosts"));
    }
    draw(v, clock_mono(clock_system()));
}

/* The first Ctrl-C stops what has not begun; the second leaves the run to amtd. */
static void on_idle(void *arg)
{
    struct view *v = arg;

    if (interrupts > 0 && !v->cancelled && v->run > 0) {
        v->cancelled = true;
        clear_line(v);
        fputs("amtcli: stopping: what has begun is finished, nothing more begins (Ctrl-C again to leave)\n",
              stderr);
        client_post(v->ctx->client, "run.cancel", json_pack("{s:I}", "run", v->run));
    } else if (interrupts > 1 && v->run > 0) {
        clear_line(v);
        fprintf(stderr, "amtcli: left; the run goes on in amtd: amtcli run show %lld\n", (long long)v->run);
        exit(EXIT_SOME_FAILED);
    }
    draw(v, clock_mono(clock_system()));
}

/* --- printing --- */

static int by_host(const void *a, const void *b)
{
    const json_t *const *x = a, *const *y = b;
    const char *m = json_string_value(json_object_get(*x, "host"));
    const char *n = json_string_value(json_object_get(*y, "host"));

    return hostlist_compare_names(m ? m : "", n ? n : "");
}

static json_t *sorted(const json_t *results)
{
    size_t n = json_array_size(results);
    json_t **items = xcalloc(n, sizeof(json_t *));
    json_t *out = json_array();

    for (size_t i = 0; i < n; i++)
        items[i] = json_array_get(results, i);
    if (n > 1)
        qsort(items, n, sizeof(json_t *), by_host);
    for (size_t i = 0; i < n; i++)
        json_array_append(out, items[i]);
    free(items);
    return out;
}

/* What makes two results equal for people: everything but the host and the time. */
static char *fold_key(const json_t *row)
{
    static const char *const fields[] = {"result", "from", "to", "cause", "code", "remark", "would"};
    struct buf key = buf_init(65536);

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        cell_text(row, fields[i], &key);
        buf_putc(&key, '\x1f');
    }
    return buf_take(&key);
}

/* Rows with equal keys become one, in the order of their first hosts; its seconds are the longest. */
static json_t *folded(const json_t *rows)
{
    json_t *out = json_array(), *index = json_object(), *row;
    const char *key_name;
    json_t *group;
    size_t i;

    json_array_foreach((json_t *)rows, i, row)
    {
        char *key = fold_key(row);

        group = json_object_get(index, key);
        if (!group) {
            group = json_copy(row);
            json_object_set_new(group, "hosts", json_array());
            json_object_set(index, key, group);
            json_array_append_new(out, group);
        }
        json_array_append(json_object_get(group, "hosts"), json_object_get(row, "host"));
        if (json_number_value(json_object_get(row, "seconds")) >
            json_number_value(json_object_get(group, "seconds")))
            json_object_set(group, "seconds", json_object_get(row, "seconds"));
        free(key);
    }
    json_object_foreach(index, key_name, group)
    {
        struct hostlist *list = hostlist_new();
        struct buf text = buf_init(64 << 20);
        json_t *hosts = json_object_get(group, "hosts");

        for (i = 0; i < json_array_size(hosts); i++)
            hostlist_add(list, json_string_value(json_array_get(hosts, i)), NULL);
        hostlist_fold(list, &text);
        json_object_set_new(group, "host", json_string(buf_str(&text)));
        json_object_set_new(group, "count", json_integer((json_int_t)json_array_size(hosts)));
        json_object_del(group, "hosts");
        hostlist_free(list);
        buf_free(&text);
    }
    json_decref(index);
    return out;
}

/* "off -> on", and what there is to say. */
static void add_texts(json_t *row)
{
    const char *from = json_string_value(json_object_get(row, "from"));
    const char *to = json_string_value(json_object_get(row, "to"));
    const char *cause = json_string_value(json_object_get(row, "cause"));
    const char *message = json_string_value(json_object_get(row, "message"));
    const char *remark = json_string_value(json_object_get(row, "remark"));
    const char *would = json_string_value(json_object_get(row, "would"));

    if (from && to)
        json_object_set_new(row, "states",
                            strcmp(from, to) == 0 ? json_string(to) : json_sprintf("%s -> %s", from, to));
    if (cause) { /* the cause's own sentence is in its name already */
        const char *sentence = cause_sentence(cause_by_name(cause));
        size_t n = strlen(sentence);

        if (message && strncmp(message, sentence, n) == 0)
            message += n + strspn(message + n, ": ");
        json_object_set_new(
            row, "text",
            json_sprintf("%s%s%s", cause, message && *message ? ": " : "", message ? message : ""));
    }
    if (!cause && (would || remark))
        json_object_set_new(row, "text", json_string(would ? would : remark));
}

static void print_power(enum format format, const struct args *args, const json_t *rows)
{
    static const struct column columns[] = {{"HOST", "host"},       {"RESULT", "result"}, {"POWER", "states"},
                                            {"SECONDS", "seconds"}, {"", "text"},         {NULL}};
    static const struct column fold_columns[] = {{"COUNT", "count"},
                                                 {"RESULT", "result"},
                                                 {"POWER", "states"},
                                                 {"SECONDS", "seconds"},
                                                 {"HOSTS", "host"},
                                                 {"", "text"},
                                                 {NULL}};
    static const struct column csv[] = {{"host", "host"},   {"result", "result"},   {"from", "from"},
                                        {"to", "to"},       {"seconds", "seconds"}, {"tries", "tries"},
                                        {"cause", "cause"}, {"code", "code"},       {"message", "message"},
                                        {"hint", "hint"},   {"remark", "remark"},   {NULL}};
    bool fold = args_has(args, "fold") || (isatty(STDOUT_FILENO) && json_array_size(rows) > FOLD_ABOVE);
    json_t *shown, *row;
    size_t i;

    if (format != FORMAT_TABLE) {
        output_rows(format, rows, csv);
        return;
    }
    shown = fold ? folded(rows) : json_deep_copy(rows);
    json_array_foreach(shown, i, row) add_texts(row);
    output_rows(FORMAT_TABLE, shown, fold ? fold_columns : columns);
    json_decref(shown);
}

static void print_info(const json_t *rows)
{
    static const struct column fields[] = {{"version", "version"},
                                           {"product", "product"},
                                           {"build", "build"},
                                           {"uuid", "uuid"},
                                           {"name", "host_name"},
                                           {"domain", "domain"},
                                           {"address", "address"},
                                           {"mac", "mac"},
                                           {"provisioning", "provisioning"},
                                           {"control mode", "control_mode"},
                                           {"power", "power"},
                                           {"redirection", "redirection"},
                                           {"listener", "listener"},
                                           {"kvm", "kvm"},
                                           {"user consent", "consent"},
                                           {"clock", "clock"},
                                           {"clock off (s)", "clock_off_s"},
                                           {NULL}};
    json_t *row;
    size_t i;

    json_array_foreach((json_t *)rows, i, row)
    {
        struct buf host = buf_init(1024);

        cell_text(row, "host", &host);
        printf("%s%s\n", i > 0 ? "\n" : "", buf_str(&host));
        output_object(FORMAT_TABLE, json_object_get(json_object_get(row, "detail"), "info"), fields);
        buf_free(&host);
    }
}

static void print_checks(const json_t *rows)
{
    static const char *const marks[][2] = {
        {"ok", "ok  "}, {"warn", "WARN"}, {"fail", "FAIL"}, {"skip", "-   "}};
    json_t *row, *check;
    size_t i, k;

    json_array_foreach((json_t *)rows, i, row)
    {
        printf("%s%s\n", i > 0 ? "\n" : "", json_string_value(json_object_get(row, "host")));
        json_array_foreach(json_object_get(json_object_get(row, "detail"), "checks"), k, check)
        {
            struct buf text = buf_init(4096), hint = buf_init(4096), name = buf_init(1024);
            const char *mark = "?   ";

            for (size_t m = 0; m < 4; m++)
                if (strcmp(json_string_value(json_object_get(check, "result")), marks[m][0]) == 0)
                    mark = marks[m][1];
            cell_text(check, "check", &name);
            cell_text(check, "finding", &text);
            cell_text(check, "hint", &hint);
            printf("  %s  %-16s %s\n", mark, buf_str(&name), buf_str(&text));
            if (hint.len > 0)
                printf("        %-16s -> %s\n", "", buf_str(&hint));
            buf_free(&text);
            buf_free(&hint);
            buf_free(&name);
        }
    }
}

/* Why hosts failed, one line a cause, on stderr: what to do next. */
static void print_causes(const json_t *rows)
{
    json_t *by_cause = json_object(), *row, *hosts;
    const char *cause;
    size_t i;

    json_array_foreach((json_t *)rows, i, row)
    {
        cause = json_string_value(json_object_get(row, "cause"));
        if (!cause)
            continue;
        if (!json_object_get(by_cause, cause))
            json_object_set_new(by_cause, cause, json_array());
        json_array_append(json_object_get(by_cause, cause), json_object_get(row, "host"));
    }
    json_object_foreach(by_cause, cause, hosts)
    {
        struct hostlist *list = hostlist_new();
        struct buf text = buf_init(64 << 20);

        for (i = 0; i < json_array_size(hosts); i++)
            hostlist_add(list, json_string_value(json_array_get(hosts, i)), NULL);
        hostlist_fold(list, &text);
        fprintf(stderr, "%s (%zu): %s\n  %s\n", cause, json_array_size(hosts), buf_str(&text),
                cause_hint(cause_by_name(cause)));
        hostlist_free(list);
        buf_free(&text);
    }
    json_decref(by_cause);
}

static void print_shape(const struct args *args, enum format format, const json_t *rows, enum run_shape shape)
{
    json_t *ok = json_array(), *failed = json_array(), *row;
    size_t i;

    json_array_foreach((json_t *)rows, i, row)
    {
        bool has_detail =
            json_object_get(row, "detail") && !(shape == RUN_DETAIL_INFO && json_object_get(row, "cause"));

        json_array_append(has_detail ? ok : failed, row);
    }
    if (format != FORMAT_TABLE || shape == RUN_POWER) {
        print_power(format, args, rows);
    } else {
        if (shape == RUN_DETAIL_INFO)
            print_info(ok);
        else
            print_checks(ok);
        if (json_array_size(failed) > 0)
            print_power(format, args, failed);
    }
    json_decref(ok);
    json_decref(failed);
}

int show_results(const struct args *args, const json_t *results, enum run_shape shape)
{
    enum format format;
    json_t *rows, *row;
    size_t i, failed = 0;

    if (output_format(args, &format) != 0)
        return EXIT_USAGE;
    rows = sorted(results);
    json_array_foreach(rows, i, row)
    {
        const char *result = json_string_value(json_object_get(row, "result"));

        failed += result && strcmp(result, "ok") != 0;
    }
    print_shape(args, format, rows, shape);
    fflush(stdout);
    if (failed > 0 && format == FORMAT_TABLE && json_array_size(rows) > 1)
        print_causes(rows);
    else if (failed > 0 && format == FORMAT_TABLE && shape != RUN_DETAIL_CHECKS)
        print_causes(rows);
    json_decref(rows);
    return failed > 0 ? EXIT_SOME_FAILED : EXIT_ALL;
}

/* --- the options of a run --- */

static int wrong(const char *option, const char *expected)
{
    fprintf(stderr, "amtcli: --%s expects %s\n", option, expected);
    return -1;
}

static int add_options(json_t *params, const struct args *args)
{
    static const char *const numbers[][2] = {{"parallel", "parallel"},
                                             {"per-subnet", "per_subnet"},
                                             {"batch", "batch"},
                                             {"max-failures", "max_failures"}};
    static const char *const times[][2] = {{"pause", "pause_ms"}, {"timeout", "timeout_ms"}};
    uint64_t number;
    int64_t ms;

    for (size_t i = 0; i < 4; i++) {
        const char *text = args_value(args, numbers[i][0]);

        if (text && !text_u64(text, 1, 1000000, &number))
            return wrong(numbers[i][0], "a whole number from 1 on");
        if (text)
            json_object_set_new(params, numbers[i][1], json_integer((json_int_t)number));
    }
    for (size_t i = 0; i < 2; i++) {
        const char *text = args_value(args, times[i][0]);

        if (text && !text_duration_ms(text, 1, 86400000, &ms))
            return wrong(times[i][0], "a time such as 30s, 5m or 250ms");
        if (text)
            json_object_set_new(params, times[i][1], json_integer(ms));
    }
    if (args_value(args, "profile"))
        json_object_set_new(params, "profile", json_string(args_value(args, "profile")));
    json_object_set_new(params, "dry_run", json_boolean(args_has(args, "dry-run")));
    json_object_set_new(params, "confirmed", json_boolean(args_has(args, "yes")));
    return 0;
}

/* --- running --- */

static int call_run(struct view *v, json_t *params, struct err *err)
{
    struct sigaction act = {.sa_handler = on_interrupt}, kept;
    json_t *reply = NULL;
    int status;

    interrupts = 0;
    v->began = clock_mono(clock_system());
    sigaction(SIGINT, &act, &kept);
    status = client_call(v->ctx->client, "run.start", json_incref(params), on_event, on_idle, v, &reply, err);
    sigaction(SIGINT, &kept, NULL);
    clear_line(v);
    json_decref(reply);
    return status;
}

int run_and_show(struct context *ctx, json_t *params, enum run_shape shape)
{
    struct view v = {.ctx = ctx, .results = json_array(), .live = isatty(STDERR_FILENO)};
    struct err err = ERR_INIT;
    enum format format;
    char *question;
    int status, code;

    if (output_format(&ctx->args, &format) != 0 || add_options(params, &ctx->args) != 0) {
        code = EXIT_USAGE;
    } else if (!context_client(ctx)) {
        code = EXIT_NO_DAEMON;
    } else {
        status = call_run(&v, params, &err);
        if (status != 0 && err.cause == CAUSE_REFUSED_UNCONFIRMED) {
            question = xasprintf("%s. Go on?", err.text);
            if (confirm(question)) {
                json_object_set_new(params, "confirmed", json_true());
                status = call_run(&v, params, &err);
            }
            free(question);
        }
        code = status == 0 ? show_results(&ctx->args, v.results, shape) : print_failure(&err);
        if (status != 0 && json_array_size(v.results) > 0) /* the line broke: what came is shown */
            show_results(&ctx->args, v.results, shape);
    }
    json_decref(v.results);
    json_decref(params);
    return code;
}
