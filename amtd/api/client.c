#include "amtd/api/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "amtd/api/server_internal.h"
#include "amtd/daemon.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

#define LINGER_MS      2000 /* for what is on its way when it is closed */
#define STRANGER_TRIES 3

/* A channel that this end opened. */
struct opened {
    uint32_t number;
    struct channel_events events;
    bool dropped; /* its owner wants to hear no more */
    UT_hash_handle hh;
};

struct client {
    struct client_owner owner;
    struct caller caller;
    char *who, *from, *peer;
    uint8_t pin[PEER_PIN];
    struct stream *stream;
    struct mux *mux; /* NULL: not up yet */
    uv_timer_t timer;
    uv_prepare_t flush; /* sends what was written, once a turn of the loop */
    int handles;        /* of libuv, still open */
    size_t unfinished;  /* bytes of requests that are not whole yet */
    int64_t stranger_due;
    unsigned tries; /* of a stranger, to join */
    bool dirty;
    bool closing;
    struct api_request *requests;
    struct channel *channels;
    struct opened *opened;
};

static int64_t now_ms(const struct client *client)
{
    return (int64_t)uv_now(streams_loop(daemon_streams(client->owner.daemon)));
}

/* --- the end --- */

static void handle_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;

    if (--client->handles > 0)
        return;
    mux_free(client->mux);
    free(client->who);
    free(client->from);
    free(client->peer);
    account_unref(client->caller.account);
    free(client);
}

static void forget(struct client *client, struct opened *opened, const char *reason)
{
    HASH_DEL(client->opened, opened);
    if (!opened->dropped)
        opened->events.ended(opened->events.arg, reason);
    free(opened);
}

static void end(struct client *client, const struct err *why, int64_t linger_ms)
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
    while (client->opened)
        forget(client, client->opened, NULL);
    client->owner.gone(client->owner.arg, client, why);
    stream_close(client->stream, linger_ms);
    client->stream = NULL;
    uv_close((uv_handle_t *)&client->timer, handle_closed);
    uv_close((uv_handle_t *)&client->flush, handle_closed);
}

static void drop(struct client *client, const struct err *err)
{
    end(client, err, 0);
}

/* --- writing --- */

/* Hands over as much as the stream takes; the rest waits in the mux, which is bounded. */
static void send_all(struct client *client)
{
    client->dirty = false;
    uv_prepare_stop(&client->flush);
    while (!client->closing) {
        struct view out = mux_output(client->mux);
        size_t n;

        if (out.n == 0)
            return;
        n = stream_write(client->stream, out.p, out.n);
        mux_sent(client->mux, n);
        if (n < out.n)
            return; /* until it has drained */
    }
}

static void on_prepare(uv_prepare_t *prepare)
{
    send_all(prepare->data);
}

static void touch(struct client *client)
{
    if (client->dirty || client->closing)
        return;
    client->dirty = true;
    uv_prepare_start(&client->flush, on_prepare);
}

void client_close(struct client *client)
{
    if (client->closing)
        return;
    if (client->mux)
        send_all(client);
    end(client, NULL, LINGER_MS);
}

bool client_write(struct client *client, uint32_t channel, const void *p, size_t n)
{
    bool taken = mux_write(client->mux, channel, p, n);

    touch(client);
    return taken;
}

void client_accept(struct client *client, uint32_t channel)
{
    mux_accept(client->mux, channel);
    touch(client);
}

void client_reject(struct client *client, uint32_t channel, const char *reason)
{
    mux_reject(client->mux, channel, reason);
    touch(client);
}

void client_consumed(struct client *client, uint32_t channel, size_t n)
{
    mux_consumed(client->mux, channel, n);
    touch(client);
}

void client_signal(struct client *client, uint32_t channel, uint32_t number)
{
    mux_signal(client->mux, channel, number);
    touch(client);
}

void client_end(struct client *client, uint32_t channel)
{
    mux_close(client->mux, channel);
    touch(client);
}

size_t client_backlog(const struct client *client, uint32_t channel)
{
    return mux_backlog(client->mux, channel);
}

struct channel **client_channels(struct client *client)
{
    return &client->channels;
}

size_t client_add_unfinished(struct client *client, ptrdiff_t n)
{
    client->unfinished += (size_t)n;
    return client->unfinished;
}

void client_close_channel(struct client *client, struct api_request *rq)
{
    DL_DELETE(client->requests, rq);
    mux_close(client->mux, rq->channel);
    touch(client);
}

/* --- channels of this end --- */

static struct opened *opened_of(const struct client *client, uint32_t channel)
{
    struct opened *opened;

    HASH_FIND(hh, client->opened, &channel, sizeof(channel), opened);
    return opened;
}

uint32_t client_open_channel(struct client *client, const char *kind, const void *params, size_t n,
                             const struct channel_events *events)
{
    uint32_t number = client->closing ? 0 : mux_open(client->mux, kind, params, n);
    struct opened *opened;

    if (number == 0)
        return 0;
    opened = xcalloc(1, sizeof(*opened));
    opened->number = number;
    opened->events = *events;
    HASH_ADD(hh, client->opened, number, sizeof(opened->number), opened);
    touch(client);
    return number;
}

void client_drop_channel(struct client *client, uint32_t channel)
{
    struct opened *opened = opened_of(client, channel);

    if (!opened)
        return;
    opened->dropped = true;
    client_end(client, channel);
}

/* --- what the mux says --- */

static struct api_request *request_of(const struct client *client, uint32_t channel)
{
    struct api_request *rq;

    DL_FOREACH(client->requests, rq)
    if (rq->channel == channel)
        return rq;
    return NULL;
}

static void open_call(struct client *client, uint32_t channel)
{
    struct api_request *rq;
    struct err err = ERR_INIT;

    if (client->caller.kind != CALLER_USER) {
        channel_not_for(&client->caller, "call", &err);
        client_reject(client, channel, "denied: calls are for users");
        return;
    }
    rq = xcalloc(1, sizeof(*rq));
    rq->daemon = client->owner.daemon;
    rq->client = client;
    rq->channel = channel;
    rq->from = xstrdup(client->from);
    rq->account = account_ref(client->caller.account);
    rq->line = buf_init_secret(REQUEST_MAX);
    DL_APPEND(client->requests, rq);
    mux_accept(client->mux, channel);
}

static void on_open(void *arg, uint32_t channel, struct view kind, struct view params)
{
    struct client *client = arg;

    if (client->closing)
        mux_reject(client->mux, channel, "");
    else if (client->caller.kind == CALLER_STRANGER && ++client->tries > STRANGER_TRIES)
        mux_reject(client->mux, channel, "denied: too many tries");
    else if (view_eq(kind, "call"))
        open_call(client, channel);
    else
        channel_open(client, &client->caller, channel, kind, params);
}

static void on_accepted(void *arg, uint32_t channel)
{
    const struct opened *opened = opened_of(arg, channel);

    if (opened && !opened->dropped && opened->events.accepted)
        opened->events.accepted(opened->events.arg);
}

static void on_rejected(void *arg, uint32_t channel, struct view reason)
{
    struct client *client = arg;
    struct opened *opened = opened_of(client, channel);
    struct buf text = buf_init(ERR_TEXT_MAX);

    text_printable(&text, reason.p, reason.n < ERR_TEXT_MAX / 4 ? reason.n : ERR_TEXT_MAX / 4);
    if (opened)
        forget(client, opened, buf_str(&text));
    buf_free(&text);
}

static void on_data(void *arg, uint32_t channel, const uint8_t *p, size_t n)
{
    struct client *client = arg;
    const struct opened *opened = opened_of(client, channel);
    struct api_request *rq;

    if (opened && !opened->dropped) {
        opened->events.data(opened->events.arg, p, n);
        return;
    }
    rq = opened ? NULL : request_of(client, channel);
    if (!rq && !opened && channel_data(client, channel, p, n))
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
    struct opened *opened = opened_of(client, channel);
    struct api_request *rq = opened ? NULL : request_of(client, channel);

    if (opened) {
        forget(client, opened, "");
    } else if (rq) {
        DL_DELETE(client->requests, rq);
        rq->client = NULL;
        request_gone(rq);
    } else {
        channel_closed(client, channel);
    }
}

static void on_drained(void *arg, uint32_t channel)
{
    struct client *client = arg;
    const struct opened *opened = opened_of(client, channel);
    struct api_request *rq = opened ? NULL : request_of(client, channel);

    if (opened && !opened->dropped && opened->events.drained)
        opened->events.drained(opened->events.arg);
    else if (rq && rq->drained)
        rq->drained(rq, rq->drained_arg);
    else if (!opened && !rq)
        channel_drained(client, channel);
}

/* --- time --- */

static void set_timer(struct client *client);

static void on_timer(uv_timer_t *timer)
{
    struct client *client = timer->data;
    struct err err = ERR_INIT;

    if (client->stranger_due > 0 && now_ms(client) >= client->stranger_due)
        err_set(&err, CAUSE_TIMEOUT, "it has not joined in time");
    else if (mux_tick(client->mux, now_ms(client), &err) == 0) {
        touch(client);
        set_timer(client);
        return;
    }
    drop(client, &err);
}

static void set_timer(struct client *client)
{
    int64_t due = mux_deadline(client->mux), left;

    if (client->stranger_due > 0 && client->stranger_due < due)
        due = client->stranger_due;
    left = due - now_ms(client);
    uv_timer_start(&client->timer, on_timer, left > 0 ? (uint64_t)left : 0, 0);
}

/* --- what the stream says --- */

static void stream_up(void *arg)
{
    struct client *client = arg;
    const struct mux_events events = {.arg = client,
                                      .open = on_open,
                                      .accepted = on_accepted,
                                      .rejected = on_rejected,
                                      .data = on_data,
                                      .signal = on_signal,
                                      .closed = on_closed,
                                      .drained = on_drained};
    struct err err = ERR_INIT;
    size_t most;

    if (client->owner.identify(client->owner.arg, client, client->stream, &client->caller, &err) != 0) {
        drop(client, &err);
        return;
    }
    most = client->caller.kind == CALLER_STRANGER                ? 1
           : client->caller.kind & (CALLER_NODE | CALLER_SERVER) ? CLIENT_CHANNELS_MAX
                                                                 : CLIENT_CALLS_MAX;
    if (client->caller.kind == CALLER_STRANGER)
        client->stranger_due = now_ms(client) + CLIENT_STRANGER_MS;
    client->mux = mux_new(client->owner.connected, &events, most, now_ms(client));
    set_timer(client);
    touch(client);
    if (client->owner.up)
        client->owner.up(client->owner.arg, client);
}

static void stream_bytes(void *arg, const uint8_t *p, size_t n)
{
    struct client *client = arg;
    struct err err = ERR_INIT;

    if (client->closing)
        return;
    if (mux_feed(client->mux, p, n, now_ms(client), &err) != 0)
        drop(client, &err);
    else
        touch(client);
}

static void stream_drained(void *arg)
{
    struct client *client = arg;

    if (client->mux && !client->closing)
        send_all(client);
}

static void stream_down(void *arg, const struct err *failure)
{
    end(arg, failure, 0);
}

/* --- making one --- */

struct client *client_new(const struct client_owner *owner, const char *from)
{
    struct client *client = xcalloc(1, sizeof(*client));
    uv_loop_t *loop = streams_loop(daemon_streams(owner->daemon));

    client->owner = *owner;
    client->from = xstrdup(from);
    client->who = xstrdup(from);
    client->caller = (struct caller){.daemon = owner->daemon,
                                     .kind = CALLER_STRANGER,
                                     .who = client->who,
                                     .from = client->from,
                                     .account = account_of_name(from, "", ROLE_NONE)};
    uv_timer_init(loop, &client->timer);
    uv_prepare_init(loop, &client->flush);
    client->timer.data = client->flush.data = client;
    client->handles = 2;
    return client;
}

struct stream_events client_events(struct client *client)
{
    return (struct stream_events){client, stream_up, stream_bytes, stream_drained, stream_down};
}

void client_set_stream(struct client *client, struct stream *stream)
{
    client->stream = stream;
}

void client_is(struct client *client, const char *who, const char *peer)
{
    xreplace(&client->who, who);
    xreplace(&client->peer, peer);
    client->caller.who = client->who;
    client->caller.peer = client->peer;
}

void client_set_account(struct client *client, struct account *account)
{
    account_unref(client->caller.account);
    client->caller.account = account;
}

void client_has_pin(struct client *client, const uint8_t pin[PEER_PIN])
{
    memcpy(client->pin, pin, PEER_PIN);
    client->caller.pin = client->pin;
}

const struct caller *client_caller(const struct client *client)
{
    return &client->caller;
}

bool client_is_up(const struct client *client)
{
    return client->mux && !client->closing;
}
