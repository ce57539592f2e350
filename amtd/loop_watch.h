/* Many descriptors watched on one libuv loop.
 *
 * libuv's own uv_poll_t costs an allocation and several system calls whenever a descriptor comes, goes or
 * waits for something else. A transport that opens and closes ten thousand connections feels that; so one
 * epoll instance holds them all, and libuv watches that one. It keeps the loop
 * running only while something is watched. Loop's thread only. */
#ifndef AMTD_LOOP_WATCH_H
#define AMTD_LOOP_WATCH_H

#include <uv.h>

#include "base/err.h"

struct loop_watch;

/* Something watched for happened on fd: events are UV_READABLE, UV_WRITABLE. An error or hang-up counts as
 * readable, and as writable while that is watched. data as given with loop_watch_set. Watches may be set
 * and descriptors closed from inside: what had happened on those is then not told any more. */
typedef void loop_watch_happened(void *arg, int fd, void *data, int events);

/* NULL and err (system). */
struct loop_watch *loop_watch_new(uv_loop_t *loop, loop_watch_happened *happened, void *arg, struct err *err);
/* Watches nothing any more, frees later, from the loop; not from inside loop_watch_happened. NULL is fine. */
void loop_watch_free(struct loop_watch *lw);

/* Watches fd for these events from now on instead of those before, level-triggered. events 0: no more; this
 * or loop_watch_closing must be said before it is closed. -1 when the kernel refuses to watch it. */
int loop_watch_set(struct loop_watch *lw, int fd, int events, void *data);
/* No more either: fd, which has no duplicate, is closed before anything else happens, and so the kernel
 * forgets it by itself. */
void loop_watch_closing(struct loop_watch *lw, int fd);

#endif
