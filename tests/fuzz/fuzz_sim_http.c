/* The simulated device's HTTP side: any bytes as requests, split anywhere, and as Authorization header. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/amtsim/digest.h"
#include "tests/amtsim/http_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_request r, again;
    struct digest_fields f;
    size_t at = 0;
    while (at < size) {
        enum decode d = http_request_decode(&r, data + at, size - at);
        if (d != DECODE_DONE)
            break;
        /* what is whole is whole without what comes behind it, and not before */
        if (r.consumed == 0 || http_request_decode(&again, data + at, r.consumed) != DECODE_DONE ||
            http_request_decode(&again, data + at, r.consumed - 1) == DECODE_DONE)
            abort();
        digest_parse(&f, r.authorization);
        at += r.consumed;
    }
    digest_parse(&f, (struct view){data, size});
    return 0;
}
