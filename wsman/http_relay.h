/* Hands libcurl a socket that is connected already.
 *
 * libcurl 7.88 calls connect() even on a socket of which it was told that it is connected, and takes EISCONN
 * for a failure. Our own sockets are in a state in which a second connect() succeeds (their first one never
 * blocked); one from outside is relayed over a loopback connection that is in that state. */
#ifndef WSMAN_HTTP_RELAY_H
#define WSMAN_HTTP_RELAY_H

#include "base/err.h"
#include "wsman/http_watch.h"

struct http_relay;

/* Takes fd over. Returns a socket that is being connected to it and does not block, or -1 with err (system).
 */
int http_relay_start(struct http *http, int fd, struct err *err);
/* Ends them all. */
void http_relays_free(struct http *http);

#endif
