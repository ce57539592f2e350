#include "tests/unit/wsman/http_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"

void bench_init(struct bench *b, bool standing, SSL_CTX *ctx)
{
    struct err err = ERR_INIT;

    *b = (struct bench){0};
    loop_init(&b->loop, standing);
    b->http = http_new(&b->loop.owner, (struct http_keep){16, 16}, &err);
    assert_non_null(b->http);
    b->device = fake_device_start("127.0.0.1", ctx);
    b->password = secret_new(FAKE_PASSWORD, strlen(FAKE_PASSWORD));
    b->settings = (struct http_settings){
        .name = "pc1.example",
        .address = "127.0.0.1",
        .port = fake_device_port(b->device),
        .user = FAKE_USER,
        .password = b->password,
        .connect_ms = 5000,
        .request_ms = 10000,
        .idle_ms = 30000,
    };
}

void bench_open(struct bench *b)
{
    struct err err = ERR_INIT;

    http_session_free(b->session);
    b->session = http_session_new(b->http, &b->settings, &err);
    assert_string_equal(err.text, "");
    assert_non_null(b->session);
}

void bench_clear(struct bench *b)
{
    http_session_free(b->session);
    http_free(b->http);
    loop_clear(&b->loop);
    fake_device_stop(b->device);
    secret_free(b->password);
}

void bench_set_password(struct bench *b, const char *password)
{
    secret_free(b->password);
    b->password = secret_new(password, strlen(password));
    b->settings.password = b->password;
}

static void on_done(void *arg, const struct http_answer *answer, const struct err *failure)
{
    struct bench_result *result = arg;

    assert_true((answer == NULL) != (failure == NULL));
    result->calls++;
    result->over = true;
    if (failure) {
        result->failure = *failure;
        return;
    }
    result->status = answer->status;
    result->body_length = answer->n;
    snprintf(result->body, sizeof(result->body), "%.*s", (int)answer->n, (const char *)answer->body);
}

void bench_send_to(struct bench *b, const char *path, const char *body)
{
    struct buf text = buf_init(1024 * 1024);

    if (body)
        buf_puts(&text, body);
    b->result = (struct bench_result){0};
    http_session_send(b->session, path, body ? &text : NULL, 0, on_done, &b->result);
    assert_false(b->result.over); /* never from inside the call */
    assert_true(http_session_busy(b->session));
    buf_free(&text);
}

void bench_send(struct bench *b)
{
    bench_send_to(b, NULL, BENCH_BODY);
}

bool bench_wait(struct bench *b)
{
    return loop_until(&b->loop, b->http, &b->result.over);
}

const struct bench_result *bench_request(struct bench *b)
{
    bench_send(b);
    assert_true(bench_wait(b));
    assert_int_equal(b->result.calls, 1);
    return &b->result;
}

void bench_fails(struct bench *b, enum cause cause)
{
    bench_request(b);
    if (b->result.status)
        fail_msg("answered %d instead of failing with %s", b->result.status, cause_name(cause));
    assert_string_equal(cause_name(b->result.failure.cause), cause_name(cause));
    assert_string_not_equal(b->result.failure.text, "");
    assert_null(strstr(b->result.failure.text, FAKE_PASSWORD));
}

void bench_succeeds(struct bench *b, int status, const char *content)
{
    bench_request(b);
    assert_string_equal(b->result.failure.text, "");
    assert_int_equal(b->result.status, status);
    assert_string_equal(b->result.body, content);
}

bool bench_connection_closed(void *bench)
{
    const struct bench *b = bench;

    return b->loop.count == 0;
}

int bench_setup(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));

    bench_init(b, true, NULL);
    bench_open(b);
    *state = b;
    return 0;
}

int bench_teardown(void **state)
{
    bench_clear(*state);
    free(*state);
    return 0;
}
