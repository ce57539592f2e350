/* Logging: one line an event, beginning with the thing it is about.
 *
 * "2026-01-02T03:04:05.678Z warn host=pc17 connect failed cause=unreachable". Lines go to stderr and, when
 * opened, to a file; under a service manager (JOURNAL_STREAM) without the time. Content from outside is
 * passed through text_printable; secrets are never passed in. Thread-safe. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Where lines go: program name for the prefix, lowest level shown. file may be NULL (stderr only).
 * Returns 0, or -1 with errno when the file cannot be opened for appending. Call once, at start. */
int log_open(const char *program, enum log_level level, const char *file);
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

/* ctx names the thing ("host=pc17", "client=3"), or NULL. */
void log_err(const char *ctx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *ctx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *ctx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const char *ctx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A rate limit for lines that a hostile or broken peer can cause: at most `burst` lines in `window_ms`, then
 * silence; when the window ends the next line says how many were held back. Not thread-safe: one per owner.
 */
struct log_limit {
    uint32_t burst;
    int64_t window_ms;
    int64_t window_start_ms;
    uint32_t used;
    uint32_t held;
};
#define LOG_LIMIT_INIT(lines, ms)                                                                            \
    {                                                                                                        \
        (lines), (ms), INT64_MIN, 0, 0                                                                       \
    }
/* True when a line may be written now; *held gets how many were held back since the last one. */
bool log_limit_pass(struct log_limit *limit, int64_t now_ms, uint32_t *held);

#endif
