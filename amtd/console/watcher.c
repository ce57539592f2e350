#include "amtd/console/watcher.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/console/text/pattern_set.h"
#include "base/text.h"
#include "base/xalloc.h"

#define LINE_MAX_SHOWN 160

struct watcher {
    const struct clock *clock;
    struct watched_pattern *patterns;
    size_t count;
    struct pattern_set *set;
};

struct watching {
    struct watcher *watcher;
    char *console;
    void (*found)(void *arg, const struct pattern_found *found);
    void *arg;
    struct pattern_stream *stream;
    int64_t *quiet_until; /* monotonic, for each pattern */
    /* while bytes are being fed */
    const uint8_t *p;
    uint64_t offset;
};

void watched_pattern_clear(struct watched_pattern *pattern)
{
    free(pattern->name);
    free(pattern->regex);
    for (size_t i = 0; i < pattern->console_count; i++)
        free(pattern->consoles[i]);
    free(pattern->consoles);
    memset(pattern, 0, sizeof(*pattern));
}

void watched_pattern_copy(struct watched_pattern *to, const struct watched_pattern *from)
{
    *to = *from;
    to->name = xstrdup(from->name);
    to->regex = xstrdup(from->regex);
    to->consoles = xcalloc(from->console_count + 1, sizeof(*to->consoles));
    for (size_t i = 0; i < from->console_count; i++)
        to->consoles[i] = xstrdup(from->consoles[i]);
}

static bool is_same(const struct watched_pattern *a, const struct watched_pattern *b)
{
    if (strcmp(a->name, b->name) != 0 || strcmp(a->regex, b->regex) != 0 ||
        a->ignore_case != b->ignore_case || a->severity != b->severity || a->every_ms != b->every_ms ||
        a->console_count != b->console_count)
        return false;
    for (size_t i = 0; i < a->console_count; i++)
        if (strcmp(a->consoles[i], b->consoles[i]) != 0)
            return false;
    return true;
}

static bool is_for(const struct watched_pattern *pattern, const char *console)
{
    for (size_t i = 0; i < pattern->console_count; i++)
        if (fnmatch(pattern->consoles[i], console, 0) == 0)
            return true;
    return pattern->console_count == 0;
}

/* --- matching --- */

/* The line in which byte `end` of the portion stands, as far as the portion has it, printable. */
static char *line_of(const struct watching *k, size_t end)
{
    size_t begin = end;
    struct buf out = buf_init((size_t)8 * LINE_MAX_SHOWN);

    while (begin > 0 && k->p[begin - 1] != '\n' && end - begin < LINE_MAX_SHOWN)
        begin--;
    while (end > begin && (k->p[end - 1] == '\n' || k->p[end - 1] == '\r'))
        end--;
    text_printable(&out, k->p + begin, end - begin);
    return out.len > 0 ? buf_take(&out) : xstrdup("");
}

static void on_match(void *arg, size_t which, size_t end)
{
    struct watching *k = arg;
    const struct watched_pattern *pattern = &k->watcher->patterns[which];
    int64_t now = clock_mono(k->watcher->clock);
    uint64_t offset = k->offset + end;
    char *line;

    if (!is_for(pattern, k->console) || now < k->quiet_until[which])
        return;
    k->quiet_until[which] = now + pattern->every_ms;
    line = line_of(k, end);
    k->found(k->arg, &(struct pattern_found){pattern, offset, line});
    free(line);
}

void watching_bytes(struct watching *k, uint64_t offset, const uint8_t *p, size_t n)
{
    if (!k->stream)
        k->stream = pattern_stream_new(k->watcher->set);
    k->p = p;
    k->offset = offset;
    pattern_stream_feed(k->stream, p, n, on_match, k);
    k->p = NULL;
}

struct watching *watching_new(struct watcher *watcher, const char *console,
                              void (*found)(void *arg, const struct pattern_found *found), void *arg)
{
    struct watching *k;
    bool any = false;

    for (size_t i = 0; i < watcher->count; i++)
        any = any || is_for(&watcher->patterns[i], console);
    if (!any)
        return NULL;
    k = xcalloc(1, sizeof(*k));
    k->watcher = watcher;
    k->console = xstrdup(console);
    k->found = found;
    k->arg = arg;
    k->quiet_until = xcalloc(watcher->count, sizeof(*k->quiet_until));
    for (size_t i = 0; i < watcher->count; i++)
        k->quiet_until[i] = INT64_MIN;
    return k;
}

void watching_free(struct watching *k)
{
    if (!k)
        return;
    pattern_stream_free(k->stream);
    free(k->quiet_until);
    free(k->console);
    free(k);
}

struct watcher *watcher_new(const struct clock *clock, const struct watched_pattern *patterns, size_t count,
                            struct err *err)
{
    struct pattern *list = xcalloc(count + 1, sizeof(*list));
    struct watcher *w;
    struct pattern_set *set;

    for (size_t i = 0; i < count; i++)
        list[i] = (struct pattern){patterns[i].name, patterns[i].regex, patterns[i].ignore_case};
    set = pattern_set_compile(list, count, err);
    free(list);
    if (!set)
        return NULL;
    w = xcalloc(1, sizeof(*w));
    w->clock = clock;
    w->patterns = xcalloc(count + 1, sizeof(*w->patterns));
    for (size_t i = 0; i < count; i++)
        watched_pattern_copy(&w->patterns[i], &patterns[i]);
    w->count = count;
    w->set = set;
    return w;
}

bool watcher_has(const struct watcher *w, const struct watched_pattern *patterns, size_t count)
{
    if (!w || w->count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!is_same(&w->patterns[i], &patterns[i]))
            return false;
    return true;
}

void watcher_free(struct watcher *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++)
        watched_pattern_clear(&w->patterns[i]);
    free(w->patterns);
    pattern_set_free(w->set);
    free(w);
}
