/* TLS of the simulated devices: certificates, contexts per generation and fault, and a session over memory.
 *
 * A fleet has one CA and one RSA and one P-256 device key; the certificate that a device is set up with is
 * made at its first handshake and stays the same as long as amtsim runs. A device whose keys and certificates
 * were changed has an OpenSSL context of its own. The session does no I/O: encrypted bytes go in and out of
 * buffers. */
#ifndef AMTSIM_TLS_H
#define AMTSIM_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "tests/amtsim/device.h"

struct tls_store;
struct tls_identity; /* a device's certificates */
struct tls_session;

/* Makes keys and CA. dir (or NULL): ca.pem, client.pem and client.key (for mutual TLS) are written there.
 * NULL and err. */
struct tls_store *tls_store_new(const char *dir, struct err *err);
void tls_store_free(struct tls_store *store);

void tls_identity_free(struct tls_identity *identity);
/* The certificate that the device was set up with as DER; borrowed. 0, or -1 when the fleet has no TLS. */
int tls_factory_certificate(struct device *device, const uint8_t **der, size_t *len);
/* What the device keeps itself (keyring.h) is in force anew for the next session. */
void tls_own_drop(struct device *device);
/* The DER of the fleet's CA; borrowed, same result. */
int tls_ca(struct device *device, const uint8_t **der, size_t *len);

/* A server session for the device, NULL when OpenSSL refuses (logged). */
struct tls_session *tls_session_new(struct device *device);
/* A client's session of the device with a server of that name or address, trusted by the roots that the
 * device keeps. What is sent before the handshake is over is held back. NULL when OpenSSL refuses. */
struct tls_session *tls_session_to(struct device *device, const char *host);
void tls_session_free(struct tls_session *session);

enum tls_event { TLS_GOING_ON, TLS_CLOSED, TLS_FAILED };

/* Takes encrypted bytes; appends decrypted ones to plain and whatever has to be sent to wire. */
enum tls_event tls_session_feed(struct tls_session *session, const void *p, size_t n, struct buf *plain,
                                struct buf *wire);
/* Encrypts; appends to wire. */
int tls_session_send(struct tls_session *session, const void *p, size_t n, struct buf *wire);
/* Asks for new keys in the middle of the session: renegotiation, or a key update from TLS 1.3 on. What is
 * sent while that goes on is held back. */
void tls_session_renew(struct tls_session *session, struct buf *wire);
/* Appends the closing alert. */
void tls_session_end(struct tls_session *session, struct buf *wire);
bool tls_session_ready(const struct tls_session *session);

#endif
