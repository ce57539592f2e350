/* Answers as they come in: whole, in single bytes, with more behind them, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wsman/http_reply.h"

#define BODY_MAX 100

struct outcome {
    enum decode decode;
    int status;
    bool keeps;
    char body[BODY_MAX + 1], challenges[200], server[64];
    struct err err;
};

/* step: bytes fed at a time. An answer that wants more than there is ends with its connection. */
static struct outcome read_all(const char *text, size_t step)
{
    struct outcome out = {.decode = DECODE_MORE};
    struct buf body = buf_init(BODY_MAX);
    struct http_reply *reply = http_reply_new(&body);
    size_t n = strlen(text);

    for (size_t at = 0; at < n && out.decode == DECODE_MORE; at += step)
        out.decode = http_reply_feed(reply, text + at, n - at < step ? n - at : step, &out.err);
    if (out.decode == DECODE_MORE)
        out.decode = http_reply_end(reply, &out.err);
    struct view server = http_reply_server(reply);
    out.status = http_reply_status(reply);
    out.keeps = http_reply_keeps(reply);
    snprintf(out.body, sizeof(out.body), "%s", buf_str(&body));
    snprintf(out.challenges, sizeof(out.challenges), "%s", buf_str(http_reply_challenges(reply)));
    snprintf(out.server, sizeof(out.server), "%.*s", (int)server.n, (const char *)server.p);
    http_reply_free(reply);
    buf_free(&body);
    return out;
}

static void answers(void **state)
{
    static const struct {
        const char *text;
        int status;
        bool keeps;
        const char *body, *challenges, *server;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nServer: AMT 1\r\nContent-Length: 5\r\n\r\nhello", 200, true, "hello", "",
         "AMT 1"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0003\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 200,
         true, "hello", "", ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n0\r\n\r\n", 200,
         true, "h", "", ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n0\r\nServer: late\r\n\r\n", 200,
         true, "h", "", ""},
        {"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nwww-authenticate:Digest "
         "realm=\"a\",\r\n"
         " nonce=\"b\"\r\nServer: AMT\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
         401, false, "", "Negotiate\nDigest realm=\"a\", nonce=\"b\"\n", "AMT"},
        {"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, false, "until the end", "", ""},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, true, "", "", ""},
        {"HTTP/1.1 200 OK\nContent-Length: 1\n\nx", 200, true, "x", "", ""},
        {"HTTP/1.1 200\r\nServer: one\r\nServer: two\r\nContent-Length: 0\r\n\r\n", 200, true, "", "", "two"},
        {"HTTP/1.1 200 OK\r\nA-name-that-is-longer-than-any-that-is-kept: 1\r\nServer2: no\r\n"
         "Content-Length: 1\r\n\r\nx",
         200, true, "x", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t step = 1; step < 400; step *= 7) {
            struct outcome out = read_all(cases[i].text, step);
            assert_string_equal(out.err.text, "");
            assert_int_equal(out.decode, DECODE_DONE);
            assert_int_equal(out.status, cases[i].status);
            assert_int_equal(out.keeps, cases[i].keeps);
            assert_string_equal(out.body, cases[i].body);
            assert_string_equal(out.challenges, cases[i].challenges);
            assert_string_equal(out.server, cases[i].server);
        }
    }
}

static void more_than_was_asked_for(void **state)
{
    struct outcome out =
        read_all("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\n", 1000);

    (void)state;
    assert_int_equal(out.decode, DECODE_DONE);
    assert_string_equal(out.body, "x");
    assert_false(out.keeps); /* whatever it is, it is not the answer to the next request */
}

static void no_answers(void **state)
{
    static const struct {
        const char *text;
        enum cause cause;
        const char *says;
    } cases[] = {
        {"", CAUSE_DROPPED, "without an answer"},
        {"HTTP/1.1 2", CAUSE_DROPPED, "of its answer's headers"},
        {"HTTP/1.1 200 OK\r\nServer: A", CAUSE_DROPPED, "of its answer's headers"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", CAUSE_DROPPED, "of its answer"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", CAUSE_DROPPED, "of its answer"},
        {"HTTP/1.1 100 Continue\r\n\r\n", CAUSE_DROPPED, "of its answer"},
        {"SSH-2.0-OpenSSH_9.2\r\n", CAUSE_NOT_AMT, "begins with 'SSH-2.0"},
        {"220 ready\r\n", CAUSE_NOT_AMT, "begins with '220 ready"},
        {"\x15\x03\x03", CAUSE_BAD_ANSWER, "speaks TLS"},
        {"HTTP/2.0 200 OK\r\n\r\n", CAUSE_BAD_ANSWER, "version"},
        {"HTTP/x 200 OK\r\n\r\n", CAUSE_BAD_ANSWER, "not proper HTTP"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", CAUSE_TOO_LARGE, "announces"},
        {"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", CAUSE_BAD_ANSWER, "not proper HTTP"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy", CAUSE_BAD_ANSWER,
         "not proper HTTP"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", CAUSE_BAD_ANSWER, "chunk"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n"
         "01234567890123456789012345678901234567890123456789"
         "01234567890123456789012345678901234567890123456789x\r\n0\r\n\r\n",
         CAUSE_TOO_LARGE, "longer than 100 bytes"},
        {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nx", CAUSE_BAD_ANSWER,
         "not proper HTTP"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t step = 1; step < 400; step *= 7) {
            struct outcome out = read_all(cases[i].text, step);
            assert_int_equal(out.decode, DECODE_BAD);
            assert_string_equal(cause_name(out.err.cause), cause_name(cases[i].cause));
            if (step > 8 && !strstr(out.err.text, cases[i].says))
                fail_msg("'%s' is not in: %s", cases[i].says, out.err.text);
        }
    }
}

static void headers_without_end(void **state)
{
    struct buf body = buf_init(BODY_MAX);
    struct http_reply *reply = http_reply_new(&body);
    enum decode decode;
    struct err err = ERR_INIT;
    size_t fed = 0;

    (void)state;
    decode = http_reply_feed(reply, "HTTP/1.1 200 OK\r\nX: ", 20, &err);
    while (decode == DECODE_MORE && fed++ <= HTTP_HEADERS_MAX)
        decode = http_reply_feed(reply, "x", 1, &err);
    assert_int_equal(decode, DECODE_BAD);
    assert_int_equal(err.cause, CAUSE_TOO_LARGE);
    assert_true(fed > HTTP_HEADERS_MAX - 100);
    http_reply_free(reply);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(more_than_was_asked_for),
        cmocka_unit_test(no_answers),
        cmocka_unit_test(headers_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
