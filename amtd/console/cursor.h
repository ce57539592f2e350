/* A cursor: a place in the log of a console, and somebody who wants what follows.
 *
 * While it stands at the end it is given bytes as they are written. When its sink has no room it stays where
 * it is and costs nothing: later it reads from the log's files. So a slow or dead reader never holds others
 * back. Loop's thread only. */
#ifndef AMTD_CONSOLE_CURSOR_H
#define AMTD_CONSOLE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/console/clog.h"

struct cursor_sink {
    void *arg;
    size_t (*room)(void *arg);                                             /* how many bytes it takes now */
    void (*bytes)(void *arg, uint64_t offset, const uint8_t *p, size_t n); /* at most room() */
    /* What is between the two offsets cannot be had; err says why, NULL: it is no longer kept. */
    void (*skipped)(void *arg, uint64_t from, uint64_t to, const struct err *err);
};

struct cursor {
    struct clog *log;
    struct cursor_sink sink;
    uint64_t offset;  /* of the next byte to be given */
    uint64_t ahead;   /* bytes given already that the paused log will have from there on */
    bool logged_only; /* it is not given what has no offset yet */
};

/* At `offset`, or at the end when it is beyond. log is borrowed. */
void cursor_init(struct cursor *cursor, struct clog *log, uint64_t offset, const struct cursor_sink *sink);
/* Bytes were written (clog_events.written): gives them on when the cursor stands there. */
void cursor_written(struct cursor *cursor, uint64_t offset, const uint8_t *p, size_t n, bool shown);
/* Bytes that have no offset (clog_events.unlogged): gives them on when it stands at the end and all fit. */
void cursor_unlogged(struct cursor *cursor, const uint8_t *p, size_t n);
/* Gives at most `most` bytes from the files, as many as there is room for. True: it is behind, and there is
 * room for more: call again in the next turn of the loop. */
bool cursor_pump(struct cursor *cursor, size_t most);
/* Bytes of the log that it has not been given. */
uint64_t cursor_behind(const struct cursor *cursor);

#endif
