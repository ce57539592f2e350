/* Peers: nodes, clients and servers that this amtd came to know by a token, and tokens that are still good.
 * All tx functions run on the store's thread and return 0, or -1 with err. */
#ifndef AMTD_STORE_PEERS_H
#define AMTD_STORE_PEERS_H

#include "amtd/peer/token.h"
#include "amtd/store/store.h"

struct peer {
    enum peer_kind kind;
    char *name; /* unique among its kind */
    uint8_t pin[PEER_PIN];
    char *user;      /* client: who that is; else NULL */
    int role;        /* client: enum api_role */
    char *host;      /* server: where it is; else NULL */
    uint16_t port;   /* server */
    bool configures; /* server: this node takes its consoles' configuration from it */
    char *consoles;  /* node: a JSON array of the consoles that it had last, or NULL */
    int64_t added_ms;
};
void peer_clear(struct peer *peer);
void peer_copy(struct peer *to, const struct peer *from);

struct invite {
    uint8_t id[TOKEN_ID];
    struct secret *secret; /* sealed at rest */
    struct peer peer;      /* what whoever joins with it will be; no pin yet */
    int64_t expires_ms;
};
void invite_clear(struct invite *invite);

int tx_peers(struct tx *tx, struct peer **out, size_t *count, struct err *err);
/* exists: the name, or the key under another name, is there. replace: the one of that name is changed. */
int tx_peer_put(struct tx *tx, const struct peer *peer, bool replace, struct err *err);
int tx_peer_remove(struct tx *tx, enum peer_kind kind, const char *name, struct err *err); /* not-found */
int tx_peer_consoles(struct tx *tx, const char *node, const char *consoles, struct err *err);
/* Replaces what was given out for the same kind and name, and drops what has expired. */
int tx_invite_add(struct tx *tx, const struct invite *invite, int64_t now_ms, struct err *err);
/* not-found: there is none, or it has expired. It can still be used. */
int tx_invite_get(struct tx *tx, const uint8_t id[TOKEN_ID], int64_t now_ms, struct invite *out,
                  struct err *err);
/* In the same transaction as what it was good for. */
int tx_invite_remove(struct tx *tx, const uint8_t id[TOKEN_ID], struct err *err);

#endif
