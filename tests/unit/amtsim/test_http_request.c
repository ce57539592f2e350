/* The request decoder: whole, in pieces, and what is no request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/amtsim/http_request.h"

static const char post[] =
    "POST /wsman HTTP/1.1\r\nHost: a\r\nAuthorization:  Digest x \r\ncontent-length: 4\r\n"
    "Connection: close\r\n\r\nbodyGET / HTTP/1.1\r\n\r\n";

static void a_request_and_the_next(void **state)
{
    struct http_request r;
    (void)state;
    assert_int_equal(http_request_decode(&r, post, sizeof(post) - 1), DECODE_DONE);
    assert_true(view_eq(r.method, "POST"));
    assert_true(view_eq(r.target, "/wsman"));
    assert_true(view_eq(r.authorization, "Digest x"));
    assert_true(view_eq(r.body, "body"));
    assert_true(r.close);
    size_t at = r.consumed;
    assert_int_equal(http_request_decode(&r, post + at, sizeof(post) - 1 - at), DECODE_DONE);
    assert_true(view_eq(r.method, "GET"));
    assert_int_equal(r.consumed, sizeof(post) - 1 - at);
}

static void every_prefix_wants_more(void **state)
{
    struct http_request r;
    (void)state;
    size_t whole = (size_t)(strstr(post, "GET") - post);
    for (size_t n = 0; n < whole; n++)
        assert_int_equal(http_request_decode(&r, post, n), DECODE_MORE);
}

static void what_is_no_request(void **state)
{
    static const struct {
        const char *text;
        int status;
    } table[] = {
        {"\x16\x03\x01", 400},
        {"GET /\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\n\r\n", 505},
        {"GET / HTTX\r\n\r\n", 400},
        {"POST /wsman HTTP/1.1\r\n\r\n", 411},
        {"POST /wsman HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411},
        {"POST /wsman HTTP/1.1\r\nContent-Length: 99999\r\n\r\n", 413},
        {"POST /wsman HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
        {"POST /wsman HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400},
    };
    struct http_request r;
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(http_request_decode(&r, table[i].text, strlen(table[i].text)), DECODE_BAD);
        assert_int_equal(r.status, table[i].status);
    }
}

static void endless_header(void **state)
{
    static char text[HTTP_HEADER_MAX];
    struct http_request r;
    (void)state;
    memset(text, 'A', sizeof(text));
    assert_int_equal(http_request_decode(&r, text, sizeof(text)), DECODE_BAD);
    assert_int_equal(r.status, 431);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_and_the_next),
        cmocka_unit_test(every_prefix_wants_more),
        cmocka_unit_test(what_is_no_request),
        cmocka_unit_test(endless_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
