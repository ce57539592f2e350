#include "amtd/node/uplinks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <utlist.h>

#include "amtd/api/client.h"
#include "amtd/node/peers.h"
#include "base/log.h"
#include "base/xalloc.h"

#define RETRY_MIN_MS 250
#define RETRY_MAX_MS 30000

struct uplink {
    struct uplinks *uplinks;
    char *name; /* of the server */
    char *host;
    uint16_t port;
    uint8_t pin[PEER_PIN];
    bool by_ca;
    bool configures;
    struct client *client; /* NULL: waits for the next try */
    bool up;
    unsigned failures;
    char why[ERR_TEXT_MAX]; /* it is not connected */
    bool removed;
    uv_timer_t timer;
    struct uplink *prev, *next;
};

struct uplinks {
    struct daemon *daemon;
    struct uplink *all;
    struct peers_listener listener;
};

/* --- one of them --- */

static int identify(void *arg, struct client *client, const struct stream *stream, struct caller *caller,
                    struct err *err)
{
    const struct uplink *u = arg;
    const struct identity *identity = peers_identity(daemon_peers(u->uplinks->daemon));
    char name[PEER_NAME_MAX + 1], *who;
    uint8_t pin[PEER_PIN];

    if (u->by_ca) {
        if (peer_ca_name(identity, stream_ssl(stream), false, name, err) != 0)
            return -1;
        if (!peer_has_name(stream_ssl(stream), u->host))
            return err_set(err, CAUSE_PEER_UNKNOWN, "the certificate is that of %s, not of %s", name,
                           u->host);
    } else if (!peer_pin(stream_ssl(stream), pin) || memcmp(pin, u->pin, PEER_PIN) != 0) {
        return err_set(err, CAUSE_PEER_UNKNOWN,
                       "what answers has another key than the server that was joined");
    }
    who = xasprintf("server %s", u->name);
    client_is(client, who, u->name);
    client_set_account(client, account_of_name(who, "", ROLE_WATCH));
    free(who);
    caller->kind = CALLER_SERVER;
    return 0;
}

static void on_up(void *arg, struct client *client)
{
    struct uplink *u = arg;

    (void)client;
    u->up = true;
    u->failures = 0;
    u->why[0] = '\0';
    log_info(u->name, "server: connected to %s, port %u", u->host, u->port);
}

static void on_timer(uv_timer_t *timer);

static void free_uplink(uv_handle_t *handle)
{
    struct uplink *u = handle->data;

    free(u->name);
    free(u->host);
    free(u);
}

/* Half to one and a half times the wait: nodes that lost their server together do not come back together. */
static void wait_again(struct uplink *u)
{
    uint64_t wait = RETRY_MIN_MS;
    uint16_t random = 0;

    for (unsigned i = 1; i < u->failures && wait < RETRY_MAX_MS; i++)
        wait *= 2;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
        random = UINT16_MAX / 2;
    wait = wait / 2 + wait * random / UINT16_MAX;
    uv_timer_start(&u->timer, on_timer, wait, 0);
}

static void on_gone(void *arg, struct client *client, const struct err *why)
{
    struct uplink *u = arg;
    const char *text = why ? why->text : "the server closed the connection";

    (void)client;
    if (!u->removed && strcmp(text, u->why) != 0) /* one line for each change */
        log_warn(u->name, "server: not connected: %s", text);
    snprintf(u->why, sizeof(u->why), "%s", text);
    u->client = NULL;
    u->up = false;
    if (u->failures < 32)
        u->failures++;
    if (!u->removed)
        wait_again(u);
}

static void dial(struct uplink *u)
{
    struct daemon *daemon = u->uplinks->daemon;
    const struct client_owner owner = {
        .arg = u, .daemon = daemon, .connected = true, .identify = identify, .up = on_up, .gone = on_gone};
    const struct stream_peer peer = {.host = u->host,
                                     .port = u->port,
                                     .context = identity_context(peers_identity(daemon_peers(daemon)), false),
                                     .open_ms = PEER_HANDSHAKE_MS};
    struct stream_events events;
    struct stream *stream;
    struct err err = ERR_INIT;

    u->client = client_new(&owner, u->host);
    events = client_events(u->client);
    stream = stream_open(daemon_streams(daemon), &peer, &events, &err);
    client_set_stream(u->client, stream);
    if (!stream)
        client_close(u->client);
}

static void on_timer(uv_timer_t *timer)
{
    dial(timer->data);
}

static struct uplink *find(const struct uplinks *uplinks, const char *name)
{
    struct uplink *u;

    DL_FOREACH(uplinks->all, u)
    if (strcmp(u->name, name) == 0)
        return u;
    return NULL;
}

static struct uplink *add(struct uplinks *uplinks, const char *name, const char *host, uint16_t port)
{
    struct uplink *u = xcalloc(1, sizeof(*u));

    u->uplinks = uplinks;
    u->name = xstrdup(name);
    u->host = xstrdup(host);
    u->port = port;
    uv_timer_init(streams_loop(daemon_streams(uplinks->daemon)), &u->timer);
    u->timer.data = u;
    DL_APPEND(uplinks->all, u);
    uv_timer_start(&u->timer, on_timer, 0, 0);
    return u;
}

static void remove_uplink(struct uplink *u)
{
    u->removed = true;
    DL_DELETE(u->uplinks->all, u);
    if (u->client)
        client_close(u->client);
    uv_close((uv_handle_t *)&u->timer, free_uplink);
}

/* --- those that were joined --- */

static void on_put(void *arg, const struct peer *peer)
{
    struct uplinks *uplinks = arg;
    struct uplink *u;

    if (peer->kind != PEER_SERVER)
        return;
    u = find(uplinks, peer->name);
    if (u)
        remove_uplink(u);
    u = add(uplinks, peer->name, peer->host, peer->port);
    memcpy(u->pin, peer->pin, PEER_PIN);
    u->configures = peer->configures;
}

static void on_removed(void *arg, const struct peer *peer)
{
    struct uplinks *uplinks = arg;
    struct uplink *u = peer->kind == PEER_SERVER ? find(uplinks, peer->name) : NULL;

    if (u)
        remove_uplink(u);
}

struct uplinks *uplinks_new(struct daemon *daemon)
{
    struct uplinks *uplinks = xcalloc(1, sizeof(*uplinks));
    const struct config *config = daemon_config(daemon);
    size_t count;
    const struct peer *all = peers_all(daemon_peers(daemon), &count);

    uplinks->daemon = daemon;
    uplinks->listener = (struct peers_listener){.put = on_put, .removed = on_removed, .arg = uplinks};
    peers_listen(daemon_peers(daemon), &uplinks->listener);
    for (size_t i = 0; i < count; i++)
        on_put(uplinks, &all[i]);
    uplinks_configure(uplinks, config);
    return uplinks;
}

static bool is_named(const struct uplink *u, const struct config *config)
{
    for (size_t i = 0; i < config->server_count; i++)
        if (strcmp(config->servers[i].host, u->host) == 0 && config->servers[i].port == u->port &&
            config->servers[i].configures == u->configures)
            return true;
    return false;
}

void uplinks_configure(struct uplinks *uplinks, const struct config *config)
{
    struct uplink *u, *next;

    DL_FOREACH_SAFE(uplinks->all, u, next)
    if (u->by_ca && !is_named(u, config))
        remove_uplink(u);
    for (size_t i = 0; i < config->server_count; i++) {
        const struct config_server *server = &config->servers[i];

        DL_FOREACH(uplinks->all, u)
        if (u->by_ca && strcmp(u->host, server->host) == 0 && u->port == server->port)
            break;
        if (u)
            continue;
        u = add(uplinks, server->host, server->host, server->port);
        u->by_ca = true;
        u->configures = server->configures;
    }
}

void uplinks_free(struct uplinks *uplinks)
{
    if (!uplinks)
        return;
    peers_unlisten(daemon_peers(uplinks->daemon), &uplinks->listener);
    while (uplinks->all)
        remove_uplink(uplinks->all);
    free(uplinks);
}

bool uplinks_connected(const struct uplinks *uplinks, const char *server, const char **why)
{
    const struct uplink *u = find(uplinks, server);

    *why = u ? u->why : "";
    return u && u->up;
}

bool uplinks_configures(const struct uplinks *uplinks, const char *server)
{
    const struct uplink *u = find(uplinks, server);

    return u && u->configures;
}
