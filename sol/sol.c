#include "sol/sol.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "sol/redir_internal.h"

#define START     0x20
#define STOP      0x22
#define PONG      0x25
#define DATA      0x28
#define HEARTBEAT 0x2b

#define DATA_HEAD   10
#define DEAD_MIN_MS 15000
/* What answers to pings may add to a full queue, each message of which has a head. */
#define OUT_MAX (SOL_QUEUE * (DATA_HEAD + 1) + 4096)

enum { OPENING, OPEN, CLOSING };

struct sol {
    struct redir *redir;
    struct sol_settings settings;
    struct sol_events events;
    struct sol_lines lines;
    uint32_t seq;
    size_t framed; /* bytes of data among the output */
    bool drained;  /* told since the last write */
    struct buf queue;
};

const struct sol_settings sol_settings_default = {10000, 100, 0, 30000, 100, 5000, 256};

/* --- messages to the device (reference sections 2.1, 2.3) --- */

static struct buf *put_head(struct sol *sol, uint8_t code)
{
    struct buf *out = redir_out(sol->redir);

    wr_le32(out, code);
    wr_le32(out, sol->seq++);
    return out;
}

static void begin(void *owner)
{
    struct sol *sol = owner;
    const struct sol_settings *s = &sol->settings;
    struct buf *out = put_head(sol, START);

    wr_le16(out, s->transmit_buffer);
    wr_le16(out, s->transmit_timeout_ms);
    wr_le16(out, s->transmit_overflow_ms);
    wr_le16(out, s->silence_ms);
    wr_le16(out, s->fifo_flush_ms);
    wr_le16(out, s->heartbeat_ms);
    wr_le32(out, 0);
}

static void beat(void *owner)
{
    put_head(owner, HEARTBEAT);
}

/* The whole queue at once: it is small, and the connection takes it as fast as the device does. */
static void put_queue(struct sol *sol)
{
    struct rd r = rd_init(sol->queue.p, sol->queue.len);

    sol->framed += r.n;
    while (r.n > 0) {
        struct view part = rd_bytes(&r, r.n < sol->settings.write_max ? r.n : sol->settings.write_max);
        struct buf *out = put_head(sol, DATA);

        wr_le16(out, (uint16_t)part.n);
        wr_bytes(out, part.p, part.n);
    }
    buf_free(&sol->queue);
}

/* Waits for the output to be empty, so that keys typed meanwhile share a message. */
static void fill(void *owner)
{
    struct sol *sol = owner;

    if (sol->queue.len > 0 && redir_waiting(sol->redir) == 0)
        put_queue(sol);
}

/* --- messages of the device --- */

static int on_opened(void *owner, struct view message, struct err *err)
{
    struct sol *sol = owner;
    uint8_t status = redir_status(message);
    struct rd r = rd_init(message.p, message.n);

    if (status != 0) {
        err_set(err, CAUSE_FAULT, "the firmware refused the console session after the login");
        return err_code(err, "redirection open %u", status);
    }
    rd_skip(&r, 22);
    if (rd_u8(&r) != 0)
        redir_note(sol->redir, "the answer to the opening names data of the maker, which is not expected");
    redir_set_state(sol->redir, OPEN);
    redir_set_life(sol->redir, sol->settings.silence_ms / 3,
                   sol->settings.heartbeat_ms * 3 > DEAD_MIN_MS ? sol->settings.heartbeat_ms * 3
                                                                : DEAD_MIN_MS);
    redir_up(sol->redir);
    return 0;
}

static int on_data(void *owner, struct view piece, struct err *err)
{
    struct sol *sol = owner;

    (void)err;
    if (sol->events.data && piece.n > 0)
        sol->events.data(sol->events.session.arg, piece.p, piece.n);
    return 0;
}

static int on_lines(void *owner, struct view message, struct err *err)
{
    struct sol *sol = owner;
    struct rd r = rd_init(message.p, message.n);
    struct sol_lines *lines = &sol->lines;
    uint8_t control, status;

    (void)err;
    rd_skip(&r, 8);
    control = rd_u8(&r);
    status = rd_u8(&r);
    lines->known = true;
    lines->rts = control & 0x01;
    lines->dtr = control & 0x02;
    lines->brk = control & 0x04;
    lines->overflow = status & 0x01;
    lines->loopback = status & 0x02;
    lines->powered = status & 0x04;
    lines->flushed = status & 0x08;
    lines->testing = status & 0x10;
    if (sol->events.lines)
        sol->events.lines(sol->events.session.arg, lines);
    return 0;
}

static int on_ping(void *owner, struct view message, struct err *err)
{
    (void)message;
    (void)err;
    put_head(owner, PONG);
    return 0;
}

static const struct redir_message messages[] = {
    {0x21, "the answer to the opening", 23, 0, 0, 0, 8, false, {[OPENING] = on_opened}},
    {0x2a, "output of the host", 10, 8, 2, 65535, 0, true, {[OPEN] = on_data, [CLOSING] = on_data}},
    {0x29, "the state of the port", 10, 0, 0, 0, 0, false, {[OPEN] = on_lines, [CLOSING] = on_lines}},
    {0x2b, "a heartbeat", 8, 0, 0, 0, 0, false, {[OPEN] = redir_on_life, [CLOSING] = redir_on_life}},
    {0x24, "a ping", 8, 0, 0, 0, 0, false, {[OPEN] = on_ping, [CLOSING] = redir_on_life}},
    {0x25, "the answer to a ping", 8, 0, 0, 0, 0, false, {[OPEN] = redir_on_life, [CLOSING] = redir_on_life}},
    {0x23, "the answer to the end", 8, 0, 0, 0, 0, false, {[OPEN] = redir_on_end, [CLOSING] = redir_on_end}},
    {REDIR_END,
     "the end of the session",
     4,
     0,
     0,
     0,
     0,
     false,
     {[OPENING] = redir_on_end, [OPEN] = redir_on_end, [CLOSING] = redir_on_end}},
};

static const struct redir_stage stage = {
    messages,
    sizeof(messages) / sizeof(messages[0]),
    NULL,
    {
        [OPENING] = {"opening the console", REDIR_STEP_MS, false, false, NULL, CAUSE_DROPPED,
                     "the device closed the connection in place of opening the console"},
        [OPEN] = {"the console is open", 0, false, true, NULL, CAUSE_DROPPED,
                  "the device closed the connection"},
        [CLOSING] = {"closing the console", REDIR_CLOSE_MS, true, false, NULL, CAUSE_NONE, ""},
    },
};

/* --- what the owner does --- */

static void sent(void *owner)
{
    struct sol *sol = owner;

    if (redir_waiting(sol->redir) > 0)
        return;
    sol->framed = 0;
    if (sol->drained || sol->queue.len > 0)
        return;
    sol->drained = true;
    if (sol->events.drained)
        sol->events.drained(sol->events.session.arg);
}

/* What was written before goes out before the end. */
static void stop(void *owner)
{
    struct sol *sol = owner;

    if (!redir_is_in(sol->redir, OPEN)) {
        redir_end_soon(sol->redir);
        return;
    }
    put_queue(sol);
    put_head(sol, STOP);
    redir_set_state(sol->redir, CLOSING);
}

static void destroy(void *owner)
{
    struct sol *sol = owner;

    buf_free(&sol->queue);
    free(sol);
}

static size_t memory(const void *owner)
{
    const struct sol *sol = owner;

    return sizeof(*sol) + sol->queue.cap;
}

static const struct redir_kind kind = {
    .name = "SOL",
    .type = {'S', 'O', 'L', ' '},
    .stage = &stage,
    .out_max = OUT_MAX,
    .begin = begin,
    .beat = beat,
    .fill = fill,
    .sent = sent,
    .stop = stop,
    .destroy = destroy,
    .memory = memory,
};

static bool are_valid(const struct sol_settings *s)
{
    return s->transmit_buffer >= 1 && s->silence_ms >= 10000 && s->heartbeat_ms >= 1000 &&
           s->heartbeat_ms <= 20000 && s->write_max >= 1 && s->write_max <= SOL_QUEUE;
}

struct sol *sol_new(const struct redir_login *login, const struct sol_settings *settings,
                    const struct sol_events *events, int64_t now_ms, struct err *err)
{
    struct sol *sol;

    if (!are_valid(settings)) {
        err_set(err, CAUSE_INVALID_ARGUMENT, "SOL: a setting is outside its range");
        return NULL;
    }
    sol = xcalloc(1, sizeof(*sol));
    sol->settings = *settings;
    sol->events = *events;
    sol->seq = 1;
    sol->drained = true;
    sol->queue = buf_init(SOL_QUEUE);
    sol->redir = redir_new(&kind, sol, login, &sol->events.session, now_ms, err);
    if (!sol->redir) {
        free(sol);
        return NULL;
    }
    return sol;
}

struct redir *sol_session(struct sol *sol)
{
    return sol->redir;
}

size_t sol_write(struct sol *sol, const void *p, size_t n)
{
    size_t room = SOL_QUEUE - sol_backlog(sol);

    if (!redir_is_in(sol->redir, OPEN))
        return 0;
    n = n < room ? n : room;
    if (n == 0)
        return 0;
    buf_add(&sol->queue, p, n);
    sol->drained = false;
    return n;
}

size_t sol_backlog(const struct sol *sol)
{
    return sol->queue.len + sol->framed;
}

const struct sol_lines *sol_lines(const struct sol *sol)
{
    return &sol->lines;
}
