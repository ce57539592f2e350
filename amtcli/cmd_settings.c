/* Settings of devices: redirection, consent, clock. */
#include "amtcli/cmd_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/output.h"
#include "amtcli/params.h"
#include "amtcli/run_view.h"
#include "base/secret.h"
#include "base/xalloc.h"

/* --- redirection --- */

#define SWITCH(name, text)                                                                                   \
    {                                                                                                        \
        name, 0, OPTION_CHOICE, "HOW", text, .choices = "on off"                                             \
    }

static const struct option_row redirection_options[] = {
    SWITCH("sol", "let serial consoles in"),
    SWITCH("ider", "let redirected drives in"),
    SWITCH("kvm", "let keyboard, video and mouse in"),
    SWITCH("listener", "open the ports of redirection"),
    {"end", 0, OPTION_CHOICE, "KIND",
     "end the session that is open, whoever holds it (firmware 10 and later)", .choices = "sol ider"},
    {NULL},
};

static int redirection(struct context *ctx)
{
    static const struct param map[] = {{"sol", "sol"},           {"ider", "ider"}, {"kvm", "kvm"},
                                       {"listener", "listener"}, {"end", "end"},   {NULL}};
    json_t *args = json_object();

    params_take(args, &ctx->args, map);
    if (ctx->args.operand_count > 1 && json_object_size(args) > 0) {
        fputs("amtcli redirection: show goes without settings\n", stderr);
        json_decref(args);
        return EXIT_USAGE;
    }
    return run_and_show(ctx, run_params("redirection", args, ctx->args.operands[0]), RESULT_REDIRECTION);
}

/* --- consent --- */

#define CODE_DIGITS 6

/* The one host of a target; NULL when there are others, or when *code says that they cannot be found out. */
static char *one_host(struct context *ctx, const char *target, int *code)
{
    char *name = NULL;
    json_t *reply, *hosts;

    *code = context_call(ctx, "target.resolve", json_pack("{s:s}", "target", target), &reply);
    if (*code != EXIT_ALL)
        return NULL;
    hosts = json_object_get(reply, "hosts");
    if (json_array_size(hosts) == 1)
        name = xstrdup(json_string_value(json_array_get(hosts, 0)));
    json_decref(reply);
    return name;
}

/* A line of standard input into code; false when it is empty. */
static bool read_code(const char *host, char *code, size_t size)
{
    if (can_ask())
        fprintf(stderr, "the six digits on the screen of %s: ", host);
    if (!fgets(code, (int)size, stdin)) {
        clearerr(stdin);
        if (can_ask())
            fputc('\n', stderr);
        return false;
    }
    code[strcspn(code, " \t\r\n")] = '\0';
    return code[0] != '\0';
}

static int send_code(struct context *ctx, const char *host)
{
    char code[64];
    json_t *args;
    int result;

    if (!read_code(host, code, sizeof(code))) {
        fputs("amtcli consent: no code was sent\n", stderr);
        return EXIT_REFUSED;
    }
    if (strlen(code) != CODE_DIGITS || strspn(code, "0123456789") != CODE_DIGITS) {
        fputs("amtcli consent: a code has six digits; none was sent\n", stderr);
        return EXIT_USAGE;
    }
    args = json_pack("{s:s, s:s}", "action", "send", "code", code);
    result = run_and_show(ctx, run_params("consent", args, host), RESULT_CONSENT);
    secret_wipe(code, sizeof(code));
    return result;
}

/* The code is on the screen: the one who asked for it will hear it next. */
static int start(struct context *ctx, const char *target)
{
    json_t *args = json_pack("{s:s}", "action", "start");
    int code = run_and_show(ctx, run_params("consent", args, target), RESULT_CONSENT);
    char *host;

    if (code != EXIT_ALL || !can_ask() || args_has(&ctx->args, "dry-run"))
        return code;
    host = one_host(ctx, target, &code);
    if (host)
        code = send_code(ctx, host);
    free(host);
    return code;
}

static int enter_code(struct context *ctx, const char *target)
{
    int code;
    char *host = one_host(ctx, target, &code);

    if (host) {
        code = send_code(ctx, host);
    } else if (code == EXIT_ALL) { /* sent to the others it would count as a wrong one */
        fputs("amtcli consent: a code is that of one machine: name one host\n", stderr);
        code = EXIT_USAGE;
    }
    free(host);
    return code;
}

static int consent(struct context *ctx)
{
    const char *target = ctx->args.operands[0];
    const char *action = ctx->args.operand_count > 1 ? ctx->args.operands[1] : "show";
    const char *policy = ctx->args.operand_count > 2 ? ctx->args.operands[2] : NULL;
    json_t *args;

    if ((strcmp(action, "policy") == 0) != (policy != NULL)) {
        fputs(policy ? "amtcli consent: only policy takes a value\n"
                     : "amtcli consent: policy expects none, kvm or all\n",
              stderr);
        return EXIT_USAGE;
    }
    if (strcmp(action, "start") == 0)
        return start(ctx, target);
    if (strcmp(action, "code") == 0)
        return enter_code(ctx, target);
    args = json_pack("{s:s, s:s*}", "action", action, "policy", policy);
    return run_and_show(ctx, run_params("consent", args, target), RESULT_CONSENT);
}

/* --- clock --- */

static const struct option_row clock_options[] = {
    {"limit", 0, OPTION_TIME, "T", "set only what is off by more than T", .min = 1000, .max = 86400000,
     .standard = "10s"},
    {NULL},
};

static int clock_of(struct context *ctx)
{
    static const struct param map[] = {{"limit", "limit_ms"}, {NULL}};
    bool set = ctx->args.operand_count > 1 && strcmp(ctx->args.operands[1], "set") == 0;
    json_t *args = json_pack("{s:b}", "set", (int)set);

    params_take(args, &ctx->args, map);
    return run_and_show(ctx, run_params("clock", args, ctx->args.operands[0]), RESULT_CLOCK);
}

/* --- alert --- */

static int alert_of(struct context *ctx)
{
    const char *action = ctx->args.operand_count > 1 ? ctx->args.operands[1] : "show";

    return run_and_show(ctx, run_params("alert", json_pack("{s:s}", "action", action), ctx->args.operands[0]),
                        RESULT_ALERT);
}

/* --- the commands --- */

static const struct option_row *const redirection_tables[] = {redirection_options, options_output,
                                                              options_yes, options_run, NULL};
static const struct option_row *const consent_tables[] = {options_output, options_yes, options_run, NULL};
static const struct option_row *const alert_tables[] = {options_output, options_yes, options_run, NULL};
static const struct option_row *const clock_tables[] = {clock_options, options_output, options_yes,
                                                        options_run, NULL};

const struct command command_redirection = {
    "redirection",
    "TARGET [show]",
    1,
    2,
    "show or set which consoles and drives devices let in; what is not given stays",
    redirection_tables,
    "redirection @lab\nredirection @lab --sol on --listener on --yes\nredirection pc7 --end sol",
    redirection};
const struct command command_consent = {
    "consent",
    "TARGET [show|start|code|cancel|policy] [none|kvm|all]",
    1,
    3,
    "the consent of the user at the machine: start shows a code there, code sends what they read out",
    consent_tables,
    "consent pc7\nconsent pc7 start\nconsent pc7 code < code.txt\nconsent @lab policy none --yes",
    consent};
const struct command command_clock = {"clock",
                                      "TARGET [show|set]",
                                      1,
                                      2,
                                      "show how far the clocks of devices are off, or set them",
                                      clock_tables,
                                      "clock @lab -b\nclock @lab set --limit 1m --yes",
                                      clock_of};
const struct command command_alert = {
    "alert",
    "TARGET [show|on|off]",
    1,
    2,
    "who hears of what devices tell on their own; on: this amtd does (see amtcli event list)",
    alert_tables,
    "alert @lab -b\nalert @lab on --yes",
    alert_of};
