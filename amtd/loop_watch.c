#include "amtd/loop_watch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/xalloc.h"

#define AT_ONCE 256 /* events taken from the kernel together */
#define FDS_MIN 256

struct slot { /* of one descriptor */
    void *data;
    uint32_t life; /* counts up when it is no longer watched, so that old events are known as such */
    int events;
};

struct loop_watch {
    uv_poll_t poll;
    int epoll;
    loop_watch_happened *happened;
    void *arg;
    struct slot *slots; /* by descriptor */
    size_t count;
    size_t watched; /* with none, the loop may end */
};

static uint32_t to_epoll(int events)
{
    return (events & UV_READABLE ? (uint32_t)EPOLLIN : 0) | (events & UV_WRITABLE ? (uint32_t)EPOLLOUT : 0);
}

static int from_epoll(uint32_t events, int watched)
{
    if (events & (EPOLLERR | EPOLLHUP))
        return watched | UV_READABLE;
    return (events & EPOLLIN ? UV_READABLE : 0) | (events & EPOLLOUT ? UV_WRITABLE : 0);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct loop_watch *lw = poll->data;
    struct epoll_event happened[AT_ONCE];
    int n = epoll_wait(lw->epoll, happened, AT_ONCE, 0);

    (void)status;
    (void)events;
    for (int i = 0; i < n; i++) {
        int fd = (int)(uint32_t)happened[i].data.u64;
        const struct slot *slot = &lw->slots[fd];
        if (slot->events && slot->life == (uint32_t)(happened[i].data.u64 >> 32))
            lw->happened(lw->arg, fd, slot->data, from_epoll(happened[i].events, slot->events));
    }
}

struct loop_watch *loop_watch_new(uv_loop_t *loop, loop_watch_happened *happened, void *arg, struct err *err)
{
    struct loop_watch *lw = xcalloc(1, sizeof(*lw));

    lw->happened = happened;
    lw->arg = arg;
    lw->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (lw->epoll < 0 || uv_poll_init(loop, &lw->poll, lw->epoll) != 0) {
        err_set(err, CAUSE_SYSTEM, "the kernel has no epoll instance for us");
        if (lw->epoll >= 0)
            close(lw->epoll);
        free(lw);
        return NULL;
    }
    lw->poll.data = lw;
    uv_poll_start(&lw->poll, UV_READABLE, on_poll);
    uv_unref((uv_handle_t *)&lw->poll);
    return lw;
}

static void closed(uv_handle_t *handle)
{
    struct loop_watch *lw = handle->data;

    close(lw->epoll);
    free(lw->slots);
    free(lw);
}

void loop_watch_free(struct loop_watch *lw)
{
    if (lw)
        uv_close((uv_handle_t *)&lw->poll, closed);
}

static struct slot *slot_of(struct loop_watch *lw, int fd)
{
    size_t count = lw->count ? lw->count : FDS_MIN;

    while (count <= (size_t)fd)
        count *= 2;
    if (count > lw->count) {
        lw->slots = xreallocarray(lw->slots, count, sizeof(*lw->slots));
        memset(lw->slots + lw->count, 0, (count - lw->count) * sizeof(*lw->slots));
        lw->count = count;
    }
    return &lw->slots[fd];
}

static void count_watched(struct loop_watch *lw, bool before, bool now)
{
    if (!before && now && lw->watched++ == 0)
        uv_ref((uv_handle_t *)&lw->poll);
    if (before && !now && --lw->watched == 0)
        uv_unref((uv_handle_t *)&lw->poll);
}

int loop_watch_set(struct loop_watch *lw, int fd, int events, void *data)
{
    struct slot *slot = slot_of(lw, fd);
    struct epoll_event event = {.events = to_epoll(events),
                                .data.u64 = (uint64_t)slot->life << 32 | (uint32_t)fd};
    int op = events == 0 ? EPOLL_CTL_DEL : slot->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    int status = events == slot->events ? 0 : epoll_ctl(lw->epoll, op, fd, &event);

    count_watched(lw, slot->events, status == 0 && events);
    slot->data = data;
    slot->events = status == 0 ? events : 0;
    if (!slot->events)
        slot->life++;
    return status;
}

void loop_watch_closing(struct loop_watch *lw, int fd)
{
    struct slot *slot = slot_of(lw, fd);

    count_watched(lw, slot->events, false);
    slot->data = NULL;
    slot->events = 0;
    slot->life++;
}
