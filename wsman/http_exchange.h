/* One request of a session and its answer, on the session's connection: TLS handshake where there is none
 * yet, request out, answer in. What was handed to the connection is never sent again. */
#ifndef WSMAN_HTTP_EXCHANGE_H
#define WSMAN_HTTP_EXCHANGE_H

#include "wsman/http_internal.h"

struct http_exchange;

/* For the session's request with its login, on its connection, which is READY or IDLE and is BUSY from now
 * on. NULL and err (system, too-large). */
struct http_exchange *http_exchange_new(struct http_session *session, struct err *err);
/* Forgets it; the connection is none of its business any more. NULL is fine. */
void http_exchange_free(struct http_exchange *exchange);

/* Goes as far as it can without waiting: at the beginning, and when something happened on the connection. May
 * end with http_session_exchanged, upon which the exchange is gone. */
void http_exchange_go(struct http_exchange *exchange);

/* True when the request, or a part of it, may have been handed to the connection. */
bool http_exchange_sent(const struct http_exchange *exchange);

/* --- when it has ended --- */

int http_exchange_status(const struct http_exchange *exchange);
/* WWW-Authenticate headers of the answer, one per line. */
const struct buf *http_exchange_challenges(const struct http_exchange *exchange);
/* Its Server header, or empty; also of an answer that was broken off. */
struct view http_exchange_server(const struct http_exchange *exchange);

#endif
