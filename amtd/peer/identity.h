/* What this end is on TLS: a key, its certificate, and whom it trusts by a CA (docs/mux.md, "TLS").
 *
 * Peers are known by their pin, the SHA-256 of their public key (SubjectPublicKeyInfo, RFC 5280): it stays
 * when a certificate is renewed with the same key. The TLS handshake proves only that the peer has the key;
 * whether it is somebody is decided by whoever uses the connection, before the first byte, from its pin or
 * its name.
 *
 * TLS 1.3 only, both ends with certificates, no session tickets. Any thread; not two at once. */
#ifndef AMTD_PEER_IDENTITY_H
#define AMTD_PEER_IDENTITY_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

#define PEER_PIN          32 /* bytes */
#define PEER_NAME_MAX     63
#define PEER_PORT         8689
#define PEER_HANDSHAKE_MS 10000

struct identity;

/* Opens the key and certificate in the file (0600), which is made when it is missing: sealed, or plain PEM
 * with seal NULL. NULL and err (system, seal-broken: names the file). */
struct identity *identity_open(const char *path, const struct seal *seal, struct err *err);
/* The same from PEM files of an administrator's own CA: a certificate (with its chain), its key, and the CA
 * that peers' certificates must come from. NULL and err (invalid-argument: which file). */
struct identity *identity_from_files(const char *cert, const char *key, const char *ca, struct err *err);
void identity_free(struct identity *identity); /* NULL is fine */

const uint8_t *identity_pin(const struct identity *identity); /* PEER_PIN bytes */
bool identity_has_ca(const struct identity *identity);
/* The context for connections that this end makes, or accepts. Borrowed. */
SSL_CTX *identity_context(const struct identity *identity, bool accepts);

/* The pin of the peer after the handshake. False: it showed no certificate. */
bool peer_pin(const SSL *ssl, uint8_t pin[PEER_PIN]);
/* The peer's certificate comes from the CA and is valid now: 0, and its name (the first DNS name, else the
 * common name) in `name`. -1 and err (peer-unknown, tls-expired). accepts: this end accepted the connection.
 */
int peer_ca_name(const struct identity *identity, const SSL *ssl, bool accepts, char name[PEER_NAME_MAX + 1],
                 struct err *err);
/* Does the peer's certificate carry this DNS name or address? */
bool peer_has_name(const SSL *ssl, const char *host);

/* Letters, digits and - _ . , beginning with a letter or digit: names of nodes, servers and clients. */
bool peer_name_ok(const char *name);
/* "HOST", "HOST:PORT", "[ADDRESS]:PORT": *host is the caller's. False: it is none of these. */
bool peer_address_read(const char *text, char **host, uint16_t *port);

#endif
