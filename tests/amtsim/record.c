#include "tests/amtsim/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "tests/amtsim/boot.h"
#include "tests/amtsim/class.h"
#include "tests/amtsim/event_log.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/power.h"

struct record {
    uint32_t counters[RECORD_COUNTER_COUNT];
    uint64_t amounts[RECORD_AMOUNT_COUNT];
    uint32_t dropped;  /* events that had to make room */
    uint32_t *classes; /* requests by class index; NULL none yet */
    struct record_event *events;
    size_t count, room;
};

static const char *const kind_names[RECORD_KIND_COUNT] = {
    [RECORD_POWER] = "power",   [RECORD_STATE] = "state",     [RECORD_BOOT] = "boot",
    [RECORD_WAKE] = "wake",     [RECORD_LOGIN] = "login",     [RECORD_LOCK] = "lock",
    [RECORD_CHANGE] = "change", [RECORD_DEFENSE] = "defense", [RECORD_SESSION] = "session",
};

static const char *const defense_names[] = {
    [RECORD_FILTER_ADDED] = "filter added",     [RECORD_FILTER_REMOVED] = "filter removed",
    [RECORD_POLICY_ADDED] = "policy added",     [RECORD_POLICY_REMOVED] = "policy removed",
    [RECORD_DEFAULT_SET] = "default set",       [RECORD_DEFAULT_CLEARED] = "default cleared",
    [RECORD_POLICY_ENABLED] = "policy enabled", [RECORD_POLICY_DISABLED] = "policy disabled",
    [RECORD_FILTER_EVENT] = "filter hit",
};

static const char *const counter_names[RECORD_COUNTER_COUNT] = {
    [RECORD_CONNECTIONS] = "connections",
    [RECORD_CONNECTIONS_REFUSED] = "connections_refused",
    [RECORD_REQUESTS] = "requests",
    [RECORD_UNAUTHORIZED] = "unauthorized",
    [RECORD_LOGINS_OK] = "logins_ok",
    [RECORD_LOGINS_WRONG] = "logins_wrong",
    [RECORD_LOGINS_LOCKED] = "logins_locked",
    [RECORD_NONCES_STALE] = "nonces_stale",
    [RECORD_NC_REUSED] = "nc_reused",
    [RECORD_SOAP_FAULTS] = "soap_faults",
    [RECORD_BAD_REQUESTS] = "bad_requests",
    [RECORD_HANDSHAKES] = "handshakes",
    [RECORD_HANDSHAKES_FAILED] = "handshakes_failed",
    [RECORD_SESSIONS] = "sessions",
    [RECORD_SESSIONS_REFUSED] = "sessions_refused",
    [RECORD_ALERTS_SENT] = "alerts_sent",
    [RECORD_ALERTS_LOST] = "alerts_lost",
    [RECORD_IDER_COMMANDS] = "ider_commands",
};

static const char *const amount_names[RECORD_AMOUNT_COUNT] = {
    [RECORD_SOL_FROM_HOST] = "sol_from_host",
    [RECORD_SOL_TO_HOST] = "sol_to_host",
    [RECORD_IDER_BYTES] = "ider_bytes",
};

static const char *const session_names[] = {[REDIR_SOL] = "sol", [REDIR_IDER] = "ider"};

static const char *const login_names[] = {"ok", "wrong", "locked"};

static struct record *record_of(struct device *d)
{
    if (d->record == NULL)
        d->record = xcalloc(1, sizeof(*d->record));
    return d->record;
}

void record_count(struct device *d, enum record_counter counter)
{
    record_of(d)->counters[counter]++;
}

void record_passed(struct device *d, enum record_amount amount, size_t n)
{
    record_of(d)->amounts[amount] += n;
}

uint64_t record_passed_get(const struct device *d, enum record_amount amount)
{
    return d->record != NULL ? d->record->amounts[amount] : 0;
}

void record_class(struct device *d, unsigned index)
{
    struct record *r = record_of(d);
    if (r->classes == NULL)
        r->classes = xcalloc(class_count(), sizeof(*r->classes));
    r->classes[index]++;
}

static void add(struct device *d, struct record_event event)
{
    struct record *r = record_of(d);
    event.at_ms = clock_wall(&d->fleet->clock);
    if (r->count == RECORD_EVENTS_MAX) {
        size_t half = r->count / 2;
        memmove(r->events, r->events + half, (r->count - half) * sizeof(*r->events));
        r->count -= half;
        r->dropped += (uint32_t)half;
    }
    if (r->count == r->room) {
        r->room = r->room > 0 ? 2 * r->room : 8;
        r->events = xreallocarray(r->events, r->room, sizeof(*r->events));
    }
    r->events[r->count++] = event;
    event_log_tell(d, &event);
}

void record_event(struct device *d, enum record_kind kind, uint32_t value, uint32_t result)
{
    add(d, (struct record_event){.kind = kind, .value = value, .result = result});
}

void record_boot(struct device *d, uint32_t count, uint32_t flags, uint32_t source)
{
    add(d, (struct record_event){.kind = RECORD_BOOT, .value = count, .result = source, .flags = flags});
}

void record_change(struct device *d, const char *what)
{
    add(d, (struct record_event){.kind = RECORD_CHANGE, .what = what});
}

void record_defense(struct device *d, enum record_defense_event event, uint32_t handle, uint32_t port)
{
    add(d, (struct record_event){.kind = RECORD_DEFENSE, .value = event, .result = handle, .flags = port});
}

void record_session(struct device *d, unsigned kind, const char *what)
{
    add(d, (struct record_event){.kind = RECORD_SESSION, .value = kind, .what = what});
}

const struct record_event *record_newest(const struct device *d, size_t i)
{
    return i < record_event_count(d) ? &d->record->events[d->record->count - 1 - i] : NULL;
}

size_t record_event_count(const struct device *d)
{
    return d->record != NULL ? d->record->count : 0;
}

uint32_t record_counter_get(const struct device *d, enum record_counter counter)
{
    return d->record != NULL ? d->record->counters[counter] : 0;
}

/* What each kind of event says besides its time. */
static void describe(const struct record_event *e, json_t *o)
{
    switch (e->kind) {
    case RECORD_POWER:
    case RECORD_WAKE:
        json_object_set_new(o, "request", json_integer(e->value));
        json_object_set_new(o, "return", json_integer(e->result));
        break;
    case RECORD_STATE:
        json_object_set_new(o, "state", json_string(power_state_word(e->value)));
        break;
    case RECORD_BOOT:
        json_object_set_new(o, "count", json_integer(e->value));
        json_object_set_new(o, "source", json_string(boot_source_word(e->result)));
        json_object_set_new(o, "flags", boot_flags_json(e->flags));
        break;
    case RECORD_LOGIN:
        json_object_set_new(o, "result", json_string(login_names[e->result]));
        break;
    case RECORD_LOCK:
        json_object_set_new(o, "seconds", json_integer(e->value));
        break;
    case RECORD_DEFENSE:
        json_object_set_new(o, "what", json_string(defense_names[e->value]));
        json_object_set_new(o, "handle", json_integer(e->result));
        if (e->value >= RECORD_DEFAULT_SET)
            json_object_set_new(o, "port", json_integer(e->flags));
        break;
    case RECORD_SESSION:
        json_object_set_new(o, "session", json_string(session_names[e->value]));
        /* fall through */
    default:
        json_object_set_new(o, "what", json_string(e->what != NULL ? e->what : ""));
    }
}

static json_t *events_json(const struct record *r)
{
    json_t *list = json_array();
    char text[CLOCK_TEXT_MAX];
    for (size_t i = 0; r != NULL && i < r->count; i++) {
        const struct record_event *e = &r->events[i];
        json_t *o = json_pack("{s:s, s:I, s:s}", "time", clock_text(e->at_ms, text), "ms",
                              (json_int_t)e->at_ms, "event", kind_names[e->kind]);
        describe(e, o);
        json_array_append_new(list, o);
    }
    return list;
}

json_t *record_json(const struct device *d)
{
    const struct record *r = d->record;
    json_t *counters = json_object(), *classes = json_object();
    for (unsigned i = 0; i < RECORD_COUNTER_COUNT; i++)
        json_object_set_new(counters, counter_names[i], json_integer(record_counter_get(d, i)));
    for (unsigned i = 0; i < RECORD_AMOUNT_COUNT; i++)
        json_object_set_new(counters, amount_names[i], json_integer((json_int_t)record_passed_get(d, i)));
    for (unsigned i = 0; r != NULL && r->classes != NULL && i < class_count(); i++) {
        if (r->classes[i] > 0)
            json_object_set_new(classes, class_at(i)->name, json_integer(r->classes[i]));
    }
    return json_pack("{s:o, s:o, s:o, s:i}", "counters", counters, "classes", classes, "events",
                     events_json(r), "events_dropped", r != NULL ? (int)r->dropped : 0);
}

void record_clear(struct device *d)
{
    if (d->record == NULL)
        return;
    free(d->record->classes);
    free(d->record->events);
    free(d->record);
    d->record = NULL;
}
