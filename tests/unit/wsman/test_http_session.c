/* A session with one device over plain HTTP: answers of every form, its life and death, many at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/unit/wsman/http_bench.h"
#include "wsman/http_internal.h"

/* --- answers --- */

static void bodies_of_every_form(void **state)
{
    struct bench *b = *state;

    fake_device_set(b->device, &(struct fake_script){.body = FAKE_BODY_CHUNKED});
    bench_succeeds(b, 200, FAKE_CONTENT);
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(fake_device_seen(b->device).connections, 2);
    fake_device_set(b->device, &(struct fake_script){.body = FAKE_BODY_UNTIL_CLOSE});
    bench_succeeds(b, 200, FAKE_CONTENT);
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(fake_device_seen(b->device).connections, 3);
    fake_device_set(b->device, &(struct fake_script){.content = ""});
    bench_succeeds(b, 200, "");
}

static void other_statuses_are_answers(void **state)
{
    static const int statuses[] = {400, 403, 404, 500, 503, 302};
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        fake_device_set(b->device, &(struct fake_script){.status = statuses[i]});
        bench_succeeds(b, statuses[i], FAKE_CONTENT);
    }
    assert_int_equal(fake_device_seen(b->device).unauthorized, 1);
}

static void bad_answers(void **state)
{
    static const struct {
        struct fake_script script;
        enum cause cause;
    } cases[] = {
        {{.open = true, .body = FAKE_BODY_ENDLESS}, CAUSE_TOO_LARGE},
        {{.open = true, .body = FAKE_BODY_ENDLESS_CHUNKED}, CAUSE_TOO_LARGE},
        {{.open = true, .body = FAKE_BODY_HUGE_LENGTH}, CAUSE_TOO_LARGE},
        {{.open = true, .body = FAKE_BODY_ENDLESS_HEADERS}, CAUSE_TOO_LARGE},
        {{.open = true, .body = FAKE_BODY_ENDLESS_LINE}, CAUSE_TOO_LARGE},
        {{.open = true, .body = FAKE_BODY_BAD_CHUNK}, CAUSE_BAD_ANSWER},
        {{.raw = "SSH-2.0-OpenSSH_9.2\r\n"}, CAUSE_NOT_AMT},
        {{.raw = "\x15\x03\x03\x01\x02\x02\x16"}, CAUSE_BAD_ANSWER},
        {{.raw = "HTTP/3.7 200 OK\r\n\r\n"}, CAUSE_BAD_ANSWER},
        {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"}, CAUSE_BAD_ANSWER},
        {{.open = true, .close = FAKE_CLOSE_ACCEPTED}, CAUSE_DROPPED},
        {{.open = true, .close = FAKE_CLOSE_REQUEST}, CAUSE_DROPPED},
        {{.open = true, .close = FAKE_CLOSE_STATUS_LINE}, CAUSE_DROPPED},
        {{.open = true, .close = FAKE_CLOSE_HEADERS}, CAUSE_DROPPED},
        {{.open = true, .close = FAKE_CLOSE_BODY}, CAUSE_DROPPED},
        {{.open = true, .close = FAKE_CLOSE_ACCEPTED, .reset = true}, CAUSE_DROPPED},
        {{.open = true, .close = FAKE_CLOSE_REQUEST, .reset = true}, CAUSE_DROPPED},
        {{.open = true, .close = FAKE_CLOSE_BODY, .reset = true}, CAUSE_DROPPED},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bench_open(b); /* so that it is a new connection that goes wrong */
        fake_device_set(b->device, &cases[i].script);
        bench_fails(b, cases[i].cause);
        fake_device_set(b->device, &(struct fake_script){.open = true});
        bench_succeeds(b, 200, FAKE_CONTENT); /* and the session is none the worse */
    }
}

/* --- life and death --- */

static void freed_in_every_state(void **state)
{
    struct bench *b = *state;

    /* Every number of turns ends in some state of the exchange. */
    for (int turns = 0; turns < 24; turns++) {
        bench_open(b);
        bench_send(b);
        for (int i = 0; i < turns && !b->result.over; i++)
            loop_turn(&b->loop, b->http, 5);
        unsigned calls = b->result.calls;
        http_session_free(b->session);
        b->session = NULL;
        for (int i = 0; i < 3; i++)
            loop_turn(&b->loop, b->http, 0);
        assert_int_equal(b->result.calls, calls);
        assert_int_equal(b->loop.count, 0);
    }
}

static void aborted_in_every_state(void **state)
{
    struct bench *b = *state;

    for (int turns = 0; turns < 12; turns++) {
        bench_open(b);
        bench_send(b);
        for (int i = 0; i < turns && !b->result.over; i++)
            loop_turn(&b->loop, b->http, 5);
        unsigned calls = b->result.calls;
        http_session_abort(b->session);
        assert_false(http_session_busy(b->session));
        loop_turn(&b->loop, b->http, 5);
        assert_int_equal(b->result.calls, calls);
        bench_succeeds(b, 200, FAKE_CONTENT);
    }
}

static void freed_during_a_lookup(void **state)
{
    struct bench *b = *state;

    b->settings.name = "localhost";
    b->settings.address = NULL;
    bench_open(b);
    b->loop.hold_jobs = true;
    bench_send(b);
    loop_turn(&b->loop, b->http, 0);
    http_session_free(b->session);
    b->session = NULL;
    b->loop.hold_jobs = false;
    loop_turn(&b->loop, b->http, 50);
    assert_int_equal(b->result.calls, 0);
}

static void lookup_that_outlives_the_transport(void **state)
{
    struct bench *b = *state;

    b->settings.name = "localhost";
    b->settings.address = NULL;
    bench_open(b);
    b->loop.hold_jobs = true;
    bench_send(b);
    loop_turn(&b->loop, b->http, 0);
    http_session_abort(b->session); /* the end of the test frees transport and loop, in this order */
}

static void lookup_that_takes_too_long(void **state)
{
    struct bench *b = *state;

    b->settings.name = "localhost";
    b->settings.address = NULL;
    bench_open(b);
    b->loop.hold_jobs = true;
    bench_send(b);
    loop_turn(&b->loop, b->http, 0);
    loop_pass(&b->loop, b->http, 5000);
    assert_true(bench_wait(b));
    assert_int_equal(b->result.failure.cause, CAUSE_NAME_UNKNOWN);
}

struct chain {
    struct bench *b;
    int left;
    bool over;
    bool free_at_end;
};

static void on_done_again(void *arg, const struct http_answer *answer, const struct err *failure)
{
    struct chain *chain = arg;

    assert_null(failure);
    assert_int_equal(answer->status, 200);
    assert_string_equal((const char *)answer->body, FAKE_CONTENT);
    if (--chain->left) {
        http_session_send(chain->b->session, "/", NULL, 0, on_done_again, chain);
        assert_string_equal((const char *)answer->body, FAKE_CONTENT); /* still there */
        return;
    }
    if (chain->free_at_end) {
        http_session_free(chain->b->session);
        chain->b->session = NULL;
    }
    chain->over = true;
}

static void send_and_free_from_the_callback(void **state)
{
    struct bench *b = *state;
    struct chain chain = {.b = b, .left = 10, .free_at_end = true};

    http_session_send(b->session, "/", NULL, 0, on_done_again, &chain);
    assert_true(loop_until(&b->loop, b->http, &chain.over));
    assert_int_equal(fake_device_seen(b->device).unauthorized, 1);
    assert_int_equal(b->loop.count, 0);
}

static void bad_settings_and_requests(void **state)
{
    struct bench *b = *state;
    static const struct http_settings cases[] = {
        {.name = NULL},
        {.name = ""},
        {.name = "a b"},
        {.name = "a/b"},
        {.name = "a:b"},
        {.name = "pc1", .address = "pc1:x"},
        {.name = "pc1", .user = "a:b"},
        {.name = "pc1", .user = "a\nb"},
        {.name = "pc1", .idle_ms = -1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_settings settings = cases[i];
        struct err err = ERR_INIT;
        settings.connect_ms = settings.request_ms = 1000;
        assert_null(http_session_new(b->http, &settings, &err));
        assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    }
    bench_send_to(b, "/a b", NULL);
    assert_true(bench_wait(b));
    assert_int_equal(b->result.failure.cause, CAUSE_INVALID_ARGUMENT);
}

static void environment_is_ignored(void **state)
{
    struct bench *b = *state;

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    bench_succeeds(b, 200, FAKE_CONTENT);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
}

/* --- many --- */

struct crowd {
    unsigned done;
    bool over;
};

static void on_done_crowd(void *arg, const struct http_answer *answer, const struct err *failure)
{
    struct crowd *crowd = arg;

    assert_null(failure);
    assert_int_equal(answer->status, 200);
    crowd->over = ++crowd->done == 200;
}

static void many_at_once(void **state)
{
    enum { COUNT = 200 };
    struct bench *b = *state;
    struct http_session *sessions[COUNT];
    struct crowd crowd = {0};
    struct err err = ERR_INIT;

    fake_device_set(b->device, &(struct fake_script){.open = true});
    for (int i = 0; i < COUNT; i++) {
        sessions[i] = http_session_new(b->http, &b->settings, &err);
        http_session_send(sessions[i], "/", NULL, 0, on_done_crowd, &crowd);
    }
    assert_true(loop_until(&b->loop, b->http, &crowd.over));
    assert_int_equal(fake_device_seen(b->device).connections, COUNT);
    for (int i = 0; i < COUNT; i++)
        http_session_free(sessions[i]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        BENCH_TEST(bodies_of_every_form),
        BENCH_TEST(other_statuses_are_answers),
        BENCH_TEST(bad_answers),
        BENCH_TEST(freed_in_every_state),
        BENCH_TEST(aborted_in_every_state),
        BENCH_TEST(freed_during_a_lookup),
        BENCH_TEST(lookup_that_outlives_the_transport),
        BENCH_TEST(lookup_that_takes_too_long),
        BENCH_TEST(send_and_free_from_the_callback),
        BENCH_TEST(bad_settings_and_requests),
        BENCH_TEST(environment_is_ignored),
        BENCH_TEST(many_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
