/* certificate ca, list, issue, renew, check, remove. */
#include "amtcli/cmd_certificate.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/run_view.h"
#include "amtcli/secret_file.h"

#define DAY_MS ((int64_t)86400000)

/* --- the CA --- */

static int ca_export(const json_t *rows)
{
    json_t *row;
    size_t i;

    json_array_foreach((json_t *)rows, i, row)
    {
        const char *state = json_string_value(json_object_get(row, "state"));
        const char *pem = json_string_value(json_object_get(row, "pem"));

        if (pem && state && strcmp(state, "retired") != 0)
            fputs(pem, stdout);
    }
    return EXIT_ALL;
}

static int ca_show(const struct context *ctx, const json_t *rows)
{
    static const struct column columns[] = {{"STATE", "state"},    {"SUBJECT", "subject"},
                                            {"UNTIL", "until"},    {"CERTIFICATES", "certificates"},
                                            {"SHA-256", "sha256"}, {NULL}};

    output_rows(output_format(&ctx->args), rows, columns);
    return EXIT_ALL;
}

static int certificate_ca(struct context *ctx)
{
    const char *what = ctx->args.operand_count > 0 ? ctx->args.operands[0] : "show";
    bool renew = strcmp(what, "renew") == 0;
    json_t *reply;
    int code;

    if (!renew && strcmp(what, "show") != 0 && strcmp(what, "export") != 0) {
        fprintf(stderr, "amtcli certificate ca: '%s': expected show, export or renew\n", what);
        return EXIT_USAGE;
    }
    code = context_call(ctx, renew ? "certificate.ca_renew" : "certificate.ca", json_object(), &reply);
    if (code != EXIT_ALL)
        return code;
    code = strcmp(what, "export") == 0 ? ca_export(reply) : ca_show(ctx, reply);
    json_decref(reply);
    return code;
}

/* --- for a client --- */

static const struct option_row client_options[] = {
    {"name", 0, OPTION_TEXT, "NAME", "whom it is for", .standard = "amtd"},
    {"days", 0, OPTION_NUMBER, "N", "how long it is valid", .min = 1, .max = 1825, .standard = "365"},
    {NULL},
};

static void put_pair(FILE *file, const json_t *reply)
{
    fputs(json_string_value(json_object_get(reply, "certificate")), file);
    fputs(json_string_value(json_object_get(reply, "key")), file);
}

static int certificate_client(struct context *ctx)
{
    static const struct param map[] = {{"days", "days"}, {NULL}};
    const char *name = args_value(&ctx->args, "name");
    json_t *params = json_pack("{s:s}", "name", name ? name : "amtd"), *reply;
    int code;

    params_take(params, &ctx->args, map);
    code = context_call(ctx, "certificate.client", params, &reply);
    if (code != EXIT_ALL)
        return code;
    code = secret_file(ctx->args.operands[0], "certificate client", put_pair, reply);
    json_decref(reply);
    return code;
}

/* --- of machines --- */

static const struct option_row former_options[] = {
    {"all", 'a', OPTION_FLAG, NULL, "also those that were before"},
    {NULL},
};

static int certificate_list(struct context *ctx)
{
    static const struct param map[] = {{"all", "former"}, {NULL}};
    static const struct column columns[] = {
        {"HOST", "host"},   {"STATE", "state"},         {"CA", "ca"}, {"UNTIL", "until"},
        {"NAMES", "names"}, {"OLD ROOTS", "old_roots"}, {NULL}};
    json_t *params = json_object(), *reply;
    int code;

    if (ctx->args.operand_count > 0)
        json_object_set_new(params, "target", json_string(ctx->args.operands[0]));
    params_take(params, &ctx->args, map);
    code = context_call(ctx, "certificate.list", params, &reply);
    if (code != EXIT_ALL)
        return code;
    output_rows(output_format(&ctx->args), reply, columns);
    json_decref(reply);
    return EXIT_ALL;
}

static const struct option_row issue_options[] = {
    {"days", 0, OPTION_NUMBER, "N", "how long it is valid", .min = 1, .max = 1825, .standard = "365"},
    {"within", 0, OPTION_TIME, "T", "also in place of one that ends within T", .min = 1000,
     .max = 1825 * DAY_MS, .standard = "30d"},
    {"force", 0, OPTION_FLAG, NULL, "also in place of one that is good"},
    {"push-key", 0, OPTION_FLAG, NULL, "amtd makes the key; else the device does, where it can"},
    {NULL},
};
static const struct option_row way_options[] = {
    {"mutual", 0, OPTION_CHOICE, "HOW",
     "whether clients must show a certificate of amtd's CA or of another root of the device",
     .choices = "keep on off", .standard = "keep"},
    {"plain", 0, OPTION_CHOICE, "HOW", "whether connections without TLS are taken besides",
     .choices = "keep on off", .standard = "keep; on when TLS is switched on"},
    {NULL},
};
static const struct option_row within_options[] = {
    {"within", 0, OPTION_TIME, "T", "what ends within T is due", .min = 1000, .max = 1825 * DAY_MS,
     .standard = "30d"},
    {NULL},
};

static int run_action(struct context *ctx, const char *action)
{
    static const struct param map[] = {{"days", "days"},
                                       {"within", "within_ms"},
                                       {"force", "force"},
                                       {"push-key", "push_key"},
                                       {"mutual", "mutual"},
                                       {"plain", "plain"},
                                       {NULL}};
    json_t *args = json_pack("{s:s}", "action", action);

    params_take(args, &ctx->args, map);
    return run_and_show(ctx, run_params("certificate", args, ctx->args.operands[0]), RESULT_CERTIFICATE);
}

static int certificate_issue(struct context *ctx)
{
    return run_action(ctx, "issue");
}

static int certificate_renew(struct context *ctx)
{
    return run_action(ctx, "renew");
}

static int certificate_check(struct context *ctx)
{
    return run_action(ctx, "check");
}

static int certificate_remove(struct context *ctx)
{
    return run_action(ctx, "remove");
}

/* --- the commands --- */

static const struct option_row *const output_tables[] = {options_output, NULL};
static const struct option_row *const client_tables[] = {client_options, NULL};
static const struct option_row *const list_tables[] = {former_options, options_output, NULL};
static const struct option_row *const issue_tables[] = {issue_options, way_options, options_output,
                                                        options_yes,   options_run, NULL};
static const struct option_row *const renew_tables[] = {issue_options, options_output, options_yes,
                                                        options_run, NULL};
static const struct option_row *const check_tables[] = {within_options, options_output, options_run, NULL};
static const struct option_row *const remove_tables[] = {options_output, options_yes, options_run, NULL};

const struct command command_certificate_ca = {
    "certificate ca",
    "[show|export|renew]",
    0,
    1,
    "show amtd's CA, print its certificates for others to trust, or make a new one",
    output_tables,
    "certificate ca\ncertificate ca export > ca.pem\ncertificate ca renew",
    certificate_ca};
const struct command command_certificate_client = {
    "certificate client",
    "FILE",
    1,
    1,
    "write a certificate of amtd's CA and its key to a new file: for profiles, and devices with mutual TLS",
    client_tables,
    "certificate client /etc/amtd/client.pem\nprofile set lab --tls pin --client-cert /etc/amtd/client.pem "
    "--client-key /etc/amtd/client.pem",
    certificate_client};
const struct command command_certificate_list = {"certificate list",
                                                 "[TARGET]",
                                                 0,
                                                 1,
                                                 "list the certificates that amtd gave to machines",
                                                 list_tables,
                                                 "certificate list\ncertificate list @lab -o json",
                                                 certificate_list};
const struct command command_certificate_issue = {
    "certificate issue",
    "TARGET",
    1,
    1,
    "give machines a certificate of amtd's CA, switch TLS on, and prove it before the old one is removed",
    issue_tables,
    "certificate issue pc7\ncertificate issue @lab --yes --max-failures 5\ncertificate issue pc7 --plain off",
    certificate_issue};
const struct command command_certificate_renew = {
    "certificate renew",
    "TARGET",
    1,
    1,
    "renew the certificates that end soon or come from a CA that was renewed",
    renew_tables,
    "certificate renew all --yes\ncertificate renew pc7 --force",
    certificate_renew};
const struct command command_certificate_check = {
    "certificate check",
    "TARGET",
    1,
    1,
    "look which certificate machines show, and whether it is good",
    check_tables,
    "certificate check @lab\ncertificate check @lab --within 60d -o json",
    certificate_check};
const struct command command_certificate_remove = {
    "certificate remove",
    "TARGET",
    1,
    1,
    "switch TLS off and remove amtd's certificate; over a profile without TLS",
    remove_tables,
    "certificate remove pc7 --profile plain",
    certificate_remove};
