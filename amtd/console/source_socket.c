/* Sources over a socket: UNIX, TCP, and telnet over TCP. */
#include <stdlib.h>

#include "amtd/console/sources.h"
#include "amtd/console/telnet.h"
#include "base/xalloc.h"

#define OPEN_MS 20000 /* for looking up the name and connecting */

struct socket_source {
    struct source base;
    struct streams *streams;
    const struct source_settings *settings;
    struct stream *stream;
    struct telnet *telnet; /* of this connection */
    uv_timer_t *pause;     /* the end of a break; made when first needed */
    bool up, wants;        /* wants: a write was not taken whole */
    bool feeding;          /* inside telnet_feed: what it needs is freed behind it */
    struct telnet *doomed;
    bool destroyed;
};

static struct socket_source *self(struct source *source)
{
    return (struct socket_source *)source;
}

/* Telnet's output goes as far as the stream takes it. */
static void push(struct socket_source *s)
{
    size_t n, taken;
    const uint8_t *p;

    if (!s->telnet)
        return;
    p = telnet_output(s->telnet, &n);
    if (n > 0) {
        taken = stream_write(s->stream, p, n);
        telnet_sent(s->telnet, taken);
    }
}

static void on_data(void *arg, const uint8_t *p, size_t n)
{
    struct socket_source *s = arg;

    if (s->up) /* else a callback has just closed it */
        s->base.events.bytes(s->base.events.arg, p, n);
}

static void on_signals(void *arg, unsigned known, unsigned on)
{
    struct socket_source *s = arg;

    if (s->up)
        s->base.events.signals(s->base.events.arg, known, on);
}

static void on_up(void *arg)
{
    struct socket_source *s = arg;
    const struct source_settings *set = s->settings;
    const struct telnet_port port = {set->speed > 0, (uint32_t)set->speed, (int)set->bits,
                                     (int)set->stop, set->parity,          set->flow};
    const struct telnet_events events = {s, on_data, on_signals};

    s->up = true;
    if (set->type == SOURCE_TELNET) {
        s->telnet = telnet_new(&port, &events);
        push(s);
    }
    s->base.events.up(s->base.events.arg);
}

static void on_bytes(void *arg, const uint8_t *p, size_t n)
{
    struct socket_source *s = arg;

    if (!s->telnet) {
        on_data(s, p, n);
        return;
    }
    s->feeding = true;
    telnet_feed(s->telnet, p, n);
    s->feeding = false;
    telnet_free(s->doomed);
    s->doomed = NULL;
    if (s->destroyed)
        free(s);
    else
        push(s);
}

static void on_drained(void *arg)
{
    struct socket_source *s = arg;

    push(s);
    if (s->wants) {
        s->wants = false;
        s->base.events.drained(s->base.events.arg);
    }
}

static void end(struct socket_source *s)
{
    s->up = s->wants = false;
    stream_close(s->stream, 0);
    s->stream = NULL;
    if (s->feeding)
        s->doomed = s->telnet;
    else
        telnet_free(s->telnet);
    s->telnet = NULL;
    if (s->pause)
        uv_timer_stop(s->pause);
}

static void on_down(void *arg, const struct err *failure)
{
    struct socket_source *s = arg;
    struct err why = ERR_INIT;

    if (failure)
        why = *failure;
    end(s);
    s->base.events.down(s->base.events.arg, failure ? &why : NULL);
}

static int socket_open(struct source *source, struct err *err)
{
    struct socket_source *s = self(source);
    const struct stream_events events = {s, on_up, on_bytes, on_drained, on_down};
    const struct stream_peer peer = {.host = s->settings->host,
                                     .port = (uint16_t)s->settings->port,
                                     .path = s->settings->path,
                                     .open_ms = OPEN_MS};

    s->stream = stream_open(s->streams, &peer, &events, err);
    return s->stream ? 0 : -1;
}

static void socket_close(struct source *source)
{
    if (self(source)->stream)
        end(self(source));
}

static size_t socket_write(struct source *source, const void *p, size_t n)
{
    struct socket_source *s = self(source);
    size_t taken;

    if (!s->up)
        return 0;
    if (s->telnet) {
        taken = telnet_write(s->telnet, p, n);
        push(s);
    } else {
        taken = stream_write(s->stream, p, n);
    }
    s->wants = s->wants || taken < n;
    return taken;
}

static void break_over(uv_timer_t *timer)
{
    struct socket_source *s = timer->data;

    if (s->telnet) {
        telnet_break(s->telnet, false);
        push(s);
    }
}

static int socket_break(struct source *source, int64_t ms, struct err *err)
{
    struct socket_source *s = self(source);

    if (!s->telnet)
        return err_set(err, CAUSE_UNSUPPORTED, "a %s link has no break of its own; configure one as text",
                       source_type_name(s->settings->type));
    if (telnet_break(s->telnet, true))
        uv_timer_start(s->pause, break_over, (uint64_t)ms, 0);
    push(s);
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static void socket_destroy(struct source *source)
{
    struct socket_source *s = self(source);

    socket_close(source);
    if (s->pause)
        uv_close((uv_handle_t *)s->pause, on_timer_closed);
    s->destroyed = true;
    if (!s->feeding)
        free(s);
}

static const struct source_ops ops = {"socket",     socket_open,  socket_close,
                                      socket_write, socket_break, socket_destroy};

static struct source *create(void *context, const struct source_settings *settings,
                             const struct source_events *events, struct err *err)
{
    struct socket_source *s = xcalloc(1, sizeof(*s));

    (void)err;
    s->base.ops = &ops;
    s->base.events = *events;
    s->streams = context;
    s->settings = settings;
    if (settings->type == SOURCE_TELNET) {
        s->pause = xcalloc(1, sizeof(*s->pause));
        uv_timer_init(streams_loop(s->streams), s->pause);
        s->pause->data = s;
    }
    return &s->base;
}

struct source_kind source_socket_kind(struct streams *streams, enum source_type type)
{
    return (struct source_kind){type, create, streams};
}
