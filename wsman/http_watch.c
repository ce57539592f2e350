#include <string.h>

#include "base/xalloc.h"
#include "wsman/http_internal.h"

#define CAP_FIRST 256

void http_watch_add(struct http *http, struct http_watch *watch, int fd,
                    void (*happened)(struct http *http, struct http_watch *watch, int events))
{
    struct http_watches *all = &http->watches;
    size_t cap = all->cap ? all->cap : CAP_FIRST;

    *watch = (struct http_watch){.fd = fd, .happened = happened};
    while (cap <= (size_t)fd)
        cap *= 2;
    if (cap != all->cap) {
        all->by_fd = xreallocarray(all->by_fd, cap, sizeof(struct http_watch *));
        memset(all->by_fd + all->cap, 0, (cap - all->cap) * sizeof(struct http_watch *));
        all->cap = cap;
    }
    all->by_fd[fd] = watch;
}

void http_watch_set(struct http *http, struct http_watch *watch, int events)
{
    if (watch->events == events)
        return;
    watch->events = events;
    http->owner.watch(http->owner.arg, watch->fd, events);
}

void http_watch_remove(struct http *http, struct http_watch *watch)
{
    if (watch->events)
        http_watch_set(http, watch, HTTP_WATCH_CLOSING);
    http->watches.by_fd[watch->fd] = NULL;
}

struct http_watch *http_watch_of(const struct http *http, int fd)
{
    return fd >= 0 && (size_t)fd < http->watches.cap ? http->watches.by_fd[fd] : NULL;
}
