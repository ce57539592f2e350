#include "amtd/console/traffic.h"

#include <string.h>

static const char *const names[] = {"steady", "flood", "silence"};

const char *traffic_state_name(enum traffic_state state)
{
    return names[state];
}

void traffic_begin(struct traffic *a, int64_t now_ms)
{
    a->begin_ms = a->since_ms = now_ms;
    a->now = a->before = 0;
}

/* Goes on to the window in which now_ms lies. */
static void slide(struct traffic *a, int64_t window_ms, int64_t now_ms)
{
    int64_t windows = (now_ms - a->begin_ms) / window_ms;

    if (windows <= 0)
        return;
    a->before = windows == 1 ? a->now : 0;
    a->now = 0;
    a->begin_ms += windows * window_ms;
}

void traffic_add(struct traffic *a, const struct traffic_marks *marks, int64_t now_ms, size_t n)
{
    if (now_ms - a->begin_ms >= marks->window_ms)
        slide(a, marks->window_ms, now_ms);
    a->now += n;
}

int64_t traffic_rate(const struct traffic *activity, const struct traffic_marks *marks, int64_t now_ms)
{
    struct traffic a = *activity;
    int64_t gone, left;
    uint64_t bytes;

    slide(&a, marks->window_ms, now_ms);
    gone = now_ms - a.begin_ms;
    left = marks->window_ms - gone;
    if (now_ms - a.since_ms < marks->window_ms) {
        gone = gone < 1000 ? 1000 : gone;
        return (int64_t)(a.now * 1000 / (uint64_t)gone);
    }
    bytes = a.now + (uint64_t)((double)a.before * (double)left / (double)marks->window_ms);
    return (int64_t)(bytes * 1000 / (uint64_t)marks->window_ms);
}

bool traffic_judge(struct traffic *a, const struct traffic_marks *marks, int64_t now_ms)
{
    int64_t rate = traffic_rate(a, marks, now_ms);
    int64_t flood = a->state == TRAFFIC_FLOOD ? marks->high - marks->high / 8 : marks->high;
    bool whole = now_ms - a->since_ms >= marks->window_ms;
    enum traffic_state was = a->state;

    if (marks->high > 0 && rate > flood)
        a->state = TRAFFIC_FLOOD;
    else if (marks->low > 0 && rate < marks->low && whole)
        a->state = TRAFFIC_SILENCE;
    else if (a->state != TRAFFIC_SILENCE || marks->low == 0 || rate >= marks->low)
        a->state = TRAFFIC_STEADY;
    return a->state != was;
}

int64_t traffic_next(const struct traffic_marks *marks, int64_t now_ms)
{
    int64_t step = marks->window_ms / 4;

    return marks->high > 0 || marks->low > 0 ? now_ms + (step > 250 ? step : 250) : INT64_MAX;
}
