#include "amtd/console/text/line_search.h"

#include <hs/hs.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/console/text/line_regex.h"
#include "base/buf.h"
#include "base/xalloc.h"

#define CONTEXT_BYTES_MAX (8 * LINE_SEARCH_BUFFER) /* kept for lines before a match that may come */

struct line_pattern {
    hs_database_t *database;
    hs_scratch_t *prototype; /* cloned by each search */
};

/* The buffer: [lines already dealt with, kept for context][lines to search][part of a line]. */
struct line_search {
    const struct line_pattern *pattern;
    struct line_search_options options;
    line_search_found found;
    void *arg;
    hs_scratch_t *scratch;
    uint8_t *p;
    size_t room;      /* bytes that p has, and one more */
    size_t n;         /* bytes in it */
    size_t todo;      /* lines from here on are still to be searched */
    size_t told;      /* lines up to here were told, or are too old to be context */
    uint64_t base;    /* offset of p[0] */
    size_t after;     /* lines of context that are still to be told */
    uint64_t matches; /* lines */
    bool over;
};

/* --- the pattern --- */

struct line_pattern *line_pattern_compile(const char *regex, bool ignore_case, struct err *err)
{
    unsigned flags = LINE_REGEX_HS_FLAGS | HS_FLAG_ALLOWEMPTY | (ignore_case ? HS_FLAG_CASELESS : 0);
    struct line_pattern *pattern = xcalloc(1, sizeof(*pattern));
    struct buf text = buf_init(LINE_REGEX_TEXT_MAX);
    hs_compile_error_t *error = NULL;

    if (line_regex_text(regex, &text, err) != 0)
        ;
    else if (hs_compile(buf_str(&text), flags, HS_MODE_BLOCK, NULL, &pattern->database, &error) != HS_SUCCESS)
        line_regex_failure(regex, error, err);
    else if (hs_alloc_scratch(pattern->database, &pattern->prototype) != HS_SUCCESS)
        err_set(err, CAUSE_LIMIT_EXCEEDED, "regular expression: not enough memory");
    buf_free(&text);
    if (pattern->prototype)
        return pattern;
    line_pattern_free(pattern);
    return NULL;
}

void line_pattern_free(struct line_pattern *pattern)
{
    if (!pattern)
        return;
    hs_free_scratch(pattern->prototype);
    hs_free_database(pattern->database);
    free(pattern);
}

/* --- telling --- */

static size_t line_end(const struct line_search *s, size_t at, size_t limit)
{
    const uint8_t *lf = memchr(s->p + at, '\n', limit - at);

    return lf ? (size_t)(lf - s->p) + 1 : limit;
}

static size_t line_begin(const struct line_search *s, size_t at)
{
    const uint8_t *lf = at > 0 ? memrchr(s->p, '\n', at) : NULL;

    return lf ? (size_t)(lf - s->p) + 1 : 0;
}

/* Tells the line [from, to). */
static void tell(struct line_search *s, size_t from, size_t to, bool match)
{
    size_t n = to - from;

    s->told = to;
    if (!s->found || s->over)
        return;
    n -= n > 0 && s->p[from + n - 1] == '\n';
    n -= n > 0 && s->p[from + n - 1] == '\r';
    if (!s->found(s->arg, s->base + from, (const char *)s->p + from, n, match))
        s->over = true;
}

/* Context behind the last match, up to `limit`, which is the beginning of a line. */
static void tell_after(struct line_search *s, size_t limit)
{
    while (s->after > 0 && s->told < limit && !s->over) {
        tell(s, s->told, line_end(s, s->told, limit), false);
        s->after--;
    }
}

/* Context before the line at `from`: of the lines not told yet the last ones. */
static void tell_before(struct line_search *s, size_t from)
{
    size_t at = from;

    for (size_t i = 0; i < s->options.before && at > s->told; i++) {
        at = line_begin(s, at - 1);
        if (at < s->told)
            at = s->told;
    }
    while (at < from && !s->over) {
        size_t end = line_end(s, at, from);

        tell(s, at, end, false);
        at = end;
    }
}

static void tell_match(struct line_search *s, size_t from, size_t to)
{
    s->matches++;
    tell_after(s, from);
    tell_before(s, from);
    if (!s->over)
        tell(s, from, to, true);
    s->after = s->options.after;
}

/* Every line of [from, to) is one that was looked for. */
static void tell_all(struct line_search *s, size_t from, size_t to)
{
    while (from < to && !s->over) {
        size_t end = line_end(s, from, to);

        tell_match(s, from, end);
        from = end;
    }
}

/* --- searching --- */

struct scan {
    struct line_search *s;
    size_t from, to; /* what is scanned */
    size_t done;     /* lines up to here are decided */
};

struct lone {
    size_t n;
    bool matches;
};

static int on_lone_end(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *arg)
{
    struct lone *lone = arg;

    (void)id;
    (void)from;
    (void)flags;
    lone->matches = to <= lone->n; /* else it took the line end as well */
    return lone->matches;
}

/* Scans [from, to) with a line end behind it, whether the log has one there, a CR first, or none yet. */
static void scan_ended(struct line_search *s, size_t from, size_t to, match_event_handler on_event, void *arg)
{
    uint8_t kept = s->p[to];

    s->p[to] = '\n';
    hs_scan(s->pattern->database, (const char *)s->p + from, (unsigned)(to - from + 1), 0, s->scratch,
            on_event, arg);
    s->p[to] = kept;
}

/* The line alone, as an expression may reach over its end ("[^a]b"), and without its CR. */
static bool line_matches(struct line_search *s, size_t from, size_t to)
{
    struct lone lone = {0};

    to -= to > from && s->p[to - 1] == '\n';
    to -= to > from && s->p[to - 1] == '\r';
    lone.n = to - from;
    scan_ended(s, from, to, on_lone_end, &lone);
    return lone.matches;
}

struct candidates {
    struct scan scan;
    size_t *lines; /* where those begin in which an expression ended, growing */
    size_t count, room;
};

/* A match ends at `to`: it is in the line of its last byte; an empty one at the end of a line, too. */
static int on_end(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *arg)
{
    struct candidates *c = arg;
    struct line_search *s = c->scan.s;
    size_t at = c->scan.from + (size_t)to, begin;

    (void)id;
    (void)from;
    (void)flags;
    if (at < c->scan.done)
        return 0;
    begin = line_begin(s, at);
    if (begin < c->scan.done || begin >= c->scan.to)
        return 0;
    if (c->count == c->room) {
        c->room = c->room ? 2 * c->room : 64;
        c->lines = xreallocarray(c->lines, c->room, sizeof(*c->lines));
    }
    c->lines[c->count++] = begin;
    c->scan.done = line_end(s, begin, c->scan.to);
    return 0;
}

/* Searches the whole lines [from, to). */
static void search_lines(struct line_search *s, size_t from, size_t to)
{
    struct candidates c = {.scan = {.s = s, .from = from, .to = to, .done = from}};
    size_t decided = from;

    if (from == to)
        return;
    hs_scan(s->pattern->database, (const char *)s->p + from, (unsigned)(to - from), 0, s->scratch, on_end,
            &c);
    for (size_t i = 0; i < c.count && !s->over; i++) {
        size_t end = line_end(s, c.lines[i], to);

        if (!line_matches(s, c.lines[i], end))
            continue;
        if (s->options.invert)
            tell_all(s, decided, c.lines[i]);
        else
            tell_match(s, c.lines[i], end);
        decided = end;
    }
    if (s->options.invert)
        tell_all(s, decided, to);
    tell_after(s, to);
    free(c.lines);
}

/* --- the buffer --- */

/* Forgets lines that are no longer needed, not even as context. */
static void forget(struct line_search *s)
{
    size_t keep = s->todo;

    for (size_t i = 0; i < s->options.before && keep > s->told && s->todo - keep < CONTEXT_BYTES_MAX; i++)
        keep = line_begin(s, keep - 1);
    if (keep < s->told)
        keep = s->told;
    memmove(s->p, s->p + keep, s->n - keep);
    s->base += keep;
    s->n -= keep;
    s->todo -= keep;
    s->told = s->told > keep ? s->told - keep : 0;
}

/* Searches what is whole; `all`: also the line that has no end. */
static void search_some(struct line_search *s, bool all)
{
    size_t end = all ? s->n : line_begin(s, s->n);

    if (end < s->todo)
        end = s->todo;
    if (!all && s->n - end >= LINE_SEARCH_LINE_MAX)
        end = s->n; /* too long: counts as a line here */
    search_lines(s, s->todo, end);
    s->todo = end;
}

struct line_search *line_search_new(const struct line_pattern *pattern,
                                    const struct line_search_options *options, line_search_found found,
                                    void *arg)
{
    struct line_search *s = xcalloc(1, sizeof(*s));

    s->pattern = pattern;
    s->options = *options;
    s->found = found;
    s->arg = arg;
    if (hs_clone_scratch(pattern->prototype, &s->scratch) != HS_SUCCESS)
        abort(); /* no memory, as in xmalloc */
    s->room = LINE_SEARCH_BUFFER;
    s->p = xmalloc(s->room + 1);
    return s;
}

void line_search_free(struct line_search *s)
{
    if (!s)
        return;
    hs_free_scratch(s->scratch);
    free(s->p);
    free(s);
}

bool line_search_feed(struct line_search *s, uint64_t offset, const void *p, size_t n)
{
    const uint8_t *in = p;

    if (offset != s->base + s->n) {
        line_search_end(s);
        s->n = s->todo = s->told = 0;
        s->after = 0;
        s->base = offset;
    }
    while (n > 0 && !s->over) {
        size_t take;

        if (s->n == s->room) {
            search_some(s, false);
            forget(s);
        }
        if (s->n == s->room) { /* the context is large: it gets room of its own */
            s->room += LINE_SEARCH_BUFFER;
            s->p = xrealloc(s->p, s->room + 1);
        }
        take = n < s->room - s->n ? n : s->room - s->n;
        memcpy(s->p + s->n, in, take);
        s->n += take;
        in += take;
        n -= take;
    }
    return !s->over;
}

void line_search_end(struct line_search *s)
{
    if (!s->over)
        search_some(s, true);
}

uint64_t line_search_matches(const struct line_search *s)
{
    return s->matches;
}
