/* Servers on other machines that this user has joined: ~/.config/amtd (docs/nodes.md). */
#ifndef AMTCLI_REMOTES_H
#define AMTCLI_REMOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "amtd/peer/identity.h"
#include "base/err.h"

struct remote {
    char *name; /* of the server; NULL: only its address is known */
    char *host;
    uint16_t port;
    uint8_t pin[PEER_PIN];
    bool by_ca; /* believed for a certificate with that host's name, instead of the pin */
};
void remote_clear(struct remote *remote);

/* The server that is meant: that of the name or address, or (server NULL) the default one, unless the
 * environment names a socket. 1 and *remote, 0: amtd on this machine, -1 and err (not-found, ...). */
int remotes_choose(const char *server, struct remote *remote, struct err *err);
/* Remembers a server that was joined, instead of an older one of that name. */
int remotes_add(const struct remote *remote, bool is_default, struct err *err);

/* This user's own key and certificate, made when they are missing. NULL and err. */
struct identity *remotes_own_identity(struct err *err);
/* Those for that server: the own ones, or those from the CA. NULL and err. */
struct identity *remotes_identity(const struct remote *remote, struct err *err);

#endif
