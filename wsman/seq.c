#include "wsman/seq.h"

#include <string.h>

#include "wsman/answer.h"

void seq_init(struct seq *seq, const struct seq_step *steps, int count)
{
    memset(seq, 0, sizeof(*seq));
    seq->steps = steps;
    seq->count = count;
}

void seq_wait(struct seq *seq, int64_t ms)
{
    seq->wait_ms = ms > 0 ? ms : 0;
}

void seq_hold(struct seq *seq)
{
    seq->hold = true;
}

int64_t seq_left_ms(const struct seq *seq)
{
    return seq->budget_ms > seq->now_ms ? seq->budget_ms - seq->now_ms : 0;
}

const char *seq_step_name(const struct seq *seq)
{
    return seq->at >= 0 && seq->at < seq->count ? seq->steps[seq->at].name : "";
}

bool seq_may_repeat(const struct seq *seq)
{
    return seq->at < seq->count && !(seq->steps[seq->at].flags & SEQ_CHANGE);
}

void seq_go(struct seq *seq, int where)
{
    seq->gone = true;
    if (where == SEQ_NEXT)
        seq->at++;
    else if (where == SEQ_DONE)
        seq->at = seq->count;
    else
        seq->at = where;
}

enum seq_want seq_next(struct seq *seq, struct wsman_call **call, int64_t *wait_ms, struct err *err)
{
    *call = NULL;
    while (seq->at < seq->count) {
        const struct seq_step *step = &seq->steps[seq->at];
        struct wsman_request *rq;

        if (seq->wait_ms > 0) {
            *wait_ms = seq->wait_ms;
            seq->wait_ms = 0;
            return SEQ_WANT_WAIT;
        }
        if (seq->hold) {
            seq->hold = false;
            return SEQ_WANT_HOLD;
        }
        err_clear(err);
        seq->gone = false;
        rq = step->ask(seq, err);
        if (rq) {
            if (step->flags & SEQ_CHANGE)
                seq->changed = true;
            *call = wsman_call_new(rq);
            return SEQ_WANT_SEND;
        }
        if (err->cause != CAUSE_NONE)
            return SEQ_WANT_FAILED;
        if (!seq->gone)
            seq->at++;
    }
    return SEQ_WANT_DONE;
}

/* Whether a failure is an answer to this step. Trust and login concern all that follows: never. */
static bool lets_through(unsigned flags, const struct err *failure)
{
    switch (failure->cause) {
    case CAUSE_NOT_AMT:
    case CAUSE_NO_PROFILE:
    case CAUSE_NO_TICKET:
    case CAUSE_AUTH_FAILED:
    case CAUSE_AUTH_LOCKED:
    case CAUSE_AUTH_UNSUPPORTED:
    case CAUSE_REALM_CHANGED:
    case CAUSE_TLS_UNTRUSTED:
    case CAUSE_TLS_CHANGED:
    case CAUSE_TLS_EXPIRED:
    case CAUSE_TLS_VERSION:
    case CAUSE_TLS_FAILED:
        return false;
    default:
        return (flags & SEQ_FAILURE_OK) || ((flags & SEQ_ABSENT_OK) && wsman_fault_is_absent(failure));
    }
}

int seq_heard(struct seq *seq, const struct wsman_call *call, const struct err *failure, struct err *err)
{
    const struct seq_step *step = &seq->steps[seq->at];
    int where;

    if (failure && !lets_through(step->flags, failure)) {
        *err = *failure;
        return -1;
    }
    if (failure)
        *err = *failure;
    else
        err_clear(err);
    where = step->hear(seq, failure ? NULL : call, err);
    if (where == SEQ_FAIL)
        return -1;
    seq_go(seq, where);
    return 0;
}
