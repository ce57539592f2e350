/* A console: a source, its log, and those who are attached to it.
 *
 * The link is kept up (always, or while somebody is attached), with growing waits after failures; every byte
 * goes to the log once, and from there to the attached (cursor.h). One attachment at a time may type
 * (lease.h).
 *
 * Loop's thread only. Callbacks to an attachment's sink may come from inside any function here, except
 * `closed`, which is the last and never comes from inside attachment_close. */
#ifndef AMTD_CONSOLE_CONSOLE_H
#define AMTD_CONSOLE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/console/clog.h"
#include "amtd/console/journal.h"
#include "amtd/console/settings.h"
#include "amtd/console/watcher.h"
#include "base/err.h"

struct console;
struct attachment;

/* Where the link is. */
enum console_state {
    CONSOLE_IDLE,       /* on demand, and nobody demands it */
    CONSOLE_CONNECTING, /* the source is being opened, or stands in line for it */
    CONSOLE_UP,
    CONSOLE_WAITING, /* it failed; the next try comes by itself */
    CONSOLE_DOWN,    /* taken down by a user, until somebody takes it up */
    CONSOLE_STATES,
};
const char *console_state_name(enum console_state state); /* "idle", "connecting", "up", "waiting", "down" */

enum attach_mode {
    ATTACH_WATCH, /* never writes: no later request turns it into a writer */
    ATTACH_WRITE, /* takes the lease when it is free, else waits in line for it */
    ATTACH_FORCE, /* takes it from whoever holds it */
};

/* What happens at a console, besides bytes. */
enum console_happening {
    CONSOLE_IS,      /* the state of the link changed without a word for the journal; text: why */
    CONSOLE_DID,     /* `kind` was written into the journal */
    CONSOLE_WANTED,  /* to the holder of the lease: `who` asks for it */
    CONSOLE_DROPPED, /* to an attachment: what it typed went nowhere; text: why */
};

struct console_event {
    enum console_happening what;
    enum journal_kind kind;            /* CONSOLE_DID */
    uint64_t offset;                   /* of the log, when it happened */
    int64_t at_ms;                     /* wall clock */
    const char *who;                   /* who did it; "" */
    const char *text;                  /* one line for people; "" */
    enum console_state state;          /* of the link, now */
    uint64_t id;                       /* the attachment that it is about; 0: none */
    enum traffic_state activity;       /* JOURNAL_ACTIVITY: now */
    const struct pattern_found *found; /* JOURNAL_PATTERN; else NULL */
};

struct attach_sink {
    void *arg;
    size_t (*room)(void *arg);
    void (*bytes)(void *arg, uint64_t offset, const uint8_t *p, size_t n);
    void (*event)(void *arg, const struct console_event *event);
    /* What was typed and not taken at once is taken now: attachment_write again. */
    void (*writable)(void *arg);
    /* The attachment is gone: ended by somebody, or the console was removed. */
    void (*closed)(void *arg, const char *reason);
    /* Its log's files may have changed besides the bytes: signed, closed. NULL: of no interest. */
    void (*worked)(void *arg);
};

struct attach_request {
    const char *who;          /* "uid 1000 (anna)" */
    const char *from;         /* "socket", an address */
    enum console_right right; /* at most this much is ever allowed */
    enum attach_mode mode;
    bool from_offset; /* resume at `offset` */
    uint64_t offset;
    bool quiet;          /* comes and goes without a word, demands nothing: a replica */
    bool deaf;           /* only types: is given no bytes */
    size_t replay_lines; /* else begin so many lines back; 0: at the end */
};

/* NULL and err: denied (right below watch; write or force asked and right below write), or the log cannot be
 * read. */
struct attachment *console_attach(struct console *console, const struct attach_request *request,
                                  const struct attach_sink *sink, struct err *err);
/* Detaches; no callback follows. NULL is fine. */
void attachment_close(struct attachment *attachment);
uint64_t attachment_id(const struct attachment *attachment); /* unique in this daemon's life */
/* The offset of the first byte that it was or will be given. */
uint64_t attachment_begin(const struct attachment *attachment);
struct console *attachment_console(const struct attachment *attachment);
/* A quiet one demands the console, or does not any more. */
void attachment_demand(struct attachment *attachment, bool wanted);
/* The sink has room again. */
void attachment_ready(struct attachment *attachment);
/* Types. Returns how much was taken; `writable` tells when there is room for more. All is taken and dropped,
 * and the attachment told so (CONSOLE_DROPPED, not more often than every second), when it may not write, does
 * not hold the lease or the link is not up. */
size_t attachment_write(struct attachment *attachment, const void *p, size_t n);
/* A break, by whoever holds the lease. -1 and err: denied, in-use, refused, busy, unsupported. */
int attachment_break(struct attachment *attachment, struct err *err);
/* The lease, by and for an attachment. -1 and err: denied (watches only), not-found (nobody, or `to` does not
 * wait), in-use (somebody else holds it; request: the attachment waits in line now). */
int attachment_request(struct attachment *attachment, struct err *err);
int attachment_force(struct attachment *attachment, struct err *err);
int attachment_grant(struct attachment *attachment, uint64_t to,
                     struct err *err); /* 0: the one longest waiting */
int attachment_release(struct attachment *attachment, struct err *err);

struct lease_state {
    bool holds, waits;
};
struct lease_state attachment_lease(const struct attachment *attachment);

/* Who is there. Borrowed until the next call of anything. */
struct attached {
    uint64_t id;
    const char *who;
    const char *from;
    bool holds, waits, watches;
    int64_t since_ms; /* wall clock */
    int64_t typed_ms; /* wall clock; 0: never */
    uint64_t behind;  /* bytes */
};
size_t console_attached(const struct console *console, struct attached *out,
                        size_t max); /* how many there are */
/* Ends an attachment of somebody else. -1 and err: not-found. */
int console_disconnect(struct console *console, uint64_t id, const char *by, struct err *err);

/* What users do to a console; `who` goes to the journal. */
/* key: one of its breaks, '0' that of the console. length_ms: of the line's own breaks in it, 0 as
 * configured. -1 and err: not-found, refused, busy, unsupported. */
int console_break(struct console *console, const char *who, char key, int64_t length_ms, struct err *err);
void console_up(struct console *console, const char *who);   /* connect now, unless it is up */
void console_down(struct console *console, const char *who); /* and stay down */
/* To one attachment, or all (to 0). -1 and err: not-found. */
int console_message(struct console *console, const char *who, const char *text, uint64_t to, struct err *err);
void console_note(struct console *console, const char *who, const char *text);
/* A new history of its log begins (lives.h): into the journal, and to everybody who listens. */
void console_history(struct console *console, const char *text);
/* by: whoever switched it off at a terminal, and when they go it is on again; NULL: off until it is switched
 * on. */
void console_logging(struct console *console, const char *who, bool on, const struct attachment *by);
void console_power(struct console *console, const char *who,
                   const char *text);         /* a power action on its host */
void console_roll(struct console *console);   /* closes the open segment of its log */
void console_expire(struct console *console); /* as clog_expire */
/* Types into it without an attachment: when nobody holds the lease, or `force`. -1 and err: in-use, refused.
 */
int console_send(struct console *console, const char *who, const void *p, size_t n, bool force,
                 struct err *err);

/* How it is. Borrowed. */
struct console_info {
    const char *name;
    const struct console_settings *settings;
    enum console_state state;
    const char *reason; /* why it is not up; "". While it connects: what that waits for, or why it did not the
                           last time */
    bool awaits;        /* the former */
    int64_t since_ms;   /* wall clock: in this state */
    int64_t next_ms;    /* wall clock of the next try; 0: none */
    unsigned attempts;  /* failed since it was last stable */
    unsigned signals_known, signals_on;
    const char *device; /* what they tell of the machine (device.h); "" */
    const char *writer; /* who holds the lease; "" */
    size_t readers;
    int64_t rate; /* bytes a second, in the window of its marks */
    enum traffic_state activity;
    uint64_t received; /* bytes since amtd began */
    int64_t last_ms;   /* wall clock of the last byte; 0: none */
    bool logging, log_paused;
};
struct console_info console_info(struct console *console);
struct clog *console_log(struct console *console);

#endif
