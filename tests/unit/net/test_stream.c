/* Streams without TLS: what is carried, what waits, how they end, and peers that vanish. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/net/stream_bench.h"

#define FLOOD (8 * 1024 * 1024)

static int setup(void **state)
{
    struct stream_bench *b = calloc(1, sizeof(*b));

    stream_bench_init(b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    stream_bench_clear(*state);
    free(*state);
    return 0;
}

static uint8_t *pattern(size_t n)
{
    uint8_t *p = malloc(n);

    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
    return p;
}

static bool got_five(const struct stream_bench *b)
{
    return b->got.len >= 5;
}

static bool drained(const struct stream_bench *b)
{
    return b->drains > 0;
}

static int open_tcp(struct stream_bench *b)
{
    stream_bench_open(b);
    int peer = stream_bench_accept(b);
    stream_bench_until(b, stream_bench_is_up);
    return peer;
}

static void text_has(const struct stream_bench *b, const char *part)
{
    if (!strstr(b->failure.text, part))
        fail_msg("'%s' is not in: %s", part, b->failure.text);
}

/* --- bytes --- */

static void carries_both_ways(void **state)
{
    struct stream_bench *b = *state;
    char text[8] = "";
    int peer = open_tcp(b);

    assert_true(stream_is_up(b->stream));
    assert_int_equal(stream_write(b->stream, "hello", 5), 5);
    peer_reads(peer, text, 5);
    assert_string_equal(text, "hello");
    peer_writes(peer, "world", 5);
    stream_bench_until(b, got_five);
    assert_string_equal(buf_str(&b->got), "world");
    close(peer);
    stream_bench_until(b, stream_bench_is_down);
    assert_true(b->in_order);
    assert_int_equal(stream_write(b->stream, "x", 1), 0);
}

static void takes_bytes_before_it_is_open(void **state)
{
    struct stream_bench *b = *state;
    char text[8] = "";

    b->peer.queue_max = 5;
    stream_bench_open(b);
    assert_int_equal(stream_write(b->stream, "early birds", 11), 5);
    assert_int_equal(stream_backlog(b->stream), 5);
    int peer = stream_bench_accept(b);
    stream_bench_until(b, drained);
    peer_reads(peer, text, 5);
    assert_string_equal(text, "early");
    close(peer);
}

static void adopts_a_descriptor(void **state)
{
    struct stream_bench *b = *state;
    char text[8] = "";
    int pair[2], end[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    stream_bench_adopt(b, pair[0]);
    stream_bench_until(b, stream_bench_is_up);
    assert_int_equal(stream_write(b->stream, "hello", 5), 5);
    peer_reads(pair[1], text, 5);
    peer_writes(pair[1], "world", 5);
    stream_bench_until(b, got_five);
    close(pair[1]);
    stream_bench_until(b, stream_bench_is_down);
    assert_true(b->in_order);
    stream_close(b->stream, 0);

    assert_int_equal(pipe2(end, O_CLOEXEC), 0); /* the read end of a pipe does as well */
    b->ups = b->downs = 0;
    buf_reset(&b->got);
    stream_bench_adopt(b, end[0]);
    assert_int_equal(write(end[1], "piped", 5), 5);
    close(end[1]);
    stream_bench_until(b, stream_bench_is_down);
    assert_string_equal(buf_str(&b->got), "piped");
}

static void refuses_a_regular_file(void **state)
{
    struct stream_bench *b = *state;
    struct stream_events events = stream_bench_events(b);
    struct err err = ERR_INIT;
    char path[] = "/tmp/test_stream.XXXXXX";
    int fd = mkstemp(path);

    unlink(path);
    assert_null(stream_adopt(b->streams, fd, 0, &events, &err));
    assert_int_equal(err.cause, CAUSE_SYSTEM);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* --- what waits --- */

/* A peer that does not read fills the queue; what was accepted arrives whole and in order when it does. */
static void queue_fills_and_drains(void **state)
{
    struct stream_bench *b = *state;
    uint8_t *sent = pattern(FLOOD), *came = malloc(FLOOD);
    size_t accepted = 0;
    int peer;

    b->peer.queue_max = 32 * 1024;
    peer = open_tcp(b);
    for (size_t n = 1; n > 0 && accepted < FLOOD;) {
        size_t want = FLOOD - accepted;

        n = stream_write(b->stream, sent + accepted, want < 100000 ? want : 100000);
        accepted += n;
        stream_bench_turn(b);
    }
    assert_int_equal(stream_backlog(b->stream), 32 * 1024);
    assert_int_equal(stream_write(b->stream, "x", 1), 0);
    assert_int_equal(b->drains, 0);
    fcntl(peer, F_SETFL, O_NONBLOCK);
    for (size_t at = 0; at < accepted;) {
        ssize_t n = recv(peer, came + at, accepted - at, 0);

        if (n > 0)
            at += (size_t)n;
        stream_bench_turn(b);
    }
    assert_true(b->drains > 0);
    assert_memory_equal(sent, came, accepted);
    assert_int_equal(stream_backlog(b->stream), 0);
    close(peer);
    free(sent);
    free(came);
}

static void a_paused_stream_holds_its_peer_back(void **state)
{
    struct stream_bench *b = *state;
    uint8_t *sent = pattern(FLOOD);
    size_t at = 0, before;
    int peer = open_tcp(b);

    fcntl(peer, F_SETFL, O_NONBLOCK);
    stream_pause(b->stream);
    for (int idle = 0; idle < 50;) { /* until the windows are full */
        ssize_t n = send(peer, sent + at, FLOOD - at, MSG_NOSIGNAL);

        idle = n > 0 ? 0 : idle + 1;
        at += n > 0 ? (size_t)n : 0;
        stream_bench_turn(b);
    }
    assert_true(at < FLOOD);
    assert_int_equal(b->got.len, 0);
    b->pause_in_bytes = true; /* one chunk for each resume */
    stream_resume(b->stream);
    while (b->got.len == 0)
        stream_bench_turn(b);
    before = b->got.len;
    assert_true(before <= STREAM_CHUNK_MAX);
    for (int i = 0; i < 10; i++)
        stream_bench_turn(b);
    assert_int_equal(b->got.len, before);
    b->pause_in_bytes = false;
    stream_resume(b->stream);
    while (b->got.len < FLOOD) {
        ssize_t n = at < FLOOD ? send(peer, sent + at, FLOOD - at, MSG_NOSIGNAL) : 0;

        at += n > 0 ? (size_t)n : 0;
        stream_bench_turn(b);
    }
    assert_memory_equal(b->got.p, sent, FLOOD);
    close(peer);
    free(sent);
}

/* --- ends --- */

static void lingers_until_all_is_sent(void **state)
{
    struct stream_bench *b = *state;
    uint8_t *sent = pattern(FLOOD), *came = malloc(FLOOD);
    size_t accepted = 0, at = 0;
    ssize_t n = -1;
    int peer;

    b->peer.queue_max = FLOOD;
    peer = open_tcp(b);
    accepted = stream_write(b->stream, sent, FLOOD);
    assert_int_equal(accepted, FLOOD);
    assert_true(stream_backlog(b->stream) > 0);
    stream_close(b->stream, 60000);
    b->stream = NULL;
    fcntl(peer, F_SETFL, O_NONBLOCK);
    while (n != 0) {
        n = recv(peer, came + at, FLOOD - at + 1, 0);
        at += n > 0 ? (size_t)n : 0;
        assert_true(n >= 0 || errno == EAGAIN);
        stream_bench_turn(b);
    }
    assert_int_equal(at, FLOOD);
    assert_memory_equal(sent, came, FLOOD);
    assert_int_equal(b->downs, 0);
    close(peer);
    free(sent);
    free(came);
}

/* One that is to linger and whose peer never reads is cut off with the rest. */
static void lingering_has_an_end(void **state)
{
    struct stream_bench *b = *state;
    uint8_t *sent = pattern(FLOOD);
    int peer;

    b->peer.queue_max = FLOOD;
    peer = open_tcp(b);
    stream_write(b->stream, sent, FLOOD);
    stream_close(b->stream, 20);
    b->stream = NULL;
    uv_run(&b->loop, UV_RUN_DEFAULT); /* ends when the stream is gone */
    close(peer);
    free(sent);
}

static void may_be_closed_in_any_callback(void **state)
{
    struct stream_bench *b = *state;
    bool *const places[] = {&b->close_in_up, &b->close_in_bytes, &b->close_in_down, &b->close_in_drained};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        *places[i] = true;
        stream_bench_open(b);
        stream_write(b->stream, "x", 1);
        int peer = stream_bench_accept(b);
        peer_writes(peer, "hello", 5);
        shutdown(peer, SHUT_WR);
        while (b->stream)
            stream_bench_turn(b);
        close(peer);
        *places[i] = false;
    }
    assert_int_equal(b->downs, 1); /* in the round that waited for it */
}

static void a_reset_is_a_failure(void **state)
{
    struct stream_bench *b = *state;
    struct linger hard = {.l_onoff = 1};
    int peer = open_tcp(b);

    setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(peer);
    stream_bench_until(b, stream_bench_is_down);
    assert_false(b->in_order);
    assert_int_equal(b->failure.cause, CAUSE_DROPPED);
}

/* --- not opened --- */

static void a_closed_port_is_refused(void **state)
{
    struct stream_bench *b = *state;

    close(b->listener);
    b->listener = -1;
    stream_bench_open(b);
    stream_bench_until(b, stream_bench_is_down);
    assert_int_equal(b->failure.cause, CAUSE_REFUSED);
    assert_int_equal(b->ups, 0);
}

static void unix_sockets(void **state)
{
    struct stream_bench *b = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char dir[] = "/tmp/test_stream.XXXXXX", text[8] = "";
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_non_null(mkdtemp(dir));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", dir);
    b->peer = (struct stream_peer){.path = address.sun_path};
    stream_bench_open(b);
    stream_bench_until(b, stream_bench_is_down);
    assert_int_equal(b->failure.cause, CAUSE_UNREACHABLE);
    text_has(b, address.sun_path);
    stream_close(b->stream, 0);

    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    b->downs = 0;
    stream_bench_open(b);
    stream_bench_until(b, stream_bench_is_down);
    assert_int_equal(b->failure.cause, CAUSE_REFUSED);
    stream_close(b->stream, 0);

    assert_int_equal(listen(listener, 1), 0);
    stream_bench_open(b);
    int peer = accept(listener, NULL, NULL);
    stream_bench_until(b, stream_bench_is_up);
    stream_write(b->stream, "hello", 5);
    peer_reads(peer, text, 5);
    assert_string_equal(text, "hello");
    close(peer);
    close(listener);
    unlink(address.sun_path);
    rmdir(dir);
}

static void nonsense_is_refused_at_once(void **state)
{
    struct stream_bench *b = *state;
    struct stream_events events = stream_bench_events(b);
    char long_path[200];
    const struct stream_peer peers[] = {
        {.host = "", .port = 1}, {.host = "pc1"}, {.path = ""}, {.path = long_path}, {.port = 1}};

    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
        struct err err = ERR_INIT;

        assert_null(stream_open(b->streams, &peers[i], &events, &err));
        assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    }
}

/* --- peers that vanish --- */

static bool set_loopback(bool up)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done;

    request.ifr_flags = up ? IFF_UP | IFF_RUNNING : 0;
    done = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return done;
}

/* A network of our own, whose only cable we may pull. */
static void own_network(void)
{
    if ((unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) || !set_loopback(true))
        skip();
}

static int setup_alone(void **state)
{
    *state = NULL;
    return 0;
}

static void vanishes(bool sending)
{
    struct stream_bench b;
    int peer;

    own_network();
    stream_bench_init(&b);
    b.peer.vanished_ms = 3000;
    peer = open_tcp(&b);
    set_loopback(false);
    if (sending)
        stream_write(b.stream, "is anybody there?", 17);
    stream_bench_until(&b, stream_bench_is_down);
    assert_int_equal(b.failure.cause, CAUSE_DROPPED);
    text_has(&b, "vanished");
    close(peer);
    stream_bench_clear(&b);
}

static void an_idle_peer_vanishes(void **state)
{
    (void)state;
    vanishes(false);
}

static void a_peer_vanishes_with_what_was_sent(void **state)
{
    (void)state;
    vanishes(true);
}

static uint64_t borne_until;

static bool long_over(const struct stream_bench *b)
{
    return b->downs > 0 || uv_hrtime() > borne_until;
}

/* It answers the kernel, so it lives: however long it does not read. */
static void a_peer_that_does_not_read_is_borne(void **state)
{
    struct stream_bench *b = *state;
    uint8_t *sent = pattern(FLOOD);
    int peer;

    b->peer.queue_max = FLOOD;
    b->peer.vanished_ms = 500;
    peer = open_tcp(b);
    stream_write(b->stream, sent, FLOOD);
    borne_until = uv_hrtime() + 4000000000U;
    stream_bench_until(b, long_over);
    assert_int_equal(b->downs, 0);
    close(peer);
    free(sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(carries_both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_bytes_before_it_is_open, setup, teardown),
        cmocka_unit_test_setup_teardown(adopts_a_descriptor, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_a_regular_file, setup, teardown),
        cmocka_unit_test_setup_teardown(queue_fills_and_drains, setup, teardown),
        cmocka_unit_test_setup_teardown(a_paused_stream_holds_its_peer_back, setup, teardown),
        cmocka_unit_test_setup_teardown(lingers_until_all_is_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(lingering_has_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(may_be_closed_in_any_callback, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reset_is_a_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_port_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(unix_sockets, setup, teardown),
        cmocka_unit_test_setup_teardown(nonsense_is_refused_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_peer_that_does_not_read_is_borne, setup, teardown),
        cmocka_unit_test_setup(an_idle_peer_vanishes, setup_alone),
        cmocka_unit_test_setup(a_peer_vanishes_with_what_was_sent, setup_alone),
    };

    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
