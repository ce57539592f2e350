/* One HTTP answer without I/O: fed the bytes of a connection, it says when the answer is whole.
 *
 * The grammar of HTTP is http-parser's. Here is what an AMT device's answer is kept of: status, the headers
 * that matter, the body; and what is told when it is none. Interim answers (1xx) are passed over. */
#ifndef WSMAN_HTTP_REPLY_H
#define WSMAN_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

#define HTTP_HEADERS_MAX (32 * 1024) /* bytes of all headers of an answer; firmware sends some hundred */

struct http_reply;

/* body: where the answer's body is appended (borrowed); its cap is the limit of an answer. */
struct http_reply *http_reply_new(struct buf *body);
void http_reply_free(struct http_reply *reply); /* NULL is fine */

/* The next bytes. DECODE_BAD fills err: too-large, not-amt (it is not HTTP), bad-answer. After DONE and BAD
 * nothing may be fed any more. */
enum decode http_reply_feed(struct http_reply *reply, const void *p, size_t n, struct err *err);
/* The connection has ended: DONE when that ends the answer, else BAD with err (dropped, or as above). */
enum decode http_reply_end(struct http_reply *reply, struct err *err);

/* --- after DONE --- */

int http_reply_status(const struct http_reply *reply);
/* The connection may carry another request. */
bool http_reply_keeps(const struct http_reply *reply);

/* --- also of answers that were bad; borrowed --- */

/* WWW-Authenticate headers, one per line. */
const struct buf *http_reply_challenges(const struct http_reply *reply);
/* The Server header; empty when there was none. */
struct view http_reply_server(const struct http_reply *reply);

#endif
