#include "amtd/console/timers.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void timers_clear(struct timers *timers)
{
    free(timers->heap);
    memset(timers, 0, sizeof(*timers));
}

static void put(struct timers *timers, size_t place, struct timer *timer)
{
    timers->heap[place] = timer;
    timer->place = place;
}

static void rise(struct timers *timers, size_t place, struct timer *timer)
{
    while (place > 1 && timers->heap[place / 2]->at_ms > timer->at_ms) {
        put(timers, place, timers->heap[place / 2]);
        place /= 2;
    }
    put(timers, place, timer);
}

static void sink(struct timers *timers, size_t place, struct timer *timer)
{
    for (size_t child; (child = 2 * place) <= timers->count; place = child) {
        if (child < timers->count && timers->heap[child + 1]->at_ms < timers->heap[child]->at_ms)
            child++;
        if (timers->heap[child]->at_ms >= timer->at_ms)
            break;
        put(timers, place, timers->heap[child]);
    }
    put(timers, place, timer);
}

static void take_out(struct timers *timers, struct timer *timer)
{
    size_t place = timer->place;
    struct timer *last = timers->heap[timers->count--];

    timer->place = 0;
    if (last == timer)
        return;
    if (place > 1 && timers->heap[place / 2]->at_ms > last->at_ms)
        rise(timers, place, last);
    else
        sink(timers, place, last);
}

void timers_set(struct timers *timers, struct timer *timer, int64_t at_ms)
{
    if (timer->place != 0 && timer->at_ms == at_ms)
        return;
    if (timer->place != 0)
        take_out(timers, timer);
    timer->at_ms = at_ms;
    if (at_ms == INT64_MAX)
        return;
    if (timers->count + 1 >= timers->room) {
        timers->room = timers->room ? 2 * timers->room : 16;
        timers->heap = xreallocarray(timers->heap, timers->room, sizeof(struct timer *));
    }
    rise(timers, ++timers->count, timer);
    if (timer->place == 1 && timers->earlier)
        timers->earlier(timers->arg);
}

int64_t timers_next(const struct timers *timers)
{
    return timers->count > 0 ? timers->heap[1]->at_ms : INT64_MAX;
}

void timers_run(struct timers *timers, int64_t now_ms)
{
    /* As many as there are now: what is set meanwhile waits for the next call. */
    size_t left = timers->count < TIMERS_AT_ONCE ? timers->count : TIMERS_AT_ONCE;

    for (; left > 0 && timers_next(timers) <= now_ms; left--) {
        struct timer *timer = timers->heap[1];

        take_out(timers, timer);
        timer->fire(timer->arg);
    }
}
