/* Connections of this node to the servers that it joined, or that the configuration names: one each, made
 * again whenever it ends. The servers open channels on them (docs/mux.md). Loop's thread only. */
#ifndef AMTD_NODE_UPLINKS_H
#define AMTD_NODE_UPLINKS_H

#include <stdbool.h>

#include "amtd/daemon.h"

struct uplinks;

struct uplinks *uplinks_new(struct daemon *daemon);
/* The configuration was read again: the servers that it names now. Connections to those that it named before
 * stay. */
void uplinks_configure(struct uplinks *uplinks, const struct config *config);
/* Ends them all; frees later, from the loop. NULL is fine. */
void uplinks_free(struct uplinks *uplinks);
/* How the connection to that server is: *why is "" or the last failure, borrowed. False: not connected. */
bool uplinks_connected(const struct uplinks *uplinks, const char *server, const char **why);
/* Does this node take its consoles' configuration from that server? */
bool uplinks_configures(const struct uplinks *uplinks, const char *server);

#endif
