/* What a stream asks of its socket: options, silence of the peer, UNIX sockets. Used by stream.c. */
#ifndef AMTD_NET_SOCKET_H
#define AMTD_NET_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* A numeric address, not a name. */
bool socket_is_address(const char *host);

/* Options of a connected TCP socket: nothing waits to be sent together with more, and the kernel gives up on
 * an idle peer that has not answered it for vanished_ms. */
void socket_prepare(int fd, int64_t vanished_ms);
/* Nothing at all came from the peer for so long although something was sent to it, more than once.
 *
 * The kernel's probes find a silent peer only while nothing is to be sent. While something is, the kernel
 * repeats it for a quarter of an hour, and its own limit for that (TCP_USER_TIMEOUT) would cut off a peer
 * that is there and merely does not read. */
bool socket_is_silent(int fd, int64_t ms);
/* What it means that a read or write failed with this errno (dropped). */
void socket_lost(int number, struct err *err);

/* It is not empty and fits. */
bool socket_is_path(const char *path);
/* A UNIX socket connects or fails at once: the non-blocking descriptor, or -1 and err (unreachable: there is
 * none; refused; busy: its listener is overrun; system). */
int socket_connect_unix(const char *path, struct err *err);

#endif
