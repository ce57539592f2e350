#include "wsman/runner.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "wsman/call.h"
#include "wsman/eoi/eoi.h"

#define BACK_OFF_MS 500 /* doubled with every repeat */
#define BODY_MAX    (WSMAN_ENVELOPE_MAX + 1)
#define BODY_LIKELY 800 /* bytes: of a Get some 600 */

enum runner_state {
    RUNNER_ASKING,     /* between steps; never seen from outside */
    RUNNER_CONFIRMING, /* the owner writes down that a change comes -> SENDING */
    RUNNER_SENDING, /* the session carries a request -> READING, ASKING, SENDING (next Pull), WAITING, ENDING,
                       OVER */
    RUNNER_READING, /* the answer is read elsewhere -> as from SENDING */
    RUNNER_WAITING, /* until the next step or repeat -> ASKING */
    RUNNER_HOLDING, /* until the owner is ready -> ASKING */
    RUNNER_ENDING,  /* over, but done may only be called when the timer fires -> OVER */
    RUNNER_OVER,
};

struct runner {
    struct runner_owner owner;
    struct http_session *session;
    struct seq *seq;
    enum runner_state state;
    int64_t began_ms; /* on the owner's clock */
    int64_t budget_ms;
    struct wsman_call *call; /* NULL between steps */
    struct reading *reading; /* in READING */
    int status;              /* HTTP's, of what is read */
    struct eoi *eoi;         /* the device is spoken to over the SOAP interface; NULL: over WS-Management */
    bool both;               /* the other interface was tried before */
    bool ending;             /* the sequence is done, what it left behind is being sent */
    enum interface answered; /* the interface over which the device answered */
    uint32_t message_id;
    uint32_t repeat;     /* times the current step was repeated so far */
    bool starting;       /* inside runner_start */
    bool confirmed;      /* the owner has written down that changes come */
    struct err *failure; /* of the start, until the owner is told; NULL: none */
};

static void ask(struct runner *runner);
static void on_answer(void *arg, const struct http_answer *answer, const struct err *failure);

/* --- the end --- */

static void call_done(struct runner *runner, const struct err *failure)
{
    runner->state = RUNNER_OVER;
    runner->owner.done(runner->owner.arg, runner, failure);
}

/* The runner may be gone after. */
static void end_of_start(struct runner *runner)
{
    struct err *failure = runner->failure;

    runner->failure = NULL;
    call_done(runner, failure);
    free(failure);
}

static void end(struct runner *runner, const struct err *failure)
{
    if (!runner->starting) {
        call_done(runner, failure);
        return;
    }
    if (failure) {
        runner->failure = xmalloc(sizeof(*runner->failure));
        *runner->failure = *failure;
    }
    runner->state = RUNNER_ENDING;
    runner->owner.timer(runner->owner.arg, runner, 0);
}

/* --- one step --- */

/* Brings the sequence's clock up to date. */
static int64_t time_left(struct runner *runner)
{
    runner->seq->now_ms = clock_mono(runner->owner.clock) - runner->began_ms;
    runner->seq->budget_ms = runner->budget_ms;
    return seq_left_ms(runner->seq);
}

static void wait_for(struct runner *runner, int64_t ms)
{
    runner->state = RUNNER_WAITING;
    runner->owner.timer(runner->owner.arg, runner, ms);
}

static void drop_call(struct runner *runner)
{
    wsman_call_free(runner->call);
    runner->call = NULL;
}

static void tell(struct runner *runner, const char *name, const struct err *failure)
{
    if (runner->owner.step)
        runner->owner.step(runner->owner.arg, name, runner->repeat, runner->seq->note, failure);
}

/* The step has a result, or failed for good: the sequence says what is next. Where it goes on after a
 * refusal, that is told, too. */
static void heard(struct runner *runner, const struct err *failure)
{
    const char *name = seq_step_name(runner->seq);
    struct err err = ERR_INIT;

    time_left(runner);
    int rc = seq_heard(runner->seq, failure ? NULL : runner->call, failure, &err);
    tell(runner, name, rc < 0 || (!failure && err.cause != CAUSE_NONE) ? &err : failure);
    drop_call(runner);
    runner->repeat = 0;
    if (rc < 0)
        end(runner, &err);
    else
        ask(runner);
}

static int64_t back_off_ms(struct runner *runner)
{
    int64_t base = (int64_t)BACK_OFF_MS << runner->repeat;
    int64_t jitter = base / 4;

    return base - jitter + (int64_t)(runner->owner.random(runner->owner.arg) % (uint32_t)(2 * jitter + 1));
}

/* The exchange failed: again, if that may help and do no harm. */
static void failed(struct runner *runner, const struct err *failure)
{
    int64_t ms = back_off_ms(runner);

    if (!seq_may_repeat(runner->seq) || !cause_is_passing(failure->cause) ||
        runner->repeat + 1 >= RUNNER_TRIES || time_left(runner) <= ms) {
        heard(runner, failure);
        return;
    }
    tell(runner, seq_step_name(runner->seq), failure);
    drop_call(runner); /* asked for anew: half an enumeration cannot be gone on with */
    runner->repeat++;
    wait_for(runner, ms);
}

static void carry_on(struct runner *runner, enum eoi_progress progress, const struct err *err);

static void post(struct runner *runner, const char *path, const struct buf *body)
{
    http_session_send(runner->session, path, body, runner->began_ms + runner->budget_ms, on_answer, runner);
}

/* The call's next body over WS-Management. */
static void send_wsman(struct runner *runner)
{
    struct buf body = buf_init_secret(BODY_MAX);
    struct err err = ERR_INIT;

    (void)buf_room(&body, BODY_LIKELY);
    if (wsman_call_body(runner->call, ++runner->message_id, &body, &err) < 0) {
        tell(runner, seq_step_name(runner->seq), &err);
        drop_call(runner);
        end(runner, &err);
    } else {
        post(runner, NULL, &body);
    }
    buf_free(&body);
}

/* Sends the call's next body. */
static void send_call(struct runner *runner)
{
    struct err err = ERR_INIT;

    runner->state = RUNNER_SENDING;
    if (time_left(runner) <= 0) {
        /* Nothing was sent, so there is nothing for the sequence to judge. */
        err_set(&err, CAUSE_TIMEOUT, "the time for the whole operation was over before this step");
        tell(runner, seq_step_name(runner->seq), &err);
        drop_call(runner);
        end(runner, &err);
    } else if (runner->eoi) {
        carry_on(runner, eoi_begin(runner->eoi, runner->call, &err), &err);
    } else {
        send_wsman(runner);
    }
}

/* The call is over, or has something to send, over the SOAP interface. */
static void carry_on(struct runner *runner, enum eoi_progress progress, const struct err *err)
{
    if (progress == EOI_SEND) {
        runner->state = RUNNER_SENDING;
        post(runner, eoi_path(runner->eoi), eoi_body(runner->eoi));
    } else if (runner->ending) {
        end(runner, progress == EOI_FAILED ? err : NULL);
    } else if (progress == EOI_FINISHED) {
        heard(runner, NULL);
    } else {
        failed(runner, err);
    }
}

/* The sequence is done. What calls left behind for each other goes to the device now. */
static void finish(struct runner *runner)
{
    struct err err = ERR_INIT;

    if (!runner->eoi) {
        end(runner, NULL);
        return;
    }
    runner->ending = true;
    carry_on(runner, eoi_end(runner->eoi, &err), &err);
}

/* --- which interface --- */

static void use(struct runner *runner, enum interface interface)
{
    if (interface == INTERFACE_EOI && !runner->eoi)
        runner->eoi = eoi_new();
    if (interface == INTERFACE_WSMAN) {
        eoi_free(runner->eoi);
        runner->eoi = NULL;
    }
}

static enum interface by_server(struct runner *runner)
{
    char version[32];

    return http_server_version(http_session_facts(runner->session).server, version, sizeof(version))
               ? interface_of_version(version)
               : INTERFACE_UNKNOWN;
}

/* The path is unknown to the device: it may be that the other interface is not. */
static bool turns_to_the_other(struct runner *runner)
{
    enum interface other = runner->eoi ? INTERFACE_WSMAN : INTERFACE_EOI, known = by_server(runner);
    char version[32];

    if (runner->both || runner->ending || runner->answered != INTERFACE_UNKNOWN ||
        (known != INTERFACE_UNKNOWN && known != other) ||
        !http_server_version(http_session_facts(runner->session).server, version, sizeof(version)))
        return false;
    runner->both = true;
    use(runner, other);
    send_call(runner);
    return true;
}

static void call_goes_on(struct runner *runner, enum wsman_progress progress, const struct err *err)
{
    switch (progress) {
    case WSMAN_FINISHED:
        heard(runner, NULL);
        break;
    case WSMAN_AGAIN:
        send_call(runner);
        break;
    case WSMAN_FAILED:
        failed(runner, err);
        break;
    }
}

static void is_read(void *arg, struct wsman_answer *answer, const struct err *failure)
{
    struct runner *runner = arg;
    struct err err = ERR_INIT;

    runner->reading = NULL;
    runner->state = RUNNER_ASKING;
    call_goes_on(runner, wsman_call_heard(runner->call, runner->status, answer, failure, &err), &err);
}

static void on_wsman(struct runner *runner, const struct http_answer *answer)
{
    const struct runner_reader *reader = runner->owner.reader;
    struct err err = ERR_INIT;

    if (reader) {
        runner->state = RUNNER_READING;
        runner->status = answer->status;
        runner->reading = reader->begin(reader->arg, answer->body, answer->n, is_read, runner);
    } else {
        call_goes_on(runner, wsman_call_answer(runner->call, answer->status, answer->body, answer->n, &err),
                     &err);
    }
}

static void on_answer(void *arg, const struct http_answer *answer, const struct err *failure)
{
    struct runner *runner = arg;
    struct err err = ERR_INIT;

    if (failure && runner->ending) {
        end(runner, failure);
        return;
    }
    if (failure) {
        failed(runner, failure);
        return;
    }
    if (answer->status == 404 && turns_to_the_other(runner))
        return;
    if (answer->status == 200)
        runner->answered = runner->eoi ? INTERFACE_EOI : INTERFACE_WSMAN;
    if (runner->eoi)
        carry_on(runner, eoi_answer(runner->eoi, answer->status, answer->body, answer->n, &err), &err);
    else
        on_wsman(runner, answer);
}

/* Asks the sequence what is next, and begins it. */
static void ask(struct runner *runner)
{
    struct seq *seq = runner->seq;
    struct err err = ERR_INIT;
    int64_t wait_ms = 0;
    int64_t left = time_left(runner);

    runner->state = RUNNER_ASKING;
    seq->note = NULL;
    switch (seq_next(seq, &runner->call, &wait_ms, &err)) {
    case SEQ_WANT_FAILED:
        tell(runner, seq_step_name(seq), &err);
        end(runner, &err);
        break;
    case SEQ_WANT_DONE:
        finish(runner);
        break;
    case SEQ_WANT_WAIT:
        wait_for(runner, wait_ms < left ? wait_ms : left);
        break;
    case SEQ_WANT_HOLD:
        runner->state = RUNNER_HOLDING;
        if (runner->owner.hold)
            runner->owner.hold(runner->owner.arg, runner);
        else
            runner_resume(runner);
        break;
    case SEQ_WANT_SEND:
        if (seq_may_repeat(seq) || runner->confirmed || !runner->owner.before_change) {
            send_call(runner);
            break;
        }
        runner->state = RUNNER_CONFIRMING;
        runner->owner.before_change(runner->owner.arg, runner);
        break;
    }
}

/* --- the interface --- */

struct runner *runner_start(struct http_session *session, struct seq *seq, int64_t budget_ms,
                            const struct runner_owner *owner)
{
    struct runner *runner = xcalloc(1, sizeof(*runner));

    runner->owner = *owner;
    runner->session = session;
    runner->seq = seq;
    runner->budget_ms = budget_ms;
    runner->began_ms = clock_mono(owner->clock);
    /* Sessions outlive runners: answers of an earlier one are not to be taken for ours. */
    runner->message_id = owner->random(owner->arg) & 0x3fffffff;
    use(runner, owner->interface != INTERFACE_UNKNOWN ? owner->interface : by_server(runner));
    runner->starting = true;
    ask(runner);
    runner->starting = false;
    return runner;
}

enum interface runner_interface(const struct runner *runner)
{
    return runner->answered;
}

void runner_timer(struct runner *runner)
{
    if (runner->state == RUNNER_ENDING)
        end_of_start(runner);
    else if (runner->state == RUNNER_WAITING)
        ask(runner);
}

void runner_resume(struct runner *runner)
{
    if (runner->state == RUNNER_HOLDING) {
        ask(runner);
        return;
    }
    if (runner->state != RUNNER_CONFIRMING)
        return;
    runner->confirmed = true;
    send_call(runner);
}

void runner_free(struct runner *runner)
{
    if (!runner)
        return;
    if (runner->state == RUNNER_SENDING)
        http_session_abort(runner->session);
    if (runner->state == RUNNER_READING)
        runner->owner.reader->forget(runner->reading);
    if (runner->state == RUNNER_WAITING || runner->state == RUNNER_ENDING)
        runner->owner.timer(runner->owner.arg, runner, -1);
    drop_call(runner);
    eoi_free(runner->eoi);
    free(runner->failure);
    free(runner);
}
