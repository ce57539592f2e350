/* The API on a UNIX socket: clients, their connections and their calls. */
#ifndef AMTD_API_SERVER_H
#define AMTD_API_SERVER_H

#include <uv.h>

#include "amtd/daemon.h"

struct server;

#define SERVER_CLIENTS_MAX 512
#define SERVER_CALLS_MAX   64 /* under way in one connection */

/* Listens on daemon_config's socket path. A socket that a dead amtd left behind is replaced. NULL and err. */
struct server *server_new(uv_loop_t *loop, struct daemon *daemon, struct err *err);
/* Clients connected now. */
size_t server_clients(const struct server *server);
/* Stops listening and hangs up; calls under way are told that their caller is gone. Frees later, from the
 * loop. */
void server_free(struct server *server);

#endif
