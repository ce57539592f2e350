/* A workbench for tests: a loop, a transport, a device and one session with it, and what its requests came
 * to. */
#ifndef TESTS_HTTP_BENCH_H
#define TESTS_HTTP_BENCH_H

#include "tests/unit/wsman/fake_device.h"
#include "tests/unit/wsman/http_loop.h"

#define BENCH_BODY "<s:Envelope>request</s:Envelope>"

struct bench_result {
    bool over;
    int status; /* 0: failed */
    char body[4096];
    size_t body_length;
    struct err failure;
    unsigned calls;
};

struct bench {
    struct http_loop loop;
    struct http *http;
    struct fake_device *device;
    struct http_settings settings;
    struct secret *password;
    struct http_session *session;
    struct bench_result result;
};

/* standing: time stands still. ctx: the device speaks TLS. No session yet: change settings, then bench_open.
 */
void bench_init(struct bench *b, bool standing, SSL_CTX *ctx);
void bench_open(struct bench *b);
void bench_clear(struct bench *b);
void bench_set_password(struct bench *b, const char *password);
/* Sends a request without waiting for its end. */
void bench_send(struct bench *b);
void bench_send_to(struct bench *b, const char *path, const char *body);
/* Sends and turns the loop until it is over; asserts that it gets there. */
const struct bench_result *bench_request(struct bench *b);
/* Asserts that a request ends with this cause. */
void bench_fails(struct bench *b, enum cause cause);
/* Asserts an answer of this status and content. */
void bench_succeeds(struct bench *b, int status, const char *content);
bool bench_wait(struct bench *b);
/* For loop_until_is: the transport watches no connection any more. */
bool bench_connection_closed(void *bench);

/* A test whose state is a bench of its own, in standing time, over plain HTTP, with its session open. */
#define BENCH_TEST(function) cmocka_unit_test_setup_teardown(function, bench_setup, bench_teardown)
int bench_setup(void **state);
int bench_teardown(void **state);

#endif
