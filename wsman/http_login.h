/* The login of a session: what to send with a request, and what a 401 means.
 *
 * Digest: a challenge is answered once per nonce, from then on every request carries the login at once.
 * Kerberos: a token admits a connection; its first request carries it. */
#ifndef WSMAN_HTTP_LOGIN_H
#define WSMAN_HTTP_LOGIN_H

#include "wsman/http_internal.h"

/* Appends the value of the Authorization header for the request under way; nothing when it goes without. */
int http_login_authorize(struct http_session *session, struct buf *out, struct err *err);

/* True when a Kerberos token has to be got before the next request can be sent. */
bool http_login_wants_ticket(const struct http_session *session);

enum http_login_next {
    HTTP_LOGIN_OVER = -1, /* err says why: not let in */
    HTTP_LOGIN_AGAIN = 0, /* the request is to be sent again, with what http_login_authorize says now */
    HTTP_LOGIN_LATER = 1, /* the same, after done was called */
};
/* The session's exchange ended with 401. done: for a Kerberos token on its way. */
enum http_login_next http_login_challenged(struct http_session *session, http_kerberos_done *done,
                                           struct err *err);
/* It ended with an answer: the device let us in. -1 with err when it proved to be somebody else. */
int http_login_accepted(struct http_session *session, struct err *err);

#endif
