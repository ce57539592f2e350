#include "wsman/provisioning.h"

#include <string.h>

#define PROVISIONING_POST 2

static struct wsman_request *ask_setup(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "AMT_SetupAndConfigurationService", NULL);
}

static int hear_setup(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t state;

    (void)seq;
    if (!call || !wsman_u32(wsman_call_obj(call, 0), "ProvisioningState", &state) ||
        state == PROVISIONING_POST)
        return SEQ_DONE;
    err_set(err, CAUSE_NOT_PROVISIONED, "the device lets us in but has not been set up for use");
    err_code(err, "ProvisioningState %u", state);
    return SEQ_FAIL;
}

static const struct seq_step provisioning_steps[] = {
    {"read provisioning state", SEQ_READ | SEQ_ABSENT_OK, ask_setup, hear_setup},
};

void provisioning_seq_init(struct provisioning_seq *ps)
{
    memset(ps, 0, sizeof(*ps));
    seq_init(&ps->seq, SEQ_TABLE(provisioning_steps));
}
