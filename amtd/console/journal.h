/* The journal of a console: what happened, at which offset of its log; one JSON object a line
 * (docs/console-log.md). Reads back untrusted lines: whoever can write the file can write anything into it.
 */
#ifndef AMTD_CONSOLE_JOURNAL_H
#define AMTD_CONSOLE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum journal_kind {
    JOURNAL_UP,     /* the link carries bytes */
    JOURNAL_DOWN,   /* it is gone; text: why */
    JOURNAL_ATTACH, /* who, text: how */
    JOURNAL_DETACH,
    JOURNAL_LEASE, /* who holds the write lease now; "": nobody */
    JOURNAL_BREAK,
    JOURNAL_POWER,    /* a power action on the host; text: which */
    JOURNAL_BOOT,     /* a boot began, seen by other means than a power action */
    JOURNAL_MESSAGE,  /* who told all others */
    JOURNAL_NOTE,     /* who wrote it down */
    JOURNAL_SIGNALS,  /* text: "DCD on, DSR off" */
    JOURNAL_GAP,      /* text: "lost 123": so many bytes came that are not in the log */
    JOURNAL_LOGGING,  /* text: "off" or "on" */
    JOURNAL_IDLE,     /* the idle rule applied */
    JOURNAL_PATTERN,  /* a watched pattern matched; text: its name */
    JOURNAL_ROLL,     /* the segment was closed; text: why */
    JOURNAL_REPAIR,   /* something was wrong with the files; text: what */
    JOURNAL_ACTIVITY, /* the rate of its bytes passed a mark; text: how */
    JOURNAL_HISTORY,  /* a new history of the log begins; text: why */
    JOURNAL_KINDS,
};

#define JOURNAL_TEXT_MAX 256

struct journal_entry {
    uint64_t offset;
    int64_t at_ms; /* wall clock */
    enum journal_kind kind;
    char who[128];
    char text[JOURNAL_TEXT_MAX];
};

/* "up", "down", ... stable. */
const char *journal_kind_name(enum journal_kind kind);
/* False: it is no such name. name may be NULL. */
bool journal_kind_find(const char *name, enum journal_kind *kind);

/* Appends the entry as one line. Text that is too long is cut, what is not printable shown escaped. */
void journal_write(struct buf *out, const struct journal_entry *entry);
/* Reads one line, without its end. -1 and err (bad-answer: what is wrong with it). */
int journal_read(const char *line, size_t n, struct journal_entry *entry, struct err *err);

#endif
