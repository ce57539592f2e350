/* Streams: one connection of bytes to a peer, over TCP, TLS over TCP, or a UNIX socket; never blocking.
 *
 * A stream opens, carries bytes both ways and ends. It holds only what waits to be sent, up to a bound; what
 * it receives it hands on at once, and its owner stops it (stream_pause) while it has no use for more. TLS is
 * as the profile says and nothing else: trust is decided by wsman/http_tls, so a device is believed here
 * exactly when it is believed for WS-Management, and there is no fall-back to less, either way. Between amtds
 * and their clients TLS is by a context of the owner's, who judges the peer when the stream is up
 * (stream_ssl).
 *
 * A TCP peer that vanishes without a word is noticed after STREAM_VANISHED_MS in which nothing came back from
 * it, neither to the kernel's probes nor to what was sent. One that answers but does not read is borne: its
 * owner sees the backlog.
 *
 * Loop's thread only. No callback comes from inside a function of a stream, and a stream may be closed in any
 * of its callbacks. */
#ifndef AMTD_NET_STREAM_H
#define AMTD_NET_STREAM_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "amtd/net/dial.h"
#include "base/err.h"
#include "wsman/http.h"

#define STREAM_QUEUE_MAX   (256 * 1024) /* bytes that wait to be sent, unless the peer says otherwise */
#define STREAM_CHUNK_MAX   (64 * 1024)  /* most bytes in one call of `bytes` */
#define STREAM_VANISHED_MS 60000

struct streams; /* what the streams of one loop share */
struct stream;

/* loop and dialer are borrowed and outlive it. */
struct streams *streams_new(uv_loop_t *loop, struct dialer *dialer);
/* All streams must be closed before, and those that linger are cut off. NULL is fine. */
void streams_free(struct streams *streams);
uv_loop_t *streams_loop(const struct streams *streams);

/* Where to, and how. Everything is copied. */
struct stream_peer {
    const char *host; /* numeric address or DNS name */
    uint16_t port;
    const char *path; /* of a UNIX socket, instead of host and port */
    /* TLS with the trust of these settings: name, tls, ca_file, pin, client_cert_file, client_key_file and
     * old_tls count, the rest does not. NULL or HTTP_TLS_NONE: no TLS. */
    const struct http_settings *tls;
    SSL_CTX *context;    /* TLS with this context, instead of `tls`; a reference is kept */
    int64_t open_ms;     /* limit of name look-up and connect together, and of the TLS handshake */
    size_t queue_max;    /* 0: STREAM_QUEUE_MAX */
    int64_t vanished_ms; /* 0: STREAM_VANISHED_MS */
};

struct stream_events {
    void *arg;
    /* It is open; with TLS the peer is now known to be the right one. */
    void (*up)(void *arg);
    /* 1 to STREAM_CHUNK_MAX bytes came; borrowed. */
    void (*bytes)(void *arg, const uint8_t *p, size_t n);
    /* All bytes that had to wait have been handed to the system. NULL: no need to know. */
    void (*drained)(void *arg);
    /* It ended, and nothing more is called; close it. failure is NULL when the peer closed it in good order.
     * Causes: name-unknown, unreachable, refused, busy (a UNIX socket's listener is overrun), timeout (TLS
     * handshake), dropped, tls-untrusted, tls-changed, tls-expired, tls-version, tls-failed, system. */
    void (*down)(void *arg, const struct err *failure);
};

/* Begins to open a stream. NULL and err (invalid-argument: what of the peer is wrong, or which of its files).
 */
struct stream *stream_open(struct streams *streams, const struct stream_peer *peer,
                           const struct stream_events *events, struct err *err);
/* A stream over a descriptor that is connected already: a socket, a terminal, a pipe end. It is owned from
 * now on, made non-blocking, and `up` is still called. NULL and err (system), and fd is closed. */
struct stream *stream_adopt(struct streams *streams, int fd, size_t queue_max,
                            const struct stream_events *events, struct err *err);
/* The same over a socket that was accepted from a TCP peer, whose TLS handshake with this context must be
 * over within open_ms. */
struct stream *stream_accept(struct streams *streams, int fd, SSL_CTX *context, int64_t open_ms,
                             const struct stream_events *events, struct err *err);
/* Ends it without a further callback. linger_ms > 0: what waits is still sent, for at most so long, then the
 * connection is closed in good order; 0: at once. NULL is fine. */
void stream_close(struct stream *stream, int64_t linger_ms);

/* Takes as many of the bytes as there is room for, also before it is open, and says how many; `drained` tells
 * when there is room again. 0 when it is down. */
size_t stream_write(struct stream *stream, const void *p, size_t n);
/* Bytes that wait to be sent. */
size_t stream_backlog(const struct stream *stream);
/* Stops and goes on handing bytes on. While it is stopped the peer is held back by its own window, and its
 * end is not noticed. */
void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);
bool stream_is_up(const struct stream *stream);

/* What the TLS handshake showed: pin, certificate, tls_version, not_after_ms; the rest is empty. Borrowed. */
struct http_facts stream_facts(const struct stream *stream);

/* The connection's TLS, for looking at the peer's certificate. Borrowed; NULL: it has none or is not up. */
const SSL *stream_ssl(const struct stream *stream);

#endif
