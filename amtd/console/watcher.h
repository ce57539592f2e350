/* Patterns watched for in the live bytes of all consoles.
 *
 * All patterns are matched at once (text/pattern_set.h), in what is written to the logs, so also across the
 * borders of portions. A pattern that matched on a console is quiet there until its `every` has gone by.
 * Loop's thread only. */
#ifndef AMTD_CONSOLE_WATCHER_H
#define AMTD_CONSOLE_WATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/severity.h"

struct watched_pattern {
    char *name;
    char *regex;
    bool ignore_case;
    int severity;    /* enum severity */
    char **consoles; /* names, * and ? as in a shell; NULL: all */
    size_t console_count;
    int64_t every_ms;
};
void watched_pattern_clear(struct watched_pattern *pattern);
void watched_pattern_copy(struct watched_pattern *to, const struct watched_pattern *from);

struct watcher;
struct watching; /* of one console */

/* patterns are copied. NULL and err (invalid-argument: which pattern is wrong). */
struct watcher *watcher_new(const struct clock *clock, const struct watched_pattern *patterns, size_t count,
                            struct err *err);
/* All watchings must be gone. NULL is fine. */
void watcher_free(struct watcher *watcher);
/* Does it watch for just these? watcher NULL: it does not. */
bool watcher_has(const struct watcher *watcher, const struct watched_pattern *patterns, size_t count);

struct pattern_found {
    const struct watched_pattern *pattern;
    uint64_t offset;  /* of the log, behind the match */
    const char *line; /* in which it is, printable, as far as it was in the same portion */
};

/* found is called from inside watching_bytes. NULL: no pattern is for that console. */
struct watching *watching_new(struct watcher *watcher, const char *console,
                              void (*found)(void *arg, const struct pattern_found *found), void *arg);
void watching_free(struct watching *watching); /* NULL is fine */
void watching_bytes(struct watching *watching, uint64_t offset, const uint8_t *p, size_t n);

#endif
