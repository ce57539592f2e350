/* worm: worm detection on hosts. (wsman/worm.h) */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "wsman/worm.h"

#define WORM_BUDGET_MS 60000
#define LASTS_MS_MAX   ((int64_t)365 * 86400000)
#define PROTOCOL_TCP   6

struct worm_args {
    int action, block; /* positions in the lists of names */
    uint32_t packets;
    int64_t within_ms, lasts_ms;
    struct worm_request request;
};

/* In the order of enum worm_action, and of enum worm_block. */
static const char *const action_names[] = {"show", "set", "reset", NULL};
static const char *const block_names[] = {"none", "port", "all", NULL};

static const struct task_arg args_table[] = {
    {"action", TASK_ARG_NAME, offsetof(struct worm_args, action), true, .names = action_names},
    {"block", TASK_ARG_NAME, offsetof(struct worm_args, block), .names = block_names},
    {"packets", TASK_ARG_U32, offsetof(struct worm_args, packets), .min = 1, .max = UINT32_MAX},
    {"within_ms", TASK_ARG_MS, offsetof(struct worm_args, within_ms), .min = WORM_FAST_MS_MIN,
     .max = WORM_SLOW_MS_MAX},
    {"lasts_ms", TASK_ARG_MS, offsetof(struct worm_args, lasts_ms), .min = 1000, .max = LASTS_MS_MAX},
    {NULL},
};

static int worm_parse(void *args, const json_t *json, struct err *err)
{
    struct worm_args *wa = args;

    if (task_args_read(args_table, json, args, err) != 0)
        return -1;
    wa->request.action = (enum worm_action)wa->action;
    wa->request.settings = (struct worm_settings){
        wa->packets, (uint32_t)wa->within_ms, (enum worm_block)wa->block, (uint32_t)(wa->lasts_ms / 1000)};
    if (wa->action == WORM_SET)
        return worm_settings_check(&wa->request.settings, err);
    if (wa->packets || wa->within_ms || wa->lasts_ms || wa->block)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'packets', 'within_ms', 'block' and 'lasts_ms' go with set only");
    return 0;
}

static bool worm_changes(const void *args)
{
    return ((const struct worm_args *)args)->action != WORM_READ;
}

static int64_t worm_budget(const void *args)
{
    (void)args;
    return WORM_BUDGET_MS;
}

static void worm_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    (void)host;
    (void)quirks;
    worm_seq_init(work, &((const struct worm_args *)args)->request);
}

static void worm_find(const void *work, const struct err *failure, struct finding *finding)
{
    static const char *const states[] = {"watching", "breach", "off"};
    static const char *const reasons[] = {"", "slow", "fast", "factory"};
    const struct worm_seq *ws = work;
    const struct worm_settings *s = &ws->settings;
    size_t reason = ws->reason < sizeof(reasons) / sizeof(reasons[0]) ? ws->reason : 0;

    if (!ws->there) {
        finding->remark = failure ? NULL : "it has no worm detection: AMT 3 to 11 have";
        return;
    }
    finding->detail =
        json_pack("{s:s, s:I, s:I, s:s, s:I, s:b}", "state", states[ws->state], "packets",
                  (json_int_t)s->packets, "within_ms", (json_int_t)s->within_ms, "block",
                  block_names[s->block], "lasts_s", (json_int_t)s->lasts_s, "changed", (int)ws->changed);
    if (ws->state == WORM_BREACH) {
        json_object_set_new(finding->detail, "reason", json_string(reasons[reason]));
        json_object_set_new(finding->detail, "since", json_string(ws->since));
        json_object_set_new(finding->detail, "blocked_all", json_boolean(ws->blocks_all));
    }
    if (ws->port > 0) {
        json_object_set_new(finding->detail, "blocked_port", json_integer((json_int_t)ws->port));
        json_object_set_new(finding->detail, "blocked_protocol",
                            json_string(ws->protocol == PROTOCOL_TCP ? "tcp" : "udp"));
    }
    if (!failure && ws->state == WORM_OFF)
        finding->remark =
            s->packets == 0 ? "not set yet" : "it begins with a policy: filter apply FILE TARGET --when worm";
}

static void worm_drop(void *work)
{
    worm_seq_clear(work);
}

static void worm_would(const void *args, const struct host *host, struct buf *out)
{
    static const char *const texts[] = {"would read its worm detection", "would set its worm detection",
                                        "would end what its worm detection found"};

    (void)host;
    buf_puts(out, texts[((const struct worm_args *)args)->action]);
}

const struct task task_worm = {
    .name = "worm",
    .args_size = sizeof(struct worm_args),
    .work_size = sizeof(struct worm_seq),
    .parse = worm_parse,
    .changes = worm_changes,
    .budget_ms = worm_budget,
    .init = worm_init,
    .find = worm_find,
    .drop = worm_drop,
    .would = worm_would,
    .quarantines = true,
};
