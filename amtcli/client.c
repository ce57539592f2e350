#include "amtcli/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "amtcli/client_start.h"
#include "amtcli/remote_line.h"
#include "amtcli/remotes.h"
#include "amtcli/reply.h"
#include "amtd/mux/mux.h"
#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/xalloc.h"

#define IDLE_MS       100
#define START_TRIES   100 /* of 50 ms */
#define READ_MAX      65536
#define TURN_ALSO_MAX 4
#define STOP_MS       60000 /* runs are ended and written down first */

struct side_channel {
    uint32_t number; /* 0: free */
    struct client_channel_events events;
    bool is_call; /* then these, and no events */
    bool feeding; /* its reply is being read: not to be taken for another one */
    struct reply reply;
    struct client_call_events call;
};

struct client {
    int fd;
    struct remote_line *line; /* TLS over fd; NULL: a UNIX socket */
    struct mux *mux;
    bool broken;
    bool left;
    int64_t used; /* when the last call ended */
    /* the call that is waited for */
    uint32_t channel;
    struct reply reply;
    struct side_channel channels[CLIENT_CHANNELS];
};

/* --- channels --- */

static struct side_channel *side_channel(struct client *c, uint32_t number)
{
    for (size_t i = 0; i < CLIENT_CHANNELS; i++)
        if (c->channels[i].number == number && (number != 0 || !c->channels[i].feeding))
            return &c->channels[i];
    return NULL;
}

static void side_call_over(struct side_channel *side)
{
    struct client_call_events events = side->call;
    struct reply reply = side->reply;

    side->number = 0;
    events.over(events.arg, reply.value, reply.failed ? &reply.failure : NULL);
    reply_clear(&reply);
}

static void side_channel_ended(struct side_channel *side, const char *why, struct view reason)
{
    struct client_channel_events events = side->events;
    struct buf text = buf_init(ERR_TEXT_MAX);

    text_printable(&text, reason.p, reason.n < ERR_TEXT_MAX / 4 ? reason.n : ERR_TEXT_MAX / 4);
    if (side->is_call) {
        reply_broken(&side->reply, reason.n > 0 ? buf_str(&text) : why);
        side_call_over(side);
    } else {
        side->number = 0;
        events.ended(events.arg, buf_str(&text));
    }
    buf_free(&text);
}

static void on_accepted(void *arg, uint32_t channel)
{
    struct side_channel *side = side_channel(arg, channel);

    if (side && !side->is_call && side->events.accepted)
        side->events.accepted(side->events.arg);
}

static void on_data(void *arg, uint32_t channel, const uint8_t *p, size_t n)
{
    struct client *c = arg;
    struct side_channel *side = side_channel(c, channel);

    mux_consumed(c->mux, channel, n);
    if (channel == c->channel) {
        reply_feed(&c->reply, p, n);
    } else if (side && side->is_call) {
        side->feeding = true;
        reply_feed(&side->reply, p, n);
        side->feeding = false;
        if (side->number == 0) /* closed from within */
            reply_clear(&side->reply);
        else if (side->reply.over)
            side_call_over(side);
    } else if (side) { /* else of a call that nobody waits for */
        side->events.data(side->events.arg, p, n);
    }
}

static void on_closed(void *arg, uint32_t channel)
{
    struct client *c = arg;
    struct side_channel *side = side_channel(c, channel);

    if (side)
        side_channel_ended(side, "amtd ended the call without an answer", (struct view){NULL, 0});
    if (channel == c->channel)
        reply_broken(&c->reply, "amtd ended the call without an answer");
}

static void on_rejected(void *arg, uint32_t channel, struct view reason)
{
    struct client *c = arg;
    struct side_channel *side = side_channel(c, channel);

    if (side)
        side_channel_ended(side, "amtd takes no call", reason);
    if (channel == c->channel)
        reply_broken(&c->reply, "amtd takes no call");
}

/* --- the connection --- */

static int64_t now_ms(void)
{
    return clock_mono(clock_system());
}

static int line_broke(struct client *c, const char *why, struct err *err)
{
    c->broken = true;
    return err_set(err, CAUSE_NO_DAEMON, "the connection to amtd broke: %s", why);
}

static int send_some(struct client *c, struct err *err)
{
    struct view out = mux_output(c->mux);
    ssize_t n;

    if (out.n == 0)
        return 0;
    n = c->line ? remote_line_write(c->line, out.p, out.n)
                : send(c->fd, out.p, out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
        mux_sent(c->mux, (size_t)n);
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        return line_broke(c, strerror(errno), err);
    return 0;
}

/* TLS may hold more than the socket announces: all of it is taken. */
static int receive_some(struct client *c, struct err *err)
{
    char bytes[READ_MAX];
    ssize_t n;

    do {
        n = c->line ? remote_line_read(c->line, bytes, sizeof(bytes))
                    : recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n > 0 && mux_feed(c->mux, bytes, (size_t)n, now_ms(), err) != 0)
            return -1;
    } while (n > 0 && c->line);
    if (n == 0)
        return line_broke(c, "amtd ended", err);
    return n > 0 || errno == EAGAIN || errno == EINTR ? 0 : line_broke(c, strerror(errno), err);
}

int client_turn(struct client *c, struct pollfd *also, size_t count, int timeout_ms, struct err *err)
{
    struct pollfd fds[1 + TURN_ALSO_MAX] = {{.fd = c->fd, .events = POLLIN}};
    int64_t rest = mux_deadline(c->mux) - now_ms();
    int ready;

    if (mux_tick(c->mux, now_ms(), err) != 0)
        return line_broke(c, "amtd is silent", err);
    if (mux_output(c->mux).n > 0)
        fds[0].events |= POLLOUT;
    count = count < TURN_ALSO_MAX ? count : TURN_ALSO_MAX;
    if (count > 0)
        memcpy(fds + 1, also, count * sizeof(*also));
    if (rest > 0 && rest < timeout_ms)
        timeout_ms = (int)rest;
    ready = poll(fds, 1 + count, timeout_ms);
    if (ready < 0 && errno != EINTR)
        return line_broke(c, strerror(errno), err);
    for (size_t i = 0; i < count; i++)
        also[i].revents = ready > 0 ? fds[1 + i].revents : 0;
    if (ready <= 0)
        return 0;
    if ((fds[0].revents & POLLOUT) && send_some(c, err) != 0)
        return -1;
    return fds[0].revents & (POLLIN | POLLHUP | POLLERR) ? receive_some(c, err) : 0;
}

static uint32_t open_call(struct client *c, const char *name, json_t *params)
{
    json_t *request = json_pack("{s:s, s:o}", "call", name, "params", params ? params : json_object());
    char *text = json_dumps(request, JSON_COMPACT);
    uint32_t channel = mux_open(c->mux, "call", NULL, 0);

    if (channel != 0) {
        mux_write(c->mux, channel, text, strlen(text));
        mux_write(c->mux, channel, "\n", 1);
    }
    secret_wipe(text, strlen(text)); /* a profile's password may be in it */
    free(text);
    json_decref(request);
    return channel;
}

/* The call that is waited for: its reply has begun. */
static int see_through(struct client *c, const char *name, json_t *params, void (*on_idle)(void *arg),
                       void *arg, json_t **reply, struct err *err)
{
    int status = 0;

    if (reply)
        *reply = NULL;
    c->channel = open_call(c, name, params);
    if (c->channel == 0)
        return err_set(err, CAUSE_PROTOCOL, "too many calls at a time");
    while (status == 0 && !c->reply.over) {
        status = client_turn(c, NULL, 0, IDLE_MS, err);
        if (status == 0 && on_idle && !c->reply.over)
            on_idle(arg);
        if (status == 0 && c->left)
            status = line_broke(c, "left", err);
    }
    c->used = now_ms();
    c->channel = 0;
    if (status == 0 && c->reply.failed) {
        *err = c->reply.failure;
        status = -1;
    }
    if (reply)
        *reply = json_incref(c->reply.value);
    reply_clear(&c->reply);
    return status;
}

int client_call(struct client *c, const char *name, json_t *params, client_event *on_event,
                void (*on_idle)(void *arg), void *arg, json_t **reply, struct err *err)
{
    reply_begin(&c->reply, on_event, arg);
    return see_through(c, name, params, on_idle, arg, reply, err);
}

int client_rows(struct client *c, const char *name, json_t *params, const struct reply_rows *rows,
                void (*on_idle)(void *arg), void *arg, json_t **reply, struct err *err)
{
    reply_begin(&c->reply, rows->event, rows->arg);
    reply_rows_to(&c->reply, rows);
    return see_through(c, name, params, on_idle, arg, reply, err);
}

void client_post(struct client *c, const char *name, json_t *params)
{
    open_call(c, name, params);
}

/* --- other channels --- */

uint32_t client_channel_open(struct client *c, const char *kind, json_t *params,
                             const struct client_channel_events *events)
{
    struct side_channel *side = side_channel(c, 0);
    char *text = json_dumps(params, JSON_COMPACT);

    if (side) {
        *side = (struct side_channel){.events = *events};
        side->number = mux_open(c->mux, kind, text, strlen(text));
    }
    free(text);
    json_decref(params);
    return side ? side->number : 0;
}

void client_channel_write(struct client *c, uint32_t channel, const void *p, size_t n)
{
    mux_write(c->mux, channel, p, n);
}

void client_channel_signal(struct client *c, uint32_t channel, uint32_t number)
{
    mux_signal(c->mux, channel, number);
}

void client_channel_close(struct client *c, uint32_t channel)
{
    struct side_channel *side = channel != 0 ? side_channel(c, channel) : NULL;

    if (!side)
        return;
    side->number = 0;
    if (side->is_call && side->feeding)
        side->reply.over = true;
    else if (side->is_call)
        reply_clear(&side->reply);
    mux_close(c->mux, channel);
}

size_t client_channel_backlog(const struct client *c, uint32_t channel)
{
    return mux_backlog(c->mux, channel) + mux_output(c->mux).n;
}

/* --- calls beside --- */

uint32_t client_start(struct client *c, const char *name, json_t *params,
                      const struct client_call_events *events)
{
    struct side_channel *side = side_channel(c, 0);

    if (!side) {
        json_decref(params);
        return 0;
    }
    *side = (struct side_channel){.is_call = true, .call = *events};
    reply_begin(&side->reply, events->event, events->arg);
    if (events->row)
        reply_rows_to(&side->reply, &(struct reply_rows){.arg = events->arg, .row = events->row});
    side->number = open_call(c, name, params);
    if (side->number == 0)
        reply_clear(&side->reply);
    return side->number;
}

/* --- stopping --- */

/* A descriptor that becomes readable when the process at the other end has ended; -1 where the system has
 * none. */
static int watch_peer(int fd)
{
    struct ucred peer = {0};
    socklen_t size = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0)
        return -1;
    return pidfd_open(peer.pid, 0);
}

int client_stop_daemon(struct client *c, struct err *err)
{
    struct pollfd peer = {.fd = watch_peer(c->fd), .events = POLLIN};
    int status = client_call(c, "daemon.stop", NULL, NULL, NULL, NULL, NULL, err);
    int ended = 1;

    if (peer.fd < 0)
        return status;
    if (status == 0)
        do
            ended = poll(&peer, 1, STOP_MS);
        while (ended < 0 && errno == EINTR);
    close(peer.fd);
    return ended == 0 ? err_set(err, CAUSE_TIMEOUT, "amtd is still there after %d s", STOP_MS / 1000)
                      : status;
}

void client_leave(struct client *c)
{
    c->left = true;
}

/* --- connecting --- */

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static int connect_or_start(const struct client_place *place, bool start, struct err *err)
{
    int fd = connect_to(place->socket);

    if (fd >= 0)
        return fd;
    if (errno == EACCES || errno == EPERM || errno == ENAMETOOLONG)
        return err_set_errno(err, CAUSE_NO_DAEMON, errno, "%s", place->socket);
    if (!start)
        return err_set_errno(err, CAUSE_NO_DAEMON, errno, "no amtd at %s", place->socket);
    /* Another amtcli may have been a moment earlier, and its amtd is as good; or an amtd is just ending, and
     * a new one has to wait for it. */
    for (int i = 0; i < START_TRIES; i++) {
        if (i % 10 == 0 && client_start_daemon(place, err) != 0)
            return -1;
        fd = connect_to(place->socket);
        if (fd >= 0) {
            err_clear(err);
            return fd;
        }
        if (err->cause != CAUSE_NONE && !strstr(err->text, "is in use"))
            return -1;
        poll(NULL, 0, 50);
    }
    if (err->cause == CAUSE_NONE)
        err_set(err, CAUSE_NO_DAEMON, "amtd was started but does not answer at %s", place->socket);
    return -1;
}

/* Takes fd and line. */
static struct client *client_new(int fd, struct remote_line *line)
{
    struct client *c = xcalloc(1, sizeof(*c));
    const struct mux_events events = {
        .arg = c, .accepted = on_accepted, .data = on_data, .closed = on_closed, .rejected = on_rejected};

    c->fd = fd;
    c->line = line;
    c->mux = mux_new(true, &events, 64, now_ms());
    c->used = now_ms();
    return c;
}

static struct client *open_remote(const struct remote *remote, struct identity *identity, struct err *err)
{
    struct remote_line *line = identity ? remote_line_open(remote, identity, err) : NULL;

    identity_free(identity);
    return line ? client_new(remote_line_fd(line), line) : NULL;
}

struct client *client_open(const char *server, bool start, struct err *err)
{
    struct client_place place;
    struct remote remote;
    struct client *c = NULL;
    int fd = -1, chosen = remotes_choose(server, &remote, err);

    if (chosen > 0) {
        c = open_remote(&remote, remotes_identity(&remote, err), err);
        remote_clear(&remote);
    }
    if (chosen != 0)
        return c;
    if (client_find_place(&place, err) == 0) {
        fd = connect_or_start(&place, start, err);
        client_place_clear(&place);
    }
    return fd >= 0 ? client_new(fd, NULL) : NULL;
}

struct client *client_open_token(const struct token *token, uint8_t pin[32], struct err *err)
{
    struct remote remote = {.host = xstrdup(token->host), .port = token->port};
    struct identity *identity = remotes_own_identity(err);
    struct client *c;

    memcpy(remote.pin, token->pin, PEER_PIN);
    if (identity)
        memcpy(pin, identity_pin(identity), PEER_PIN);
    c = open_remote(&remote, identity, err);
    remote_clear(&remote);
    return c;
}

/* Nobody answers amtd's signs of life between two calls, so a connection does not outlive a long pause. */
bool client_alive(const struct client *c)
{
    char byte;
    ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return !c->broken && n != 0 && now_ms() - c->used < MUX_PING_MS;
}

void client_close(struct client *c)
{
    if (!c)
        return;
    if (c->line)
        remote_line_close(c->line);
    else
        close(c->fd);
    mux_free(c->mux);
    for (size_t i = 0; i < CLIENT_CHANNELS; i++)
        if (c->channels[i].number != 0 && c->channels[i].is_call)
            reply_clear(&c->channels[i].reply);
    free(c);
}
