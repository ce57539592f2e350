#include "amtd/loop_http.h"

#include <stdlib.h>
#include <uthash.h>

#include "base/log.h"
#include "base/xalloc.h"

struct watcher {
    int fd;
    struct loop_http *owner;
    uv_poll_t poll;
    UT_hash_handle hh;
};

struct loop_http {
    uv_loop_t *loop;
    struct http *http;
    struct watcher *watchers;
    uv_timer_t timer;
};

struct job {
    uv_work_t req;
    void (*work)(void *data);
    void (*done)(void *data);
    void *data;
};

static void watcher_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void watcher_drop(struct loop_http *lh, struct watcher *w)
{
    HASH_DEL(lh->watchers, w);
    uv_poll_stop(&w->poll);
    uv_close((uv_handle_t *)&w->poll, watcher_closed);
}

/* An error on the descriptor is for the transport to find out: it is told that everything may be tried. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watcher *w = poll->data;
    int what = (events & UV_READABLE ? HTTP_WATCH_READ : 0) | (events & UV_WRITABLE ? HTTP_WATCH_WRITE : 0);

    http_socket_event(w->owner->http, w->fd, status < 0 ? HTTP_WATCH_READ | HTTP_WATCH_WRITE : what);
}

static void watch(void *arg, int fd, int events)
{
    struct loop_http *lh = arg;
    struct watcher *w;
    int what = (events & HTTP_WATCH_READ ? UV_READABLE : 0) | (events & HTTP_WATCH_WRITE ? UV_WRITABLE : 0);

    HASH_FIND_INT(lh->watchers, &fd, w);
    if (what == 0) {
        if (w)
            watcher_drop(lh, w);
        return;
    }
    if (!w) {
        w = xcalloc(1, sizeof(*w));
        w->fd = fd;
        w->owner = lh;
        if (uv_poll_init(lh->loop, &w->poll, fd) != 0) {
            log_err(NULL, "descriptor %d cannot be watched", fd); /* its exchange ends by its time limit */
            free(w);
            return;
        }
        w->poll.data = w;
        HASH_ADD_INT(lh->watchers, fd, w);
    }
    uv_poll_start(&w->poll, what, on_poll);
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

struct loop_http *loop_http_new(uv_loop_t *loop, const struct clock *clock, size_t idle_max, struct err *err)
{
    struct loop_http *lh = xcalloc(1, sizeof(*lh));
    struct http_owner owner = {lh, clock, watch, set_timer, offload};

    lh->loop = loop;
    uv_timer_init(loop, &lh->timer);
    lh->timer.data = lh;
    lh->http = http_new(&owner, idle_max, err);
    if (lh->http)
        return lh;
    uv_close((uv_handle_t *)&lh->timer, watcher_closed);
    return NULL;
}

struct http *loop_http_get(const struct loop_http *lh)
{
    return lh->http;
}

void loop_http_free(struct loop_http *lh)
{
    struct watcher *w, *next;

    if (!lh)
        return;
    http_free(lh->http);
    HASH_ITER(hh, lh->watchers, w, next)
    watcher_drop(lh, w);
    uv_close((uv_handle_t *)&lh->timer, watcher_closed);
}
