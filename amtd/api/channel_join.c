#include "amtd/api/channel_join.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/api/activity.h"
#include "amtd/daemon.h"
#include "amtd/node/peers.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

struct joining {
    struct channel *channel; /* NULL: it hung up */
    struct daemon *daemon;
    char *from;
    uint8_t id[TOKEN_ID], proof[TOKEN_PROOF];
    uint8_t own[PEER_PIN], theirs[PEER_PIN];
    struct peer peer;
};

static void joining_free(struct joining *j)
{
    peer_clear(&j->peer);
    free(j->from);
    free(j);
}

/* Proves that they have the secret, and makes them known, in one transaction: a token works once. */
static int join_work(struct tx *tx, void *data, struct err *err)
{
    struct joining *j = data;
    int64_t now = clock_wall(clock_system());
    uint8_t proof[TOKEN_PROOF], secret[TOKEN_SECRET];
    struct invite invite;
    int status = tx_invite_get(tx, j->id, now, &invite, err);

    if (status != 0)
        return -1;
    if (secret_len(invite.secret) != sizeof(secret)) {
        status = err_set(err, CAUSE_SEAL_BROKEN, "the token's secret is not whole");
    } else {
        memcpy(secret, secret_str(invite.secret), sizeof(secret));
        token_proof(secret, j->own, j->theirs, proof);
        secret_wipe(secret, sizeof(secret));
        if (CRYPTO_memcmp(proof, j->proof, sizeof(proof)) != 0)
            status = err_set(err, CAUSE_DENIED, "the token's secret is not the right one");
    }
    if (status == 0) {
        peer_copy(&j->peer, &invite.peer);
        memcpy(j->peer.pin, j->theirs, PEER_PIN);
        j->peer.added_ms = now;
        status = tx_peer_put(tx, &j->peer, true, err);
    }
    if (status == 0)
        status = tx_invite_remove(tx, j->id, err);
    invite_clear(&invite);
    return status;
}

static void answer(struct joining *j)
{
    json_t *json = json_pack("{s:s, s:s, s:s}", "name", j->peer.name, "kind", peer_kind_name(j->peer.kind),
                             "server", daemon_config(j->daemon)->name);
    char *text = json_dumps(json, JSON_COMPACT);

    channel_accept(j->channel);
    channel_write(j->channel, text, strlen(text));
    channel_write(j->channel, "\n", 1);
    channel_close(j->channel);
    free(text);
    json_decref(json);
}

/* From now on its key is somebody's: the other half of the invitation. */
static void write_down(const struct joining *j)
{
    bool is_client = j->peer.kind == PEER_CLIENT;
    struct buf pin = buf_init(2 * PEER_PIN + 1);
    char *who = is_client
                    ? xasprintf("client %s (%s)", j->peer.name, j->peer.user ? j->peer.user : j->peer.name)
                    : xasprintf("node %s", j->peer.name);
    char *detail;

    text_hex(&pin, j->theirs, PEER_PIN, false);
    detail = xasprintf("pin %s%s%s", buf_str(&pin), is_client ? ", role " : "",
                       is_client ? role_name((enum api_role)j->peer.role) : "");
    activity_write(j->daemon, &(struct deed){.who = who, .by = j->from, .what = "join", .detail = detail});
    buf_free(&pin);
    free(detail);
    free(who);
}

static void join_done(void *data, const struct err *failure)
{
    struct joining *j = data;

    if (failure) {
        log_warn(NULL, "%s may not join: %s", j->from, failure->text);
        if (j->channel)
            channel_reject(j->channel, failure);
    } else {
        log_info(NULL, "%s %s joined from %s", peer_kind_name(j->peer.kind), j->peer.name, j->from);
        write_down(j);
        peers_put(daemon_peers(j->daemon), &j->peer);
        if (j->channel)
            answer(j);
    }
    joining_free(j);
}

static bool read_hex(const json_t *json, uint8_t *out, size_t n)
{
    const char *text = json_string_value(json);

    if (!text || json_string_length(json) != 2 * n)
        return false;
    for (size_t i = 0; i < 2 * n; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;

        if (!digit)
            return false;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] << 4 | (digit - digits) : digit - digits);
    }
    return true;
}

static int open_join(struct channel *channel, struct view params, struct err *err)
{
    json_t *json = json_loadb((const char *)params.p, params.n, JSON_REJECT_DUPLICATES, NULL);
    const struct caller *caller = channel_caller(channel);
    struct joining *j = xcalloc(1, sizeof(*j));
    bool ok = read_hex(json_object_get(json, "id"), j->id, sizeof(j->id)) &&
              read_hex(json_object_get(json, "proof"), j->proof, sizeof(j->proof));

    json_decref(json);
    if (!ok || !caller->pin) {
        joining_free(j);
        return err_set(err, CAUSE_PROTOCOL,
                       "expected {\"id\": ..., \"proof\": ...}, in hexadecimal digits, on TLS");
    }
    j->channel = channel;
    j->daemon = caller->daemon;
    j->from = xstrdup(caller->from);
    memcpy(j->theirs, caller->pin, PEER_PIN);
    memcpy(j->own, identity_pin(peers_identity(daemon_peers(j->daemon))), PEER_PIN);
    channel_set(channel, j);
    store_submit(daemon_store(j->daemon), join_work, join_done, j);
    return 0;
}

static void join_data(struct channel *channel, const uint8_t *p, size_t n)
{
    (void)p; /* nothing is expected */
    channel_consumed(channel, n);
}

static void join_closed(struct channel *channel)
{
    struct joining *j = channel_arg(channel);

    j->channel = NULL;
}

const struct channel_kind channel_join = {
    .name = "join",
    .role = ROLE_WATCH,
    .callers = CALLER_STRANGER | CALLER_NODE | CALLER_USER, /* who is known may get another name or role */
    .open = open_join,
    .data = join_data,
    .closed = join_closed,
};
