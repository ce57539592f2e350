#include "amtd/net/dial.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "amtd/loop_watch.h"
#include "base/xalloc.h"
#include "wsman/http.h"

/* waiting -> (names: resolving) -> connecting -> over (done called, freed). What libuv still holds when an
 * attempt ends early, a look-up, is cut loose (its `dial` is cleared) and frees itself when it comes back. */
enum dial_list { DIAL_URGENT, DIAL_WAITING, DIAL_ACTIVE, DIAL_LISTS };

struct lookup {
    uv_getaddrinfo_t req;
    struct dial *dial;
};

struct dial {
    struct dialer *dialer;
    enum dial_list list; /* the one it stands in */
    char *host;
    uint16_t port;
    int64_t timeout_ms;
    unsigned how;      /* enum dial_how */
    uint64_t deadline; /* uv_now scale; while active */
    dial_done *done;
    void *arg;
    struct err *failure;        /* of the last address tried; NULL: none */
    struct addrinfo *addresses; /* of a name */
    struct addrinfo *next;      /* to be tried */
    struct lookup *lookup;
    int fd; /* being connected; -1 none */
    struct dial *prev, *link;
};

struct dialer {
    uv_loop_t *loop;
    struct loop_watch *watches;
    size_t limit;
    size_t active;
    struct dial *lists[DIAL_LISTS]; /* the active one sorted by deadline */
    uv_timer_t timer;               /* earliest deadline, or at once when something can start */
};

static void dialer_pump(uv_timer_t *timer);

static void dialer_schedule(struct dialer *dialer)
{
    const struct dial *first = dialer->lists[DIAL_ACTIVE];
    uint64_t now = uv_now(dialer->loop);

    if (dialer->active < dialer->limit && (dialer->lists[DIAL_URGENT] || dialer->lists[DIAL_WAITING]))
        uv_timer_start(&dialer->timer, dialer_pump, 0, 0);
    else if (first)
        uv_timer_start(&dialer->timer, dialer_pump, first->deadline > now ? first->deadline - now : 0, 0);
    else
        uv_timer_stop(&dialer->timer);
}

/* --- the end of an attempt --- */

static void dial_drop_attempt(struct dial *d)
{
    if (d->fd < 0)
        return;
    loop_watch_set(d->dialer->watches, d->fd, 0, NULL);
    close(d->fd);
    d->fd = -1;
}

void dial_cancel(struct dial *d)
{
    struct dialer *dialer;

    if (!d)
        return;
    dialer = d->dialer;
    DL_DELETE2(dialer->lists[d->list], d, prev, link);
    if (d->list == DIAL_ACTIVE)
        dialer->active--;
    dial_drop_attempt(d);
    if (d->lookup) {
        d->lookup->dial = NULL;
        uv_cancel((uv_req_t *)&d->lookup->req);
    }
    if (d->addresses)
        uv_freeaddrinfo(d->addresses);
    free(d->failure);
    free(d->host);
    free(d);
    dialer_schedule(dialer);
}

static void dial_end(struct dial *d, int fd)
{
    dial_done *done = d->done;
    void *arg = d->arg;
    struct err *failure = d->failure;

    d->failure = NULL;
    dial_cancel(d);
    done(arg, fd, fd < 0 ? failure : NULL);
    free(failure);
}

/* --- connecting --- */

static struct err *failure_of(struct dial *d)
{
    if (!d->failure)
        d->failure = xcalloc(1, sizeof(*d->failure));
    return d->failure;
}

static void dial_fail(struct dial *d, int number)
{
    enum cause cause = CAUSE_UNREACHABLE;

    if (number == ECONNREFUSED || number == ECONNRESET) /* at once, or as soon as it was taken */
        cause = CAUSE_REFUSED;
    else if (number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM)
        cause = CAUSE_SYSTEM;
    err_set_errno(failure_of(d), cause, number, "connect to port %u", d->port);
}

static void dial_next_address(struct dial *d);

static void attempt_over(void *arg, int fd, void *data, int events)
{
    struct dial *d = data;
    int number = 0;
    socklen_t size = sizeof(number);

    (void)arg;
    /* An error shows as readable as well, and so does a device that spoke first. */
    if ((events & UV_READABLE) && getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0)
        number = errno;
    if (number != 0) {
        dial_fail(d, number);
        dial_drop_attempt(d);
        dial_next_address(d);
        return;
    }
    loop_watch_set(d->dialer->watches, fd, 0, NULL);
    d->fd = -1;
    dial_end(d, fd);
}

static int dial_start(struct dial *d, const struct sockaddr *address)
{
    socklen_t size = address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

    d->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->fd >= 0 && (d->how & DIAL_SPEAKS))
        http_socket_speaks(d->fd);
    if (d->fd >= 0 && (connect(d->fd, address, size) == 0 || errno == EINPROGRESS) &&
        loop_watch_set(d->dialer->watches, d->fd, UV_WRITABLE, d) == 0)
        return 0;
    dial_fail(d, errno);
    dial_drop_attempt(d);
    return -1;
}

static void dial_next_address(struct dial *d)
{
    while (d->next) {
        const struct sockaddr *address = d->next->ai_addr;

        d->next = d->next->ai_next;
        if (dial_start(d, address) == 0)
            return;
    }
    dial_end(d, -1);
}

static void set_port(struct addrinfo *list, uint16_t port)
{
    for (struct addrinfo *ai = list; ai; ai = ai->ai_next) {
        if (ai->ai_family == AF_INET)
            ((struct sockaddr_in *)(void *)ai->ai_addr)->sin_port = htons(port);
        else if (ai->ai_family == AF_INET6)
            ((struct sockaddr_in6 *)(void *)ai->ai_addr)->sin6_port = htons(port);
    }
}

static void lookup_done(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct lookup *lookup = req->data;
    struct dial *d = lookup->dial;

    free(lookup);
    if (!d) {
        uv_freeaddrinfo(list);
        return;
    }
    d->lookup = NULL;
    if (status != 0) {
        err_set(failure_of(d), CAUSE_NAME_UNKNOWN, "%s: %s", d->host, uv_strerror(status));
        dial_end(d, -1);
        return;
    }
    set_port(list, d->port);
    d->addresses = d->next = list;
    dial_next_address(d);
}

static void dial_resolve(struct dial *d)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct lookup *lookup = xcalloc(1, sizeof(*lookup));
    int status;

    lookup->dial = d;
    lookup->req.data = lookup;
    status = uv_getaddrinfo(d->dialer->loop, &lookup->req, lookup_done, d->host, NULL, &hints);
    if (status == 0) {
        d->lookup = lookup;
        return;
    }
    free(lookup);
    err_set(failure_of(d), CAUSE_NAME_UNKNOWN, "%s: %s", d->host, uv_strerror(status));
    dial_end(d, -1);
}

static void dial_begin(struct dial *d)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;

    if (uv_ip4_addr(d->host, d->port, &address.v4) != 0 && uv_ip6_addr(d->host, d->port, &address.v6) != 0)
        dial_resolve(d);
    else if (dial_start(d, &address.any) != 0)
        dial_end(d, -1);
}

/* --- the queue --- */

static int by_deadline(const struct dial *a, const struct dial *b)
{
    return a->deadline < b->deadline ? -1 : a->deadline > b->deadline;
}

/* From the back, because time-outs are mostly equal and the newest then ends last. */
static void active_insert(struct dialer *dialer, struct dial *d)
{
    struct dial *head = dialer->lists[DIAL_ACTIVE];
    struct dial *before = head ? head->prev : NULL;

    while (before && by_deadline(before, d) > 0)
        before = before == head ? NULL : before->prev;
    if (before)
        DL_APPEND_ELEM2(dialer->lists[DIAL_ACTIVE], before, d, prev, link);
    else
        DL_PREPEND2(dialer->lists[DIAL_ACTIVE], d, prev, link);
}

/* Timers come before descriptors: a loop that was busy must not take its own slowness for the host's. */
static bool has_answered(const struct dial *d)
{
    struct pollfd fd = {.fd = d->fd, .events = POLLOUT};

    return d->fd >= 0 && poll(&fd, 1, 0) > 0;
}

static void time_is_up(struct dial *d)
{
    if (has_answered(d)) {
        attempt_over(d->dialer, d->fd, d, UV_READABLE | UV_WRITABLE);
        return;
    }
    if (!d->failure)
        err_set(failure_of(d), d->lookup ? CAUSE_NAME_UNKNOWN : CAUSE_UNREACHABLE,
                d->lookup ? "no answer from name service within %lld ms"
                          : "no answer to connect within %lld ms",
                (long long)d->timeout_ms);
    dial_end(d, -1);
}

static void dialer_pump(uv_timer_t *timer)
{
    struct dialer *dialer = timer->data;
    struct dial *d;

    uv_update_time(dialer->loop);
    while ((d = dialer->lists[DIAL_ACTIVE]) && d->deadline <= uv_now(dialer->loop))
        time_is_up(d);
    while (dialer->active < dialer->limit) {
        d = dialer->lists[DIAL_URGENT] ? dialer->lists[DIAL_URGENT] : dialer->lists[DIAL_WAITING];
        if (!d)
            break;
        DL_DELETE2(dialer->lists[d->list], d, prev, link);
        d->list = DIAL_ACTIVE;
        d->deadline = uv_now(dialer->loop) + (uint64_t)d->timeout_ms;
        dialer->active++;
        active_insert(dialer, d);
        dial_begin(d);
    }
    dialer_schedule(dialer);
}

struct dial *dialer_connect(struct dialer *dialer, const char *host, uint16_t port, int64_t timeout_ms,
                            unsigned how, dial_done *done, void *arg)
{
    struct dial *d = xcalloc(1, sizeof(*d));

    d->dialer = dialer;
    d->fd = -1;
    d->how = how;
    d->list = how & DIAL_AHEAD ? DIAL_URGENT : DIAL_WAITING;
    d->host = xstrdup(host);
    d->port = port;
    d->timeout_ms = timeout_ms > 0 ? timeout_ms : 1;
    d->done = done;
    d->arg = arg;
    DL_APPEND2(dialer->lists[d->list], d, prev, link);
    dialer_schedule(dialer);
    return d;
}

struct dialer *dialer_new(uv_loop_t *loop, size_t limit, struct err *err)
{
    struct dialer *dialer = xcalloc(1, sizeof(*dialer));

    dialer->loop = loop;
    dialer->limit = limit;
    dialer->watches = loop_watch_new(loop, attempt_over, dialer, err);
    if (!dialer->watches) {
        free(dialer);
        return NULL;
    }
    uv_timer_init(loop, &dialer->timer);
    dialer->timer.data = dialer;
    return dialer;
}

static void dialer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void dialer_free(struct dialer *dialer)
{
    if (!dialer)
        return;
    loop_watch_free(dialer->watches);
    uv_close((uv_handle_t *)&dialer->timer, dialer_closed);
}
