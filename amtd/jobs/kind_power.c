/* power: as `amtcli power` does it. */
#include <string.h>

#include "amtd/jobs/kinds.h"

#define GRACEFUL_MS 60000 /* as the task has it */

static const char *const actions[] = {"status",     "on",    "off",       "cycle", "reset", "soft-off",
                                      "soft-reset", "sleep", "hibernate", "nmi",   NULL};

static const struct job_param params[] = {
    {"action", JOB_PARAM_CHOICE, .required = true, .main = true, .choices = actions, .text = "what to do"},
    {"graceful", JOB_PARAM_BOOL, .standard = "false",
     .text = "with off, cycle, reset: ask the operating system first"},
    {"graceful-for", JOB_PARAM_DURATION, .field = "graceful_ms", .min = 1000, .max = 3600000,
     .standard = "60s", .text = "how long it may take before it is done without it"},
    {"no-wait", JOB_PARAM_BOOL, .field = "no_wait", .standard = "false",
     .text = "done when the device accepts: do not watch the state"},
    {NULL},
};

static const char *action_of(const json_t *args)
{
    return json_string_value(json_object_get(args, "action"));
}

/* Those that bring about a state read it first, and send nothing when it is there. The others do something at
 * each call. */
static enum job_again power_again(const json_t *args)
{
    static const char *const states[] = {"status", "on", "off", "soft-off", "sleep", "hibernate"};

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(action_of(args), states[i]) == 0)
            return JOB_AGAIN_SAFE;
    return strcmp(action_of(args), "nmi") == 0 ? JOB_AGAIN_NEVER : JOB_AGAIN_ASK;
}

/* Caught while it was off, or stayed so: all that is left is to switch it on. Cycling it again could hit a
 * machine that comes up by itself just now. */
static json_t *power_finish(const json_t *args)
{
    (void)args;
    return json_pack("{s:s}", "action", "on");
}

/* The operating system takes its time to shut down, and may not do it at all; then it is done without it. */
static bool asks_os_first(const json_t *args)
{
    return json_is_true(json_object_get(args, "graceful")) && strcmp(action_of(args), "cycle") == 0;
}

static int64_t power_moves_ms(const json_t *args)
{
    const json_t *graceful = json_object_get(args, "graceful_ms");

    if (!asks_os_first(args))
        return JOB_MOVES_MS;
    return JOB_MOVES_MS + (graceful ? json_integer_value(graceful) : GRACEFUL_MS);
}

/* A machine that ran before is on again after, and one that was off is off: it is asked first, as it may have
 * started its system meanwhile. One that slept has somebody's work open, and stays on. */
json_t *power_undo(const json_t *args, const struct operation *was, const char **task)
{
    bool was_on = was->from && strcmp(was->from, "on") == 0,
         was_off = was->from && strcmp(was->from, "off") == 0;
    bool is_on = was->to && strcmp(was->to, "on") == 0;

    (void)args;
    *task = "power";
    if (was_on && was->to && !is_on)
        return json_pack("{s:s}", "action", "on");
    return was_off && is_on ? json_pack("{s:s, s:b}", "action", "off", "graceful", 1) : NULL;
}

const struct job_kind job_kind_power = {
    .name = "power",
    .text = "power the machine on or off, restart it, or read its state",
    .params = params,
    .task = "power",
    .role = JOB_OPERATES,
    .again = power_again,
    .finish = power_finish,
    .moves_ms = power_moves_ms,
    .wants_proof = asks_os_first,
    .undo = power_undo,
};
