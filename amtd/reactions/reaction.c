#include "amtd/reactions/reaction.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "amtd/reactions/reaction_internal.h"
#include "base/xalloc.h"

#define HOUR ((int64_t)3600 * 1000)

/* --- rules --- */

void reaction_rule_init(struct reaction_rule *rule)
{
    memset(rule, 0, sizeof(*rule));
    rule->action.capture_wait_ms = 2000;
    rule->action.most = 60;
    rule->action.most_ms = HOUR;
}

void reaction_job_clear(struct reaction_job *job)
{
    free(job->file);
    free(job->schedule);
    free(job->target);
    job_source_clear(&job->source);
    memset(job, 0, sizeof(*job));
}

void reaction_rule_clear(struct reaction_rule *rule)
{
    struct reaction_action *a = &rule->action;

    free(rule->name);
    free(rule->pattern);
    json_decref((json_t *)rule->filter.kinds);
    json_decref((json_t *)rule->filter.hosts);
    json_decref((json_t *)rule->filter.consoles);
    json_decref(a->mail);
    json_decref(a->args);
    free(a->webhook);
    free(a->webhook_ca_file);
    free(a->command);
    free(a->task);
    free(a->host);
    reaction_job_clear(&a->job);
    memset(rule, 0, sizeof(*rule));
}

void reaction_rule_copy(struct reaction_rule *to, const struct reaction_rule *from)
{
    const struct reaction_action *a = &from->action;

    *to = *from;
    to->name = xstrdup(from->name);
    to->pattern = xstrdup(from->pattern);
    json_incref((json_t *)to->filter.kinds);
    json_incref((json_t *)to->filter.hosts);
    json_incref((json_t *)to->filter.consoles);
    json_incref(to->action.mail);
    json_incref(to->action.args);
    to->action.webhook = xstrdup(a->webhook);
    to->action.webhook_ca_file = xstrdup(a->webhook_ca_file);
    to->action.command = xstrdup(a->command);
    to->action.task = xstrdup(a->task);
    to->action.host = xstrdup(a->host);
    to->action.job = (struct reaction_job){
        .file = xstrdup(a->job.file), .schedule = xstrdup(a->job.schedule), .target = xstrdup(a->job.target)};
    job_source_copy(&to->action.job.source, &a->job.source);
}

static bool is_for(const struct reaction_rule *rule, const struct event *event)
{
    const char *pattern;

    /* What reactions themselves make is nothing to act on, unless somebody wants just that. */
    if (!rule->filter.kinds && (strcmp(event->kind, event_kind_name(EVENT_ACTION)) == 0 ||
                                strcmp(event->kind, event_kind_name(EVENT_CAPTURE)) == 0))
        return false;
    if (!event_matches(&rule->filter, event))
        return false;
    pattern = json_string_value(json_object_get(event->data, "pattern"));
    return !rule->pattern || (strcmp(event->kind, event_kind_name(EVENT_PATTERN)) == 0 && pattern &&
                              strcmp(pattern, rule->pattern) == 0);
}

/* --- firing --- */

void reactions_release(struct reactions *reactions)
{
    if (--reactions->used > 0 || !reactions->freed)
        return;
    free(reactions);
}

json_t *reactions_led(const struct event *event, const char *rule)
{
    json_t *led = json_copy(json_object_get(event->data, "reactions"));

    if (!json_is_array(led)) {
        json_decref(led);
        led = json_array();
    }
    json_array_append_new(led, json_string(rule));
    return led;
}

bool reactions_led_by(const struct event *event, const char *rule)
{
    const json_t *name;
    size_t i;

    json_array_foreach(json_object_get(event->data, "reactions"), i, name)
    {
        if (json_is_string(name) && strcmp(json_string_value(name), rule) == 0)
            return true;
    }
    return false;
}

void reactions_failed(struct reactions *reactions, const char *rule, const struct event *event,
                      const char *why)
{
    char *text = xasprintf("reaction %s: %s", rule, why);

    if (reactions->freed || strcmp(event->kind, event_kind_name(EVENT_ACTION)) == 0)
        log_err("reactions", "%s", text);
    else
        event_raise(reactions->parts.events,
                    &(struct event_report){.kind = EVENT_ACTION,
                                           .severity = SEVERITY_WARNING,
                                           .host = event->host,
                                           .console = event->console,
                                           .guarded = event->guarded,
                                           .text = text,
                                           .data = json_pack("{s:s, s:I, s:o}", "reaction", rule, "of",
                                                             (json_int_t)event->id, "reactions",
                                                             reactions_led(event, rule))});
    free(text);
}

static void firing_free(struct firing *f)
{
    struct reactions *reactions = f->reactions;

    reaction_rule_clear(&f->rule);
    event_clear(&f->event);
    free(f->lines);
    free(f);
    reactions_release(reactions);
}

static void captured(void *arg, const char *text)
{
    struct firing *f = arg;
    struct reactions *reactions = f->reactions;

    DL_DELETE(reactions->firings, f);
    f->lines = xstrdup(text);
    if (!reactions->freed && text)
        event_raise(reactions->parts.events,
                    &(struct event_report){
                        .kind = EVENT_CAPTURE,
                        .severity = SEVERITY_INFO,
                        .host = f->event.host,
                        .console = f->event.console,
                        .guarded = f->event.guarded,
                        .text = f->event.text,
                        .data = json_pack("{s:I, s:s}", "of", (json_int_t)f->event.id, "lines", text)});
    if (!reactions->freed)
        firing_act(f);
    firing_free(f);
}

static void event_copy(struct event *to, const struct event *from)
{
    *to = *from;
    to->kind = xstrdup(from->kind);
    to->host = xstrdup(from->host);
    to->console = xstrdup(from->console);
    to->text = xstrdup(from->text);
    json_incref(to->data);
}

static void fire(struct reactions *reactions, const struct reaction_rule *rule, const struct event *event)
{
    struct firing *f = xcalloc(1, sizeof(*f));

    f->reactions = reactions;
    reactions->used++;
    reaction_rule_copy(&f->rule, rule);
    event_copy(&f->event, event);
    if (rule->action.capture_lines > 0 && event->console) {
        DL_APPEND(reactions->firings, f);
        f->capture =
            capture_start(reactions->parts.loop, reactions->parts.hub, event->console,
                          (size_t)rule->action.capture_lines, rule->action.capture_wait_ms, captured, f);
        return;
    }
    firing_act(f);
    firing_free(f);
}

static void on_event(void *arg, const struct event *event)
{
    struct reactions *reactions = arg;

    for (size_t i = 0; i < reactions->count; i++) {
        struct watch_rule *w = &reactions->rules[i];
        uint32_t held;
        char *text;

        if (!is_for(&w->rule, event))
            continue;
        if (!log_limit_pass(&w->limit, clock_mono(reactions->parts.clock), &held)) {
            if (w->limit.held == 1)
                reactions_failed(reactions, w->rule.name, event,
                                 "too often: left out until its time has gone by");
            continue;
        }
        if (held > 0) {
            text = xasprintf("%u times left out", held);
            reactions_failed(reactions, w->rule.name, event, text);
            free(text);
        }
        fire(reactions, &w->rule, event);
    }
}

/* --- beginning and end --- */

static void clear_rules(struct watch_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        reaction_rule_clear(&rules[i].rule);
    free(rules);
}

void reactions_configure(struct reactions *reactions, const struct reaction_rule *rules, size_t count)
{
    struct watch_rule *fresh = xcalloc(count + 1, sizeof(*fresh));

    for (size_t i = 0; i < count; i++) {
        reaction_rule_copy(&fresh[i].rule, &rules[i]);
        fresh[i].limit =
            (struct log_limit)LOG_LIMIT_INIT((uint32_t)rules[i].action.most, rules[i].action.most_ms);
        for (size_t j = 0; j < reactions->count; j++) {
            const struct log_limit *was = &reactions->rules[j].limit;

            if (strcmp(reactions->rules[j].rule.name, rules[i].name) != 0)
                continue;
            fresh[i].limit.window_start_ms = was->window_start_ms;
            fresh[i].limit.used = was->used;
            fresh[i].limit.held = was->held;
        }
    }
    clear_rules(reactions->rules, reactions->count);
    reactions->rules = fresh;
    reactions->count = count;
}

struct reactions *reactions_new(const struct reaction_parts *parts, const struct reaction_rule *rules,
                                size_t count)
{
    struct reactions *reactions = xcalloc(1, sizeof(*reactions));

    reactions->parts = *parts;
    reactions->used = 1;
    reactions->listener = (struct event_listener){.event = on_event, .arg = reactions};
    reactions_configure(reactions, rules, count);
    events_listen(parts->events, &reactions->listener);
    return reactions;
}

void reactions_end_jobs(struct reactions *reactions)
{
    if (reactions)
        reactions->parts.jobs = NULL;
}

void reactions_free(struct reactions *reactions)
{
    struct firing *f, *next;

    if (!reactions)
        return;
    events_unlisten(reactions->parts.events, &reactions->listener);
    reactions->freed = true;
    clear_rules(reactions->rules, reactions->count);
    DL_FOREACH_SAFE(reactions->firings, f, next)
    capture_hurry(f->capture);
    commands_abandon(reactions);
    reactions_release(reactions);
}
