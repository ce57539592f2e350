/* Patterns that are watched for in the live bytes of many consoles at once: compiled together, so that a
 * thousand of them cost little more than one, and found across the borders of portions.
 *
 * Expressions: line_regex.h. One that matches nothing at all is refused. What is found is told as soon as its
 * last byte is there. A set and its streams belong to one thread;
 * compiling thousands takes seconds and may be done on another. */
#ifndef AMTD_CONSOLE_TEXT_PATTERN_SET_H
#define AMTD_CONSOLE_TEXT_PATTERN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PATTERN_SET_MAX 10000

struct pattern {
    const char *name; /* for errors */
    const char *regex;
    bool ignore_case;
};

struct pattern_set;

/* The patterns are told apart by their place in the array, which is copied as far as it is needed. NULL and
 * err (invalid-argument: the name of the pattern that is wrong, and what of it). */
struct pattern_set *pattern_set_compile(const struct pattern *patterns, size_t count, struct err *err);
/* All streams must be gone. NULL is fine. */
void pattern_set_free(struct pattern_set *set);
/* Bytes that one stream takes. */
size_t pattern_set_stream_size(const struct pattern_set *set);

/* What the patterns have seen of one console so far. */
struct pattern_stream;

struct pattern_stream *pattern_stream_new(const struct pattern_set *set);
void pattern_stream_free(struct pattern_stream *stream); /* NULL is fine */
/* The next bytes. found is called for each pattern that matched in a line, once for that line; `end` bytes of
 * this portion belong to the match. Patterns that end at the same byte come in no order. */
void pattern_stream_feed(struct pattern_stream *stream, const void *p, size_t n,
                         void (*found)(void *arg, size_t pattern, size_t end), void *arg);
/* Bytes are missing here: nothing matches across. */
void pattern_stream_gap(struct pattern_stream *stream);

#endif
