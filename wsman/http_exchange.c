#include "wsman/http_exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "wsman/http_login.h"
#include "wsman/http_reply.h"

#define REQUEST_MAX ((size_t)2 * 1024 * 1024) /* bytes, of which the body has the half at most */
#define ROOM_KEPT   ((size_t)16 * 1024)       /* for the next request */

/* Thousands wait for their answers at a time: what waits holds neither the request nor room for the answer,
 * so that the memory of both is used again while it is still in the processor's cache. */
struct http_exchange {
    struct http_session *session;
    struct http_reply *reply; /* NULL: nothing has come yet */
    struct buf request;       /* until the connection has taken it */
    size_t length;            /* of the request */
    size_t at;                /* bytes of it that the connection has taken */
    bool sent;
};

/* --- the request --- */

static void put_header(struct buf *out, const char *name, const char *value)
{
    buf_puts(out, name);
    buf_puts(out, ": ");
    buf_puts(out, value);
    buf_puts(out, "\r\n");
}

static void put_host(struct buf *out, const struct http_session *session)
{
    bool v6 = strchr(session->name, ':') != NULL;

    buf_puts(out, v6 ? "Host: [" : "Host: ");
    buf_puts(out, session->name);
    buf_puts(out, v6 ? "]:" : ":");
    buf_put_u64(out, session->port);
    buf_puts(out, "\r\n");
}

/* WS-Management is SOAP 1.2; at other paths stands the interface of old firmware, which is SOAP 1.1. */
static void put_kind(struct buf *out, const char *path)
{
    if (strncmp(path, "/wsman", 6) == 0) {
        put_header(out, "Content-Type", "application/soap+xml;charset=UTF-8");
        return;
    }
    put_header(out, "Content-Type", "text/xml;charset=UTF-8");
    put_header(out, "SOAPAction", "\"\"");
}

static int put_login(struct http_session *session, struct buf *out, struct err *err)
{
    static const char name[] = "Authorization: ";
    size_t before = out->len;

    buf_puts(out, name);
    if (http_login_authorize(session, out, err) < 0)
        return -1;
    if (out->len > before + strlen(name))
        buf_puts(out, "\r\n");
    else
        out->len = before; /* it goes without */
    return 0;
}

static int write_request(struct http_session *session, struct buf *out, struct err *err)
{
    bool posting = session->method[0] == 'P';

    buf_puts(out, session->method);
    buf_putc(out, ' ');
    buf_puts(out, session->path);
    buf_puts(out, " HTTP/1.1\r\n");
    put_host(out, session);
    if (put_login(session, out, err) < 0)
        return -1;
    if (posting) {
        put_kind(out, session->path);
        buf_puts(out, "Content-Length: ");
        buf_put_u64(out, session->body.len);
        buf_puts(out, "\r\n");
    }
    buf_puts(out, "\r\n");
    buf_add(out, session->body.p, session->body.len);
    return buf_ok(out) ? 0 : err_set(err, CAUSE_TOO_LARGE, "the request is longer than any device takes");
}

/* A connection mostly takes a request at once: the next one has the same memory. */
static struct buf take_room(struct http *http)
{
    struct buf room = http->room.p ? http->room : buf_init_secret(REQUEST_MAX);

    http->room = buf_init_secret(REQUEST_MAX);
    return room;
}

static void give_room_back(struct http *http, struct buf *room)
{
    struct buf spare = *room;

    *room = buf_init_secret(REQUEST_MAX);
    if (http->room.p || spare.cap > ROOM_KEPT) {
        buf_free(&spare);
        return;
    }
    buf_reset(&spare);
    http->room = spare;
}

struct http_exchange *http_exchange_new(struct http_session *session, struct err *err)
{
    struct http_exchange *exchange;

    if (http_conn_engage(session->conn, err) < 0)
        return NULL;
    exchange = xcalloc(1, sizeof(*exchange));
    exchange->session = session;
    exchange->request = take_room(session->http);
    if (write_request(session, &exchange->request, err) < 0) {
        http_exchange_free(exchange);
        return NULL;
    }
    exchange->length = exchange->request.len;
    return exchange;
}

void http_exchange_free(struct http_exchange *exchange)
{
    if (!exchange)
        return;
    http_reply_free(exchange->reply);
    give_room_back(exchange->session->http, &exchange->request);
    free(exchange);
}

/* --- under way --- */

static void over(struct http_exchange *exchange, const struct err *failure)
{
    struct http_session *session = exchange->session;
    struct http_conn *conn = session->conn;

    if (!failure && exchange->at == exchange->length && http_reply_keeps(exchange->reply))
        http_conn_idle(conn);
    else
        http_conn_close(conn);
    http_session_exchanged(session, failure);
}

static enum stream_io shake_hands(struct http_exchange *exchange, struct err *err)
{
    enum stream_io io = STREAM_IO_DONE;

    if (exchange->sent)
        return io;
    io = http_conn_secure(exchange->session->conn, err);
    if (io != STREAM_IO_DONE)
        return io;
    exchange->sent = true;
    http_session_sending(exchange->session);
    return io;
}

static enum stream_io send_request(struct http_exchange *exchange, struct err *err)
{
    while (exchange->at < exchange->length) {
        size_t n = 0;
        enum stream_io io = http_conn_write(exchange->session->conn, exchange->request.p + exchange->at,
                                            exchange->length - exchange->at, &n, err);
        if (io != STREAM_IO_DONE)
            return io;
        exchange->at += n;
    }
    give_room_back(exchange->session->http, &exchange->request);
    return STREAM_IO_DONE;
}

static struct http_reply *reply_of(struct http_exchange *exchange)
{
    if (!exchange->reply)
        exchange->reply = http_reply_new(&exchange->session->answer);
    return exchange->reply;
}

/* STREAM_IO_END: the answer is complete. */
static enum stream_io take_answer(struct http_exchange *exchange, struct err *err)
{
    struct http_conn *conn = exchange->session->conn;
    struct http *http = exchange->session->http;

    for (;;) {
        size_t n = 0;
        enum stream_io io = http_conn_read(conn, http->chunk, sizeof(http->chunk), &n, err);
        enum decode decode = io == STREAM_IO_DONE  ? http_reply_feed(reply_of(exchange), http->chunk, n, err)
                             : io == STREAM_IO_END ? http_reply_end(reply_of(exchange), err)
                                                   : DECODE_MORE;
        exchange->session->heard |= n > 0;
        if (decode != DECODE_MORE)
            return decode == DECODE_DONE ? STREAM_IO_END : STREAM_IO_FAILED;
        if (io != STREAM_IO_DONE)
            return io;
        if (!http_conn_may_hold(conn, n == sizeof(http->chunk)))
            return STREAM_IO_WANT_READ;
    }
}

static void wait_for(struct http_exchange *exchange, enum stream_io io)
{
    bool to_send = exchange->sent && exchange->at < exchange->length;

    http_conn_watch(exchange->session->conn,
                    (to_send || io == STREAM_IO_WANT_WRITE ? HTTP_WATCH_WRITE : 0) |
                        (to_send || io != STREAM_IO_WANT_WRITE ? HTTP_WATCH_READ : 0));
}

void http_exchange_go(struct http_exchange *exchange)
{
    bool is_answer_due = exchange->sent;
    struct err err = ERR_INIT;
    enum stream_io io = shake_hands(exchange, &err);

    if (io == STREAM_IO_DONE)
        io = send_request(exchange, &err);
    if (is_answer_due && (io == STREAM_IO_DONE || io == STREAM_IO_WANT_WRITE))
        io = take_answer(exchange, &err);
    if (io == STREAM_IO_FAILED)
        over(exchange, &err);
    else if (io == STREAM_IO_END)
        over(exchange, NULL);
    else
        wait_for(exchange, io == STREAM_IO_DONE ? STREAM_IO_WANT_READ : io);
}

bool http_exchange_sent(const struct http_exchange *exchange)
{
    return exchange->sent;
}

int http_exchange_status(const struct http_exchange *exchange)
{
    return http_reply_status(exchange->reply);
}

const struct buf *http_exchange_challenges(const struct http_exchange *exchange)
{
    return http_reply_challenges(exchange->reply);
}

struct view http_exchange_server(const struct http_exchange *exchange)
{
    return exchange->reply ? http_reply_server(exchange->reply) : (struct view){NULL, 0};
}
