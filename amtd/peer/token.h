/* Tokens: what an administrator carries from a server to a node or client that is to join it (docs/mux.md,
 * "Joining"). One line of text with the server's address and pin, and a secret that works once. Any thread.
 */
#ifndef AMTD_PEER_TOKEN_H
#define AMTD_PEER_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "amtd/peer/identity.h"
#include "base/buf.h"
#include "base/err.h"

#define TOKEN_ID     8
#define TOKEN_SECRET 20
#define TOKEN_PROOF  32

enum peer_kind { PEER_NODE, PEER_CLIENT, PEER_SERVER, PEER_KINDS };
const char *peer_kind_name(enum peer_kind kind); /* "node", "client", "server" */

struct token {
    enum peer_kind kind; /* what whoever joins will be: node or client */
    int64_t expires_ms;  /* wall clock */
    uint8_t pin[PEER_PIN];
    uint8_t id[TOKEN_ID];
    uint8_t secret[TOKEN_SECRET];
    char host[256];
    uint16_t port;
};

/* id and secret at random. -1 and err (system). */
int token_init(struct token *token, struct err *err);
/* Appends it as text: "amtd1-" and base64url. */
void token_write(struct buf *out, const struct token *token);
/* The reverse; blanks around it are passed over. -1 and err (invalid-argument). */
int token_read(struct token *token, const char *text, struct err *err);
void token_wipe(struct token *token);
/* What proves to the server that the other end of this connection has the secret: HMAC-SHA-256 with it over
 * both pins, so that it is of no use on another connection. */
void token_proof(const uint8_t secret[TOKEN_SECRET], const uint8_t server[PEER_PIN],
                 const uint8_t joiner[PEER_PIN], uint8_t proof[TOKEN_PROOF]);

#endif
