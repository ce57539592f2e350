#include "amtd/net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"

#define BACKLOG  512
#define AT_ONCE  32   /* then others have their turn */
#define PAUSE_MS 1000 /* without a free descriptor */

struct listener {
    int fd;
    uv_poll_t poll;
    uv_timer_t timer;
    int handles;
    listener_accepted *accepted;
    void *arg;
    char *path; /* of a UNIX socket, and which file it is */
    dev_t device;
    ino_t inode;
};

static void forget(struct listener *l);
static void on_readable(uv_poll_t *poll, int status, int events);

static void on_timer(uv_timer_t *timer)
{
    struct listener *l = timer->data;

    uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

static void address_text(const struct sockaddr_storage *from, char *text, size_t size)
{
    text[0] = '\0';
    if (from->ss_family == AF_INET)
        uv_ip4_name((const struct sockaddr_in *)from, text, size);
    else if (from->ss_family == AF_INET6)
        uv_ip6_name((const struct sockaddr_in6 *)from, text, size);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct listener *l = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < AT_ONCE && l->fd >= 0; i++) {
        struct sockaddr_storage from = {0};
        socklen_t size = sizeof(from);
        char text[64];
        int fd = accept4(l->fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            log_err(NULL, "connections wait: %s", strerror(errno));
            uv_poll_stop(&l->poll);
            uv_timer_start(&l->timer, on_timer, PAUSE_MS, 0);
            return;
        }
        if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
            continue;
        if (fd < 0)
            return;
        address_text(&from, text, sizeof(text));
        l->accepted(l->arg, fd, text);
    }
}

static void handle_closed(uv_handle_t *handle)
{
    struct listener *l = handle->data;

    if (--l->handles == 0)
        free(l);
}

void listener_free(struct listener *l)
{
    if (!l)
        return;
    uv_close((uv_handle_t *)&l->poll, handle_closed);
    uv_close((uv_handle_t *)&l->timer, handle_closed);
    forget(l);
    close(l->fd);
    l->fd = -1;
}

/* Takes fd, which is bound. */
static struct listener *start(uv_loop_t *loop, int fd, listener_accepted *accepted, void *arg,
                              struct err *err)
{
    struct listener *l;

    if (listen(fd, BACKLOG) != 0) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "cannot listen");
        close(fd);
        return NULL;
    }
    l = xcalloc(1, sizeof(*l));
    l->fd = fd;
    l->accepted = accepted;
    l->arg = arg;
    uv_poll_init(loop, &l->poll, fd);
    uv_timer_init(loop, &l->timer);
    l->poll.data = l->timer.data = l;
    l->handles = 2;
    uv_poll_start(&l->poll, UV_READABLE, on_readable);
    return l;
}

/* --- UNIX sockets --- */

/* Whether somebody listens there; *pid is his. */
static bool is_alive(const struct sockaddr_un *address, long *pid)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct ucred peer = {0};
    socklen_t size = sizeof(peer);
    bool alive = fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
                             errno == EAGAIN || errno == EINPROGRESS);

    *pid = alive && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? (long)peer.pid : 0;
    if (fd >= 0)
        close(fd);
    return alive;
}

/* Makes room for the socket: what a dead process left is removed, nothing else is. */
static int clear_path(const struct sockaddr_un *address, struct err *err)
{
    const char *path = address->sun_path;
    struct stat st;
    long pid;

    if (lstat(path, &st) != 0)
        return 0; /* binding tells what is wrong, if anything is */
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, CAUSE_SYSTEM, "socket %s: there is something else of this name", path);
    if (is_alive(address, &pid))
        return err_set(err, CAUSE_STATE_DIR_LOCKED, "socket %s is in use by the process with pid %ld", path,
                       pid);
    return unlink(path) == 0 || errno == ENOENT ? 0
                                                : err_set_errno(err, CAUSE_SYSTEM, errno, "socket %s", path);
}

static int bind_unix(const struct sockaddr_un *address, struct err *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t mask = umask(077);
    int bound = fd >= 0 ? bind(fd, (const struct sockaddr *)address, sizeof(*address)) : -1;

    umask(mask);
    if (bound == 0)
        return fd;
    err_set_errno(err, CAUSE_SYSTEM, errno, "socket %s", address->sun_path);
    if (fd >= 0)
        close(fd);
    return -1;
}

/* So that the one who ends does not remove what belongs to another one by now. */
static void remember(struct listener *l, const char *path)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        return;
    l->path = xstrdup(path);
    l->device = st.st_dev;
    l->inode = st.st_ino;
}

static void forget(struct listener *l)
{
    struct stat st;

    if (l->path && lstat(l->path, &st) == 0 && st.st_dev == l->device && st.st_ino == l->inode)
        unlink(l->path);
    free(l->path);
    l->path = NULL;
}

struct listener *listener_unix(uv_loop_t *loop, const char *path, listener_accepted *accepted, void *arg,
                               struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct listener *l;
    int fd;

    if (strlen(path) >= sizeof(address.sun_path)) {
        err_set(err, CAUSE_SYSTEM, "socket %s: at most %zu bytes; --socket gives a shorter one", path,
                sizeof(address.sun_path) - 1);
        return NULL;
    }
    memcpy(address.sun_path, path, strlen(path));
    if (clear_path(&address, err) != 0 || (fd = bind_unix(&address, err)) < 0)
        return NULL;
    l = start(loop, fd, accepted, arg, err);
    if (l)
        remember(l, path);
    return l;
}

/* --- TCP --- */

/* The address of `host`, or of all; *size 0: it is none. */
static void tcp_address(const char *host, uint16_t port, struct sockaddr_storage *address, socklen_t *size)
{
    *size = 0;
    if (host && uv_ip4_addr(host, port, (struct sockaddr_in *)address) == 0)
        *size = sizeof(struct sockaddr_in);
    else if (uv_ip6_addr(host ? host : "::", port, (struct sockaddr_in6 *)address) == 0)
        *size = sizeof(struct sockaddr_in6);
}

/* Without IPv6 in the kernel, all of the machine is all of IPv4. */
static int tcp_socket(const char *host, uint16_t port, struct sockaddr_storage *address, socklen_t *size)
{
    int on = 1, off = 0, fd;

    tcp_address(host, port, address, size);
    if (*size == 0) {
        errno = EINVAL;
        return -1;
    }
    fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 && !host)
        return tcp_socket("0.0.0.0", port, address, size);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (!host && address->ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    return fd;
}

struct listener *listener_tcp(uv_loop_t *loop, const char *host, uint16_t port, listener_accepted *accepted,
                              void *arg, struct err *err)
{
    struct sockaddr_storage address = {0};
    socklen_t size;
    int fd = tcp_socket(host, port, &address, &size);

    if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, size) == 0)
        return start(loop, fd, accepted, arg, err);
    err_set_errno(err, CAUSE_SYSTEM, errno, "cannot listen on %s, port %u", host ? host : "all addresses",
                  port);
    if (fd >= 0)
        close(fd);
    return NULL;
}

uint16_t listener_port(const struct listener *l)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    struct sockaddr_in6 v6 = {0};
    struct sockaddr_in v4 = {0};

    if (getsockname(l->fd, (struct sockaddr *)&address, &size) != 0)
        return 0;
    memcpy(&v6, &address, sizeof(v6));
    memcpy(&v4, &address, sizeof(v4));
    return ntohs(address.ss_family == AF_INET6 ? v6.sin6_port : v4.sin_port);
}
