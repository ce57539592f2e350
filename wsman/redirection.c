#include "wsman/redirection.h"

#include <string.h>

#include "wsman/answer.h"
#include "wsman/redirection_service.h"

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

/* 1 is what firmware before 10 says, which has no such method; 2: there is nothing to end. */
static int hear_end(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t value = wsman_call_return_value(call);
    bool sol = of(seq)->request.action == REDIRECTION_END_SOL;

    if (value != 1 && value != 2)
        return hear_return_value(seq, call, err);
    if (value == 1)
        err_set(err, CAUSE_UNSUPPORTED, "this firmware does not let sessions be ended by others");
    else
        err_set(err, CAUSE_INVALID_STATE, "no %s session is open", sol ? "SOL" : "IDE-R");
    err_code(err, "ReturnValue %u", value);
    return SEQ_FAIL;
}

/* --- reading --- */

static struct wsman_request *ask_service(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return redirection_service_get();
}

#define IDER_BIT ((unsigned)REDIRECTION_IDER & ~(unsigned)REDIRECTION_NONE)
#define SOL_BIT  ((unsigned)REDIRECTION_SOL & ~(unsigned)REDIRECTION_NONE)

/* What is asked for on top of what is there. UNKNOWN: what is there makes no sense, and a part of it is to
 * stay. */
static enum redirection_state wanted_state(const struct redirection_seq *rs)
{
    const struct redirection_request *rq = &rs->request;
    unsigned state = rs->state;

    if (rq->sol < 0 && rq->ider < 0)
        return rs->state;
    if (state < REDIRECTION_NONE || state > REDIRECTION_BOTH) {
        if (rq->sol < 0 || rq->ider < 0)
            return REDIRECTION_UNKNOWN;
        state = REDIRECTION_NONE;
    }
    if (rq->sol >= 0)
        state = rq->sol ? state | SOL_BIT : state & ~SOL_BIT;
    if (rq->ider >= 0)
        state = rq->ider ? state | IDER_BIT : state & ~IDER_BIT;
    return (enum redirection_state)state;
}

static int want(struct redirection_seq *rs, struct wsman_obj obj, struct err *err)
{
    rs->wanted = wanted_state(rs);
    rs->listener_wanted = rs->request.listener < 0 ? rs->listener : rs->request.listener == 1;
    if (rs->wanted == REDIRECTION_UNKNOWN) {
        err_set(err, CAUSE_BAD_ANSWER, "the device tells an unknown redirection state");
        err_code(err, "EnabledState %u", (unsigned)rs->state);
        return SEQ_FAIL;
    }
    rs->put = redirection_service_put(obj, rs->wanted, rs->listener_wanted);
    return SEQ_NEXT;
}

static int hear_service(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct redirection_seq *rs = of(seq);
    struct wsman_obj obj = wsman_call_obj(call, 0);

    if (redirection_service_read(obj, &rs->state, &rs->listener, err) != 0)
        return SEQ_FAIL;
    wsman_request_free(rs->put);
    rs->put = NULL;
    return rs->request.action == REDIRECTION_SET ? want(rs, obj, err) : SEQ_NEXT;
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

    (void)err;
    return rs->state == rs->wanted ? NULL : redirection_service_switch(rs->wanted);
}

static int hear_state(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    int where = hear_return_value(seq, call, err);

    if (where == SEQ_NEXT)
        of(seq)->state = of(seq)->wanted;
    return where;
}

static struct wsman_request *ask_listener(struct seq *seq, struct err *err)
{
    struct redirection_seq *rs = of(seq);
    struct wsman_request *put = rs->put;

    (void)err;
    if (rs->listener == rs->listener_wanted)
        return NULL;
    rs->put = NULL;
    return put;
}

static int hear_listener(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)call;
    (void)err;
    of(seq)->listener = of(seq)->listener_wanted;
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
    {"end session", SEQ_CHANGE, ask_end, hear_end},
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
