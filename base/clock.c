#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_mono(void *arg)
{
    (void)arg;
    return read_ms(CLOCK_MONOTONIC);
}

static int64_t system_wall(void *arg)
{
    (void)arg;
    return read_ms(CLOCK_REALTIME);
}

const struct clock *clock_system(void)
{
    static const struct clock clock = {system_mono, system_wall, NULL};

    return &clock;
}

int64_t clock_mono(const struct clock *clock)
{
    return clock->mono_ms(clock->arg);
}

int64_t clock_wall(const struct clock *clock)
{
    return clock->wall_ms(clock->arg);
}

static int64_t fake_mono(void *arg)
{
    return ((const struct clock_fake *)arg)->mono;
}

static int64_t fake_wall(void *arg)
{
    return ((const struct clock_fake *)arg)->wall;
}

struct clock clock_fake_init(struct clock_fake *fake)
{
    struct clock clock = {fake_mono, fake_wall, fake};

    return clock;
}

const char *clock_text(int64_t wall_ms, char *out)
{
    time_t seconds = (time_t)(wall_ms / 1000 - (wall_ms % 1000 < 0));
    struct tm tm;

    if (!gmtime_r(&seconds, &tm) || strftime(out, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(out, CLOCK_TEXT_MAX, "-");
    return out;
}
