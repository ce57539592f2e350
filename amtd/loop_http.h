/* Lends the libuv loop to the HTTP transport (struct http_owner of wsman/http.h). */
#ifndef AMTD_LOOP_HTTP_H
#define AMTD_LOOP_HTTP_H

#include <uv.h>

#include "base/clock.h"
#include "wsman/http.h"

struct loop_http;

/* A transport on this loop. NULL and err. */
struct loop_http *loop_http_new(uv_loop_t *loop, const struct clock *clock, struct http_keep keep,
                                struct err *err);
struct http *loop_http_get(const struct loop_http *lh);
/* All sessions must be closed. Frees later, from the loop. */
void loop_http_free(struct loop_http *lh);

#endif
