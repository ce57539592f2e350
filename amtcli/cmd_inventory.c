#include "amtcli/cmd_inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/forms.h"
#include "amtcli/list_view.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/run_view.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/xalloc.h"

#define COLUMNS_MAX      64
#define NAMES_MAX        (1u << 24) /* of hosts that are read first */
#define STANDARD_COLUMNS "system.model,system.serial,bios.version,memory.bytes,firmware.amt"

static int inventory_update(struct context *ctx)
{
    return run_and_show(ctx, run_params("inventory", json_object(), ctx->args.operands[0]), RESULT_INVENTORY);
}

/* --- one host --- */

static int call_show(struct context *ctx, bool quiet, json_t **reply)
{
    static const struct param map[] = {{"version", "version"}, {"since", "ago_ms"}, {NULL}};
    json_t *params = json_pack("{s:s, s:b}", "host", ctx->args.operands[0], "flat", 1);
    struct err err = ERR_INIT;
    int status;

    params_take(params, &ctx->args, map);
    if (!quiet)
        return context_call(ctx, "inventory.show", params, reply);
    if (!context_client(ctx)) {
        json_decref(params);
        return EXIT_NO_DAEMON;
    }
    status = client_call(ctx->client, "inventory.show", params, NULL, NULL, NULL, reply, &err);
    return status == 0 ? EXIT_ALL : err.cause == CAUSE_NOT_FOUND ? EXIT_SOME_FAILED : print_failure(&err);
}

static void print_facts(const json_t *reply)
{
    static const struct column columns[] = {{"FACT", "name"}, {"VALUE", "value"}, {NULL}};
    json_t *rows = json_array(), *value;
    const char *name;

    json_object_foreach(json_object_get(reply, "facts"), name, value)
        json_array_append_new(rows, json_pack("{s:s, s:O}", "name", name, "value", value));
    output_rows(FORMAT_TABLE, rows, columns);
    fprintf(stderr, "version %lld, read so from %s to %s\n",
            (long long)json_integer_value(json_object_get(reply, "version")),
            json_string_value(json_object_get(reply, "since")),
            json_string_value(json_object_get(reply, "seen")));
    json_decref(rows);
}

static int print_flat(enum format format, const json_t *reply)
{
    static const struct column columns[] = {{"FACT", "name"}, {"VALUE", "value"}, {NULL}};
    json_t *rows = json_array(), *value;
    const char *name;

    json_object_foreach(json_object_get(reply, "facts"), name, value)
        json_array_append_new(rows, json_pack("{s:s, s:O}", "name", name, "value", value));
    output_rows(format, rows, columns);
    json_decref(rows);
    return EXIT_ALL;
}

/* What was never read is read by the first look at it. */
static int read_first(struct context *ctx, const char *target, size_t count)
{
    json_t *params = run_params("inventory", json_object(), target), *reply = NULL;
    struct err err = ERR_INIT;
    int code = EXIT_ALL;

    if (!context_client(ctx)) {
        json_decref(params);
        return EXIT_NO_DAEMON;
    }
    fprintf(stderr, "nothing is known of %zu %s yet: reading\n", count, text_plural(count, "host", "hosts"));
    if (client_call(ctx->client, "run.start", params, NULL, NULL, NULL, &reply, &err) != 0)
        code = print_failure(&err);
    else if ((size_t)json_integer_value(json_object_get(reply, "ok")) != count)
        fprintf(stderr, "not all could be read: amtcli run show %lld\n",
                (long long)json_integer_value(json_object_get(reply, "run")));
    json_decref(reply);
    return code;
}

static int inventory_show(struct context *ctx)
{
    bool past = args_has(&ctx->args, "version") || args_has(&ctx->args, "since");
    enum format format = output_format(&ctx->args);
    json_t *reply = NULL;
    int code = call_show(ctx, !past, &reply);

    if (code == EXIT_SOME_FAILED && !past) {
        json_decref(reply);
        reply = NULL;
        code = read_first(ctx, ctx->args.operands[0], 1);
        if (code == EXIT_ALL)
            code = call_show(ctx, false, &reply);
    }
    if (code == EXIT_ALL && format == FORMAT_JSON) {
        json_object_del(reply, "facts");
        output_json(reply);
    } else if (code == EXIT_ALL && format == FORMAT_CSV) {
        print_flat(format, reply);
    } else if (code == EXIT_ALL) {
        print_facts(reply);
    }
    json_decref(reply);
    return code;
}

static int inventory_history(struct context *ctx)
{
    static const struct column columns[] = {
        {"HOST", "host"}, {"VERSION", "version"}, {"SINCE", "since"}, {"SEEN", "seen"}, {NULL}};
    json_t *reply;
    int code =
        context_call(ctx, "inventory.history", json_pack("{s:s}", "host", ctx->args.operands[0]), &reply);

    if (code != EXIT_ALL)
        return code;
    output_rows(output_format(&ctx->args), reply, columns);
    json_decref(reply);
    return EXIT_ALL;
}

static int inventory_diff(struct context *ctx)
{
    static const struct param map[] = {{"since", "ago_ms"}, {NULL}};
    static const struct column columns[] = {{"FACT", "name"}, {"WAS", "was"}, {"IS", "is"}, {NULL}};
    json_t *params = json_pack("{s:s}", "host", ctx->args.operands[0]), *reply;
    bool other = ctx->args.operand_count > 1;
    const struct column hosts[] = {{"FACT", "name"},
                                   {ctx->args.operands[0], "was"},
                                   {other ? ctx->args.operands[1] : NULL, "is"},
                                   {NULL}};
    int code;

    if (other && args_has(&ctx->args, "since")) {
        fputs("amtcli inventory diff: --since goes with one host\n", stderr);
        json_decref(params);
        return EXIT_USAGE;
    }
    params_take(params, &ctx->args, map);
    if (other) {
        json_object_set_new(params, "other", json_string(ctx->args.operands[0]));
        json_object_set_new(params, "host", json_string(ctx->args.operands[1]));
    }
    code = context_call(ctx, "inventory.diff", params, &reply);
    if (code != EXIT_ALL)
        return code;
    if (output_format(&ctx->args) == FORMAT_JSON)
        output_json(reply);
    else
        output_rows(output_format(&ctx->args), json_object_get(reply, "changes"), other ? hosts : columns);
    json_decref(reply);
    return EXIT_ALL;
}

/* --- many hosts --- */

/* "a,b,c" -> ["a", "b", "c"] */
static json_t *split(const char *text)
{
    json_t *list = json_array();

    while (*text) {
        size_t n = strcspn(text, ",");

        if (n > 0)
            json_array_append_new(list, json_stringn(text, n));
        text += n + (text[n] == ',');
    }
    return list;
}

/* A fact, as people read it. */
static struct column column_of(const char *fact)
{
    const char *dot = strrchr(fact, '.');
    bool is_size = strcmp(dot ? dot + 1 : fact, "bytes") == 0;

    return (struct column){fact, fact, is_size ? form_bytes : NULL};
}

/* Columns whose titles are the facts themselves. whole: everything, as JSON. */
static int list(struct context *ctx, enum format format, bool whole)
{
    struct column columns[COLUMNS_MAX + 3] = {{"HOST", "host"}, {"SEEN", "seen"}};
    const struct list_view view = {.call = "inventory.list", .columns = columns};
    const char *chosen = args_value(&ctx->args, "columns");
    json_t *names = split(chosen ? chosen : STANDARD_COLUMNS), *name;
    json_t *params = json_object();
    size_t n = 2, k;
    int code;

    json_array_foreach(names, k, name) if (n < COLUMNS_MAX) columns[n++] = column_of(json_string_value(name));
    if (ctx->args.operand_count > 0)
        json_object_set_new(params, "target", json_string(ctx->args.operands[0]));
    if (!whole) {
        json_object_set(params, "columns", names);
        json_object_set_new(params, "flat", json_true());
    }
    code = list_show(ctx, &view, params, whole ? FORMAT_JSON : format, NULL);
    json_decref(names);
    return code;
}

static int inventory_list(struct context *ctx)
{
    return list(ctx, output_format(&ctx->args), false);
}

/* The hosts of rows as an object, to look them up. Caller's. */
static json_t *hosts_of(const json_t *rows)
{
    json_t *hosts = json_object(), *row;
    size_t i;

    json_array_foreach(rows, i, row)
        json_object_set_new(hosts, json_string_value(json_object_get(row, "host")), json_true());
    return hosts;
}

/* Hosts of the target that were never read, joined by ','; *count gets how many. */
static int find_unread(struct context *ctx, const char *target, struct buf *names, size_t *count)
{
    json_t *hosts, *rows, *known, *host;
    int code = context_call(ctx, "host.list", json_pack("{s:s}", "target", target), &hosts);
    size_t i;

    if (code != EXIT_ALL)
        return code;
    code = context_call(ctx, "inventory.list",
                        json_pack("{s:s, s:[s]}", "target", target, "columns", "amt.domain"), &rows);
    if (code == EXIT_ALL) {
        known = hosts_of(rows);
        json_array_foreach(hosts, i, host)
        {
            const char *name = json_string_value(json_object_get(host, "name"));

            if (!json_object_get(known, name))
                buf_printf(names, "%s%s", (*count)++ > 0 ? "," : "", name);
        }
        json_decref(known);
        json_decref(rows);
    }
    json_decref(hosts);
    return code;
}

static int read_unread(struct context *ctx, const char *target)
{
    struct buf names = buf_init(NAMES_MAX);
    size_t count = 0;
    int code = find_unread(ctx, target, &names, &count);

    if (code == EXIT_ALL && count > 0)
        code = read_first(ctx, buf_str(&names), count);
    buf_free(&names);
    return code;
}

/* JSON has everything; a table or CSV what was chosen. */
static int inventory_export(struct context *ctx)
{
    enum format format = args_has(&ctx->args, "output") ? output_format(&ctx->args) : FORMAT_JSON;
    int code = ctx->args.operand_count > 0 ? read_unread(ctx, ctx->args.operands[0]) : EXIT_ALL;

    if (code != EXIT_ALL)
        return code;
    return list(ctx, format, format == FORMAT_JSON && !args_has(&ctx->args, "columns"));
}

static const struct option_row version_options[] = {
    {"version", 0, OPTION_NUMBER, "N", "this version, as history has it", .min = 1, .max = INT64_MAX},
    {"since", 0, OPTION_TIME, "T", "as it was so long ago", .min = 1000, .max = INT64_C(31536000000) * 100},
    {NULL},
};
static const struct option_row since_options[] = {
    {"since", 0, OPTION_TIME, "T", "from what it was so long ago; else from the version before", .min = 1000,
     .max = INT64_C(31536000000) * 100},
    {NULL},
};
static const struct option_row column_options[] = {
    {"columns", 'c', OPTION_TEXT, "FACT,...", "which facts", .standard = STANDARD_COLUMNS}, {NULL}};
static const struct option_row *const update_tables[] = {options_output, options_run, NULL};
static const struct option_row *const show_tables[] = {version_options, options_output, NULL};
static const struct option_row *const history_tables[] = {options_output, NULL};
static const struct option_row *const diff_tables[] = {since_options, options_output, NULL};
static const struct option_row *const list_tables[] = {column_options, options_output, NULL};

const struct command command_inventory_update = {"inventory update",
                                                 "TARGET",
                                                 1,
                                                 1,
                                                 "read what machines are made of, and keep what changed",
                                                 update_tables,
                                                 "inventory update @lab\ninventory update all -b",
                                                 inventory_update};
const struct command command_inventory_show = {
    "inventory show",
    "HOST",
    1,
    1,
    "what a machine is made of, as it was read last",
    show_tables,
    "inventory show pc7\ninventory show pc7 -o json\ninventory show pc7 --since 30d",
    inventory_show};
const struct command command_inventory_list = {
    "inventory list",
    "[TARGET]",
    0,
    1,
    "chosen facts of many machines",
    list_tables,
    "inventory list @lab\ninventory list all --columns bios.version,memory.bytes -o csv",
    inventory_list};
const struct command command_inventory_history = {"inventory history",
                                                  "HOST",
                                                  1,
                                                  1,
                                                  "the versions that are known of a machine's inventory",
                                                  history_tables,
                                                  "inventory history pc7",
                                                  inventory_history};
const struct command command_inventory_diff = {
    "inventory diff",
    "HOST [HOST]",
    1,
    2,
    "what changed in a machine, or what differs between two",
    diff_tables,
    "inventory diff pc7\ninventory diff pc7 --since 90d\ninventory diff pc7 pc8",
    inventory_diff};
const struct command command_inventory_export = {
    "inventory export",
    "[TARGET]",
    0,
    1,
    "everything that is known of machines: JSON, or chosen facts as CSV",
    list_tables,
    "inventory export > inventory.json\ninventory export @lab -o csv --columns system.serial,bios.version",
    inventory_export};
