/* One HTTP request with an alert, without I/O: fed the bytes of a connection, it says when it is whole. The
 * grammar of HTTP is http-parser's. */
#ifndef AMTD_ALERTS_ALERT_REQUEST_H
#define AMTD_ALERTS_ALERT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

#define ALERT_PATH_MAX 300 /* bytes; AMT takes URLs of 253 */

struct alert_request;

struct alert_request *alert_request_new(void);
void alert_request_free(struct alert_request *rq); /* NULL is fine */

/* The next bytes; *used of them belong to this request. DECODE_BAD: alert_request_status says how that is
 * answered. */
enum decode alert_request_feed(struct alert_request *rq, const void *p, size_t n, size_t *used);
/* Ready for the next request of the connection. */
void alert_request_reset(struct alert_request *rq);

/* --- after DONE; borrowed --- */
const char *alert_request_path(const struct alert_request *rq); /* "/token" */
struct view alert_request_body(const struct alert_request *rq);
bool alert_request_keeps(const struct alert_request *rq); /* the connection may carry another one */

/* After BAD: 400, 405 (none but POST), 413 or 414. */
int alert_request_status(const struct alert_request *rq);

#endif
