#include "sol/redir.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "sol/redir_internal.h"

#define NOTES_MAX 8
#define HELD_MAX  (9 + REDIR_TOKEN_MAX)
#define OUT_KEEP  512 /* memory kept for output while there is none */
#define NEVER     INT64_MAX

struct redir {
    const struct redir_kind *kind;
    void *owner;
    const struct redir_events *events;
    struct redir_info info;
    struct redir_secrets *secrets; /* NULL after login */
    const struct redir_stage *stage;
    uint8_t state;
    uint8_t notes;
    bool reading;
    bool stopping; /* ends at the next tick */
    bool ended;
    redir_handler *piece; /* a message is coming in pieces: what they are handed to, */
    uint32_t left;        /* and how many bytes are to come */
    struct buf held;      /* the beginning of a message that has not come whole */
    struct buf out;
    size_t out_at;   /* taken by the connection already */
    uint64_t offset; /* of the message at hand in the device's stream */
    int64_t now_ms;
    int64_t since_ms; /* the state began */
    int64_t heard_ms;
    int64_t sent_ms;
    int64_t idle_ms;
    int64_t dead_ms;
};

/* --- small things --- */

static const struct redir_state *state_of(const struct redir *redir)
{
    return &redir->stage->states[redir->state];
}

static void *stage_owner(struct redir *redir)
{
    return redir->secrets ? redir : redir->owner;
}

/* What was taken stays at the front until it is the larger part. */
struct buf *redir_out(struct redir *redir)
{
    if (redir->out_at > redir->out.len / 2) {
        buf_consume(&redir->out, redir->out_at);
        redir->out_at = 0;
    }
    return &redir->out;
}

size_t redir_waiting(const struct redir *redir)
{
    return redir->out.len - redir->out_at;
}

bool redir_is_in(const struct redir *redir, unsigned state)
{
    return !redir->secrets && !redir->ended && !redir->stopping && redir->state == state;
}

bool redir_login_in(const struct redir *redir, unsigned state)
{
    return redir->secrets && !redir->ended && !redir->stopping && redir->state == state;
}

uint8_t redir_status(struct view message)
{
    struct rd r = rd_init(message.p, message.n);

    rd_skip(&r, 1);
    return rd_u8(&r);
}

void redir_set_state(struct redir *redir, unsigned state)
{
    redir->state = (uint8_t)state;
    redir->since_ms = redir->now_ms;
}

void redir_set_now(struct redir *redir, int64_t now_ms)
{
    redir->now_ms = now_ms;
}

void redir_set_life(struct redir *redir, int64_t idle_ms, int64_t dead_ms)
{
    redir->idle_ms = idle_ms;
    redir->dead_ms = dead_ms;
}

struct redir_secrets *redir_secrets(struct redir *redir)
{
    return redir->secrets;
}

const struct redir_info *redir_info(const struct redir *redir)
{
    return &redir->info;
}

struct redir_info *redir_info_edit(struct redir *redir)
{
    return &redir->info;
}

const struct redir_events *redir_events(const struct redir *redir)
{
    return redir->events;
}

const char *redir_kind_name(const struct redir *redir)
{
    return redir->kind->name;
}

void redir_note(struct redir *redir, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;

    if (redir->notes == NOTES_MAX || !redir->events->note)
        return;
    redir->notes++;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    redir->events->note(redir->events->arg, text);
}

/* --- life of a session --- */

struct redir *redir_new(const struct redir_kind *kind, void *owner, const struct redir_login *login,
                        const struct redir_events *events, int64_t now_ms, struct err *err)
{
    struct redir_secrets *secrets;
    struct redir *redir;

    if ((login->methods & REDIR_MAY(REDIR_KERBEROS)) && !events->token) {
        err_set(err, CAUSE_INVALID_ARGUMENT, "Kerberos is allowed, but nobody gets tokens");
        return NULL;
    }
    secrets = redir_secrets_new(login, err);
    if (!secrets)
        return NULL;
    redir = xcalloc(1, sizeof(*redir));
    redir->kind = kind;
    redir->owner = owner;
    redir->events = events;
    redir->secrets = secrets;
    redir->stage = &redir_login_stage;
    redir->reading = true;
    redir->held = buf_init(HELD_MAX);
    redir->out = buf_init_secret(2 * kind->out_max); /* a login is in it; half may be taken already */
    redir->now_ms = redir->since_ms = redir->heard_ms = redir->sent_ms = now_ms;
    redir_login_start(redir, kind);
    return redir;
}

void redir_free(struct redir *redir)
{
    if (!redir)
        return;
    if (redir->kind->destroy)
        redir->kind->destroy(redir->owner);
    redir_secrets_free(redir->secrets);
    buf_free(&redir->held);
    buf_free(&redir->out);
    free(redir);
}

void redir_login_done(struct redir *redir)
{
    redir_secrets_free(redir->secrets);
    redir->secrets = NULL;
    redir->stage = redir->kind->stage;
    redir_set_state(redir, 0);
    if (redir_waiting(redir) == 0) { /* as it is, but for a device that answers before it is asked */
        buf_free(&redir->out);
        redir->out.secret = false;
        redir->out_at = 0;
    }
    redir->kind->begin(redir->owner);
}

void redir_up(struct redir *redir)
{
    if (redir->events->up)
        redir->events->up(redir->events->arg, &redir->info);
}

void redir_ended(struct redir *redir, bool say)
{
    if (redir->ended)
        return;
    redir->ended = true;
    if (say)
        wr_le32(&redir->out, REDIR_END);
    if (redir->events->ended)
        redir->events->ended(redir->events->arg);
}

void redir_end_soon(struct redir *redir)
{
    redir->stopping = true;
}

void redir_stop(struct redir *redir, int64_t now_ms)
{
    redir->now_ms = now_ms;
    if (redir->ended || redir->stopping)
        return;
    if (redir->secrets)
        redir_end_soon(redir);
    else
        redir->kind->stop(redir->owner);
}

size_t redir_memory(const struct redir *redir)
{
    return sizeof(*redir) + redir->held.cap + redir->out.cap + redir_secrets_memory(redir->secrets) +
           redir->kind->memory(redir->owner);
}

/* --- bytes in --- */

static int take_piece(struct redir *redir, struct rd *in, struct err *err)
{
    struct view piece = rd_bytes(in, in->n < redir->left ? in->n : redir->left);

    redir->left -= (uint32_t)piece.n;
    redir->offset += piece.n;
    return redir->piece(stage_owner(redir), piece, err);
}

int redir_on_life(void *owner, struct view message, struct err *err)
{
    (void)owner;
    (void)message;
    (void)err;
    return 0; /* that it came is all that counts */
}

/* While the end is not ours. */
int redir_on_end(void *owner, struct view message, struct err *err)
{
    (void)owner;
    (void)message;
    return err_set(err, CAUSE_DROPPED, "the device ended the session");
}

static int handle(struct redir *redir, const struct redir_frame *frame, struct view message, struct err *err)
{
    const struct redir_message *m = frame->message;
    redir_handler *on = m->on[redir->state];

    if (redir->stage->seen)
        redir->stage->seen(stage_owner(redir), message);
    if (m->pieces) {
        redir->piece = on;
        redir->left = frame->count;
    } else if (on == redir_on_end && state_of(redir)->ending) {
        redir_ended(redir, true);
    } else if (on(stage_owner(redir), message, err) < 0) {
        return -1;
    }
    redir->offset += message.n;
    return 0;
}

static enum decode bad_place(const struct redir *redir, struct err *err)
{
    char text[ERR_TEXT_MAX];

    if (!err)
        return DECODE_BAD;
    snprintf(text, sizeof(text), "%s", err->text);
    err_set(err, CAUSE_BAD_ANSWER, "%s, while %s, at byte %llu of the stream", text, state_of(redir)->name,
            (unsigned long long)redir->offset);
    return DECODE_BAD;
}

/* One message from `in`, behind what is held of it already. */
static enum decode take_message(struct redir *redir, struct rd *in, struct err *err)
{
    struct redir_frame frame;
    struct view message;
    enum decode d;
    int status;

    for (;;) {
        bool fresh = redir->held.len == 0;
        const uint8_t *p = fresh ? in->p : redir->held.p;
        size_t n = fresh ? in->n : redir->held.len;
        size_t more;

        d = redir_frame_read(redir->stage, redir->state, p, n, &frame, err);
        if (d == DECODE_BAD)
            return bad_place(redir, err);
        if (d == DECODE_DONE)
            break;
        more = frame.need - redir->held.len;
        if (more > in->n)
            more = in->n;
        if (more == 0)
            return DECODE_MORE;
        message = rd_bytes(in, more);
        buf_add(&redir->held, message.p, message.n);
    }
    if (redir->held.len == 0) {
        message = rd_bytes(in, frame.need);
        return handle(redir, &frame, message, err) < 0 ? DECODE_BAD : DECODE_DONE;
    }
    message.p = redir->held.p;
    message.n = redir->held.len;
    status = handle(redir, &frame, message, err);
    buf_reset(&redir->held);
    if (!redir->secrets && redir->held.cap > OUT_KEEP)
        buf_free(&redir->held);
    return status < 0 ? DECODE_BAD : DECODE_DONE;
}

static int take(struct redir *redir, struct rd *in, struct err *err)
{
    redir_handler *raw = state_of(redir)->raw;

    if (raw) {
        redir->offset += in->n;
        return raw(stage_owner(redir), rd_bytes(in, in->n), err);
    }
    if (redir->left > 0)
        return take_piece(redir, in, err);
    return take_message(redir, in, err) == DECODE_BAD ? -1 : 0;
}

static int fail(const struct redir *redir, struct err *err)
{
    return err_context(err, "%s", redir->kind->name);
}

int redir_feed(struct redir *redir, const void *p, size_t n, int64_t now_ms, struct err *err)
{
    struct rd in = rd_init(p, n);

    redir->now_ms = redir->heard_ms = now_ms;
    while (in.n > 0 && !redir->ended && !redir->stopping) {
        if (take(redir, &in, err) < 0)
            return fail(redir, err);
        if (!buf_ok(&redir->out) || redir_waiting(redir) > redir->kind->out_max) {
            err_set(err, CAUSE_BAD_ANSWER, "the device wants more answers than it reads");
            return fail(redir, err);
        }
    }
    return 0;
}

/* --- bytes out --- */

struct view redir_output(struct redir *redir)
{
    struct view v;

    if (!redir->secrets && !redir->ended && redir->kind->fill)
        redir->kind->fill(redir->owner);
    v.n = redir_waiting(redir);
    v.p = v.n > 0 ? redir->out.p + redir->out_at : NULL;
    return v;
}

void redir_sent(struct redir *redir, size_t n, int64_t now_ms)
{
    redir->now_ms = now_ms;
    if (n == 0)
        return;
    redir->sent_ms = now_ms;
    redir->out_at += n < redir_waiting(redir) ? n : redir_waiting(redir);
    if (redir->out_at == redir->out.len) {
        redir->out_at = 0;
        buf_reset(&redir->out);
        if (redir->out.cap > OUT_KEEP)
            buf_free(&redir->out);
    }
    if (!redir->secrets && !redir->ended && redir->kind->sent)
        redir->kind->sent(redir->owner);
}

/* --- time --- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Output that waits for the connection makes a heartbeat pointless: the device will hear that first. */
static bool beats(const struct redir *redir)
{
    return state_of(redir)->living && redir->kind->beat && redir_waiting(redir) == 0;
}

int64_t redir_deadline(const struct redir *redir)
{
    const struct redir_state *state = state_of(redir);
    int64_t deadline = NEVER;

    if (redir->ended)
        return NEVER;
    if (redir->stopping)
        return redir->now_ms;
    if (state->limit_ms > 0)
        deadline = redir->since_ms + state->limit_ms;
    if (state->living && redir->reading)
        deadline = earlier(deadline, redir->heard_ms + redir->dead_ms);
    if (beats(redir))
        deadline = earlier(deadline, redir->sent_ms + redir->idle_ms);
    return deadline;
}

static int too_late(struct redir *redir, struct err *err)
{
    const struct redir_state *state = state_of(redir);

    if (state->ending) {
        redir_ended(redir, true);
        return 0;
    }
    err_set(err, CAUSE_TIMEOUT, "the device did not answer within %d s while %s", state->limit_ms / 1000,
            state->name);
    return fail(redir, err);
}

int redir_tick(struct redir *redir, int64_t now_ms, struct err *err)
{
    const struct redir_state *state = state_of(redir);

    redir->now_ms = now_ms;
    if (redir->ended)
        return 0;
    if (redir->stopping) {
        redir_ended(redir, redir->secrets ? redir->state != LOGIN_STARTING : !redir->kind->no_end);
        return 0;
    }
    if (state->limit_ms > 0 && now_ms - redir->since_ms >= state->limit_ms)
        return too_late(redir, err);
    if (state->living && redir->reading && now_ms - redir->heard_ms >= redir->dead_ms) {
        err_set(err, CAUSE_TIMEOUT, "nothing was heard of the device for %lld s",
                (long long)((now_ms - redir->heard_ms) / 1000));
        return fail(redir, err);
    }
    if (beats(redir) && now_ms - redir->sent_ms >= redir->idle_ms)
        redir->kind->beat(redir->owner);
    return 0;
}

void redir_reading(struct redir *redir, bool reading, int64_t now_ms)
{
    redir->now_ms = now_ms;
    if (reading && !redir->reading)
        redir->heard_ms = now_ms;
    redir->reading = reading;
}

int redir_lost(struct redir *redir, struct err *err)
{
    const struct redir_state *state = state_of(redir);

    if (redir->ended || redir->stopping || state->ending)
        return 0;
    err_set(err, state->lost, "%s%s", state->lost_text,
            redir->held.len > 0 || redir->left > 0 ? " (in the middle of a message)" : "");
    return fail(redir, err);
}
