#include "base/clock.h"

#include <stdio.h>
#include <string.h>
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

const char *clock_text_ms(int64_t wall_ms, char *out)
{
    int64_t ms = ((wall_ms % 1000) + 1000) % 1000;
    size_t n;

    clock_text(wall_ms, out);
    n = strlen(out);
    if (n > 0 && n + 4 < CLOCK_TEXT_MAX) /* in front of the Z */
        snprintf(out + n - 1, CLOCK_TEXT_MAX - n + 1, ".%03dZ", (int)ms);
    return out;
}

/* Exactly `count` digits, a number from min to max. Moves on only past what fits. */
static bool take_number(const char **p, int count, int min, int max, int *out)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        if ((*p)[i] < '0' || (*p)[i] > '9')
            return false;
        value = value * 10 + ((*p)[i] - '0');
    }
    *p += count;
    *out = value;
    return value >= min && value <= max;
}

static bool take_char(const char **p, char c)
{
    if (**p != c)
        return false;
    ++*p;
    return true;
}

/* "Z", "+01:00", "-05:30" as minutes east of UTC. */
static bool take_zone(const char **p, int *minutes)
{
    int sign = **p == '-' ? -1 : 1, h = 0, m = 0;

    *minutes = 0;
    if (take_char(p, 'Z') || take_char(p, 'z'))
        return true;
    if (!take_char(p, '+') && !take_char(p, '-'))
        return false;
    if (!take_number(p, 2, 0, 23, &h) || !take_char(p, ':') || !take_number(p, 2, 0, 59, &m))
        return false;
    *minutes = sign * (h * 60 + m);
    return true;
}

bool clock_from_text(const char *text, int64_t *wall_ms)
{
    const char *p = text;
    struct tm tm = {0};
    int year, month, zone, ms = 0, digit;

    if (!take_number(&p, 4, 1970, 9999, &year) || !take_char(&p, '-') || !take_number(&p, 2, 1, 12, &month) ||
        !take_char(&p, '-') || !take_number(&p, 2, 1, 31, &tm.tm_mday) ||
        (!take_char(&p, 'T') && !take_char(&p, ' ')) || !take_number(&p, 2, 0, 23, &tm.tm_hour) ||
        !take_char(&p, ':') || !take_number(&p, 2, 0, 59, &tm.tm_min) || !take_char(&p, ':') ||
        !take_number(&p, 2, 0, 60, &tm.tm_sec))
        return false;
    if (take_char(&p, '.')) {
        int scale = 100;

        if (*p < '0' || *p > '9')
            return false;
        for (; *p >= '0' && *p <= '9'; scale /= 10) {
            take_number(&p, 1, 0, 9, &digit);
            ms += digit * scale;
        }
    }
    if (!take_zone(&p, &zone) || *p != '\0')
        return false;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    *wall_ms = ((int64_t)timegm(&tm) - (int64_t)zone * 60) * 1000 + ms;
    return true;
}
