/* clock: how far a device's clock is off, and setting it. */
#include <stddef.h>
#include <stdio.h>

#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "wsman/clock_sync.h"

#define CLOCK_BUDGET_MS 30000
#define LIMIT_MS        10000

struct clock_args {
    bool set;
    int64_t limit_ms; /* 0: LIMIT_MS */
};

static const struct task_arg args_table[] = {
    {"set", TASK_ARG_BOOL, offsetof(struct clock_args, set)},
    {"limit_ms", TASK_ARG_MS, offsetof(struct clock_args, limit_ms), .min = 1000, .max = 86400000},
    {NULL},
};

static int clock_parse(void *args, const json_t *json, struct err *err)
{
    const struct clock_args *ca = args;

    if (task_args_read(args_table, json, args, err) != 0)
        return -1;
    if (ca->limit_ms > 0 && !ca->set)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'limit_ms' goes with 'set'");
    return 0;
}

static bool clock_changes(const void *args)
{
    return ((const struct clock_args *)args)->set;
}

static int64_t clock_budget(const void *args)
{
    (void)args;
    return CLOCK_BUDGET_MS;
}

static int64_t limit_s(const struct clock_args *ca)
{
    return (ca->limit_ms > 0 ? ca->limit_ms : LIMIT_MS) / 1000;
}

static void clock_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    const struct clock_args *ca = args;

    (void)host;
    (void)quirks;
    clock_seq_init(work, ca->set, limit_s(ca), clock_system());
}

static const char *text_number(int64_t number, char text[CLOCK_TEXT_MAX])
{
    snprintf(text, CLOCK_TEXT_MAX, "%lld", (long long)number);
    return text;
}

static void clock_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct clock_seq *cs = work;
    char text[CLOCK_TEXT_MAX];

    if (cs->device_s == 0)
        return;
    finding->detail = json_pack("{s:s, s:I, s:b}", "time", clock_text(cs->device_s * 1000, text), "off_s",
                                (json_int_t)cs->off_s, "was_set", cs->was_set);
    pairs_set(&finding->facts, "clock.off", cs->was_set ? "0" : text_number(cs->off_s, text));
    if (cs->was_set)
        finding->remark = "set";
    else if (cs->set && !failure)
        finding->remark = "within the limit: left alone";
}

static void clock_would(const void *args, const struct host *host, struct buf *out)
{
    const struct clock_args *ca = args;

    (void)host;
    if (ca->set)
        buf_printf(out, "would set its clock if it is off by more than %lld s", (long long)limit_s(ca));
    else
        buf_puts(out, "would read its clock");
}

const struct task task_clock = {
    .name = "clock",
    .args_size = sizeof(struct clock_args),
    .work_size = sizeof(struct clock_seq),
    .parse = clock_parse,
    .changes = clock_changes,
    .budget_ms = clock_budget,
    .init = clock_init,
    .find = clock_find,
    .would = clock_would,
};
