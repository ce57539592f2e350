/* What AMT itself watches: programs on machines (agent presence), and worms. */
#include "amtcli/cmd_agent.h"

#include <string.h>

#include "amtcli/params.h"
#include "amtcli/run_view.h"

#define TIME_MOST_MS 65535000

static const struct option_row add_options[] = {
    {"guid", 'g', OPTION_TEXT, "GUID", "what the program calls itself to AMT", .required = true},
    {"name", 'N', OPTION_TEXT, "NAME", "for people; at most 16 characters", .required = true},
    {"startup", 0, OPTION_TIME, "T", "until its first sign of life after a start of the machine", .min = 1000,
     .max = TIME_MOST_MS, .required = true},
    {"silence", 0, OPTION_TIME, "T", "until it counts as expired after a sign of life", .min = 1000,
     .max = TIME_MOST_MS, .required = true},
    {"activate-on", 0, OPTION_TEXT, "STATES",
     "states that activate the policy: some of not-started, stopped, running, expired, suspended, or none",
     .standard = "expired,stopped"},
    {"deactivate-on", 0, OPTION_TEXT, "STATES", "states that end it", .standard = "running"},
    {"no-event", 0, OPTION_FLAG, NULL, "tell nobody of these states"},
    {NULL},
};

static const struct option_row remove_options[] = {
    {"guid", 'g', OPTION_TEXT, "GUID", "the watchdog of this program"},
    {"all", 0, OPTION_FLAG, NULL, "all watchdogs, also those of other products"},
    {NULL},
};

static int agent(struct context *ctx)
{
    static const struct param map[] = {{"guid", "guid"},
                                       {"name", "name"},
                                       {"startup", "startup_ms"},
                                       {"silence", "timeout_ms"},
                                       {"activate-on", "activate_on"},
                                       {"deactivate-on", "deactivate_on"},
                                       {"no-event", "silent"},
                                       {"all", "all"},
                                       {NULL}};
    json_t *args = json_pack("{s:s}", "action", ctx->command->name + strlen("agent "));

    if (ctx->command == &command_agent_remove &&
        !args_has(&ctx->args, "guid") == !args_has(&ctx->args, "all")) {
        fputs("amtcli agent remove: expected either --guid or --all\n", stderr);
        json_decref(args);
        return EXIT_USAGE;
    }
    params_take(args, &ctx->args, map);
    return run_and_show(ctx, run_params("agent", args, ctx->args.operands[0]), RESULT_AGENTS);
}

static const struct option_row *const list_tables[] = {options_output, options_run, NULL};
static const struct option_row *const add_tables[] = {add_options, options_output, options_yes, options_run,
                                                      NULL};
static const struct option_row *const remove_tables[] = {remove_options, options_output, options_yes,
                                                         options_run, NULL};

const struct command command_agent_list = {"agent list",
                                           "TARGET",
                                           1,
                                           1,
                                           "show over which programs devices watch, and how these are",
                                           list_tables,
                                           "agent list pc7\nagent list @lab -o csv",
                                           agent};
const struct command command_agent_add = {
    "agent add",
    "TARGET",
    1,
    1,
    "watch over a program: when it falls silent, the policy of 'filter apply --when agent' becomes active",
    add_tables,
    "agent add @lab --guid 6a1d6f2e-0b3c-4c1e-9d55-0123456789ab --name antivirus --startup 5m --silence 1m",
    agent};
const struct command command_agent_remove = {
    "agent remove",
    "TARGET",
    1,
    1,
    "watch over a program no more",
    remove_tables,
    "agent remove @lab --guid 6a1d6f2e-0b3c-4c1e-9d55-0123456789ab\nagent remove pc7 --all",
    agent};

/* --- worms --- */

static const struct option_row worm_options[] = {
    {"packets", 0, OPTION_NUMBER, "N", "to so many hosts at one port number is a worm", .min = 1,
     .max = 4294967295, .required = true},
    {"within", 0, OPTION_TIME, "T", "the time in which they count: 10ms to 1s, or 10s to 50s", .min = 10,
     .max = 50000, .required = true},
    {"block", 0, OPTION_CHOICE, "WHAT", "what the device blocks besides the policy",
     .choices = "none port all", .standard = "none"},
    {"lasts", 0, OPTION_TIME, "T", "until it is over by itself", .min = 1000, .max = (int64_t)365 * 86400000,
     .standard = "until it is reset"},
    {NULL},
};

static int worm(struct context *ctx)
{
    static const struct param map[] = {
        {"packets", "packets"}, {"within", "within_ms"}, {"block", "block"}, {"lasts", "lasts_ms"}, {NULL}};
    json_t *args = json_pack("{s:s}", "action", ctx->command->name + strlen("worm "));

    params_take(args, &ctx->args, map);
    return run_and_show(ctx, run_params("worm", args, ctx->args.operands[0]), RESULT_WORM);
}

static const struct option_row *const worm_set_tables[] = {worm_options, options_output, options_yes,
                                                           options_run, NULL};
static const struct option_row *const worm_reset_tables[] = {options_output, options_yes, options_run, NULL};

const struct command command_worm_show = {"worm show",
                                          "TARGET",
                                          1,
                                          1,
                                          "show what worm detection counts, and what it found (AMT 3 to 11)",
                                          list_tables,
                                          "worm show @lab\nworm show pc7 -o json",
                                          worm};
const struct command command_worm_set = {"worm set",
                                         "TARGET",
                                         1,
                                         1,
                                         "set what worm detection counts; the policy of 'filter apply --when "
                                         "worm' becomes active when it finds one",
                                         worm_set_tables,
                                         "worm set @lab --packets 50 --within 100ms --block port --lasts 30m",
                                         worm};
const struct command command_worm_reset = {
    "worm reset",      "TARGET",         1,   1, "end what worm detection found: the machine is clean again",
    worm_reset_tables, "worm reset pc7", worm};
