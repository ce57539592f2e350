#include "amtd/node/join.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/api/client.h"
#include "amtd/node/peers.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

#define ANSWER_MAX 4096

struct joiner {
    struct daemon *daemon;
    struct token token;
    struct client *client;
    uv_timer_t timer;
    struct buf answer;
    struct err failure;
    bool answered; /* the failure, or the server, is known */
    struct peer server;
    join_done *done;
    void *arg;
};

static void timer_closed(uv_handle_t *handle)
{
    struct joiner *j = handle->data;

    token_wipe(&j->token);
    buf_free(&j->answer);
    peer_clear(&j->server);
    free(j);
}

/* The end, when the connection is gone too. */
static void finish(struct joiner *j)
{
    bool failed = j->failure.cause != CAUSE_NONE;

    j->done(j->arg, failed ? NULL : &j->server, failed ? &j->failure : NULL);
    uv_close((uv_handle_t *)&j->timer, timer_closed);
}

/* --- written down --- */

static int put_work(struct tx *tx, void *data, struct err *err)
{
    struct joiner *j = data;

    return tx_peer_put(tx, &j->server, true, err);
}

static void put_done(void *data, const struct err *failure)
{
    struct joiner *j = data;

    if (failure)
        j->failure = *failure;
    else
        peers_put(daemon_peers(j->daemon), &j->server);
    finish(j);
}

/* --- the connection --- */

static void leave(struct joiner *j)
{
    j->answered = true;
    client_close(j->client);
}

static int identify(void *arg, struct client *client, const struct stream *stream, struct caller *caller,
                    struct err *err)
{
    const struct joiner *j = arg;
    uint8_t pin[PEER_PIN];

    (void)client;
    if (!peer_pin(stream_ssl(stream), pin) || memcmp(pin, j->token.pin, PEER_PIN) != 0)
        return err_set(err, CAUSE_PEER_UNKNOWN,
                       "what answers at %s, port %u is not the server that gave the token", j->token.host,
                       j->token.port);
    caller->kind = CALLER_SERVER; /* that may not do anything yet */
    return 0;
}

static void on_data(void *arg, const uint8_t *p, size_t n)
{
    struct joiner *j = arg;

    buf_add(&j->answer, p, n);
}

/* "CAUSE: text" of a REJECT, as the cause and the text. */
static void rejected(struct joiner *j, const char *reason)
{
    err_set(&j->failure, CAUSE_DENIED, "the server says: %s", reason);
    leave(j);
}

static void read_answer(struct joiner *j)
{
    json_t *json =
        json_loadb(buf_str(&j->answer), j->answer.len, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, NULL);
    const char *server = json_string_value(json_object_get(json, "server"));
    const char *kind = json_string_value(json_object_get(json, "kind"));

    if (!server || !peer_name_ok(server) || !kind || strcmp(kind, peer_kind_name(PEER_NODE)) != 0) {
        err_set(&j->failure, CAUSE_PROTOCOL, "the server's answer cannot be understood");
    } else {
        j->server.kind = PEER_SERVER;
        j->server.name = xstrdup(server);
        memcpy(j->server.pin, j->token.pin, PEER_PIN);
        j->server.host = xstrdup(j->token.host);
        j->server.port = j->token.port;
        j->server.added_ms = clock_wall(clock_system());
    }
    json_decref(json);
    leave(j);
}

static void on_ended(void *arg, const char *reason)
{
    struct joiner *j = arg;

    if (j->answered || !reason)
        return;
    if (reason[0] != '\0')
        rejected(j, reason);
    else
        read_answer(j);
}

static void on_up(void *arg, struct client *client)
{
    struct joiner *j = arg;
    const struct channel_events events = {.arg = j, .data = on_data, .ended = on_ended};
    uint8_t proof[TOKEN_PROOF];
    struct buf params = buf_init(512);

    token_proof(j->token.secret, j->token.pin, identity_pin(peers_identity(daemon_peers(j->daemon))), proof);
    buf_puts(&params, "{\"id\": \"");
    text_hex(&params, j->token.id, TOKEN_ID, false);
    buf_puts(&params, "\", \"proof\": \"");
    text_hex(&params, proof, sizeof(proof), false);
    buf_puts(&params, "\"}");
    client_open_channel(client, "join", params.p, params.len, &events);
    buf_free(&params);
}

static void on_gone(void *arg, struct client *client, const struct err *why)
{
    struct joiner *j = arg;

    (void)client;
    if (!j->answered && why)
        j->failure = *why;
    else if (!j->answered)
        err_set(&j->failure, CAUSE_DROPPED, "the server closed the connection without an answer");
    j->client = NULL;
    if (j->failure.cause == CAUSE_NONE)
        store_submit(daemon_store(j->daemon), put_work, put_done, j);
    else
        finish(j);
}

static void on_timer(uv_timer_t *timer)
{
    struct joiner *j = timer->data;

    if (!j->client)
        return;
    err_set(&j->failure, CAUSE_TIMEOUT, "%s, port %u does not answer", j->token.host, j->token.port);
    leave(j);
}

static int check_token(const struct joiner *j, struct err *err)
{
    const struct identity *identity = peers_identity(daemon_peers(j->daemon));

    if (j->token.kind != PEER_NODE)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "the token is for a client: amtcli join");
    if (j->token.expires_ms < clock_wall(clock_system()))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "the token has expired: get a new one");
    if (memcmp(j->token.pin, identity_pin(identity), PEER_PIN) == 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "the token is of this amtd itself");
    return 0;
}

void join_server(struct daemon *daemon, const char *token, bool configures, join_done *done, void *arg)
{
    struct joiner *j = xcalloc(1, sizeof(*j));
    const struct client_owner owner = {
        .arg = j, .daemon = daemon, .connected = true, .identify = identify, .up = on_up, .gone = on_gone};
    struct streams *streams = daemon_streams(daemon);
    struct stream_peer peer = {.open_ms = PEER_HANDSHAKE_MS};
    struct stream_events events;
    struct stream *stream;

    j->daemon = daemon;
    j->answer = buf_init(ANSWER_MAX);
    j->server.configures = configures;
    j->done = done;
    j->arg = arg;
    uv_timer_init(streams_loop(streams), &j->timer);
    j->timer.data = j;
    if (token_read(&j->token, token, &j->failure) != 0 || check_token(j, &j->failure) != 0) {
        finish(j);
        return;
    }
    j->client = client_new(&owner, j->token.host);
    events = client_events(j->client);
    peer.host = j->token.host;
    peer.port = j->token.port;
    peer.context = identity_context(peers_identity(daemon_peers(daemon)), false);
    stream = stream_open(streams, &peer, &events, &j->failure);
    client_set_stream(j->client, stream);
    if (stream) {
        uv_timer_start(&j->timer, on_timer, JOIN_MS, 0);
    } else {
        leave(j);
    }
}
