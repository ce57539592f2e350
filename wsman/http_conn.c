#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "base/xalloc.h"
#include "wsman/http_exchange.h"
#include "wsman/http_internal.h"

static void happened(struct http *http, struct http_watch *watch, int events)
{
    struct http_conn *conn = (struct http_conn *)((char *)watch - offsetof(struct http_conn, watch));

    (void)http;
    (void)events;
    switch (conn->state) {
    case HTTP_CONN_CONNECTING:
        http_session_writable(conn->session);
        break;
    case HTTP_CONN_BUSY:
        http_exchange_go(conn->session->exchange);
        break;
    case HTTP_CONN_IDLE: /* the device closes it, or says what nobody asked */
        http_conn_close(conn);
        break;
    case HTTP_CONN_READY: /* waits for a ticket; its end will show when it is used */
        http_conn_watch(conn, 0);
        break;
    }
}

static struct http_conn *conn_new(struct http_session *session, int fd, enum http_conn_state state)
{
    struct http *http = session->http;
    struct http_conn *conn = xcalloc(1, sizeof(*conn));

    conn->http = http;
    conn->session = session;
    conn->state = state;
    http_watch_add(http, &conn->watch, fd, happened);
    session->conn = conn;
    session->connections++;
    return conn;
}

void http_conn_watch(struct http_conn *conn, int events)
{
    http_watch_set(conn->http, &conn->watch, events);
}

static int connect_failed(int number, const struct http_addr *addr, struct err *err)
{
    static const struct {
        int number;
        enum cause cause;
    } causes[] = {
        {ECONNREFUSED, CAUSE_REFUSED},     {ECONNRESET, CAUSE_DROPPED},      {ETIMEDOUT, CAUSE_UNREACHABLE},
        {EHOSTUNREACH, CAUSE_UNREACHABLE}, {ENETUNREACH, CAUSE_UNREACHABLE}, {EHOSTDOWN, CAUSE_UNREACHABLE},
        {ENETDOWN, CAUSE_UNREACHABLE},     {EADDRNOTAVAIL, CAUSE_SYSTEM},    {EACCES, CAUSE_UNREACHABLE},
        {EPERM, CAUSE_UNREACHABLE},        {EINVAL, CAUSE_UNREACHABLE},
    };
    char text[HTTP_ADDR_TEXT_MAX];
    enum cause cause = CAUSE_SYSTEM;

    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
        if (causes[i].number == number)
            cause = causes[i].cause;
    return err_set_errno(err, cause, number, "connecting to %s", http_addr_text(addr, text));
}

void http_socket_speaks(int fd)
{
    int on = 1, off = 0;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));
}

int http_conn_start(struct http_session *session, const struct http_addr *addr, struct err *err)
{
    int fd = socket(addr->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "opening a socket");
    http_socket_speaks(fd);
    if (connect(fd, &addr->u.sa, addr->len) < 0 && errno != EINPROGRESS) {
        int number = errno;
        close(fd);
        return connect_failed(number, addr, err);
    }
    http_conn_watch(conn_new(session, fd, HTTP_CONN_CONNECTING), HTTP_WATCH_WRITE);
    return 0;
}

int http_conn_adopt(struct http_session *session, int fd, struct err *err)
{
    /* Plain bytes are moved by calls that never block anyway. */
    if (session->trust && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "taking a given socket");
        close(fd);
        return -1;
    }
    conn_new(session, fd, HTTP_CONN_READY);
    return 0;
}

int http_conn_finish(struct http_conn *conn, const struct http_addr *addr, struct err *err)
{
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof(peer);
    int number = 0;
    socklen_t n = sizeof(number);

    if (getpeername(conn->watch.fd, (struct sockaddr *)&peer, &peer_len) == 0) {
        conn->state = HTTP_CONN_READY;
        return 0;
    }
    if (getsockopt(conn->watch.fd, SOL_SOCKET, SO_ERROR, &number, &n) < 0)
        number = errno;
    /* An event meant for an earlier descriptor of this number says nothing: it is still under way. */
    return number ? connect_failed(number, addr, err) : 0;
}

bool http_conns_too_many(const struct http *http)
{
    return http->kept[false].count > http->kept[false].most || http->kept[true].count > http->kept[true].most;
}

void http_conns_trim(struct http *http)
{
    for (size_t i = 0; i < 2; i++)
        while (http->kept[i].count > http->kept[i].most)
            http_conn_close(http->kept[i].conns);
}

static struct http_kept *kept_with(const struct http_conn *conn)
{
    return &conn->http->kept[conn->session->trust != NULL];
}

static void watch_over(struct http_kept *kept)
{
    if (kept->conns && (!http_timer_armed(&kept->timer) || kept->conns->due_ms < kept->timer.at))
        http_timer_arm(&kept->http->timers, &kept->timer, kept->conns->due_ms);
}

static void idle_over(struct http_timer *timer)
{
    struct http_kept *kept = (struct http_kept *)timer;

    while (kept->conns && kept->conns->due_ms <= kept->timer.at)
        http_conn_close(kept->conns);
    watch_over(kept);
}

void http_kept_init(struct http_kept *kept, struct http *http, size_t most)
{
    *kept = (struct http_kept){.timer = {.fire = idle_over}, .http = http, .most = most};
}

/* From the back: idle times are mostly equal, and who comes last is then due last. */
static void keep(struct http_kept *kept, struct http_conn *conn)
{
    struct http_conn *before = kept->conns ? kept->conns->prev : NULL;

    while (before && before->due_ms > conn->due_ms)
        before = before == kept->conns ? NULL : before->prev;
    if (before)
        DL_APPEND_ELEM(kept->conns, before, conn);
    else
        DL_PREPEND(kept->conns, conn);
    kept->count++;
}

void http_conn_idle(struct http_conn *conn)
{
    struct http_kept *kept = kept_with(conn);

    conn->state = HTTP_CONN_IDLE;
    conn->due_ms = http_now(conn->http) + conn->session->idle_ms;
    http_conn_watch(conn, HTTP_WATCH_READ);
    keep(kept, conn);
    watch_over(kept);
}

static void leave_idle(struct http_conn *conn)
{
    struct http_kept *kept = kept_with(conn);

    DL_DELETE(kept->conns, conn);
    kept->count--;
}

bool http_conn_is_quiet(const struct http_conn *conn)
{
    char byte;

    return recv(conn->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
}

int http_conn_engage(struct http_conn *conn, struct err *err)
{
    struct http_trust *trust = conn->session->trust;

    if (conn->state == HTTP_CONN_IDLE)
        leave_idle(conn);
    conn->state = HTTP_CONN_BUSY;
    if (!trust || conn->tls)
        return 0;
    conn->tls = stream_tls_new(trust, conn->watch.fd, http_trust_sni(trust), err);
    return conn->tls ? 0 : -1;
}

void http_conn_close(struct http_conn *conn)
{
    if (conn->state == HTTP_CONN_IDLE)
        leave_idle(conn);
    stream_tls_free(conn->tls);
    http_watch_remove(conn->http, &conn->watch);
    conn->session->conn = NULL;
    close(conn->watch.fd);
    free(conn);
}

/* --- bytes --- */

static bool would_block(int number)
{
    return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

enum stream_io http_conn_secure(struct http_conn *conn, struct err *err)
{
    return conn->tls ? stream_tls_handshake(conn->tls, err) : STREAM_IO_DONE;
}

enum stream_io http_conn_read(struct http_conn *conn, void *p, size_t n, size_t *got, struct err *err)
{
    if (conn->tls)
        return stream_tls_read(conn->tls, p, n, got, err);
    ssize_t count = recv(conn->watch.fd, p, n, MSG_DONTWAIT);
    if (count > 0)
        *got = (size_t)count;
    if (count >= 0)
        return count > 0 ? STREAM_IO_DONE : STREAM_IO_END;
    if (would_block(errno))
        return STREAM_IO_WANT_READ;
    err_set_errno(err, CAUSE_DROPPED, errno, "the connection broke while the answer came");
    return STREAM_IO_FAILED;
}

enum stream_io http_conn_write(struct http_conn *conn, const void *p, size_t n, size_t *sent, struct err *err)
{
    if (conn->tls)
        return stream_tls_write(conn->tls, p, n, sent, err);
    ssize_t count = send(conn->watch.fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
        *sent = (size_t)count;
        return STREAM_IO_DONE;
    }
    if (would_block(errno))
        return STREAM_IO_WANT_WRITE;
    err_set_errno(err, CAUSE_DROPPED, errno, "the connection broke while the request was sent");
    return STREAM_IO_FAILED;
}

bool http_conn_may_hold(const struct http_conn *conn, bool filled)
{
    return filled || conn->tls;
}
