#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/xalloc.h"
#include "wsman/http_internal.h"
#include "wsman/http_tls_file.h"

int64_t http_now(const struct http *http)
{
    return clock_mono(http->owner.clock);
}

struct http *http_new(const struct http_owner *owner, struct http_keep keep, struct err *err)
{
    struct http *http = xcalloc(1, sizeof(*http));

    http->owner = *owner;
    http_kept_init(&http->kept[false], http, keep.plain);
    http_kept_init(&http->kept[true], http, keep.tls);
    http->armed_at = HTTP_TIMER_NEVER;
    if (http_md5_init(&http->md5, err) < 0) {
        http_free(http);
        return NULL;
    }
    return http;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    assert(!http->sessions);
    http_tls_files_free(&http->files);
    if (http->armed_at != HTTP_TIMER_NEVER)
        http->owner.timer(http->owner.arg, -1);
    http_timers_clear(&http->timers);
    http_md5_clear(&http->md5);
    buf_free(&http->room);
    free(http->watches.by_fd);
    free(http);
}

void http_rearm(struct http *http)
{
    bool at_once = http->ready || http->going || http_conns_too_many(http);
    int64_t next = at_once ? HTTP_TIMER_SOON : http_timers_next(&http->timers);

    /* Being called too early costs less than moving the owner's timer with every request. */
    if (next >= http->armed_at)
        return;
    http->armed_at = next;
    int64_t left = at_once ? 0 : next - http_now(http);
    http->owner.timer(http->owner.arg, left > 0 ? left : 0);
}

/* Those that come to it meanwhile wait for the next turn. */
static void go_on(struct http *http)
{
    const struct http_session *last = http->going ? http->going->prev : NULL;

    while (last && http->going) {
        bool is_last = http->going == last;
        http_session_advance(http->going);
        if (is_last)
            break;
    }
}

/* Hands over what is ready now; what becomes ready by that waits for its turn, so that a caller who asks
 * again from its callback cannot keep the loop to itself. */
static void deliver(struct http *http)
{
    struct http_session *last = http->ready ? http->ready->prev : NULL;

    while (last && http->ready) {
        struct http_session *session = http->ready;
        bool is_last = session == last;
        http_session_deliver(session);
        if (is_last)
            break;
    }
}

void http_socket_event(struct http *http, int fd, int events)
{
    struct http_watch *watch = http_watch_of(http, fd);

    if (!watch)
        return;
    watch->happened(http, watch, events);
    deliver(http);
    http_rearm(http);
}

void http_timer(struct http *http)
{
    int64_t now = http_now(http);

    http->armed_at = HTTP_TIMER_NEVER;
    for (struct http_timer *timer; (timer = http_timers_take(&http->timers, now));)
        timer->fire(timer);
    go_on(http);
    http_conns_trim(http);
    deliver(http);
    http_rearm(http);
}
