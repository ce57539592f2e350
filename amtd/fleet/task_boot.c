/* boot: what the next boot does, and starting it. */
#include <stddef.h>

#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "wsman/boot.h"

#define BOOT_BUDGET_MS 120000

struct boot_args {
    int to; /* enum boot_goal */
    bool reset;
    bool graceful;
    uint32_t media_index;
    int verbosity; /* enum boot_verbosity */
    bool use_sol, lock_keyboard, lock_power_button, lock_reset_button, lock_sleep_button;
    bool password_bypass, progress_events, secure_boot;
};

/* In the order of enum boot_goal and enum boot_verbosity. */
static const char *const to_names[] = {"normal",      "bios",      "bios-pause", "pxe",         "disk", "cd",
                                       "diagnostics", "safe-mode", "ider-cd",    "ider-floppy", NULL};
static const char *const verbosity_names[] = {"default", "quiet", "verbose", "blank", NULL};

#define FLAG(name)                                                                                           \
    {                                                                                                        \
#name, TASK_ARG_BOOL, offsetof(struct boot_args, name)                                               \
    }

static const struct task_arg args_table[] = {
    {"to", TASK_ARG_NAME, offsetof(struct boot_args, to), true, .names = to_names},
    FLAG(reset),
    FLAG(graceful),
    {"media_index", TASK_ARG_U32, offsetof(struct boot_args, media_index), .min = 0, .max = 255},
    {"verbosity", TASK_ARG_NAME, offsetof(struct boot_args, verbosity), .names = verbosity_names},
    FLAG(use_sol),
    FLAG(lock_keyboard),
    FLAG(lock_power_button),
    FLAG(lock_reset_button),
    FLAG(lock_sleep_button),
    FLAG(password_bypass),
    FLAG(progress_events),
    FLAG(secure_boot),
    {NULL},
};

static int boot_parse(void *args, const json_t *json, struct err *err)
{
    const struct boot_args *ba = args;

    if (task_args_read(args_table, json, args, err) != 0)
        return -1;
    if (ba->graceful && !ba->reset)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'graceful' goes with 'reset'");
    if (ba->media_index > 0 && ba->to != BOOT_DISK && ba->to != BOOT_CD)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'media_index' goes with disk and cd only");
    return 0;
}

static bool boot_changes(const void *args)
{
    (void)args;
    return true;
}

static int64_t boot_budget(const void *args)
{
    (void)args;
    return BOOT_BUDGET_MS;
}

static void boot_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    const struct boot_args *ba = args;
    struct boot_request request = {
        .goal = (enum boot_goal)ba->to,
        .flags = (ba->use_sol ? BOOT_USE_SOL : 0u) | (ba->lock_keyboard ? BOOT_LOCK_KEYBOARD : 0u) |
                 (ba->lock_power_button ? BOOT_LOCK_POWER_BUTTON : 0u) |
                 (ba->lock_reset_button ? BOOT_LOCK_RESET_BUTTON : 0u) |
                 (ba->lock_sleep_button ? BOOT_LOCK_SLEEP_BUTTON : 0u) |
                 (ba->password_bypass ? BOOT_PASSWORD_BYPASS : 0u) |
                 (ba->progress_events ? BOOT_PROGRESS_EVENTS : 0u) |
                 (ba->secure_boot ? BOOT_SECURE_BOOT : 0u),
        .verbosity = (enum boot_verbosity)ba->verbosity,
        .media_index = (uint16_t)ba->media_index,
        .start = ba->reset,
        .graceful = ba->graceful,
    };

    (void)host;
    boot_seq_init(work, &request, quirks);
}

static void boot_adapt(void *work, const void *args, unsigned conditions)
{
    struct boot_seq *bs = work;

    (void)args;
    bs->boot.sol_if_offered = (conditions & HOST_CONSOLE_OPEN) != 0;
}

static void boot_announce(const void *args, struct buf *out)
{
    const struct boot_args *ba = args;

    if (ba->reset)
        buf_printf(out, "boot to %s", boot_goal_text((enum boot_goal)ba->to));
}

static void boot_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct boot_seq *bs = work;
    const struct power_report *report = &bs->power.report;

    if (report->from_known) {
        finding->from = power_state_name(report->from, report->from_standby);
        finding->to = power_state_name(report->to, report->to_standby);
        pairs_set(&finding->facts, "power", finding->to);
    }
    finding->tries = report->tries;
    finding->remark = report->remark;
    if (failure && bs->settings_done)
        finding->detail = json_pack("{s:b}", "settings_done", 1);
}

static void boot_drop(void *work)
{
    boot_seq_clear(work);
}

static void boot_would(const void *args, const struct host *host, struct buf *out)
{
    const struct boot_args *ba = args;
    const char *last = pairs_get(&host->facts, "power");

    buf_printf(out, "would set the next boot to %s", boot_goal_text((enum boot_goal)ba->to));
    if (ba->reset)
        buf_printf(out, " and %s (last seen: %s)",
                   ba->graceful ? "ask the operating system to restart" : "reset", last ? last : "never");
}

const struct task task_boot = {
    .name = "boot",
    .args_size = sizeof(struct boot_args),
    .work_size = sizeof(struct boot_seq),
    .parse = boot_parse,
    .changes = boot_changes,
    .budget_ms = boot_budget,
    .init = boot_init,
    .adapt = boot_adapt,
    .announce = boot_announce,
    .find = boot_find,
    .drop = boot_drop,
    .would = boot_would,
};
