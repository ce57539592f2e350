#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "tests/unit/net/stream_bench.h"

#define PATIENCE_MS 60000
#define LOOK_MS     10 /* a turn of the loop may call back first and wait then */
#define GOT_MAX     (64 * 1024 * 1024)

static void close_here(struct stream_bench *b)
{
    stream_close(b->stream, 0);
    b->stream = NULL;
}

static void on_up(void *arg)
{
    struct stream_bench *b = arg;

    b->ups++;
    if (b->close_in_up)
        close_here(b);
}

static void on_bytes(void *arg, const uint8_t *p, size_t n)
{
    struct stream_bench *b = arg;

    buf_add(&b->got, p, n);
    if (b->pause_in_bytes)
        stream_pause(b->stream);
    if (b->close_in_bytes)
        close_here(b);
}

static void on_drained(void *arg)
{
    struct stream_bench *b = arg;

    b->drains++;
    if (b->close_in_drained)
        close_here(b);
}

static void on_down(void *arg, const struct err *failure)
{
    struct stream_bench *b = arg;

    b->downs++;
    b->in_order = !failure;
    if (failure)
        b->failure = *failure;
    if (b->close_in_down)
        close_here(b);
}

struct stream_events stream_bench_events(struct stream_bench *b)
{
    return (struct stream_events){b, on_up, on_bytes, on_drained, on_down};
}

void stream_bench_init(struct stream_bench *b)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    memset(b, 0, sizeof(*b));
    b->got = buf_init(GOT_MAX);
    uv_loop_init(&b->loop);
    b->dialer = dialer_new(&b->loop, 8, NULL);
    assert_non_null(b->dialer);
    b->streams = streams_new(&b->loop, b->dialer);
    uv_timer_init(&b->loop, &b->look);
    b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(b->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(b->listener, 16), 0);
    assert_int_equal(getsockname(b->listener, (struct sockaddr *)&address, &size), 0);
    b->port = ntohs(address.sin_port);
    b->peer = (struct stream_peer){.host = "127.0.0.1", .port = b->port, .open_ms = PATIENCE_MS};
}

void stream_bench_clear(struct stream_bench *b)
{
    stream_close(b->stream, 0);
    streams_free(b->streams);
    dialer_free(b->dialer);
    uv_close((uv_handle_t *)&b->look, NULL);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&b->loop), 0);
    buf_free(&b->got);
    if (b->listener >= 0)
        close(b->listener);
}

void stream_bench_open(struct stream_bench *b)
{
    struct stream_events events = stream_bench_events(b);
    struct err err = ERR_INIT;

    b->stream = stream_open(b->streams, &b->peer, &events, &err);
    if (!b->stream)
        fail_msg("%s", err.text);
}

void stream_bench_adopt(struct stream_bench *b, int fd)
{
    struct stream_events events = stream_bench_events(b);
    struct err err = ERR_INIT;

    b->stream = stream_adopt(b->streams, fd, b->peer.queue_max, &events, &err);
    if (!b->stream)
        fail_msg("%s", err.text);
}

static void on_look(uv_timer_t *timer)
{
    (void)timer;
}

void stream_bench_until(struct stream_bench *b, bool (*done)(const struct stream_bench *))
{
    uint64_t limit = uv_hrtime() + PATIENCE_MS * (uint64_t)1000000;

    uv_timer_start(&b->look, on_look, LOOK_MS, LOOK_MS);
    while (!done(b)) {
        uv_run(&b->loop, UV_RUN_ONCE);
        if (uv_hrtime() > limit)
            fail_msg("nothing came within a minute");
    }
    uv_timer_stop(&b->look);
}

static bool has_caller(const struct stream_bench *b)
{
    struct pollfd p = {.fd = b->listener, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

int stream_bench_accept(struct stream_bench *b)
{
    int fd;

    while (!has_caller(b))
        uv_run(&b->loop, UV_RUN_NOWAIT);
    fd = accept(b->listener, NULL, NULL);
    assert_true(fd >= 0);
    return fd;
}

bool stream_bench_is_up(const struct stream_bench *b)
{
    return b->ups > 0;
}

bool stream_bench_is_down(const struct stream_bench *b)
{
    return b->downs > 0;
}

void stream_bench_turn(struct stream_bench *b)
{
    uv_run(&b->loop, UV_RUN_NOWAIT);
}

void peer_reads(int fd, void *p, size_t n)
{
    assert_int_equal(recv(fd, p, n, MSG_WAITALL), n);
}

void peer_writes(int fd, const void *p, size_t n)
{
    assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}
