/* What the server has its nodes configured to: a file of consoles for each, sent whenever the node connects
 * and whenever the configuration is read again. For nodes.c. */
#ifndef AMTD_NODE_NODE_CONFIG_H
#define AMTD_NODE_NODE_CONFIG_H

#include "amtd/api/client.h"
#include "amtd/config.h"

struct node_config; /* of one node */

/* result is told in a later turn, each time something was sent: "" taken, else why not; borrowed. */
struct node_config *node_config_new(const char *node);
void node_config_free(struct node_config *config);
/* Sends the file (relative to the directory of base, a file) to the node. */
void node_config_send(struct node_config *config, struct client *client, const char *file, const char *base);
/* The connection is gone. */
void node_config_forget(struct node_config *config);
/* "", "sent", "taken", or why not. Borrowed. */
const char *node_config_state(const struct node_config *config);

#endif
