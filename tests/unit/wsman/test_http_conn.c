/* The connections of a session: reuse, idle time, limits, names and addresses, given sockets, silence. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/unit/wsman/http_bench.h"
#include "wsman/http_internal.h"

static void nothing_is_sent_twice(void **state)
{
    struct bench *b = *state;

    bench_succeeds(b, 200, FAKE_CONTENT);
    fake_device_set(b->device, &(struct fake_script){.close = FAKE_CLOSE_REQUEST});
    unsigned before = fake_device_seen(b->device).requests;
    bench_fails(b, CAUSE_DROPPED); /* on the kept connection, where it is tempting to send it again */
    assert_int_equal(fake_device_seen(b->device).requests - before, 1);
}

static void device_closes_while_idle(void **state)
{
    struct bench *b = *state;

    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(b->loop.count, 1); /* an idle connection is watched for its end */
    fake_device_hang_up(b->device);
    assert_true(loop_until_is(&b->loop, b->http, bench_connection_closed, b));
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(fake_device_seen(b->device).unauthorized, 1);
}

static void closed_unseen_before_the_next_request(void **state)
{
    struct bench *b = *state;

    bench_succeeds(b, 200, FAKE_CONTENT);
    unsigned before = fake_device_seen(b->device).requests;
    fake_device_hang_up(b->device);
    bench_succeeds(b, 200, FAKE_CONTENT); /* the loop has not turned since */
    assert_int_equal(fake_device_seen(b->device).requests - before, 1);
}

static void closes_first_after_idle_time(void **state)
{
    struct bench *b = *state;

    bench_succeeds(b, 200, FAKE_CONTENT);
    loop_pass(&b->loop, b->http, 29999);
    assert_int_equal(b->loop.count, 1);
    loop_pass(&b->loop, b->http, 1);
    assert_int_equal(b->loop.count, 0);
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(http_session_facts(b->session).connections, 3);
    assert_int_equal(fake_device_seen(b->device).unauthorized, 1);
}

/* Whichever became idle first, the one that is due first is closed first; one that is used again is not. */
static void idle_times_differ(void **state)
{
    static const int64_t idle_ms[] = {9000, 3000, 6000};
    struct bench *b = *state;
    struct http_session *sessions[3];

    http_session_free(b->session);
    fake_device_set(b->device, &(struct fake_script){.open = true});
    for (size_t i = 0; i < 3; i++) {
        b->settings.idle_ms = idle_ms[i];
        b->session = NULL;
        bench_open(b);
        sessions[i] = b->session;
        bench_succeeds(b, 200, FAKE_CONTENT);
    }
    assert_int_equal(b->loop.count, 3);
    loop_pass(&b->loop, b->http, 2999);
    assert_int_equal(b->loop.count, 3);
    bench_succeeds(b, 200, FAKE_CONTENT); /* the last: due in 6000 again */
    loop_pass(&b->loop, b->http, 1);
    assert_int_equal(b->loop.count, 2);
    loop_pass(&b->loop, b->http, 5998);
    assert_int_equal(b->loop.count, 2);
    loop_pass(&b->loop, b->http, 1);
    assert_int_equal(b->loop.count, 1);
    loop_pass(&b->loop, b->http, 1);
    assert_int_equal(b->loop.count, 0);
    for (size_t i = 0; i < 3; i++)
        http_session_free(sessions[i]);
    b->session = NULL;
}

static void idle_connections_are_bounded(void **state)
{
    enum { COUNT = 40, LIMIT = 16 };
    struct bench *b = *state;
    struct http_session *sessions[COUNT];

    http_session_free(b->session);
    fake_device_set(b->device, &(struct fake_script){.open = true});
    for (int i = 0; i < COUNT; i++) {
        b->session = NULL;
        bench_open(b);
        sessions[i] = b->session;
        bench_succeeds(b, 200, FAKE_CONTENT);
        assert_true(b->loop.count <= LIMIT);
    }
    assert_int_equal(b->loop.count, LIMIT);
    for (int i = 0; i < COUNT; i++) { /* the last ones are the ones kept */
        b->session = sessions[i];
        unsigned before = http_session_facts(b->session).connections;
        if (i >= COUNT - LIMIT) {
            bench_succeeds(b, 200, FAKE_CONTENT);
            assert_int_equal(http_session_facts(b->session).connections, before);
        }
    }
    for (int i = 0; i < COUNT; i++)
        http_session_free(sessions[i]);
    b->session = NULL;
    assert_int_equal(b->loop.count, 0);
}

static void sessions_never_share_a_connection(void **state)
{
    struct bench *b = *state;
    struct http_session *first = b->session;

    bench_succeeds(b, 200, FAKE_CONTENT);
    b->session = NULL;
    bench_set_password(b, "not it"); /* same name, address and port */
    bench_open(b);
    unsigned before = fake_device_seen(b->device).connections;
    bench_fails(b, CAUSE_AUTH_FAILED);
    assert_int_equal(fake_device_seen(b->device).connections - before, 2);
    http_session_free(first);
}

static void refused(void **state)
{
    struct bench *b = *state;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&in, n), 0); /* a port that nobody listens at */
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
    b->settings.port = ntohs(in.sin_port);
    bench_open(b);
    bench_fails(b, CAUSE_REFUSED);
    assert_non_null(strstr(b->result.failure.text, "127.0.0.1"));
    close(fd);
}

static void no_answer_to_connect(void **state)
{
    struct bench *b = *state;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(in);
    int listener = socket(AF_INET, SOCK_STREAM, 0), full[4];

    /* A listener that is full drops further SYNs. */
    assert_int_equal(bind(listener, (struct sockaddr *)&in, n), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&in, &n), 0);
    for (int i = 0; i < 4; i++) {
        full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(full[i], (struct sockaddr *)&in, n);
    }
    b->settings.port = ntohs(in.sin_port);
    bench_open(b);
    bench_send(b);
    loop_turn(&b->loop, b->http, 50);
    loop_pass(&b->loop, b->http, 4999);
    assert_false(b->result.over);
    loop_pass(&b->loop, b->http, 1);
    assert_true(bench_wait(b));
    assert_int_equal(b->result.failure.cause, CAUSE_UNREACHABLE);
    assert_int_equal(b->loop.count, 0);
    for (int i = 0; i < 4; i++)
        close(full[i]);
    close(listener);
}

static bool device_read_request(void *arg)
{
    struct bench *b = arg;

    return fake_device_seen(b->device).served > 0;
}

static void no_answer_to_request(void **state)
{
    struct bench *b = *state;

    fake_device_set(b->device, &(struct fake_script){.open = true, .body = FAKE_BODY_NONE_YET});
    bench_send(b);
    assert_true(loop_until_is(&b->loop, b->http, device_read_request, b));
    loop_pass(&b->loop, b->http, 9999);
    assert_false(b->result.over);
    loop_pass(&b->loop, b->http, 1);
    assert_true(bench_wait(b));
    assert_int_equal(b->result.failure.cause, CAUSE_TIMEOUT);
    assert_int_equal(b->loop.count, 0); /* a connection with an answer outstanding is not kept */
}

static void half_an_answer(void **state)
{
    struct bench *b = *state;

    fake_device_set(b->device, &(struct fake_script){.open = true, .body = FAKE_BODY_STALLED});
    bench_send(b);
    assert_true(loop_until_is(&b->loop, b->http, device_read_request, b));
    loop_turn(&b->loop, b->http, 50);
    loop_pass(&b->loop, b->http, 10000);
    assert_true(bench_wait(b));
    assert_int_equal(b->result.failure.cause, CAUSE_TIMEOUT);
}

static void on_done_late(void *arg, const struct http_answer *answer, const struct err *failure)
{
    (void)answer;
    assert_int_equal(failure->cause, CAUSE_TIMEOUT);
    *(bool *)arg = true;
}

static void the_callers_deadline_comes_first(void **state)
{
    struct bench *b = *state;
    bool over = false;
    struct buf body = buf_init(100);

    fake_device_set(b->device, &(struct fake_script){.open = true, .body = FAKE_BODY_NONE_YET});
    buf_puts(&body, "x");
    http_session_send(b->session, NULL, &body, clock_mono(&b->loop.clock) + 100, on_done_late, &over);
    buf_free(&body);
    assert_true(loop_until_is(&b->loop, b->http, device_read_request, b));
    loop_pass(&b->loop, b->http, 100);
    assert_true(loop_until(&b->loop, b->http, &over));
}

static void names_are_looked_up_off_the_loop(void **state)
{
    struct bench *b = *state;

    b->settings.name = "localhost";
    b->settings.address = NULL;
    bench_open(b);
    bench_succeeds(b, 200, FAKE_CONTENT); /* [::1], if it has that address, refuses; 127.0.0.1 is next */
    b->settings.name = "pc1";
    b->settings.address = "localhost"; /* the host's own name is one for people then */
    bench_open(b);
    bench_succeeds(b, 200, FAKE_CONTENT);
    b->settings.address = "no-such-host.invalid";
    bench_open(b);
    bench_fails(b, CAUSE_NAME_UNKNOWN);
    b->settings.address = NULL;
    b->settings.name = "no-such-host.invalid";
    bench_open(b);
    bench_fails(b, CAUSE_NAME_UNKNOWN);
    b->settings.name = "127.0.0.1"; /* an address needs no lookup */
    bench_open(b);
    bench_succeeds(b, 200, FAKE_CONTENT);
}

/* A name with three addresses, of which the last answers. */
static void every_address_of_a_name_is_tried(void **state)
{
    struct bench *b = *state;
    struct http_session *session = b->session;

    assert_true(http_addr_parse(&session->addrs[0], "127.255.255.254", b->settings.port));
    assert_true(http_addr_parse(&session->addrs[1], "127.255.255.253", b->settings.port));
    assert_true(http_addr_parse(&session->addrs[2], "127.0.0.1", b->settings.port));
    session->addr_count = 3;
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(http_session_facts(session).connections, 4);
    bench_succeeds(b, 200, FAKE_CONTENT); /* the one that answered is remembered */
    fake_device_hang_up(b->device);
    assert_true(loop_until_is(&b->loop, b->http, bench_connection_closed, b));
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(http_session_facts(session).connections, 5);
    for (int i = 0; i < 3; i++)
        assert_true(http_addr_parse(&session->addrs[i], "127.255.255.254", 1));
    fake_device_hang_up(b->device);
    assert_true(loop_until_is(&b->loop, b->http, bench_connection_closed, b));
    bench_fails(b, CAUSE_REFUSED);
    assert_int_equal(http_session_facts(session).connections, 8);
}

static void a_long_request(void **state)
{
    struct bench *b = *state;
    char *body = xmalloc(50001);

    memset(body, 'x', 50000); /* the longest that AMT takes */
    body[50000] = '\0';
    for (int i = 0; i < 3; i++) {
        bench_send_to(b, NULL, body);
        assert_true(bench_wait(b));
        assert_int_equal(b->result.status, 200);
    }
    assert_int_equal(fake_device_seen(b->device).unauthorized, 1);
    free(body);
}

static int connect_to_device(struct bench *b, int flags)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    struct pollfd writable = {.fd = fd, .events = POLLOUT};

    in.sin_port = htons(fake_device_port(b->device));
    if (connect(fd, (struct sockaddr *)&in, sizeof(in)) < 0)
        assert_int_equal(errno, EINPROGRESS);
    assert_int_equal(poll(&writable, 1, 5000), 1);
    return fd;
}

static void given_socket_is_used(void **state)
{
    static const int flags[] = {SOCK_NONBLOCK, 0};
    struct bench *b = *state;

    b->settings.address = "127.255.255.254"; /* nobody there */
    b->settings.port = 1;
    fake_device_set(b->device, &(struct fake_script){.open = true});
    for (size_t i = 0; i < 2; i++) {
        unsigned before = fake_device_seen(b->device).connections;
        bench_open(b);
        http_session_give_socket(b->session, connect_to_device(b, flags[i]));
        bench_succeeds(b, 200, FAKE_CONTENT);
        bench_succeeds(b, 200, FAKE_CONTENT);
        assert_int_equal(fake_device_seen(b->device).connections - before, 1);
        bench_send(b); /* freed under way */
        http_session_free(b->session);
        b->session = NULL;
    }
}

static void given_socket_that_is_not_needed(void **state)
{
    struct bench *b = *state;

    bench_succeeds(b, 200, FAKE_CONTENT);
    int fd = connect_to_device(b, 0);
    http_session_give_socket(b->session, fd);
    http_session_give_socket(b->session, dup(fd));
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* the first is closed when a second comes */
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(http_session_facts(b->session).connections, 2); /* as without */
}

static void given_socket_that_dies(void **state)
{
    struct bench *b = *state;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    http_session_give_socket(b->session, pair[0]);
    bench_send(b);
    for (int i = 0; i < 5; i++)
        loop_turn(&b->loop, b->http, 5);
    close(pair[1]);
    assert_true(bench_wait(b));
    assert_int_equal(b->result.failure.cause, CAUSE_DROPPED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        BENCH_TEST(nothing_is_sent_twice),
        BENCH_TEST(device_closes_while_idle),
        BENCH_TEST(closed_unseen_before_the_next_request),
        BENCH_TEST(closes_first_after_idle_time),
        BENCH_TEST(idle_times_differ),
        BENCH_TEST(idle_connections_are_bounded),
        BENCH_TEST(sessions_never_share_a_connection),
        BENCH_TEST(refused),
        BENCH_TEST(no_answer_to_connect),
        BENCH_TEST(no_answer_to_request),
        BENCH_TEST(half_an_answer),
        BENCH_TEST(the_callers_deadline_comes_first),
        BENCH_TEST(names_are_looked_up_off_the_loop),
        BENCH_TEST(every_address_of_a_name_is_tried),
        BENCH_TEST(a_long_request),
        BENCH_TEST(given_socket_is_used),
        BENCH_TEST(given_socket_that_is_not_needed),
        BENCH_TEST(given_socket_that_dies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
