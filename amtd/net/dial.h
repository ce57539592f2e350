/* The dialer: opens TCP connections to many hosts at once, with a limit, and names those that do not answer.
 *
 * Reaching a host is kept apart from talking to it: a host that drops packets costs a descriptor for one
 * connect time-out here, never a place among those that are being worked on, so that the living do not wait
 * for the dead. */
#ifndef AMTD_NET_DIAL_H
#define AMTD_NET_DIAL_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

struct dialer;
struct dial; /* one attempt */

/* limit: connections being opened at a time. Loop's thread only, as everything here. NULL and err (system).
 */
struct dialer *dialer_new(uv_loop_t *loop, size_t limit, struct err *err);
/* Every attempt must have ended or been cancelled. NULL is fine; frees later, from the loop. */
void dialer_free(struct dialer *dialer);

/* fd is connected and non-blocking and belongs to the callee; -1: failure says why (name-unknown,
 * unreachable, refused, system). */
typedef void dial_done(void *arg, int fd, const struct err *failure);

enum dial_how {
    DIAL_AHEAD = 1 << 0,  /* goes before those without it */
    DIAL_SPEAKS = 1 << 1, /* the caller speaks first, as a client of HTTP: http_socket_speaks */
};

/* host is a numeric address or a DNS name; of several addresses of a name each gets its try in turn within
 * timeout_ms in all. how: enum dial_how, or-ed. done is called once, never from inside this call. */
struct dial *dialer_connect(struct dialer *dialer, const char *host, uint16_t port, int64_t timeout_ms,
                            unsigned how, dial_done *done, void *arg);
/* Ends an attempt without calling back. */
void dial_cancel(struct dial *dial);

#endif
