#include "tests/amtsim/redir_sol.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "tests/amtsim/fault.h"
#include "tests/amtsim/record.h"

#define BUFFER_DEFAULT 1000
#define SLACK          ((size_t)65536) /* of one burst beyond the transmit buffer, before the machine stops */
#define RETRY_MS       50              /* how soon a machine that did not read is tried again */

struct redir_sol {
    struct device *device;
    struct redir_out *out;
    struct sol_settings settings;
    uint32_t seq;
    struct buf tx;   /* from the machine */
    int64_t tx_ms;   /* when its first byte came */
    int64_t full_ms; /* when it became full; meaningful while held */
    bool held;       /* the machine waits */
    bool overflow;   /* output was lost, the client has not been told */
    struct buf rx;   /* for the machine, which does not read */
    int64_t rx_ms;   /* since when it does not */
    bool rx_flushed; /* input was thrown away, the client has not been told */
    uint8_t control; /* last reported; the events of `status` are not kept */
    uint8_t status;
    int64_t sent_ms;
};

static int64_t now_of(const struct redir_sol *s)
{
    return device_mono_ms(s->device);
}

static struct buf *begin(struct redir_sol *s)
{
    s->sent_ms = now_of(s);
    return &s->out->bytes;
}

static void hold_machine(struct redir_sol *s, bool hold)
{
    const struct machine *m = s->device->machine;
    if (s->held == hold)
        return;
    s->held = hold;
    s->full_ms = now_of(s);
    if (m->ops->console_flow != NULL)
        m->ops->console_flow(s->device->machine, !hold);
}

/* --- control and status bits --- */

static uint8_t status_of(const struct redir_sol *s)
{
    const struct machine *m = s->device->machine;
    uint8_t status = 0;
    if (m->state == MACHINE_ON)
        status |= SOL_STATUS_POWERED | (m->lines.owned ? 0 : SOL_STATUS_LOOPBACK);
    return status;
}

static uint8_t control_of(const struct redir_sol *s)
{
    const struct machine *m = s->device->machine;
    if (m->state != MACHINE_ON)
        return 0;
    return (uint8_t)((m->lines.rts ? SOL_RTS : 0) | (m->lines.dtr ? SOL_DTR : 0) |
                     (m->lines.brk ? SOL_BREAK : 0));
}

static void send_controls(struct redir_sol *s)
{
    s->control = control_of(s);
    s->status = status_of(s);
    uint8_t events = (s->overflow ? SOL_STATUS_OVERFLOW : 0) | (s->rx_flushed ? SOL_STATUS_RX_FLUSHED : 0);
    s->overflow = s->rx_flushed = false;
    redir_out_pause(s->out);
    sol_put_controls(begin(s), s->seq++, s->control, s->status | events);
    redir_out_pause(s->out);
}

void redir_sol_changed(struct redir_sol *s)
{
    redir_sol_flush(s);
    if (control_of(s) != s->control || status_of(s) != s->status || s->overflow || s->rx_flushed)
        send_controls(s);
}

/* --- machine to client --- */

static size_t buffer_of(const struct redir_sol *s)
{
    return s->settings.buffer;
}

static bool due(const struct redir_sol *s)
{
    return s->tx.len >= buffer_of(s) || (s->tx.len > 0 && s->settings.buffer_timeout > 0 &&
                                         now_of(s) - s->tx_ms >= s->settings.buffer_timeout);
}

void redir_sol_flush(struct redir_sol *s)
{
    size_t at = 0;
    while (redir_out_roomy(s->out) && (due(s) || at > 0) && at < s->tx.len) {
        size_t n = s->tx.len - at < buffer_of(s) ? s->tx.len - at : buffer_of(s);
        if (n < buffer_of(s) && s->settings.buffer_timeout == 0)
            break;
        sol_put_data(begin(s), s->seq++, s->tx.p + at, (uint16_t)n);
        record_passed(s->device, RECORD_SOL_FROM_HOST, n);
        at += n;
    }
    buf_consume(&s->tx, at);
    if (at > 0)
        s->tx_ms = now_of(s);
    if (s->tx.len < buffer_of(s))
        hold_machine(s, false);
}

void redir_sol_from_host(struct redir_sol *s, const void *p, size_t n)
{
    if (s->tx.len == 0)
        s->tx_ms = now_of(s);
    size_t room = buffer_of(s) + SLACK - s->tx.len;
    if (n > room) {
        n = room;
        s->overflow = true;
    }
    buf_add(&s->tx, p, n);
    if (s->tx.len >= buffer_of(s)) {
        redir_sol_flush(s);
        hold_machine(s, s->tx.len >= buffer_of(s));
    }
}

/* The client asked not to wait for it any longer than so: what cannot be kept is lost. */
static void overflow_tick(struct redir_sol *s)
{
    uint16_t limit = s->settings.overflow_timeout;
    if (!s->held || limit == 0 || now_of(s) - s->full_ms < limit)
        return;
    s->overflow = true;
    s->tx.len = buffer_of(s) - 1;
    hold_machine(s, false);
}

/* --- client to machine --- */

static void push(struct redir_sol *s)
{
    struct machine *m = s->device->machine;
    if (s->rx.len == 0)
        return;
    size_t taken = m->ops->console_write(m, s->rx.p, s->rx.len);
    buf_consume(&s->rx, taken);
    if (taken > 0)
        s->rx_ms = now_of(s);
}

void redir_sol_to_host(struct redir_sol *s, const void *p, size_t n)
{
    struct machine *m = s->device->machine;
    size_t taken = 0;
    record_passed(s->device, RECORD_SOL_TO_HOST, n);
    push(s);
    if (s->rx.len == 0 && n > 0)
        taken = m->ops->console_write(m, p, n);
    size_t rest = n - taken, room = SOL_RECEIVE_BUFFER - s->rx.len;
    if (s->rx.len == 0)
        s->rx_ms = now_of(s);
    buf_add(&s->rx, (const char *)p + taken, rest < room ? rest : room);
    if (rest > room) {
        s->rx_flushed = true;
        redir_sol_changed(s);
    }
}

static void receive_tick(struct redir_sol *s)
{
    push(s);
    if (s->rx.len == 0 || s->settings.flush_timeout == 0 || now_of(s) - s->rx_ms < s->settings.flush_timeout)
        return;
    buf_reset(&s->rx);
    s->rx_flushed = true;
}

/* --- time --- */

void redir_sol_pong(struct redir_sol *s, uint32_t seq)
{
    redir_put_short(begin(s), SOL_PONG, seq);
}

static bool heartbeats(const struct redir_sol *s)
{
    return s->settings.heartbeat > 0 && fault_pending(s->device, FAULT_REDIR_NO_HEARTBEAT) == NULL;
}

void redir_sol_tick(struct redir_sol *s)
{
    overflow_tick(s);
    receive_tick(s);
    redir_sol_changed(s);
    if (heartbeats(s) && now_of(s) - s->sent_ms >= s->settings.heartbeat)
        redir_put_short(begin(s), SOL_HEARTBEAT, s->seq++);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t redir_sol_deadline(const struct redir_sol *s)
{
    int64_t at = INT64_MAX;
    if (heartbeats(s))
        at = s->sent_ms + s->settings.heartbeat;
    if (s->tx.len > 0 && s->settings.buffer_timeout > 0 && redir_out_roomy(s->out))
        at = earlier(at, s->tx_ms + s->settings.buffer_timeout);
    if (s->held && s->settings.overflow_timeout > 0)
        at = earlier(at, s->full_ms + s->settings.overflow_timeout);
    if (s->rx.len > 0)
        at = earlier(at, now_of(s) + RETRY_MS);
    return at;
}

/* --- birth and death --- */

struct redir_sol *redir_sol_new(struct device *device, const struct sol_settings *settings,
                                struct redir_out *out)
{
    struct redir_sol *s = xcalloc(1, sizeof(*s));
    struct machine *m = device->machine;
    s->device = device;
    s->out = out;
    s->settings = *settings;
    if (s->settings.buffer == 0)
        s->settings.buffer = BUFFER_DEFAULT;
    s->tx = buf_init(UINT16_MAX + SLACK);
    s->rx = buf_init(SOL_RECEIVE_BUFFER);
    sol_put_open_reply(begin(s), 0, s->seq++);
    send_controls(s);
    if (m->ops->console_listen != NULL)
        m->ops->console_listen(m, true);
    return s;
}

void redir_sol_free(struct redir_sol *s)
{
    if (s == NULL)
        return;
    struct machine *m = s->device->machine;
    if (m != NULL) {
        hold_machine(s, false);
        if (m->ops->console_listen != NULL)
            m->ops->console_listen(m, false);
    }
    buf_free(&s->tx);
    buf_free(&s->rx);
    free(s);
}
