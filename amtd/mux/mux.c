#include "amtd/mux/mux.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "base/xalloc.h"

#define OUTPUT_TARGET (128 * 1024) /* bytes prepared for the connection at a time */
#define OPEN_MAX      60000        /* parameters of an OPEN */
#define REASON_MAX    1024
#define NEAR          4096 /* a power of two */
#define FEW           16   /* channels, for which the table alone will do */

enum frame_type {
    FRAME_HELLO = 1,
    FRAME_OPEN = 2,
    FRAME_ACCEPT = 3,
    FRAME_REJECT = 4,
    FRAME_DATA = 5,
    FRAME_WINDOW = 6,
    FRAME_CLOSE = 7,
    FRAME_SIGNAL = 8,
    FRAME_PING = 9,
    FRAME_PONG = 10,
    FRAME_TYPES,
};

/* OPENING: our OPEN waits for an answer. OFFERED: the peer's OPEN waits for ours. */
enum channel_state { CHANNEL_OPENING, CHANNEL_OFFERED, CHANNEL_OPEN };

struct channel {
    uint32_t number;
    enum channel_state state;
    size_t credit;     /* bytes the peer still takes */
    size_t granted;    /* bytes we still take */
    size_t owed;       /* consumed, but not given back yet */
    bool close_wanted; /* mux_close was called */
    bool close_sent;
    bool close_seen;
    bool told_drained;
    struct buf queue;
    struct channel *prev, *next; /* those with something to send, in turn */
    bool ready;
    UT_hash_handle hh;
};

struct mux {
    bool connected;
    struct mux_events events;
    size_t channels_max;
    size_t count;
    uint32_t next;
    bool hello_seen;
    struct channel *table;
    struct channel **near; /* by number, those that were asked for last; NULL: there are few */
    struct channel *ready;
    struct buf in;
    struct buf out;
    int64_t heard_ms;
    bool pinged;
};

/* --- frames out --- */

/* A head, and room for n bytes behind it, which the caller fills. */
static uint8_t *frame_room(struct mux *mux, enum frame_type type, uint32_t channel, size_t n)
{
    const uint64_t head = htobe64((uint64_t)n << 40 | (uint64_t)type << 32 | channel);
    uint8_t *p = buf_room(&mux->out, MUX_HEAD + n);

    memcpy(p, &head, MUX_HEAD);
    buf_added(&mux->out, MUX_HEAD + n);
    return p + MUX_HEAD;
}

static void frame_head(struct mux *mux, enum frame_type type, uint32_t channel, size_t n)
{
    frame_room(mux, type, channel, n);
    mux->out.len -= n;
}

static void frame_u32(struct mux *mux, enum frame_type type, uint32_t channel, uint32_t value)
{
    frame_head(mux, type, channel, 4);
    wr_be32(&mux->out, value);
}

static struct channel *look_up(const struct mux *mux, uint32_t number)
{
    struct channel *c;

    HASH_FIND(hh, mux->table, &number, sizeof(number), c);
    if (mux->near && c)
        mux->near[number / 2 % NEAR] = c;
    return c;
}

static inline struct channel *find(const struct mux *mux, uint32_t number)
{
    struct channel *near = mux->near ? mux->near[number / 2 % NEAR] : NULL;

    return near && near->number == number ? near : look_up(mux, number);
}

static struct channel *channel_new(struct mux *mux, uint32_t number, enum channel_state state)
{
    struct channel *c = xcalloc(1, sizeof(*c));

    c->number = number;
    c->state = state;
    c->granted = MUX_WINDOW;
    c->told_drained = true;
    c->queue = buf_init(MUX_QUEUE_MAX);
    HASH_ADD(hh, mux->table, number, sizeof(c->number), c);
    if (++mux->count > FEW && !mux->near)
        mux->near = xcalloc(NEAR, sizeof(struct channel *));
    return c;
}

static void channel_free(struct mux *mux, struct channel *c)
{
    if (c->ready)
        DL_DELETE(mux->ready, c);
    if (mux->near && mux->near[c->number / 2 % NEAR] == c)
        mux->near[c->number / 2 % NEAR] = NULL;
    HASH_DEL(mux->table, c);
    mux->count--;
    buf_free(&c->queue);
    free(c);
}

static void make_ready(struct mux *mux, struct channel *c)
{
    bool can_send = c->state == CHANNEL_OPEN && c->queue.len > 0 && c->credit > 0;
    bool can_close = c->state == CHANNEL_OPEN && c->queue.len == 0 && c->close_wanted && !c->close_sent;

    if (!c->ready && (can_send || can_close)) {
        c->ready = true;
        DL_APPEND(mux->ready, c);
    }
}

/* Gone when both sides have closed. */
static void maybe_gone(struct mux *mux, struct channel *c)
{
    uint32_t number = c->number;

    if (!c->close_sent || !c->close_seen)
        return;
    channel_free(mux, c);
    if (mux->events.closed)
        mux->events.closed(mux->events.arg, number);
}

/* One frame of a channel whose turn it is. */
static void send_turn(struct mux *mux, struct channel *c)
{
    size_t n = c->queue.len < c->credit ? c->queue.len : c->credit;

    DL_DELETE(mux->ready, c);
    c->ready = false;
    if (n > MUX_FRAME_MAX)
        n = MUX_FRAME_MAX;
    if (n > 0) {
        frame_head(mux, FRAME_DATA, c->number, n);
        wr_bytes(&mux->out, c->queue.p, n);
        buf_consume(&c->queue, n);
        c->credit -= n;
    }
    if (c->queue.len == 0 && c->close_wanted && !c->close_sent) {
        frame_head(mux, FRAME_CLOSE, c->number, 0);
        c->close_sent = true;
        maybe_gone(mux, c);
        return;
    }
    make_ready(mux, c);
    if (c->queue.len == 0 && !c->told_drained) {
        c->told_drained = true;
        if (mux->events.drained)
            mux->events.drained(mux->events.arg, c->number);
    }
}

struct view mux_output(struct mux *mux)
{
    struct view v;

    while (mux->ready && mux->out.len < OUTPUT_TARGET)
        send_turn(mux, mux->ready);
    v.p = mux->out.p;
    v.n = mux->out.len;
    return v;
}

void mux_sent(struct mux *mux, size_t n)
{
    buf_consume(&mux->out, n);
}

/* --- frames in --- */

struct frame {
    struct mux *mux;
    uint32_t number;
    struct channel *channel; /* NULL: not known */
    struct view payload;
    struct err *err;
};

/* The four bytes that some kinds of frames carry. */
static uint32_t number_in(const struct frame *f, bool *ok)
{
    struct rd r = rd_init(f->payload.p, f->payload.n);
    uint32_t number = rd_be32(&r);

    *ok = rd_ok(&r);
    return number;
}

static int bad(const struct frame *f, const char *what)
{
    return err_set(f->err, CAUSE_PROTOCOL, "mux: channel %u: %s", f->number, what);
}

static int on_hello(struct frame *f)
{
    struct rd r = rd_init(f->payload.p, f->payload.n);
    uint16_t version = rd_be16(&r);

    if (f->mux->hello_seen || f->number != 0 || !rd_ok(&r))
        return bad(f, "a HELLO that is out of place or too short");
    if (version != MUX_VERSION)
        return err_set(f->err, CAUSE_PROTOCOL, "mux: the peer speaks version %u, this end version %d",
                       version, MUX_VERSION);
    f->mux->hello_seen = true; /* what follows in it belongs to later versions */
    return 0;
}

static int on_open(struct frame *f)
{
    struct mux *mux = f->mux;
    bool theirs = f->number != 0 && (f->number % 2 == 1) != mux->connected;
    struct rd r = rd_init(f->payload.p, f->payload.n);
    uint32_t window = rd_be32(&r);
    struct view kind = rd_str8(&r);
    struct view params = rd_bytes(&r, r.n);
    struct channel *c;

    if (!theirs || f->channel || !rd_ok(&r))
        return bad(f, "an OPEN with a number that is taken or not the peer's to give");
    c = channel_new(mux, f->number, CHANNEL_OFFERED);
    c->credit = window;
    if (mux->count > mux->channels_max || !mux->events.open)
        mux_reject(mux, f->number, "too many channels");
    else
        mux->events.open(mux->events.arg, f->number, kind, params);
    return 0;
}

static int on_accept(struct frame *f)
{
    bool ok;
    uint32_t window = number_in(f, &ok);

    if (!f->channel || f->channel->state != CHANNEL_OPENING || !ok)
        return bad(f, "an ACCEPT of what was not opened");
    f->channel->state = CHANNEL_OPEN;
    f->channel->credit = window;
    make_ready(f->mux, f->channel);
    if (f->mux->events.accepted)
        f->mux->events.accepted(f->mux->events.arg, f->number);
    return 0;
}

static int on_reject(struct frame *f)
{
    if (!f->channel || f->channel->state != CHANNEL_OPENING)
        return bad(f, "a REJECT of what was not opened");
    channel_free(f->mux, f->channel);
    if (f->mux->events.rejected)
        f->mux->events.rejected(f->mux->events.arg, f->number, f->payload);
    return 0;
}

static int on_data(struct frame *f)
{
    struct channel *c = f->channel;
    size_t n = f->payload.n;

    if (!c || c->state == CHANNEL_OPENING || c->close_seen)
        return bad(f, "DATA on a channel that is not open");
    if (n > c->granted)
        return bad(f, "more DATA than was granted");
    c->granted -= n;
    if (f->mux->events.data)
        f->mux->events.data(f->mux->events.arg, f->number, f->payload.p, n);
    return 0;
}

static int on_window(struct frame *f)
{
    bool ok;
    uint32_t more = number_in(f, &ok);

    if (!f->channel || !ok || more > UINT32_MAX - f->channel->credit)
        return bad(f, "a WINDOW that does not fit");
    f->channel->credit += more;
    make_ready(f->mux, f->channel);
    return 0;
}

static int on_close(struct frame *f)
{
    struct channel *c = f->channel;

    if (!c || c->close_seen || c->state == CHANNEL_OPENING)
        return bad(f, "a CLOSE of what is not open");
    c->close_seen = true;
    if (c->state == CHANNEL_OFFERED) /* given up before it was answered */
        c->state = CHANNEL_OPEN;
    if (c->close_sent) {
        maybe_gone(f->mux, c);
        return 0;
    }
    /* The peer takes no more: what is queued has nowhere to go. */
    buf_reset(&c->queue);
    c->close_wanted = true;
    make_ready(f->mux, c);
    return 0;
}

static int on_signal(struct frame *f)
{
    bool ok;
    uint32_t number = number_in(f, &ok);

    if (!f->channel || f->channel->state != CHANNEL_OPEN || !ok)
        return bad(f, "a SIGNAL on a channel that is not open");
    if (f->mux->events.signal)
        f->mux->events.signal(f->mux->events.arg, f->number, number);
    return 0;
}

static int on_ping(struct frame *f)
{
    bool ok;
    uint32_t cookie = number_in(f, &ok);

    if (!ok)
        return bad(f, "a PING without its four bytes");
    frame_u32(f->mux, FRAME_PONG, 0, cookie);
    return 0;
}

static int on_pong(struct frame *f)
{
    (void)f; /* that it came is all that counts */
    return 0;
}

static int (*const handlers[FRAME_TYPES])(struct frame *f) = {
    [FRAME_HELLO] = on_hello,   [FRAME_OPEN] = on_open,     [FRAME_ACCEPT] = on_accept,
    [FRAME_REJECT] = on_reject, [FRAME_DATA] = on_data,     [FRAME_WINDOW] = on_window,
    [FRAME_CLOSE] = on_close,   [FRAME_SIGNAL] = on_signal, [FRAME_PING] = on_ping,
    [FRAME_PONG] = on_pong,
};

/* One frame from the front. MORE: r is of no use any more. For bytes of many ports in small pieces this is
 * what a piece costs: nothing is copied here that need not be. */
static enum decode take_frame(struct mux *mux, struct rd *r, struct err *err)
{
    uint64_t head = rd_be64(r);
    size_t n = (size_t)(head >> 40);
    unsigned type = (unsigned)(head >> 32) & 0xff;
    struct frame f;

    if (!rd_ok(r))
        return DECODE_MORE;
    if (n > MUX_FRAME_MAX || type == 0 || type >= FRAME_TYPES || (!mux->hello_seen && type != FRAME_HELLO)) {
        err_set(err, CAUSE_PROTOCOL, "mux: expected a frame of this protocol, got type %u with %zu bytes",
                type, n);
        return DECODE_BAD;
    }
    if (r->n < n)
        return DECODE_MORE;
    f.mux = mux;
    f.number = (uint32_t)head;
    f.channel = find(mux, f.number);
    f.payload = rd_bytes(r, n);
    f.err = err;
    return handlers[type](&f) == 0 ? DECODE_DONE : DECODE_BAD;
}

/* How many bytes the head or the rest of the frame lacks whose beginning is in `in`. */
static size_t next_missing(const struct mux *mux)
{
    struct rd r = rd_init(mux->in.p, mux->in.len);
    size_t whole = MUX_HEAD + (size_t)rd_be24(&r);

    return mux->in.len < MUX_HEAD ? MUX_HEAD - mux->in.len : whole - mux->in.len;
}

/* All whole frames of n bytes; *left: how many behind them are the beginning of one. */
static int take_frames(struct mux *mux, const uint8_t *p, size_t n, size_t *left, struct err *err)
{
    struct rd r = rd_init(p, n);
    enum decode d;

    do {
        *left = r.n;
        d = take_frame(mux, &r, err);
    } while (d == DECODE_DONE);
    return d == DECODE_BAD ? -1 : 0;
}

/* Frames are taken from where they are; only one that is cut is put together first. */
int mux_feed(struct mux *mux, const void *p, size_t n, int64_t now_ms, struct err *err)
{
    const uint8_t *bytes = p;
    size_t left;

    mux->heard_ms = now_ms;
    mux->pinged = false;
    while (n > 0 && mux->in.len > 0) {
        size_t part = next_missing(mux);

        part = part < n ? part : n;
        buf_add(&mux->in, bytes, part);
        bytes += part;
        n -= part;
        if (take_frames(mux, mux->in.p, mux->in.len, &left, err) != 0)
            return -1;
        if (left == 0)
            buf_reset(&mux->in);
    }
    if (n == 0)
        return 0;
    if (take_frames(mux, bytes, n, &left, err) != 0)
        return -1;
    buf_add(&mux->in, bytes + n - left, left);
    return 0;
}

/* --- time --- */

int64_t mux_deadline(const struct mux *mux)
{
    return mux->heard_ms + (mux->pinged ? MUX_SILENCE_MS : MUX_PING_MS);
}

int mux_tick(struct mux *mux, int64_t now_ms, struct err *err)
{
    if (now_ms - mux->heard_ms >= MUX_SILENCE_MS)
        return err_set(err, CAUSE_TIMEOUT, "mux: the peer has been silent for %d s", MUX_SILENCE_MS / 1000);
    if (now_ms - mux->heard_ms >= MUX_PING_MS && !mux->pinged) {
        mux->pinged = true;
        frame_u32(mux, FRAME_PING, 0, (uint32_t)now_ms);
    }
    return 0;
}

/* --- what the owner does --- */

struct mux *mux_new(bool connected, const struct mux_events *events, size_t channels_max, int64_t now_ms)
{
    struct mux *mux = xcalloc(1, sizeof(*mux));

    mux->connected = connected;
    mux->events = *events;
    mux->channels_max = channels_max;
    mux->next = connected ? 1 : 2;
    mux->heard_ms = now_ms;
    mux->in = buf_init(2 * (MUX_FRAME_MAX + MUX_HEAD));
    mux->out = buf_init(SIZE_MAX / 4);
    frame_head(mux, FRAME_HELLO, 0, 2);
    wr_be16(&mux->out, MUX_VERSION);
    return mux;
}

void mux_free(struct mux *mux)
{
    struct channel *c, *next;

    if (!mux)
        return;
    HASH_ITER(hh, mux->table, c, next)
    channel_free(mux, c);
    free(mux->near);
    buf_free(&mux->in);
    buf_free(&mux->out);
    free(mux);
}

uint32_t mux_open(struct mux *mux, const char *kind, const void *params, size_t n)
{
    uint32_t number = mux->next;

    if (mux->count >= mux->channels_max || n > OPEN_MAX || strlen(kind) > UINT8_MAX ||
        number > UINT32_MAX - 2)
        return 0;
    mux->next += 2;
    channel_new(mux, number, CHANNEL_OPENING);
    frame_head(mux, FRAME_OPEN, number, 4 + 1 + strlen(kind) + n);
    wr_be32(&mux->out, MUX_WINDOW);
    wr_str8(&mux->out, kind, strlen(kind));
    wr_bytes(&mux->out, params, n);
    return number;
}

void mux_accept(struct mux *mux, uint32_t channel)
{
    struct channel *c = find(mux, channel);

    if (!c || c->state != CHANNEL_OFFERED)
        return;
    c->state = CHANNEL_OPEN;
    frame_u32(mux, FRAME_ACCEPT, channel, MUX_WINDOW);
    make_ready(mux, c);
}

void mux_reject(struct mux *mux, uint32_t channel, const char *reason)
{
    struct channel *c = find(mux, channel);
    size_t n = strlen(reason) < REASON_MAX ? strlen(reason) : REASON_MAX;

    if (!c || c->state != CHANNEL_OFFERED)
        return;
    frame_head(mux, FRAME_REJECT, channel, n);
    wr_bytes(&mux->out, reason, n);
    channel_free(mux, c);
}

bool mux_write(struct mux *mux, uint32_t channel, const void *p, size_t n)
{
    struct channel *c = find(mux, channel);

    if (!c || c->close_wanted || c->close_seen)
        return false;
    /* Nothing waits, so nobody is passed over: it need not wait either. */
    if (!mux->ready && c->state == CHANNEL_OPEN && c->queue.len == 0 && n > 0 && n <= c->credit &&
        n <= MUX_FRAME_MAX && mux->out.len + n < OUTPUT_TARGET) {
        memcpy(frame_room(mux, FRAME_DATA, channel, n), p, n);
        c->credit -= n;
        return true;
    }
    buf_add(&c->queue, p, n);
    c->told_drained = false;
    make_ready(mux, c);
    return buf_ok(&c->queue);
}

size_t mux_backlog(const struct mux *mux, uint32_t channel)
{
    const struct channel *c = find(mux, channel);

    return c ? c->queue.len : 0;
}

/* Credit goes back in portions, so that small data do not cost a frame each. */
void mux_consumed(struct mux *mux, uint32_t channel, size_t n)
{
    struct channel *c = find(mux, channel);

    if (!c || c->close_seen)
        return;
    c->owed += n;
    if (c->owed < MUX_WINDOW / 4)
        return;
    frame_u32(mux, FRAME_WINDOW, channel, (uint32_t)c->owed);
    c->granted += c->owed;
    c->owed = 0;
}

void mux_signal(struct mux *mux, uint32_t channel, uint32_t number)
{
    const struct channel *c = find(mux, channel);

    if (c && c->state == CHANNEL_OPEN && !c->close_sent)
        frame_u32(mux, FRAME_SIGNAL, channel, number);
}

void mux_close(struct mux *mux, uint32_t channel)
{
    struct channel *c = find(mux, channel);

    if (!c || c->close_wanted)
        return;
    c->close_wanted = true;
    make_ready(mux, c);
}
