/* The API on a UNIX socket, and on TLS for other machines: who connects, and what they are. */
#ifndef AMTD_API_SERVER_H
#define AMTD_API_SERVER_H

#include <uv.h>

#include "amtd/api/client.h"
#include "amtd/daemon.h"
#include "amtd/store/rights.h"

struct server;

#define SERVER_CLIENTS_MAX  512 /* on the UNIX socket; and as many on TLS */
#define SERVER_CLIENTS_KEPT 64  /* of these on the UNIX socket for root, and the account that amtd runs as */
#define SERVER_CLIENTS_ONE                                                                                   \
    128 /* of one other account there: whoever may do nothing must not keep others out */
#define SERVER_STRANGERS_MAX 64 /* of these on TLS who have not shown yet who they are */
#define SERVER_STRANGERS_ONE 16 /* of these from one address */

/* Listens on daemon_config's socket path, and where it says for TLS. A socket that a dead amtd left behind is
 * replaced. NULL and err. */
struct server *server_new(uv_loop_t *loop, struct daemon *daemon, struct err *err);
/* Others than root and the user that amtd runs as may connect. What they may do is told by their
 * credentials. */
void server_open_to_all(const struct server *server);
/* A grant was taken away: whoever it was for is disconnected, so that what he may is looked at anew also for
 * what he has open. */
void server_revoked(const struct server *server, const struct grant *grant);
/* Hosts or collections may be others now: whoever has a console open on which he may do less than before is
 * disconnected, too. Done by itself every 30 s as well, because machines' facts move them between
 * collections. */
void server_look_at_rights(const struct server *server);
/* Clients connected now. */
/* Ends the connections of nodes that are known neither by a token nor by the configuration any more. */
void server_check_nodes(const struct server *server);
size_t server_clients(const struct server *server);
/* The connection of a node of that name. NULL: it is not connected. */
struct client *server_node(const struct server *server, const char *name);
/* Where others reach this amtd on TLS: the port; 0: it does not listen. */
uint16_t server_port(const struct server *server);
/* Stops listening and hangs up; calls under way are told that their caller is gone. Frees later, from the
 * loop. */
void server_free(struct server *server);

#endif
