/* config: what the settings of devices are, and what they are declared to be. */
#include "amtcli/cmd_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/run_view.h"
#include "amtcli/text_file.h"

#define TEXT_MAX 65536

/* --- files --- */

/* {name, text} of a file; NULL and *code after a message. */
static json_t *take_file(const char *path, int *code)
{
    json_t *text = NULL, *file;
    char *name;

    *code = text_file_read(path, TEXT_MAX, "a configuration", &text);
    if (*code != EXIT_ALL)
        return NULL;
    name = text_file_name(path, "configuration");
    file = json_pack("{s:s, s:o}", "name", name, "text", text);
    free(name);
    return file;
}

static void print_checked(struct context *ctx, const json_t *checked, const char *path)
{
    static const struct column columns[] = {{"SETTING", "setting"}, {"SHOULD BE", "should"}, {NULL, NULL}};
    json_t *mistakes = json_object_get(checked, "mistakes"), *rows = json_array(), *value;
    json_t *configuration = json_object_get(checked, "configuration"), *out;
    bool good = json_array_size(mistakes) == 0;
    const char *name;

    json_object_foreach(json_object_get(configuration, "settings"), name, value)
        json_array_append_new(rows, json_pack("{s:s, s:O}", "setting", name, "should", value));
    if (output_format(&ctx->args) == FORMAT_JSON) {
        out = json_pack("{s:s, s:s, s:O, s:O}", "file", path, "result", good ? "good" : "invalid", "mistakes",
                        mistakes, "configuration", configuration);
        output_json(out);
        json_decref(out);
    } else if (good) {
        output_rows(output_format(&ctx->args), rows, columns);
    }
    json_decref(rows);
}

static int check_file(struct context *ctx, const json_t *file, json_t **checked)
{
    return context_call(ctx, "config.check", json_deep_copy(file), checked);
}

static int config_check(struct context *ctx)
{
    const char *path = ctx->args.operands[0];
    json_t *checked = NULL, *file;
    int code;

    file = take_file(path, &code);
    if (file)
        code = check_file(ctx, file, &checked);
    if (checked && code == EXIT_ALL) {
        print_checked(ctx, checked, path);
        fflush(stdout);
        if (text_file_tell(json_object_get(checked, "mistakes"), path) > 0)
            code = EXIT_USAGE;
    }
    json_decref(checked);
    json_decref(file);
    return code;
}

/* A file without mistakes: all of them are told here, with their places. */
static json_t *take_good_file(struct context *ctx, const char *path, int *code)
{
    json_t *checked = NULL, *file = take_file(path, code);

    if (file)
        *code = check_file(ctx, file, &checked);
    if (*code == EXIT_ALL && text_file_tell(json_object_get(checked, "mistakes"), path) > 0)
        *code = EXIT_USAGE;
    json_decref(checked);
    if (*code == EXIT_ALL)
        return file;
    json_decref(file);
    return NULL;
}

/* --- on devices --- */

/* With a file: it, and the target behind it. Without: the target is a collection, and what is declared for it
 * holds. */
static int run_config(struct context *ctx, const char *action)
{
    static const struct param map[] = {{"force", "force"}, {"arrival", "arrival_ms"}, {NULL}};
    bool has_file = ctx->args.operand_count > 1;
    const char *target = ctx->args.operands[has_file];
    json_t *args = json_pack("{s:s}", "action", action), *file;
    int code = EXIT_ALL;

    params_take(args, &ctx->args, map);
    if (has_file) {
        file = take_good_file(ctx, ctx->args.operands[0], &code);
        if (file)
            json_object_set_new(args, "file", file);
    } else if (target[0] == '@' && target[strcspn(target, ",!")] == '\0') {
        json_object_set_new(args, "collection", json_string(target + 1));
    } else {
        fprintf(stderr,
                "amtcli %s: configurations are declared for collections: name one (@lab), or give a file\n",
                ctx->command->name);
        code = EXIT_USAGE;
    }
    if (code == EXIT_ALL)
        return run_and_show(ctx, run_params("config", args, target), RESULT_CONFIG);
    json_decref(args);
    return code;
}

static int config_show(struct context *ctx)
{
    json_t *args = json_pack("{s:s}", "action", "show");

    return run_and_show(ctx, run_params("config", args, ctx->args.operands[0]), RESULT_SETTINGS);
}

static int config_diff(struct context *ctx)
{
    return run_config(ctx, "diff");
}

static int config_apply(struct context *ctx)
{
    return run_config(ctx, "apply");
}

/* --- collections --- */

static void print_conflicts(const json_t *conflicts)
{
    const json_t *one;
    size_t i;

    json_array_foreach(conflicts, i, one)
    {
        fprintf(
            stderr,
            "amtcli: @%s is declared with '%s: %s', and both have %s: apply will refuse them until the two "
            "agree\n",
            json_string_value(json_object_get(one, "collection")),
            json_string_value(json_object_get(one, "setting")),
            json_string_value(json_object_get(one, "there")),
            json_string_value(json_object_get(one, "hosts")));
    }
}

static int config_declare(struct context *ctx)
{
    json_t *file, *reply;
    const char *collection = ctx->args.operands[1];
    int code;

    file = take_good_file(ctx, ctx->args.operands[0], &code);
    if (!file)
        return code;
    json_object_set_new(file, "collection", json_string(collection + (collection[0] == '@')));
    code = context_call(ctx, "config.declare", file, &reply);
    if (code != EXIT_ALL)
        return code;
    if (output_format(&ctx->args) == FORMAT_JSON)
        output_json(reply);
    else
        fprintf(stderr, "@%s is to be as '%s' says, version %lld\n",
                json_string_value(json_object_get(reply, "collection")),
                json_string_value(json_object_get(reply, "name")),
                (long long)json_integer_value(json_object_get(reply, "version")));
    print_conflicts(json_object_get(reply, "conflicts"));
    json_decref(reply);
    return code;
}

static int config_declared(struct context *ctx)
{
    static const struct column columns[] = {{"COLLECTION", "collection"},
                                            {"CONFIGURATION", "name"},
                                            {"VERSION", "version"},
                                            {"SINCE", "since"},
                                            {"WHO", "who"},
                                            {NULL, NULL}};
    const char *name = ctx->args.operand_count > 0 ? ctx->args.operands[0] : NULL;
    json_t *reply, *params = name ? json_pack("{s:s}", "name", name + (name[0] == '@')) : json_object();
    int code = context_call(ctx, name ? "config.declared" : "config.list", params, &reply);

    if (code != EXIT_ALL)
        return code;
    if (!name)
        output_rows(output_format(&ctx->args), reply, columns);
    else if (output_format(&ctx->args) == FORMAT_JSON)
        output_json(reply);
    else
        fputs(json_string_value(json_object_get(reply, "text")), stdout);
    json_decref(reply);
    return code;
}

static int config_forget(struct context *ctx)
{
    const char *name = ctx->args.operands[0];
    json_t *reply;
    int code =
        context_call(ctx, "config.forget", json_pack("{s:s}", "name", name + (name[0] == '@')), &reply);

    if (code == EXIT_ALL)
        json_decref(reply);
    return code;
}

static int config_schema(struct context *ctx)
{
    json_t *reply;
    int code = context_call(ctx, "config.schema", NULL, &reply);

    if (code != EXIT_ALL)
        return code;
    output_json(reply);
    json_decref(reply);
    return code;
}

/* --- the commands --- */

static const struct option_row apply_options[] = {
    {"force", 0, OPTION_FLAG, NULL,
     "also what may cut amtd off from the device: another address, no wireless, no answers in sleep"},
    {"arrival", 0, OPTION_TIME, "T",
     "how long a device that moves is waited for at its new address; then what it had is put back, where it "
     "still "
     "answers",
     .min = 1000, .max = 600000, .standard = "1m"},
    {NULL}};
static const struct option_row *const output_tables[] = {options_output, NULL};
static const struct option_row *const run_tables[] = {options_output, options_run, NULL};
static const struct option_row *const apply_tables[] = {apply_options, options_output, options_yes,
                                                        options_run, NULL};

const struct command command_config_show = {
    "config show",
    "TARGET",
    1,
    1,
    "the settings of devices: network, redirection, consent, power, clock",
    run_tables,
    "config show pc7\nconfig show @lab -o json",
    config_show};
const struct command command_config_check = {"config check",
                                             "FILE",
                                             1,
                                             1,
                                             "read a configuration and tell every mistake in it",
                                             output_tables,
                                             "config check lab.yaml\nconfig check lab.yaml -o json",
                                             config_check};
const struct command command_config_diff = {
    "config diff",
    "[FILE] TARGET",
    1,
    2,
    "compare devices with a configuration, or with the one that is declared for the collection; exit code 1 "
    "where they differ",
    run_tables,
    "config diff lab.yaml pc7\nconfig diff @lab -b",
    config_diff};
const struct command command_config_drift = {
    "config drift",
    "TARGET",
    1,
    1,
    "compare a collection with what is declared for it; exit code 1 where a device differs",
    run_tables,
    "config drift @lab\nconfig drift @lab -o json",
    config_diff};
const struct command command_config_apply = {
    "config apply",
    "[FILE] TARGET",
    1,
    2,
    "make settings what a configuration says: only what differs is changed, addresses last, and all is read "
    "back",
    apply_tables,
    "config apply lab.yaml pc7 --dry-run\n"
    "config apply lab.yaml @lab --canary 2 --batch 50 --max-failures 3 --yes\n"
    "config apply @lab --yes -o json",
    config_apply};
const struct command command_config_declare = {
    "config declare",
    "FILE COLLECTION",
    2,
    2,
    "say what the settings of a collection are to be; devices are not asked",
    output_tables,
    "config declare lab.yaml @lab",
    config_declare};
const struct command command_config_declared = {
    "config declared",
    "[COLLECTION]",
    0,
    1,
    "the configuration that is declared for a collection; without one: which have any",
    output_tables,
    "config declared\nconfig declared @lab > lab.yaml",
    config_declared};
const struct command command_config_forget = {
    "config forget",      "COLLECTION", 1, 1, "declare nothing any more for a collection", NULL,
    "config forget @lab", config_forget};
const struct command command_config_schema = {
    "config schema", "",           0, 0, "print what a configuration may hold, as JSON Schema", NULL,
    "config schema", config_schema};
