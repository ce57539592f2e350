/* HTTP requests as AMT's server reads them. (RFC 9112; reference wsman.md, 1.2)
 *
 * No I/O: decodes from bytes at hand. Views are borrowed from those bytes. */
#ifndef AMTSIM_HTTP_REQUEST_H
#define AMTSIM_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define HTTP_HEADER_MAX 8192  /* bytes of request line and headers */
#define HTTP_BODY_MAX   65536 /* beyond: 413 */

struct http_request {
    struct view method;
    struct view target;
    struct view authorization; /* value of the header, or empty */
    struct view body;
    bool close;      /* client asks for Connection: close, or speaks HTTP/1.0 */
    int status;      /* DECODE_BAD: what to answer (400, 411, 413, 431, 505) */
    size_t consumed; /* DECODE_DONE: bytes of this request */
    size_t need;     /* DECODE_MORE: total bytes needed, 0 not known yet */
};

/* Decodes one request. DECODE_BAD: answer *status, then close. */
enum decode http_request_decode(struct http_request *r, const void *p, size_t n);

#endif
