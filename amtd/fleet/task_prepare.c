/* prepare: what must be so before a redirection session can be opened. */
#include <stddef.h>

#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "wsman/redirection_ready.h"

#define PREPARE_BUDGET_MS 60000

enum kind { KIND_SOL, KIND_IDER, KIND_BOTH };

struct prepare_args {
    int kind; /* enum kind */
    bool look;
    bool consent;
};

/* In the order of enum kind. */
static const char *const kinds[] = {"sol", "ider", "both", NULL};
static const char *const kind_texts[] = {"the console", "IDE redirection", "console and IDE redirection"};

static const struct task_arg args_table[] = {
    {"kind", TASK_ARG_NAME, offsetof(struct prepare_args, kind), true, .names = kinds},
    {"look", TASK_ARG_BOOL, offsetof(struct prepare_args, look)},
    {"consent", TASK_ARG_BOOL, offsetof(struct prepare_args, consent)},
    {NULL},
};

static int prepare_parse(void *args, const json_t *json, struct err *err)
{
    return task_args_read(args_table, json, args, err);
}

static bool prepare_changes(const void *args)
{
    return !((const struct prepare_args *)args)->look;
}

static int64_t prepare_budget(const void *args)
{
    (void)args;
    return PREPARE_BUDGET_MS;
}

static void prepare_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    const struct prepare_args *pa = args;
    struct redirection_ready_request request = {
        .sol = pa->kind != KIND_IDER,
        .ider = pa->kind != KIND_SOL,
        .look_only = pa->look,
        .ask_consent = pa->consent,
    };

    (void)host;
    (void)quirks;
    redirection_ready_init(work, &request);
}

static void prepare_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct redirection_ready_seq *rs = work;

    finding->remark = redirection_ready_changes(rs);
    if (rs->found == REDIRECTION_UNKNOWN && failure)
        return;
    finding->detail = json_pack("{s:s, s:b, s:b, s:s, s:I, s:s}", "state", redirection_state_name(rs->state),
                                "listener", rs->listener, "waits", redirection_ready_waits(rs), "consent",
                                rs->consent_wanted ? consent_state_name(rs->consent) : "not needed",
                                "code_timeout_s", (json_int_t)rs->code_timeout_s, "holder", rs->holder);
}

static void prepare_drop(void *work)
{
    redirection_ready_clear(work);
}

static void prepare_would(const void *args, const struct host *host, struct buf *out)
{
    const struct prepare_args *pa = args;

    (void)host;
    buf_printf(out, "would %s %s%s", pa->look ? "look whether" : "switch on", kind_texts[pa->kind],
               pa->look ? " can be used" : " and its listener where they are off");
}

const struct task task_prepare = {
    .name = "prepare",
    .args_size = sizeof(struct prepare_args),
    .work_size = sizeof(struct redirection_ready_seq),
    .parse = prepare_parse,
    .changes = prepare_changes,
    .budget_ms = prepare_budget,
    .init = prepare_init,
    .find = prepare_find,
    .drop = prepare_drop,
    .would = prepare_would,
};
