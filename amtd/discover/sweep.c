#include "amtd/discover/sweep.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>
#include <utlist.h>

#include "base/log.h"
#include "base/xalloc.h"

#define TICK_MS        20
#define BURST_MS       100  /* what was not sent is sent later, but no more than this much at once */
#define PING_AGAIN_MS  700  /* after the first one: pings get lost */
#define PONG_WAIT_MS   1000 /* after the last one */
#define PINGS_OF_AMT   5    /* where the ports have shown AMT, and no pong came */
#define RECEIVE_BUFFER (1 << 20)
#define SYN_AGAIN_MS   1000 /* when the kernel repeats a connection request that was not answered */

/* An address on its way. It is over when both ports are, and the pong came or will not come any more. */
struct probe {
    struct sweep *sweep;
    struct found found;
    uint64_t cursor;
    uint64_t due; /* next ping, then the end of waiting for a pong; uv_now scale */
    int pings;
    bool pong_over;
    struct port {
        struct probe *probe;
        struct found_port *seen;
        struct dial *dial;
        struct http_session *session;
        bool asked_twice, over;
    } port[FOUND_PORTS];
    struct probe *prev, *next;   /* in the order of their start */
    struct probe *qprev, *qnext; /* in the order of `due` */
    UT_hash_handle hh;           /* by found.address */
};

enum { QUEUE_AGAIN, QUEUE_PONG, QUEUES };

struct sweep {
    uv_timer_t tick;
    uv_udp_t udp;
    int handles; /* not closed yet */
    struct dialer *dialer;
    struct http *http;
    const struct addrset *ranges;
    struct sweep_settings settings;
    struct sweep_owner owner;
    uint64_t cursor; /* of the next address */
    uint64_t round;
    size_t breadth; /* subnets in that round */
    bool exhausted;
    uint8_t tag;
    double budget; /* packets that may be sent; negative: the kernel's repetitions are paid off first */
    uint64_t filled_at;
    uint64_t packets;
    uint32_t sockets;
    struct probe *probes;         /* list by start */
    struct probe *queues[QUEUES]; /* equal waiting times: their order is that of `due` */
    struct probe *by_address;
    uint8_t datagram[RMCP_PONG_MAX + 1];
    bool closing;
};

/* --- the end of a probe --- */

static void unqueue(struct probe *p)
{
    struct probe **queue = &p->sweep->queues[p->pings > 1 ? QUEUE_PONG : QUEUE_AGAIN];

    if (p->pong_over)
        return;
    DL_DELETE2(*queue, p, qprev, qnext);
    p->pong_over = true;
}

static void probe_free(struct probe *p)
{
    struct sweep *s = p->sweep;

    unqueue(p);
    for (int i = 0; i < FOUND_PORTS; i++) {
        dial_cancel(p->port[i].dial);
        http_session_free(p->port[i].session);
        if (!p->port[i].over)
            s->sockets--;
    }
    DL_DELETE(s->probes, p);
    HASH_DEL(s->by_address, p);
    found_clear(&p->found);
    free(p);
}

static void send_ping(struct probe *p);

/* A pong adds nothing to what the Server header says, but provisioning: that is worth the short time, and
 * where it is AMT that answers, some more. */
static void maybe_over(struct probe *p)
{
    struct sweep *s = p->sweep;

    if (!p->port[FOUND_PLAIN].over || !p->port[FOUND_TLS].over || !p->pong_over)
        return;
    found_judge(&p->found);
    if (p->found.kind == FOUND_AMT && !p->found.pong_seen && p->pings < PINGS_OF_AMT) {
        p->pong_over = false;
        send_ping(p);
        return;
    }
    s->owner.found(s->owner.arg, &p->found);
    probe_free(p);
}

/* --- ports --- */

static void port_over(struct port *port)
{
    port->over = true;
    port->probe->sweep->sockets--;
    maybe_over(port->probe);
}

static void fail_port(struct port *port, const struct err *failure)
{
    port->seen->failure = failure->cause;
    port->seen->unanswered = failure->code[0] == '\0';
    xreplace(&port->seen->text, failure->text);
}

static void keep(char **out, const char *value)
{
    if (value && value[0])
        xreplace(out, value);
}

static void keep_facts(struct found_port *seen, const struct http_facts *facts)
{
    keep(&seen->server, facts->server);
    keep(&seen->realm, facts->realm);
    keep(&seen->tls_version, facts->tls_version);
    keep(&seen->pin, facts->pin);
    keep(&seen->names, facts->names);
    keep(&seen->certificate, facts->certificate);
    seen->not_after_ms = facts->not_after_ms;
}

static bool looks_like_amt(const struct found_port *seen)
{
    char version[32];

    return (seen->server && http_server_version(seen->server, version, sizeof(version))) ||
           (seen->title && strstr(seen->title, "Active Management Technology"));
}

/* The page that needs no login may name AMT and not show its realm, which tells devices apart: a request of
 * WS-Management does, of which only the challenge is of interest. */
static void asked(void *arg, const struct http_answer *answer, const struct err *failure)
{
    struct port *port = arg;
    struct http_facts facts = http_session_facts(port->session);
    struct buf empty = buf_init(1);

    keep_facts(port->seen, &facts);
    if (answer && !port->asked_twice)
        port->seen->title = found_title(answer->body, answer->n);
    if (!port->seen->realm && !port->asked_twice && looks_like_amt(port->seen)) {
        port->asked_twice = true;
        http_session_send(port->session, NULL, &empty, 0, asked, port);
        return;
    }
    /* A 401 is what an answer looks like without credentials; so is a refusal by one who names itself. */
    if (failure && failure->cause != CAUSE_NO_PROFILE && !port->asked_twice && !port->seen->server) {
        fail_port(port, failure);
        port->seen->mute = failure->cause == CAUSE_DROPPED && !facts.heard && !facts.pin[0];
    }
    http_session_free(port->session);
    port->session = NULL;
    port_over(port);
}

static void ask(struct port *port, int fd)
{
    struct probe *p = port->probe;
    char text[ADDRSET_TEXT_MAX];
    const char *address = addrset_text(p->found.address, text);
    const struct http_settings settings = {
        .name = address,
        .address = address,
        .port = port->seen->number,
        .tls = port == &p->port[FOUND_TLS] ? HTTP_TLS_PIN : HTTP_TLS_NONE,
        .old_tls = port == &p->port[FOUND_TLS],
        .look = true,
        .connect_ms = p->sweep->settings.timeout_ms,
        .request_ms = p->sweep->settings.timeout_ms,
    };
    struct err err = ERR_INIT;

    port->seen->open = true;
    port->session = http_session_new(p->sweep->http, &settings, &err);
    if (!port->session) {
        close(fd);
        fail_port(port, &err);
        port_over(port);
        return;
    }
    http_session_give_socket(port->session, fd);
    http_session_send(port->session, "/", NULL, 0, asked, port);
}

static void dialed(void *arg, int fd, const struct err *failure)
{
    struct port *port = arg;
    struct sweep *s = port->probe->sweep;

    port->dial = NULL;
    if (!failure) {
        ask(port, fd);
        return;
    }
    if (failure->cause == CAUSE_UNREACHABLE && s->settings.timeout_ms > SYN_AGAIN_MS) {
        s->budget -= 1; /* the kernel has asked twice */
        s->packets++;
    }
    fail_port(port, failure);
    port_over(port);
}

/* --- pings --- */

static void send_ping(struct probe *p)
{
    struct sweep *s = p->sweep;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(s->settings.rmcp_port),
                             .sin_addr.s_addr = htonl(p->found.address)};
    uint8_t ping[RMCP_PING_LEN];
    uv_buf_t buf = uv_buf_init((char *)ping, sizeof(ping));

    rmcp_ping(s->tag, ping);
    (void)uv_udp_try_send(&s->udp, &buf, 1, (struct sockaddr *)&to); /* what gets lost is sent again */
    s->budget -= 1;
    s->packets++;
    p->pings++;
    p->due = uv_now(s->udp.loop) + (p->pings > 1 ? PONG_WAIT_MS : PING_AGAIN_MS);
    DL_APPEND2(s->queues[p->pings > 1 ? QUEUE_PONG : QUEUE_AGAIN], p, qprev, qnext);
}

static void take_pong(struct sweep *s, uint32_t address, size_t n)
{
    struct rmcp_pong pong;
    struct probe *p;

    HASH_FIND(hh, s->by_address, &address, sizeof(address), p);
    if (!p || p->pong_over || rmcp_pong_read(s->datagram, n, &pong) != DECODE_DONE || pong.tag != s->tag)
        return;
    p->found.pong = pong;
    p->found.pong_seen = true;
    unqueue(p);
    maybe_over(p);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct sweep *s = handle->data;

    (void)suggested;
    *buf = uv_buf_init((char *)s->datagram, sizeof(s->datagram));
}

static void on_datagram(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                        unsigned flags)
{
    struct sweep *s = udp->data;
    struct sockaddr_in who;

    (void)buf;
    if (n <= 0 || !from || from->sa_family != AF_INET || (flags & UV_UDP_PARTIAL) != 0)
        return;
    memcpy(&who, from, sizeof(who));
    if (ntohs(who.sin_port) == s->settings.rmcp_port)
        take_pong(s, ntohl(who.sin_addr.s_addr), (size_t)n);
}

/* --- going on --- */

static void start_probe(struct sweep *s, uint32_t address)
{
    struct probe *p = xcalloc(1, sizeof(*p));
    char text[ADDRSET_TEXT_MAX];

    p->sweep = s;
    p->cursor = s->cursor;
    p->found.address = address;
    DL_APPEND(s->probes, p);
    HASH_ADD(hh, s->by_address, found.address, sizeof(address), p);
    addrset_text(address, text);
    for (int i = 0; i < FOUND_PORTS; i++) {
        struct port *port = &p->port[i];

        port->probe = p;
        port->seen = &p->found.port[i];
        port->seen->number = (uint16_t)(s->settings.port + i);
        port->dial = dialer_connect(s->dialer, text, port->seen->number, s->settings.timeout_ms, DIAL_SPEAKS,
                                    dialed, port);
        s->sockets++;
        s->budget -= 1;
        s->packets++;
    }
    send_ping(p);
}

/* Fewer packets where there are fewer subnets to spread them over. */
static double rate_now(struct sweep *s)
{
    uint64_t slots = addrset_slots(s->ranges) / 256, round = slots > 0 ? s->cursor / slots : 0;
    double spread;

    if (round != s->round || s->breadth == 0) {
        s->round = round;
        s->breadth = addrset_breadth(s->ranges, s->cursor);
    }
    spread = (double)(s->breadth > 0 ? s->breadth : 1) * s->settings.per_subnet;
    return spread < s->settings.rate ? spread : s->settings.rate;
}

static void fill(struct sweep *s)
{
    uint64_t now = uv_now(s->udp.loop);
    double rate = rate_now(s), most = rate * BURST_MS / 1000 + 1;

    s->budget += rate * (double)(now - s->filled_at) / 1000;
    if (s->budget > most)
        s->budget = most;
    s->filled_at = now;
}

static void work_queues(struct sweep *s)
{
    uint64_t now = uv_now(s->udp.loop);
    struct probe *p;

    while ((p = s->queues[QUEUE_AGAIN]) && p->due <= now && s->budget > 0) {
        DL_DELETE2(s->queues[QUEUE_AGAIN], p, qprev, qnext);
        send_ping(p);
    }
    while ((p = s->queues[QUEUE_PONG]) && p->due <= now) {
        unqueue(p);
        maybe_over(p);
    }
}

static void on_tick(uv_timer_t *tick)
{
    struct sweep *s = tick->data;
    uint32_t address;

    fill(s);
    work_queues(s);
    while (!s->exhausted && s->budget > 0 && s->sockets + FOUND_PORTS <= s->settings.sockets) {
        if (!addrset_next(s->ranges, &s->cursor, &address)) {
            s->exhausted = true;
            break;
        }
        start_probe(s, address);
        s->cursor++;
    }
    if (s->exhausted && !s->probes && !s->closing) {
        uv_timer_stop(&s->tick);
        s->owner.over(s->owner.arg);
    }
}

/* --- life --- */

static void handle_closed(uv_handle_t *handle)
{
    struct sweep *s = handle->data;

    if (--s->handles == 0)
        free(s);
}

void sweep_free(struct sweep *s)
{
    if (!s)
        return;
    s->closing = true;
    while (s->probes)
        probe_free(s->probes);
    uv_close((uv_handle_t *)&s->tick, handle_closed);
    uv_close((uv_handle_t *)&s->udp, handle_closed);
}

uint64_t sweep_cursor(const struct sweep *s)
{
    return s->probes ? s->probes->cursor : s->cursor;
}

uint64_t sweep_packets(const struct sweep *s)
{
    return s->packets;
}

static int open_udp(struct sweep *s, struct err *err)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    int size = RECEIVE_BUFFER, status = uv_udp_bind(&s->udp, (struct sockaddr *)&any, 0);

    if (status == 0)
        status = uv_udp_recv_start(&s->udp, on_room, on_datagram);
    if (status != 0)
        return err_set(err, CAUSE_SYSTEM, "UDP socket for presence pings: %s", uv_strerror(status));
    uv_recv_buffer_size((uv_handle_t *)&s->udp, &size); /* a smaller one loses pongs, and pings come again */
    return 0;
}

struct sweep *sweep_start(uv_loop_t *loop, struct dialer *dialer, struct http *http,
                          const struct addrset *ranges, uint64_t cursor,
                          const struct sweep_settings *settings, const struct sweep_owner *owner,
                          struct err *err)
{
    struct sweep *s = xcalloc(1, sizeof(*s));

    s->dialer = dialer;
    s->http = http;
    s->ranges = ranges;
    s->cursor = cursor;
    s->settings = *settings;
    s->owner = *owner;
    uv_random(NULL, NULL, &s->tag, sizeof(s->tag), 0, NULL);
    uv_timer_init(loop, &s->tick);
    uv_udp_init(loop, &s->udp);
    s->tick.data = s->udp.data = s;
    s->handles = 2;
    if (open_udp(s, err) != 0) {
        sweep_free(s);
        return NULL;
    }
    uv_update_time(loop);
    s->filled_at = uv_now(loop);
    uv_timer_start(&s->tick, on_tick, 0, TICK_MS);
    return s;
}
