/* The consoles that this node has from its server, besides those of its own amtd.yaml (docs/nodes.md). */
#ifndef AMTD_PUSHED_H
#define AMTD_PUSHED_H

#include <stddef.h>

#include "amtd/config.h"
#include "amtd/console/hub.h"

/* Checks n bytes of YAML, keeps them in the state directory and gives the hub those consoles together with
 * the own ones, which go before others of their name. -1: every mistake is appended, and nothing is changed.
 */
int pushed_take(struct hub *hub, const char *state_dir, const struct config *own, const void *p, size_t n,
                struct buf *mistakes);
/* Gives the hub the own consoles and those that were taken before. */
void pushed_apply(struct hub *hub, const char *state_dir, const struct config *own);

#endif
