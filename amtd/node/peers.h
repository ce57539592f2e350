/* Those who may connect to this amtd on TLS, and those it connects to: the identity of this end, and every
 * peer that is known, in memory. What changes is written by the calls that change it, and told here. Loop's
 * thread only. */
#ifndef AMTD_NODE_PEERS_H
#define AMTD_NODE_PEERS_H

#include <stdbool.h>
#include <stddef.h>

#include "amtd/peer/identity.h"
#include "amtd/store/peers.h"

struct peers;

/* Takes the identity and the array. */
struct peers *peers_new(struct identity *identity, struct peer *list, size_t count);
void peers_free(struct peers *peers); /* NULL is fine */

const struct identity *peers_identity(const struct peers *peers);
/* For connections from now on. Takes it. */
void peers_set_identity(struct peers *peers, struct identity *identity);
/* Borrowed until the next change. NULL: there is none. */
const struct peer *peers_find(const struct peers *peers, enum peer_kind kind, const char *name);
/* Among servers, or among those who connect here. */
const struct peer *peers_by_pin(const struct peers *peers, const uint8_t pin[PEER_PIN], bool servers);
/* Every one, sorted by kind and name. */
const struct peer *peers_all(const struct peers *peers, size_t *count);

/* What the store has now. put: a new one, or one that changed. Copied. */
void peers_put(struct peers *peers, const struct peer *peer);
void peers_remove(struct peers *peers, enum peer_kind kind, const char *name);
void peers_set_consoles(struct peers *peers, const char *node, const char *consoles);

/* Hears of every put and remove, before (removed) or after (put) it is done. The struct is the caller's. */
struct peers_listener {
    void (*put)(void *arg, const struct peer *peer);
    void (*removed)(void *arg, const struct peer *peer);
    void *arg;
    struct peers_listener *prev, *next;
};
void peers_listen(struct peers *peers, struct peers_listener *listener);
void peers_unlisten(struct peers *peers, struct peers_listener *listener);

#endif
