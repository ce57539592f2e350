/* power: the state, and every action on it. */
#include <stddef.h>

#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "wsman/boot_sol.h"

/* Time for one host. A status is a few exchanges; a hard action is watched until firmware has settled; an OS
 * takes its time to shut down. */
#define STATUS_BUDGET_MS 30000
#define ACTION_BUDGET_MS 120000
#define SOFT_BUDGET_MS   300000
#define GRACEFUL_MS      60000

struct power_args {
    int action; /* enum power_action */
    bool graceful;
    int64_t graceful_ms;
    bool no_wait;
};

/* In the order of enum power_action. */
static const char *const actions[] = {"status",     "on",    "off",       "cycle", "reset", "soft-off",
                                      "soft-reset", "sleep", "hibernate", "nmi",   NULL};

static const struct task_arg args_table[] = {
    {"action", TASK_ARG_NAME, offsetof(struct power_args, action), true, .names = actions},
    {"graceful", TASK_ARG_BOOL, offsetof(struct power_args, graceful)},
    {"graceful_ms", TASK_ARG_MS, offsetof(struct power_args, graceful_ms), .min = 1000, .max = 3600000},
    {"no_wait", TASK_ARG_BOOL, offsetof(struct power_args, no_wait)},
    {NULL},
};

static int power_parse(void *args, const json_t *json, struct err *err)
{
    struct power_args *pa = args;

    if (task_args_read(args_table, json, args, err) != 0)
        return -1;
    if (pa->graceful && pa->action != POWER_DO_OFF && pa->action != POWER_DO_CYCLE &&
        pa->action != POWER_DO_RESET)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'graceful' goes with off, cycle and reset only");
    return 0;
}

static bool power_changes(const void *args)
{
    return ((const struct power_args *)args)->action != POWER_DO_STATUS;
}

static int64_t power_budget(const void *args)
{
    const struct power_args *pa = args;

    switch ((enum power_action)pa->action) {
    case POWER_DO_STATUS:
        return STATUS_BUDGET_MS;
    case POWER_DO_SOFT_OFF:
    case POWER_DO_SOFT_RESET:
    case POWER_DO_SLEEP:
    case POWER_DO_HIBERNATE:
        return SOFT_BUDGET_MS;
    default:
        return ACTION_BUDGET_MS + (pa->graceful ? (pa->graceful_ms > 0 ? pa->graceful_ms : GRACEFUL_MS) : 0);
    }
}

static struct power_request power_request(const struct power_args *pa)
{
    return (struct power_request){
        .action = (enum power_action)pa->action,
        .graceful = pa->graceful,
        .graceful_ms = pa->graceful_ms,
        .no_wait = pa->no_wait,
    };
}

static void power_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    struct power_request request = power_request(args);

    (void)host;
    power_seq_init(work, &request, quirks);
}

/* Whoever watches the console sees the boot from its first moment on. */
static void power_adapt(void *work, const void *args, unsigned conditions)
{
    static const bool boots[] = {
        [POWER_DO_ON] = true, [POWER_DO_CYCLE] = true, [POWER_DO_RESET] = true, [POWER_DO_SOFT_RESET] = true};
    struct power_request request = power_request(args);

    if ((conditions & HOST_CONSOLE_OPEN) && (size_t)request.action < sizeof(boots) && boots[request.action])
        boot_sol_seq_init(work, &request, ((const struct power_seq *)work)->quirks);
}

static void power_announce(const void *args, struct buf *out)
{
    buf_printf(out, "power %s",
               power_action_name((enum power_action)((const struct power_args *)args)->action));
}

static void power_drop(void *work)
{
    boot_sol_seq_clear(work);
}

static void power_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct power_report *report = &((const struct power_seq *)work)->report;

    (void)failure;
    if (report->from_known) {
        finding->from = power_state_name(report->from, report->from_standby);
        finding->to = power_state_name(report->to, report->to_standby);
        pairs_set(&finding->facts, "power", finding->to);
    }
    finding->tries = report->tries;
    finding->remark = report->remark;
}

static void power_would(const void *args, const struct host *host, struct buf *out)
{
    const struct power_args *pa = args;
    const char *last = pairs_get(&host->facts, "power");

    if (pa->action == POWER_DO_STATUS)
        buf_puts(out, "would read the power state");
    else
        buf_printf(out, "would %s%s", power_action_name((enum power_action)pa->action),
                   pa->graceful ? ", asking the operating system first" : "");
    buf_printf(out, " (last seen: %s)", last ? last : "never");
}

const struct task task_power = {
    .name = "power",
    .args_size = sizeof(struct power_args),
    .work_size = sizeof(struct boot_sol_seq),
    .parse = power_parse,
    .changes = power_changes,
    .budget_ms = power_budget,
    .init = power_init,
    .adapt = power_adapt,
    .announce = power_announce,
    .find = power_find,
    .drop = power_drop,
    .would = power_would,
};
