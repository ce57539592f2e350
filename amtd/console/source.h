/* Sources: what feeds a console with bytes, and takes what is typed.
 *
 * A source is one link that can be opened and closed again and again: a socket, a serial port, a program on a
 * terminal of its own, a Serial-over-LAN session. It does no more than that. When to connect and how long to
 * wait after a failure, idle rules, the initial text, break sequences, logging and sharing are the console's
 * business (console.h), once for all kinds.
 *
 * The link's life: open -> up -> bytes... -> down, then open again. `down` comes exactly once for each
 * successful call of open that was not ended with close, whether the link was ever up or not. It tells the
 * state of the link, not that of a process: a kind whose peer can vanish without a word keeps watch itself
 * (keep-alives, heartbeats).
 *
 * Loop's thread only. No callback comes from inside a function of a source; any function of it, also destroy,
 * may be called from inside its callbacks. */
#ifndef AMTD_CONSOLE_SOURCE_H
#define AMTD_CONSOLE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/console/clog.h"
#include "amtd/console/settings.h"
#include "base/err.h"

/* Modem lines and their like, as a set. */
enum source_signal {
    SOURCE_DCD = 1 << 0, /* carrier: the peer is connected */
    SOURCE_DSR = 1 << 1, /* the peer is switched on */
    SOURCE_CTS = 1 << 2,
    SOURCE_RI = 1 << 3,
};

/* What a source calls. Text and bytes are borrowed for the time of the call. */
struct source_events {
    void *arg;
    void (*up)(void *arg); /* the link carries bytes now */
    /* The link is gone. why is NULL when the peer ended it in good order (end of file, exit status 0); else
     * its cause and one line for people. */
    void (*down)(void *arg, const struct err *why);
    void (*bytes)(void *arg, const uint8_t *p, size_t n); /* n > 0 */
    void (*drained)(void *arg); /* after a write that was not taken whole: there is room again */
    /* Lines that are known to this link, and those of them that are on. Called at `up` and at every change.
     */
    void (*signals)(void *arg, unsigned known, unsigned on);
    /* Something that the people at this console and its journal should see: "user consent: enter the code on
     * the machine's screen". One line, printable. */
    void (*note)(void *arg, const char *text);
    /* For sources whose bytes are in a log elsewhere: bytes at their offset there, written at at_ms (wall
     * clock). Says how many of them were dealt with; the rest is to be offered again at ops.resume. In any
     * state between open and close. */
    size_t (*logged)(void *arg, uint64_t offset, int64_t at_ms, const uint8_t *p, size_t n);
    /* The log here. */
    struct clog *(*log)(void *arg);
    /* What was in the way of connecting may be gone: try now, if another try is waited for. */
    void (*ready)(void *arg);
    /* A new history of that log begins: one line, printable. */
    void (*history)(void *arg, const char *text);
    /* What proves that log has grown (proof.h). */
    void (*proved)(void *arg);
};

struct source;

struct source_ops {
    const char *kind; /* the `type` of the configuration */
    /* Begins to connect. 0: `up` or `down` will follow. -1 and err: it cannot even begin (no such device); no
     * callback follows. */
    int (*open)(struct source *source, struct err *err);
    /* Ends the link, or the attempt, without a callback. Nothing when it is not open. */
    void (*close)(struct source *source);
    /* Takes as many of n bytes as there is room for and says how many; 0 while the link is not up. */
    size_t (*write)(struct source *source, const void *p, size_t n);
    /* Sends a break of about that length. -1 and err (unsupported) where the link has none. */
    int (*send_break)(struct source *source, int64_t ms, struct err *err);
    /* Closes and frees, now or when the loop has let go of its handles. */
    void (*destroy)(struct source *source);
    /* Those may be NULL. */
    /* The log takes bytes again (events.logged). */
    void (*resume)(struct source *source);
    /* Who holds the lease here changed; NULL: nobody. For sources with a lease of their own. */
    void (*lease)(struct source *source, const char *who, bool force);
    /* Somebody is attached here, or nobody. */
    void (*demand)(struct source *source, bool wanted);
    /* Why what is typed now would go nowhere, one line; NULL: it would not. Borrowed. */
    const char *(*hindrance)(struct source *source);
};

/* Every kind's struct begins with this. */
struct source {
    const struct source_ops *ops;
    struct source_events events;
};

/* A kind that can be configured. */
struct source_kind {
    enum source_type type;
    /* NULL and err (invalid-argument: what of the settings is wrong). The settings are borrowed and outlive
     * the source. Opens nothing. */
    struct source *(*create)(void *context, const struct source_settings *settings,
                             const struct source_events *events, struct err *err);
    void *context; /* what the kind needs: the loop, the streams, the fleet */
};

#endif
