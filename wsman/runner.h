/* Carries out sequences over an HTTP session: message numbers, deadlines, waiting between steps, and
 * repeating what may be repeated.
 *
 * Repeats: a passing failure (cause_is_passing: dropped, timeout, busy) of a step that changes nothing is
 * repeated up to RUNNER_TRIES times with back-off (500 ms doubled, +-25 % jitter) while the budget lasts;
 * only then does the sequence hear of it. A step that changes the device is never repeated here: its sequence
 * hears of the failure and reads the state first. Trust and login failures are never repeated.
 *
 * Interface: a device is asked over the interface that is known of it; else over that of the version that its
 * Server header tells, else over WS-Management. A device that has no such path (404) is asked the same over
 * the other one, if its version may have it: nothing was carried out yet. This is the one place where it is
 * known how a device is spoken to; sequences do not know it. */
#ifndef WSMAN_RUNNER_H
#define WSMAN_RUNNER_H

#include <stdint.h>

#include "base/err.h"
#include "wsman/answer.h"
#include "wsman/http.h"
#include "wsman/interface.h"
#include "wsman/seq.h"

#define RUNNER_TRIES 4

struct runner;

/* Reads answers elsewhere than on the loop's thread. */
struct reading;
/* The answer (wsman_answer_parse) is the callee's to take; it is cleared after. failure: of reading, or NULL.
 */
typedef void runner_read_done(void *arg, struct wsman_answer *answer, const struct err *failure);
struct runner_reader {
    void *arg;
    /* Begins to read n bytes, which are copied. done is called once, from the loop, never from inside. */
    struct reading *(*begin)(void *arg, const void *p, size_t n, runner_read_done *done, void *done_arg);
    /* Before done was called: it is not wanted any more. */
    void (*forget)(struct reading *reading);
};

struct runner_owner {
    void *arg;
    enum interface interface; /* what is known of the device */
    const struct clock *clock;
    /* One timer per runner: call runner_timer(runner) once after ms; negative: no call. */
    void (*timer)(void *arg, struct runner *runner, int64_t ms);
    /* Borrowed; NULL: answers are read as they come. */
    const struct runner_reader *reader;
    /* A random number, for jitter. */
    uint32_t (*random)(void *arg);
    /* Before the first request that changes the device is sent; the owner writes it down durably and then
     * calls runner_resume, also from inside this call. NULL: no need to. */
    void (*before_change)(void *arg, struct runner *runner);
    /* The sequence holds on (seq_hold) until runner_resume, also from inside this call. Its budget goes on.
     * NULL: it does not have to. */
    void (*hold)(void *arg, struct runner *runner);
    /* A try of a step has ended (failure NULL when well); repeat counts the tries before it. note: the
     * sequence's remark, or NULL. For progress and the step record. NULL: no need to. The runner may not be
     * freed in it. */
    void (*step)(void *arg, const char *name, uint32_t repeat, const char *note, const struct err *failure);
    /* Over: failure is NULL when the sequence is done. Called once, never from inside runner_start. */
    void (*done)(void *arg, struct runner *runner, const struct err *failure);
};

/* Runs seq (borrowed, must outlive the runner) on session (borrowed, idle) within budget_ms of the clock.
 * What is under way when the time is over ends as `timeout`. */
struct runner *runner_start(struct http_session *session, struct seq *seq, int64_t budget_ms,
                            const struct runner_owner *owner);
/* The interface the device has answered over; unknown while it has not. */
enum interface runner_interface(const struct runner *runner);
void runner_timer(struct runner *runner);
void runner_resume(struct runner *runner);
/* Ends it without calling done, and the session's request with it; NULL is fine. To be called after done as
 * well, also from inside it. */
void runner_free(struct runner *runner);

#endif
