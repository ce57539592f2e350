/* A loop for tests of the transport: poll(), one timer, threads for offloaded work, real or standing time. */
#ifndef TESTS_HTTP_LOOP_H
#define TESTS_HTTP_LOOP_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"
#include "wsman/http.h"

#define LOOP_FDS_MAX  4096
#define LOOP_JOBS_MAX 16

struct loop_job {
    struct http_loop *loop;
    pthread_t thread;
    void (*work)(void *data);
    void (*done)(void *data);
    void *data;
    bool used;
};

struct http_loop {
    struct http_owner owner; /* give this to http_new */
    struct clock clock;
    struct clock_fake fake;
    struct pollfd *fds; /* those watched */
    size_t count;
    int64_t timer_at; /* INT64_MAX: none */
    int done_pipe[2]; /* numbers of jobs whose work is done */
    struct loop_job jobs[LOOP_JOBS_MAX];
    bool hold_jobs; /* their done is not called until loop_release_jobs */
    uint32_t watches;
};

/* standing: time stands still until loop_pass; else it is the system's. */
void loop_init(struct http_loop *loop, bool standing);
void loop_clear(struct http_loop *loop);
/* Turns until *flag; false when that takes longer than 20 s of real time. */
bool loop_until(struct http_loop *loop, struct http *http, const bool *flag);
/* Turns until `is` says so. */
bool loop_until_is(struct http_loop *loop, struct http *http, bool (*is)(void *arg), void *arg);
/* One turn, waiting up to ms of real time for something to happen. */
void loop_turn(struct http_loop *loop, struct http *http, int ms);
/* Lets standing time pass and the timer fire if due. */
void loop_pass(struct http_loop *loop, struct http *http, int64_t ms);
/* True when fd is watched by anybody. */
bool loop_watches(const struct http_loop *loop, int fd);

#endif
