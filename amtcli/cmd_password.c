/* password rotate, list, show, export, forget. */
#include "amtcli/cmd_password.h"

#include <stdio.h>

#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/run_view.h"
#include "amtcli/secret_file.h"
#include "base/text.h"

/* --- rotate --- */

static const struct option_row rotate_options[] = {
    {"length", 0, OPTION_NUMBER, "N", "how many signs it has", .min = 8, .max = 32, .standard = "20"},
    {NULL},
};

static int password_rotate(struct context *ctx)
{
    static const struct param map[] = {{"length", "length"}, {NULL}};
    json_t *args = json_object();

    params_take(args, &ctx->args, map);
    return run_and_show(ctx, run_params("password", args, ctx->args.operands[0]), RESULT_PLAIN);
}

/* --- looking --- */

static const struct option_row former_options[] = {
    {"all", 'a', OPTION_FLAG, NULL, "also those that were before"},
    {NULL},
};

static int show_rows(struct context *ctx, const char *call, json_t *params, const struct column *columns)
{
    static const struct param map[] = {{"all", "former"}, {NULL}};
    json_t *reply;
    int code;

    params_take(params, &ctx->args, map);
    code = context_call(ctx, call, params, &reply);
    if (code != EXIT_ALL)
        return code;
    output_rows(output_format(&ctx->args), reply, columns);
    json_decref(reply);
    return EXIT_ALL;
}

static int password_list(struct context *ctx)
{
    static const struct column columns[] = {{"HOST", "host"},   {"USER", "user"}, {"STATE", "state"},
                                            {"SINCE", "since"}, {"RUN", "run"},   {NULL}};
    json_t *params = json_object();

    if (ctx->args.operand_count > 0)
        json_object_set_new(params, "target", json_string(ctx->args.operands[0]));
    return show_rows(ctx, "password.list", params, columns);
}

static int password_show(struct context *ctx)
{
    static const struct column columns[] = {
        {"USER", "user"}, {"PASSWORD", "password"}, {"STATE", "state"}, {"SINCE", "since"}, {NULL}};

    return show_rows(ctx, "password.show", json_pack("{s:s}", "host", ctx->args.operands[0]), columns);
}

/* --- export --- */

static void put_passwords(FILE *file, const json_t *reply)
{
    static const struct column columns[] = {
        {"HOST", "host"}, {"USER", "user"}, {"PASSWORD", "password"}, {"STATE", "state"}, {NULL}};

    output_csv(file, json_object_get(reply, "passwords"), columns);
}

/* That somebody has them is told only when they are on his disk. */
static int password_export(struct context *ctx)
{
    const char *target = ctx->args.operands[0], *path = ctx->args.operands[1];
    json_t *reply;
    size_t count;
    int code = context_call(ctx, "password.export", json_pack("{s:s}", "target", target), &reply);

    if (code != EXIT_ALL)
        return code;
    count = json_array_size(json_object_get(reply, "passwords"));
    if (count == 0)
        fputs("none of these hosts has a password of its own: nothing was written\n", stderr);
    else
        code = secret_file(path, "password export", put_passwords, reply);
    if (code == EXIT_ALL && count > 0)
        code = context_call(
            ctx, "password.saved",
            json_pack("{s:s, s:O}", "target", target, "at_ms", json_object_get(reply, "at_ms")), NULL);
    if (code == EXIT_ALL && count > 0)
        fprintf(stderr, "%zu %s in %s, readable by you alone\n", count, count == 1 ? "password" : "passwords",
                path);
    json_decref(reply);
    return code;
}

/* --- forget --- */

static int password_forget(struct context *ctx)
{
    const char *target = ctx->args.operands[0];
    json_int_t count;
    json_t *reply;
    int code = EXIT_ALL;

    if (!args_has(&ctx->args, "yes"))
        code = confirm_hosts(ctx, target, "password forget");
    if (code != EXIT_ALL)
        return code;
    code = context_call(ctx, "password.forget", json_pack("{s:s}", "target", target), &reply);
    if (code != EXIT_ALL)
        return code;
    count = json_integer_value(json_object_get(reply, "forgotten"));
    fprintf(stderr, "%lld %s forgotten\n", (long long)count,
            text_plural((uint64_t)count, "password", "passwords"));
    json_decref(reply);
    return EXIT_ALL;
}

/* --- the commands --- */

static const struct option_row *const rotate_tables[] = {rotate_options, options_output, options_yes,
                                                         options_run, NULL};
static const struct option_row *const look_tables[] = {former_options, options_output, NULL};
static const struct option_row *const export_tables[] = {NULL};
static const struct option_row *const forget_tables[] = {options_yes, NULL};

const struct command command_password_rotate = {
    "password rotate",
    "TARGET",
    1,
    1,
    "give each machine a random password of its own; it is proved before the old one is given up",
    rotate_tables,
    "password rotate pc7\npassword rotate @lab --yes --max-failures 5",
    password_rotate};
const struct command command_password_list = {"password list",
                                              "[TARGET]",
                                              0,
                                              1,
                                              "list the machines that have a password of their own",
                                              look_tables,
                                              "password list\npassword list @lab -o json",
                                              password_list};
const struct command command_password_show = {
    "password show",
    "HOST",
    1,
    1,
    "show a machine's own password (the activity log says who looked)",
    look_tables,
    "password show pc7\npassword show pc7 --all",
    password_show};
const struct command command_password_export = {
    "password export",
    "TARGET FILE",
    2,
    2,
    "write the machines' own passwords to a new file (CSV) that only you can read: to print, or to keep in a "
    "safe "
    "before they are unprovisioned",
    export_tables,
    "password export @retired /root/retired.csv\npassword export all /media/stick/passwords.csv",
    password_export};
const struct command command_password_forget = {
    "password forget",
    "TARGET",
    1,
    1,
    "go back to the passwords of the profiles, for machines that were set up anew",
    forget_tables,
    "password forget pc7",
    password_forget};
