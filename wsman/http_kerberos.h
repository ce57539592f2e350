/* Kerberos login (SPNEGO) with a device, by the tickets of this process or of a named credential cache.
 *
 * A ticket authenticates a connection. Getting one may ask a KDC and blocks, so it runs through the owner's
 * offload. AMT's service principal carries the port, HTTP/host:16992, which host-based names of GSS-API do
 * not keep in every version: the name is built by hand. Where the KDC has only HTTP/host, that is used.
 * (reference wsman.md, section 1.4) */
#ifndef WSMAN_HTTP_KERBEROS_H
#define WSMAN_HTTP_KERBEROS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "wsman/http.h"

struct http_kerberos; /* the login of one session */

/* ccache NULL: the process's own. */
struct http_kerberos *http_kerberos_new(const char *host, uint16_t port, const char *ccache);
/* NULL is fine; what is being got meanwhile is dropped when it comes. */
void http_kerberos_free(struct http_kerberos *kerberos);

typedef void http_kerberos_done(void *arg, const struct err *failure);

/* Gets a first token; done follows (failure: no-ticket), never from inside this call. One at a time. */
void http_kerberos_start(struct http_kerberos *kerberos, const struct http_owner *owner,
                         http_kerberos_done *done, void *arg);
/* The same for the device's answer in base64 to the token before, when it wants another. False when that is
 * no base64, or nothing was begun; then done does not follow. */
bool http_kerberos_go_on(struct http_kerberos *kerberos, const struct http_owner *owner, struct view answer,
                         http_kerberos_done *done, void *arg);
/* Nobody waits any more for what is being got. */
void http_kerberos_abandon(struct http_kerberos *kerberos);

/* The value of the Authorization header to send, "" while there is none. */
const char *http_kerberos_token(const struct http_kerberos *kerberos);
/* The token was sent, or is not wanted any more. */
void http_kerberos_forget(struct http_kerberos *kerberos);
/* The device let us in. answer is its proof in base64, that it holds the service's key (empty: it gave none,
 * as some firmware does). False when the proof is wrong: it is somebody else. Does not block. */
bool http_kerberos_proven(struct http_kerberos *kerberos, struct view answer);
/* "HTTP/pc1.example:16992": what the last ticket was for. */
const char *http_kerberos_service(const struct http_kerberos *kerberos);

#endif
