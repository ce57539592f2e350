/* node.*, client.*, server.*: who is known, tokens, joining. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/server.h"
#include "amtd/daemon.h"
#include "amtd/node/join.h"
#include "amtd/node/nodes.h"
#include "amtd/node/peers.h"
#include "amtd/node/uplinks.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"

#define VALID_MS     ((int64_t)3600 * 1000)
#define VALID_MS_MAX ((int64_t)30 * 24 * 3600 * 1000)

/* --- tokens --- */

struct inviting {
    struct api_request *rq;
    struct invite invite;
    struct token token;
    bool replace;
};

static void inviting_free(struct inviting *i)
{
    invite_clear(&i->invite);
    token_wipe(&i->token);
    free(i);
}

static int invite_work(struct tx *tx, void *data, struct err *err)
{
    struct inviting *i = data;

    return tx_invite_add(tx, &i->invite, clock_wall(clock_system()), err);
}

static void invite_done(void *data, const struct err *failure)
{
    struct inviting *i = data;
    struct buf text = buf_init_secret(2048);

    if (failure) {
        api_fail(i->rq, failure);
    } else {
        token_write(&text, &i->token);
        api_reply(i->rq, json_pack("{s:s, s:s, s:s, s:o}", "name", i->invite.peer.name, "kind",
                                   peer_kind_name(i->invite.peer.kind), "token", buf_str(&text), "expires",
                                   json_time(i->invite.expires_ms)));
    }
    buf_free(&text);
    inviting_free(i);
}

/* Where those who join reach this amtd: as asked for, as configured, or by the machine's name. */
static int read_address(struct inviting *i, struct err *err)
{
    const struct config *config = daemon_config(api_daemon(i->rq));
    uint16_t port = server_port(daemon_server(api_daemon(i->rq)));
    const char *text = param_text(api_params(i->rq), "address");
    char *host = NULL, *own = NULL;
    int status = 0;

    if (port == 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "this amtd does not listen for others: set 'listen' in amtd.yaml");
    if (!text)
        text = config->address;
    if (!text && config->listen && strcmp(config->listen, "*") != 0)
        text = config->listen; /* an address of this machine alone */
    if (!text)
        text = own = config_own_name();
    i->token.port = PEER_PORT;
    if (!peer_address_read(text, &host, &i->token.port) || strlen(host) >= sizeof(i->token.host))
        status = err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is no address: expected HOST or HOST:PORT", text);
    else
        memcpy(i->token.host, host, strlen(host) + 1);
    if (i->token.port == PEER_PORT && port != PEER_PORT && host && !strstr(text, ":8689"))
        i->token.port = port;
    free(host);
    free(own);
    return status;
}

static int read_role(const json_t *params, int *role, struct err *err)
{
    static const char *const roles[] = {"watch", "operate", "quarantine", "administer"};
    const char *text = param_text(params, "role");

    *role = ROLE_WATCH;
    for (int i = 0; text && i < 4; i++) {
        if (strcmp(text, roles[i]) == 0) {
            *role = i;
            return 0;
        }
    }
    return text ? err_set(err, CAUSE_INVALID_ARGUMENT,
                          "'role' must be watch, operate, quarantine or administer")
                : 0;
}

static int read_invite(struct inviting *i, enum peer_kind kind, struct err *err)
{
    const json_t *params = api_params(i->rq);
    const char *name = param_text(params, "name"), *user = param_text(params, "user");
    const json_t *valid = json_object_get(params, "valid_ms");
    int64_t valid_ms = valid ? json_integer_value(valid) : VALID_MS;
    const struct peers *peers = daemon_peers(api_daemon(i->rq));

    if (!peer_name_ok(name) || (user && !peer_name_ok(user)))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is no name for a %s",
                       peer_name_ok(name) ? user : name, peer_kind_name(kind));
    if (valid_ms < 1000 || valid_ms > VALID_MS_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'valid_ms' must be from one second to thirty days");
    if (peers_find(peers, kind, name) && !json_is_true(json_object_get(params, "replace")))
        return err_set(err, CAUSE_EXISTS, "there is a %s '%s' already", peer_kind_name(kind), name);
    if (token_init(&i->token, err) != 0 || read_address(i, err) != 0 ||
        read_role(params, &i->invite.peer.role, err) != 0)
        return -1;
    i->token.kind = i->invite.peer.kind = kind;
    i->token.expires_ms = i->invite.expires_ms = clock_wall(clock_system()) + valid_ms;
    memcpy(i->token.pin, identity_pin(peers_identity(peers)), PEER_PIN);
    memcpy(i->invite.id, i->token.id, TOKEN_ID);
    i->invite.secret = secret_new(i->token.secret, TOKEN_SECRET);
    i->invite.peer.name = xstrdup(name);
    i->invite.peer.user = kind == PEER_CLIENT ? xstrdup(user ? user : name) : NULL;
    return 0;
}

static void invite(struct api_request *rq, enum peer_kind kind)
{
    struct inviting *i = xcalloc(1, sizeof(*i));
    struct err err = ERR_INIT;

    i->rq = rq;
    if (read_invite(i, kind, &err) == 0) {
        store_submit(daemon_store(api_daemon(rq)), invite_work, invite_done, i);
        return;
    }
    api_fail(rq, &err);
    inviting_free(i);
}

void call_node_invite(struct api_request *rq)
{
    invite(rq, PEER_NODE);
}

void call_client_invite(struct api_request *rq)
{
    invite(rq, PEER_CLIENT);
}

/* --- what is known --- */

static json_t *peer_json(struct daemon *daemon, const struct peer *peer)
{
    static const char *const roles[] = {"watch", "operate", "quarantine", "administer"};
    struct buf pin = buf_init(2 * PEER_PIN);
    const struct client *client = NULL;
    const char *why;
    json_t *json;

    if (peer->added_ms > 0) /* else known by a certificate, with any key */
        text_hex(&pin, peer->pin, PEER_PIN, false);
    json = json_pack("{s:s, s:s, s:o}", "name", peer->name, "pin", buf_str(&pin), "added",
                     json_time(peer->added_ms));
    buf_free(&pin);
    if (peer->kind == PEER_NODE) {
        client = server_node(daemon_server(daemon), peer->name);
        json_object_set_new(json, "connected", json_boolean(client));
        json_object_set_new(json, "consoles",
                            json_integer((json_int_t)nodes_consoles(daemon_nodes(daemon), peer->name)));
        json_object_set_new(json, "configuration",
                            json_string(nodes_configuration(daemon_nodes(daemon), peer->name)));
        json_object_set_new(json, "from", json_string(client ? client_caller(client)->from : ""));
    } else if (peer->kind == PEER_CLIENT) {
        json_object_set_new(json, "user", json_string(peer->user));
        json_object_set_new(json, "role", json_string(roles[peer->role & 3]));
    } else {
        json_object_set_new(json, "address", json_string(peer->host));
        json_object_set_new(json, "port", json_integer(peer->port));
        json_object_set_new(json, "configures", json_boolean(peer->configures));
        json_object_set_new(json, "connected",
                            json_boolean(uplinks_connected(daemon_uplinks(daemon), peer->name, &why)));
        json_object_set_new(json, "reason", json_string(why));
    }
    return json;
}

/* Those that the configuration names and whose certificate is believed. False: there is no i-th. name is
 * borrowed from it. */
static bool configured(const struct config *config, enum peer_kind kind, size_t i, struct peer *peer)
{
    *peer = (struct peer){.kind = kind};
    if (kind == PEER_NODE && i < config->node_count) {
        peer->name = config->nodes[i].by_ca ? config->nodes[i].name : NULL;
        return true;
    }
    if (kind == PEER_SERVER && i < config->server_count) {
        peer->name = peer->host = config->servers[i].host;
        peer->port = config->servers[i].port;
        peer->configures = config->servers[i].configures;
        return true;
    }
    return false;
}

static void list(struct api_request *rq, enum peer_kind kind)
{
    struct daemon *daemon = api_daemon(rq);
    size_t count;
    const struct peer *all = peers_all(daemon_peers(daemon), &count);
    json_t *json = json_array();
    struct peer one;

    for (size_t i = 0; i < count; i++)
        if (all[i].kind == kind)
            json_array_append_new(json, peer_json(daemon, &all[i]));
    for (size_t i = 0; configured(daemon_config(daemon), kind, i, &one); i++)
        if (one.name && !peers_find(daemon_peers(daemon), kind, one.name))
            json_array_append_new(json, peer_json(daemon, &one));
    api_reply(rq, json);
}

void call_node_list(struct api_request *rq)
{
    list(rq, PEER_NODE);
}

void call_client_list(struct api_request *rq)
{
    list(rq, PEER_CLIENT);
}

void call_server_list(struct api_request *rq)
{
    list(rq, PEER_SERVER);
}

void call_node_show(struct api_request *rq)
{
    const char *name = param_text(api_params(rq), "name");
    const struct peer *peer = peers_find(daemon_peers(api_daemon(rq)), PEER_NODE, name);
    struct err err = ERR_INIT;
    struct peer one;

    for (size_t i = 0; !peer && configured(daemon_config(api_daemon(rq)), PEER_NODE, i, &one); i++)
        if (one.name && strcmp(one.name, name) == 0)
            peer = &one;
    if (peer) {
        api_reply(rq, peer_json(api_daemon(rq), peer));
        return;
    }
    err_set(&err, CAUSE_NOT_FOUND, "there is no node '%s'", name);
    api_fail(rq, &err);
}

/* --- removing --- */

struct removing {
    struct api_request *rq;
    enum peer_kind kind;
    char *name;
};

static int remove_work(struct tx *tx, void *data, struct err *err)
{
    const struct removing *r = data;

    return tx_peer_remove(tx, r->kind, r->name, err);
}

static void remove_done(void *data, const struct err *failure)
{
    struct removing *r = data;

    if (failure) {
        api_fail(r->rq, failure);
    } else {
        peers_remove(daemon_peers(api_daemon(r->rq)), r->kind, r->name);
        api_reply(r->rq, json_object());
    }
    free(r->name);
    free(r);
}

static void start_remove(struct api_request *rq, enum peer_kind kind)
{
    struct removing *r = xcalloc(1, sizeof(*r));

    r->rq = rq;
    r->kind = kind;
    r->name = xstrdup(param_text(api_params(rq), "name"));
    store_submit(daemon_store(api_daemon(rq)), remove_work, remove_done, r);
}

void call_node_remove(struct api_request *rq)
{
    start_remove(rq, PEER_NODE);
}

void call_client_remove(struct api_request *rq)
{
    start_remove(rq, PEER_CLIENT);
}

void call_server_remove(struct api_request *rq)
{
    start_remove(rq, PEER_SERVER);
}

/* --- joining --- */

static void joined(void *arg, const struct peer *server, const struct err *failure)
{
    struct api_request *rq = arg;

    if (failure)
        api_fail(rq, failure);
    else
        api_reply(rq, peer_json(api_daemon(rq), server));
}

/* The first server configures this node, unless it is told otherwise, or has consoles of its own. */
static bool is_to_configure(const struct api_request *rq)
{
    const json_t *said = json_object_get(api_params(rq), "configuration");
    size_t count;
    const struct peer *all = peers_all(daemon_peers(api_daemon(rq)), &count);

    for (size_t i = 0; i < count; i++)
        if (all[i].kind == PEER_SERVER && all[i].configures && !said)
            return false;
    return said ? json_is_true(said) : daemon_config(api_daemon(rq))->console_count == 0;
}

void call_node_join(struct api_request *rq)
{
    join_server(api_daemon(rq), param_text(api_params(rq), "token"), is_to_configure(rq), joined, rq);
}
