/* Joining a server with a token: this end connects to the server that the token names, makes sure that it is
 * that one, shows that it has the token's secret, and learns under which name it is known there
 * (docs/mux.md). */
#ifndef AMTD_NODE_JOIN_H
#define AMTD_NODE_JOIN_H

#include "amtd/daemon.h"
#include "amtd/store/peers.h"
#include "base/err.h"

#define JOIN_MS 20000 /* for all of it */

/* server: as it is known from now on (store and peers have it already); NULL: failure says why not (the
 * token's mistakes, causes of stream.h, peer-unknown, denied, exists, store-failed, timeout). */
typedef void join_done(void *arg, const struct peer *server, const struct err *failure);

/* configures: the consoles' configuration is taken from it. done is called once, perhaps from inside. */
void join_server(struct daemon *daemon, const char *token, bool configures, join_done *done, void *arg);

#endif
