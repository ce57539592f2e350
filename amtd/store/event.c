#include "amtd/store/event.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

#define PURGE_MS    3600000
#define WAITING_MAX 10000 /* events on their way into the store */

static const char *const sentences[EVENT_KINDS] = {
#define EVENT(id, name, sentence) [EVENT_##id] = (sentence),
#include "amtd/store/event.def"
#undef EVENT
};

const char *const event_kind_names[EVENT_KINDS + 1] = {
#define EVENT(id, name, sentence) [EVENT_##id] = (name),
#include "amtd/store/event.def"
#undef EVENT
};

const char *event_kind_name(enum event_kind kind)
{
    return event_kind_names[kind];
}

void event_clear(struct event *event)
{
    free(event->kind);
    free(event->host);
    free(event->console);
    free(event->text);
    json_decref(event->data);
    memset(event, 0, sizeof(*event));
}

json_t *event_json(const struct event *event)
{
    char at[CLOCK_TEXT_MAX];
    json_t *json = json_pack("{s:o, s:s, s:s, s:s, s:s?, s:s?, s:s}", "id",
                             event->id > 0 ? json_integer(event->id) : json_null(), "at",
                             clock_text_ms(event->at_ms, at), "kind", event->kind, "severity",
                             severity_name((enum severity)event->severity), "host", event->host, "console",
                             event->console, "text", event->text);

    if (event->data)
        json_object_set(json, "data", event->data);
    return json;
}

struct events {
    struct store *store;
    const struct clock *clock;
    struct event_limits limits;
    struct event_listener *listeners;
    uv_timer_t timer;
    size_t waiting; /* given to the store */
    size_t lost;    /* since the last one that was given to it */
    int64_t bytes;  /* that all take */
    int64_t fresh;  /* of these, those that came since a purge began */
    bool purging;
    bool freed, closed;
};

static void release(struct events *events)
{
    if (events->closed && events->waiting == 0 && !events->purging)
        free(events);
}

/* --- the oldest go --- */

struct purge {
    struct events *events;
    int64_t before_ms, keep_bytes;
    int64_t bytes; /* that all take; -1: to be counted */
    bool more;
};

static int purge_work(struct tx *tx, void *data, struct err *err)
{
    struct purge *p = data;

    return tx_events_purge(tx, p->before_ms, p->keep_bytes, &p->bytes, &p->more, err);
}

static void purge_done(void *data, const struct err *failure)
{
    struct purge *p = data;

    if (failure) {
        log_err("events", "old ones cannot be removed: %s", failure->text);
    } else if (p->more && !p->events->freed) { /* others have their turn first */
        store_submit_later(p->events->store, purge_work, purge_done, p);
        return;
    } else {
        p->events->bytes = p->bytes + p->events->fresh;
    }
    p->events->purging = false;
    release(p->events);
    free(p);
}

static void purge(struct events *events)
{
    struct purge *p;

    if (events->purging || events->freed)
        return;
    p = xcalloc(1, sizeof(*p));
    p->events = events;
    p->before_ms =
        events->limits.keep_ms > 0 ? clock_wall(events->clock) - events->limits.keep_ms : INT64_MIN;
    /* An eighth less than what is allowed, so that not each new one has another removed. */
    p->keep_bytes = events->limits.keep_bytes - events->limits.keep_bytes / 8;
    p->bytes = -1;
    events->fresh = 0;
    events->purging = true;
    store_submit_later(events->store, purge_work, purge_done, p);
}

static void on_timer(uv_timer_t *timer)
{
    purge(timer->data);
}

/* --- writing down and telling --- */

struct raised {
    struct events *events;
    struct event event;
    int64_t bytes;
};

static int add_work(struct tx *tx, void *data, struct err *err)
{
    struct raised *r = data;

    return tx_event_add(tx, &r->event, &r->event.id, &r->bytes, err);
}

static void tell(struct events *events, const struct event *event)
{
    struct event_listener *listener, *next;

    DL_FOREACH_SAFE(events->listeners, listener, next)
    listener->event(listener->arg, event);
}

static void added(void *data, const struct err *failure)
{
    struct raised *r = data;
    struct events *events = r->events;

    events->waiting--;
    if (failure) {
        log_err("events", "one cannot be written down: %s", failure->text);
        r->event.id = 0;
    } else {
        events->bytes += r->bytes;
        events->fresh += r->bytes;
    }
    if (!events->freed)
        tell(events, &r->event);
    if (events->limits.keep_bytes > 0 && events->bytes > events->limits.keep_bytes)
        purge(events);
    event_clear(&r->event);
    free(r);
    release(events);
}

static void write_log(const struct event *event)
{
    static void (*const logs[SEVERITIES])(const char *ctx, const char *fmt, ...) = {log_info, log_warn,
                                                                                    log_err};
    char *subject = event->console ? xasprintf("console=%s", event->console)
                    : event->host  ? xasprintf("host=%s", event->host)
                                   : xstrdup("events");

    logs[event->severity](subject, "%s: %s", event->kind, event->text);
    free(subject);
}

static json_t *take_data(const struct event_report *report)
{
    char *text = report->data ? json_dumps(report->data, JSON_COMPACT) : NULL;

    if (text && strlen(text) > EVENT_DATA_MAX) {
        log_warn("events", "the data of '%s' (%s) are too long and left out", event_kind_name(report->kind),
                 sentences[report->kind]);
        json_decref(report->data);
        free(text);
        return NULL;
    }
    free(text);
    return report->data;
}

static char *printable_text(const char *text)
{
    struct buf out = buf_init((size_t)4 * EVENT_TEXT_MAX + 16);
    size_t n = strnlen(text, EVENT_TEXT_MAX);
    char *printable;

    text_printable(&out, text, n);
    printable = xstrdup(buf_str(&out));
    buf_free(&out);
    return printable;
}

void event_raise(struct events *events, const struct event_report *report)
{
    struct raised *r = xcalloc(1, sizeof(*r));

    r->events = events;
    r->event = (struct event){.at_ms = clock_wall(events ? events->clock : clock_system()),
                              .kind = xstrdup(event_kind_name(report->kind)),
                              .severity = (int)report->severity,
                              .host = xstrdup(report->host),
                              .console = xstrdup(report->console),
                              .guarded = report->guarded,
                              .text = printable_text(report->text),
                              .data = take_data(report)};
    write_log(&r->event);
    if (events && !events->freed && events->waiting < WAITING_MAX) {
        if (events->lost > 0)
            log_err("events", "%zu were not written down: too many at a time", events->lost);
        events->lost = 0;
        events->waiting++;
        store_submit_later(events->store, add_work, added, r);
        return;
    }
    if (events && !events->freed) {
        events->lost++;
        tell(events, &r->event);
    }
    event_clear(&r->event);
    free(r);
}

void events_listen(struct events *events, struct event_listener *listener)
{
    DL_APPEND(events->listeners, listener);
}

void events_unlisten(struct events *events, struct event_listener *listener)
{
    DL_DELETE(events->listeners, listener);
}

/* --- which ones --- */

static bool is_among(const json_t *patterns, const char *name)
{
    size_t i;
    json_t *pattern;

    json_array_foreach(patterns, i, pattern)
    {
        if (fnmatch(json_string_value(pattern), name, 0) == 0)
            return true;
    }
    return false;
}

static bool is_listed(const json_t *names, const char *name)
{
    size_t i;
    json_t *listed;

    json_array_foreach(names, i, listed)
    {
        if (strcmp(json_string_value(listed), name) == 0)
            return true;
    }
    return false;
}

bool event_matches(const struct event_filter *f, const struct event *event)
{
    if (event->severity < (int)f->severity || (f->kinds && !is_listed(f->kinds, event->kind)) ||
        (f->hosts && (!event->host || !is_among(f->hosts, event->host))) ||
        (f->consoles && (!event->console || !is_among(f->consoles, event->console))))
        return false;
    return true;
}

/* --- beginning and end --- */

void events_set_limits(struct events *events, const struct event_limits *limits)
{
    events->limits = *limits;
    purge(events);
}

struct events *events_new(uv_loop_t *loop, struct store *store, const struct clock *clock,
                          const struct event_limits *limits)
{
    struct events *events = xcalloc(1, sizeof(*events));

    events->store = store;
    events->clock = clock;
    events->limits = *limits;
    uv_timer_init(loop, &events->timer);
    events->timer.data = events;
    uv_timer_start(&events->timer, on_timer, 0, PURGE_MS);
    uv_unref((uv_handle_t *)&events->timer);
    return events;
}

static void timer_closed(uv_handle_t *handle)
{
    struct events *events = handle->data;

    events->closed = true;
    release(events);
}

void events_free(struct events *events)
{
    if (!events)
        return;
    events->freed = true;
    events->listeners = NULL;
    uv_close((uv_handle_t *)&events->timer, timer_closed);
}
