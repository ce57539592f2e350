#include "wsman/redirection_ready.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "wsman/answer.h"
#include "wsman/redirection_service.h"

#define BIT_IDER 1u
#define BIT_SOL  2u

static struct redirection_ready_seq *of(struct seq *seq)
{
    return (struct redirection_ready_seq *)seq;
}

/* The state with the wanted kinds added: REDIRECTION_NONE plus a bit for each kind. */
static enum redirection_state wanted(const struct redirection_ready_seq *rs)
{
    unsigned bits = rs->state > REDIRECTION_NONE ? (unsigned)rs->state - REDIRECTION_NONE : 0;

    bits |= (rs->request.ider ? BIT_IDER : 0) | (rs->request.sol ? BIT_SOL : 0);
    return (enum redirection_state)(REDIRECTION_NONE + (bits & (BIT_IDER | BIT_SOL)));
}

/* --- reading --- */

static struct wsman_request *ask_service(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return redirection_service_get();
}

/* The newest line stands last. */
static void read_holder(struct redirection_ready_seq *rs, struct wsman_obj obj)
{
    struct buf line = buf_init(sizeof(rs->holder) - 1);
    const char *text = NULL;

    for (size_t i = 0; wsman_str_at(obj, "AccessLog", i); i++)
        text = wsman_str_at(obj, "AccessLog", i);
    if (text)
        text_printable(&line, text, strlen(text));
    snprintf(rs->holder, sizeof(rs->holder), "%s", buf_str(&line));
    buf_free(&line);
}

static int hear_service(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct redirection_ready_seq *rs = of(seq);
    struct wsman_obj obj = wsman_call_obj(call, 0);

    if (redirection_service_read(obj, &rs->state, &rs->listener, err) != 0)
        return SEQ_FAIL;
    rs->found = rs->state;
    rs->listener_found = rs->listener;
    read_holder(rs, obj);
    wsman_request_free(rs->put);
    rs->put = redirection_service_put(obj, wanted(rs), true);
    return SEQ_NEXT;
}

static struct wsman_request *ask_consent(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "IPS_OptInService", NULL);
}

static int hear_consent(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct redirection_ready_seq *rs = of(seq);
    uint32_t required = 0, state = 0;

    (void)err;
    if (!call) /* before 6: nobody is asked */
        return SEQ_NEXT;
    wsman_u32(wsman_call_obj(call, 0), "OptInRequired", &required);
    wsman_u32(wsman_call_obj(call, 0), "OptInState", &state);
    wsman_u32(wsman_call_obj(call, 0), "OptInCodeTimeout", &rs->code_timeout_s);
    rs->consent_wanted = required == UINT32_MAX;
    rs->consent = (enum consent_state)state;
    return SEQ_NEXT;
}

/* --- changing: the state by the method, then the listener by Put, then the code --- */

static struct wsman_request *ask_state(struct seq *seq, struct err *err)
{
    const struct redirection_ready_seq *rs = of(seq);

    (void)err;
    if (rs->request.look_only || rs->state == wanted(rs))
        return NULL;
    return redirection_service_switch(wanted(rs));
}

static int hear_state(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct redirection_ready_seq *rs = of(seq);

    if (wsman_return_value_to_err("AMT_RedirectionService", "RequestStateChange",
                                  wsman_call_return_value(call), err) != 0)
        return SEQ_FAIL;
    rs->state = wanted(rs);
    return SEQ_NEXT;
}

static struct wsman_request *ask_listener(struct seq *seq, struct err *err)
{
    struct redirection_ready_seq *rs = of(seq);
    struct wsman_request *put = rs->put;

    (void)err;
    if (rs->request.look_only || rs->listener)
        return NULL;
    rs->put = NULL;
    return put;
}

static int hear_listener(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)call;
    (void)err;
    of(seq)->listener = true;
    return SEQ_NEXT;
}

static struct wsman_request *ask_code(struct seq *seq, struct err *err)
{
    const struct redirection_ready_seq *rs = of(seq);

    (void)err;
    if (rs->request.look_only || !rs->request.ask_consent || !rs->consent_wanted ||
        rs->consent != CONSENT_NOT_STARTED)
        return NULL;
    return wsman_request_new(WSMAN_INVOKE, "IPS_OptInService", "StartOptIn");
}

static int hear_code(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t value = wsman_call_return_value(call);

    if (value == 3) {
        err_set(err, CAUSE_CONSENT_REQUIRED,
                "consent is blocked for a while after wrong codes, or the user refused");
        err_code(err, "ReturnValue 3");
        return SEQ_FAIL;
    }
    if (wsman_return_value_to_err("IPS_OptInService", "StartOptIn", value, err) != 0)
        return SEQ_FAIL;
    of(seq)->consent = CONSENT_DISPLAYED;
    return SEQ_DONE;
}

static const struct seq_step steps[] = {
    {"read redirection settings", SEQ_READ, ask_service, hear_service},
    {"read consent settings", SEQ_READ | SEQ_ABSENT_OK, ask_consent, hear_consent},
    {"switch redirection on", SEQ_CHANGE, ask_state, hear_state},
    {"open the listener", SEQ_CHANGE, ask_listener, hear_listener},
    {"show a code on the screen", SEQ_CHANGE, ask_code, hear_code},
};

void redirection_ready_init(struct redirection_ready_seq *rs, const struct redirection_ready_request *request)
{
    memset(rs, 0, sizeof(*rs));
    seq_init(&rs->seq, SEQ_TABLE(steps));
    rs->request = *request;
}

void redirection_ready_clear(struct redirection_ready_seq *rs)
{
    wsman_request_free(rs->put);
    rs->put = NULL;
}

bool redirection_ready_waits(const struct redirection_ready_seq *rs)
{
    return rs->consent_wanted && rs->consent != CONSENT_RECEIVED && rs->consent != CONSENT_IN_SESSION;
}

const char *redirection_ready_changes(const struct redirection_ready_seq *rs)
{
    bool state = rs->state != rs->found, listener = rs->listener != rs->listener_found;

    if (state && listener)
        return "redirection was off: switched on, its listener opened";
    if (state)
        return "redirection was off: switched on";
    return listener ? "the redirection listener was off: opened" : NULL;
}
