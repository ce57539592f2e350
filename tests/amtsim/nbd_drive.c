#include "tests/amtsim/nbd_drive.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <utlist.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "tests/amtsim/drive_io.h"
#include "tests/amtsim/nbd.h"

#define RETRY_MS 50

struct request {
    uint64_t handle, offset;
    uint32_t n;
    struct request *next, *prev;
};

struct client {
    uv_pipe_t pipe; /* first: freed in its close callback */
    struct nbd_drive *drive;
    struct nbd *nbd;
    char in[65536];
};

struct nbd_drive {
    struct nbd_drive_config config;
    uv_pipe_t listener;
    uv_timer_t retry; /* of the first request */
    unsigned open;    /* handles not closed yet, clients' included */
    bool freed;
    char *socket;
    bool present, looks, medium;
    struct drive_io *io;
    bool busy;  /* io is at work: for the medium, or for the first request */
    bool stale; /* what it reads was for a client that has gone */
    struct client *client;
    struct request *queue;
    struct buf data; /* read so far for the first request */
};

/* --- memory --- */

static void let_go(struct nbd_drive *d)
{
    if (--d->open > 0)
        return;
    free(d->socket);
    buf_free(&d->data);
    free(d);
}

static void on_closed(uv_handle_t *handle)
{
    let_go(handle->data);
}

static void on_client_closed(uv_handle_t *handle)
{
    struct client *c = (struct client *)handle;
    struct nbd_drive *d = c->drive;
    nbd_free(c->nbd);
    free(c);
    let_go(d);
}

static void drop_requests(struct nbd_drive *d)
{
    struct request *r, *tmp;
    DL_FOREACH_SAFE(d->queue, r, tmp)
    {
        DL_DELETE(d->queue, r);
        free(r);
    }
    buf_reset(&d->data);
}

static void drop_client(struct nbd_drive *d)
{
    struct client *c = d->client;
    if (c == NULL)
        return;
    d->client = NULL;
    d->stale = d->busy;
    drop_requests(d);
    uv_close((uv_handle_t *)&c->pipe, on_client_closed);
}

/* --- answers --- */

struct write {
    uv_write_t req; /* first */
    char bytes[];
};

static void on_written(uv_write_t *req, int status)
{
    (void)status; /* a broken connection is seen by the reader */
    free(req);
}

static void send_output(struct client *c)
{
    struct view v = nbd_output(c->nbd);
    if (v.n == 0)
        return;
    struct write *w = xmalloc(sizeof(*w) + v.n);
    memcpy(w->bytes, v.p, v.n);
    uv_buf_t out = uv_buf_init(w->bytes, (unsigned)v.n);
    nbd_sent(c->nbd, v.n);
    if (uv_write(&w->req, (uv_stream_t *)&c->pipe, &out, 1, on_written) != 0)
        free(w);
}

/* --- reads, one at a time --- */

static void start_first(struct nbd_drive *d);

static void answer_first(struct nbd_drive *d, enum nbd_error error)
{
    struct request *r = d->queue;
    DL_DELETE(d->queue, r);
    nbd_answer(d->client->nbd, r->handle, error, d->data.p, d->data.len);
    free(r);
    buf_reset(&d->data);
    send_output(d->client);
    start_first(d);
}

static void on_retry(uv_timer_t *timer)
{
    start_first(timer->data);
}

static void on_data(void *arg, const uint8_t *p, size_t n)
{
    struct nbd_drive *d = arg;
    buf_add(&d->data, p, n);
}

static void medium_done(struct nbd_drive *d, enum drive_result result)
{
    d->medium = result == DRIVE_OK;
    if (d->medium)
        log_info(d->config.name, "redirected drive %d: %u blocks of %u bytes", (int)d->config.drive,
                 drive_io_blocks(d->io), drive_io_block_size(d->io));
    d->looks = result == DRIVE_GONE && d->present; /* a reset in the middle of it */
    if (d->looks)
        uv_timer_start(&d->retry, on_retry, RETRY_MS, 0);
    else
        d->config.changed(d->config.arg, d->medium);
}

static void on_done(void *arg, enum drive_result result)
{
    struct nbd_drive *d = arg;
    d->busy = false;
    if (!d->medium) {
        medium_done(d, result);
    } else if (d->stale) {
        d->stale = false;
        buf_reset(&d->data);
        start_first(d);
    } else if (result == DRIVE_GONE && d->present) {
        buf_reset(&d->data);
        uv_timer_start(&d->retry, on_retry, RETRY_MS, 0);
    } else {
        answer_first(d, result == DRIVE_OK ? NBD_OK : NBD_EIO);
    }
}

static void start_first(struct nbd_drive *d)
{
    const struct request *r = d->queue;
    if (d->busy || d->io == NULL)
        return;
    if (!d->medium) {
        d->busy = true;
        drive_io_open(d->io);
    } else if (r != NULL) {
        uint32_t size = drive_io_block_size(d->io);
        d->busy = true;
        drive_io_read(d->io, (uint32_t)(r->offset / size), r->n / size);
    }
}

static void on_wanted(void *arg, uint64_t handle, uint64_t offset, uint32_t n)
{
    struct client *c = arg;
    struct request *r = xcalloc(1, sizeof(*r));
    r->handle = handle;
    r->offset = offset;
    r->n = n;
    DL_APPEND(c->drive->queue, r);
}

/* --- connections --- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *b)
{
    struct client *c = (struct client *)handle;
    (void)suggested;
    *b = uv_buf_init(c->in, sizeof(c->in));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct client *c = (struct client *)stream;
    struct nbd_drive *d = c->drive;
    struct err err = ERR_INIT;
    if (n == 0 || c != d->client)
        return;
    if (n < 0 || nbd_feed(c->nbd, b->base, (size_t)n, &err) != 0) {
        if (err.cause == CAUSE_PROTOCOL)
            log_warn(d->config.name, "%s", err.text);
        drop_client(d);
        return;
    }
    send_output(c);
    start_first(d);
}

static bool is_peer(struct nbd_drive *d, uv_pipe_t *pipe)
{
    struct ucred cred = {0};
    socklen_t n = sizeof(cred);
    int fd;
    return uv_fileno((uv_handle_t *)pipe, &fd) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0 &&
           cred.pid == d->config.peer(d->config.arg);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct nbd_drive *d = stream->data;
    if (status != 0)
        return;
    struct client *c = xcalloc(1, sizeof(*c));
    c->drive = d;
    d->open++;
    uv_pipe_init(d->config.loop, &c->pipe, 0);
    if (uv_accept(stream, (uv_stream_t *)&c->pipe) != 0 || !d->medium || !is_peer(d, &c->pipe)) {
        uv_close((uv_handle_t *)&c->pipe, on_client_closed);
        return;
    }
    struct nbd_config config = {
        .size = (uint64_t)drive_io_blocks(d->io) * drive_io_block_size(d->io),
        .block_size = drive_io_block_size(d->io),
        .arg = c,
        .read = on_wanted,
    };
    drop_client(d); /* of a process that has ended */
    d->client = c;
    c->nbd = nbd_new(&config);
    send_output(c);
    uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
}

/* --- the drive --- */

void nbd_drive_present(struct nbd_drive *d, bool present)
{
    bool had = d->medium;
    if (d->present == present)
        return;
    d->present = present;
    uv_timer_stop(&d->retry);
    drive_io_free(d->io);
    d->io = NULL;
    drop_client(d);
    d->medium = d->busy = d->stale = false;
    d->looks = present;
    if (present) {
        struct drive_io_events events = {d, on_data, on_done};
        d->io = drive_io_new(d->config.events, d->config.drive, &events);
        start_first(d);
    } else if (had) {
        d->config.changed(d->config.arg, false);
    }
}

bool nbd_drive_looks(const struct nbd_drive *d)
{
    return d->looks;
}

bool nbd_drive_medium(const struct nbd_drive *d)
{
    return d->medium;
}

const char *nbd_drive_socket(const struct nbd_drive *d)
{
    return d->socket;
}

/* A socket in the abstract name space, so that nothing is left on any file system; the kernel names it. */
static int bind_somewhere(char **name, struct err *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    socklen_t n = sizeof(a);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a.sun_family)) == 0 &&
        getsockname(fd, (struct sockaddr *)&a, &n) == 0 && n > offsetof(struct sockaddr_un, sun_path) + 1) {
        *name = xstrndup(a.sun_path + 1, n - offsetof(struct sockaddr_un, sun_path) - 1);
        return fd;
    }
    err_set_errno(err, CAUSE_SYSTEM, errno, "socket of a redirected drive");
    if (fd >= 0)
        close(fd);
    return -1;
}

struct nbd_drive *nbd_drive_new(const struct nbd_drive_config *config, struct err *err)
{
    char *name;
    int fd = bind_somewhere(&name, err);
    if (fd < 0)
        return NULL;
    struct nbd_drive *d = xcalloc(1, sizeof(*d));
    d->config = *config;
    d->socket = name;
    d->data = buf_init(NBD_READ_MAX);
    d->open = 2;
    uv_timer_init(config->loop, &d->retry);
    d->retry.data = d;
    uv_pipe_init(config->loop, &d->listener, 0);
    d->listener.data = d;
    int e = uv_pipe_open(&d->listener, fd);
    if (e != 0)
        close(fd);
    if (e == 0)
        e = uv_listen((uv_stream_t *)&d->listener, 4, on_connection);
    uv_unref((uv_handle_t *)&d->listener);
    if (e == 0)
        return d;
    err_set(err, CAUSE_SYSTEM, "socket of a redirected drive: %s", uv_strerror(e));
    nbd_drive_free(d);
    return NULL;
}

void nbd_drive_free(struct nbd_drive *d)
{
    if (d == NULL || d->freed)
        return;
    d->freed = true;
    drop_client(d);
    drop_requests(d);
    drive_io_free(d->io);
    d->io = NULL;
    uv_close((uv_handle_t *)&d->listener, on_closed);
    uv_close((uv_handle_t *)&d->retry, on_closed);
}
