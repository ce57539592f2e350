/* AMT's HTTP server: login, web pages, /wsman, and the faults that show in an answer. No I/O.
 * (reference wsman.md, 1.2, 1.6, 6.1) */
#ifndef AMTSIM_WEB_H
#define AMTSIM_WEB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "tests/amtsim/device.h"
#include "tests/amtsim/http_request.h"

/* What a TLS connection remembers: firmware admits further requests after one good login. */
struct web_login {
    bool cached;
    bool by_ticket; /* a Kerberos ticket lets all requests of its connection in */
    uint32_t epoch;
    uint32_t realms; /* of the account that logged in last */
};

struct web_verdict {
    bool close;          /* close after sending */
    bool silent;         /* send nothing, keep the connection open */
    bool reset;          /* close at once, after `cut` bytes */
    size_t cut;          /* reset only: bytes to send before */
    bool endless;        /* go on sending chunks for ever */
    uint32_t delay_ms;   /* wait before sending */
    uint32_t trickle_ms; /* send 16 bytes at a time with this pause */
};

/* Appends the whole HTTP answer to out. */
struct web_verdict web_answer(struct device *device, const struct http_request *request, bool tls,
                              struct web_login *login, struct buf *out);
/* The answer to a request that could not be read; the connection closes after it. */
void web_bad_request(struct device *device, int status, struct buf *out);

#endif
