/* Time from outside, so that everything that waits can be tested without waiting. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock {
    int64_t (*mono_ms)(void *arg); /* never goes back; only differences mean something */
    int64_t (*wall_ms)(void *arg); /* milliseconds since 1970-01-01T00:00:00Z; may jump */
    void *arg;
};

/* The system's clocks. Static; thread-safe. */
const struct clock *clock_system(void);

int64_t clock_mono(const struct clock *clock);
int64_t clock_wall(const struct clock *clock);

/* A clock that stands still until told. Zero it, set the fields, use clock_fake_init's result. */
struct clock_fake {
    int64_t mono;
    int64_t wall;
};
struct clock clock_fake_init(struct clock_fake *fake);

/* "2026-01-02T03:04:05Z" (RFC 3339, UTC) into out, at least CLOCK_TEXT_MAX bytes. */
#define CLOCK_TEXT_MAX 32
const char *clock_text(int64_t wall_ms, char *out);
/* The same with milliseconds, "2026-01-02T03:04:05.678Z". */
const char *clock_text_ms(int64_t wall_ms, char *out);
/* The reverse of both; the offset from UTC may also be given as "+01:00". False: it is not such a time. */
bool clock_from_text(const char *text, int64_t *wall_ms);

#endif
