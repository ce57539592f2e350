/* Agent presence: programs on machines that AMT watches over. */
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
