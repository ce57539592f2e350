/* A loop, streams on it, and one stream under test with a peer that blocks; for tests of streams. */
#ifndef TESTS_STREAM_BENCH_H
#define TESTS_STREAM_BENCH_H

#include "amtd/net/stream.h"
#include "base/buf.h"

struct stream_bench {
    uv_loop_t loop;
    struct dialer *dialer;
    struct streams *streams;
    uv_timer_t look;
    struct stream *stream;
    struct stream_peer peer;
    int listener;
    uint16_t port;
    /* what was called back */
    int ups, downs, drains;
    bool in_order; /* `down` without a failure */
    struct err failure;
    struct buf got;
    /* what a callback does */
    bool close_in_up, close_in_bytes, close_in_down, close_in_drained, pause_in_bytes;
};

/* A TCP listener on loopback, and a peer that names it. */
void stream_bench_init(struct stream_bench *b);
/* Closes the stream if a callback did not, lets the loop end and checks that nothing is left on it. */
void stream_bench_clear(struct stream_bench *b);
/* Opens b->peer. */
void stream_bench_open(struct stream_bench *b);
void stream_bench_adopt(struct stream_bench *b, int fd);
struct stream_events stream_bench_events(struct stream_bench *b);
/* Runs the loop until somebody connects to the listener; its descriptor blocks. */
int stream_bench_accept(struct stream_bench *b);
/* Runs the loop until it is true; fails after a minute. */
void stream_bench_until(struct stream_bench *b, bool (*done)(const struct stream_bench *));
bool stream_bench_is_up(const struct stream_bench *b);
bool stream_bench_is_down(const struct stream_bench *b);
/* One turn of the loop that does not wait. */
void stream_bench_turn(struct stream_bench *b);
/* All of n bytes, blocking. */
void peer_reads(int fd, void *p, size_t n);
void peer_writes(int fd, const void *p, size_t n);

#endif
