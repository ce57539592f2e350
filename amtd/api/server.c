#include "amtd/api/server.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

#include "amtd/api/server_internal.h"
#include "base/log.h"
#include "base/xalloc.h"

#define READ_SIZE 65536

struct client {
    struct server *server;
    uint64_t id;
    uv_pipe_t pipe;
    uv_timer_t timer;
    int handles; /* of libuv, still open */
    struct mux *mux;
    char *who;
    enum api_role role;
    bool denied;
    bool writing;
    bool dirty;
    bool closing;
    char *sending; /* what uv_write holds */
    uv_write_t write;
    struct api_request *requests;
    struct channel *channels;
    struct client *prev, *next;
};

struct server {
    uv_loop_t *loop;
    struct daemon *daemon;
    uv_pipe_t pipe;
    uv_prepare_t flush; /* sends what was written, once a turn of the loop */
    int handles;
    struct client *clients;
    size_t count;
    uint64_t next_id;
    char input[READ_SIZE];
};

/* --- the end of a client --- */

static void client_handle_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;

    if (--client->handles > 0)
        return;
    mux_free(client->mux);
    free(client->sending);
    free(client->who);
    free(client);
}

static void client_close(struct client *client)
{
    struct api_request *rq, *next;

    if (client->closing)
        return;
    client->closing = true;
    DL_FOREACH_SAFE(client->requests, rq, next)
    {
        DL_DELETE(client->requests, rq);
        rq->client = NULL;
        request_gone(rq);
    }
    channels_end(client);
    DL_DELETE(client->server->clients, client);
    client->server->count--;
    uv_close((uv_handle_t *)&client->pipe, client_handle_closed);
    uv_close((uv_handle_t *)&client->timer, client_handle_closed);
}

static void client_drop(struct client *client, const struct err *err)
{
    char ctx[40];

    snprintf(ctx, sizeof(ctx), "client=%llu", (unsigned long long)client->id);
    log_warn(ctx, "%s dropped: %s", client->who, err->text);
    client_close(client);
}

/* --- writing --- */

static void client_flush(struct client *client);

static void client_written(uv_write_t *req, int status)
{
    struct client *client = req->data;

    client->writing = false;
    free(client->sending);
    client->sending = NULL;
    if (status < 0)
        client_close(client);
    else
        client_flush(client);
}

/* Hands over as much as the socket takes; the rest waits in the mux, which is bounded. */
static void client_flush(struct client *client)
{
    client->dirty = false;
    while (!client->closing && !client->writing) {
        struct view out = mux_output(client->mux);
        uv_buf_t buf = uv_buf_init((char *)out.p, (unsigned)out.n);
        int n;

        if (out.n == 0)
            return;
        n = uv_try_write((uv_stream_t *)&client->pipe, &buf, 1);
        if (n > 0) {
            mux_sent(client->mux, (size_t)n);
            continue;
        }
        if (n != UV_EAGAIN) {
            client_close(client);
            return;
        }
        client->sending = xmalloc(out.n);
        memcpy(client->sending, out.p, out.n);
        buf.base = client->sending;
        mux_sent(client->mux, out.n);
        client->writing = true;
        client->write.data = client;
        if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &buf, 1, client_written) != 0)
            client_close(client);
    }
}

static void server_flush(uv_prepare_t *prepare)
{
    struct server *server = prepare->data;
    struct client *client, *next;

    uv_prepare_stop(prepare);
    DL_FOREACH_SAFE(server->clients, client, next)
    if (client->dirty)
        client_flush(client);
}

static void client_touch(struct client *client)
{
    client->dirty = true;
    if (!uv_is_active((uv_handle_t *)&client->server->flush))
        uv_prepare_start(&client->server->flush, server_flush);
}

bool client_write(struct client *client, uint32_t channel, const void *p, size_t n)
{
    bool taken = mux_write(client->mux, channel, p, n);

    client_touch(client);
    return taken;
}

void client_accept(struct client *client, uint32_t channel)
{
    mux_accept(client->mux, channel);
    client_touch(client);
}

void client_reject(struct client *client, uint32_t channel, const char *reason)
{
    mux_reject(client->mux, channel, reason);
    client_touch(client);
}

void client_consumed(struct client *client, uint32_t channel, size_t n)
{
    mux_consumed(client->mux, channel, n);
    client_touch(client);
}

void client_end(struct client *client, uint32_t channel)
{
    mux_close(client->mux, channel);
    client_touch(client);
}

struct channel **client_channels(struct client *client)
{
    return &client->channels;
}

void client_close_channel(struct client *client, struct api_request *rq)
{
    DL_DELETE(client->requests, rq);
    mux_close(client->mux, rq->channel);
    client_touch(client);
}

size_t client_backlog(const struct client *client, uint32_t channel)
{
    return mux_backlog(client->mux, channel);
}

/* --- channels --- */

static struct api_request *request_of(const struct client *client, uint32_t channel)
{
    struct api_request *rq;

    DL_FOREACH(client->requests, rq)
    if (rq->channel == channel)
        return rq;
    return NULL;
}

static void on_open(void *arg, uint32_t channel, struct view kind, struct view params)
{
    struct client *client = arg;
    struct api_request *rq;

    if (!view_eq(kind, "call")) {
        const struct caller caller = {client->server->daemon, client->who, client->role, client->denied};

        channel_open(client, &caller, channel, kind, params);
        return;
    }
    rq = xcalloc(1, sizeof(*rq));
    rq->daemon = client->server->daemon;
    rq->client = client;
    rq->channel = channel;
    rq->who = xstrdup(client->who);
    rq->role = client->role;
    rq->denied_all = client->denied;
    rq->line = buf_init_secret(REQUEST_MAX);
    DL_APPEND(client->requests, rq);
    mux_accept(client->mux, channel);
}

static void on_data(void *arg, uint32_t channel, const uint8_t *p, size_t n)
{
    struct client *client = arg;
    struct api_request *rq = request_of(client, channel);

    if (!rq && channel_data(client, channel, p, n))
        return;
    mux_consumed(client->mux, channel, n);
    if (rq)
        request_data(rq, p, n);
}

static void on_signal(void *arg, uint32_t channel, uint32_t number)
{
    channel_signal(arg, channel, number);
}

static void on_closed(void *arg, uint32_t channel)
{
    struct client *client = arg;
    struct api_request *rq = request_of(client, channel);

    if (!rq) {
        channel_closed(client, channel);
        return;
    }
    DL_DELETE(client->requests, rq);
    rq->client = NULL;
    request_gone(rq);
}

static void on_drained(void *arg, uint32_t channel)
{
    struct api_request *rq = request_of(arg, channel);

    if (!rq)
        channel_drained(arg, channel);
    else if (rq->drained)
        rq->drained(rq, rq->drained_arg);
}

/* --- reading --- */

static void set_timer(struct client *client);

static void on_timer(uv_timer_t *timer)
{
    struct client *client = timer->data;
    struct err err = ERR_INIT;

    if (mux_tick(client->mux, (int64_t)uv_now(client->server->loop), &err) != 0) {
        client_drop(client, &err);
        return;
    }
    client_touch(client);
    set_timer(client);
}

static void set_timer(struct client *client)
{
    int64_t left = mux_deadline(client->mux) - (int64_t)uv_now(client->server->loop);

    uv_timer_start(&client->timer, on_timer, left > 0 ? (uint64_t)left : 0, 0);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct client *client = handle->data;

    (void)suggested;
    buf->base = client->server->input;
    buf->len = READ_SIZE;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct client *client = stream->data;
    struct err err = ERR_INIT;

    if (n == 0)
        return;
    if (n < 0) {
        client_close(client);
        return;
    }
    if (mux_feed(client->mux, buf->base, (size_t)n, (int64_t)uv_now(client->server->loop), &err) != 0)
        client_drop(client, &err);
    else if (!client->closing)
        client_touch(client);
}

/* --- who is it? --- */

static bool in_group(const char *user, gid_t primary, const char *group)
{
    const struct group *g = getgrnam(group);

    if (!g)
        return false;
    if (g->gr_gid == primary)
        return true;
    for (char **member = g->gr_mem; member && *member; member++)
        if (strcmp(*member, user) == 0)
            return true;
    return false;
}

/* Root and the user that amtd runs as may do everything; others what the configuration says, or nothing. */
static void identify(struct client *client)
{
    const struct config *config = daemon_config(client->server->daemon);
    struct ucred peer = {0};
    socklen_t size = sizeof(peer);
    const struct passwd *pw;
    const char *name;
    uv_os_fd_t fd;

    client->denied = true;
    if (uv_fileno((uv_handle_t *)&client->pipe, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        client->who = xstrdup("unknown");
        return;
    }
    pw = getpwuid(peer.uid);
    name = pw ? pw->pw_name : "?";
    client->who = xasprintf("uid %u (%s)", peer.uid, name);
    if (peer.uid == 0 || peer.uid == geteuid()) {
        client->denied = false;
        client->role = ROLE_ADMINISTER;
        return;
    }
    for (size_t i = 0; i < config->allow_count; i++) {
        const struct config_allow *allow = &config->allow[i];

        if ((allow->user && strcmp(allow->user, name) == 0) ||
            (allow->group && in_group(name, peer.gid, allow->group))) {
            if (client->denied || (enum api_role)allow->role > client->role)
                client->role = (enum api_role)allow->role;
            client->denied = false;
        }
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct server *server = listener->data;
    struct client *client = xcalloc(1, sizeof(*client));
    const struct mux_events events = {.arg = client,
                                      .open = on_open,
                                      .data = on_data,
                                      .signal = on_signal,
                                      .closed = on_closed,
                                      .drained = on_drained};

    client->server = server;
    client->id = ++server->next_id;
    client->handles = 2;
    uv_pipe_init(server->loop, &client->pipe, 0);
    uv_timer_init(server->loop, &client->timer);
    client->pipe.data = client->timer.data = client;
    client->mux = mux_new(false, &events, SERVER_CALLS_MAX, (int64_t)uv_now(server->loop));
    DL_APPEND(server->clients, client);
    server->count++;
    if (status != 0 || uv_accept(listener, (uv_stream_t *)&client->pipe) != 0) {
        client_close(client);
        return;
    }
    identify(client);
    if (server->count > SERVER_CLIENTS_MAX) {
        log_warn(NULL, "%s refused: %d clients are connected", client->who, SERVER_CLIENTS_MAX);
        client_close(client);
        return;
    }
    uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read);
    set_timer(client);
    client_touch(client);
}

/* --- the socket --- */

/* The state directory is locked by us, so whatever listens at its socket is dead. */
static int bind_socket(struct server *server, const char *path, struct err *err)
{
    const struct config *config = daemon_config(server->daemon);
    mode_t mask;
    int status;

    if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "socket %s: the path is longer than %zu bytes: give a shorter one "
                       "with --socket",
                       path, sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
    if (unlink(path) != 0 && errno != ENOENT)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "socket %s", path);
    mask = umask(077);
    status = uv_pipe_bind(&server->pipe, path);
    umask(mask);
    if (status == 0 && config->allow_count > 0 &&
        chmod(path, 0666) != 0) /* peers are told apart by credentials */
        status = uv_translate_sys_error(errno);
    if (status == 0)
        status = uv_listen((uv_stream_t *)&server->pipe, 128, on_connection);
    return status == 0 ? 0 : err_set(err, CAUSE_SYSTEM, "socket %s: %s", path, uv_strerror(status));
}

static void server_handle_closed(uv_handle_t *handle)
{
    struct server *server = handle->data;

    if (--server->handles == 0)
        free(server);
}

void server_free(struct server *server)
{
    struct client *client, *next;

    if (!server)
        return;
    DL_FOREACH_SAFE(server->clients, client, next)
    {
        client_flush(client);
        client_close(client);
    }
    uv_close((uv_handle_t *)&server->pipe, server_handle_closed);
    uv_close((uv_handle_t *)&server->flush, server_handle_closed);
}

struct server *server_new(uv_loop_t *loop, struct daemon *daemon, struct err *err)
{
    struct server *server = xcalloc(1, sizeof(*server));

    server->loop = loop;
    server->daemon = daemon;
    server->handles = 2;
    uv_pipe_init(loop, &server->pipe, 0);
    uv_prepare_init(loop, &server->flush);
    server->pipe.data = server->flush.data = server;
    if (bind_socket(server, daemon_config(daemon)->socket, err) == 0)
        return server;
    server_free(server);
    return NULL;
}

size_t server_clients(const struct server *server)
{
    return server->count;
}
