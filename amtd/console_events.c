#include "amtd/console_events.h"

#include <stdlib.h>

#include "base/xalloc.h"

struct console_events {
    struct hub *hub;
    struct events *events;
    struct hub_listener listener;
};

static void raise_event(const struct console_events *ce, struct console *console, enum event_kind kind,
                        enum severity severity, const char *text, json_t *data)
{
    const struct console_settings *s = console_info(console).settings;

    event_raise(ce->events, &(struct event_report){.kind = kind,
                                                   .severity = severity,
                                                   .host = console_settings_host(s),
                                                   .console = s->name,
                                                   .guarded = s->access_count > 0,
                                                   .text = text,
                                                   .data = data});
}

static void on_pattern(const struct console_events *ce, struct console *console,
                       const struct console_event *event)
{
    const struct pattern_found *found = event->found;
    char *text = xasprintf("%s: %s", found->pattern->name, found->line);

    raise_event(ce, console, EVENT_PATTERN, (enum severity)found->pattern->severity, text,
                json_pack("{s:s, s:s, s:I}", "pattern", found->pattern->name, "line", found->line, "offset",
                          (json_int_t)found->offset));
    free(text);
}

static const struct {
    enum event_kind kind;
    enum severity severity;
} activities[] = {
    [TRAFFIC_STEADY] = {EVENT_STEADY, SEVERITY_INFO},
    [TRAFFIC_FLOOD] = {EVENT_FLOOD, SEVERITY_WARNING},
    [TRAFFIC_SILENCE] = {EVENT_SILENCE, SEVERITY_WARNING},
};

/* All consoles together. */
static void on_activity(void *arg, enum traffic_state state, const char *text)
{
    const struct console_events *ce = arg;
    char *of_all = xasprintf("all consoles: %s", text);

    event_raise(ce->events, &(struct event_report){.kind = activities[state].kind,
                                                   .severity = activities[state].severity,
                                                   .text = of_all});
    free(of_all);
}

static void on_event(void *arg, struct console *console, const struct console_event *event)
{
    const struct console_events *ce = arg;

    if (event->what != CONSOLE_DID)
        return;
    if (event->kind == JOURNAL_PATTERN && event->found)
        on_pattern(ce, console, event);
    else if (event->kind == JOURNAL_ACTIVITY)
        raise_event(ce, console, activities[event->activity].kind, activities[event->activity].severity,
                    event->text, NULL);
    else if (event->kind == JOURNAL_HISTORY)
        raise_event(ce, console, EVENT_HISTORY, SEVERITY_WARNING, event->text, NULL);
    else if (event->kind == JOURNAL_LOGGING && event->who[0] == '\0') /* not by a user's wish */
        raise_event(ce, console, EVENT_LOGGING, SEVERITY_WARNING, event->text, NULL);
}

struct console_events *console_events_new(struct hub *hub, struct events *events)
{
    struct console_events *ce = xcalloc(1, sizeof(*ce));

    ce->hub = hub;
    ce->events = events;
    ce->listener = (struct hub_listener){.event = on_event, .activity = on_activity, .arg = ce};
    hub_listen(hub, &ce->listener);
    return ce;
}

void console_events_free(struct console_events *ce)
{
    if (!ce)
        return;
    hub_unlisten(ce->hub, &ce->listener);
    free(ce);
}
