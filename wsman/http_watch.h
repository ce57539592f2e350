/* Descriptors that the owner of the loop watches for the transport, and who wants to hear of them. */
#ifndef WSMAN_HTTP_WATCH_H
#define WSMAN_HTTP_WATCH_H

#include <stddef.h>

struct http;

/* Embedded in whoever owns the descriptor. */
struct http_watch {
    int fd;
    int events; /* HTTP_WATCH_ bits the owner was asked for */
    void (*happened)(struct http *http, struct http_watch *watch, int events);
};

struct http_watches {
    struct http_watch **by_fd;
    size_t cap;
};

/* Makes the descriptor known; nothing is watched yet. */
void http_watch_add(struct http *http, struct http_watch *watch, int fd,
                    void (*happened)(struct http *http, struct http_watch *watch, int events));
void http_watch_set(struct http *http, struct http_watch *watch, int events);
/* Watches no more and forgets it; the caller closes the descriptor at once. */
void http_watch_remove(struct http *http, struct http_watch *watch);
struct http_watch *http_watch_of(const struct http *http, int fd); /* NULL: not ours */

#endif
