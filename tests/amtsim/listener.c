#include "tests/amtsim/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "tests/amtsim/conn.h"
#include "tests/amtsim/redir_port.h"
#include "tests/amtsim/web_session.h"

#define BACKLOG    4096
#define FILTER_MAX 4096 /* instructions the kernel takes */

#define CONNECTIONS_LEAST 256 /* that have to find a descriptor */

/* What is served where: a row per port. */
static const struct port {
    uint16_t offset; /* from options.port */
    bool tls;
    const struct conn_protocol *protocol;
} ports[] = {
    {0, false, &web_protocol},
    {1, true, &web_protocol},
    {2, false, &redir_protocol},
    {3, true, &redir_protocol},
};

#define PORTS (sizeof(ports) / sizeof(ports[0]))

struct socket {
    uv_tcp_t tcp; /* first */
    struct listener *listener;
    const struct port *port;
    const struct device *device; /* NULL: everybody's */
    bool listening;
    struct socket *next;
};

struct listener {
    struct fleet *fleet;
    struct socket *sockets;
    bool each;     /* every device has sockets of its own */
    unsigned open; /* handles not closed yet */
    bool freed;
};

/* --- unreachable addresses: a filter in the kernel --- */

static bool is_dead(const struct device *d)
{
    return fault_pending(d, FAULT_UNREACHABLE) != NULL;
}

/* A classic BPF program that drops what goes to a dead address and passes everything else: three instructions
 * per run of dead addresses. The destination stands at offset 16 of the IPv4 header. */
static int build_filter(const struct fleet *f, struct sock_filter *code, size_t *n, struct err *err)
{
    *n = 0;
    code[(*n)++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + 16);
    for (size_t i = 0; i < f->count; i++) {
        if (!is_dead(&f->devices[i]))
            continue;
        size_t last = i;
        while (last + 1 < f->count && is_dead(&f->devices[last + 1]))
            last++;
        if (*n + 4 > FILTER_MAX)
            return err_set(
                err, CAUSE_LIMIT_EXCEEDED,
                "more than %d separate runs of unreachable devices: give them neighbouring numbers",
                (FILTER_MAX - 2) / 3);
        uint32_t from = f->options->address + (uint32_t)i, to = f->options->address + (uint32_t)last;
        code[(*n)++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, from, 0, 2);
        code[(*n)++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, to, 1, 0);
        code[(*n)++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
        i = last;
    }
    code[(*n)++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
    return 0;
}

int listener_update(struct listener *l, struct err *err)
{
    static struct sock_filter code[FILTER_MAX];
    size_t n;
    if (build_filter(l->fleet, code, &n, err) != 0)
        return -1;
    struct sock_fprog program = {.len = (unsigned short)n, .filter = code};
    for (struct socket *s = l->sockets; s != NULL; s = s->next) {
        int fd, off = 0;
        if (uv_fileno((uv_handle_t *)&s->tcp, &fd) != 0)
            continue;
        int done = n > 2 ? setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program))
                         : setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &off, sizeof(off));
        if (done != 0 && errno != ENOENT)
            return err_set_errno(err, CAUSE_SYSTEM, errno, "filter for unreachable devices");
    }
    return 0;
}

/* --- sockets --- */

static void on_connection(uv_stream_t *stream, int status)
{
    const struct socket *s = (const struct socket *)stream;
    if (status == 0)
        conn_accept(s->listener->fleet, stream, s->port->protocol, s->port->tls);
    else
        log_warn(NULL, "accept: %s", uv_strerror(status));
}

static void on_closed(uv_handle_t *handle)
{
    struct listener *l = ((struct socket *)handle)->listener;
    free(handle);
    if (--l->open == 0 && l->freed)
        free(l);
}

static int bound_fd(uint32_t address, uint16_t port, struct err *err)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "socket for port %u", port);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "port %u", port);
        close(fd);
        return -1;
    }
    return fd;
}

/* device NULL: for everybody. */
static int open_socket(struct listener *l, const struct port *port, const struct device *device,
                       struct err *err)
{
    const struct options *o = l->fleet->options;
    int fd = bound_fd(device != NULL ? o->address + device->index : INADDR_ANY,
                      (uint16_t)(o->port + port->offset), err);
    if (fd < 0)
        return -1;
    struct socket *s = xcalloc(1, sizeof(*s));
    s->listener = l;
    s->port = port;
    s->device = device;
    s->next = l->sockets;
    l->sockets = s;
    l->open++;
    uv_tcp_init(l->fleet->loop, &s->tcp);
    int e = uv_tcp_open(&s->tcp, fd);
    if (e != 0) {
        close(fd);
        return err_set(err, CAUSE_SYSTEM, "port %u: %s", o->port + port->offset, uv_strerror(e));
    }
    return 0;
}

static bool is_open(const struct listener *l, const struct port *port, const struct device *device)
{
    for (const struct socket *s = l->sockets; s != NULL; s = s->next) {
        if (s->port == port && s->device == device)
            return true;
    }
    return false;
}

static bool port_wanted(const struct fleet *f, const struct port *port)
{
    for (size_t i = 0; i < f->count; i++) {
        if (device_serves(&f->devices[i], port->tls))
            return true;
    }
    return false;
}

/* Listening begins when the filters are in place: no packet slips through before. */
static int listen_all(struct listener *l, struct err *err)
{
    for (struct socket *s = l->sockets; s != NULL; s = s->next) {
        int e = s->listening ? 0 : uv_listen((uv_stream_t *)&s->tcp, BACKLOG, on_connection);
        s->listening = true;
        if (e != 0)
            return err_set(err, CAUSE_SYSTEM, "port %u: %s", l->fleet->options->port + s->port->offset,
                           uv_strerror(e));
    }
    return 0;
}

/* Whether a device's own socket of that port is open: not when its firmware has closed it. */
static bool serves(const struct device *d, const struct port *port)
{
    return device_serves(d, port->tls) && (port->protocol->admits == NULL || port->protocol->admits(d));
}

/* Opens what a device, or with NULL anybody, needs; known: some of it may be open. */
static int open_for(struct listener *l, const struct device *d, bool known, struct err *err)
{
    for (size_t i = 0; i < PORTS; i++) {
        bool wanted = d != NULL ? serves(d, &ports[i]) : port_wanted(l->fleet, &ports[i]);
        if (wanted && !(known && is_open(l, &ports[i], d)) && open_socket(l, &ports[i], d, err) != 0)
            return -1;
    }
    return 0;
}

/* Closes a device's sockets of ports that its firmware has closed. */
static void close_for(struct listener *l, const struct device *d)
{
    for (struct socket **at = &l->sockets; *at != NULL;) {
        struct socket *s = *at;
        if (s->device == d && !serves(d, s->port)) {
            *at = s->next;
            uv_close((uv_handle_t *)&s->tcp, on_closed);
        } else {
            at = &s->next;
        }
    }
}

int listener_device_changed(struct listener *l, const struct device *d, struct err *err)
{
    if (l->each && fault_pending(d, FAULT_REFUSED) != NULL)
        return 0; /* it has none */
    if (l->each)
        close_for(l, d);
    if (open_for(l, l->each ? d : NULL, true, err) != 0 || listener_update(l, err) != 0)
        return -1;
    return listen_all(l, err);
}

static int open_all(struct listener *l, struct err *err)
{
    if (!l->each)
        return open_for(l, NULL, false, err);
    for (size_t i = 0; i < l->fleet->count; i++) {
        const struct device *d = &l->fleet->devices[i];
        if (fault_pending(d, FAULT_REFUSED) == NULL && open_for(l, d, false, err) != 0)
            return -1;
    }
    return 0;
}

/* A device without a descriptor for its connection would look as if it dropped it. */
static int check_room(const struct listener *l, struct err *err)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || l->open + CONNECTIONS_LEAST <= files.rlim_cur)
        return 0;
    return err_set(
        err, CAUSE_LIMIT_EXCEEDED,
        "%u sockets, one for each port of each address because some device has closed ports, leave "
        "no room for connections: at most %llu files may be open (ulimit -n)",
        l->open, (unsigned long long)files.rlim_cur);
}

struct listener *listener_new(struct fleet *fleet, bool each, struct err *err)
{
    struct listener *l = xcalloc(1, sizeof(*l));
    l->fleet = fleet;
    l->each = each;
    if (open_all(l, err) != 0 || check_room(l, err) != 0 || listener_update(l, err) != 0 ||
        listen_all(l, err) != 0) {
        listener_free(l);
        return NULL;
    }
    return l;
}

void listener_free(struct listener *l)
{
    if (l == NULL)
        return;
    l->freed = true;
    struct socket *s = l->sockets;
    if (s == NULL)
        free(l);
    for (struct socket *next; s != NULL; s = next) {
        next = s->next;
        uv_close((uv_handle_t *)&s->tcp, on_closed);
    }
}

const char *listener_ports(const struct listener *l, char *out)
{
    out[0] = '\0';
    for (size_t i = 0; i < PORTS; i++) {
        if (port_wanted(l->fleet, &ports[i]) && ports[i].protocol == &web_protocol) {
            size_t n = strlen(out);
            snprintf(out + n, 32 - n, "%s%u", n > 0 ? ", " : "", l->fleet->options->port + ports[i].offset);
        }
    }
    return out;
}
