#include "amtd/api/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

#include "amtd/api/account.h"
#include "amtd/api/server_internal.h"
#include "amtd/net/listener.h"
#include "amtd/node/nodes.h"
#include "amtd/node/peers.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

#define LOOK_MS 30000 /* between two looks at what those who are connected may still have open */

/* Somebody who connected. */
struct guest {
    struct server *server;
    struct client *client;
    bool secured; /* on TLS */
    bool known;   /* on TLS: has shown who it is */
    struct ucred user;
    char from[64];
    struct guest *prev, *next;
};

struct server {
    uv_timer_t timer; /* first: freed in its close callback */
    uv_loop_t *loop;
    struct daemon *daemon;
    struct listener *local, *secured;
    struct guest *guests;
    size_t local_count, secured_count, strangers;
    struct log_limit limit; /* of lines about those who are nobody */
    struct peers_listener removed;
    bool closing;
};

/* --- who is it? On the UNIX socket --- */

static int identify_local(const struct guest *guest, struct client *client, struct caller *caller)
{
    struct daemon *daemon = guest->server->daemon;
    char *who = xasprintf("uid %u", guest->user.uid);

    client_is(client, who, NULL);
    free(who);
    caller->kind = CALLER_USER;
    client_set_account(client, account_of_uid(streams_loop(daemon_streams(daemon)), daemon_config(daemon),
                                              guest->user.uid, guest->user.gid));
    return 0;
}

/* --- on TLS --- */

static void is_node(struct client *client, struct caller *caller, const char *name)
{
    char *who = xasprintf("node %s", name);

    client_is(client, who, name);
    caller->kind = CALLER_NODE;
    client_set_account(client, account_of_name(who, "", ROLE_WATCH));
    free(who);
}

static void is_user(struct client *client, struct caller *caller, const char *name, const char *user,
                    int role)
{
    char *who = xasprintf("client %s (%s)", name, user);

    client_is(client, who, NULL);
    caller->kind = CALLER_USER;
    client_set_account(client, account_of_name(who, user, (enum api_role)role));
    free(who);
}

/* By a certificate from the CA of the configuration, which also says who that name is. */
static bool identify_by_ca(const struct guest *guest, struct client *client, const SSL *ssl,
                           struct caller *caller)
{
    const struct config *config = daemon_config(guest->server->daemon);
    const struct identity *identity = peers_identity(daemon_peers(guest->server->daemon));
    char name[PEER_NAME_MAX + 1];
    int role = ROLE_NONE;

    if (!identity_has_ca(identity) || peer_ca_name(identity, ssl, true, name, NULL) != 0)
        return false;
    for (size_t i = 0; i < config->node_count; i++) {
        if (config->nodes[i].by_ca && strcmp(config->nodes[i].name, name) == 0) {
            is_node(client, caller, name);
            return true;
        }
    }
    for (size_t i = 0; i < config->allow_count; i++)
        if (config->allow[i].certificate && strcmp(config->allow[i].certificate, name) == 0 &&
            config->allow[i].role > role)
            role = config->allow[i].role;
    if (role > ROLE_NONE)
        is_user(client, caller, name, name, role);
    return role > ROLE_NONE;
}

static int identify_secured(struct guest *guest, struct client *client, const SSL *ssl, struct caller *caller,
                            struct err *err)
{
    const struct peer *peer = NULL;
    uint8_t pin[PEER_PIN];

    if (!ssl || !peer_pin(ssl, pin))
        return err_set(err, CAUSE_PEER_UNKNOWN, "it showed no certificate");
    client_has_pin(client, pin);
    peer = peers_by_pin(daemon_peers(guest->server->daemon), pin, false);
    if (peer && peer->kind == PEER_NODE)
        is_node(client, caller, peer->name);
    else if (peer)
        is_user(client, caller, peer->name, peer->user ? peer->user : peer->name, peer->role);
    else if (!identify_by_ca(guest, client, ssl, caller)) {
        caller->kind = CALLER_STRANGER; /* may join, and nothing else */
        client_set_account(client, account_of_name(guest->from, "", ROLE_WATCH));
        return 0;
    }
    guest->known = true;
    guest->server->strangers--;
    return 0;
}

/* Of one node there is one connection: the newest, because the older ones are those that broke. */
static void replace_older(const struct guest *guest)
{
    const struct caller *caller = client_caller(guest->client);
    struct guest *other, *next;

    DL_FOREACH_SAFE(guest->server->guests, other, next)
    if (other != guest && other->known && client_caller(other->client)->kind == CALLER_NODE &&
        strcmp(client_caller(other->client)->peer, caller->peer) == 0) {
        log_info(caller->who, "connected again");
        client_close(other->client);
    }
}

static int identify(void *arg, struct client *client, const struct stream *stream, struct caller *caller,
                    struct err *err)
{
    struct guest *guest = arg;

    return guest->secured ? identify_secured(guest, client, stream_ssl(stream), caller, err)
                          : identify_local(guest, client, caller);
}

static void guest_up(void *arg, struct client *client)
{
    struct guest *guest = arg;
    const struct caller *caller = client_caller(client);

    if (caller->kind != CALLER_NODE)
        return;
    replace_older(guest);
    log_info(caller->who, "connected from %s", guest->from);
    nodes_up(daemon_nodes(guest->server->daemon), caller->peer, client);
}

/* --- coming and going --- */

static void tell(struct guest *guest, const struct err *why)
{
    struct server *server = guest->server;
    const struct caller *caller = client_caller(guest->client);
    uint32_t held;

    if (guest->known || !guest->secured)
        log_warn(caller->who, "connection lost: %s", why->text);
    else if (log_limit_pass(&server->limit, clock_mono(clock_system()), &held))
        log_warn(NULL, "%s is nobody that is known here: %s%s", guest->from, why->text,
                 held > 0 ? " (and others)" : "");
}

static void guest_gone(void *arg, struct client *client, const struct err *why)
{
    struct guest *guest = arg;
    struct server *server = guest->server;

    (void)client;
    if (why)
        tell(guest, why);
    if (guest->secured && guest->known && client_caller(guest->client)->kind == CALLER_NODE)
        nodes_down(daemon_nodes(server->daemon), client_caller(guest->client)->peer, guest->client);
    DL_DELETE(server->guests, guest);
    if (!guest->secured)
        server->local_count--;
    else
        server->secured_count--;
    if (guest->secured && !guest->known)
        server->strangers--;
    free(guest);
}

/* NULL: fd was closed. */
static struct guest *welcome(struct server *server, int fd, const char *from, bool secured)
{
    struct guest *guest = xcalloc(1, sizeof(*guest));
    const struct client_owner owner = {
        .arg = guest, .daemon = server->daemon, .identify = identify, .up = guest_up, .gone = guest_gone};
    struct stream_events events;
    struct stream *stream;
    struct err err = ERR_INIT;

    guest->server = server;
    guest->secured = secured;
    snprintf(guest->from, sizeof(guest->from), "%s", secured ? from : "socket");
    guest->client = client_new(&owner, guest->from);
    DL_APPEND(server->guests, guest);
    server->local_count += !secured;
    server->secured_count += secured;
    server->strangers += secured;
    events = client_events(guest->client);
    stream = secured ? stream_accept(daemon_streams(server->daemon), fd,
                                     identity_context(peers_identity(daemon_peers(server->daemon)), true),
                                     PEER_HANDSHAKE_MS, &events, &err)
                     : stream_adopt(daemon_streams(server->daemon), fd, 0, &events, &err);
    client_set_stream(guest->client, stream);
    if (stream)
        return guest;
    log_warn(NULL, "a connection cannot be served: %s", err.text);
    client_close(guest->client);
    return NULL;
}

static size_t guests_of(const struct server *server, uid_t uid)
{
    const struct guest *guest;
    size_t count = 0;

    DL_FOREACH(server->guests, guest)
    count += !guest->secured && guest->user.uid == uid;
    return count;
}

static bool has_room_for(const struct server *server, uid_t uid)
{
    if (uid == 0 || uid == geteuid())
        return server->local_count < SERVER_CLIENTS_MAX;
    return server->local_count < SERVER_CLIENTS_MAX - SERVER_CLIENTS_KEPT &&
           guests_of(server, uid) < SERVER_CLIENTS_ONE;
}

static void on_local(void *arg, int fd, const char *from)
{
    struct server *server = arg;
    struct ucred user = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    socklen_t size = sizeof(user);
    struct guest *guest;
    uint32_t held;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &size) != 0)
        user.uid = (uid_t)-1;
    if (!has_room_for(server, user.uid)) {
        if (log_limit_pass(&server->limit, clock_mono(clock_system()), &held))
            log_warn(NULL, "uid %u was refused: too many connections%s", (unsigned)user.uid,
                     held > 0 ? " (and others)" : "");
        close(fd);
        return;
    }
    guest = welcome(server, fd, from, false);
    if (guest)
        guest->user = user;
}

static size_t strangers_from(const struct server *server, const char *from)
{
    const struct guest *guest;
    size_t count = 0;

    DL_FOREACH(server->guests, guest)
    count += guest->secured && !guest->known && strcmp(guest->from, from) == 0;
    return count;
}

static void on_secured(void *arg, int fd, const char *from)
{
    struct server *server = arg;
    uint32_t held;

    if (server->secured_count < SERVER_CLIENTS_MAX && server->strangers < SERVER_STRANGERS_MAX &&
        strangers_from(server, from) < SERVER_STRANGERS_ONE) {
        welcome(server, fd, from, true);
        return;
    }
    if (log_limit_pass(&server->limit, clock_mono(clock_system()), &held))
        log_warn(NULL, "%s was refused: too many connections%s", from, held > 0 ? " (and others)" : "");
    close(fd);
}

/* Whoever is not known any more is not connected any more. */
static void on_removed(void *arg, const struct peer *peer)
{
    const struct server *server = arg;
    struct guest *guest, *next;

    DL_FOREACH_SAFE(server->guests, guest, next)
    {
        const struct caller *caller = client_caller(guest->client);
        char *who = peer->kind == PEER_NODE
                        ? xasprintf("node %s", peer->name)
                        : xasprintf("client %s (%s)", peer->name, peer->user ? peer->user : "");

        if (guest->known && peer->kind != PEER_SERVER && strcmp(caller->who, who) == 0)
            client_close(guest->client);
        free(who);
    }
}

/* --- the sockets --- */

static int listen_local(struct server *server, const char *path, struct err *err)
{
    server->local = listener_unix(server->loop, path, on_local, server, err);
    return server->local ? 0 : -1;
}

static int listen_secured(struct server *server, struct err *err)
{
    const struct config *config = daemon_config(server->daemon);
    bool all = !config->listen || strcmp(config->listen, "*") == 0;

    if (!config->listen)
        return 0;
    server->secured = listener_tcp(server->loop, all ? NULL : config->listen, (uint16_t)config->listen_port,
                                   on_secured, server, err);
    if (!server->secured)
        return -1;
    log_info(NULL, "listening on %s, port %u", all ? "all addresses" : config->listen, server_port(server));
    return 0;
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static void on_timer(uv_timer_t *timer)
{
    server_look_at_rights((const struct server *)timer);
}

void server_free(struct server *server)
{
    struct guest *guest, *next;

    if (!server)
        return;
    peers_unlisten(daemon_peers(server->daemon), &server->removed);
    DL_FOREACH_SAFE(server->guests, guest, next)
    client_close(guest->client);
    listener_free(server->local);
    listener_free(server->secured);
    uv_close((uv_handle_t *)&server->timer, timer_closed);
}

struct server *server_new(uv_loop_t *loop, struct daemon *daemon, struct err *err)
{
    struct server *server = xcalloc(1, sizeof(*server));

    server->loop = loop;
    server->daemon = daemon;
    server->limit = (struct log_limit)LOG_LIMIT_INIT(10, 60000);
    server->removed = (struct peers_listener){.removed = on_removed, .arg = server};
    peers_listen(daemon_peers(daemon), &server->removed);
    uv_timer_init(loop, &server->timer);
    uv_timer_start(&server->timer, on_timer, LOOK_MS, LOOK_MS);
    if (listen_local(server, daemon_config(daemon)->socket, err) == 0 && listen_secured(server, err) == 0)
        return server;
    server_free(server);
    return NULL;
}

void server_open_to_all(const struct server *server)
{
    const char *path = daemon_config(server->daemon)->socket;

    if (chmod(path, 0666) != 0)
        log_err(NULL, "socket %s cannot be opened to other users: %m", path);
}

void server_revoked(const struct server *server, const struct grant *grant)
{
    struct guest *guest, *next;

    DL_FOREACH_SAFE(server->guests, guest, next)
    {
        const struct caller *caller = client_caller(guest->client);
        const struct user *user = account_user(caller->account);

        if (caller->kind == CALLER_USER && user->role < ROLE_ADMINISTER && grant_is_for(grant, user))
            client_close(guest->client);
    }
}

void server_look_at_rights(const struct server *server)
{
    struct guest *guest;

    DL_FOREACH(server->guests, guest)
    if (client_is_up(guest->client) && client_caller(guest->client)->kind == CALLER_USER)
        channels_look(guest->client);
}

void server_check_nodes(const struct server *server)
{
    const struct config *config = daemon_config(server->daemon);
    struct guest *guest, *next;

    DL_FOREACH_SAFE(server->guests, guest, next)
    {
        const struct caller *caller = client_caller(guest->client);
        bool known = caller->kind != CALLER_NODE ||
                     peers_find(daemon_peers(server->daemon), PEER_NODE, caller->peer) != NULL;

        for (size_t i = 0; i < config->node_count && !known; i++)
            known = config->nodes[i].by_ca && strcmp(config->nodes[i].name, caller->peer) == 0;
        if (!known)
            client_close(guest->client);
    }
}

size_t server_clients(const struct server *server)
{
    return server->local_count + server->secured_count;
}

uint16_t server_port(const struct server *server)
{
    return server->secured ? listener_port(server->secured) : 0;
}

struct client *server_node(const struct server *server, const char *name)
{
    struct guest *guest;

    DL_FOREACH(server->guests, guest)
    {
        const struct caller *caller = client_caller(guest->client);

        if (guest->known && caller->kind == CALLER_NODE && strcmp(caller->peer, name) == 0)
            return guest->client;
    }
    return NULL;
}
