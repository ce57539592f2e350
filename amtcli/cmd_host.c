/* host add, import, list, show, set, remove. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/cmd_host.h"
#include "amtcli/import_csv.h"
#include "amtcli/list_view.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/text_file.h"
#include "base/text.h"
#include "base/xalloc.h"

#define MISTAKES_MAX (1 << 20)
#define TEXT_MAX     65536

static const struct option_row placing[] = {
    {"address", 'a', OPTION_TEXT, "ADDRESS", "of the first host; the others count up"},
    {"profile", 'p', OPTION_TEXT, "PROFILE", "log in with this profile alone"},
    {"tag", 't', OPTION_TEXT, "NAME=VALUE", "a tag; may be given several times"},
    {NULL},
};

static void say_count(json_t *reply, const char *field, const char *what)
{
    json_int_t n = json_integer_value(json_object_get(reply, field));

    fprintf(stderr, "%lld %s %s\n", (long long)n, text_plural((uint64_t)n, "host", "hosts"), what);
    json_decref(reply);
}

static int host_add(struct context *ctx)
{
    static const struct param map[] = {{"address", "address"}, {"profile", "profile"}, {NULL}};
    json_t *params = json_pack("{s:s}", "hosts", ctx->args.operands[0]), *reply;
    int code = params_take_tags(params, &ctx->args, false);

    if (code != 0) {
        json_decref(params);
        return code;
    }
    params_take(params, &ctx->args, map);
    code = context_call(ctx, "host.add", params, &reply);
    if (code == 0)
        say_count(reply, "added", "added");
    return code;
}

/* --- import --- */

/* What only amtd could find wrong, where it stands in the file. */
static void show_row_mistakes(const char *path, const json_t *lines, const json_t *mistakes)
{
    const json_t *mistake;
    size_t i;

    json_array_foreach((json_t *)mistakes, i, mistake)
    {
        json_int_t row = json_integer_value(json_object_get(mistake, "row"));
        struct buf text = buf_init(TEXT_MAX);

        cell_text(mistake, "message", &text);
        fprintf(stderr, "%s:%lld: %s\n", path,
                (long long)json_integer_value(json_array_get(lines, (size_t)row - 1)), buf_str(&text));
        buf_free(&text);
    }
}

static int import_send(struct context *ctx, const char *path, json_t *rows, const json_t *lines)
{
    json_t *params = json_pack("{s:o, s:b}", "rows", rows, "update", (int)args_has(&ctx->args, "update")),
           *reply;
    int code = context_call_details(ctx, "host.import", params, &reply);

    if (code != 0)
        show_row_mistakes(path, lines, reply);
    else
        fprintf(stderr, "%lld added, %lld updated, %lld unchanged\n",
                (long long)json_integer_value(json_object_get(reply, "added")),
                (long long)json_integer_value(json_object_get(reply, "updated")),
                (long long)json_integer_value(json_object_get(reply, "unchanged")));
    json_decref(reply);
    return code;
}

/* As much as can be wrong is found here, all of it before anything is sent. */
static int import_file(struct context *ctx, FILE *file, const char *path, const json_t *words)
{
    struct hostlist *hosts = hostlist_parse(json_string_value(json_object_get(words, "hosts")), NULL);
    struct import_known known = {.profiles = json_object_get(words, "profiles")};
    struct buf mistakes = buf_init(MISTAKES_MAX);
    json_t *rows, *lines;
    int code = EXIT_USAGE;

    if (!args_has(&ctx->args, "update"))
        known.hosts = hosts;
    rows = import_csv_read(file, path, &known, &lines, &mistakes);
    if (rows)
        code = import_send(ctx, path, rows, lines);
    else
        fputs(buf_str(&mistakes), stderr);
    json_decref(lines);
    buf_free(&mistakes);
    hostlist_free(hosts);
    return code;
}

static int host_import(struct context *ctx)
{
    const char *path = ctx->args.operands[0];
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    json_t *words;
    int code;

    if (!file) {
        text_file_unread(path, "hosts as CSV", errno);
        return EXIT_USAGE;
    }
    code = context_call(ctx, "target.words", NULL, &words);
    if (code == EXIT_ALL) {
        code = import_file(ctx, file, path, words);
        json_decref(words);
    }
    if (file != stdin)
        fclose(file);
    return code;
}

/* --- looking --- */

/* The profile that is set, or else the one that worked. */
static bool add_login(json_t *host, struct output *output)
{
    json_t *profile = json_object_get(host, "profile");

    (void)output;
    if (!json_string_length(profile))
        profile = json_object_get(json_object_get(host, "facts"), "profile");
    json_object_set(host, "login", profile);
    return true;
}

static int host_list(struct context *ctx)
{
    static const struct column columns[] = {
        {"HOST", "name"},           {"ADDRESS", "address"},
        {"POWER", "facts.power"},   {"VERSION", "facts.amt.version"},
        {"REACHED", "facts.reach"}, {"PROFILE", "login"},
        {"TAGS", "tags.*"},         {NULL},
    };
    static const struct column csv[] = {{"", "name"},   {"", "address"}, {"", "profile"},
                                        {"", "tags.*"}, {"", "facts.*"}, {NULL}};
    static const char *const also[] = {"profile", "facts.profile", NULL};
    static const struct list_view view = {.call = "host.list",
                                          .columns = columns,
                                          .csv = csv,
                                          .prepare = add_login,
                                          .also = also,
                                          .none = "no hosts; add some with: amtcli host add\n"};
    json_t *params = json_object();

    if (ctx->args.operand_count > 0)
        json_object_set_new(params, "target", json_string(ctx->args.operands[0]));
    return list_show(ctx, &view, params, output_format(&ctx->args), NULL);
}

static void show_pairs(const json_t *host, const char *group, const char *title)
{
    const json_t *pairs = json_object_get(host, group);
    const char *name;
    json_t *value;

    if (json_object_size(pairs) > 0)
        printf("  %s\n", title);
    json_object_foreach((json_t *)pairs, name, value)
    {
        struct buf left = buf_init(TEXT_MAX), right = buf_init(TEXT_MAX);

        text_printable(&left, name, strlen(name));
        cell_text(pairs, name, &right);
        printf("    %-14s %s\n", buf_str(&left), buf_str(&right));
        buf_free(&left);
        buf_free(&right);
    }
}

static void show_one(const json_t *host)
{
    static const struct column fields[] = {{"  address", "address"}, {"  profile", "profile"}, {NULL}};
    struct buf name = buf_init(TEXT_MAX);

    cell_text(host, "name", &name);
    puts(buf_str(&name));
    buf_free(&name);
    output_object(FORMAT_TABLE, host, fields);
    show_pairs(host, "tags", "tags");
    show_pairs(host, "facts", "learned");
}

static int host_show(struct context *ctx)
{
    json_t *reply, *host;
    size_t i;
    int code;

    if (output_format(&ctx->args) != FORMAT_TABLE)
        return host_list(ctx);
    code = context_call(ctx, "host.list", json_pack("{s:s}", "target", ctx->args.operands[0]), &reply);
    if (code != 0)
        return code;
    json_array_foreach(reply, i, host)
    {
        if (i > 0)
            putchar('\n');
        show_one(host);
    }
    json_decref(reply);
    return EXIT_ALL;
}

/* --- changing --- */

static const struct option_row setting[] = {
    {"forget-pin", 0, OPTION_FLAG, NULL, "forget the recorded certificate: the next one seen is taken"},
    {"pin", 0, OPTION_TEXT, "SHA256", "trust the certificate with this fingerprint, 64 hex digits"},
    {"forget-realm", 0, OPTION_FLAG, NULL,
     "forget the digest realm: after the device was provisioned anew; its UUID is compared before it is "
     "changed"},
    {"forget-facts", 0, OPTION_FLAG, NULL,
     "forget everything that was learned: after its board was replaced"},
    {NULL},
};

static int host_set(struct context *ctx)
{
    static const struct param map[] = {
        {"address", "address"}, {"profile", "profile"}, {"pin", "pin"}, {NULL}};
    static const char *const forget[][2] = {
        {"forget-pin", "pin"}, {"forget-realm", "realm"}, {"forget-facts", "facts"}};
    json_t *params = json_pack("{s:s}", "target", ctx->args.operands[0]), *list = json_array(), *reply;
    int code = params_take_tags(params, &ctx->args, true);

    for (size_t i = 0; i < 3; i++)
        if (args_has(&ctx->args, forget[i][0]))
            json_array_append_new(list, json_string(forget[i][1]));
    params_take(params, &ctx->args, map);
    if (json_array_size(list) > 0)
        json_object_set(params, "forget", list);
    json_decref(list);
    if (code == 0 && json_object_size(params) == 1) {
        fputs("amtcli host set: nothing to change is given; see 'amtcli host set --help'\n", stderr);
        code = EXIT_USAGE;
    }
    if (code != 0) {
        json_decref(params);
        return code;
    }
    code = context_call(ctx, "host.set", params, &reply);
    if (code == 0)
        say_count(reply, "changed", "changed");
    return code;
}

/* amtd refuses to remove many unless somebody has said yes. */
static int host_remove(struct context *ctx)
{
    const char *target = ctx->args.operands[0];
    bool confirmed = args_has(&ctx->args, "yes");
    struct err err = ERR_INIT;
    json_t *reply = NULL;
    int code;

    if (!context_client(ctx))
        return EXIT_NO_DAEMON;
    while (client_call(ctx->client, "host.remove",
                       json_pack("{s:s, s:b}", "target", target, "confirmed", (int)confirmed), NULL, NULL,
                       NULL, &reply, &err) != 0) {
        json_decref(reply);
        if (err.cause != CAUSE_REFUSED_UNCONFIRMED || confirmed || !can_ask()) {
            code = print_failure(&err);
            context_drop(ctx, &err);
            return code;
        }
        code = confirm_hosts(ctx, target, "host remove");
        if (code != EXIT_ALL)
            return code;
        confirmed = true;
    }
    say_count(reply, "removed", "removed");
    return EXIT_ALL;
}

/* --- the commands --- */

static const struct option_row import_options[] = {
    {"update", 'u', OPTION_FLAG, NULL, "change hosts that are there already"}, {NULL}};
static const struct option_row *const add_tables[] = {placing, NULL};
static const struct option_row *const import_tables[] = {import_options, NULL};
static const struct option_row *const list_tables[] = {options_output, NULL};
static const struct option_row *const set_tables[] = {placing, setting, NULL};
static const struct option_row *const remove_tables[] = {options_yes, NULL};

const struct command command_host_add = {
    "host add",
    "HOSTS",
    1,
    1,
    "add hosts to the fleet",
    add_tables,
    "host add pc7 --address 10.1.0.7\n"
    "host add 'pc[001-120]' --address 10.1.0.1 --profile lab --tag site=lab",
    host_add};
const struct command command_host_import = {
    "host import",
    "FILE",
    1,
    1,
    "add hosts from a CSV file with columns name, address, profile, tag.NAME",
    import_tables,
    "host import fleet.csv\nhost import --update - < fleet.csv\nhost list -o csv > fleet.csv",
    host_import};
const struct command command_host_list = {
    "host list",
    "[TARGET]",
    0,
    1,
    "list hosts",
    list_tables,
    "host list\nhost list @lab -o csv\nhost list 'where:amt.version < 11'",
    host_list};
const struct command command_host_show = {
    "host show", "TARGET",        1,        1, "show hosts with all that is known of them",
    list_tables, "host show pc7", host_show};
const struct command command_host_set = {
    "host set",
    "TARGET",
    1,
    1,
    "change hosts",
    set_tables,
    "host set pc7 --address 10.1.0.9\nhost set @lab --tag site=annex\nhost set pc7 --forget-pin",
    host_set};
const struct command command_host_remove = {"host remove",
                                            "TARGET",
                                            1,
                                            1,
                                            "remove hosts from the fleet",
                                            remove_tables,
                                            "host remove 'pc[090-099]' --yes",
                                            host_remove};
