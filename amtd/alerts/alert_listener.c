#include "amtd/alerts/alert_listener.h"

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "amtd/alerts/alert_request.h"
#include "amtd/net/listener.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

#define HELD_MAX      (2 * STREAM_CHUNK_MAX)
#define LINGER_MS     2000
#define HANDSHAKE_MS  10000
#define DATAGRAM_SIZE 2048

struct visitor {
    uv_timer_t timer;                /* first */
    struct alert_listener *listener; /* NULL: closing */
    struct stream *stream;
    struct alert_request *request;
    struct buf answer;
    struct buf ack;  /* what acknowledges the alert that is looked up */
    struct buf held; /* bytes that came behind the request under way */
    bool busy;       /* a request is looked up */
    bool looking;    /* the desk is going to call */
    bool timer_closed;
    char from[INET6_ADDRSTRLEN];
    struct visitor *prev, *next;
};

struct alert_listener {
    uv_udp_t udp; /* first */
    uv_loop_t *loop;
    struct listener *http;
    struct streams *streams;
    struct alert_desk *desk;
    bool secured;
    SSL_CTX *context; /* of a secured one; NULL: there is no certificate yet */
    struct visitor *visitors;
    size_t count;
    char datagram[DATAGRAM_SIZE];
};

/* --- the end of a visit --- */

static void maybe_free_visitor(struct visitor *v)
{
    if (!v->timer_closed || v->looking)
        return;
    alert_request_free(v->request);
    buf_free(&v->answer);
    buf_free(&v->ack);
    buf_free(&v->held);
    free(v);
}

static void timer_closed(uv_handle_t *handle)
{
    struct visitor *v = (struct visitor *)handle;

    v->timer_closed = true;
    maybe_free_visitor(v);
}

/* What waits is still sent for so long. */
static void leave(struct visitor *v, int64_t linger_ms)
{
    if (!v->listener)
        return;
    DL_DELETE(v->listener->visitors, v);
    v->listener->count--;
    v->listener = NULL;
    stream_close(v->stream, linger_ms);
    uv_close((uv_handle_t *)&v->timer, timer_closed);
}

static void on_idle(uv_timer_t *timer)
{
    leave((struct visitor *)timer, 0);
}

/* --- answers --- */

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

static void go_on(struct visitor *v);

static void answer(struct visitor *v, int status, const struct buf *body)
{
    size_t n = body ? body->len : 0;
    bool closes = status >= 400 || !alert_request_keeps(v->request);

    buf_reset(&v->answer);
    buf_printf(&v->answer, "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\n%s%s\r\n", status, phrase(status), n,
               n > 0 ? "Content-Type: application/soap+xml; charset=UTF-8\r\n" : "",
               closes ? "Connection: close\r\n" : "");
    if (n > 0)
        buf_add(&v->answer, body->p, n);
    if (stream_write(v->stream, v->answer.p, v->answer.len) < v->answer.len || closes) {
        leave(v, LINGER_MS);
        return;
    }
    v->busy = false;
    alert_request_reset(v->request);
}

static void heard(void *arg, enum alert_heard how)
{
    static const int statuses[] = {[ALERT_HEARD] = 200, [ALERT_NOBODY] = 404, [ALERT_NOT_HEARD] = 503};
    struct visitor *v = arg;

    v->looking = false;
    if (!v->listener) {
        maybe_free_visitor(v);
        return;
    }
    answer(v, statuses[how], how == ALERT_HEARD ? &v->ack : NULL);
    if (v->listener)
        go_on(v);
}

/* --- requests --- */

static void take_request(struct visitor *v)
{
    struct view body = alert_request_body(v->request);
    const char *path = alert_request_path(v->request);
    struct wsman_alert alert;
    struct err err = ERR_INIT;

    v->busy = true;
    if (wsman_alert_read(&alert, body.p, body.n, &err) != 0) {
        log_warn(NULL, "what %s posted is no alert: %s", v->from, err.text);
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

/* As far as the bytes reach, one request after the other. */
static void go_on(struct visitor *v)
{
    while (v->listener && !v->busy && v->held.len > 0) {
        size_t used = 0;
        enum decode status = alert_request_feed(v->request, (const char *)v->held.p, v->held.len, &used);

        if (status == DECODE_BAD) {
            answer(v, alert_request_status(v->request), NULL);
            return;
        }
        buf_consume(&v->held, status == DECODE_MORE ? v->held.len : used);
        if (status == DECODE_DONE)
            take_request(v);
    }
}

static void on_up(void *arg)
{
    (void)arg;
}

static void on_bytes(void *arg, const uint8_t *p, size_t n)
{
    struct visitor *v = arg;

    uv_timer_start(&v->timer, on_idle, ALERT_IDLE_MS, 0);
    buf_add(&v->held, p, n);
    if (buf_ok(&v->held))
        go_on(v);
    else /* nobody sends so much before he has heard an answer */
        leave(v, 0);
}

static void on_down(void *arg, const struct err *failure)
{
    struct visitor *v = arg;

    if (failure && v->listener->secured)
        log_info(NULL, "alerts: the connection with %s: %s", v->from, failure->text);
    leave(v, 0);
}

static void on_visit(void *arg, int fd, const char *from)
{
    struct alert_listener *listener = arg;
    struct visitor *v;
    struct err err = ERR_INIT;

    if (listener->count >= ALERT_CONNECTIONS_MAX || (listener->secured && !listener->context)) {
        close(fd);
        return;
    }
    v = xcalloc(1, sizeof(*v));
    v->listener = listener;
    v->request = alert_request_new();
    v->answer = buf_init(8192);
    v->ack = buf_init(4096);
    v->held = buf_init(HELD_MAX);
    snprintf(v->from, sizeof(v->from), "%s", from);
    uv_timer_init(listener->loop, &v->timer);
    uv_timer_start(&v->timer, on_idle, ALERT_IDLE_MS, 0);
    DL_APPEND(listener->visitors, v);
    listener->count++;
    const struct stream_events events = {.arg = v, .up = on_up, .bytes = on_bytes, .down = on_down};
    v->stream = listener->secured
                    ? stream_accept(listener->streams, fd, listener->context, HANDSHAKE_MS, &events, &err)
                    : stream_adopt(listener->streams, fd, 0, &events, &err);
    if (v->stream)
        return;
    log_warn(NULL, "alerts: a connection cannot be served: %s", err.text);
    leave(v, 0);
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

static uint16_t alert_port(const struct sockaddr_storage *address)
{
    return ntohs(address->ss_family == AF_INET6
                     ? ((const struct sockaddr_in6 *)(const void *)address)->sin6_port
                     : ((const struct sockaddr_in *)(const void *)address)->sin_port);
}

static void udp_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void alert_listener_free(struct alert_listener *listener)
{
    if (!listener)
        return;
    while (listener->visitors)
        leave(listener->visitors, 0);
    listener_free(listener->http);
    SSL_CTX_free(listener->context);
    uv_close((uv_handle_t *)&listener->udp, udp_closed);
}

static int open_http(struct alert_listener *listener, const char *at, struct err *err)
{
    struct sockaddr_storage address;
    char host[INET6_ADDRSTRLEN];

    if (alert_address(at, &address, err) != 0)
        return -1;
    uv_ip_name((const struct sockaddr *)&address, host, sizeof(host));
    listener->http = listener_tcp(listener->loop, host, alert_port(&address), on_visit, listener, err);
    return listener->http ? 0 : -1;
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

struct alert_listener *alert_listener_new(const struct alert_listener_parts *parts, struct err *err)
{
    struct alert_listener *listener = xcalloc(1, sizeof(*listener));

    listener->loop = parts->loop;
    listener->streams = parts->streams;
    listener->desk = parts->desk;
    listener->secured = parts->secured;
    uv_udp_init(parts->loop, &listener->udp);
    listener->udp.data = listener;
    if ((!parts->http || open_http(listener, parts->http, err) == 0) &&
        (!parts->traps || open_traps(listener, parts->traps, err) == 0))
        return listener;
    alert_listener_free(listener);
    return NULL;
}

int alert_listener_show(struct alert_listener *listener, const struct buf *certificate, const struct buf *key,
                        struct err *err)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (context && SSL_CTX_use_certificate_ASN1(context, (int)certificate->len, certificate->p) == 1 &&
        SSL_CTX_use_PrivateKey_ASN1(EVP_PKEY_RSA, context, key->p, (long)key->len) == 1) {
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
        SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_keylog_callback(context, NULL);
        SSL_CTX_free(listener->context);
        listener->context = context;
        return 0;
    }
    SSL_CTX_free(context);
    ERR_clear_error();
    return err_set(err, CAUSE_SYSTEM, "alerts: the certificate of the listener cannot be used");
}
