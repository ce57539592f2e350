/* The nodes of this server: what they are connected by, which consoles they have, and the kind of source
 * `node`, whose consoles are replicas of theirs (docs/nodes.md). Loop's thread only. */
#ifndef AMTD_NODE_NODES_H
#define AMTD_NODE_NODES_H

#include "amtd/api/client.h"
#include "amtd/console/source.h"
#include "amtd/daemon.h"

struct nodes;

struct nodes *nodes_new(struct daemon *daemon);
/* The hub is there: adds the consoles that nodes had last, connected or not. */
void nodes_start(struct nodes *nodes);
/* After the hub and the server. NULL is fine. */
void nodes_free(struct nodes *nodes);

/* For the hub; before its first console. */
struct source_kind nodes_source_kind(struct nodes *nodes);

/* A node connected, or its connection ended. */
void nodes_up(struct nodes *nodes, const char *name, struct client *client);
void nodes_down(struct nodes *nodes, const char *name, const struct client *client);
/* The configuration was read again: which consoles there are to be, and what nodes are to have. */
void nodes_reconfigure(struct nodes *nodes, const struct config *config);

/* What became of the node's configuration: "", "sent", "taken", or why not. Borrowed. */
const char *nodes_configuration(const struct nodes *nodes, const char *name);
/* How many consoles of that node are replicated. */
size_t nodes_consoles(const struct nodes *nodes, const char *name);

#endif
