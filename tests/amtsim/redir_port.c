#include "tests/amtsim/redir_port.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "tests/amtsim/redir_session.h"
#include "tests/amtsim/redir_settings.h"

#define QUEUE_MAX ((size_t)65536) /* bytes the kernel has not taken, beyond which the session waits */

struct port {
    uv_timer_t timer;  /* first: freed in its close callback */
    struct conn *conn; /* NULL: gone */
    struct device *device;
    struct redir_session *session;
};

static void on_timer(uv_timer_t *timer);

/* Lets the session run as soon as the loop comes by: whoever changed it may be in the middle of it. */
static void on_changed(void *arg)
{
    struct port *p = arg;
    if (p->conn != NULL)
        uv_timer_start(&p->timer, on_timer, 0, 0);
}

static void set_timer(struct port *p)
{
    int64_t at = redir_session_deadline(p->session), now = device_mono_ms(p->device);
    uv_timer_stop(&p->timer);
    if (at != INT64_MAX)
        uv_timer_start(&p->timer, on_timer, at > now ? (uint64_t)(at - now) : 1, 0);
}

/* Moves bytes on, and ends the connection when the session is at its end. The port may be gone after. */
static void pump(struct port *p)
{
    struct conn *conn = p->conn;
    struct view v;
    if (redir_session_renews(p->session))
        conn_renew_keys(conn);
    while (redir_session_fate(p->session) != REDIR_BREAKS && conn_queued(conn) < QUEUE_MAX &&
           (v = redir_session_output(p->session)).n > 0) {
        if (!conn_send(conn, v.p, v.n))
            return;
        redir_session_sent(p->session, v.n);
    }
    enum redir_fate fate = redir_session_fate(p->session);
    if (fate == REDIR_BREAKS) {
        conn_reset(conn);
    } else if (fate == REDIR_ENDS && redir_session_drained(p->session)) {
        conn_end(conn);
    } else {
        conn_reading(conn, redir_session_reads(p->session));
        set_timer(p);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct port *p = (struct port *)timer;
    redir_session_tick(p->session);
    pump(p);
}

static void *port_open(struct conn *conn, struct device *device)
{
    struct port *p = xcalloc(1, sizeof(*p));
    p->conn = conn;
    p->device = device;
    p->session = redir_session_new(device, on_changed, p);
    uv_timer_init(conn_loop(conn), &p->timer);
    set_timer(p);
    return p;
}

static void port_bytes(void *self, const void *bytes, size_t n)
{
    struct port *p = self;
    redir_session_feed(p->session, bytes, n);
    pump(p);
}

static void port_drained(void *self)
{
    pump(self);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void port_closed(void *self)
{
    struct port *p = self;
    p->conn = NULL;
    redir_session_free(p->session);
    uv_close((uv_handle_t *)&p->timer, on_closed);
}

static bool port_idle(void *self)
{
    (void)self;
    return false; /* sessions have time-outs of their own */
}

const struct conn_protocol redir_protocol = {
    .name = "redirection",
    .open = port_open,
    .bytes = port_bytes,
    .closed = port_closed,
    .idle = port_idle,
    .drained = port_drained,
    .admits = redir_listens,
};
