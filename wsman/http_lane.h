/* Lanes: libcurl handles, each carrying one exchange of one session at a time.
 *
 * Their number is bounded; sessions queue for one only when they are connected. Connections stay in libcurl's
 * cache between exchanges and are told apart by their session's number, so that no session is ever given a
 * connection of another one, whatever address, name or credentials they have in common. */
#ifndef WSMAN_HTTP_LANE_H
#define WSMAN_HTTP_LANE_H

#include "wsman/http_internal.h"

#define HTTP_LANES_MAX   1024
#define HTTP_HEADERS_MAX (32 * 1024) /* bytes of all headers of an answer; firmware sends some hundred */

struct http_lanes;

/* NULL and err (system) when libcurl cannot start. */
struct http_lanes *http_lanes_new(struct http *http, struct err *err);
void http_lanes_free(struct http_lanes *lanes); /* closes idle connections too */

/* A free lane for the session, or NULL when all are in use. */
struct http_lane *http_lane_take(struct http_lanes *lanes, struct http_session *session);
/* True when http_lane_take would give one. */
bool http_lanes_left(const struct http_lanes *lanes);
/* Gives it back; a running exchange ends and its connection is closed. */
void http_lane_release(struct http_lane *lane);
/* Begins the exchange of lane's session. authorization: value of that header, or NULL. */
int http_lane_start(struct http_lane *lane, const char *authorization, struct err *err);

/* Bytes may flow on a socket of libcurl's. */
void http_lanes_socket(struct http_lanes *lanes, struct http_conn *conn, int events);
/* Runs what is due at once and reports exchanges that ended (http_session_lane_done). */
void http_lanes_run(struct http_lanes *lanes);
/* True when http_lanes_run has something to do. */
bool http_lanes_due(const struct http_lanes *lanes);
/* Takes an idle connection out of libcurl's cache and closes it, at once. */
void http_lanes_close_idle(struct http_lanes *lanes, struct http_conn *conn);

/* True when the request under way has been handed to the connection. */
bool http_lane_sent(const struct http_lane *lane);

/* --- the exchange that just ended, until the next start --- */

int http_lane_status(const struct http_lane *lane);
/* Its WWW-Authenticate headers, one per line. */
const struct buf *http_lane_challenges(const struct http_lane *lane);
/* Turns the CURLcode into a cause with its text. Always returns -1, but 0 for CURLE_OK. */
int http_lane_failure(const struct http_lane *lane, int code, struct err *err);
/* True when the exchange failed before anything was sent, because libcurl found the kept connection dead. */
bool http_lane_wants_connection(const struct http_lane *lane);

#endif
