/* Sequences: services of AMT as tables of steps, without I/O and without a clock.
 *
 * A service defines a struct with a `struct seq` first, and a table of steps. Each step asks one question:
 * `ask` builds the request (or says that the step is not needed), `hear` looks at the result and says where
 * to go. The runner (runner.h, or a test) sends what seq_next yields and feeds what came back. */
#ifndef WSMAN_SEQ_H
#define WSMAN_SEQ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "wsman/call.h"

/* Where to go from a step. A number >= 0 is an index into the table. */
enum {
    SEQ_NEXT = -1, /* the step behind this one; behind the last one: done */
    SEQ_DONE = -2,
    SEQ_FAIL = -3, /* err was filled */
};

enum seq_flag {
    SEQ_READ = 0,      /* changes nothing: may be repeated after a lost answer */
    SEQ_CHANGE = 1,    /* changes the device: never repeated blindly */
    SEQ_ABSENT_OK = 2, /* 'no such class' is an answer: hear gets call == NULL and the fault in err */
    SEQ_FAILURE_OK =
        4, /* any failure of the exchange but those of trust and login goes to hear the same way */
};

struct seq;

struct seq_step {
    const char *name; /* what operators see in the list of steps: "read power state" */
    unsigned flags;   /* enum seq_flag */
    /* The request; or NULL: skip this step, or go elsewhere after seq_go, or fail after err_set. Before what
     * comes next the time of seq_wait passes. */
    struct wsman_request *(*ask)(struct seq *seq, struct err *err);
    /* The result. call is NULL when the exchange failed and the flags let it through; err then says how. */
    int (*hear)(struct seq *seq, const struct wsman_call *call, struct err *err);
};

struct seq {
    const struct seq_step *steps;
    int count;
    int at;            /* index of the current step */
    int64_t wait_ms;   /* asked for by seq_wait, taken by the runner */
    bool hold;         /* asked for by seq_hold, taken by the runner */
    int64_t now_ms;    /* time since the sequence began; set by the runner before ask and hear */
    int64_t budget_ms; /* time the operation has in all; set by the runner */
    bool gone;         /* seq_go was called */
    bool changed;     /* a SEQ_CHANGE request has been sent: the outcome matters even if the answer is lost */
    const char *note; /* remark of the current step for operators, static, or NULL; reset by the runner */
};

#define SEQ_TABLE(table) (table), (int)(sizeof(table) / sizeof((table)[0]))

void seq_init(struct seq *seq, const struct seq_step *steps, int count);

/* To be called in hear or ask: come to the next step only after this time. */
void seq_wait(struct seq *seq, int64_t ms);
/* The same, but until the owner of the runner says so: something outside of the device is to be done first.
 */
void seq_hold(struct seq *seq);
/* To be called in an ask that returns NULL: go to that step (an index or SEQ_DONE). */
void seq_go(struct seq *seq, int where);
/* Time left of the budget, never negative. */
int64_t seq_left_ms(const struct seq *seq);

enum seq_want {
    SEQ_WANT_FAILED = -1, /* over; err says why */
    SEQ_WANT_DONE = 0,    /* over; the service's struct holds the result */
    SEQ_WANT_SEND = 1,    /* *call is to be carried out and fed back (seq_heard), then freed by the runner */
    SEQ_WANT_WAIT = 2,    /* nothing to send for *wait_ms; then call seq_next again */
    SEQ_WANT_HOLD = 3,    /* nothing to send until the owner is ready; then call seq_next again */
};
enum seq_want seq_next(struct seq *seq, struct wsman_call **call, int64_t *wait_ms, struct err *err);
/* The call finished (failure NULL) or failed. Returns 0, or -1 when the sequence fails with it (err). */
int seq_heard(struct seq *seq, const struct wsman_call *call, const struct err *failure, struct err *err);
const char *seq_step_name(const struct seq *seq);
/* True when the current step may be repeated after its answer was lost. */
bool seq_may_repeat(const struct seq *seq);

#endif
