/* TLS on a connected socket: the part of a stream that speaks it. For whatever owns the socket. */
#ifndef WSMAN_STREAM_TLS_H
#define WSMAN_STREAM_TLS_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "wsman/http_tls.h"

/* What became of an attempt to move bytes. */
enum stream_io {
    STREAM_IO_DONE,
    STREAM_IO_WANT_READ,  /* nothing moved: again when the socket is readable */
    STREAM_IO_WANT_WRITE, /* nothing moved: again when it is writable */
    STREAM_IO_END,        /* the peer has closed */
    STREAM_IO_FAILED,     /* err was filled */
};

struct stream_tls;

/* Client's side on fd (borrowed, connected, non-blocking). trust is borrowed and outlives it. sni: the name
 * to ask for, or NULL. NULL and err (system). */
struct stream_tls *stream_tls_new(struct http_trust *trust, int fd, const char *sni, struct err *err);
/* Either side on fd with a context of the owner's (borrowed during the call), who judges the peer by its
 * certificate once the handshake is done. NULL and err (system). */
struct stream_tls *stream_tls_new_by(SSL_CTX *ctx, bool accepts, int fd, const char *sni, struct err *err);
/* Says good-bye when the handshake was done, without waiting for an answer. NULL is fine. */
void stream_tls_free(struct stream_tls *tls);

enum stream_io stream_tls_handshake(struct stream_tls *tls, struct err *err);
enum stream_io stream_tls_read(struct stream_tls *tls, void *p, size_t n, size_t *got, struct err *err);
/* What was to be sent and was not must be the beginning of what is given the next time. */
enum stream_io stream_tls_write(struct stream_tls *tls, const void *p, size_t n, size_t *sent,
                                struct err *err);
/* For looking at the peer's certificate. Borrowed. */
const SSL *stream_tls_ssl(const struct stream_tls *tls);
/* Bytes may be read that the socket will not announce any more. */
bool stream_tls_holds(const struct stream_tls *tls);

#endif
