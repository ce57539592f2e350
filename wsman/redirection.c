#include "wsman/redirection.h"

#include <string.h>

#include "wsman/answer.h"

static struct redirection_seq *of(struct seq *seq)
{
    return (struct redirection_seq *)seq;
}

const char *redirection_state_name(enum redirection_state state)
{
    switch (state) {
    case REDIRECTION_NONE:
        return "off";
    case REDIRECTION_IDER:
        return "IDE redirection";
    case REDIRECTION_SOL:
        return "console";
    case REDIRECTION_BOTH:
        return "console and IDE redirection";
    case REDIRECTION_UNKNOWN:
        break;
    }
    return "unknown";
}

static int hear_return_value(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    const struct wsman_request *rq = wsman_call_request(call);

    if (wsman_return_value_to_err(wsman_request_class(rq), wsman_request_method(rq),
                                  wsman_call_return_value(call), err) != 0)
        return SEQ_FAIL;
    of(seq)->changed_any = true;
    return SEQ_NEXT;
}

/* --- ending a session --- */

static struct wsman_request *ask_end(struct seq *seq, struct err *err)
{
    enum redirection_action action = of(seq)->request.action;
    struct wsman_request *rq;

    (void)err;
    if (action != REDIRECTION_END_IDER && action != REDIRECTION_END_SOL)
        return NULL;
    rq = wsman_request_new(WSMAN_INVOKE, "AMT_RedirectionService", "TerminateSession");
    wsman_add_u32(rq, "SessionType", action == REDIRECTION_END_SOL ? 1 : 0);
    return rq;
}

/* --- reading --- */

static struct wsman_request *ask_service(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "AMT_RedirectionService", NULL);
}

static int hear_service(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct redirection_seq *rs = of(seq);
    struct wsman_obj obj = wsman_call_obj(call, 0);
    uint32_t state;

    if (!wsman_u32(obj, "EnabledState", &state)) {
        err_set(err, CAUSE_BAD_ANSWER, "the device does not tell what redirection is enabled");
        return SEQ_FAIL;
    }
    rs->state = (enum redirection_state)state;
    rs->listener = false;
    wsman_bool(obj, "ListenerEnabled", &rs->listener);
    wsman_request_free(rs->put);
    rs->put = NULL;
    if (rs->request.action != REDIRECTION_SET)
        return SEQ_NEXT;
    rs->put = wsman_request_new(WSMAN_PUT, "AMT_RedirectionService", NULL);
    wsman_add_instance(rs->put, obj.doc, obj.el, NULL);
    wsman_replace_u32(rs->put, "EnabledState", rs->request.state);
    wsman_replace_bool(rs->put, "ListenerEnabled", rs->request.listener);
    return SEQ_NEXT;
}

static struct wsman_request *ask_kvm(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "CIM_KVMRedirectionSAP", NULL);
}

static int hear_kvm(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t state = KVM_ABSENT;

    (void)err;
    if (call)
        wsman_u32(wsman_call_obj(call, 0), "EnabledState", &state);
    of(seq)->kvm = (enum kvm_state)state;
    return of(seq)->request.action == REDIRECTION_SET ? SEQ_NEXT : SEQ_DONE;
}

/* --- changing: the state by the method, then the listener by Put --- */

static struct wsman_request *ask_state(struct seq *seq, struct err *err)
{
    const struct redirection_seq *rs = of(seq);
    struct wsman_request *rq;

    (void)err;
    if (rs->state == rs->request.state)
        return NULL;
    rq = wsman_request_new(WSMAN_INVOKE, "AMT_RedirectionService", "RequestStateChange");
    wsman_add_u32(rq, "RequestedState", rs->request.state);
    return rq;
}

static int hear_state(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    int where = hear_return_value(seq, call, err);

    if (where == SEQ_NEXT)
        of(seq)->state = of(seq)->request.state;
    return where;
}

static struct wsman_request *ask_listener(struct seq *seq, struct err *err)
{
    struct redirection_seq *rs = of(seq);
    struct wsman_request *put = rs->put;

    (void)err;
    if (rs->listener == rs->request.listener)
        return NULL;
    rs->put = NULL;
    return put;
}

static int hear_listener(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)call;
    (void)err;
    of(seq)->listener = of(seq)->request.listener;
    of(seq)->changed_any = true;
    return SEQ_NEXT;
}

static struct wsman_request *ask_kvm_state(struct seq *seq, struct err *err)
{
    const struct redirection_seq *rs = of(seq);
    bool allowed = rs->kvm == KVM_ENABLED || rs->kvm == KVM_IN_USE;
    struct wsman_request *rq;

    if (rs->request.kvm < 0 || (rs->kvm != KVM_ABSENT && allowed == (rs->request.kvm == 1)))
        return NULL;
    if (rs->kvm == KVM_ABSENT) {
        if (rs->request.kvm == 1)
            err_set(err, CAUSE_UNSUPPORTED, "this device has no KVM");
        return NULL;
    }
    rq = wsman_request_new(WSMAN_INVOKE, "CIM_KVMRedirectionSAP", "RequestStateChange");
    wsman_add_u32(rq, "RequestedState", rs->request.kvm == 1 ? 2 : 3);
    return rq;
}

static int hear_kvm_state(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    int where = hear_return_value(seq, call, err);

    if (where == SEQ_NEXT)
        of(seq)->kvm = of(seq)->request.kvm == 1 ? KVM_ENABLED : KVM_DISABLED;
    return where;
}

static const struct seq_step redirection_steps[] = {
    {"end session", SEQ_CHANGE, ask_end, hear_return_value},
    {"read redirection settings", SEQ_READ, ask_service, hear_service},
    {"read KVM state", SEQ_READ | SEQ_ABSENT_OK, ask_kvm, hear_kvm},
    {"set redirection state", SEQ_CHANGE, ask_state, hear_state},
    {"set listener", SEQ_CHANGE, ask_listener, hear_listener},
    {"set KVM state", SEQ_CHANGE, ask_kvm_state, hear_kvm_state},
};

void redirection_seq_init(struct redirection_seq *rs, const struct redirection_request *request)
{
    memset(rs, 0, sizeof(*rs));
    seq_init(&rs->seq, SEQ_TABLE(redirection_steps));
    rs->request = *request;
}

void redirection_seq_clear(struct redirection_seq *rs)
{
    wsman_request_free(rs->put);
    rs->put = NULL;
}
