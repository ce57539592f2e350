#include "amtd/console/text/pattern_set.h"

#include <hs/hs.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/console/text/line_regex.h"
#include "base/xalloc.h"

struct pattern_set {
    hs_database_t *database;
    hs_scratch_t *scratch;
    size_t stream_size;
};

struct pattern_stream {
    const struct pattern_set *set;
    hs_stream_t *stream;
    uint64_t offset;   /* of the next portion, as Hyperscan counts */
    unsigned *in_line; /* patterns already found in the present line */
    size_t in_line_count;
};

/* --- compiling --- */

struct texts {
    const char **regex; /* as Hyperscan is to have them; each owned */
    unsigned *flags;
    unsigned *ids;
    size_t count;
};

static void texts_clear(struct texts *t)
{
    for (size_t i = 0; i < t->count; i++)
        free((char *)t->regex[i]);
    free(t->regex);
    free(t->flags);
    free(t->ids);
}

static int texts_make(struct texts *t, const struct pattern *patterns, size_t count, struct err *err)
{
    t->regex = xcalloc(count, sizeof(*t->regex));
    t->flags = xcalloc(count, sizeof(*t->flags));
    t->ids = xcalloc(count, sizeof(*t->ids));
    for (size_t i = 0; i < count; i++) {
        struct buf text = buf_init(LINE_REGEX_TEXT_MAX);

        if (line_regex_text(patterns[i].regex, &text, err) != 0)
            return err_context(err, "pattern '%s'", patterns[i].name);
        t->regex[t->count++] = buf_take(&text);
        t->flags[i] = LINE_REGEX_HS_FLAGS | (patterns[i].ignore_case ? HS_FLAG_CASELESS : 0);
        t->ids[i] = (unsigned)i;
    }
    return 0;
}

static int compile(struct pattern_set *set, const struct texts *t, const struct pattern *patterns,
                   struct err *err)
{
    hs_compile_error_t *error = NULL;

    if (hs_compile_multi(t->regex, t->flags, t->ids, (unsigned)t->count, HS_MODE_STREAM, NULL, &set->database,
                         &error) != HS_SUCCESS) {
        if (!error || error->expression < 0 || (size_t)error->expression >= t->count)
            return line_regex_failure("all together", error, err);
        patterns += error->expression;
        line_regex_failure(patterns->regex, error, err);
        return err_context(err, "pattern '%s'", patterns->name);
    }
    if (hs_stream_size(set->database, &set->stream_size) != HS_SUCCESS ||
        hs_alloc_scratch(set->database, &set->scratch) != HS_SUCCESS)
        return err_set(err, CAUSE_LIMIT_EXCEEDED, "patterns: not enough memory");
    return 0;
}

struct pattern_set *pattern_set_compile(const struct pattern *patterns, size_t count, struct err *err)
{
    struct pattern_set *set = xcalloc(1, sizeof(*set));
    struct texts texts = {0};
    int status;

    if (count == 0 || count > PATTERN_SET_MAX)
        status = err_set(err, CAUSE_INVALID_ARGUMENT, "patterns: expected 1 to %d, got %zu", PATTERN_SET_MAX,
                         count);
    else
        status = texts_make(&texts, patterns, count, err);
    if (status == 0)
        status = compile(set, &texts, patterns, err);
    texts_clear(&texts);
    if (status == 0)
        return set;
    pattern_set_free(set);
    return NULL;
}

void pattern_set_free(struct pattern_set *set)
{
    if (!set)
        return;
    hs_free_scratch(set->scratch);
    hs_free_database(set->database);
    free(set);
}

size_t pattern_set_stream_size(const struct pattern_set *set)
{
    return set->stream_size + sizeof(struct pattern_stream);
}

/* --- a stream --- */

struct pattern_stream *pattern_stream_new(const struct pattern_set *set)
{
    struct pattern_stream *stream = xcalloc(1, sizeof(*stream));

    stream->set = set;
    if (hs_open_stream(set->database, 0, &stream->stream) != HS_SUCCESS)
        abort(); /* no memory, as in xmalloc */
    return stream;
}

void pattern_stream_free(struct pattern_stream *stream)
{
    if (!stream)
        return;
    hs_close_stream(stream->stream, NULL, NULL, NULL);
    free(stream->in_line);
    free(stream);
}

struct portion {
    struct pattern_stream *stream;
    const uint8_t *p;
    size_t n;
    size_t seen; /* line ends before this place have been looked at */
    void (*found)(void *arg, size_t pattern, size_t end);
    void *arg;
};

/* Forgets what was found in a line that has ended before `to`. */
static void pass_line_ends(struct portion *portion, size_t to)
{
    struct pattern_stream *stream = portion->stream;

    if (to > portion->seen && stream->in_line_count > 0 &&
        memchr(portion->p + portion->seen, '\n', to - portion->seen))
        stream->in_line_count = 0;
    if (to > portion->seen)
        portion->seen = to;
}

static bool already_in_line(const struct pattern_stream *stream, unsigned id)
{
    for (size_t i = 0; i < stream->in_line_count; i++)
        if (stream->in_line[i] == id)
            return true;
    return false;
}

/* `to`: counted from the stream's beginning, behind the last byte. */
static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *arg)
{
    struct portion *portion = arg;
    struct pattern_stream *stream = portion->stream;
    size_t end = to > stream->offset ? (size_t)(to - stream->offset) : 0;

    (void)from;
    (void)flags;
    if (end > portion->n)
        end = portion->n;
    pass_line_ends(portion, end > 0 ? end - 1 : 0); /* a last byte that is itself a line end belongs to it */
    if (already_in_line(stream, id))
        return 0;
    stream->in_line = xreallocarray(stream->in_line, stream->in_line_count + 1, sizeof(*stream->in_line));
    stream->in_line[stream->in_line_count++] = id;
    portion->found(portion->arg, id, end);
    return 0;
}

void pattern_stream_feed(struct pattern_stream *stream, const void *p, size_t n,
                         void (*found)(void *arg, size_t pattern, size_t end), void *arg)
{
    const uint8_t *in = p;

    while (n > 0) {
        struct portion portion = {.stream = stream, .p = in, .n = n, .found = found, .arg = arg};

        if (portion.n > INT32_MAX)
            portion.n = INT32_MAX;
        hs_scan_stream(stream->stream, (const char *)in, (unsigned)portion.n, 0, stream->set->scratch,
                       on_match, &portion);
        pass_line_ends(&portion, portion.n);
        stream->offset += portion.n;
        in += portion.n;
        n -= portion.n;
    }
}

void pattern_stream_gap(struct pattern_stream *stream)
{
    hs_reset_stream(stream->stream, 0, stream->set->scratch, NULL, NULL);
    stream->offset = 0;
    stream->in_line_count = 0;
}
