#include "wsman/consent.h"

#include <string.h>

#include "wsman/answer.h"

static struct consent_seq *of(struct seq *seq)
{
    return (struct consent_seq *)seq;
}

const char *consent_state_name(enum consent_state state)
{
    static const char *const names[] = {"not started", "requested", "code on the screen", "given",
                                        "in session"};

    return (unsigned)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

/* --- reading --- */

static struct wsman_request *ask_service(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "IPS_OptInService", NULL);
}

static int hear_service(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct consent_seq *cs = of(seq);
    struct wsman_obj obj;
    uint32_t required = 0, state = 0, modify = 0;

    cs->there = call != NULL;
    if (!call) { /* before 6: nobody is asked */
        if (cs->request.action == CONSENT_READ)
            return SEQ_DONE;
        err_set(err, CAUSE_UNSUPPORTED, "this firmware knows no user consent");
        return SEQ_FAIL;
    }
    obj = wsman_call_obj(call, 0);
    wsman_u32(obj, "OptInRequired", &required);
    wsman_u32(obj, "OptInState", &state);
    wsman_u32(obj, "CanModifyOptInPolicy", &modify);
    wsman_u32(obj, "OptInCodeTimeout", &cs->code_timeout_s);
    wsman_u32(obj, "OptInDisplayTimeout", &cs->display_timeout_s);
    cs->required = required == UINT32_MAX ? CONSENT_ALL : required == 1 ? CONSENT_KVM : CONSENT_NONE;
    cs->state = (enum consent_state)state;
    cs->may_modify = modify == 1;
    wsman_request_free(cs->put);
    cs->put = NULL;
    if (cs->request.action == CONSENT_SET_POLICY) {
        cs->put = wsman_request_new(WSMAN_PUT, "IPS_OptInService", NULL);
        wsman_add_instance(cs->put, obj.doc, obj.el, NULL);
        wsman_replace_u32(cs->put, "OptInRequired", (uint32_t)cs->request.require);
    }
    return cs->request.action == CONSENT_READ ? SEQ_DONE : SEQ_NEXT;
}

/* --- the code --- */

static struct wsman_request *ask_cancel(struct seq *seq, struct err *err)
{
    const struct consent_seq *cs = of(seq);
    bool stale = cs->request.action == CONSENT_START &&
                 (cs->state == CONSENT_REQUESTED || cs->state == CONSENT_DISPLAYED);

    (void)err;
    return cs->request.action == CONSENT_CANCEL || stale
               ? wsman_request_new(WSMAN_INVOKE, "IPS_OptInService", "CancelOptIn")
               : NULL;
}

static int hear_cancel(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    bool last = of(seq)->request.action == CONSENT_CANCEL;

    /* 2: nothing was there to cancel any more, which is what was wanted */
    if (wsman_call_return_value(call) != 2 &&
        wsman_return_value_to_err("IPS_OptInService", "CancelOptIn", wsman_call_return_value(call), err) != 0)
        return SEQ_FAIL;
    of(seq)->state = CONSENT_NOT_STARTED;
    return last ? SEQ_DONE : SEQ_NEXT;
}

static struct wsman_request *ask_start(struct seq *seq, struct err *err)
{
    const struct consent_seq *cs = of(seq);

    (void)err;
    if (cs->request.action != CONSENT_START || cs->state == CONSENT_RECEIVED ||
        cs->state == CONSENT_IN_SESSION)
        return NULL; /* given already: nothing to do */
    return wsman_request_new(WSMAN_INVOKE, "IPS_OptInService", "StartOptIn");
}

static int hear_start(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t value = wsman_call_return_value(call);

    if (value == 3) {
        err_set(err, CAUSE_AUTH_LOCKED,
                "consent is blocked for a while after wrong codes, or the user refused");
        err_code(err, "ReturnValue 3");
        return SEQ_FAIL;
    }
    if (wsman_return_value_to_err("IPS_OptInService", "StartOptIn", value, err) != 0)
        return SEQ_FAIL;
    of(seq)->state = CONSENT_DISPLAYED;
    return SEQ_DONE;
}

static struct wsman_request *ask_send(struct seq *seq, struct err *err)
{
    const struct consent_seq *cs = of(seq);
    struct wsman_request *rq;

    if (cs->request.action != CONSENT_SEND)
        return NULL;
    if (cs->request.code > 999999) {
        err_set(err, CAUSE_INVALID_ARGUMENT, "a consent code has six digits");
        return NULL;
    }
    rq = wsman_request_new(WSMAN_INVOKE, "IPS_OptInService", "SendOptInCode");
    wsman_add_u32(rq, "OptInCode", cs->request.code);
    return rq;
}

static int hear_send(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t value = wsman_call_return_value(call);

    if (value != 0) {
        err_set(err, CAUSE_CONSENT_REQUIRED, "the code is wrong or has expired");
        err_code(err, "ReturnValue %u", value);
        return SEQ_FAIL;
    }
    of(seq)->state = CONSENT_RECEIVED;
    return SEQ_DONE;
}

/* --- the policy --- */

static struct wsman_request *ask_policy(struct seq *seq, struct err *err)
{
    struct consent_seq *cs = of(seq);
    struct wsman_request *put = cs->put;

    if (cs->request.action != CONSENT_SET_POLICY || cs->required == cs->request.require)
        return NULL;
    if (!cs->may_modify) {
        err_set(err, CAUSE_ACCESS_DENIED,
                "this device does not let the consent policy be changed from a distance");
        return NULL;
    }
    cs->put = NULL;
    return put;
}

static int hear_policy(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)call;
    (void)err;
    of(seq)->required = of(seq)->request.require;
    return SEQ_DONE;
}

static const struct seq_step consent_steps[] = {
    {"read consent state", SEQ_READ | SEQ_ABSENT_OK, ask_service, hear_service},
    {"cancel code", SEQ_CHANGE, ask_cancel, hear_cancel},
    {"show code", SEQ_CHANGE, ask_start, hear_start},
    {"send code", SEQ_CHANGE, ask_send, hear_send},
    {"set consent policy", SEQ_CHANGE, ask_policy, hear_policy},
};

void consent_seq_init(struct consent_seq *cs, const struct consent_request *request)
{
    memset(cs, 0, sizeof(*cs));
    seq_init(&cs->seq, SEQ_TABLE(consent_steps));
    cs->request = *request;
}

void consent_seq_clear(struct consent_seq *cs)
{
    wsman_request_free(cs->put);
    cs->put = NULL;
}
