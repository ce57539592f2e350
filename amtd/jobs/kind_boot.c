/* boot: as `amtcli boot` does it. */
#include <string.h>

#include "amtd/jobs/kinds.h"

static const char *const goals[] = {"normal", "bios",        "bios-pause", "pxe", "disk",
                                    "cd",     "diagnostics", "safe-mode",  NULL};
static const char *const verbosities[] = {"default", "quiet", "verbose", "blank", NULL};

#define FLAG(file_name, json_name, help)                                                                     \
    {                                                                                                        \
        (file_name), JOB_PARAM_BOOL, .field = (json_name), .standard = "false", .text = (help)               \
    }

static const struct job_param params[] = {
    {"to", JOB_PARAM_CHOICE, .required = true, .main = true, .choices = goals, .text = "what boots"},
    FLAG("reset", "reset", "reset (or power on) now; else it holds for the next boot"),
    FLAG("graceful", "graceful", "with reset: ask the operating system to restart"),
    {"media", JOB_PARAM_NUMBER, .field = "media_index", .min = 1, .max = 255, .text = "which disk or CD"},
    {"verbosity", JOB_PARAM_CHOICE, .choices = verbosities, .text = "what the firmware shows"},
    FLAG("sol", "use_sol", "send the firmware's screen to the serial console"),
    FLAG("lock-keyboard", "lock_keyboard", "until the next boot"),
    FLAG("lock-power-button", "lock_power_button", "until the next boot"),
    FLAG("lock-reset-button", "lock_reset_button", "until the next boot"),
    FLAG("lock-sleep-button", "lock_sleep_button", "until the next boot"),
    FLAG("password-bypass", "password_bypass", "do not ask for the firmware's user password"),
    FLAG("progress-events", "progress_events", "report all progress as events"),
    FLAG("secure-boot", "secure_boot", "enforce secure boot"),
    {NULL},
};

/* A setting for the next boot is the same when it is made twice; a restart is not. */
static enum job_again boot_again(const json_t *args)
{
    return json_is_true(json_object_get(args, "reset")) ? JOB_AGAIN_ASK : JOB_AGAIN_SAFE;
}

/* What waits for the next boot is cleared: a normal boot is the same as none. One that was started cannot be
 * taken back, but a machine that was off for it is off again. */
static json_t *boot_undo(const json_t *args, const struct operation *was, const char **task)
{
    if (json_is_true(json_object_get(args, "reset")))
        return power_undo(args, was, task);
    return json_pack("{s:s}", "to", "normal");
}

static size_t boot_needs(const json_t *args, struct job_need *needs)
{
    if (strcmp(json_string_value(json_object_get(args, "to")), "pxe") != 0)
        return 0;
    needs[0] = (struct job_need){"dhcp", "udp", NULL, 67, 68, 4};
    needs[1] = (struct job_need){"tftp", "udp", NULL, 69, 0, 4};
    return 2;
}

const struct job_kind job_kind_boot = {
    .name = "boot",
    .text = "choose what the next boot does, once, and start it",
    .params = params,
    .task = "boot",
    .role = JOB_OPERATES,
    .again = boot_again,
    .undo = boot_undo,
    .needs = boot_needs,
};
