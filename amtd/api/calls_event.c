/* event.list, event.follow, event.show. Whoever may not watch a console does not see its events. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/console_json.h"
#include "amtd/console/hub.h"
#include "amtd/daemon.h"
#include "amtd/store/event.h"
#include "base/xalloc.h"

#define PORTION 1000 /* events read at a time by who follows */

static bool may_see(const struct api_request *rq, const struct event *event)
{
    struct console *console = event->console ? hub_find(daemon_hub(api_daemon(rq)), event->console) : NULL;

    if (!event->host && !event->console && reach_everywhere(api_reach(rq)) < ROLE_WATCH)
        return false;
    if (event->host && reach_on(api_reach(rq), event->host) < ROLE_WATCH)
        return false;
    if (console)
        return console_require(rq, console, RIGHT_WATCH, NULL) == 0;
    return !event->guarded || api_require(rq, ROLE_ADMINISTER, NULL) == 0;
}

/* --- which ones --- */

/* A caller that reads events: once, or from then on. */
struct reader {
    struct api_request *rq;
    struct event_filter filter;
    json_t *visible, *known; /* of the filter */
    size_t limit;
    struct event *events; /* that the store found */
    size_t count;
    /* of who follows */
    struct event_listener listener;
    bool listens;
    bool reading; /* the store is at it */
    bool behind;  /* there are more than it was told */
    bool gone;
};

static void reader_free(struct reader *reader)
{
    for (size_t i = 0; i < reader->count; i++)
        event_clear(&reader->events[i]);
    free(reader->events);
    json_decref(reader->visible);
    json_decref(reader->known);
    free(reader);
}

static int read_names(const json_t *params, const char *name, const json_t **out, struct err *err)
{
    const json_t *item;
    size_t i;

    *out = json_object_get(params, name);
    json_array_foreach((json_t *)*out, i, item)
    {
        if (!json_is_string(item))
            return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' must be an array of strings", name);
    }
    return 0;
}

static int check_kinds(const json_t *kinds, struct err *err)
{
    const json_t *item;
    size_t i;

    json_array_foreach((json_t *)kinds, i, item)
    {
        const char *const *known = event_kind_names;

        while (*known && strcmp(*known, json_string_value(item)) != 0)
            known++;
        if (!*known)
            return err_set(err, CAUSE_INVALID_ARGUMENT, "there is no kind of event '%s'",
                           json_string_value(item));
    }
    return 0;
}

static int read_filter(const json_t *params, struct event_filter *f, struct err *err)
{
    const char *severity = param_text(params, "severity");

    if (severity && !severity_from_name(severity, &f->severity))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'severity' must be info, warning or critical");
    if (param_time(params, "since", "since_ms", &f->since_ms, err) != 0 ||
        param_time(params, "until", "until_ms", &f->until_ms, err) != 0 ||
        read_names(params, "hosts", &f->hosts, err) != 0 ||
        read_names(params, "consoles", &f->consoles, err) != 0 ||
        read_names(params, "kinds", &f->kinds, err) != 0)
        return -1;
    return check_kinds(f->kinds, err);
}

static void list_console(void *arg, struct console *console)
{
    struct reader *reader = arg;
    json_t *name = json_string(console_info(console).name);

    json_array_append(reader->known, name);
    if (console_require(reader->rq, console, RIGHT_WATCH, NULL) == 0)
        json_array_append(reader->visible, name);
    json_decref(name);
}

/* The store cannot ask who may see what: it gets the names. */
static void look_at_rights(struct reader *reader)
{
    json_decref(reader->visible);
    json_decref(reader->known);
    reader->visible = reader->known = NULL;
    if (api_require(reader->rq, ROLE_ADMINISTER, NULL) != 0) {
        reader->visible = json_array();
        reader->known = json_array();
        hub_each(daemon_hub(api_daemon(reader->rq)), list_console, reader);
    }
    reader->filter.visible = reader->visible;
    reader->filter.known = reader->known;
}

static struct reader *reader_new(struct api_request *rq)
{
    struct reader *reader = xcalloc(1, sizeof(*reader));
    struct err err = ERR_INIT;

    reader->rq = rq;
    if (read_filter(api_params(rq), &reader->filter, &err) == 0 &&
        param_limit(api_params(rq), &reader->limit, &err) == 0)
        return reader;
    free(reader);
    api_fail(rq, &err);
    return NULL;
}

static int read_work(struct tx *tx, void *data, struct err *err)
{
    struct reader *reader = data;

    return tx_events(tx, &reader->filter, reader->limit, &reader->events, &reader->count, err);
}

/* --- list --- */

static void listed(void *data, const struct err *failure)
{
    struct reader *reader = data;
    json_t *out = json_array();

    for (size_t i = 0; i < reader->count; i++)
        json_array_append_new(out, event_json(&reader->events[i]));
    if (failure) {
        json_decref(out);
        api_fail(reader->rq, failure);
    } else {
        api_reply(reader->rq, out);
    }
    reader_free(reader);
}

void call_event_list(struct api_request *rq)
{
    struct reader *reader = reader_new(rq);

    if (!reader)
        return;
    look_at_rights(reader);
    store_submit(daemon_store(api_daemon(rq)), read_work, listed, reader);
}

/* --- follow: a cursor on the table --- */

static void read_on(struct reader *reader);

static void hear(void *arg, const struct event *event)
{
    struct reader *reader = arg;

    if (!event_matches(&reader->filter, event) || !may_see(reader->rq, event))
        return;
    if (reader->reading || reader->behind || api_backlog(reader->rq) > API_HIGH_WATER) {
        reader->behind = true;
        return;
    }
    if (event->id > 0)
        reader->filter.after_id = event->id;
    api_event(reader->rq, event_json(event));
}

static void end_following(struct reader *reader, const struct err *failure)
{
    if (reader->listens)
        events_unlisten(daemon_events(api_daemon(reader->rq)), &reader->listener);
    if (failure)
        api_fail(reader->rq, failure);
    else
        api_reply(reader->rq, json_object());
    reader_free(reader);
}

static void portion_read(void *data, const struct err *failure)
{
    struct reader *reader = data;
    bool more = reader->behind || (reader->listens && reader->count == PORTION);

    reader->reading = reader->behind = false;
    for (size_t i = 0; i < reader->count; i++) {
        reader->filter.after_id = reader->events[i].id;
        api_event(reader->rq, event_json(&reader->events[i]));
        event_clear(&reader->events[i]);
    }
    free(reader->events);
    reader->events = NULL;
    reader->count = 0;
    if (failure || reader->gone) {
        end_following(reader, failure);
        return;
    }
    /* What the store was asked before an event was written down, it answers before that event is told. */
    if (!reader->listens)
        events_listen(daemon_events(api_daemon(reader->rq)), &reader->listener);
    reader->listens = true;
    reader->filter.since_ms = 0;
    reader->limit = PORTION;
    if (more)
        read_on(reader);
}

/* From the table, as soon as there is room for it. */
static void read_on(struct reader *reader)
{
    reader->behind = true;
    if (reader->reading || api_backlog(reader->rq) > API_HIGH_WATER)
        return;
    reader->behind = false;
    reader->reading = true;
    look_at_rights(reader);
    store_submit(daemon_store(api_daemon(reader->rq)), read_work, portion_read, reader);
}

static void drained(struct api_request *rq, void *arg)
{
    struct reader *reader = arg;

    (void)rq;
    if (reader->behind && !reader->reading)
        read_on(reader);
}

static void gone(struct api_request *rq, void *arg)
{
    struct reader *reader = arg;

    (void)rq;
    reader->gone = true;
    if (!reader->reading)
        end_following(reader, NULL);
}

void call_event_follow(struct api_request *rq)
{
    struct reader *reader = reader_new(rq);

    if (!reader)
        return;
    reader->listener.event = hear;
    reader->listener.arg = reader;
    api_on_drained(rq, drained, reader);
    api_on_gone(rq, gone, reader);
    read_on(reader);
}

/* --- show --- */

struct showing {
    struct api_request *rq;
    int64_t id;
    struct event event;
};

static int show_work(struct tx *tx, void *data, struct err *err)
{
    struct showing *s = data;

    return tx_event_get(tx, s->id, &s->event, err);
}

static void shown(void *data, const struct err *failure)
{
    struct showing *s = data;
    struct err err = ERR_INIT;

    if (!failure && !may_see(s->rq, &s->event)) {
        err_set(&err, CAUSE_NOT_FOUND, "there is no event %lld", (long long)s->id);
        failure = &err;
    }
    if (failure)
        api_fail(s->rq, failure);
    else
        api_reply(s->rq, event_json(&s->event));
    event_clear(&s->event);
    free(s);
}

void call_event_show(struct api_request *rq)
{
    struct showing *s = xcalloc(1, sizeof(*s));

    s->rq = rq;
    s->id = json_integer_value(json_object_get(api_params(rq), "id"));
    store_submit(daemon_store(api_daemon(rq)), show_work, shown, s);
}
