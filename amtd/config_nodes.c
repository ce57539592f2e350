/* What the configuration says of other amtds (docs/amtd.yaml.5). */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtd/config.h"
#include "amtd/config_reader.h"
#include "amtd/peer/identity.h"
#include "base/xalloc.h"

static const char *const replicas[] = {"all", "listed", NULL};

char *config_own_name(void)
{
    char name[PEER_NAME_MAX + 1] = "";

    if (gethostname(name, sizeof(name) - 1) != 0 || !peer_name_ok(name))
        return xstrdup("amtd");
    return xstrdup(name);
}

static void check_name(struct config_reader *r, const yaml_node_t *node, const char *name)
{
    if (!name || !peer_name_ok(name))
        config_complain(
            r, node, "expected a name: letters, digits and - _ . , at most %d, the first a letter or digit",
            PEER_NAME_MAX);
}

void config_read_name(struct config_reader *r, const yaml_node_t *node, void *base)
{
    check_name(r, node, config_scalar(node));
    xreplace(base, config_scalar(node));
}

static bool read_address(const char *text, char **host, uint16_t *port)
{
    char *other;
    bool ok;

    if (!text || text[0] != '*')
        return text && peer_address_read(text, host, port);
    other = xasprintf("0%s", text + 1); /* "*" is no name of a host */
    ok = peer_address_read(other, host, port);
    free(other);
    if (ok)
        xreplace(host, "*");
    return ok;
}

void config_read_listen(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct config *config = base;
    uint16_t port;
    char *host;

    if (!read_address(config_scalar(node), &host, &port)) {
        config_complain(r, node, "'listen': expected an address such as \"*\", 192.0.2.1 or \"[::1]:%d\"",
                        PEER_PORT);
        return;
    }
    free(config->listen);
    config->listen = host;
    config->listen_port = port;
}

static const struct option tls_options[] = {
    {"certificate", OPTION_TEXT, offsetof(struct config, tls_certificate)},
    {"key", OPTION_TEXT, offsetof(struct config, tls_key)},
    {"ca", OPTION_TEXT, offsetof(struct config, tls_ca)},
};

void config_read_tls(struct config_reader *r, const yaml_node_t *node, void *base)
{
    const struct config *config = base;

    config_read_map(r, node, tls_options, sizeof(tls_options) / sizeof(tls_options[0]), base, 0);
    if (!config->tls_certificate || !config->tls_key || !config->tls_ca)
        config_complain(r, node, "'tls': expected 'certificate', 'key' and 'ca'");
}

static const struct option node_options[] = {
    {"name", OPTION_OTHER, offsetof(struct config_node, name), .read = config_read_name},
    {"consoles", OPTION_CHOICE, offsetof(struct config_node, consoles), .choices = replicas},
    {"configuration", OPTION_TEXT, offsetof(struct config_node, configuration)},
    {"certificate", OPTION_BOOLEAN, offsetof(struct config_node, by_ca)},
};

void config_read_nodes(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct config *config = base;

    if (node->type != YAML_SEQUENCE_NODE) {
        config_complain(r, node,
                        "'nodes': expected a list such as - { name: rack7, configuration: rack7.yaml }");
        return;
    }
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(r->doc, *i);
        struct config_node *one;

        config->nodes = xreallocarray(config->nodes, config->node_count + 1, sizeof(*one));
        one = &config->nodes[config->node_count++];
        memset(one, 0, sizeof(*one));
        config_read_map(r, item, node_options, sizeof(node_options) / sizeof(node_options[0]), one, 0);
        if (!one->name)
            config_complain(r, item, "a node needs a 'name'");
        for (size_t k = 0; one->name && k + 1 < config->node_count; k++)
            if (config->nodes[k].name && strcmp(config->nodes[k].name, one->name) == 0)
                config_complain(r, item, "there is a node '%s' already", one->name);
    }
}

static void read_host(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct config_server *server = base;

    free(server->host);
    server->host = NULL;
    if (!config_scalar(node) || !peer_address_read(config_scalar(node), &server->host, &server->port))
        config_complain(r, node, "'address': expected HOST or HOST:PORT");
}

static const struct option server_options[] = {
    {"address", OPTION_OTHER, 0, .read = read_host},
    {"configures", OPTION_BOOLEAN, offsetof(struct config_server, configures)},
};

void config_read_servers(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct config *config = base;

    if (node->type != YAML_SEQUENCE_NODE) {
        config_complain(r, node, "'servers': expected a list such as - { address: amtd.example.com }");
        return;
    }
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(r->doc, *i);
        struct config_server *one;

        config->servers = xreallocarray(config->servers, config->server_count + 1, sizeof(*one));
        one = &config->servers[config->server_count++];
        memset(one, 0, sizeof(*one));
        config_read_map(r, item, server_options, sizeof(server_options) / sizeof(server_options[0]), one, 0);
        if (!one->host)
            config_complain(r, item, "a server needs an 'address'");
    }
}

void config_exchange_peers(struct config *a, struct config *b)
{
    struct config c = *a;

    a->tls_certificate = b->tls_certificate;
    a->tls_key = b->tls_key;
    a->tls_ca = b->tls_ca;
    a->nodes = b->nodes;
    a->node_count = b->node_count;
    a->servers = b->servers;
    a->server_count = b->server_count;
    b->tls_certificate = c.tls_certificate;
    b->tls_key = c.tls_key;
    b->tls_ca = c.tls_ca;
    b->nodes = c.nodes;
    b->node_count = c.node_count;
    b->servers = c.servers;
    b->server_count = c.server_count;
}

void config_absolute(const struct config *config, char **path)
{
    char *cwd, *whole;

    if (!*path || (*path)[0] == '/')
        return;
    cwd = config->cwd ? xstrdup(config->cwd) : getcwd(NULL, 0);
    whole = xasprintf("%s/%s", cwd ? cwd : "", *path);
    free(cwd);
    free(*path);
    *path = whole;
}

void config_nodes_clear(struct config *config)
{
    for (size_t i = 0; i < config->node_count; i++) {
        free(config->nodes[i].name);
        free(config->nodes[i].configuration);
    }
    for (size_t i = 0; i < config->server_count; i++)
        free(config->servers[i].host);
    free(config->nodes);
    free(config->servers);
    free(config->name);
    free(config->listen);
    free(config->address);
    free(config->tls_certificate);
    free(config->tls_key);
    free(config->tls_ca);
}
