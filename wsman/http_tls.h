/* Trust in a device's TLS certificate: by a CA, or by the fingerprint of the certificate itself.
 *
 * OpenSSL's checks are given a shape that can pin, remember what was seen, and say exactly what was wrong.
 * Contexts are made anew for each connection (stream_tls.h), so nothing expensive is done in one: CA files
 * and client certificates are read once and shared. (reference wsman.md, section 1.5) */
#ifndef WSMAN_HTTP_TLS_H
#define WSMAN_HTTP_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "wsman/http.h"

struct http_tls_file; /* a CA store or a client identity in memory */
struct http_trust;    /* what one session trusts, and what it has seen */

/* Takes what it needs from the settings. files: the transport's list of files in memory; a file that changed
 * on disk is read again for sessions made after. NULL and err (invalid-argument: names the file or the
 * setting). */
struct http_trust *http_trust_new(struct http_tls_file **files, const struct http_settings *settings,
                                  struct err *err);
void http_trust_free(struct http_trust *trust); /* NULL is fine */

/* Readies an SSL_CTX for one connection with the device; forgets what the last handshake came to. The trust
 * must outlive the connection. -1 when OpenSSL refuses. */
int http_trust_prepare(struct http_trust *trust, void *ssl_ctx);
/* The device answered on the connection: what goes wrong from now on is not for the lack of a client
 * certificate. */
void http_trust_answered(struct http_trust *trust);
/* Says why the connection failed, if TLS was the reason: -1 with err (tls-untrusted, tls-expired,
 * tls-changed, tls-version, tls-failed), else 0. */
int http_trust_failure(const struct http_trust *trust, struct err *err);
/* Some old firmware breaks on a hello of a newer version instead of answering with an older one. True when
 * the last handshake failed like that and old TLS is allowed: from now on TLS 1.0 alone is spoken. At most
 * once. */
bool http_trust_try_older(struct http_trust *trust);

/* The certificate with this pin is trusted besides, and once seen in place of the one before. -1 with err
 * (invalid-argument). */
int http_trust_expect(struct http_trust *trust, const char *pin, struct err *err);

/* The name to ask the device for in the handshake, NULL when it is known by its address only. Borrowed. */
const char *http_trust_sni(const struct http_trust *trust);

/* What was seen, as in struct http_facts; borrowed. trust may be NULL. */
void http_trust_facts(const struct http_trust *trust, struct http_facts *facts);

#endif
