#include "tests/unit/wsman/http_loop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"

#define GUARD_MS 20000

static void on_watch(void *arg, int fd, int events)
{
    struct http_loop *loop = arg;
    short bits = (short)((events & HTTP_WATCH_READ ? POLLIN : 0) | (events & HTTP_WATCH_WRITE ? POLLOUT : 0));
    size_t i;

    loop->watches++;
    assert_true(fcntl(fd, F_GETFD) >= 0); /* never a descriptor that is closed */
    for (i = 0; i < loop->count && loop->fds[i].fd != fd; i++)
        ;
    if (!bits) {
        assert_true(i < loop->count);
        loop->fds[i] = loop->fds[--loop->count];
        return;
    }
    if (i == loop->count) {
        assert_true(loop->count < LOOP_FDS_MAX);
        loop->count++;
    }
    loop->fds[i] = (struct pollfd){.fd = fd, .events = bits};
}

static void on_timer(void *arg, int64_t ms)
{
    struct http_loop *loop = arg;

    loop->timer_at = ms < 0 ? INT64_MAX : clock_mono(&loop->clock) + ms;
}

static void *job_thread(void *arg)
{
    struct loop_job *job = arg;
    unsigned char number = (unsigned char)(job - job->loop->jobs);

    job->work(job->data);
    if (write(job->loop->done_pipe[1], &number, 1) != 1)
        abort();
    return NULL;
}

static void on_offload(void *arg, void (*work)(void *data), void (*done)(void *data), void *data)
{
    struct http_loop *loop = arg;
    size_t i;

    for (i = 0; i < LOOP_JOBS_MAX && loop->jobs[i].used; i++)
        ;
    assert_true(i < LOOP_JOBS_MAX);
    loop->jobs[i] = (struct loop_job){.loop = loop, .work = work, .done = done, .data = data, .used = true};
    assert_int_equal(pthread_create(&loop->jobs[i].thread, NULL, job_thread, &loop->jobs[i]), 0);
}

static void finish_jobs(struct http_loop *loop)
{
    unsigned char number;

    while (!loop->hold_jobs && read(loop->done_pipe[0], &number, 1) == 1) {
        struct loop_job job = loop->jobs[number];
        pthread_join(job.thread, NULL);
        loop->jobs[number].used = false;
        job.done(job.data);
    }
}

void loop_init(struct http_loop *loop, bool standing)
{
    *loop = (struct http_loop){.timer_at = INT64_MAX};
    loop->fake = (struct clock_fake){.mono = 1000000, .wall = 1700000000000};
    loop->clock = standing ? clock_fake_init(&loop->fake) : *clock_system();
    loop->fds = xcalloc(LOOP_FDS_MAX, sizeof(*loop->fds));
    assert_int_equal(pipe2(loop->done_pipe, O_CLOEXEC), 0);
    assert_int_equal(fcntl(loop->done_pipe[0], F_SETFL, O_NONBLOCK), 0);
    loop->owner = (struct http_owner){
        .arg = loop, .clock = &loop->clock, .watch = on_watch, .timer = on_timer, .offload = on_offload};
}

static bool jobs_left(const struct http_loop *loop)
{
    for (size_t i = 0; i < LOOP_JOBS_MAX; i++)
        if (loop->jobs[i].used)
            return true;
    return false;
}

void loop_clear(struct http_loop *loop)
{
    loop->hold_jobs = false;
    while (jobs_left(loop)) {
        struct pollfd fd = {.fd = loop->done_pipe[0], .events = POLLIN};
        assert_int_equal(poll(&fd, 1, GUARD_MS), 1);
        finish_jobs(loop);
    }
    assert_int_equal(loop->count, 0); /* the transport has let go of all it watched */
    close(loop->done_pipe[0]);
    close(loop->done_pipe[1]);
    free(loop->fds);
}

void loop_turn(struct http_loop *loop, struct http *http, int ms)
{
    struct pollfd ready[LOOP_FDS_MAX + 1];
    int64_t left = loop->timer_at == INT64_MAX ? ms : loop->timer_at - clock_mono(&loop->clock);

    memcpy(ready, loop->fds, loop->count * sizeof(*ready));
    size_t count = loop->count;
    ready[count] = (struct pollfd){.fd = loop->hold_jobs ? -1 : loop->done_pipe[0], .events = POLLIN};
    if (left < 0)
        left = 0;
    if (poll(ready, count + 1, left < ms ? (int)left : ms) > 0) {
        for (size_t i = 0; i < count; i++) {
            int events = (ready[i].revents & (POLLIN | POLLHUP | POLLERR) ? HTTP_WATCH_READ : 0) |
                         (ready[i].revents & (POLLOUT | POLLERR) ? HTTP_WATCH_WRITE : 0);
            if (events && loop_watches(loop, ready[i].fd))
                http_socket_event(http, ready[i].fd, events);
        }
    }
    finish_jobs(loop);
    if (clock_mono(&loop->clock) >= loop->timer_at) {
        loop->timer_at = INT64_MAX;
        http_timer(http);
    }
}

bool loop_until_is(struct http_loop *loop, struct http *http, bool (*is)(void *arg), void *arg)
{
    int64_t end = clock_mono(clock_system()) + GUARD_MS;

    while (!is(arg)) {
        if (clock_mono(clock_system()) > end)
            return false;
        loop_turn(loop, http, 20);
    }
    return true;
}

static bool flag_is_set(void *arg)
{
    return *(const bool *)arg;
}

bool loop_until(struct http_loop *loop, struct http *http, const bool *flag)
{
    return loop_until_is(loop, http, flag_is_set, (void *)flag);
}

void loop_pass(struct http_loop *loop, struct http *http, int64_t ms)
{
    loop->fake.mono += ms;
    loop_turn(loop, http, 0);
}

bool loop_watches(const struct http_loop *loop, int fd)
{
    for (size_t i = 0; i < loop->count; i++)
        if (loop->fds[i].fd == fd)
            return true;
    return false;
}
