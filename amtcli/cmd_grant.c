/* grant add, list, remove: who may do what with which hosts. */
#include "amtcli/cmd_grant.h"

#include <stdio.h>
#include <string.h>

#include "amtcli/output.h"
#include "amtcli/params.h"

static const struct option_row grant_options[] = {
    {"user", 'u', OPTION_TEXT, "USER", "a UNIX account"},
    {"group", 'g', OPTION_TEXT, "GROUP", "or all members of a UNIX group"},
    {"on", 0, OPTION_TEXT, "COLLECTION", "with the hosts of this collection", .standard = "every host"},
    {NULL},
};

static json_t *grant_params(const struct args *args)
{
    static const struct param map[] = {{"user", "user"}, {"group", "group"}, {NULL}};
    json_t *params = json_pack("{s:s}", "role", args->operands[0]);
    const char *on = args_value(args, "on");

    params_take(params, args, map);
    if (on)
        json_object_set_new(params, "collection", json_string(on[0] == '@' ? on + 1 : on));
    return params;
}

static int change(struct context *ctx, const char *call)
{
    const struct args *args = &ctx->args;

    if (args_has(args, "user") == args_has(args, "group")) {
        fprintf(stderr, "amtcli %s: expected either --user or --group\n", ctx->command->name);
        return EXIT_USAGE;
    }
    return context_call(ctx, call, grant_params(args), NULL);
}

static int grant_add(struct context *ctx)
{
    return change(ctx, "grant.add");
}

static int grant_remove(struct context *ctx)
{
    return change(ctx, "grant.remove");
}

/* A role on no collection is one on every host. */
static void name_all(json_t *grants)
{
    json_t *grant;
    size_t i;

    json_array_foreach(grants, i, grant)
    {
        if (!json_is_string(json_object_get(grant, "collection")))
            json_object_set_new(grant, "collection", json_string("all"));
    }
}

static int grant_list(struct context *ctx)
{
    static const struct column columns[] = {
        {"USER", "user"}, {"GROUP", "group"}, {"ROLE", "role"}, {"ON", "collection"}, {NULL}};
    json_t *reply;
    int code = context_call(ctx, "grant.list", NULL, &reply);

    if (code != 0)
        return code;
    if (output_format(&ctx->args) == FORMAT_TABLE)
        name_all(reply);
    output_rows(output_format(&ctx->args), reply, columns);
    json_decref(reply);
    return EXIT_ALL;
}

static const struct option_row *const grant_tables[] = {grant_options, NULL};
static const struct option_row *const output_tables[] = {options_output, NULL};

#define ROLES "watch|operate|quarantine|administer"

const struct command command_grant_add = {"grant add",
                                          ROLES,
                                          1,
                                          1,
                                          "give a user or group a role; a higher one includes the lower ones",
                                          grant_tables,
                                          "grant add watch --group helpdesk\n"
                                          "grant add operate --user anna --on @lab",
                                          grant_add};
const struct command command_grant_list = {
    "grant list",         "",        0, 0, "list who was given which role on what", output_tables,
    "grant list -o json", grant_list};
const struct command command_grant_remove = {"grant remove",
                                             ROLES,
                                             1,
                                             1,
                                             "take a role away again",
                                             grant_tables,
                                             "grant remove operate --user anna --on @lab",
                                             grant_remove};
