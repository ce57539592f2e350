/* Patterns watched for in the live bytes of all consoles, and what is done when one is found: an event, and a
 * command.
 *
 * All patterns are matched at once (text/pattern_set.h), in what is written to the logs, so also across the
 * borders of portions. A pattern that matched on a console is quiet there until its `every` has gone by. A
 * command runs by /bin/sh with AMTD_CONSOLE, AMTD_PATTERN, AMTD_SEVERITY, AMTD_LINE and AMTD_OFFSET in its
 * environment, never with bytes of the console in its text; at most COMMANDS_MAX at a time, the rest is said
 * and left out. Loop's thread only. */
#ifndef AMTD_CONSOLE_WATCHER_H
#define AMTD_CONSOLE_WATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/severity.h"

#define WATCHER_COMMANDS_MAX 32

struct watched_pattern {
    char *name;
    char *regex;
    bool ignore_case;
    int severity;    /* enum severity */
    char **consoles; /* names, * and ? as in a shell; NULL: all */
    size_t console_count;
    char *command; /* NULL: only an event */
    int64_t every_ms;
};
void watched_pattern_clear(struct watched_pattern *pattern);

struct watcher;
struct watching; /* of one console */

/* patterns are borrowed and outlive it. NULL and err (invalid-argument: which pattern is wrong). */
struct watcher *watcher_new(uv_loop_t *loop, const struct clock *clock,
                            const struct watched_pattern *patterns, size_t count, struct err *err);
/* All watchings must be gone. Commands that run go on, and nobody waits for them any more: for the end of
 * amtd. NULL is fine. */
void watcher_free(struct watcher *watcher);

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
