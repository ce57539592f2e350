/* Searching the log of a console for lines that match a regular expression, as grep -E does with a file.
 *
 * A line ends with LF; a CR before it does not count as part of it. Expressions: line_regex.h.
 *
 * The pattern is immutable after compiling and may be used by any number of threads; a search belongs to one.
 * Memory of a search is bounded: some megabytes, however long lines and context are. */
#ifndef AMTD_CONSOLE_TEXT_LINE_SEARCH_H
#define AMTD_CONSOLE_TEXT_LINE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LINE_SEARCH_LINE_MAX    (256 * 1024) /* a longer line counts as several */
#define LINE_SEARCH_BUFFER      (1024 * 1024)
#define LINE_SEARCH_CONTEXT_MAX 1000 /* lines of context on one side */

struct line_pattern;

/* NULL and err (invalid-argument: what is wrong and where). */
struct line_pattern *line_pattern_compile(const char *regex, bool ignore_case, struct err *err);
void line_pattern_free(struct line_pattern *pattern); /* NULL is fine */

struct line_search_options {
    bool invert;          /* the lines that do not match */
    size_t before, after; /* lines of context, at most LINE_SEARCH_CONTEXT_MAX */
};

struct line_search;

/* A line without its end; match: it is one, else it is context. Offsets grow; no line comes twice. Borrowed.
 * Returning false ends the search: nothing more is told. */
typedef bool (*line_search_found)(void *arg, uint64_t offset, const char *line, size_t n, bool match);

/* pattern is borrowed. found NULL: only count. */
struct line_search *line_search_new(const struct line_pattern *pattern,
                                    const struct line_search_options *options, line_search_found found,
                                    void *arg);
void line_search_free(struct line_search *search); /* NULL is fine */

/* Bytes at an offset of the log. Where that is not the end of what came before, a line is cut there and
 * context does not reach over it. False: `found` has ended the search. */
bool line_search_feed(struct line_search *search, uint64_t offset, const void *p, size_t n);
/* No more bytes: the last line, also without an end. */
void line_search_end(struct line_search *search);
uint64_t line_search_matches(const struct line_search *search);

#endif
