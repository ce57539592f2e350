/* log.search: lines that match, over the logs of many consoles; several are read at a time. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/console_json.h"
#include "amtd/api/log_range.h"
#include "amtd/console/hub.h"
#include "amtd/console/log_dir.h"
#include "amtd/console/text/line_search.h"
#include "amtd/daemon.h"
#include "base/xalloc.h"

#define WORKERS 3                 /* of the four threads there are */
#define TURN    (4 * 1024 * 1024) /* bytes that one reads before it tells what it found */
#define PORTION (256 * 1024)

struct target {
    char *name, *path;
    struct log_range range;
};

struct hit {
    uint64_t offset;
    int64_t at_ms;
    size_t begin, n; /* in `text` */
    bool match;
};

struct search;

struct worker {
    struct search *search;
    const struct target *target; /* NULL: it has none */
    struct log_reader *reader;
    struct log_times *times;
    struct line_search *lines;
    uint64_t at;
    struct hit *hits;
    size_t count;
    struct buf text;
    bool over, busy;
    uint64_t bytes;
    struct err err;
};

struct search {
    struct api_request *rq;
    struct hub *hub;
    struct line_pattern *pattern;
    struct line_search_options options;
    bool count, list, gone, full;
    uint64_t limit;
    struct log_range range;
    struct target *targets;
    size_t target_count, next;
    struct worker workers[WORKERS];
    size_t working;
    uint64_t matches, bytes;
    size_t consoles; /* with a match */
};

/* --- on the other threads --- */

static bool found(void *arg, uint64_t offset, const char *line, size_t n, bool match)
{
    struct worker *w = arg;

    if ((w->count & (w->count + 1)) == 0)
        w->hits = xreallocarray(w->hits, 2 * (w->count + 1), sizeof(*w->hits));
    w->hits[w->count++] = (struct hit){offset, log_times_at(w->times, offset), w->text.len, n, match};
    buf_add(&w->text, line, n);
    return !w->search->list;
}

static void begin(struct worker *w)
{
    struct target *t = (struct target *)w->target;
    bool silent = w->search->count;

    w->times = log_times_new(t->path, &w->err);
    w->over = !w->times || log_range_resolve(&t->range, w->times, &w->err) != 0;
    w->reader = log_reader_new(t->path);
    w->lines = line_search_new(w->search->pattern, &w->search->options, silent ? NULL : found, w);
    w->at = t->range.from;
}

static void worker_run(void *arg)
{
    struct worker *w = arg;
    uint8_t *portion = xmalloc(PORTION);
    uint64_t end, until;
    bool on = true;

    if (!w->lines)
        begin(w);
    end = w->target->range.to;
    until = end - w->at > TURN && w->at < end ? w->at + TURN : end;
    while (on && !w->over && w->at < until) {
        size_t want = until - w->at < PORTION ? (size_t)(until - w->at) : PORTION;
        uint64_t at = w->at;
        struct err err = ERR_INIT;
        long n = log_reader_read(w->reader, w->at, &at, portion, want, &err);

        if (n <= 0 && at <= w->at)
            break;
        if (n > 0 && at + (uint64_t)n > end)
            n = at < end ? (long)(end - at) : 0;
        if (n > 0) {
            on = line_search_feed(w->lines, at, portion, (size_t)n);
            w->bytes += (uint64_t)n;
        }
        w->at = at + (uint64_t)(n > 0 ? n : 0);
    }
    if (w->over || !on || w->at < until || until >= end) {
        if (on && !w->over)
            line_search_end(w->lines);
        w->over = true;
    }
    free(portion);
}

/* --- on the loop's thread --- */

static void go_on(struct search *s);

static void drop_target(struct worker *w)
{
    line_search_free(w->lines);
    log_reader_free(w->reader);
    log_times_free(w->times);
    free(w->hits);
    buf_free(&w->text);
    *w = (struct worker){.search = w->search};
}

static void search_free(struct search *s)
{
    for (size_t i = 0; i < WORKERS; i++)
        drop_target(&s->workers[i]);
    for (size_t i = 0; i < s->target_count; i++) {
        free(s->targets[i].name);
        free(s->targets[i].path);
    }
    free(s->targets);
    line_pattern_free(s->pattern);
    free(s);
}

static void emit_hit(struct search *s, const struct worker *w, const struct hit *hit)
{
    json_t *event = json_pack("{s:s, s:I, s:o}", "console", w->target->name, "offset",
                              (json_int_t)hit->offset, "at", json_time_ms(hit->at_ms));

    json_put_bytes(event, w->text.p + hit->begin, hit->n);
    if (!hit->match)
        json_object_set_new(event, "context", json_true());
    api_event(s->rq, event);
}

static void emit(struct search *s, struct worker *w)
{
    for (size_t i = 0; i < w->count && !s->list && !s->full; i++) {
        s->full = w->hits[i].match && s->limit > 0 && s->matches >= s->limit;
        s->matches += w->hits[i].match && !s->full;
        if (!s->full)
            emit_hit(s, w, &w->hits[i]);
    }
    w->count = 0;
    buf_reset(&w->text);
}

/* The end of one console's log. */
static void conclude(struct search *s, const struct worker *w)
{
    uint64_t matches = w->lines ? line_search_matches(w->lines) : 0;

    s->bytes += w->bytes;
    s->consoles += matches > 0;
    if (s->count || s->list)
        s->matches += matches;
    if (s->count)
        api_event(s->rq, json_pack("{s:s, s:I}", "console", w->target->name, "count", (json_int_t)matches));
    else if (s->list && matches > 0)
        api_event(s->rq, json_pack("{s:s}", "console", w->target->name));
    if (w->err.cause != CAUSE_NONE && w->err.cause != CAUSE_NOT_FOUND)
        api_event(s->rq, json_pack("{s:s, s:s}", "console", w->target->name, "failure", w->err.text));
}

static void worker_done(void *arg)
{
    struct worker *w = arg;
    struct search *s = w->search;

    w->busy = false;
    s->working--;
    if (!s->gone)
        emit(s, w);
    if (w->over || s->gone || s->full) {
        if (!s->gone)
            conclude(s, w);
        drop_target(w);
    }
    go_on(s);
}

static void finish(struct search *s)
{
    struct api_request *rq = s->rq;

    api_on_gone(rq, NULL, NULL);
    api_on_drained(rq, NULL, NULL);
    api_reply(rq, json_pack("{s:I, s:I, s:I}", "matches", (json_int_t)s->matches, "consoles",
                            (json_int_t)s->consoles, "bytes", (json_int_t)s->bytes));
    search_free(s);
}

/* Gives every worker that is free the next console, or the next portion of its own. */
static void go_on(struct search *s)
{
    bool more = false;

    for (size_t i = 0; i < WORKERS && !s->gone && !s->full; i++) {
        struct worker *w = &s->workers[i];

        if (w->busy || (!w->target && s->next >= s->target_count))
            continue;
        more = true;
        if (api_backlog(s->rq) > API_HIGH_WATER)
            break; /* until it is drained */
        if (!w->target) {
            w->target = &s->targets[s->next++];
            w->text = buf_init(64 << 20);
        }
        w->busy = true;
        s->working++;
        hub_work(s->hub, worker_run, worker_done, w);
    }
    if (s->working == 0 && !more)
        finish(s);
}

static void search_drained(struct api_request *rq, void *arg)
{
    (void)rq;
    go_on(arg);
}

static void search_gone(struct api_request *rq, void *arg)
{
    struct search *s = arg;

    (void)rq;
    s->gone = true;
    if (s->working == 0)
        finish(s);
}

/* --- the call --- */

static int read_options(const json_t *params, struct search *s, struct err *err)
{
    json_int_t before = json_integer_value(json_object_get(params, "before"));
    json_int_t after = json_integer_value(json_object_get(params, "after"));
    json_int_t limit = json_integer_value(json_object_get(params, "limit"));

    if (before < 0 || before > LINE_SEARCH_CONTEXT_MAX || after < 0 || after > LINE_SEARCH_CONTEXT_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'before' and 'after' must be from 0 to %d",
                       LINE_SEARCH_CONTEXT_MAX);
    if (limit < 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'limit' must not be negative");
    s->limit = (uint64_t)limit;
    s->count = json_is_true(json_object_get(params, "count"));
    s->list = json_is_true(json_object_get(params, "list"));
    s->options.invert = json_is_true(json_object_get(params, "invert"));
    s->options.before = s->count || s->list ? 0 : (size_t)before;
    s->options.after = s->count || s->list ? 0 : (size_t)after;
    s->pattern = line_pattern_compile(param_text(params, "regex"),
                                      json_is_true(json_object_get(params, "ignore_case")), err);
    return s->pattern ? 0 : -1;
}

static void add_target(void *arg, struct console *console)
{
    struct search *s = arg;
    const char *name = console_info(console).name;
    struct target *t;

    if (!console_is_named(json_object_get(api_params(s->rq), "names"), name) ||
        console_require(s->rq, console, RIGHT_WATCH, NULL) != 0)
        return;
    if ((s->target_count & (s->target_count + 1)) == 0)
        s->targets = xreallocarray(s->targets, 2 * (s->target_count + 1), sizeof(*s->targets));
    t = &s->targets[s->target_count++];
    t->name = xstrdup(name);
    t->path = xstrdup(clog_path(console_log(console)));
    t->range = s->range;
    log_range_settle(&t->range, console_log(console));
}

void call_log_search(struct api_request *rq)
{
    const json_t *params = api_params(rq);
    struct search *s = xcalloc(1, sizeof(*s));
    struct err err = ERR_INIT;

    s->rq = rq;
    s->hub = daemon_hub(api_daemon(rq));
    for (size_t i = 0; i < WORKERS; i++)
        s->workers[i].search = s;
    if (console_check_names(json_object_get(params, "names"), &err) != 0 ||
        log_range_read(params, &s->range, &err) != 0 || read_options(params, s, &err) != 0) {
        search_free(s);
        api_fail(rq, &err);
        return;
    }
    hub_each(s->hub, add_target, s);
    api_on_gone(rq, search_gone, s);
    api_on_drained(rq, search_drained, s);
    go_on(s);
}
