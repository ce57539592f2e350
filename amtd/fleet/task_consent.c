/* consent: what the user at the machine is asked for, the code on the screen, and the policy. */
#include <stddef.h>
#include <string.h>

#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "base/text.h"
#include "wsman/consent.h"

#define CONSENT_BUDGET_MS 60000
#define CODE_DIGITS       6

struct consent_args {
    int action; /* enum consent_action */
    char code[CODE_DIGITS + 1];
    int policy; /* position in policy_names */
};

/* In the order of enum consent_action. */
static const char *const action_names[] = {"show", "start", "send", "cancel", "policy", NULL};
static const char *const policy_names[] = {"", "none", "kvm", "all", NULL};
static const enum consent_required policies[] = {CONSENT_NONE, CONSENT_NONE, CONSENT_KVM, CONSENT_ALL};

static const struct task_arg args_table[] = {
    {"action", TASK_ARG_NAME, offsetof(struct consent_args, action), true, .names = action_names},
    {"code", TASK_ARG_TEXT, offsetof(struct consent_args, code), .size = CODE_DIGITS + 1},
    {"policy", TASK_ARG_NAME, offsetof(struct consent_args, policy), .names = policy_names},
    {NULL},
};

static int consent_parse(void *args, const json_t *json, struct err *err)
{
    const struct consent_args *ca = args;

    if (task_args_read(args_table, json, args, err) != 0)
        return -1;
    if ((ca->action == CONSENT_SEND) != (ca->code[0] != '\0'))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'code' goes with send, and send with 'code'");
    if ((ca->action == CONSENT_SET_POLICY) != (ca->policy > 0))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'policy' goes with the action policy");
    if (ca->code[0] && (strlen(ca->code) != CODE_DIGITS || strspn(ca->code, "0123456789") != CODE_DIGITS))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'code' must be six digits");
    return 0;
}

static bool consent_changes(const void *args)
{
    return ((const struct consent_args *)args)->action != CONSENT_READ;
}

static int64_t consent_budget(const void *args)
{
    (void)args;
    return CONSENT_BUDGET_MS;
}

static void consent_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    const struct consent_args *ca = args;
    struct consent_request request = {.action = (enum consent_action)ca->action,
                                      .require = policies[ca->policy]};
    uint64_t code = 0;

    (void)host;
    (void)quirks;
    if (ca->code[0])
        text_u64(ca->code, 0, 999999, &code);
    request.code = (uint32_t)code;
    consent_seq_init(work, &request);
}

static const char *policy_text(enum consent_required required)
{
    return required == CONSENT_ALL ? "all" : required == CONSENT_KVM ? "kvm" : "none";
}

static void consent_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct consent_seq *cs = work;

    if (!cs->there) {
        finding->remark = failure ? NULL : "this firmware asks nobody";
        return;
    }
    finding->detail =
        json_pack("{s:s, s:s, s:b, s:I, s:I}", "policy", policy_text(cs->required), "state",
                  consent_state_name(cs->state), "policy_can_change", cs->may_modify, "code_timeout_s",
                  (json_int_t)cs->code_timeout_s, "display_timeout_s", (json_int_t)cs->display_timeout_s);
}

static void consent_drop(void *work)
{
    consent_seq_clear(work);
}

static void consent_would(const void *args, const struct host *host, struct buf *out)
{
    static const char *const texts[] = {"read its consent state", "show a code on its screen",
                                        "send it the code", "cancel its code"};
    const struct consent_args *ca = args;

    (void)host;
    if (ca->action == CONSENT_SET_POLICY)
        buf_printf(out, "would set whom it asks to %s", policy_names[ca->policy]);
    else
        buf_printf(out, "would %s", texts[ca->action]);
}

const struct task task_consent = {
    .name = "consent",
    .args_size = sizeof(struct consent_args),
    .work_size = sizeof(struct consent_seq),
    .secret = "code",
    .parse = consent_parse,
    .changes = consent_changes,
    .budget_ms = consent_budget,
    .init = consent_init,
    .find = consent_find,
    .drop = consent_drop,
    .would = consent_would,
};
