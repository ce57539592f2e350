#include "amtcli/cmd_discover.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/forms.h"
#include "amtcli/interrupt.h"
#include "amtcli/list_view.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/progress.h"
#include "base/text.h"
#include "base/xalloc.h"

#define NOTE_MAX 128

static const struct column found_columns[] = {
    {"ADDRESS", "address"},           {"FINDING", "finding"}, {"VERSION", "version"},
    {"PROVISIONING", "provisioning"}, {"HOST", "host"},       {"OUTCOME", "outcome"},
    {"NAMES", "tls.names"},           {"WHY", "why"},         {NULL}};

#define FINDING_AMT "amt"

/* --- what was found --- */

static const char *text_of(const json_t *json, const char *field)
{
    const char *text = json_string_value(json_object_get(json, field));

    return text ? text : "";
}

/* "10.0.0.1-10.0.0.9" in a table; for programs an object for each address. */
static void add_run(json_t *rows, const json_t *run, bool each)
{
    struct in_addr from, to;
    json_t *row;

    if (inet_pton(AF_INET, text_of(run, "from"), &from) != 1 ||
        inet_pton(AF_INET, text_of(run, "to"), &to) != 1)
        return;
    for (uint64_t a = ntohl(from.s_addr); a <= ntohl(to.s_addr); a++) {
        struct in_addr at = {.s_addr = htonl((uint32_t)a)};
        char text[INET_ADDRSTRLEN];

        row = json_pack("{s:s, s:b, s:s, s:s}", "finding", text_of(run, "finding"), "amt", 0, "message",
                        text_of(run, "message"), "why", text_of(run, "message"));
        if (each || from.s_addr == to.s_addr)
            json_object_set_new(row, "address", json_string(inet_ntop(AF_INET, &at, text, sizeof(text))));
        else
            json_object_set_new(row, "address",
                                json_sprintf("%s-%s", text_of(run, "from"), text_of(run, "to")));
        json_array_append_new(rows, row);
        if (!each)
            break;
    }
}

static int by_address(const void *a, const void *b)
{
    const json_t *const *x = a, *const *y = b;
    struct in_addr p = {0}, q = {0};
    char text[INET_ADDRSTRLEN];

    snprintf(text, sizeof(text), "%.*s", (int)strcspn(text_of(*x, "address"), "-"), text_of(*x, "address"));
    inet_pton(AF_INET, text, &p);
    snprintf(text, sizeof(text), "%.*s", (int)strcspn(text_of(*y, "address"), "-"), text_of(*y, "address"));
    inet_pton(AF_INET, text, &q);
    return (ntohl(p.s_addr) > ntohl(q.s_addr)) - (ntohl(p.s_addr) < ntohl(q.s_addr));
}

static json_t *sorted(const json_t *rows)
{
    size_t n = json_array_size(rows);
    json_t **items = xcalloc(n + 1, sizeof(*items)), *out = json_array();

    for (size_t i = 0; i < n; i++)
        items[i] = json_array_get(rows, i);
    qsort(items, n, sizeof(*items), by_address);
    for (size_t i = 0; i < n; i++)
        json_array_append(out, items[i]);
    free(items);
    return out;
}

/* People ask why there is no AMT; of what is, the table says all. */
static bool leave_out_why(json_t *row, struct output *output)
{
    (void)output;
    if (strcmp(text_of(row, "finding"), FINDING_AMT) == 0)
        json_object_del(row, "why");
    return true;
}

static void leave_out_whys(json_t *rows)
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        row = json_copy(row);
        leave_out_why(row, NULL);
        json_array_set_new(rows, i, row);
    }
}

/* Programs get every address; people those where something is, the others on demand and in runs. */
static void show_found(const struct args *args, const json_t *found, const json_t *runs)
{
    enum format format = output_format(args);
    json_t *rows = json_copy((json_t *)found), *run, *shown;
    size_t i;

    if (format != FORMAT_TABLE || args_has(args, "all"))
        json_array_foreach((json_t *)runs, i, run) add_run(rows, run, format != FORMAT_TABLE);
    shown = sorted(rows);
    if (format == FORMAT_TABLE)
        leave_out_whys(shown);
    if (format != FORMAT_TABLE || json_array_size(shown) > 0)
        output_rows(format, shown, found_columns);
    json_decref(shown);
    json_decref(rows);
}

/* "17 amt, 3 refused", of those that are not 0. */
static void counts_text(const json_t *counts, struct buf *out)
{
    const char *name;
    json_t *count;

    json_object_foreach((json_t *)counts, name, count) if (json_integer_value(count) > 0)
        buf_printf(out, "%s%lld %s", out->len > 0 ? ", " : "", (long long)json_integer_value(count), name);
}

static void say_counts(const json_t *reply)
{
    struct buf found = buf_init(1024), hosts = buf_init(1024), shown = buf_init(4096);
    json_int_t changes = json_integer_value(json_object_get(reply, "changes")),
               addresses = json_integer_value(json_object_get(reply, "addresses"));

    counts_text(json_object_get(reply, "counts"), &found);
    counts_text(json_object_get(reply, "hosts"), &hosts);
    buf_printf(&found, "%s%s", hosts.len > 0 ? "; hosts: " : "", buf_str(&hosts));
    text_printable(&shown, found.p, found.len);
    fprintf(stderr, "sweep %lld, %lld %s: %s\n",
            (long long)json_integer_value(json_object_get(reply, "sweep")), (long long)addresses,
            text_plural((uint64_t)addresses, "address", "addresses"),
            shown.len > 0 ? buf_str(&shown) : "none were looked at");
    if (json_object_get(json_object_get(reply, "hosts"), "added-unread") ||
        json_object_get(json_object_get(reply, "hosts"), "moved-unread"))
        fputs("where nobody was let in, and why: amtcli run list\n", stderr);
    if (changes > 0)
        fprintf(stderr, "%lld %s since the sweep before: amtcli discover diff\n", (long long)changes,
                text_plural((uint64_t)changes, "change", "changes"));
    buf_free(&found);
    buf_free(&hosts);
    buf_free(&shown);
}

/* --- the sweep while it goes on --- */

struct view {
    struct context *ctx;
    struct progress progress;
    char note[NOTE_MAX];
    json_t *found, *runs;
    json_int_t sweep; /* 0: amtd has not said yet */
    bool left;
};

static void on_progress(struct view *v, const json_t *event)
{
    const json_t *counts = json_object_get(event, "counts");

    v->progress.hosts = (size_t)json_integer_value(json_object_get(event, "addresses"));
    v->progress.ok = (size_t)json_integer_value(json_object_get(event, "done"));
    snprintf(v->note, sizeof(v->note), "%lld AMT, %lld not provisioned",
             (long long)json_integer_value(json_object_get(counts, "amt")),
             (long long)json_integer_value(json_object_get(counts, "not-provisioned")));
}

static void on_event(void *arg, const json_t *event)
{
    struct view *v = arg;
    json_t *part;

    if ((part = json_object_get(event, "progress")))
        on_progress(v, part);
    else if ((part = json_object_get(event, "found")))
        json_array_append(v->found, part);
    else if ((part = json_object_get(event, "range")))
        json_array_append(v->runs, part);
    else if ((part = json_object_get(event, "sweep")))
        v->sweep = json_integer_value(part);
    progress_draw(&v->progress);
}

/* The first Ctrl-C stops the sweep, which says what it has found so far; the second leaves it to amtd. */
static void on_idle(void *arg)
{
    struct view *v = arg;

    if (interrupt_count() > 1 && !v->left) {
        progress_erase(&v->progress);
        fprintf(stderr, "amtcli: left; the sweep goes on in amtd: amtcli discover show %lld\n",
                (long long)v->sweep);
        v->left = true;
        client_leave(v->ctx->client);
        return;
    }
    if (interrupt_count() > 0 && v->sweep > 0 && !v->progress.stopping) {
        progress_erase(&v->progress);
        fprintf(stderr, "amtcli: stopping; go on later with: amtcli discover --resume=%lld\n",
                (long long)v->sweep);
        v->progress.stopping = true;
        client_post(v->ctx->client, "discover.cancel", json_pack("{s:I}", "sweep", v->sweep));
    }
    progress_draw(&v->progress);
}

static int run_sweep(struct view *v, json_t *params)
{
    struct interrupt interrupt;
    struct err err = ERR_INIT;
    json_t *reply = NULL;
    int status, code;

    progress_init(&v->progress, clock_system(), isatty(STDERR_FILENO) ? stderr : NULL);
    v->progress.note = v->note;
    interrupt_begin(&interrupt);
    status = client_call(v->ctx->client, "discover.start", params, on_event, on_idle, v, &reply, &err);
    interrupt_end(&interrupt);
    progress_erase(&v->progress);
    if (status != 0) {
        code = v->left ? EXIT_SOME_FAILED : context_failure(v->ctx, &err);
        context_drop(v->ctx, &err);
    } else {
        show_found(&v->ctx->args, v->found, v->runs);
        say_counts(reply);
        code = strcmp(text_of(reply, "state"), "over") == 0 ? EXIT_ALL : EXIT_SOME_FAILED;
    }
    json_decref(reply);
    return code;
}

/* --- the order --- */

int discover_take(const struct args *args, json_t *params)
{
    static const struct param map[] = {{"add", "add"},
                                       {"profile", "profile"},
                                       {"rate", "rate"},
                                       {"port", "port"},
                                       {"per-subnet", "per_subnet"},
                                       {"sockets", "sockets"},
                                       {"timeout", "timeout_ms"},
                                       {"rmcp-port", "rmcp_port"},
                                       {NULL}};

    params_take(params, args, map);
    return params_take_tags(params, args, false);
}

static int read_order(const struct args *args, json_t *params)
{
    bool resume = args_has(args, "resume");
    json_t *words = json_array();
    int64_t sweep = -1;

    if (resume == (args->operand_count > 0)) {
        fputs("amtcli discover: expected addresses, or --resume alone\n", stderr);
        json_decref(words);
        return EXIT_USAGE;
    }
    for (int i = 0; i < args->operand_count; i++)
        json_array_append_new(words, json_string(args->operands[i]));
    if (resume) {
        args_number(args, "resume", &sweep);
        json_object_set_new(params, "resume", json_integer(sweep > 0 ? sweep : -1));
        json_decref(words);
    } else {
        json_object_set_new(params, "addresses", words);
    }
    return discover_take(args, params);
}

int discover_and_show(struct context *ctx, json_t *params)
{
    struct view v = {.ctx = ctx};
    int code;

    if (!context_client(ctx)) {
        json_decref(params);
        return EXIT_NO_DAEMON;
    }
    v.found = json_array();
    v.runs = json_array();
    code = run_sweep(&v, params);
    json_decref(v.found);
    json_decref(v.runs);
    return code;
}

static int discover(struct context *ctx)
{
    json_t *params = json_object();
    int code = read_order(&ctx->args, params);

    if (code == 0)
        return discover_and_show(ctx, params);
    json_decref(params);
    return code;
}

/* --- sweeps that were --- */

static bool sweep_number(const char *text, int64_t *number)
{
    struct buf shown = buf_init(256);
    bool good = text_i64(text, 1, INT64_MAX, number);

    text_printable(&shown, text, strlen(text));
    if (!good)
        fprintf(stderr, "amtcli: expected the number of a sweep, not '%s'; see 'amtcli discover list'\n",
                buf_str(&shown));
    buf_free(&shown);
    return good;
}

static int discover_list(struct context *ctx)
{
    static const struct param map[] = {{"limit", "limit"}, {NULL}};
    static const struct column columns[] = {
        {"SWEEP", "sweep"}, {"STATE", "state"},         {"WHO", "who"},     {"BEGAN", "began"},
        {"TOOK", "took"},   {"ADDRESSES", "addresses"}, {"RANGE", "given"}, {NULL}};
    static const struct column csv[] = {{"SWEEP", "sweep"},
                                        {"STATE", "state"},
                                        {"BEGAN", "began"},
                                        {"ENDED", "ended"},
                                        {"WHO", "who"},
                                        {"COUNT", "addresses"},
                                        {NULL}};
    enum format format = output_format(&ctx->args);
    json_t *params = json_object(), *reply, *row;
    size_t i;
    int code;

    params_take(params, &ctx->args, map);
    code = context_call(ctx, "discover.list", params, &reply);
    if (code != 0)
        return code;
    if (format == FORMAT_TABLE) {
        form_took(reply);
        json_array_foreach(reply, i, row)
        {
            const json_t *words = json_object_get(row, "addresses_given");
            const char *first = json_string_value(json_array_get(words, 0));

            json_object_set_new(
                row, "given",
                json_sprintf("%s%s", first ? first : "", json_array_size(words) > 1 ? " ..." : ""));
        }
    }
    output_rows(format, reply, format == FORMAT_CSV ? csv : columns);
    json_decref(reply);
    return EXIT_ALL;
}

static int discover_show(struct context *ctx)
{
    enum format format = output_format(&ctx->args);
    const struct list_view view = {.call = "discover.show",
                                   .columns = found_columns,
                                   .prepare = format == FORMAT_TABLE ? leave_out_why : NULL,
                                   .none = ""};
    json_t *params = json_object(), *reply = NULL;
    int64_t number;
    int code;

    if (ctx->args.operand_count > 0) {
        if (!sweep_number(ctx->args.operands[0], &number)) {
            json_decref(params);
            return EXIT_USAGE;
        }
        json_object_set_new(params, "sweep", json_integer(number));
    }
    if (format == FORMAT_TABLE && args_has(&ctx->args, "all")) {
        code = context_call(ctx, view.call, params, &reply);
        if (code == EXIT_ALL)
            show_found(&ctx->args, json_object_get(reply, "found"), json_object_get(reply, "ranges"));
    } else {
        json_object_set_new(params, "each", json_boolean(format != FORMAT_TABLE));
        code = list_show(ctx, &view, params, format, &reply);
    }
    if (code == EXIT_ALL && format == FORMAT_TABLE)
        say_counts(reply);
    json_decref(reply);
    return code;
}

static int discover_diff(struct context *ctx)
{
    static const char *const fields[] = {"from", "to"};
    static const struct column columns[] = {
        {"ADDRESS", "address"},     {"CHANGE", "change"}, {"WHAT", "what"},          {"WAS", "was.finding"},
        {"VERSION", "was.version"}, {"IS", "is.finding"}, {"VERSION", "is.version"}, {NULL}};
    json_t *params = json_object(), *reply;
    int64_t number;
    size_t count;
    int code;

    for (int i = 0; i < ctx->args.operand_count && i < 2; i++) {
        if (!sweep_number(ctx->args.operands[i], &number)) {
            json_decref(params);
            return EXIT_USAGE;
        }
        json_object_set_new(params, fields[i], json_integer(number));
    }
    code = context_call(ctx, "discover.diff", params, &reply);
    if (code != 0)
        return code;
    count = json_array_size(json_object_get(reply, "changes"));
    output_rows(output_format(&ctx->args), json_object_get(reply, "changes"), columns);
    if (output_format(&ctx->args) == FORMAT_TABLE)
        fprintf(stderr, "from sweep %lld to %lld: %zu %s\n",
                (long long)json_integer_value(json_object_get(reply, "from")),
                (long long)json_integer_value(json_object_get(reply, "to")), count,
                text_plural(count, "change", "changes"));
    json_decref(reply);
    return EXIT_ALL;
}

static int discover_cancel(struct context *ctx)
{
    int64_t number;
    json_t *reply;
    int code = EXIT_USAGE;

    if (!sweep_number(ctx->args.operands[0], &number))
        return code;
    code = context_call(ctx, "discover.cancel", json_pack("{s:I}", "sweep", (json_int_t)number), &reply);
    if (code == 0)
        json_decref(reply);
    return code;
}

static const struct option_row discover_options[] = {
    {"add", 0, OPTION_FLAG, NULL, "make hosts of the AMT devices that are found"},
    {"profile", 'p', OPTION_TEXT, "PROFILE", "with --add: log in with this profile to read who they are"},
    {"tag", 't', OPTION_TEXT, "NAME=VALUE", "with --add: a tag for new hosts; may be given several times"},
    {"rate", 0, OPTION_NUMBER, "N", "packets a second", .min = 1, .max = 1000000, .standard = "2000"},
    {"per-subnet", 0, OPTION_NUMBER, "N", "of these, in one subnet of 256 addresses", .min = 1,
     .max = 1000000, .standard = "250"},
    {"sockets", 0, OPTION_NUMBER, "N", "connections at a time", .min = 2, .max = 8192, .standard = "1024"},
    {"timeout", 0, OPTION_TIME, "T", "for a connection, and for an answer", .min = 100, .max = 60000,
     .standard = "2s"},
    {"port", 0, OPTION_NUMBER, "N", "of management; with TLS it is the next one", .min = 1, .max = 65534,
     .standard = "16992"},
    {"rmcp-port", 0, OPTION_NUMBER, "N", "of presence pings", .min = 1, .max = 65535, .standard = "623"},
    {"resume", 0, OPTION_NUMBER, "SWEEP", "go on with a sweep that did not end, the newest one or this",
     .min = 1, .max = INT64_MAX, .bare = true},
    {NULL},
};
static const struct option_row all_options[] = {
    {"all", 0, OPTION_FLAG, NULL, "in the table, also addresses where nothing is"}, {NULL}};
static const struct option_row *const discover_tables[] = {discover_options, all_options, options_output,
                                                           NULL};
static const struct option_row *const list_tables[] = {options_limit, options_output, NULL};
static const struct option_row *const show_tables[] = {all_options, options_output, NULL};
static const struct option_row *const diff_tables[] = {options_output, NULL};

const struct command command_discover = {
    "discover",
    "[ADDRESSES...]",
    0,
    -1,
    "go through addresses, find AMT without logging in, and say why it is not there",
    discover_tables,
    "discover 10.0.0.0/16\ndiscover 10.0.0.1-10.0.3.255 '!10.0.1.0/24' --rate 500\n"
    "discover 10.0.0.0/21 --add --profile lab --tag site=berlin -o json\ndiscover --resume",
    discover};
const struct command command_discover_list = {
    "discover list", "", 0, 0, "list sweeps, newest first", list_tables, "discover list", discover_list};
const struct command command_discover_show = {"discover show",
                                              "[SWEEP]",
                                              0,
                                              1,
                                              "what a sweep found, the newest one if none is named",
                                              show_tables,
                                              "discover show\ndiscover show 3 --all\ndiscover show 3 -o csv",
                                              discover_show};
const struct command command_discover_diff = {
    "discover diff",
    "[SWEEP] [SWEEP]",
    0,
    2,
    "what is new, gone or changed: from a sweep to a later one, or to the newest from the one before",
    diff_tables,
    "discover diff\ndiscover diff 3 7 -o json",
    discover_diff};
const struct command command_discover_cancel = {
    "discover cancel", "SWEEP", 1, 1, "stop a sweep where it is", NULL, "discover cancel 3", discover_cancel};
