#include "amtd/fleet/arrival.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"

#define PAUSE_MS 1000
#define TRY_MS   5000
#define STAY_MS  300 /* a network that is starting takes connections, and resets them */

struct arrival {
    uv_timer_t timer;
    uv_loop_t *loop;
    struct dialer *dialer;
    struct dial *dial;
    int fd; /* a connection that is to stay; -1: none */
    char address[INET6_ADDRSTRLEN];
    uint16_t port;
    uint64_t until;
    void (*done)(void *arg, bool there);
    void *arg;
};

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

void arrival_cancel(struct arrival *a)
{
    if (!a)
        return;
    if (a->dial)
        dial_cancel(a->dial);
    a->dial = NULL;
    if (a->fd >= 0)
        close(a->fd);
    a->fd = -1;
    uv_close((uv_handle_t *)&a->timer, closed);
}

static void end(struct arrival *a, bool there)
{
    void (*done)(void *arg, bool there) = a->done;
    void *arg = a->arg;

    arrival_cancel(a);
    done(arg, there);
}

static void again(uv_timer_t *timer);

static void tried(struct arrival *a, bool there)
{
    if (there || uv_now(a->loop) >= a->until)
        end(a, there);
    else
        uv_timer_start(&a->timer, again, PAUSE_MS, 0);
}

/* Nothing is said on it: it is open, or it was closed. */
static void stayed(uv_timer_t *timer)
{
    struct arrival *a = timer->data;
    char byte;
    bool open =
        recv(a->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);

    close(a->fd);
    a->fd = -1;
    tried(a, open);
}

static void dialed(void *arg, int fd, const struct err *failure)
{
    struct arrival *a = arg;

    (void)failure;
    a->dial = NULL;
    a->fd = fd;
    if (fd >= 0)
        uv_timer_start(&a->timer, stayed, STAY_MS, 0);
    else
        tried(a, false);
}

static void again(uv_timer_t *timer)
{
    struct arrival *a = timer->data;

    a->dial = dialer_connect(a->dialer, a->address, a->port, TRY_MS, DIAL_AHEAD, dialed, a);
    if (!a->dial)
        end(a, false);
}

struct arrival *arrival_start(uv_loop_t *loop, struct dialer *dialer, const char *address, uint16_t port,
                              int64_t wait_ms, void (*done)(void *arg, bool there), void *arg)
{
    struct arrival *a = xcalloc(1, sizeof(*a));

    uv_timer_init(loop, &a->timer);
    a->timer.data = a;
    a->loop = loop;
    a->dialer = dialer;
    a->fd = -1;
    snprintf(a->address, sizeof(a->address), "%s", address);
    a->port = port;
    a->until = uv_now(loop) + (uint64_t)wait_ms;
    a->done = done;
    a->arg = arg;
    uv_timer_start(&a->timer, again, 0, 0);
    return a;
}
