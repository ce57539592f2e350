#include "amtd/net/stream.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "amtd/net/socket.h"
#include "base/buf.h"
#include "base/xalloc.h"
#include "wsman/http_tls_file.h"
#include "wsman/stream_tls.h"

#define READS_AT_ONCE  16           /* then other streams have their turn */
#define WRITE_CHUNK    (128 * 1024) /* most bytes given to the system at once */
#define PULSES         6            /* looks at every stream within the limit */
#define HANDSHAKE_TEXT "no end of the TLS handshake within %lld ms"

/* dialing -> (TLS: shaking) -> up -> over. Lingering: closed by its owner, but with bytes to be sent. */
enum phase { PHASE_DIALING, PHASE_SHAKING, PHASE_UP, PHASE_OVER, PHASE_LINGERING };

/* What the next turn of the loop is to do. */
enum soon {
    SOON_FAIL = 1 << 0, /* tell the owner of `failure` */
    SOON_UP = 1 << 1,   /* tell it that a descriptor that was ready is up */
    SOON_READ = 1 << 2, /* read what TLS holds */
};

struct streams {
    uv_loop_t *loop;
    struct dialer *dialer;
    struct http_tls_file *files;
    struct stream *all;
    uv_timer_t *pulse;
    int64_t pulse_ms; /* 0: not beating */
    uint8_t chunk[STREAM_CHUNK_MAX];
};

struct stream {
    struct streams *streams;
    struct stream_events events;
    enum phase phase;
    unsigned soon; /* enum soon */
    struct dial *dial;
    int fd;
    bool is_socket, is_tcp;
    bool is_polled_out; /* the last write wanted to be told */
    int polled;         /* events that poll watches for */
    bool paused;
    bool hung;            /* while paused, the descriptor reported an error */
    bool inside;          /* a callback is being called: the stream is freed after it */
    bool freed;           /* and it was */
    enum stream_io wants; /* TLS: of the handshake or the last read */
    uv_poll_t *poll;
    uv_timer_t *timer;
    struct http_trust *trust; /* NULL: no TLS, or by context */
    SSL_CTX *context;         /* NULL: no TLS, or by trust */
    struct stream_tls *tls;
    char *host, *sni;
    uint16_t port;
    int64_t open_ms, vanished_ms;
    struct buf queue; /* from `sent` on */
    size_t sent;
    struct err failure;
    struct stream *prev, *next;
};

static void on_timer(uv_timer_t *timer);
static void on_poll(uv_poll_t *poll, int status, int events);
static void stream_dial(struct stream *s);

/* --- the descriptor --- */

static void handle_closed(uv_handle_t *handle)
{
    free(handle);
}

/* Lets go of the connection, not of what is queued. */
static void disconnect(struct stream *s)
{
    dial_cancel(s->dial);
    s->dial = NULL;
    stream_tls_free(s->tls);
    s->tls = NULL;
    if (s->poll)
        uv_close((uv_handle_t *)s->poll, handle_closed);
    s->poll = NULL;
    s->polled = 0;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

static size_t backlog(const struct stream *s)
{
    return s->queue.len - s->sent;
}

static int wanted_events(const struct stream *s)
{
    int events = 0;

    if (s->phase == PHASE_SHAKING)
        return s->wants == STREAM_IO_WANT_WRITE ? UV_WRITABLE : UV_READABLE;
    if (s->phase == PHASE_UP && !s->paused && !s->hung)
        events |= UV_READABLE;
    if (s->phase == PHASE_UP && s->wants == STREAM_IO_WANT_WRITE)
        events |= UV_WRITABLE;
    if ((s->phase == PHASE_UP || s->phase == PHASE_LINGERING) && backlog(s) > 0)
        events |= UV_WRITABLE;
    return events;
}

static void watch(struct stream *s)
{
    int events = wanted_events(s);

    if (!s->poll || events == s->polled) /* libuv would tell the kernel anew, twice, for every event */
        return;
    s->is_polled_out = (events & UV_WRITABLE) != 0;
    s->polled = events;
    if (events)
        uv_poll_start(s->poll, events, on_poll);
    else
        uv_poll_stop(s->poll);
}

static void do_soon(struct stream *s, enum soon what)
{
    s->soon |= what;
    uv_timer_start(s->timer, on_timer, 0, 0);
}

/* --- the end --- */

static void stream_free(struct stream *s)
{
    disconnect(s);
    DL_DELETE(s->streams->all, s);
    if (!s->streams->all) {
        uv_timer_stop(s->streams->pulse);
        s->streams->pulse_ms = 0;
    }
    uv_close((uv_handle_t *)s->timer, handle_closed);
    http_trust_free(s->trust);
    SSL_CTX_free(s->context);
    buf_free(&s->queue);
    free(s->host);
    free(s->sni);
    free(s);
}

/* Around every callback: false when the owner closed the stream in it. */
static bool leave(struct stream *s)
{
    s->inside = false;
    if (!s->freed)
        return true;
    stream_free(s);
    return false;
}

/* failure NULL: in good order. The stream may be gone after. */
static void tell_down(struct stream *s, const struct err *failure)
{
    disconnect(s);
    uv_timer_stop(s->timer);
    s->phase = PHASE_OVER;
    s->inside = true;
    s->events.down(s->events.arg, failure);
    leave(s);
}

/* Of a stream that lingers, everything is an end. */
static void come_down(struct stream *s, const struct err *failure)
{
    if (s->phase == PHASE_LINGERING)
        stream_free(s);
    else
        tell_down(s, failure);
}

/* --- moving bytes --- */

static enum stream_io plain_read(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
    ssize_t count = read(s->fd, p, n);

    *got = count > 0 ? (size_t)count : 0;
    if (count > 0)
        return STREAM_IO_DONE;
    if (count == 0 || (errno == EIO && !s->is_socket)) /* a terminal's other end is gone */
        return STREAM_IO_END;
    if (errno == EAGAIN || errno == EINTR)
        return STREAM_IO_WANT_READ;
    socket_lost(errno, err);
    return STREAM_IO_FAILED;
}

static enum stream_io plain_write(struct stream *s, const void *p, size_t n, size_t *sent, struct err *err)
{
    ssize_t count = s->is_socket ? send(s->fd, p, n, MSG_NOSIGNAL) : write(s->fd, p, n);

    *sent = count > 0 ? (size_t)count : 0;
    if (count >= 0)
        return STREAM_IO_DONE;
    if (errno == EAGAIN || errno == EINTR)
        return STREAM_IO_WANT_WRITE;
    socket_lost(errno, err);
    return STREAM_IO_FAILED;
}

static enum stream_io write_some(struct stream *s, const void *p, size_t n, size_t *sent, struct err *err)
{
    if (n > WRITE_CHUNK)
        n = WRITE_CHUNK;
    return s->tls ? stream_tls_write(s->tls, p, n, sent, err) : plain_write(s, p, n, sent, err);
}

/* Sends what is queued. -1 and err when the connection broke. */
static int flush(struct stream *s, struct err *err)
{
    while (backlog(s) > 0) {
        size_t n = 0;
        enum stream_io io = write_some(s, s->queue.p + s->sent, backlog(s), &n, err);

        if (io == STREAM_IO_FAILED || io == STREAM_IO_END)
            return io == STREAM_IO_FAILED ? -1 : err_set(err, CAUSE_DROPPED, "the peer closed");
        s->sent += n;
        if (io != STREAM_IO_DONE)
            break;
    }
    if (backlog(s) == 0) {
        buf_free(&s->queue);
        s->sent = 0;
    } else if (s->sent > s->queue.len / 2) {
        buf_consume(&s->queue, s->sent);
        s->sent = 0;
    }
    return 0;
}

/* Sends what is queued and says so when nothing waits any more. False when the stream came down or was
 * closed: it may be gone. */
static bool flush_and_tell(struct stream *s)
{
    struct err err = ERR_INIT;

    if (backlog(s) == 0)
        return true;
    if (flush(s, &err) != 0) {
        come_down(s, &err);
        return false;
    }
    if (backlog(s) > 0)
        return true;
    if (s->phase == PHASE_LINGERING) {
        stream_free(s);
        return false;
    }
    if (!s->events.drained)
        return true;
    s->inside = true;
    s->events.drained(s->events.arg);
    return leave(s) && s->phase < PHASE_OVER;
}

/* Hands on what came. False when the stream came down or was closed: it may be gone. */
static bool read_all(struct stream *s)
{
    for (int i = 0; i < READS_AT_ONCE; i++) {
        uint8_t *chunk = s->streams->chunk;
        struct err err = ERR_INIT;
        size_t n = 0;
        enum stream_io io;

        if (s->paused)
            return true;
        io = s->tls ? stream_tls_read(s->tls, chunk, STREAM_CHUNK_MAX, &n, &err)
                    : plain_read(s, chunk, STREAM_CHUNK_MAX, &n, &err);
        s->wants = io == STREAM_IO_DONE ? STREAM_IO_WANT_READ : io;
        if (io == STREAM_IO_END || io == STREAM_IO_FAILED) {
            come_down(s, io == STREAM_IO_FAILED ? &err : NULL);
            return false;
        }
        if (io != STREAM_IO_DONE)
            return true;
        s->inside = true;
        s->events.bytes(s->events.arg, chunk, n);
        if (!leave(s) || s->phase != PHASE_UP)
            return false;
        if (!s->tls && n < STREAM_CHUNK_MAX)
            return true;
    }
    if (s->tls && stream_tls_holds(s->tls))
        do_soon(s, SOON_READ);
    return true;
}

/* --- opening --- */

static void go_up(struct stream *s)
{
    s->phase = PHASE_UP;
    s->wants = STREAM_IO_WANT_READ;
    uv_timer_stop(s->timer);
    s->inside = true;
    s->events.up(s->events.arg);
    if (!leave(s) || s->phase != PHASE_UP || !flush_and_tell(s))
        return;
    if (s->tls && stream_tls_holds(s->tls)) /* what came together with the end of the handshake */
        do_soon(s, SOON_READ);
    watch(s);
}

static void shake(struct stream *s)
{
    struct err err = ERR_INIT;
    enum stream_io io = stream_tls_handshake(s->tls, &err);

    s->wants = io;
    if (io == STREAM_IO_DONE) {
        go_up(s);
    } else if (io != STREAM_IO_FAILED && io != STREAM_IO_END) {
        watch(s);
    } else if (s->trust && http_trust_try_older(s->trust)) {
        disconnect(s);
        uv_timer_stop(s->timer);
        stream_dial(s);
    } else {
        come_down(s, &err);
    }
}

static int init_poll(struct stream *s, struct err *err)
{
    uv_poll_t *poll = xcalloc(1, sizeof(*poll));
    int status = uv_poll_init(s->streams->loop, poll, s->fd);

    if (status != 0) {
        free(poll);
        return err_set_errno(err, CAUSE_SYSTEM, -status, "a descriptor cannot be watched");
    }
    poll->data = s;
    s->poll = poll;
    return 0;
}

static struct stream_tls *new_tls(struct stream *s, bool accepts, struct err *err)
{
    return s->trust ? stream_tls_new(s->trust, s->fd, s->sni, err)
                    : stream_tls_new_by(s->context, accepts, s->fd, s->sni, err);
}

static void begin_shaking(struct stream *s)
{
    s->phase = PHASE_SHAKING;
    uv_timer_start(s->timer, on_timer, (uint64_t)s->open_ms, 0);
}

static void dialed(void *arg, int fd, const struct err *failure)
{
    struct stream *s = arg;
    struct err err = ERR_INIT;
    bool secured = s->trust || s->context;

    s->dial = NULL;
    if (failure) {
        come_down(s, failure);
        return;
    }
    s->fd = fd;
    s->is_socket = true;
    socket_prepare(fd, s->vanished_ms);
    if (init_poll(s, &err) != 0 || (secured && !(s->tls = new_tls(s, false, &err)))) {
        come_down(s, &err);
        return;
    }
    if (!secured) {
        go_up(s);
        return;
    }
    begin_shaking(s);
    shake(s);
}

static void stream_dial(struct stream *s)
{
    s->phase = PHASE_DIALING;
    s->dial = dialer_connect(s->streams->dialer, s->host, s->port, s->open_ms, 0, dialed, s);
}

/* --- what the loop calls --- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct stream *s = poll->data;

    if (status < 0) { /* the next read or write says what is wrong */
        events = UV_READABLE | UV_WRITABLE;
        s->polled = 0; /* libuv has stopped it */
        s->hung = s->paused;
    }
    if (s->phase == PHASE_SHAKING) {
        shake(s);
        return;
    }
    if ((events & UV_WRITABLE) && !flush_and_tell(s))
        return;
    if (s->phase == PHASE_UP && !read_all(s))
        return;
    if (s->phase == PHASE_UP || s->phase == PHASE_LINGERING)
        watch(s);
}

static void on_timer(uv_timer_t *timer)
{
    struct stream *s = timer->data;
    unsigned soon = s->soon;
    struct err err = ERR_INIT;

    s->soon = 0;
    if (s->phase == PHASE_LINGERING) {
        stream_free(s);
    } else if (soon & SOON_FAIL) {
        err = s->failure;
        tell_down(s, &err);
    } else if (soon & SOON_UP) {
        go_up(s);
    } else if (soon & SOON_READ) {
        if (s->phase == PHASE_UP && read_all(s) && s->phase == PHASE_UP)
            watch(s);
    } else if (s->phase == PHASE_SHAKING) {
        err_set(&err, CAUSE_TIMEOUT, HANDSHAKE_TEXT, (long long)s->open_ms);
        tell_down(s, &err);
    }
}

/* --- peers that vanish --- */

static void on_pulse(uv_timer_t *timer)
{
    struct streams *streams = timer->data;
    struct stream *s;

    DL_FOREACH(streams->all, s)
    {
        if (s->phase != PHASE_UP || !s->is_tcp || (s->soon & SOON_FAIL) ||
            !socket_is_silent(s->fd, s->vanished_ms))
            continue;
        socket_lost(ETIMEDOUT, &s->failure);
        do_soon(s, SOON_FAIL);
    }
}

static void beat(struct streams *streams, int64_t vanished_ms)
{
    int64_t ms = vanished_ms / PULSES;

    if (streams->pulse_ms && streams->pulse_ms <= ms)
        return;
    streams->pulse_ms = ms > 0 ? ms : 1;
    uv_timer_start(streams->pulse, on_pulse, (uint64_t)streams->pulse_ms, (uint64_t)streams->pulse_ms);
}

/* --- making one --- */

static struct stream *stream_new(struct streams *streams, size_t queue_max,
                                 const struct stream_events *events)
{
    struct stream *s = xcalloc(1, sizeof(*s));

    s->streams = streams;
    s->events = *events;
    s->fd = -1;
    s->queue = buf_init(queue_max > 0 ? queue_max : STREAM_QUEUE_MAX);
    s->timer = xcalloc(1, sizeof(*s->timer));
    uv_timer_init(streams->loop, s->timer);
    s->timer->data = s;
    DL_APPEND(streams->all, s);
    return s;
}

static void open_unix(struct stream *s, const char *path)
{
    s->is_socket = true;
    s->fd = socket_connect_unix(path, &s->failure);
    do_soon(s, s->fd >= 0 && init_poll(s, &s->failure) == 0 ? SOON_UP : SOON_FAIL);
}

static int check_peer(const struct stream_peer *peer, struct err *err)
{
    if (peer->path && !socket_is_path(peer->path))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' cannot be the path of a UNIX socket", peer->path);
    if (!peer->path && (!peer->host || peer->host[0] == '\0' || peer->port == 0))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "a connection needs a host and a port");
    return 0;
}

struct stream *stream_open(struct streams *streams, const struct stream_peer *peer,
                           const struct stream_events *events, struct err *err)
{
    struct http_trust *trust = NULL;
    struct stream *s;

    if (check_peer(peer, err) != 0)
        return NULL;
    if (!peer->path && peer->tls && peer->tls->tls != HTTP_TLS_NONE &&
        !(trust = http_trust_new(&streams->files, peer->tls, err)))
        return NULL;
    s = stream_new(streams, peer->queue_max, events);
    if (peer->path) {
        open_unix(s, peer->path);
        return s;
    }
    s->trust = trust;
    if (trust && !socket_is_address(peer->tls->name))
        s->sni = xstrdup(peer->tls->name);
    if (peer->context) {
        SSL_CTX_up_ref(peer->context);
        s->context = peer->context;
    }
    s->host = xstrdup(peer->host);
    s->is_tcp = true;
    s->port = peer->port;
    s->open_ms = peer->open_ms > 0 ? peer->open_ms : 1;
    s->vanished_ms = peer->vanished_ms > 0 ? peer->vanished_ms : STREAM_VANISHED_MS;
    beat(streams, s->vanished_ms);
    stream_dial(s);
    return s;
}

struct stream *stream_adopt(struct streams *streams, int fd, size_t queue_max,
                            const struct stream_events *events, struct err *err)
{
    struct stream *s;
    int type;
    socklen_t size = sizeof(type);

    s = stream_new(streams, queue_max, events);
    s->fd = fd;
    s->is_socket = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
    if (init_poll(s, err) != 0) {
        stream_free(s);
        return NULL;
    }
    do_soon(s, SOON_UP);
    return s;
}

struct stream *stream_accept(struct streams *streams, int fd, SSL_CTX *context, int64_t open_ms,
                             const struct stream_events *events, struct err *err)
{
    struct stream *s = stream_new(streams, 0, events);

    s->fd = fd;
    s->is_socket = true;
    SSL_CTX_up_ref(context);
    s->context = context;
    s->open_ms = open_ms;
    s->vanished_ms = STREAM_VANISHED_MS;
    s->is_tcp = true;
    socket_prepare(fd, s->vanished_ms);
    if (init_poll(s, err) != 0 || !(s->tls = new_tls(s, true, err))) {
        stream_free(s);
        return NULL;
    }
    beat(streams, s->vanished_ms);
    begin_shaking(s);
    s->wants = STREAM_IO_WANT_READ;
    watch(s);
    return s;
}

/* --- what its owner asks --- */

void stream_close(struct stream *s, int64_t linger_ms)
{
    if (!s)
        return;
    if (s->phase == PHASE_UP && !(s->soon & SOON_FAIL) && backlog(s) > 0 && linger_ms > 0) {
        s->phase = PHASE_LINGERING;
        s->soon = 0;
        uv_timer_start(s->timer, on_timer, (uint64_t)linger_ms, 0);
        watch(s);
    } else if (s->inside) {
        s->freed = true;
        s->phase = PHASE_OVER;
    } else {
        stream_free(s);
    }
}

/* Hands bytes to the system while it takes them. SIZE_MAX: the connection broke. */
static size_t write_now(struct stream *s, const uint8_t *p, size_t n)
{
    size_t done = 0;

    while (done < n) {
        size_t left = n - done, sent = 0;
        /* What TLS did not take has to be queued whole, so that it can be offered again. */
        enum stream_io io =
            write_some(s, p + done, left < s->queue.max ? left : s->queue.max, &sent, &s->failure);

        if (io == STREAM_IO_END)
            err_set(&s->failure, CAUSE_DROPPED, "the peer closed");
        if (io == STREAM_IO_END || io == STREAM_IO_FAILED)
            return SIZE_MAX;
        done += sent;
        if (io != STREAM_IO_DONE)
            break;
    }
    return done;
}

size_t stream_write(struct stream *s, const void *p, size_t n)
{
    size_t done = 0;

    if (s->phase >= PHASE_OVER || (s->soon & SOON_FAIL))
        return 0;
    if (s->phase == PHASE_UP && backlog(s) == 0)
        done = write_now(s, p, n);
    if (done == SIZE_MAX) {
        do_soon(s, SOON_FAIL);
        return 0;
    }
    if (done < n) {
        size_t room = s->queue.max - backlog(s), left = n - done;

        buf_consume(&s->queue, s->sent);
        s->sent = 0;
        buf_add(&s->queue, (const uint8_t *)p + done, left < room ? left : room);
        done += left < room ? left : room;
        if (s->phase == PHASE_UP && !s->is_polled_out)
            watch(s);
    }
    return done;
}

size_t stream_backlog(const struct stream *s)
{
    return backlog(s);
}

void stream_pause(struct stream *s)
{
    s->paused = true;
    if (s->phase == PHASE_UP)
        watch(s);
}

void stream_resume(struct stream *s)
{
    if (!s->paused)
        return;
    s->paused = s->hung = false;
    if (s->phase != PHASE_UP)
        return;
    if (s->tls && stream_tls_holds(s->tls))
        do_soon(s, SOON_READ);
    watch(s);
}

bool stream_is_up(const struct stream *s)
{
    return s->phase == PHASE_UP;
}

struct http_facts stream_facts(const struct stream *s)
{
    struct http_facts facts = {.realm = "", .server = "", .schemes = ""};

    http_trust_facts(s->trust, &facts);
    return facts;
}

const SSL *stream_ssl(const struct stream *s)
{
    return s->tls ? stream_tls_ssl(s->tls) : NULL;
}

uv_loop_t *streams_loop(const struct streams *streams)
{
    return streams->loop;
}

struct streams *streams_new(uv_loop_t *loop, struct dialer *dialer)
{
    struct streams *streams = xcalloc(1, sizeof(*streams));

    streams->loop = loop;
    streams->dialer = dialer;
    streams->pulse = xcalloc(1, sizeof(*streams->pulse));
    uv_timer_init(loop, streams->pulse);
    uv_unref((uv_handle_t *)streams->pulse);
    streams->pulse->data = streams;
    return streams;
}

void streams_free(struct streams *streams)
{
    struct stream *s, *next;

    if (!streams)
        return;
    DL_FOREACH_SAFE(streams->all, s, next)
    stream_free(s);
    http_tls_files_free(&streams->files);
    uv_close((uv_handle_t *)streams->pulse, handle_closed);
    free(streams);
}
