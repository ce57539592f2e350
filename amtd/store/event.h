/* Events: what happened that somebody may want to know of later, or at once. One append-only table in the
 * store.
 *
 * Whatever notices something calls event_raise; whatever acts on it (mail, web hooks, runs, followers of
 * amtcli) listens. An event is told to the listeners when it is written down, in the order of the ids; when
 * it cannot be written down it is told nevertheless. Old events are removed by age and by total size. Loop's
 * thread only, but for the tx_ functions. */
#ifndef AMTD_STORE_EVENT_H
#define AMTD_STORE_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "amtd/store/store.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/severity.h"

enum event_kind {
#define EVENT(id, name, sentence) EVENT_##id,
#include "amtd/store/event.def"
#undef EVENT
    EVENT_KINDS
};
const char *event_kind_name(enum event_kind kind); /* "pattern" */
/* All names, ended by NULL: for tables of choices. */
extern const char *const event_kind_names[];

/* One that happened. Strings and data are owned. */
struct event {
    int64_t id;    /* ascending in the order of happening; 0: it could not be written down */
    int64_t at_ms; /* wall clock */
    char *kind;    /* a name; also one that a newer amtd wrote */
    int severity;  /* enum severity */
    char *host;    /* the host it is about, or NULL */
    char *console; /* the console, or NULL */
    bool guarded;  /* the console had an access list: not everybody may read this */
    char *text;    /* one line for people */
    json_t *data;  /* an object with what a program needs, or NULL */
};
void event_clear(struct event *event);
json_t *event_json(const struct event *event); /* docs/api.md; new reference */

/* One to be raised: everything is borrowed, but data. */
struct event_report {
    enum event_kind kind;
    enum severity severity;
    const char *host;    /* NULL: about none */
    const char *console; /* NULL: about none */
    bool guarded;
    const char
        *text;    /* one line; what is not printable is escaped, and what is longer than EVENT_TEXT_MAX cut */
    json_t *data; /* an object, taken over; NULL: none. Never a secret */
};
#define EVENT_TEXT_MAX 1000
/* Together with text; more is dropped, and said so in the log. */
#define EVENT_DATA_MAX (256 * 1024)

struct events;

struct event_limits {
    int64_t keep_ms;    /* older ones are removed; 0: never */
    int64_t keep_bytes; /* or the oldest, when all are larger in total; 0: any size */
};

/* Pointers are borrowed and outlive it. */
struct events *events_new(uv_loop_t *loop, struct store *store, const struct clock *clock,
                          const struct event_limits *limits);
/* What was raised is written down; nobody is told any more. NULL is fine. */
void events_free(struct events *events);
void events_set_limits(struct events *events, const struct event_limits *limits);

/* Writes it down within a tenth of a second, and into the log of amtd at once. events NULL: only into the
 * log. */
void event_raise(struct events *events, const struct event_report *report);

/* Hears of each event. The struct is the caller's; unlisten also from inside its own call. */
struct event_listener {
    void (*event)(void *arg, const struct event *event);
    void *arg;
    struct event_listener *prev, *next;
};
void events_listen(struct events *events, struct event_listener *listener);
void events_unlisten(struct events *events, struct event_listener *listener);

/* --- which ones; borrowed --- */

struct event_filter {
    int64_t since_ms, until_ms; /* wall clock, until excluded; 0: not given */
    const json_t *kinds;        /* array of names; NULL: all */
    const json_t *hosts;        /* array of names with * and ? as in a shell; NULL: all, also of no host */
    const json_t *consoles;     /* the same of consoles */
    enum severity severity;     /* at least this */
    int64_t before_id;          /* only those before this one; 0: all */
    int64_t after_id;           /* only those after this one; 0: all */
    /* The consoles whose events may be seen, and all that there are (arrays of names): of one that is no
     * more, those events are seen that everybody might see. Both NULL: everything may be seen. */
    const json_t *visible, *known;
};
/* By kind, severity, host and console alone. */
bool event_matches(const struct event_filter *filter, const struct event *event);

/* --- in the store (events.c) --- */

/* *id gets its number, *bytes what it takes. */
int tx_event_add(struct tx *tx, const struct event *event, int64_t *id, int64_t *bytes, struct err *err);
/* The newest `limit`; with after_id the oldest so many. In the order of their ids. */
int tx_events(struct tx *tx, const struct event_filter *filter, size_t limit, struct event **out,
              size_t *count, struct err *err);
/* -1 and err: not-found. */
int tx_event_get(struct tx *tx, int64_t id, struct event *out, struct err *err);
/* Removes the oldest, at most EVENTS_PORTION at a time: those before a time, and until all take at most so
 * many bytes (0: any number). *bytes is what all take, -1: not known yet; it gets what is left. *more: there
 * are others to remove. */
#define EVENTS_PORTION 2000
int tx_events_purge(struct tx *tx, int64_t before_ms, int64_t keep_bytes, int64_t *bytes, bool *more,
                    struct err *err);

#endif
