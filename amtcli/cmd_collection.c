/* collection add, set, list, show, remove. */
#include <stdio.h>
#include <string.h>

#include "amtcli/cmd_collection.h"
#include "amtcli/output.h"
#include "amtcli/params.h"
#include "base/text.h"

static const struct option_row content[] = {
    {"where", 'w', OPTION_TEXT, "QUERY", "a query: its hosts are looked up when the collection is used"},
    {"list", 'l', OPTION_TEXT, "HOSTS", "a fixed list of hosts"},
    {"replace", 0, OPTION_FLAG, NULL, "when a collection of this name is there"},
    {NULL},
};

/* "@lab" is how a target says it. */
static json_t *name_params(const struct context *ctx)
{
    const char *name = ctx->args.operands[0];

    return json_pack("{s:s}", "name", name + (name[0] == '@'));
}

static int collection_add(struct context *ctx)
{
    static const struct param map[] = {{"where", "where"}, {"list", "list"}, {"replace", "replace"}, {NULL}};
    json_t *params = name_params(ctx);
    json_int_t hosts;
    json_t *reply;
    int code;

    params_take(params, &ctx->args, map);
    code = context_call(ctx, "collection.put", params, &reply);
    if (code != 0)
        return code;
    hosts = json_integer_value(json_object_get(reply, "hosts"));
    fprintf(stderr, "%lld %s in @%s now\n", (long long)hosts,
            text_plural((uint64_t)hosts, "host is", "hosts are"),
            ctx->args.operands[0] + (ctx->args.operands[0][0] == '@'));
    json_decref(reply);
    return EXIT_ALL;
}

/* --set NAME=VALUE, all of them; an empty value removes. */
static int collection_set(struct context *ctx)
{
    const char *collection = ctx->args.operands[0], *text;
    json_t *set = json_object();

    for (size_t i = 0; (text = args_value_at(&ctx->args, "set", i)); i++) {
        const char *eq = strchr(text, '=');

        if (!eq || eq == text) {
            fprintf(stderr, "amtcli: --set: expected NAME=VALUE, not '%s'\n", text);
            json_decref(set);
            return EXIT_USAGE;
        }
        json_object_setn_new(set, text, (size_t)(eq - text), eq[1] ? json_string(eq + 1) : json_null());
    }
    if (json_object_size(set) == 0) {
        fprintf(stderr, "amtcli: collection set: expected --set NAME=VALUE\n");
        json_decref(set);
        return EXIT_USAGE;
    }
    return context_call(ctx, "collection.set",
                        json_pack("{s:s, s:o}", "name", collection + (collection[0] == '@'), "set", set),
                        NULL);
}

static int collection_list(struct context *ctx)
{
    static const struct column columns[] = {
        {"COLLECTION", "name"}, {"HOSTS", "hosts"}, {"WHERE", "where"}, {"LIST", "list"}, {NULL}};
    json_t *reply;
    int code;

    code = context_call(ctx, "collection.list", NULL, &reply);
    if (code != 0)
        return code;
    output_rows(output_format(&ctx->args), reply, columns);
    json_decref(reply);
    return EXIT_ALL;
}

static int collection_show(struct context *ctx)
{
    static const struct column fields[] = {{"collection", "name"},
                                           {"where", "where"},
                                           {"list", "list"},
                                           {"hosts", "hosts"},
                                           {"members", "members"},
                                           {"names", "names.*"},
                                           {NULL}};
    json_t *reply;
    int code;

    code = context_call(ctx, "collection.show", name_params(ctx), &reply);
    if (code != 0)
        return code;
    output_object(output_format(&ctx->args), reply, fields);
    json_decref(reply);
    return EXIT_ALL;
}

static int collection_remove(struct context *ctx)
{
    return context_call(ctx, "collection.remove", name_params(ctx), NULL);
}

static const struct option_row *const add_tables[] = {content, NULL};
static const struct option_row names[] = {
    {"set", 's', OPTION_TEXT, "NAME=VALUE",
     "what @NAME in filter files stands for on its hosts; empty: nothing any more; may be given several "
     "times"},
    {NULL},
};
static const struct option_row *const set_tables[] = {names, NULL};
static const struct option_row *const output_tables[] = {options_output, NULL};

const struct command command_collection_add = {
    "collection add",
    "NAME",
    1,
    1,
    "name a set of hosts, by list or by query",
    add_tables,
    "collection add lab --where 'tag.site = \"lab\" and amt.version >= 11'\n"
    "collection add rack7 --list 'pc[070-079]'",
    collection_add};
const struct command command_collection_set = {
    "collection set",
    "COLLECTION",
    1,
    1,
    "say what names in filter files stand for on the hosts of a collection",
    set_tables,
    "collection set lab --set task-server=10.0.0.6 --set package-server=10.0.0.7\n"
    "collection set lab --set task-server=",
    collection_set};
const struct command command_collection_list = {
    "collection list", "", 0, 0, "list collections", output_tables, "collection list", collection_list};
const struct command command_collection_show = {
    "collection show",     "COLLECTION",   1, 1, "show a collection and its hosts", output_tables,
    "collection show lab", collection_show};
const struct command command_collection_remove = {
    "collection remove",     "COLLECTION",     1, 1, "forget a collection (its hosts stay)", NULL,
    "collection remove lab", collection_remove};
