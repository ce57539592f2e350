#include "wsman/unprovision.h"

#include <string.h>

#include "wsman/answer.h"

#define SERVICE          "AMT_SetupAndConfigurationService"
#define PROVISIONED      2    /* ProvisioningState: post */
#define CLIENT_MODE      1    /* CurrentControlMode */
#define BLOCKED          2076 /* ReturnValue: a component keeps it from it */
#define LOOK_AGAIN_MS    5000
#define PROVISIONING_ALL 1 /* of Unprovision, the one mode there is */

enum step { READ_STATE, READ_MODE, READ_BLOCKS, SEND, LOOK };

static struct unprovision_seq *of(struct seq *seq)
{
    return (struct unprovision_seq *)seq;
}

static struct wsman_request *ask_state(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, SERVICE, NULL);
}

/* Older interfaces do not tell. */
static int hear_state(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t state;

    (void)err;
    if (!call || !wsman_u32(wsman_call_obj(call, 0), "ProvisioningState", &state) || state == PROVISIONED)
        return SEQ_NEXT;
    of(seq)->done = of(seq)->already = true;
    return SEQ_DONE;
}

static struct wsman_request *ask_mode(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "IPS_HostBasedSetupService", NULL);
}

static int hear_mode(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t mode;

    (void)err;
    if (call && wsman_u32(wsman_call_obj(call, 0), "CurrentControlMode", &mode))
        of(seq)->client_mode = mode == CLIENT_MODE;
    return SEQ_NEXT;
}

static struct wsman_request *ask_blocks(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_INVOKE, SERVICE, "GetUnprovisionBlockingComponents");
}

static int fail_blocked(struct err *err)
{
    err_set(
        err, CAUSE_INVALID_STATE,
        "the device's audit log is locked, and keeps it from being unprovisioned: its auditor has to let go");
    err_code(err, "ReturnValue %d", BLOCKED);
    return SEQ_FAIL;
}

/* What older firmware does not know how to say, the request itself will tell. */
static int hear_blocks(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t component;

    (void)seq;
    if (!call && cause_is_passing(err->cause))
        return SEQ_FAIL;
    if (call && wsman_call_return_value(call) == 0 &&
        wsman_u32_array(wsman_call_obj(call, 0), "Component", &component, 1) > 0)
        return fail_blocked(err);
    return SEQ_NEXT;
}

static struct wsman_request *ask_send(struct seq *seq, struct err *err)
{
    bool full = of(seq)->full;
    struct wsman_request *rq =
        wsman_request_new(WSMAN_INVOKE, SERVICE, full ? "Unprovision" : "PartialUnprovision");

    (void)err;
    if (full)
        wsman_add_u32(rq, "ProvisioningMode", PROVISIONING_ALL);
    return rq;
}

static int hear_send(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct unprovision_seq *us = of(seq);
    uint32_t value;

    if (!call && !cause_is_passing(err->cause))
        return SEQ_FAIL;
    if (!call) { /* it goes away with its network: maybe before the answer */
        us->lost = *err;
        seq_wait(seq, LOOK_AGAIN_MS);
        return LOOK;
    }
    value = wsman_call_return_value(call);
    if (value == BLOCKED)
        return fail_blocked(err);
    if (wsman_return_value_to_err(SERVICE, us->full ? "Unprovision" : "PartialUnprovision", value, err) != 0)
        return SEQ_FAIL;
    us->done = true;
    return SEQ_DONE;
}

static int hear_look(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct unprovision_seq *us = of(seq);
    uint32_t state;

    if (!call || !wsman_u32(wsman_call_obj(call, 0), "ProvisioningState", &state)) {
        err_set(err, CAUSE_INTERRUPTED, "the answer was lost, and the device does not answer since: %s",
                us->lost.text);
        return SEQ_FAIL;
    }
    us->done = state != PROVISIONED;
    if (us->done)
        return SEQ_DONE;
    err_set(err, CAUSE_NOT_REACHED, "the answer was lost, and the device is still provisioned: %s",
            us->lost.text);
    return SEQ_FAIL;
}

static const struct seq_step steps[] = {
    [READ_STATE] = {"read provisioning state", SEQ_READ | SEQ_ABSENT_OK, ask_state, hear_state},
    [READ_MODE] = {"read control mode", SEQ_READ | SEQ_ABSENT_OK, ask_mode, hear_mode},
    [READ_BLOCKS] = {"ask what keeps it from it", SEQ_READ | SEQ_FAILURE_OK, ask_blocks, hear_blocks},
    [SEND] = {"unprovision", SEQ_CHANGE | SEQ_FAILURE_OK, ask_send, hear_send},
    [LOOK] = {"look whether it was done", SEQ_READ | SEQ_FAILURE_OK, ask_state, hear_look},
};

void unprovision_seq_init(struct unprovision_seq *us, bool full)
{
    memset(us, 0, sizeof(*us));
    seq_init(&us->seq, SEQ_TABLE(steps));
    us->full = full;
}
