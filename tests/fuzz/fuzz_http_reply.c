/* What answers at a device's port. The first byte says in what pieces the rest comes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wsman/http_reply.h"

#define BODY_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum decode decode;
    int status;
    struct buf body;
};

static struct outcome read_all(const uint8_t *p, size_t n, size_t step)
{
    struct outcome out = {.decode = DECODE_MORE, .body = buf_init(BODY_MAX)};
    struct http_reply *reply = http_reply_new(&out.body);
    struct err err = ERR_INIT;

    for (size_t at = 0; at < n && out.decode == DECODE_MORE; at += step)
        out.decode = http_reply_feed(reply, p + at, n - at < step ? n - at : step, &err);
    if (out.decode == DECODE_MORE)
        out.decode = http_reply_end(reply, &err);
    if (out.decode == DECODE_MORE || (out.decode == DECODE_BAD) != (err.cause != CAUSE_NONE))
        abort();
    out.status = http_reply_status(reply);
    if (out.decode == DECODE_DONE && out.status < 200)
        abort();
    if (out.body.len > BODY_MAX || http_reply_challenges(reply)->len > HTTP_HEADERS_MAX)
        abort();
    http_reply_free(reply);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct outcome whole = read_all(data + 1, size - 1, size);
    struct outcome parts = read_all(data + 1, size - 1, data[0] % 64 + 1u);

    /* However the pieces fall, it is the same answer. */
    if (whole.decode != parts.decode)
        abort();
    if (whole.decode == DECODE_DONE && (whole.status != parts.status || whole.body.len != parts.body.len ||
                                        strcmp(buf_str(&whole.body), buf_str(&parts.body)) != 0))
        abort();
    buf_free(&whole.body);
    buf_free(&parts.body);
    return 0;
}
