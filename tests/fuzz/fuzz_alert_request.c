/* What comes at the port for alerts. The first byte says in what pieces the rest comes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/alerts/alert_request.h"
#include "wsman/alert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum decode read_one(struct alert_request *rq, const uint8_t *p, size_t n, size_t step, size_t *used)
{
    enum decode status = DECODE_MORE;
    size_t once;

    for (*used = 0; *used < n && status == DECODE_MORE; *used += once) {
        status = alert_request_feed(rq, p + *used, n - *used < step ? n - *used : step, &once);
        if (once > n - *used)
            abort();
        if (status == DECODE_MORE && once == 0)
            break;
    }
    if ((status == DECODE_BAD) != (alert_request_status(rq) != 0))
        abort();
    return status;
}

static void look(const struct alert_request *rq)
{
    struct view body = alert_request_body(rq);
    struct buf text = buf_init(2 * WSMAN_ALERT_MAX);
    struct err err = ERR_INIT;
    struct wsman_alert alert;

    if (body.n > WSMAN_ALERT_MAX || strlen(alert_request_path(rq)) > ALERT_PATH_MAX)
        abort();
    if (wsman_alert_read(&alert, body.p, body.n, &err) == 0) {
        wsman_alert_say(&alert, &text);
        wsman_alert_ack(&alert, &text);
    }
    wsman_alert_clear(&alert);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alert_request *whole = alert_request_new(), *parts = alert_request_new();
    size_t n, k;

    xml_library_init();
    if (size > 1) {
        enum decode a = read_one(whole, data + 1, size - 1, size, &n);
        enum decode b = read_one(parts, data + 1, size - 1, data[0] % 64 + 1u, &k);

        if (a != b || (a == DECODE_DONE && n != k))
            abort();
        if (a == DECODE_DONE)
            look(whole);
    }
    alert_request_free(whole);
    alert_request_free(parts);
    return 0;
}
