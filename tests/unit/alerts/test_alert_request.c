/* Requests of devices, in pieces and in a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/alerts/alert_request.h"
#include "base/xalloc.h"

#define POST                                                                                                 \
    "POST /abc HTTP/1.1\r\nHost: h\r\nUser-Agent: Intel(R) AMT Agent\r\nContent-Length: 5\r\n\r\nhello"

static enum decode feed(struct alert_request *rq, const char *text, size_t step, size_t *used)
{
    enum decode status = DECODE_MORE;
    size_t n = strlen(text), once;

    for (*used = 0; *used < n && status == DECODE_MORE; *used += once)
        status = alert_request_feed(rq, text + *used, n - *used < step ? n - *used : step, &once);
    return status;
}

static void one_after_the_other(void **state)
{
    static const size_t steps[] = {1, 3, 1000};
    static const char two[] = POST POST;
    struct alert_request *rq = alert_request_new();

    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const char *rest = two;

        for (int k = 0; k < 2; k++) {
            size_t used;

            alert_request_reset(rq);
            assert_int_equal(feed(rq, rest, steps[i], &used), DECODE_DONE);
            assert_int_equal(used, strlen(POST));
            assert_string_equal(alert_request_path(rq), "/abc");
            assert_true(view_eq(alert_request_body(rq), "hello"));
            assert_true(alert_request_keeps(rq));
            rest += used;
        }
    }
    alert_request_free(rq);
}

static void refused(const char *text, int status)
{
    struct alert_request *rq = alert_request_new();
    size_t used;

    assert_int_equal(feed(rq, text, 1000, &used), DECODE_BAD);
    assert_int_equal(alert_request_status(rq), status);
    alert_request_free(rq);
}

static void what_is_no_alert_is_refused(void **state)
{
    char *path = xasprintf("POST /%0400d HTTP/1.1\r\n\r\n", 1);
    char *headers = xasprintf("POST / HTTP/1.1\r\nX: %020000d\r\n\r\n", 1);

    (void)state;
    refused("GET / HTTP/1.1\r\nHost: h\r\n\r\n", 405);
    refused("POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n", 413);
    refused("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400);
    refused("\x16\x03\x01 hello", 400);
    refused(path, 414);
    refused(headers, 413);
    free(path);
    free(headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(what_is_no_alert_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
