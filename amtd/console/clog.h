/* The log of one console: bytes at 64-bit offsets that only grow, in a directory of its own
 * (docs/console-log.md).
 *
 * A byte has an offset exactly when it is in the log; its offset never changes. Appended bytes wait in memory
 * until clog_flush writes them; only then may they be shown to anybody, so whatever was shown survives the
 * sudden death of this process. They are synced to the disk at intervals, off the loop.
 *
 * Segments: bytes go to `console.log`. When that is large or old enough, or on request, it is closed: signed,
 * compressed and kept under its first offset, all on a worker thread, while bytes go on to a new one.
 *
 * When the disk refuses (full, read-only, gone), the log pauses: `trouble` says so once, a bounded number of
 * bytes is held in memory, and writing is tried again until it succeeds; bytes beyond the bound are counted
 * and the gap is recorded in the journal at its place. A log file that was deleted or moved is noticed, what
 * it held is saved through the descriptor that is still open, and a new one begun.
 *
 * No file is held open for an idle log; the store keeps those lately used open, up to a limit. Nothing is
 * read or written before the first use, and nothing made before there is something to keep. Loop's thread
 * only. */
#ifndef AMTD_CONSOLE_CLOG_H
#define AMTD_CONSOLE_CLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/console/clog_store.h"
#include "amtd/console/journal.h"
#include "amtd/console/lives.h"
#include "amtd/console/settings.h"
#include "base/err.h"

struct clog;

struct clog_events {
    void *arg;
    /* Bytes were written; they may be shown now. Borrowed. From inside clog_append, clog_flush and clog_tick.
     * shown: they went to `unlogged` before, when the log was paused. */
    void (*written)(void *arg, uint64_t offset, const uint8_t *p, size_t n, bool shown);
    /* Bytes that the log does not take now (paused, or logging is off): they have no offset yet, perhaps
     * never. */
    void (*unlogged)(void *arg, const uint8_t *p, size_t n);
    /* Logging paused (failure says why) or goes on (failure NULL; lost: bytes that are not in the log). */
    void (*trouble)(void *arg, const struct err *failure, uint64_t lost);
    /* Work on another thread has ended: clog_tick knows when it wants to be called next. */
    void (*worked)(void *arg);
};

/* Does no I/O. store is borrowed; settings are copied. */
struct clog *clog_new(struct clog_store *store, const char *name, const struct log_settings *settings,
                      const struct clog_events *events);
/* Writes what waits (also index and journal) and frees, when work for it on other threads has ended. */
void clog_free(struct clog *log);
void clog_set(struct clog *log, const struct log_settings *settings);

/* Adds bytes at the end; a large piece is written at once. The caller sees to clog_flush: at the end of the
 * loop's turn when somebody follows the log, else within flush_ms (clog_pending is not 0) or when
 * CLOG_PENDING_MAX is reached. */
#define CLOG_PENDING_MAX (64 * 1024)
void clog_append(struct clog *log, const void *p, size_t n);
size_t clog_pending(const struct clog *log);
void clog_flush(struct clog *log);
/* Writes bytes, times and journal, early events too, so that another thread finds everything in the files. */
void clog_settle(struct clog *log);
/* A log that follows another one. */
/* The offset of the next byte that is added. -1 and err: the directory cannot be read. */
int clog_next(struct clog *log, uint64_t *next, struct err *err);
/* The next byte has this offset; what is before it and was not added is a gap, which the journal explains.
 * Nothing when the log is as long already. -1 and err (busy: again later; system). */
int clog_skip(struct clog *log, uint64_t offset, const char *why, struct err *err);
/* Adds bytes that were written at at_ms (wall clock) to the other log at that offset: what is here already is
 * passed over, what is missing before them becomes a gap. How many of them were dealt with; fewer while the
 * log is paused or off: offer the rest again later. Nothing is ever lost here. */
size_t clog_replicate(struct clog *log, uint64_t offset, int64_t at_ms, const uint8_t *p, size_t n);
/* A log that is followed by others (clog_follow). Bytes before the offset that is returned may be sent to
 * another machine: their offsets will not be used again, though this one loses power and the bytes with it.
 * `from` is how far they were sent; when little is left, more is promised, and `worked` comes. */
uint64_t clog_promise(struct clog *log, uint64_t from);
/* A replica of the log, with bytes up to `next` of the lives `theirs`, goes on at *offset. That is `next`,
 * and *differs UINT64_MAX, when all that it has is what is here. Else *differs is the first offset whose byte
 * may be another one here, because the log was put back to an older state or begun anew: then *offset is
 * where a new history begins, behind all that anybody has, and nothing is written in front of it any more.
 * *begun: it begins now. -1 and err (busy: again later; system; limit-exceeded). */
int clog_follow(struct clog *log, const struct lives *theirs, uint64_t next, uint64_t *offset,
                uint64_t *differs, bool *begun, struct err *err);
/* The lives of the log, as text that is appended (lives.h); of a log that follows another one, the lives of
 * that. -1 and err. */
int clog_lives(struct clog *log, struct buf *text, struct err *err);
/* A number that changes when they do. */
unsigned clog_generation(const struct clog *log);
/* Those of the log that this one follows changed. */
void clog_lives_changed(struct clog *log);
/* Off: bytes pass by unlogged until it is on again; the gap is recorded. */
void clog_enable(struct clog *log, bool on);
bool clog_enabled(const struct clog *log);
bool clog_paused(const struct clog *log);

/* Adds an event to the journal at the end of the log. text may be NULL. Flushes bytes first, so that the
 * event stands behind what came before it. */
void clog_event(struct clog *log, enum journal_kind kind, const char *who, const char *text);

/* The same of what happens to the link while nobody is shown anything. As long as the log was not used in
 * this life, the event waits and touches none of its files: sudden death does not lose it once
 * clog_store_turn was called, and it comes to the journal when the log is first used, or by and by. True: so
 * it is. False: it is in the journal as by clog_event. */
bool clog_event_early(struct clog *log, enum journal_kind kind, const char *text);

/* The same from inside clog_events.written: it stands behind the bytes that are being written, and is written
 * with them or the next ones. */
void clog_note_later(struct clog *log, enum journal_kind kind, const char *text);

/* As that, of what stands at an earlier offset of the open segment. */
void clog_note_at(struct clog *log, uint64_t offset, enum journal_kind kind, const char *text);

/* First and behind the last byte of the log that can be read. -1 and err when the directory cannot be read.
 */
int clog_range(struct clog *log, uint64_t *first, uint64_t *end, struct err *err);
/* Bytes between these, without what was left out where a new history begins. */
uint64_t clog_size(struct clog *log);
/* Copies up to n bytes from `offset` on, from whichever segment has them. 0: it is the end. *at is the offset
 * of the first byte, which is larger than `offset` where bytes are no longer kept or were lost. -1 and err: a
 * file cannot be read or is damaged (then *at is behind the damage: go on there). */
long clog_read(struct clog *log, uint64_t offset, uint64_t *at, void *p, size_t n, struct err *err);
/* The offset at which the last so many lines begin, at most `max` bytes back. */
uint64_t clog_back(struct clog *log, size_t lines, size_t max);
/* Behind the last byte written; 0 before the log was first used. */
uint64_t clog_end(const struct clog *log);
/* Its directory. Borrowed. */
const char *clog_path(const struct clog *log);
int64_t clog_last_ms(const struct clog *log); /* wall clock of the last byte; 0: none yet in this life */

/* Closes the open segment now, when it is not empty. */
void clog_roll(struct clog *log);
/* Looks now, on the worker, for closed segments that are kept no longer: a log that nothing comes to any more
 * is not looked at otherwise. */
void clog_expire(struct clog *log);
/* Time passes: write, sign, roll by age, resume after trouble, look after the file. Returns when it wants to
 * be called next (monotonic ms), INT64_MAX: not before something is appended. */
int64_t clog_tick(struct clog *log, int64_t now_ms);

#endif
