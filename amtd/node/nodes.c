#include "amtd/node/nodes.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "amtd/console/hub.h"
#include "amtd/console/proof.h"
#include "amtd/node/nodes_internal.h"
#include "amtd/node/peers.h"
#include "amtd/store/peers.h"
#include "base/log.h"
#include "base/xalloc.h"

#define LINE_MAX_BYTES (8 * 1024 * 1024) /* of a list of consoles */
#define CONSOLES_MAX   (CLIENT_CHANNELS_MAX - 64)

struct nodes {
    struct daemon *daemon;
    struct node *all;
    uv_timer_t *soon;
    struct config_node *settings; /* what the configuration says */
    size_t settings_count;
};

struct daemon *nodes_daemon(const struct nodes *nodes)
{
    return nodes->daemon;
}

static struct node *find(const struct nodes *nodes, const char *name)
{
    struct node *node;

    DL_FOREACH(nodes->all, node)
    if (strcmp(node->name, name) == 0)
        return node;
    return NULL;
}

struct node *node_of(struct nodes *nodes, const char *name)
{
    struct node *node = find(nodes, name);

    if (node)
        return node;
    node = xcalloc(1, sizeof(*node));
    node->nodes = nodes;
    node->name = xstrdup(name);
    node->line = buf_init(LINE_MAX_BYTES);
    node->config = node_config_new(name);
    DL_APPEND(nodes->all, node);
    return node;
}

/* --- which consoles there are --- */

static enum config_replicas replicas_of(const struct nodes *nodes, const char *name)
{
    for (size_t i = 0; i < nodes->settings_count; i++)
        if (strcmp(nodes->settings[i].name, name) == 0)
            return (enum config_replicas)nodes->settings[i].consoles;
    return REPLICAS_ALL;
}

/* Sends the node what it is to have, if the configuration says that. */
static void configure(const struct node *node)
{
    const struct nodes *nodes = node->nodes;

    for (size_t i = 0; node->client && i < nodes->settings_count; i++)
        if (strcmp(nodes->settings[i].name, node->name) == 0 && nodes->settings[i].configuration)
            node_config_send(node->config, node->client, nodes->settings[i].configuration,
                             daemon_config(nodes->daemon)->path);
}

static void copy_settings(struct nodes *nodes, const struct config *config)
{
    for (size_t i = 0; i < nodes->settings_count; i++) {
        free(nodes->settings[i].name);
        free(nodes->settings[i].configuration);
    }
    free(nodes->settings);
    nodes->settings = xcalloc(config->node_count + 1, sizeof(*nodes->settings));
    nodes->settings_count = config->node_count;
    for (size_t i = 0; i < config->node_count; i++) {
        nodes->settings[i] = config->nodes[i];
        nodes->settings[i].name = xstrdup(config->nodes[i].name);
        nodes->settings[i].configuration = xstrdup(config->nodes[i].configuration);
    }
}

const char *nodes_configuration(const struct nodes *nodes, const char *name)
{
    const struct node *node = find(nodes, name);

    return node ? node_config_state(node->config) : "";
}

static bool is_there(const struct node *node, const char *console)
{
    for (struct node_source *s = node->sources; s; s = node_source_next(s))
        if (node_source_is(s, console))
            return true;
    return false;
}

/* A console as it is called here, CONSOLE@NODE, unless the configuration calls it otherwise. */
static void add_console(struct node *node, const char *console)
{
    struct hub *hub = daemon_hub(node->nodes->daemon);
    struct console_settings settings;
    char *name = xasprintf("%s@%s", console, node->name);
    struct err err = ERR_INIT;

    if (!is_there(node, console) && !hub_find(hub, name)) {
        if (console_name_ok(name)) {
            console_settings_init(&settings);
            settings.name = xstrdup(name);
            settings.source.type = SOURCE_NODE;
            settings.source.host = xstrdup(node->name);
            settings.source.console = xstrdup(console);
            if (!hub_add(hub, &settings, &err))
                log_warn(name, "%s", err.text);
            console_settings_clear(&settings);
        } else {
            log_warn(node->name, "node: its console '%s' has too long a name for a replica", console);
        }
    }
    free(name);
}

/* names: an array of strings. */
static void add_consoles(struct node *node, const json_t *names)
{
    size_t i;
    json_t *name;

    if (replicas_of(node->nodes, node->name) == REPLICAS_ALL)
        json_array_foreach(names, i,
                           name) if (json_is_string(name) && console_name_ok(json_string_value(name)))
            add_console(node, json_string_value(name));
    for (struct node_source *s = node->sources, *next; s; s = next) {
        next = node_source_next(s);
        node_source_connect(s);
    }
}

struct saving {
    char *node, *consoles;
};

static int save_work(struct tx *tx, void *data, struct err *err)
{
    const struct saving *s = data;

    return tx_peer_consoles(tx, s->node, s->consoles, err);
}

static void save_done(void *data, const struct err *failure)
{
    struct saving *s = data;

    if (failure)
        log_warn(s->node, "node: its list of consoles is not written down: %s", failure->text);
    free(s->node);
    free(s->consoles);
    free(s);
}

/* They are there after a restart, too, also while the node is not. */
static void save(const struct node *node, const json_t *names)
{
    struct peers *peers = daemon_peers(node->nodes->daemon);
    const struct peer *peer = peers_find(peers, PEER_NODE, node->name);
    char *text = json_dumps(names, JSON_COMPACT);
    struct saving *s;

    if (peer && (!peer->consoles || strcmp(peer->consoles, text) != 0)) {
        peers_set_consoles(peers, node->name, text);
        s = xcalloc(1, sizeof(*s));
        s->node = xstrdup(node->name);
        s->consoles = xstrdup(text);
        store_submit_later(daemon_store(node->nodes->daemon), save_work, save_done, s);
    }
    free(text);
}

/* Consoles of this very amtd, which came back by way of others, are not replicated here. */
static void take_list(struct node *node, const char *line, size_t n)
{
    json_t *json = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL), *names = json_array(), *one;
    const char *own = node_key_id(hub_key(daemon_hub(node->nodes->daemon)));
    size_t i;

    if (!json_is_array(json_object_get(json, "consoles")))
        log_warn(node->name, "node: its list of consoles cannot be understood");
    json_array_foreach(json_object_get(json, "consoles"), i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        const char *key = json_string_value(json_object_get(one, "key"));

        if (name && key && strcmp(key, own) != 0 && i < CONSOLES_MAX)
            json_array_append_new(names, json_string(name));
    }
    if (json) {
        save(node, names);
        add_consoles(node, names);
    }
    json_decref(names);
    json_decref(json);
}

static void on_data(void *arg, const uint8_t *p, size_t n)
{
    struct node *node = arg;
    const uint8_t *end;

    client_consumed(node->client, node->listing, n);
    while (n > 0) {
        end = memchr(p, '\n', n);
        buf_add(&node->line, p, end ? (size_t)(end - p) : n);
        if (!end)
            return;
        if (buf_ok(&node->line))
            take_list(node, buf_str(&node->line), node->line.len);
        buf_reset(&node->line);
        n -= (size_t)(end + 1 - p);
        p = end + 1;
    }
}

static void on_ended(void *arg, const char *reason)
{
    struct node *node = arg;

    node->listing = 0;
    buf_free(&node->line);
    if (reason && reason[0])
        log_warn(node->name, "node: does not say which consoles it has: %s", reason);
}

void nodes_up(struct nodes *nodes, const char *name, struct client *client)
{
    struct node *node = node_of(nodes, name);
    const struct channel_events events = {.arg = node, .data = on_data, .ended = on_ended};

    node->client = client;
    node->listing = client_open_channel(client, "consoles", "", 0, &events);
    configure(node);
    for (struct node_source *s = node->sources, *next; s; s = next) {
        next = node_source_next(s);
        node_source_connect(s);
    }
}

void nodes_down(struct nodes *nodes, const char *name, const struct client *client)
{
    struct node *node = find(nodes, name);

    if (!node || node->client != client)
        return;
    log_warn(name, "node: not connected any more");
    node_config_forget(node->config);
    node->client = NULL;
}

size_t nodes_consoles(const struct nodes *nodes, const char *name)
{
    const struct node *node = find(nodes, name);
    size_t count = 0;

    for (const struct node_source *s = node ? node->sources : NULL; s; s = node_source_next(s))
        count++;
    return count;
}

/* --- for the hub --- */

static struct source *create(void *context, const struct source_settings *settings,
                             const struct source_events *events, struct err *err)
{
    struct nodes *nodes = context;

    if (!settings->host || !peer_name_ok(settings->host) || !settings->console) {
        err_set(err, CAUSE_INVALID_ARGUMENT, "a source of the type 'node' needs 'node' and 'console'");
        return NULL;
    }
    return node_source_base(node_source_new(nodes, settings, events));
}

struct source_kind nodes_source_kind(struct nodes *nodes)
{
    return (struct source_kind){.type = SOURCE_NODE, .create = create, .context = nodes};
}

static void on_soon(uv_timer_t *timer)
{
    struct nodes *nodes = timer->data;
    struct node *node, *after;

    DL_FOREACH_SAFE(nodes->all, node, after)
    {
        for (struct node_source *s = node->sources, *next; s; s = next) {
            next = node_source_next(s);
            node_source_tell(s);
        }
    }
}

void nodes_soon(struct nodes *nodes)
{
    if (!uv_is_active((uv_handle_t *)nodes->soon))
        uv_timer_start(nodes->soon, on_soon, 0, 0);
}

/* --- beginning and end --- */

struct nodes *nodes_new(struct daemon *daemon)
{
    struct nodes *nodes = xcalloc(1, sizeof(*nodes));

    nodes->daemon = daemon;
    nodes->soon = xcalloc(1, sizeof(*nodes->soon));
    uv_timer_init(streams_loop(daemon_streams(daemon)), nodes->soon);
    nodes->soon->data = nodes;
    copy_settings(nodes, daemon_config(daemon));
    return nodes;
}

/* A node that is known by its certificate is not in the store; its replicas are on the disk. */
static void add_replicas(struct node *node)
{
    char *path = xasprintf("%s/consoles", daemon_config(node->nodes->daemon)->state_dir);
    DIR *dir = opendir(path);
    const struct dirent *entry;
    json_t *names = json_array();

    while (dir && (entry = readdir(dir))) {
        const char *at = strrchr(entry->d_name, '@');
        char *log = xasprintf("%s/%s", path, entry->d_name);
        struct origin origin;

        if (at && strcmp(at + 1, node->name) == 0 && origin_of(log, entry->d_name, NULL, &origin, NULL) != 0)
            json_array_append_new(names, json_stringn(entry->d_name, (size_t)(at - entry->d_name)));
        free(log);
    }
    if (dir)
        closedir(dir);
    add_consoles(node, names);
    json_decref(names);
    free(path);
}

/* Those that are known by their certificate. */
static void start_by_ca(struct nodes *nodes)
{
    for (size_t i = 0; i < nodes->settings_count; i++)
        if (nodes->settings[i].by_ca)
            add_replicas(node_of(nodes, nodes->settings[i].name));
}

void nodes_start(struct nodes *nodes)
{
    size_t count;
    const struct peer *all = peers_all(daemon_peers(nodes->daemon), &count);

    for (size_t i = 0; i < count; i++) {
        json_t *names =
            all[i].kind == PEER_NODE && all[i].consoles ? json_loads(all[i].consoles, 0, NULL) : NULL;

        if (names)
            add_consoles(node_of(nodes, all[i].name), names);
        json_decref(names);
    }
    start_by_ca(nodes);
}

void nodes_reconfigure(struct nodes *nodes, const struct config *config)
{
    struct node *node;

    copy_settings(nodes, config);
    start_by_ca(nodes);
    DL_FOREACH(nodes->all, node)
    configure(node);
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle);
}

void nodes_free(struct nodes *nodes)
{
    struct node *node, *next;

    if (!nodes)
        return;
    DL_FOREACH_SAFE(nodes->all, node, next)
    {
        buf_free(&node->line);
        node_config_free(node->config);
        free(node->name);
        free(node);
    }
    uv_close((uv_handle_t *)nodes->soon, timer_closed);
    copy_settings(nodes, &(const struct config){0});
    free(nodes->settings);
    free(nodes);
}
