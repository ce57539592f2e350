#include "wsman/http_timers.h"

#include <stdlib.h>

#include "base/xalloc.h"

static void place(struct http_timers *timers, size_t slot, struct http_timer *timer)
{
    timers->heap[slot] = timer;
    timer->slot = slot;
}

/* Moves the hole at `slot` up until `timer` fits into it. */
static void sift_up(struct http_timers *timers, size_t slot, struct http_timer *timer)
{
    while (slot > 1 && timers->heap[slot / 2]->at > timer->at) {
        place(timers, slot, timers->heap[slot / 2]);
        slot /= 2;
    }
    place(timers, slot, timer);
}

static void sift_down(struct http_timers *timers, size_t slot, struct http_timer *timer)
{
    for (;;) {
        size_t child = slot * 2;
        if (child > timers->count)
            break;
        if (child < timers->count && timers->heap[child + 1]->at < timers->heap[child]->at)
            child++;
        if (timers->heap[child]->at >= timer->at)
            break;
        place(timers, slot, timers->heap[child]);
        slot = child;
    }
    place(timers, slot, timer);
}

void http_timers_clear(struct http_timers *timers)
{
    free(timers->heap);
    *timers = (struct http_timers){0};
}

void http_timer_arm(struct http_timers *timers, struct http_timer *timer, int64_t at)
{
    if (timer->slot && timer->at == at)
        return;
    http_timer_disarm(timers, timer);
    if (timers->count + 1 >= timers->cap) {
        timers->cap = timers->cap ? timers->cap * 2 : 64;
        timers->heap = xreallocarray(timers->heap, timers->cap, sizeof(struct http_timer *));
    }
    timer->at = at;
    sift_up(timers, ++timers->count, timer);
}

void http_timer_disarm(struct http_timers *timers, struct http_timer *timer)
{
    size_t slot = timer->slot;

    if (!slot)
        return;
    timer->slot = 0;
    struct http_timer *last = timers->heap[timers->count--];
    if (last == timer)
        return;
    if (slot > 1 && timers->heap[slot / 2]->at > last->at)
        sift_up(timers, slot, last);
    else
        sift_down(timers, slot, last);
}

bool http_timer_armed(const struct http_timer *timer)
{
    return timer->slot != 0;
}

int64_t http_timers_next(const struct http_timers *timers)
{
    return timers->count ? timers->heap[1]->at : INT64_MAX;
}

struct http_timer *http_timers_take(struct http_timers *timers, int64_t now)
{
    if (!timers->count || timers->heap[1]->at > now)
        return NULL;
    struct http_timer *timer = timers->heap[1];
    http_timer_disarm(timers, timer);
    return timer;
}
