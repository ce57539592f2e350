#include "amtd/net/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#define PROBES     4 /* into silence: after a third of the limit, then one a sixth */
#define SENT_AGAIN 2 /* times the kernel repeats itself before that counts as silence of the peer */

bool socket_is_address(const char *host)
{
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;

    return uv_ip4_addr(host, 0, &v4) == 0 || uv_ip6_addr(host, 0, &v6) == 0;
}

static void set_option(int fd, int level, int name, int value)
{
    setsockopt(fd, level, name, &value, sizeof(value)); /* a missing one costs speed or certainty only */
}

static int seconds(int64_t ms)
{
    return ms < 1000 ? 1 : (int)(ms / 1000);
}

void socket_prepare(int fd, int64_t vanished_ms)
{
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds(vanished_ms / 3));
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds(vanished_ms / 6));
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
}

bool socket_is_silent(int fd, int64_t ms)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return false;
    return info.tcpi_last_ack_recv > ms &&
           ((info.tcpi_unacked > 0 && info.tcpi_retransmits >= SENT_AGAIN) || info.tcpi_probes >= SENT_AGAIN);
}

void socket_lost(int number, struct err *err)
{
    if (number == ETIMEDOUT || number == EHOSTUNREACH || number == ENETUNREACH)
        err_set_errno(err, CAUSE_DROPPED, number, "the peer has vanished");
    else
        err_set_errno(err, CAUSE_DROPPED, number, "the connection broke");
}

bool socket_is_path(const char *path)
{
    struct sockaddr_un address;

    return path[0] != '\0' && strlen(path) < sizeof(address.sun_path);
}

static int unix_failure(const char *path, int number, struct err *err)
{
    static const struct {
        int number;
        enum cause cause;
    } causes[] = {{ENOENT, CAUSE_UNREACHABLE}, {ECONNREFUSED, CAUSE_REFUSED}, {EAGAIN, CAUSE_BUSY}};
    enum cause cause = CAUSE_SYSTEM;

    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
        if (causes[i].number == number)
            cause = causes[i].cause;
    return err_set_errno(err, cause, number, "%s", path);
}

int socket_connect_unix(const char *path, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "no socket");
    memcpy(address.sun_path, path, strlen(path));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    unix_failure(path, errno, err);
    close(fd);
    return -1;
}
