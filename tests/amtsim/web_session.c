#include "tests/amtsim/web_session.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/http_request.h"
#include "tests/amtsim/web.h"

#define TRICKLE_BYTES 16
#define ENDLESS_MS    20
#define OUT_MAX       (64u << 20)
#define IN_MAX        (HTTP_HEADER_MAX + HTTP_BODY_MAX + 65536)

static const char endless_chunk[] =
    "0040\r\n<g:Filler>...........................................</g:Filler>\r\n";

/* An answer that is not sent at once: delayed, in pieces, or without end. */
struct later {
    uv_timer_t timer; /* first: freed in its close callback */
    struct web_session *session;
    struct web_verdict verdict;
    struct buf out;
};

struct web_session {
    struct conn *conn;
    struct device *device;
    struct web_login login;
    struct buf in;       /* an unfinished request; empty most of the time */
    size_t need;         /* bytes `in` must hold before it is worth decoding again */
    struct later *later; /* NULL: nothing is under way */
    bool deaf;           /* a silent device reads and never answers */
};

static void *session_open(struct conn *conn, struct device *device)
{
    struct web_session *s = xcalloc(1, sizeof(*s));
    s->conn = conn;
    s->device = device;
    s->in = buf_init(IN_MAX);
    return s;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct later *later = (struct later *)handle;
    buf_free(&later->out);
    free(later);
}

static void later_drop(struct web_session *s)
{
    if (s->later != NULL)
        uv_close((uv_handle_t *)&s->later->timer, on_timer_closed);
    s->later = NULL;
}

static void session_closed(void *self)
{
    struct web_session *s = self;
    later_drop(s);
    buf_free(&s->in);
    free(s);
}

static bool session_idle(void *self)
{
    struct web_session *s = self;
    return s->later == NULL && !s->deaf;
}

/* Sends an answer whose time has come. False: the session is gone or nothing more will be read. */
static bool deliver(struct web_session *s, const struct web_verdict *v, const struct buf *out)
{
    struct conn *conn = s->conn;
    size_t n = v->reset && v->cut < out->len ? v->cut : out->len;
    if (!conn_send(conn, out->p, n))
        return false;
    if (!v->reset && !v->close)
        return true;
    conn_end(conn);
    return false;
}

static void process(struct web_session *s, const void *p, size_t n);

static void go_on(struct web_session *s)
{
    struct buf in = s->in; /* process may put the rest back */
    s->in = buf_init(IN_MAX);
    s->need = 0;
    process(s, in.p, in.len);
    buf_free(&in);
}

static void on_later(uv_timer_t *timer)
{
    struct later *later = (struct later *)timer;
    struct web_session *s = later->session;
    struct conn *conn = s->conn;
    struct web_verdict v = later->verdict; /* a copy: sending may end session and timer */
    if (v.endless && later->out.len == 0) {
        conn_send(conn, endless_chunk, sizeof(endless_chunk) - 1);
        return;
    }
    if (v.trickle_ms > 0 && later->out.len > TRICKLE_BYTES) {
        if (conn_send(conn, later->out.p, TRICKLE_BYTES))
            buf_consume(&later->out, TRICKLE_BYTES);
        return;
    }
    if (v.endless) {
        if (conn_send(conn, later->out.p, later->out.len)) {
            buf_reset(&later->out);
            uv_timer_start(timer, on_later, ENDLESS_MS, ENDLESS_MS);
        }
        return;
    }
    struct buf out = later->out;
    later->out = buf_init(OUT_MAX);
    later_drop(s);
    if (deliver(s, &v, &out))
        go_on(s);
    buf_free(&out);
}

static void put_off(struct web_session *s, const struct web_verdict *v, const struct buf *out)
{
    struct later *later = xcalloc(1, sizeof(*later));
    later->session = s;
    later->verdict = *v;
    later->out = buf_init(OUT_MAX);
    buf_add(&later->out, out->p, out->len);
    s->later = later;
    uv_timer_init(conn_loop(s->conn), &later->timer);
    uv_timer_start(&later->timer, on_later, v->delay_ms, v->trickle_ms);
}

enum served { SERVED, SERVED_LATER, SERVED_GONE /* s must not be used any more */ };

static enum served serve(struct web_session *s, const struct http_request *r)
{
    struct buf *out = &s->device->fleet->wire;
    buf_reset(out);
    struct web_verdict v = web_answer(s->device, r, conn_is_tls(s->conn), &s->login, out);
    if (v.silent) {
        s->deaf = true;
        return SERVED_GONE;
    }
    if (v.delay_ms > 0 || v.trickle_ms > 0 || v.endless) {
        put_off(s, &v, out);
        return SERVED_LATER;
    }
    return deliver(s, &v, out) ? SERVED : SERVED_GONE;
}

static void refuse(struct web_session *s, int status)
{
    struct buf *out = &s->device->fleet->wire;
    buf_reset(out);
    web_bad_request(s->device, status, out);
    struct conn *conn = s->conn;
    if (conn_send(conn, out->p, out->len))
        conn_end(conn);
}

/* Serves all whole requests in p; keeps the rest. The session may be gone when it returns. */
static void process(struct web_session *s, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    size_t at = 0;
    while (at < n) {
        struct http_request r;
        enum decode d = http_request_decode(&r, bytes + at, n - at);
        if (d == DECODE_BAD) {
            refuse(s, r.status);
            return;
        }
        if (d == DECODE_MORE) {
            s->need = r.need;
            break;
        }
        at += r.consumed;
        enum served served = serve(s, &r);
        if (served == SERVED_GONE)
            return;
        if (served == SERVED_LATER)
            break;
    }
    if (at < n)
        buf_add(&s->in, bytes + at, n - at);
}

static void session_bytes(void *self, const void *p, size_t n)
{
    struct web_session *s = self;
    if (s->deaf)
        return;
    if (s->in.len == 0 && s->later == NULL) {
        process(s, p, n);
        return;
    }
    buf_add(&s->in, p, n);
    if (!buf_ok(&s->in))
        conn_reset(s->conn);
    else if (s->later == NULL && s->in.len >= s->need)
        go_on(s);
}

const struct conn_protocol web_protocol = {
    .name = "http",
    .open = session_open,
    .bytes = session_bytes,
    .closed = session_closed,
    .idle = session_idle,
    .limited = true,
};
