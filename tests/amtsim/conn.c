#include "tests/amtsim/conn.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/record.h"
#include "tests/amtsim/setup.h"
#include "tests/amtsim/tls.h"

#define WIRE_MAX  (64u << 20) /* bytes waiting to be sent on one connection */
#define PLAIN_MAX (1u << 20)  /* decrypted from one read */

struct conn {
    uv_tcp_t tcp; /* first: handles are cast */
    struct fleet *fleet;
    struct device *device; /* NULL: refused */
    const struct conn_protocol *protocol;
    void *self; /* of the protocol */
    struct tls_session *tls;
    bool listed;  /* among the fleet's connections */
    bool counted; /* among the device's */
    bool handshaken;
    bool ending;
    bool paused;     /* nothing is read */
    unsigned writes; /* under way */
    int64_t active_ms;
    struct conn *prev, *next;
};

struct write { /* bytes the kernel did not take at once */
    uv_write_t req;
    struct conn *conn;
    char bytes[];
};

static void on_closed(uv_handle_t *handle)
{
    struct conn *conn = (struct conn *)handle;
    tls_session_free(conn->tls);
    free(conn);
}

static void close_now(struct conn *conn, bool reset)
{
    if (uv_is_closing((uv_handle_t *)&conn->tcp))
        return;
    if (conn->self != NULL)
        conn->protocol->closed(conn->self);
    conn->self = NULL;
    if (conn->counted)
        conn->device->connections--;
    if (conn->listed)
        DL_DELETE(conn->fleet->conns, conn);
    conn->counted = conn->listed = false;
    if (!reset || uv_tcp_close_reset(&conn->tcp, on_closed) != 0)
        uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf);
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void close_if_sent(struct conn *conn)
{
    if (conn->ending && conn->writes == 0)
        close_now(conn, false);
}

static void on_written(uv_write_t *req, int status)
{
    struct write *w = (struct write *)req;
    struct conn *conn = w->conn;
    free(w);
    conn->writes--;
    if (status < 0) {
        close_now(conn, false);
        return;
    }
    close_if_sent(conn);
    if (conn->writes == 0 && conn->self != NULL && conn->protocol->drained != NULL)
        conn->protocol->drained(conn->self);
}

/* Hands bytes to the kernel; only what it does not take at once is copied. */
static void send_raw(struct conn *conn, const void *p, size_t n)
{
    uv_stream_t *stream = (uv_stream_t *)&conn->tcp;
    if (n == 0 || uv_is_closing((uv_handle_t *)stream))
        return;
    uv_buf_t all = uv_buf_init((char *)p, (unsigned)n);
    int taken = conn->writes == 0 ? uv_try_write(stream, &all, 1) : 0;
    if (taken == (int)n)
        return;
    if (taken < 0)
        taken = 0;
    size_t rest = n - (size_t)taken;
    if (uv_stream_get_write_queue_size(stream) + rest > WIRE_MAX) {
        close_now(conn, true);
        return;
    }
    struct write *w = xmalloc(sizeof(*w) + rest);
    w->conn = conn;
    memcpy(w->bytes, (const char *)p + taken, rest);
    uv_buf_t out = uv_buf_init(w->bytes, (unsigned)rest);
    conn->writes++;
    if (uv_write(&w->req, stream, &out, 1, on_written) != 0) {
        conn->writes--;
        free(w);
        close_now(conn, false);
    }
}

bool conn_send(struct conn *conn, const void *p, size_t n)
{
    conn->active_ms = clock_mono(&conn->fleet->clock);
    if (conn->tls == NULL) {
        send_raw(conn, p, n);
    } else {
        struct buf wire = buf_init(WIRE_MAX);
        if (tls_session_send(conn->tls, p, n, &wire) == 0)
            send_raw(conn, wire.p, wire.len);
        buf_free(&wire);
    }
    return conn->self != NULL;
}

void conn_end(struct conn *conn)
{
    if (conn->tls != NULL) {
        struct buf wire = buf_init(WIRE_MAX);
        tls_session_end(conn->tls, &wire);
        send_raw(conn, wire.p, wire.len);
        buf_free(&wire);
    }
    conn->ending = true;
    close_if_sent(conn);
}

void conn_reset(struct conn *conn)
{
    close_now(conn, true);
}

size_t conn_queued(const struct conn *conn)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&conn->tcp);
}

void conn_renew_keys(struct conn *conn)
{
    if (conn->tls == NULL)
        return;
    struct buf wire = buf_init(WIRE_MAX);
    tls_session_renew(conn->tls, &wire);
    send_raw(conn, wire.p, wire.len);
    buf_free(&wire);
}

void conn_reading(struct conn *conn, bool on)
{
    if (conn->paused == !on || uv_is_closing((uv_handle_t *)&conn->tcp))
        return;
    conn->paused = !on;
    if (!on)
        uv_read_stop((uv_stream_t *)&conn->tcp);
    else if (uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) != 0)
        close_now(conn, true);
}

bool conn_is_tls(const struct conn *conn)
{
    return conn->tls != NULL;
}

uv_loop_t *conn_loop(const struct conn *conn)
{
    return conn->tcp.loop;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    static char shared[65536]; /* one thread, used up before the next read */
    (void)handle;
    (void)suggested;
    *buf = uv_buf_init(shared, sizeof(shared));
}

static void give(struct conn *conn, const void *p, size_t n)
{
    if (n > 0 && conn->self != NULL && !conn->ending)
        conn->protocol->bytes(conn->self, p, n);
}

static void feed_tls(struct conn *conn, const void *p, size_t n)
{
    struct buf plain = buf_init(PLAIN_MAX), wire = buf_init(WIRE_MAX);
    enum tls_event event = tls_session_feed(conn->tls, p, n, &plain, &wire);
    send_raw(conn, wire.p, wire.len);
    if (!conn->handshaken && tls_session_ready(conn->tls)) {
        conn->handshaken = true;
        record_count(conn->device, RECORD_HANDSHAKES);
    }
    give(conn, plain.p, plain.len);
    buf_free(&plain);
    buf_free(&wire);
    if (event == TLS_FAILED && !conn->handshaken)
        record_count(conn->device, RECORD_HANDSHAKES_FAILED);
    if (event != TLS_GOING_ON && !uv_is_closing((uv_handle_t *)&conn->tcp)) {
        conn->ending = true;
        close_if_sent(conn);
    }
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct conn *conn = (struct conn *)stream;
    if (n < 0) {
        close_now(conn, false);
        return;
    }
    if (n == 0 || conn->ending || fault_pending(conn->device, FAULT_UNREACHABLE) != NULL)
        return;
    conn->active_ms = clock_mono(&conn->fleet->clock);
    if (conn->tls != NULL)
        feed_tls(conn, buf->base, (size_t)n);
    else
        give(conn, buf->base, (size_t)n);
}

static bool addresses(struct conn *conn, uint32_t *local, uint32_t *peer)
{
    struct sockaddr_in a, b;
    int a_len = sizeof(a), b_len = sizeof(b);
    if (uv_tcp_getsockname(&conn->tcp, (struct sockaddr *)&a, &a_len) != 0 ||
        uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&b, &b_len) != 0 || a.sin_family != AF_INET)
        return false;
    *local = ntohl(a.sin_addr.s_addr);
    *peer = ntohl(b.sin_addr.s_addr);
    return true;
}

/* Whether a device takes this connection; counts those it does not. */
static bool admitted(struct conn *conn, bool tls)
{
    uint32_t local, peer;
    if (!addresses(conn, &local, &peer))
        return false;
    if (peer >> 24 != 127) {
        conn->fleet->peers_refused++;
        return false;
    }
    struct device *d = conn->device = fleet_at(conn->fleet, local);
    if (d == NULL) {
        conn->fleet->no_device++;
        return false;
    }
    record_count(d, RECORD_CONNECTIONS);
    const struct conn_protocol *p = conn->protocol;
    if (setup_gone(d) || !device_serves(d, tls) || (p->admits != NULL && !p->admits(d)) ||
        (p->limited && d->connections >= conn->fleet->options->connections) ||
        fault_strike(d, FAULT_REFUSED, NULL, NULL) != NULL) {
        record_count(d, RECORD_CONNECTIONS_REFUSED);
        return false;
    }
    const struct fault *drop = fault_pending(d, FAULT_DROP);
    return drop == NULL || drop->at != FAULT_AT_ACCEPT || fault_strike(d, FAULT_DROP, NULL, NULL) == NULL;
}

void conn_accept(struct fleet *fleet, uv_stream_t *listener, const struct conn_protocol *protocol, bool tls)
{
    struct conn *conn = xcalloc(1, sizeof(*conn));
    conn->fleet = fleet;
    conn->protocol = protocol;
    if (uv_tcp_init(fleet->loop, &conn->tcp) != 0) {
        free(conn);
        return;
    }
    if (uv_accept(listener, (uv_stream_t *)&conn->tcp) != 0) {
        close_now(conn, false);
        return;
    }
    if (!admitted(conn, tls) || (tls && (conn->tls = tls_session_new(conn->device)) == NULL)) {
        close_now(conn, true);
        return;
    }
    conn->listed = true;
    conn->counted = protocol->limited;
    conn->device->connections += conn->counted;
    conn->active_ms = clock_mono(&fleet->clock);
    DL_APPEND(fleet->conns, conn);
    uv_tcp_nodelay(&conn->tcp, 1);
    conn->self = protocol->open(conn, conn->device);
    if (uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) != 0)
        close_now(conn, true);
}

void conn_sweep(struct fleet *fleet)
{
    int64_t now = clock_mono(&fleet->clock);
    struct conn *conn, *tmp;
    DL_FOREACH_SAFE(fleet->conns, conn, tmp)
    {
        if (now - conn->active_ms >= fleet->options->idle_ms && conn->self != NULL && !conn->ending &&
            conn->protocol->idle(conn->self))
            conn_end(conn);
    }
}

void conn_reset_all(struct fleet *fleet, const struct device *device)
{
    struct conn *conn, *tmp;
    DL_FOREACH_SAFE(fleet->conns, conn, tmp)
    {
        if (device == NULL || conn->device == device)
            close_now(conn, true);
    }
}
