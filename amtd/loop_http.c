#include "amtd/loop_http.h"

#include <stdlib.h>

#include "amtd/loop_watch.h"
#include "base/log.h"
#include "base/xalloc.h"

struct loop_http {
    uv_loop_t *loop;
    struct http *http;
    struct loop_watch *watches;
    uv_timer_t timer;
};

struct job {
    uv_work_t req;
    void (*work)(void *data);
    void (*done)(void *data);
    void *data;
};

static void happened(void *arg, int fd, void *data, int events)
{
    struct loop_http *lh = arg;

    (void)data;
    http_socket_event(lh->http, fd,
                      (events & UV_READABLE ? HTTP_WATCH_READ : 0) |
                          (events & UV_WRITABLE ? HTTP_WATCH_WRITE : 0));
}

static void watch(void *arg, int fd, int events)
{
    struct loop_http *lh = arg;
    int what = (events & HTTP_WATCH_READ ? UV_READABLE : 0) | (events & HTTP_WATCH_WRITE ? UV_WRITABLE : 0);

    if (events & HTTP_WATCH_CLOSING)
        loop_watch_closing(lh->watches, fd);
    else if (loop_watch_set(lh->watches, fd, what, NULL) < 0)
        log_err(NULL, "descriptor %d cannot be watched", fd); /* its exchange ends by its time limit */
}

static void on_timer(uv_timer_t *timer)
{
    struct loop_http *lh = timer->data;

    http_timer(lh->http);
}

static void set_timer(void *arg, int64_t ms)
{
    struct loop_http *lh = arg;

    if (ms < 0)
        uv_timer_stop(&lh->timer);
    else
        uv_timer_start(&lh->timer, on_timer, (uint64_t)ms, 0);
}

static void run_work(uv_work_t *req)
{
    struct job *job = req->data;

    job->work(job->data);
}

static void after_work(uv_work_t *req, int status)
{
    struct job *job = req->data;

    (void)status; /* never cancelled */
    job->done(job->data);
    free(job);
}

static void offload(void *arg, void (*work)(void *data), void (*done)(void *data), void *data)
{
    struct loop_http *lh = arg;
    struct job *job = xcalloc(1, sizeof(*job));

    job->req.data = job;
    job->work = work;
    job->done = done;
    job->data = data;
    uv_queue_work(lh->loop, &job->req, run_work, after_work);
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

struct loop_http *loop_http_new(uv_loop_t *loop, const struct clock *clock, struct http_keep keep,
                                struct err *err)
{
    struct loop_http *lh = xcalloc(1, sizeof(*lh));
    struct http_owner owner = {lh, clock, watch, set_timer, offload};

    lh->loop = loop;
    uv_timer_init(loop, &lh->timer);
    lh->timer.data = lh;
    lh->watches = loop_watch_new(loop, happened, lh, err);
    lh->http = lh->watches ? http_new(&owner, keep, err) : NULL;
    if (lh->http)
        return lh;
    loop_http_free(lh);
    return NULL;
}

struct http *loop_http_get(const struct loop_http *lh)
{
    return lh->http;
}

void loop_http_free(struct loop_http *lh)
{
    if (!lh)
        return;
    http_free(lh->http);
    loop_watch_free(lh->watches);
    uv_close((uv_handle_t *)&lh->timer, timer_closed);
}
