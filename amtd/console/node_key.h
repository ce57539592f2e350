/* The key of this node: Ed25519 (RFC 8032), with which it signs what it has logged. Private key in
 * STATE_DIR/node.key (PEM, mode 0600), public key in STATE_DIR/node.pub (PEM), made together when missing.
 * Immutable once open, so any thread may use it. */
#ifndef AMTD_CONSOLE_NODE_KEY_H
#define AMTD_CONSOLE_NODE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define NODE_SIGNATURE_LEN 64
#define NODE_ID_LEN        16 /* hex digits: the beginning of the SHA-256 of the public key */

struct node_key;

/* Opens the pair in that directory; makes it when `create` is set and there is none. NULL and err. */
struct node_key *node_key_open(const char *dir, bool create, struct err *err);
/* Only the public half, from a PEM file: for verifying. NULL and err. */
struct node_key *node_key_open_public(const char *path, struct err *err);
#define NODE_PUBLIC_LEN 32
/* The public half, and a key made from one: it verifies. NULL and err: it is none. */
void node_key_public(const struct node_key *key, uint8_t public[NODE_PUBLIC_LEN]);
struct node_key *node_key_from_public(const uint8_t public[NODE_PUBLIC_LEN], struct err *err);
void node_key_free(struct node_key *key); /* NULL is fine */

const char *node_key_id(const struct node_key *key);
/* 0, or -1 and err (system; seal-broken: only the public half is there). */
int node_key_sign(const struct node_key *key, const void *p, size_t n, uint8_t signature[NODE_SIGNATURE_LEN],
                  struct err *err);
bool node_key_verify(const struct node_key *key, const void *p, size_t n, const void *signature,
                     size_t signature_n);

#endif
