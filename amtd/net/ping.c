#include "amtd/net/ping.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"

/* RFC 792 and 4443: type, code, checksum, identifier, sequence number. The kernel fills checksum and
 * identifier, and hands over answers to this socket alone. */
#define ECHO_BYTES   8
#define ECHO_TYPE_V4 8
#define ECHO_TYPE_V6 128
#define REPLY_V4     0
#define REPLY_V6     129

struct ping {
    uv_poll_t poll; /* first: freed when both handles are closed */
    uv_timer_t timer;
    int fd;
    uint8_t reply; /* the type of an answer */
    int open;      /* handles that are not closed yet */
    void (*done)(void *arg, bool answered);
    void *arg;
};

static void closed(uv_handle_t *handle)
{
    struct ping *ping = handle->data;

    if (--ping->open > 0)
        return;
    close(ping->fd);
    free(ping);
}

void ping_cancel(struct ping *ping)
{
    if (!ping)
        return;
    ping->done = NULL;
    uv_close((uv_handle_t *)&ping->poll, closed);
    uv_close((uv_handle_t *)&ping->timer, closed);
}

static void finish(struct ping *ping, bool answered)
{
    void (*done)(void *arg, bool answered) = ping->done;
    void *arg = ping->arg;

    ping_cancel(ping);
    done(arg, answered);
}

static void readable(uv_poll_t *poll, int status, int events)
{
    struct ping *ping = (struct ping *)poll;
    uint8_t answer[64];
    ssize_t n = recv(ping->fd, answer, sizeof(answer), MSG_DONTWAIT);

    (void)events;
    if (status < 0)
        finish(ping, false);
    else if (n >= ECHO_BYTES && answer[0] == ping->reply)
        finish(ping, true);
}

static void too_late(uv_timer_t *timer)
{
    finish(timer->data, false);
}

/* A socket that has sent its question, or -1. */
static int ask(const char *address, uint8_t *reply)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    bool is4 = uv_ip4_addr(address, 0, &v4) == 0;
    uint8_t question[ECHO_BYTES] = {is4 ? ECHO_TYPE_V4 : ECHO_TYPE_V6};
    const struct sockaddr *to = is4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t len = is4 ? sizeof(v4) : sizeof(v6);
    int fd;

    if (!is4 && uv_ip6_addr(address, 0, &v6) != 0)
        return -1;
    *reply = is4 ? REPLY_V4 : REPLY_V6;
    fd = socket(is4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                is4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    if (fd < 0)
        return -1;
    if (sendto(fd, question, sizeof(question), 0, to, len) == (ssize_t)sizeof(question))
        return fd;
    close(fd);
    return -1;
}

struct ping *ping_start(uv_loop_t *loop, const char *address, int64_t timeout_ms,
                        void (*done)(void *arg, bool answered), void *arg)
{
    uint8_t reply;
    int fd = ask(address, &reply);
    struct ping *ping;

    if (fd < 0)
        return NULL;
    ping = xcalloc(1, sizeof(*ping));
    ping->fd = fd;
    ping->reply = reply;
    ping->done = done;
    ping->arg = arg;
    uv_timer_init(loop, &ping->timer);
    ping->timer.data = ping;
    ping->open = 1;
    if (uv_poll_init(loop, &ping->poll, fd) != 0) {
        uv_close((uv_handle_t *)&ping->timer, closed);
        return NULL;
    }
    ping->open = 2;
    ping->poll.data = ping;
    uv_poll_start(&ping->poll, UV_READABLE, readable);
    uv_timer_start(&ping->timer, too_late, timeout_ms > 0 ? (uint64_t)timeout_ms : 0, 0);
    return ping;
}
