/* A console's insides, and what it needs of its hub. For console*.c, hub.c and their tests. */
#ifndef AMTD_CONSOLE_CONSOLE_INTERNAL_H
#define AMTD_CONSOLE_CONSOLE_INTERNAL_H

#include "amtd/console/boots.h"
#include "amtd/console/console.h"
#include "amtd/console/cursor.h"
#include "amtd/console/device.h"
#include "amtd/console/lease.h"
#include "amtd/console/source.h"
#include "amtd/console/timers.h"
#include "amtd/console/watcher.h"
#include "base/clock.h"

#define PUMP_MOST   (64 * 1024) /* bytes from the files for one attachment in one turn */
#define REPLAY_MOST (1024 * 1024)
#define DROPPED_MS  1000 /* between two complaints about dropped typing */

struct console_env {
    const struct clock *clock;
    struct traffic *total; /* of all consoles together */
    const struct traffic_marks *total_marks;
    struct timers *timers;
    struct clog_store *store;
    struct watcher *watcher; /* NULL: no patterns */
    void *arg;
    const struct source_kind *(*kind)(void *arg, enum source_type type);
    /* May it connect now? False: it stands in line, and console_granted is called when it is its turn. */
    bool (*connect)(void *arg, struct console *console, bool retry);
    /* The attempt is over, or it leaves the line. */
    void (*connected)(void *arg, struct console *console);
    /* What was in its way is gone: if it stands in line for another try, it waits no longer than for a first.
     */
    void (*hurry)(void *arg, struct console *console);
    /* clog_event_early said true: clog_store_turn at the end of this turn. */
    void (*noted)(void *arg);
    /* Bytes wait to be written at the end of this turn of the loop. */
    void (*dirty)(void *arg, struct console *console);
    /* An attachment reads from the files: console_pump in the next turn. */
    void (*behind)(void *arg, struct console *console);
    void (*event)(void *arg, struct console *console, const struct console_event *event);
    uint64_t (*next_id)(void *arg);
    /* A number below `below`, at random. */
    uint32_t (*random)(void *arg, uint32_t below);
};

struct attachment {
    uint64_t id;
    struct console *console;
    char *who, *from;
    enum console_right right;
    enum attach_mode mode;
    struct attach_sink sink;
    struct cursor cursor;
    uint64_t begin;             /* where the cursor began */
    int64_t since_ms, typed_ms; /* wall clock */
    int64_t dropped_ms;         /* monotonic: of the last complaint */
    bool quiet, deaf, demands;
    bool blocked; /* typed bytes wait for room in the source */
    struct attachment *prev, *next;
};

struct console {
    const struct console_env *env;
    struct console_settings settings;
    const struct source_kind *kind;
    struct source *source;
    struct clog *log;
    struct watching *watching;
    struct attachment *attached;
    size_t attached_count;
    bool demanded; /* the source was told that somebody is attached */
    struct lease lease;
    uint64_t muted_by; /* the attachment with which the log goes on again; 0: none */

    enum console_state state;
    bool in_line;        /* stands in line for connecting, or connects */
    bool was_down;       /* the journal knows that it is down */
    char *reason;        /* why it is not up */
    char *awaits;        /* what the source said while it connects; NULL */
    int64_t since_ms;    /* wall clock: in this state */
    int64_t up_ms;       /* monotonic: since when it is up */
    int64_t heard_ms;    /* monotonic: last byte of the source, or since it is up */
    int64_t typed_ms;    /* monotonic: somebody typed */
    struct boots *boots; /* looks for a boot; NULL: not now */
    int64_t retry_ms;    /* monotonic: of the next try */
    unsigned failures;
    unsigned signals_known, signals_on;
    struct device device;
    const char *typing; /* what is still to be typed of a configured text; NULL: none */
    int64_t typing_due;
    int64_t typing_break_ms;
    struct timer timer, log_timer;

    uint64_t received;
    struct traffic activity;
    int64_t judge_ms; /* monotonic: when its marks are looked at again */

    /* the hub's */
    struct console *dirty_prev, *dirty_next;
    struct console *behind_prev, *behind_next;
    struct console *line_prev, *line_next;
    bool is_dirty, is_behind, is_in_line, line_retry, removed;
};

/* NULL and err: of the source's kind. Does not connect. */
struct console *console_new(const struct console_env *env, const struct console_settings *settings,
                            struct err *err);
/* Detaches all (with that reason), closes the source and writes the log. */
void console_free(struct console *console, const char *reason);
/* Connects, unless it is on demand. */
void console_start(struct console *console);
/* Watches for the patterns of env->watcher from now on. */
void console_watch(struct console *console);
/* "flood: 1234 bytes a second, more than 1000". Owned by the caller. */
char *traffic_text(const struct traffic *activity, const struct traffic_marks *marks, int64_t now_ms);
/* It may connect now. */
void console_granted(struct console *console);
/* Writes what waits in the log; to be called at the end of a turn after env.dirty. */
void console_flush(struct console *console);
/* True: there is more. */
bool console_pump(struct console *console);
/* Takes over settings that do not touch the link. */
void console_adapt(struct console *console, const struct console_settings *settings);
/* The log was given work (a roll): looks when it wants to be called next. */
void console_look_at_log(struct console *console);

/* console_attach.c: tells everybody attached, and the hub. */
void console_tell(struct console *console, const struct console_event *event, uint64_t only);
void console_detach_all(struct console *console, const char *reason);
void console_writable(struct console *console);
/* Writes it into the journal and tells everybody. */
void console_did(struct console *console, enum journal_kind kind, const char *who, const char *text,
                 uint64_t id);
/* Somebody is attached who wants it to be connected. */
bool console_is_demanded(const struct console *console);
/* By somebody who may write, or on whose behalf another node asks: enough to open what is closed. */
bool console_is_opened(const struct console *console);
/* console.c: somebody came or went. */
void console_demand(struct console *console);

#endif
