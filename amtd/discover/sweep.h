/* A sweep: goes through a set of addresses and finds out what is there, without credentials: a presence ping
 * on UDP, a connection to each of AMT's two management ports, and one or two HTTP requests without a login
 * where one is open.
 *
 * It sends no more packets a second than it may, fewer where there are few subnets, and holds no more sockets
 * than it may. Loop's thread only. */
#ifndef AMTD_DISCOVER_SWEEP_H
#define AMTD_DISCOVER_SWEEP_H

#include <uv.h>

#include "amtd/discover/addrset.h"
#include "amtd/discover/found.h"
#include "amtd/net/dial.h"
#include "wsman/http.h"

#define SWEEP_SOCKETS_MAX 8192

struct sweep_settings {
    uint16_t port;       /* of WS-Management without TLS; that with TLS is the next one */
    uint16_t rmcp_port;  /* of presence pings */
    uint32_t rate;       /* packets a second in all */
    uint32_t per_subnet; /* of these, in one /24 */
    uint32_t sockets;    /* TCP connections at a time */
    int64_t timeout_ms;  /* for a connection, and for an answer */
};

struct sweep_owner {
    void *arg;
    /* An address is done; borrowed. */
    void (*found)(void *arg, const struct found *found);
    /* All are. Not called from inside a function of the sweep. */
    void (*over)(void *arg);
};

struct sweep;

/* Begins at the cursor. ranges, dialer (of at least settings->sockets connections), http and owner are
 * borrowed and outlive it. NULL and err (system). */
struct sweep *sweep_start(uv_loop_t *loop, struct dialer *dialer, struct http *http,
                          const struct addrset *ranges, uint64_t cursor,
                          const struct sweep_settings *settings, const struct sweep_owner *owner,
                          struct err *err);
/* Everything before this place is done: a sweep that begins there misses nothing. */
uint64_t sweep_cursor(const struct sweep *sweep);
uint64_t sweep_packets(const struct sweep *sweep); /* sent so far, those of HTTP not counted */
/* Ends it without a further callback; frees later, from the loop. NULL is fine. */
void sweep_free(struct sweep *sweep);

#endif
