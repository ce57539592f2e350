/* redirection: which kinds of redirection a device lets in, and ending the session of somebody else. */
#include <stddef.h>

#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "wsman/redirection.h"

#define REDIRECTION_BUDGET_MS 60000

struct redirection_args {
    int sol, ider, listener, kvm; /* positions in switch_names */
    int end;                      /* position in end_names */
};

static const char *const switch_names[] = {"leave", "on", "off", NULL};
static const char *const end_names[] = {"none", "sol", "ider", NULL};
static const enum redirection_action end_actions[] = {REDIRECTION_READ, REDIRECTION_END_SOL,
                                                      REDIRECTION_END_IDER};

static const struct task_arg args_table[] = {
    {"sol", TASK_ARG_NAME, offsetof(struct redirection_args, sol), .names = switch_names},
    {"ider", TASK_ARG_NAME, offsetof(struct redirection_args, ider), .names = switch_names},
    {"listener", TASK_ARG_NAME, offsetof(struct redirection_args, listener), .names = switch_names},
    {"kvm", TASK_ARG_NAME, offsetof(struct redirection_args, kvm), .names = switch_names},
    {"end", TASK_ARG_NAME, offsetof(struct redirection_args, end), .names = end_names},
    {NULL},
};

static bool sets(const struct redirection_args *ra)
{
    return ra->sol > 0 || ra->ider > 0 || ra->listener > 0 || ra->kvm > 0;
}

static int redirection_parse(void *args, const json_t *json, struct err *err)
{
    const struct redirection_args *ra = args;

    if (task_args_read(args_table, json, args, err) != 0)
        return -1;
    if (ra->end > 0 && sets(ra))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'end' goes without settings");
    return 0;
}

static bool redirection_changes(const void *args)
{
    return sets(args) || ((const struct redirection_args *)args)->end > 0;
}

static int64_t redirection_budget(const void *args)
{
    (void)args;
    return REDIRECTION_BUDGET_MS;
}

/* leave, on, off: -1, 1, 0 */
static int switch_value(int position)
{
    return position == 0 ? -1 : position == 1;
}

static void redirection_init(void *work, const void *args, const struct host *host,
                             const struct quirks *quirks)
{
    const struct redirection_args *ra = args;
    const struct redirection_request request = {
        .action = sets(ra) ? REDIRECTION_SET : end_actions[ra->end],
        .sol = switch_value(ra->sol),
        .ider = switch_value(ra->ider),
        .listener = switch_value(ra->listener),
        .kvm = switch_value(ra->kvm),
    };

    (void)host;
    (void)quirks;
    redirection_seq_init(work, &request);
}

static const char *kvm_text(enum kvm_state state)
{
    switch (state) {
    case KVM_IN_USE:
        return "in use";
    case KVM_ENABLED:
        return "on";
    case KVM_DISABLED:
        return "off";
    case KVM_ABSENT:
        return "none";
    }
    return "unknown";
}

static void redirection_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct redirection_seq *rs = work;

    if (rs->state == REDIRECTION_UNKNOWN)
        return;
    finding->detail = json_pack("{s:b, s:b, s:b, s:s}", "sol",
                                rs->state == REDIRECTION_SOL || rs->state == REDIRECTION_BOTH, "ider",
                                rs->state == REDIRECTION_IDER || rs->state == REDIRECTION_BOTH, "listener",
                                rs->listener, "kvm", kvm_text(rs->kvm));
    if (rs->changed_any && !failure)
        finding->remark = rs->request.action == REDIRECTION_SET ? "changed" : "the session was ended";
}

static void redirection_drop(void *work)
{
    redirection_seq_clear(work);
}

static void redirection_would(const void *args, const struct host *host, struct buf *out)
{
    const struct redirection_args *ra = args;
    const struct {
        const char *name;
        int position;
    } switches[] = {{"SOL", ra->sol}, {"IDE-R", ra->ider}, {"the listener", ra->listener}, {"KVM", ra->kvm}};
    const char *before = "would switch ";

    (void)host;
    if (ra->end > 0)
        buf_printf(out, "would end its %s session", ra->end == 1 ? "SOL" : "IDE-R");
    else if (!sets(ra))
        buf_puts(out, "would read its redirection settings");
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        if (switches[i].position == 0)
            continue;
        buf_printf(out, "%s%s %s", before, switches[i].name, switch_names[switches[i].position]);
        before = ", ";
    }
}

const struct task task_redirection = {
    .name = "redirection",
    .args_size = sizeof(struct redirection_args),
    .work_size = sizeof(struct redirection_seq),
    .parse = redirection_parse,
    .changes = redirection_changes,
    .budget_ms = redirection_budget,
    .init = redirection_init,
    .find = redirection_find,
    .drop = redirection_drop,
    .would = redirection_would,
};
