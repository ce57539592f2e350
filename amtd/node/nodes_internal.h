/* What nodes.c and node_source.c know of each other. */
#ifndef AMTD_NODE_NODES_INTERNAL_H
#define AMTD_NODE_NODES_INTERNAL_H

#include "amtd/node/node_config.h"
#include "amtd/node/nodes.h"

struct node_source;

struct node {
    struct nodes *nodes;
    char *name;
    struct client *client; /* NULL: not connected */
    uint32_t listing;      /* the channel on which it says which consoles it has */
    struct buf line;
    struct node_source *sources;
    struct node_config *config;
    struct node *prev, *next;
};

/* nodes.c: the node of that name, made when it is not known yet. */
struct node *node_of(struct nodes *nodes, const char *name);
struct daemon *nodes_daemon(const struct nodes *nodes);
/* Told in a later turn of the loop (node_source_tell). */
void nodes_soon(struct nodes *nodes);

/* node_source.c */
struct node_source *node_source_new(struct nodes *nodes, const struct source_settings *settings,
                                    const struct source_events *events);
struct source *node_source_base(struct node_source *source);
struct node_source *node_source_next(const struct node_source *source);
bool node_source_is(const struct node_source *source, const char *console);
/* The node is connected, or has another list of consoles: those that have no channel get one. */
void node_source_connect(struct node_source *source);
/* What is due in a later turn. */
void node_source_tell(struct node_source *source);

#endif
