#include "amtd/alerts/alert_listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "amtd/alerts/alert_request.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

#define READ_SIZE     16384
#define DATAGRAM_SIZE 2048

struct visitor {
    uv_tcp_t tcp; /* first */
    uv_timer_t timer;
    uv_write_t write;
    struct alert_listener *listener; /* NULL: closing */
    struct alert_request *request;
    struct buf answer;
    struct buf ack;   /* what acknowledges the alert that is looked up */
    struct buf held;  /* bytes that came behind the request under way */
    bool busy;        /* a request is looked up, or its answer is being written */
    bool looking;     /* the desk is going to call */
    bool close_after; /* the answer that is being written */
    int handles;
    struct visitor *prev, *next;
    char bytes[READ_SIZE];
};

struct alert_listener {
    uv_tcp_t tcp; /* first */
    uv_udp_t udp;
    uv_loop_t *loop;
    struct alert_desk *desk;
    struct visitor *visitors;
    size_t count;
    int handles;
    char datagram[DATAGRAM_SIZE];
};

/* --- the end of a visit --- */

static void free_visitor(struct visitor *v)
{
    alert_request_free(v->request);
    buf_free(&v->answer);
    buf_free(&v->ack);
    buf_free(&v->held);
    free(v);
}

static void visitor_closed(uv_handle_t *handle)
{
    struct visitor *v = handle->data;

    if (--v->handles == 0 && !v->looking)
        free_visitor(v);
}

static void leave(struct visitor *v)
{
    if (!v->listener)
        return;
    DL_DELETE(v->listener->visitors, v);
    v->listener->count--;
    v->listener = NULL;
    uv_close((uv_handle_t *)&v->tcp, visitor_closed);
    uv_close((uv_handle_t *)&v->timer, visitor_closed);
}

static void on_idle(uv_timer_t *timer)
{
    leave(timer->data);
}

/* --- answers --- */

static void go_on(struct visitor *v, const char *p, size_t n);

static void written(uv_write_t *write, int status)
{
    struct visitor *v = write->data;
    struct buf held = v->held;

    if (!v->listener)
        return;
    if (status != 0 || v->close_after) {
        leave(v);
        return;
    }
    v->busy = false;
    v->held = buf_init(READ_SIZE);
    alert_request_reset(v->request);
    go_on(v, (const char *)held.p, held.len);
    buf_free(&held);
}

static const char *phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {{200, "OK"},
                   {400, "Bad Request"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {413, "Content Too Large"},
                   {414, "URI Too Long"},
                   {503, "Service Unavailable"}};

    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "";
}

static void answer(struct visitor *v, int status, const struct buf *body)
{
    size_t n = body ? body->len : 0;
    uv_buf_t out;

    v->busy = true;
    v->close_after = status >= 400 || !alert_request_keeps(v->request);
    buf_reset(&v->answer);
    buf_printf(&v->answer, "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\n%s%s\r\n", status, phrase(status), n,
               n > 0 ? "Content-Type: application/soap+xml; charset=UTF-8\r\n" : "",
               v->close_after ? "Connection: close\r\n" : "");
    if (n > 0)
        buf_add(&v->answer, body->p, n);
    out = uv_buf_init((char *)v->answer.p, (unsigned)v->answer.len);
    v->write.data = v;
    if (uv_write(&v->write, (uv_stream_t *)&v->tcp, &out, 1, written) != 0)
        leave(v);
}

static void heard(void *arg, enum alert_heard how)
{
    static const int statuses[] = {[ALERT_HEARD] = 200, [ALERT_NOBODY] = 404, [ALERT_NOT_HEARD] = 503};
    struct visitor *v = arg;

    v->looking = false;
    if (!v->listener) {
        if (v->handles == 0)
            free_visitor(v);
        return;
    }
    answer(v, statuses[how], how == ALERT_HEARD ? &v->ack : NULL);
}

/* --- requests --- */

static void peer_name(const uv_tcp_t *tcp, char out[64])
{
    struct sockaddr_storage peer;
    int n = sizeof(peer);

    if (uv_tcp_getpeername(tcp, (struct sockaddr *)&peer, &n) != 0 ||
        uv_ip_name((const struct sockaddr *)&peer, out, 64) != 0)
        snprintf(out, 64, "?");
}

static void take_request(struct visitor *v)
{
    struct view body = alert_request_body(v->request);
    const char *path = alert_request_path(v->request);
    struct wsman_alert alert;
    struct err err = ERR_INIT;
    char peer[64];

    v->busy = true;
    if (wsman_alert_read(&alert, body.p, body.n, &err) != 0) {
        peer_name(&v->tcp, peer);
        log_warn(NULL, "what %s posted is no alert: %s", peer, err.text);
        wsman_alert_clear(&alert);
        answer(v, 400, NULL);
        return;
    }
    buf_reset(&v->ack);
    if (alert.wants_ack)
        wsman_alert_ack(&alert, &v->ack);
    v->looking = true;
    alert_desk_alert(v->listener->desk, path[0] == '/' ? path + 1 : path, &alert, heard, v);
}

static void go_on(struct visitor *v, const char *p, size_t n)
{
    size_t used;
    enum decode status;

    if (n == 0)
        return;
    status = alert_request_feed(v->request, p, n, &used);
    if (status == DECODE_BAD) {
        answer(v, alert_request_status(v->request), NULL);
        return;
    }
    if (status == DECODE_MORE)
        return;
    buf_add(&v->held, p + used, n - used);
    take_request(v);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct visitor *v = handle->data;

    (void)suggested;
    *out = uv_buf_init(v->bytes, sizeof(v->bytes));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    struct visitor *v = stream->data;

    if (n < 0) {
        leave(v);
        return;
    }
    uv_timer_start(&v->timer, on_idle, ALERT_IDLE_MS, 0);
    if (!v->busy) {
        go_on(v, bytes->base, (size_t)n);
        return;
    }
    buf_add(&v->held, bytes->base, (size_t)n);
    if (!buf_ok(&v->held)) /* nobody sends so much before he has heard an answer */
        leave(v);
}

static void on_visit(uv_stream_t *stream, int status)
{
    struct alert_listener *listener = stream->data;
    struct visitor *v;

    if (status != 0)
        return;
    v = xcalloc(1, sizeof(*v));
    v->listener = listener;
    v->request = alert_request_new();
    v->answer = buf_init(8192);
    v->ack = buf_init(4096);
    v->held = buf_init(READ_SIZE);
    v->handles = 2;
    uv_tcp_init(listener->loop, &v->tcp);
    uv_timer_init(listener->loop, &v->timer);
    v->tcp.data = v->timer.data = v;
    DL_APPEND(listener->visitors, v);
    listener->count++;
    if (uv_accept(stream, (uv_stream_t *)&v->tcp) != 0 || listener->count > ALERT_CONNECTIONS_MAX) {
        leave(v);
        return;
    }
    uv_timer_start(&v->timer, on_idle, ALERT_IDLE_MS, 0);
    uv_read_start((uv_stream_t *)&v->tcp, on_alloc, on_read);
}

/* --- traps --- */

static void on_datagram_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct alert_listener *listener = handle->data;

    (void)suggested;
    *out = uv_buf_init(listener->datagram, sizeof(listener->datagram));
}

static void on_datagram(uv_udp_t *udp, ssize_t n, const uv_buf_t *bytes, const struct sockaddr *from,
                        unsigned flags)
{
    struct alert_listener *listener = udp->data;
    struct trap trap;
    struct err err = ERR_INIT;
    char name[64];

    if (n <= 0 || !from || (flags & UV_UDP_PARTIAL))
        return;
    if (uv_ip_name(from, name, sizeof(name)) != 0)
        return;
    if (trap_read(&trap, bytes->base, (size_t)n, &err) != 0)
        log_info(NULL, "a datagram from %s: %s", name, err.text);
    else
        alert_desk_trap(listener->desk, &trap, name);
}

/* --- life --- */

int alert_address(const char *text, struct sockaddr_storage *out, struct err *err)
{
    const char *colon = strrchr(text, ':');
    bool bracketed = text[0] == '[';
    uint64_t port = 0;
    char host[64] = "";
    size_t n;

    memset(out, 0, sizeof(*out));
    if (colon && text_u64(colon + 1, 1, UINT16_MAX, &port)) {
        n = (size_t)(colon - text) - (bracketed ? 2 : 0);
        if (colon - text > (bracketed ? 2 : 0) && n < sizeof(host) && (!bracketed || colon[-1] == ']'))
            memcpy(host, text + bracketed, n);
    }
    if (host[0] && (bracketed ? uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)(void *)out)
                              : uv_ip4_addr(host, (int)port, (struct sockaddr_in *)(void *)out)) == 0)
        return 0;
    return err_set(err, CAUSE_INVALID_ARGUMENT,
                   "'%s': expected ADDRESS:PORT such as 10.0.0.5:9971 or [::]:9971", text);
}

static void listener_closed(uv_handle_t *handle)
{
    struct alert_listener *listener = handle->data;

    if (--listener->handles == 0)
        free(listener);
}

void alert_listener_free(struct alert_listener *listener)
{
    if (!listener)
        return;
    while (listener->visitors)
        leave(listener->visitors);
    uv_close((uv_handle_t *)&listener->tcp, listener_closed);
    uv_close((uv_handle_t *)&listener->udp, listener_closed);
}

static int open_http(struct alert_listener *listener, const char *at, struct err *err)
{
    struct sockaddr_storage address;
    int status;

    if (alert_address(at, &address, err) != 0)
        return -1;
    status = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)&address, 0);
    if (status == 0)
        status = uv_listen((uv_stream_t *)&listener->tcp, 128, on_visit);
    return status == 0 ? 0 : err_set(err, CAUSE_SYSTEM, "alerts at %s: %s", at, uv_strerror(status));
}

static int open_traps(struct alert_listener *listener, const char *at, struct err *err)
{
    struct sockaddr_storage address;
    int status;

    if (alert_address(at, &address, err) != 0)
        return -1;
    status = uv_udp_bind(&listener->udp, (const struct sockaddr *)&address, 0);
    if (status == 0)
        status = uv_udp_recv_start(&listener->udp, on_datagram_alloc, on_datagram);
    return status == 0 ? 0 : err_set(err, CAUSE_SYSTEM, "traps at %s: %s", at, uv_strerror(status));
}

struct alert_listener *alert_listener_new(uv_loop_t *loop, struct alert_desk *desk, const char *http,
                                          const char *traps, struct err *err)
{
    struct alert_listener *listener = xcalloc(1, sizeof(*listener));

    listener->loop = loop;
    listener->desk = desk;
    listener->handles = 2;
    uv_tcp_init(loop, &listener->tcp);
    uv_udp_init(loop, &listener->udp);
    listener->tcp.data = listener->udp.data = listener;
    if ((!http || open_http(listener, http, err) == 0) && (!traps || open_traps(listener, traps, err) == 0))
        return listener;
    alert_listener_free(listener);
    return NULL;
}
