/* Filters on devices: apply, ping, remove, status, stats, drift, confirm. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/cmd_filter_apply.h"
#include "amtcli/filter_input.h"
#include "amtcli/fold.h"
#include "amtcli/host_lookup.h"
#include "amtcli/needs_input.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/run_view.h"
#include "filters/file.h"
#include "filters/library.h"
#include "filters/names.h"

#define YEAR_MS    ((int64_t)366 * 86400000)
#define TEXT_MAX   (1u << 20)
#define PATH_BYTES 4096
#define PING_FILE  "ping-limit"

static const struct option_row set_options[] = {
    {"set", 's', OPTION_TEXT, "NAME=VALUE", "what a name in the file stands for; may be given several times"},
    {NULL}};

static const struct option_row when_options[] = {
    {"when", 0, OPTION_CHOICE, "WHEN",
     "later, by itself: when a program that AMT watches over falls silent (agent), or worm detection asks "
     "for it (worm)",
     .choices = "agent worm"},
    {NULL}};

static const struct option_row apply_options[] = {
    {"anti-spoof", 0, OPTION_FLAG, NULL,
     "drop what leaves the machine with a false source address, and count it"},
    {"for", 0, OPTION_TIME, "T", "put back what was there before after this time", .min = 1000,
     .max = YEAR_MS},
    {"confirm-within", 0, OPTION_TIME, "T", "put it back unless 'filter confirm' comes within this time",
     .min = 1000, .max = YEAR_MS},
    {"untested", 0, OPTION_FLAG, NULL,
     "also on more than five hosts where this file was never tried on their generation"},
    {"needs", 0, OPTION_FILE, "FILE",
     "a job file whose later steps, or a filter file whose needs, must work as well"},
    {"widen", 0, OPTION_FLAG, NULL, "where there is no room, let rules pass more than they say"},
    {"force", 0, OPTION_FLAG, NULL, "also a file that cuts off this server; needs --confirm-within"},
    {NULL},
};

/* --- the file, as one document --- */

static void print_findings(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        struct buf text = buf_init(TEXT_MAX);

        finding_text(&findings->items[i], &text);
        fprintf(stderr, "amtcli: %s\n", buf_str(&text));
        buf_free(&text);
    }
}

/* Binds the file once, only to learn which host names it needs. */
static int resolve_names(const struct filter_file *file, const json_t *set, json_t *addresses)
{
    struct names *names = names_new();
    struct findings findings = {0};
    struct err err = ERR_INIT;
    const char *name;
    json_t *value;
    int code = EXIT_ALL;

    names_use_placeholders(names);
    names_set_resolver(names, host_lookup, addresses);
    json_object_foreach((json_t *)set, name, value)
    {
        if (code == EXIT_ALL && names_set(names, name, json_string_value(value), &err) != 0)
            code = EXIT_USAGE;
    }
    if (code == EXIT_ALL)
        ruleset_free(filter_bind(file, names, &findings));
    if (err.cause != CAUSE_NONE)
        fprintf(stderr, "amtcli: --set: %s\n", err.text);
    if (findings.errors > 0) {
        print_findings(&findings);
        code = EXIT_USAGE;
    }
    findings_clear(&findings);
    names_free(names);
    return code;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int check_set(const struct filter_file *file, const struct filter_file *also, const json_t *set)
{
    const char *name;
    json_t *value;
    int code = EXIT_ALL;

    json_object_foreach((json_t *)set, name, value)
    {
        if (filter_names_check(file, also, name) != 0)
            code = EXIT_USAGE;
    }
    return code;
}

int filter_file_take(const char *word, const json_t *set, const struct filter_file *also, json_t *args)
{
    struct buf path = buf_init(PATH_BYTES), text = buf_init(FILTER_FILE_BYTES_MAX);
    struct findings findings = {0};
    struct filter_file *file = NULL;
    struct err err = ERR_INIT;
    json_t *addresses = json_object();
    int code = EXIT_USAGE;

    if (filter_library_find(word, &path, &err) != 0)
        fprintf(stderr, "amtcli: %s\n", err.text);
    else
        file = filter_file_read(buf_str(&path), filter_read_disk, NULL, &findings);
    print_findings(&findings);
    if (file)
        code = check_set(file, also, set);
    if (file && code == EXIT_ALL)
        code = resolve_names(file, set, addresses);
    if (code == EXIT_ALL) {
        filter_file_write(file, &text);
        json_object_set_new(args, "file",
                            json_pack("{s:s, s:s}", "name", base_of(buf_str(&path)), "text", buf_str(&text)));
        json_object_set(args, "addresses", addresses);
    }
    json_decref(addresses);
    findings_clear(&findings);
    filter_file_free(file);
    buf_free(&path);
    buf_free(&text);
    return code;
}

/* What --needs says, as the task takes it and as a file. */
static int take_needs(struct context *ctx, const char *path, json_t *args, struct filter_file **file)
{
    struct findings findings = {0};
    json_t *needs = NULL;
    int code = needs_input_open(ctx, path, &needs);

    if (code != EXIT_ALL)
        return code;
    json_object_set_new(args, "needs", needs);
    *file = needs_input_file(needs, &findings);
    print_findings(&findings);
    findings_clear(&findings);
    return *file ? EXIT_ALL : EXIT_USAGE;
}

/* --set NAME=VALUE, all of them. */
static int read_set(const struct args *given, json_t *args)
{
    json_t *set = json_object();
    const char *text;
    int code = EXIT_ALL;

    for (size_t i = 0; (text = args_value_at(given, "set", i)); i++) {
        const char *eq = strchr(text, '=');

        if (!eq || eq == text || !eq[1]) {
            fprintf(stderr, "amtcli: --set: expected NAME=VALUE, not '%s'\n", text);
            code = EXIT_USAGE;
            continue;
        }
        json_object_setn_new(set, text, (size_t)(eq - text), json_string(eq + 1));
    }
    if (json_object_size(set) > 0)
        json_object_set(args, "set", set);
    json_decref(set);
    return code;
}

/* --- apply, ping, remove --- */

static int apply_file(struct context *ctx, const char *word, const char *target)
{
    static const struct param map[] = {{"anti-spoof", "anti_spoof"},
                                       {"for", "for_ms"},
                                       {"confirm-within", "confirm_within_ms"},
                                       {"untested", "untested"},
                                       {"widen", "widen"},
                                       {"force", "force"},
                                       {"when", "when"},
                                       {NULL}};
    const char *path = args_value(&ctx->args, "needs");
    json_t *args = json_pack("{s:s}", "action", "apply");
    struct filter_file *needs = NULL;
    int code = read_set(&ctx->args, args);

    params_take(args, &ctx->args, map);
    if (args_has(&ctx->args, "force") && !args_has(&ctx->args, "confirm-within")) {
        fprintf(stderr,
                "amtcli %s: --force needs --confirm-within: what may cut off the way back must undo itself\n",
                ctx->command->name);
        code = EXIT_USAGE;
    }
    if (code == EXIT_ALL && path)
        code = take_needs(ctx, path, args, &needs);
    if (code == EXIT_ALL)
        code = filter_file_take(word, json_object_get(args, "set"), needs, args);
    if (code == EXIT_ALL && needs)
        code = resolve_names(needs, json_object_get(args, "set"), json_object_get(args, "addresses"));
    filter_file_free(needs);
    host_lookup_tell(json_object_get(args, "addresses"));
    if (code == EXIT_ALL)
        return run_and_show(ctx, run_params("filter", args, target), RESULT_FILTER);
    json_decref(args);
    return code;
}

static int filter_apply(struct context *ctx)
{
    return apply_file(ctx, ctx->args.operands[0], ctx->args.operands[1]);
}

static int filter_ping(struct context *ctx)
{
    return apply_file(ctx, PING_FILE, ctx->args.operands[0]);
}

static int filter_remove(struct context *ctx)
{
    static const struct param map[] = {{"all", "all"}, {"when", "when"}, {NULL}};
    json_t *args = json_pack("{s:s}", "action", "remove");

    params_take(args, &ctx->args, map);
    return run_and_show(ctx, run_params("filter", args, ctx->args.operands[0]), RESULT_FILTER);
}

static const struct option_row remove_options[] = {
    {"all", 0, OPTION_FLAG, NULL, "everything, also what other products made and what waits"},
    {"when", 0, OPTION_CHOICE, "WHEN",
     "only what waits until a program that AMT watches over falls silent (agent), or for worm detection "
     "(worm)",
     .choices = "agent worm"},
    {NULL}};
static const struct option_row *const apply_tables[] = {
    set_options, apply_options, when_options, options_output, options_yes, options_run, NULL};
static const struct option_row *const ping_tables[] = {set_options, apply_options, options_output,
                                                       options_yes, options_run,   NULL};
static const struct option_row *const remove_tables[] = {remove_options, options_output, options_yes,
                                                         options_run, NULL};

const struct command command_filter_apply = {
    "filter apply",
    "FILTER TARGET",
    2,
    2,
    "put a filter file on devices, look that it is active, and put back what was there if not",
    apply_tables,
    "filter apply quarantine pc7 --set management=10.0.0.5\n"
    "filter apply quarantine @lab --canary 2 --batch 50 --max-failures 3 --confirm-within 10m\n"
    "filter apply site.xml pc7 --for 2h --anti-spoof -o json\n"
    "filter apply quarantine @lab --when agent",
    filter_apply};
const struct command command_filter_ping = {"filter ping",
                                            "TARGET",
                                            1,
                                            1,
                                            "limit pings that come in, let everything else pass",
                                            ping_tables,
                                            "filter ping @lab\nfilter ping pc7 --set ping-rate=5",
                                            filter_ping};
const struct command command_filter_remove = {
    "filter remove",
    "TARGET",
    1,
    1,
    "take away the filters that amtd put there",
    remove_tables,
    "filter remove pc7\nfilter remove @lab --yes\nfilter remove pc7 --when agent\nfilter remove pc7 --all",
    filter_remove};

/* --- looking at devices --- */

static int look(struct context *ctx)
{
    const char *action = ctx->command->name + strlen("filter ");

    return run_and_show(ctx,
                        run_params("filter", json_pack("{s:s}", "action", action), ctx->args.operands[0]),
                        RESULT_FILTER);
}

static const struct option_row *const look_tables[] = {options_output, options_run, NULL};

const struct command command_filter_stats = {
    "filter stats",
    "TARGET",
    1,
    1,
    "what the counting filters of devices counted, with the names of the rules",
    look_tables,
    "filter stats pc7\nfilter stats pc7 -o json",
    look};
const struct command command_filter_drift = {
    "filter drift",
    "TARGET",
    1,
    1,
    "compare devices with what amtd put there, also what waits; exit code 1 where they differ",
    look_tables,
    "filter drift @lab\nfilter drift all -o json",
    look};

/* --- what amtd keeps --- */

/* A line for each policy: a host with one that waits has several. */
static json_t *status_lines(const json_t *rows, enum format format)
{
    json_t *lines = json_array(), *row, *item;
    size_t i, k;

    json_array_foreach((json_t *)rows, i, row)
    {
        const json_t *waiting = json_object_get(row, "waiting");
        bool active = json_is_string(json_object_get(row, "policy"));
        json_t *line = json_copy(row);

        if (!active && json_array_size(waiting) == 0 && format == FORMAT_TABLE)
            json_object_set_new(line, "policy", json_string("none"));
        if (active)
            json_object_set_new(line, "when", json_string("now"));
        if (active || json_object_get(row, "at_it") || json_array_size(waiting) == 0)
            json_array_append(lines, line);
        json_decref(line);
        json_array_foreach((json_t *)waiting, k, item)
        {
            line = json_copy(item);
            json_object_set(line, "host", json_object_get(row, "host"));
            json_array_append_new(lines, line);
        }
    }
    return lines;
}

/* Two hosts whose filters are the same in all that people would call equal share a line. */
static void print_status(const struct args *args, const json_t *rows)
{
    static const struct column columns[] = {
        {"HOST", "host"},       {"POLICY", "policy"},    {"WHEN", "when"},
        {"FILTERS", "filters"}, {"SINCE", "since"},      {"WHO", "who"},
        {"FILE", "file"},       {"UNTIL", "until"},      {"CONFIRM BY", "confirm_by"},
        {"THEN", "then"},       {"AT IT", "at_it.what"}, {NULL}};
    static const struct column folded[] = {{"COUNT", "count"},      {"HOSTS", "host"},
                                           {"POLICY", "policy"},    {"WHEN", "when"},
                                           {"FILTERS", "filters"},  {"WHO", "who"},
                                           {"FILE", "file"},        {"THEN", "then"},
                                           {"AT IT", "at_it.what"}, {NULL}};
    bool json = output_format(args) == FORMAT_JSON, fold = args_has(args, "fold") && !json;
    json_t *lines = json ? json_incref((json_t *)rows) : status_lines(rows, output_format(args));
    json_t *shown = fold ? fold_results(lines, &folded[2]) : json_incref(lines);

    output_rows(output_format(args), shown, fold ? folded : columns);
    json_decref(shown);
    json_decref(lines);
}

static int filter_status(struct context *ctx)
{
    json_t *params = json_object(), *reply;
    int code;

    if (ctx->args.operand_count > 0)
        json_object_set_new(params, "target", json_string(ctx->args.operands[0]));
    code = context_call(ctx, "filter.status", params, &reply);
    if (code != 0)
        return code;
    print_status(&ctx->args, reply);
    json_decref(reply);
    return EXIT_ALL;
}

static int filter_confirm(struct context *ctx)
{
    static const struct param map[] = {{"when", "when"}, {NULL}};
    json_t *params = json_pack("{s:s}", "target", ctx->args.operands[0]), *reply;
    json_int_t confirmed;
    int code;

    params_take(params, &ctx->args, map);
    code = context_call(ctx, "filter.confirm", params, &reply);
    if (code != 0)
        return code;
    confirmed = json_integer_value(json_object_get(reply, "confirmed"));
    fprintf(stderr, confirmed == 1 ? "%lld host keeps its filters\n" : "%lld hosts keep their filters\n",
            (long long)confirmed);
    json_decref(reply);
    return EXIT_ALL;
}

static const struct option_row status_options[] = {
    {"fold", 'b', OPTION_FLAG, NULL, "one line for hosts with equal filters"}, {NULL}};
static const struct option_row confirm_options[] = {
    {"when", 0, OPTION_CHOICE, "WHEN",
     "what waits until a program that AMT watches over falls silent (agent), or for worm detection (worm), "
     "instead of what is active",
     .choices = "agent worm"},
    {NULL}};
static const struct option_row *const confirm_tables[] = {confirm_options, NULL};
static const struct option_row *const status_tables[] = {status_options, options_output, NULL};

const struct command command_filter_status = {
    "filter status",
    "[TARGET]",
    0,
    1,
    "which filters are active where or wait for their time, since when, by whom, from which file, until when",
    status_tables,
    "filter status -b\nfilter status @lab -o json",
    filter_status};
const struct command command_filter_confirm = {"filter confirm",
                                               "TARGET",
                                               1,
                                               1,
                                               "keep filters that were applied with --confirm-within",
                                               confirm_tables,
                                               "filter confirm @lab\nfilter confirm @lab --when agent",
                                               filter_confirm};
