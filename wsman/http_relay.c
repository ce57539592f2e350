#include "wsman/http_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <utlist.h>

#include "base/xalloc.h"
#include "wsman/http_internal.h"

#define PIPE_SIZE 16384

/* What was read from one end and not yet written to the other. */
struct flow {
    unsigned char bytes[PIPE_SIZE];
    size_t begin, end;
    bool ended; /* no more will come */
};

struct end {
    struct http_watch watch; /* first */
    struct http_relay *relay;
    struct end *other;
    struct flow in; /* read here, to be written to the other end */
};

struct http_relay {
    struct http_relay *prev, *next;
    struct http_watch listener; /* until libcurl's socket has come; fd -1 after */
    in_port_t expected_port;    /* where that comes from */
    struct end given, curl;
};

static void close_watch(struct http *http, struct http_watch *watch)
{
    if (watch->fd < 0)
        return;
    http_watch_remove(http, watch);
    close(watch->fd);
    watch->fd = -1;
}

static void relay_free(struct http *http, struct http_relay *relay)
{
    close_watch(http, &relay->listener);
    close_watch(http, &relay->given.watch);
    close_watch(http, &relay->curl.watch);
    DL_DELETE(http->relays, relay);
    free(relay);
}

void http_relays_free(struct http *http)
{
    while (http->relays)
        relay_free(http, http->relays);
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* False when this end is broken. */
static bool fill(struct end *from)
{
    struct flow *flow = &from->in;

    if (flow->begin == flow->end)
        flow->begin = flow->end = 0;
    if (flow->ended || flow->end == PIPE_SIZE)
        return true;
    ssize_t n = recv(from->watch.fd, flow->bytes + flow->end, PIPE_SIZE - flow->end, 0);
    if (n > 0)
        flow->end += (size_t)n;
    else if (n == 0)
        flow->ended = true;
    return n >= 0 || would_block();
}

static bool drain(struct end *from)
{
    struct flow *flow = &from->in;

    if (flow->begin == flow->end)
        return true;
    ssize_t n = send(from->other->watch.fd, flow->bytes + flow->begin, flow->end - flow->begin, MSG_NOSIGNAL);
    if (n > 0)
        flow->begin += (size_t)n;
    return n >= 0 || would_block();
}

static bool flow_empty(const struct flow *flow)
{
    return flow->begin == flow->end;
}

static void watch_end(struct http *http, struct end *end)
{
    int events = 0;

    if (!end->in.ended && end->in.end < PIPE_SIZE)
        events |= HTTP_WATCH_READ;
    if (!flow_empty(&end->other->in))
        events |= HTTP_WATCH_WRITE;
    http_watch_set(http, &end->watch, events);
}

static void end_happened(struct http *http, struct http_watch *watch, int events)
{
    struct end *end = (struct end *)watch;
    struct http_relay *relay = end->relay;
    bool well = true;

    if (events & HTTP_WATCH_READ)
        well = fill(end) && (relay->curl.watch.fd < 0 || drain(end));
    if (well && events & HTTP_WATCH_WRITE)
        well = drain(end->other);
    /* HTTP has no use for a connection that is closed one way: what is left is delivered, then both end. */
    if (!well || (end->in.ended && flow_empty(&end->in)) ||
        (end->other->in.ended && flow_empty(&end->other->in))) {
        relay_free(http, relay);
        return;
    }
    watch_end(http, end);
    if (end->other->watch.fd >= 0)
        watch_end(http, end->other);
}

static void listener_happened(struct http *http, struct http_watch *watch, int events)
{
    struct http_relay *relay = (struct http_relay *)((char *)watch - offsetof(struct http_relay, listener));
    struct sockaddr_in from = {0};
    socklen_t n = sizeof(from);
    int fd = accept4(watch->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)events;
    if (fd < 0)
        return;
    if (from.sin_port != relay->expected_port) { /* anybody on this machine may find the port */
        close(fd);
        return;
    }
    close_watch(http, &relay->listener);
    http_watch_add(http, &relay->curl.watch, fd, end_happened);
    watch_end(http, &relay->curl);
    watch_end(http, &relay->given);
}

/* A listener at a port of the kernel's choice and a socket on the way to it. */
static int connect_to_ourselves(int *listener, int *ours, in_port_t *from_port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *sa = (struct sockaddr *)&in;
    socklen_t n = sizeof(in);

    *listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *ours = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*listener < 0 || *ours < 0 || bind(*listener, sa, n) < 0 || listen(*listener, 4) < 0 ||
        getsockname(*listener, sa, &n) < 0 || (connect(*ours, sa, n) < 0 && errno != EINPROGRESS) ||
        getsockname(*ours, sa, &n) < 0)
        return -1;
    *from_port = in.sin_port;
    return 0;
}

static void end_init(struct end *end, struct http_relay *relay, struct end *other)
{
    end->watch.fd = -1;
    end->relay = relay;
    end->other = other;
}

int http_relay_start(struct http *http, int fd, struct err *err)
{
    in_port_t from_port;
    int listener, ours;

    if (connect_to_ourselves(&listener, &ours, &from_port) < 0 ||
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "relaying a given socket");
        if (listener >= 0)
            close(listener);
        if (ours >= 0)
            close(ours);
        close(fd);
        return -1;
    }
    struct http_relay *relay = xcalloc(1, sizeof(*relay));
    relay->expected_port = from_port;
    end_init(&relay->given, relay, &relay->curl);
    end_init(&relay->curl, relay, &relay->given);
    DL_APPEND(http->relays, relay);
    http_watch_add(http, &relay->listener, listener, listener_happened);
    http_watch_set(http, &relay->listener, HTTP_WATCH_READ);
    http_watch_add(http, &relay->given.watch, fd, end_happened);
    return ours;
}
