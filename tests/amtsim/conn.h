/* A connection accepted for a device: bytes to and from a protocol, through TLS where the port has it.
 *
 * The protocol gets decrypted bytes and sends plain ones; it does not see sockets. Lives from accept until
 * its close callback; the protocol must not use it after conn_end, conn_reset or its `closed`. */
#ifndef AMTSIM_CONN_H
#define AMTSIM_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "tests/amtsim/device.h"

struct conn;

struct conn_protocol {
    const char *name;
    void *(*open)(struct conn *conn, struct device *device);
    void (*bytes)(void *self, const void *p, size_t n);
    void (*closed)(void *self);  /* frees self */
    bool (*idle)(void *self);    /* true: nothing is under way, an idle connection may be closed */
    void (*drained)(void *self); /* all sent has reached the kernel; NULL: not asked */
    bool (*admits)(const struct device *device); /* false: the device's port is closed; NULL: open */
    bool limited;                                /* counts among the connections a device takes at once */
};

/* Accepts the pending connection of a listening socket. The device is the one at the local address; whoever
 * is refused is closed with a reset. */
void conn_accept(struct fleet *fleet, uv_stream_t *listener, const struct conn_protocol *protocol, bool tls);

/* False: the connection broke and the protocol has been told (`closed`): self is gone. */
bool conn_send(struct conn *conn, const void *p, size_t n);
/* Sends what is still to be sent, then closes. The protocol may be gone when it returns. */
void conn_end(struct conn *conn);
/* Closes at once with RST. */
void conn_reset(struct conn *conn);
/* Bytes that the kernel has not taken yet. */
size_t conn_queued(const struct conn *conn);
/* Asks the peer for new TLS keys; nothing without TLS. */
void conn_renew_keys(struct conn *conn);
/* Whether bytes are read from the peer. */
void conn_reading(struct conn *conn, bool on);
bool conn_is_tls(const struct conn *conn);
uv_loop_t *conn_loop(const struct conn *conn);

/* Closes connections that were idle for too long; call it about once a second. */
void conn_sweep(struct fleet *fleet);
/* Resets all connections of a device (NULL: of all). */
void conn_reset_all(struct fleet *fleet, const struct device *device);

#endif
