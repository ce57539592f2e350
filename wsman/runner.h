/* Carries out calls and sequences over an HTTP session: message numbers, deadlines, waiting between steps,
 * and repeating what may be repeated.
 *
 * Repeats: a passing failure (cause_is_passing: dropped, timeout, busy) of a step that changes nothing is
 * repeated up to RUNNER_TRIES times with back-off (500 ms doubled, +-25 % jitter) while the budget lasts. A
 * step that changes the device is never repeated after it was sent. Trust and login failures are never
 * repeated. */
#ifndef WSMAN_RUNNER_H
#define WSMAN_RUNNER_H

#include <stdint.h>

#include "base/err.h"
#include "wsman/http.h"
#include "wsman/seq.h"

#define RUNNER_TRIES 4

struct runner;

struct runner_owner {
    void *arg;
    const struct clock *clock;
    /* One timer per runner: call runner_timer(runner) once after ms; negative: no call. */
    void (*timer)(void *arg, struct runner *runner, int64_t ms);
    /* A random number, for jitter. */
    uint32_t (*random)(void *arg);
    /* Before a step that changes the device is sent for the first time; the owner writes it down durably and
     * then calls runner_resume. NULL: no need to. */
    void (*before_change)(void *arg, struct runner *runner);
    /* A step begins (repeat counts from 0) or ends (failure NULL when well). For progress and the step
     * record. */
    void (*step)(void *arg, const char *name, uint32_t repeat, const char *note, const struct err *failure);
    /* Over: failure is NULL when the sequence is done. Called once, never from inside runner_start. */
    void (*done)(void *arg, struct runner *runner, const struct err *failure);
};

/* Runs seq (borrowed, must outlive the runner) on session (borrowed, idle) within budget_ms. */
struct runner *runner_start(struct http_session *session, struct seq *seq, int64_t budget_ms,
                            const struct runner_owner *owner);
void runner_timer(struct runner *runner);
void runner_resume(struct runner *runner);
/* Ends it without calling done; NULL is fine. To be called after done as well. */
void runner_free(struct runner *runner);

#endif
