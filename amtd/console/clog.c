#include "amtd/console/clog.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utlist.h>

#include "amtd/console/clog_internal.h"
#include "amtd/console/time_index.h"
#include "base/log.h"
#include "base/xalloc.h"

#define DIRECT_MIN 16384 /* bytes that are worth a write of their own */

int64_t clog_now(const struct clog *log)
{
    return clock_mono(log->store->clock);
}

struct clog *clog_new(struct clog_store *store, const char *name, const struct log_settings *settings,
                      const struct clog_events *events)
{
    struct clog *log = xcalloc(1, sizeof(*log));

    log->store = store;
    log->name = xstrdup(name);
    log->path = xasprintf("%s/%s", store->dir, name);
    log->settings = *settings;
    log->events = *events;
    log->fd = -1;
    log->pending = buf_init(HELD_MAX + CLOG_PENDING_MAX);
    log->index = buf_init((size_t)INDEX_BATCH * TIME_INDEX_RECORD);
    log->journal = buf_init(JOURNAL_HELD);
    log->sign_due = INT64_MAX;
    clog_early_begin(log);
    return log;
}

void clog_release(struct clog *log)
{
    clog_promise_end(log);
    clog_close_file(log);
    clog_drop_reader(log);
    if (log->unsynced) {
        DL_DELETE2(log->store->unsynced, log, sync_prev, sync_next);
        log->store->unsynced_count--;
    }
    clog_early_free(log);
    blocks_clear(&log->blocks);
    buf_free(&log->closed_seen);
    buf_free(&log->pending);
    buf_free(&log->index);
    buf_free(&log->journal);
    lives_clear(&log->lives);
    free(log->name);
    free(log->path);
    free(log);
}

void clog_free(struct clog *log)
{
    if (!log)
        return;
    memset(&log->events, 0, sizeof(log->events));
    clog_flush(log);
    clog_write_index(log);
    clog_write_journal(log, NULL);
    log->dying = true;
    if (log->working == WORK_NONE && !log->promising)
        clog_release(log);
}

void clog_set(struct clog *log, const struct log_settings *settings)
{
    log->settings = *settings;
}

const char *clog_path(const struct clog *log)
{
    return log->path;
}

uint64_t clog_end(const struct clog *log)
{
    return log->end;
}

size_t clog_pending(const struct clog *log)
{
    return log->paused ? 0 : log->pending.len;
}

bool clog_enabled(const struct clog *log)
{
    return !log->off;
}

bool clog_paused(const struct clog *log)
{
    return log->paused;
}

int64_t clog_last_ms(const struct clog *log)
{
    return log->used ? clock_wall(log->store->clock) - (clog_now(log) - log->used_ms) : 0;
}

/* --- the time index --- */

void clog_write_index(struct clog *log)
{
    struct err err = ERR_INIT;

    if (log->index.len == 0 || !log->begun)
        return;
    if (clog_append_file(log, "console.idx", &log->index, true, &err) != 0)
        log_warn(log->name, "log: times of %zu places are lost: %s", log->index.len / TIME_INDEX_RECORD,
                 err.text);
    buf_reset(&log->index);
}

/* Bytes were written at `offset` now. */
static void note_time(struct clog *log, uint64_t offset)
{
    int64_t wall = log->given_ms != 0 ? log->given_ms : clock_wall(log->store->clock);
    int64_t gone = wall - log->index_last_ms;

    if (log->index_last_ms != 0 && gone >= 0 && gone < INDEX_STEP_MS)
        return;
    if (log->index.len + TIME_INDEX_RECORD > log->index.max)
        clog_write_index(log);
    if (log->index.len == 0)
        log->index_due = clog_now(log) + INDEX_DELAY_MS;
    time_index_write(&log->index, offset, wall);
    log->index_last_ms = wall;
}

/* --- the journal --- */

static int append_journal(struct clog *log, struct err *err)
{
    if (!log->begun && clog_begin_segment(log, err) != 0)
        return -1;
    return clog_append_file(log, "console.jnl", &log->journal, true, err);
}

int clog_write_journal(struct clog *log, struct err *err)
{
    int status;

    if (log->journal.len == 0 && log->spooled == 0)
        return 0;
    if (clog_know(log, err) != 0)
        return -1;
    status = append_journal(log, err);
    if (status != 0 && clog_begin_again(log))
        status = append_journal(log, err);
    if (status != 0)
        return -1;
    log->journal_end += log->journal.len;
    buf_free(&log->journal);
    clog_early_written(log);
    return 0;
}

void clog_add_entry(struct clog *log, uint64_t offset, int64_t at_ms, enum journal_kind kind, const char *who,
                    const char *text)
{
    struct journal_entry entry = {.offset = offset, .at_ms = at_ms, .kind = kind};

    snprintf(entry.who, sizeof(entry.who), "%s", who ? who : "");
    snprintf(entry.text, sizeof(entry.text), "%s", text ? text : "");
    if (log->journal.len + sizeof(entry) * 4 > log->journal.max) { /* paused for long, with much going on */
        log_warn(log->name, "log: the journal cannot be written: %s %s is not in it", journal_kind_name(kind),
                 entry.text);
        return;
    }
    journal_write(&log->journal, &entry);
}

static void add_entry(struct clog *log, enum journal_kind kind, const char *who, const char *text)
{
    clog_add_entry(log, log->end, clock_wall(log->store->clock), kind, who, text);
}

void clog_repair_note(struct clog *log, const char *fmt, ...)
{
    char text[200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    log_warn(log->name, "log: %s", text);
    add_entry(log, JOURNAL_REPAIR, NULL, text);
}

void clog_event(struct clog *log, enum journal_kind kind, const char *who, const char *text)
{
    struct err err = ERR_INIT;

    clog_flush(log);
    if (!log->known && clog_know(log, &err) != 0)
        log_warn(log->name, "log: %s", err.text);
    add_entry(log, kind, who, text);
    clog_write_journal(log, NULL);
}

void clog_note_later(struct clog *log, enum journal_kind kind, const char *text)
{
    add_entry(log, kind, NULL, text);
}

void clog_note_at(struct clog *log, uint64_t offset, enum journal_kind kind, const char *text)
{
    clog_add_entry(log, offset > log->first ? offset : log->first, clock_wall(log->store->clock), kind, NULL,
                   text);
}

/* --- writing --- */

static void show_unlogged(struct clog *log, const void *p, size_t n)
{
    if (log->events.unlogged && n > 0)
        log->events.unlogged(log->events.arg, p, n);
}

/* Bytes that wait are shown now, because nobody knows when they will be written. */
static void pause_log(struct clog *log, const struct err *why)
{
    log->retry_due = clog_now(log) + RETRY_MS;
    if (log->paused)
        return;
    log->paused = true;
    log->store->held += log->pending.len;
    log_err(log->name, "logging is paused: %s", why->text);
    if (log->events.trouble)
        log->events.trouble(log->events.arg, why, 0);
    show_unlogged(log, log->pending.p, log->pending.len);
}

static void resume_log(struct clog *log)
{
    uint64_t lost = log->lost;
    char text[64];

    log->paused = false;
    log->lost = 0;
    log_warn(log->name, "logging goes on; %llu bytes are lost", (unsigned long long)lost);
    if (lost > 0) {
        snprintf(text, sizeof(text), "lost %llu", (unsigned long long)lost);
        add_entry(log, JOURNAL_GAP, NULL, text);
    }
    clog_write_journal(log, NULL);
    if (log->events.trouble)
        log->events.trouble(log->events.arg, NULL, lost);
}

/* Up to a quarter less: logs that began together are not signed together for ever, and nothing else that
 * worker threads are for has to wait behind a thousand signatures. */
static int64_t scattered(struct clog_store *store, int64_t ms)
{
    store->scatter = store->scatter * 1664525 + 1013904223;
    return ms - ms / 4 * (store->scatter >> 16) / 65536;
}

/* large: together with what was written at once; then it pays to hash it now. */
static void wrote(struct clog *log, const uint8_t *p, size_t n, bool large)
{
    uint64_t offset = log->end;
    struct clog_store *store = log->store;

    note_time(log, offset);
    if (large)
        blocks_add(&log->blocks, offset - log->first, p, n);
    log->end += n;
    if (log->paused)
        store->held -= n;
    if (!log->unsynced) {
        log->unsynced = true;
        DL_APPEND2(store->unsynced, log, sync_prev, sync_next);
        if (store->unsynced_count++ == 0 && !store->syncing)
            store->sync_due = clog_now(log) + store->sync_ms;
    }
    if (log->sign_due == INT64_MAX)
        log->sign_due = clog_now(log) + scattered(log->store, log->settings.sign_ms);
    if (large && blocks_many(&log->blocks))
        log->sign_due = 0;
    if (log->check_due == 0)
        log->check_due = clog_now(log) + CHECK_MS;
    if (log->events.written)
        log->events.written(log->events.arg, offset, p, n, log->paused);
}

/* Ready to write, with the journal's lines that stand before. 0, or -1 and paused. */
static int begin_writing(struct clog *log)
{
    struct err err = ERR_INIT;

    if (clog_know(log, &err) != 0 || clog_lives_save(log, &err) != 0 || clog_open_file(log, &err) != 0) {
        pause_log(log, &err);
        return -1;
    }
    clog_write_journal(log, NULL); /* if not now, then with the next ones */
    return 0;
}

/* What waits, and n bytes behind it, go to the disk together. How many of all these it took; 0: none, and
 * paused. */
static size_t write_some(struct clog *log, const uint8_t *p, size_t n)
{
    size_t waiting = log->pending.len, part;
    struct iovec parts[2] = {{log->pending.p, waiting}, {(void *)p, n}};
    struct err err = ERR_INIT;
    ssize_t count;
    bool large;

    do
        count = waiting > 0 && n > 0 ? writev(log->fd, parts, 2)
                : waiting > 0        ? write(log->fd, log->pending.p, waiting)
                                     : write(log->fd, p, n);
    while (count < 0 && errno == EINTR);
    if (count <= 0) {
        err_set_errno(&err, CAUSE_SYSTEM, count == 0 ? ENOSPC : errno, "%s/console.log", log->path);
        pause_log(log, &err);
        return 0;
    }
    large = count >= DIRECT_MIN;
    part = (size_t)count < waiting ? (size_t)count : waiting;
    if (part > 0)
        wrote(log, log->pending.p, part, large);
    if ((size_t)count > part)
        wrote(log, p, (size_t)count - part, large);
    buf_consume(&log->pending, part);
    return (size_t)count;
}

static void end_writing(struct clog *log)
{
    clog_write_journal(log, NULL);
    if (log->end - log->first >= (uint64_t)log->settings.segment_bytes && !log->roll_wanted) {
        log->roll_wanted = true;
        log->roll_why = "size";
        log->work_due = 0;
    }
}

/* Writes what waits, and n bytes behind it from where they were read to: that is still in the processor's
 * cache, as the buffers of a thousand logs are not. How many of these n the disk took: all, unless the log is
 * paused now. */
static size_t write_through(struct clog *log, const uint8_t *p, size_t n)
{
    size_t done = 0;

    if (begin_writing(log) != 0)
        return 0;
    while (log->pending.len > 0 || done < n) {
        size_t waiting = log->pending.len, count = write_some(log, p + done, n - done);

        if (count == 0)
            return done;
        done += count > waiting ? count - waiting : 0;
    }
    if (log->paused)
        resume_log(log);
    end_writing(log);
    return done;
}

static void write_pending(struct clog *log)
{
    write_through(log, NULL, 0);
}

void clog_flush(struct clog *log)
{
    if (log->pending.len > 0 && !log->paused)
        write_pending(log);
}

void clog_settle(struct clog *log)
{
    clog_flush(log);
    clog_write_index(log);
    clog_write_journal(log, NULL);
}

void clog_append(struct clog *log, const void *p, size_t n)
{
    struct clog_store *store = log->store;
    size_t room, done;

    log->used = true;
    log->used_ms = clog_now(log);
    if (log->off) {
        log->lost += n;
        show_unlogged(log, p, n);
        return;
    }
    if (!log->paused) {
        done = n >= DIRECT_MIN ? write_through(log, p, n) : 0;
        p = (const uint8_t *)p + done;
        n -= done;
        if (log->pending.len == 0)
            log->flush_due = log->used_ms + log->settings.flush_ms;
        while (n > 0 && !log->paused) {
            room = CLOG_PENDING_MAX - log->pending.len;
            room = n < room ? n : room;
            buf_add(&log->pending, p, room);
            p = (const uint8_t *)p + room;
            n -= room;
            if (log->pending.len >= CLOG_PENDING_MAX)
                write_pending(log);
        }
        if (n == 0)
            return;
    }
    /* Paused: hold what fits, and all of it or nothing behind that, so that there is one gap. */
    show_unlogged(log, p, n);
    room = log->pending.max - log->pending.len;
    if (log->lost > 0 || n > room || store->held + n > store->held_max) {
        log->lost += n;
        return;
    }
    buf_add(&log->pending, p, n);
    store->held += n;
}

void clog_enable(struct clog *log, bool on)
{
    char text[64];

    if (log->off == !on)
        return;
    clog_flush(log);
    log->off = !on;
    if (on && !log->paused && log->lost > 0) {
        snprintf(text, sizeof(text), "lost %llu", (unsigned long long)log->lost);
        log->lost = 0;
        add_entry(log, JOURNAL_GAP, NULL, text);
        clog_write_journal(log, NULL);
    }
}

/* --- reading --- */

int clog_range(struct clog *log, uint64_t *first, uint64_t *end, struct err *err)
{
    struct log_dir dir;
    int status = 0;

    if (clog_know(log, err) != 0)
        return -1;
    if (!log->oldest_known) {
        status = log_dir_read(&dir, log->path, err);
        log->oldest = dir.count > 0 ? dir.files[0].first : log->end;
        log->holes = clog_holes(log, &dir);
        log->oldest_known = status == 0 && dir.count > 0;
        log_dir_clear(&dir);
    }
    *end = log->end;
    *first = log->oldest < log->end ? log->oldest : log->end;
    return status;
}

uint64_t clog_size(struct clog *log)
{
    uint64_t first = 0, end = 0;

    return clog_range(log, &first, &end, NULL) == 0 ? end - first - log->holes : 0;
}

long clog_read(struct clog *log, uint64_t offset, uint64_t *at, void *p, size_t n, struct err *err)
{
    struct clog_store *store = log->store;
    long got;

    *at = offset;
    if (clog_know(log, err) != 0)
        return -1;
    if (offset >= log->end)
        return 0;
    if (store->reading && store->reading != log)
        clog_drop_reader(store->reading);
    store->reading = log;
    if (!log->reader)
        log->reader = log_reader_new(log->path);
    got = log_reader_read(log->reader, offset, at, p, n, err);
    if (got > 0 && *at + (uint64_t)got > log->end) /* what somebody else wrote is not taken in yet */
        got = *at < log->end ? (long)(log->end - *at) : 0;
    return got;
}

/* [from, from + n) without a hole. False: there is one, or damage. */
static bool read_whole(struct clog *log, uint64_t from, uint8_t *p, size_t n)
{
    uint64_t at;

    for (size_t done = 0; done < n;) {
        long got = clog_read(log, from + done, &at, p + done, n - done, NULL);

        if (got <= 0 || at != from + done)
            return false;
        done += (size_t)got;
    }
    return true;
}

uint64_t clog_back(struct clog *log, size_t lines, size_t max)
{
    uint8_t block[4096];
    uint64_t first, end, offset;

    if (clog_range(log, &first, &end, NULL) != 0 || lines == 0)
        return log->end;
    if (end - first > max)
        first = end - max;
    offset = end;
    while (offset > first) {
        size_t n = offset - first > sizeof(block) ? sizeof(block) : (size_t)(offset - first);

        if (!read_whole(log, offset - n, block, n))
            return offset; /* what is behind a gap is all there is */
        for (size_t i = n; i > 0; i--)
            /* The line end at the very end belongs to the last line. */
            if (block[i - 1] == '\n' && offset - n + i < end && lines-- == 1)
                return offset - n + i;
        offset -= n;
    }
    return first;
}

/* --- time --- */

void clog_roll(struct clog *log)
{
    struct err err = ERR_INIT;

    clog_flush(log);
    if (clog_know(log, &err) != 0 || log->end == log->first)
        return;
    log->roll_wanted = true;
    log->roll_why = "request";
    log->work_due = 0;
    clog_start_work(log, clog_now(log));
}

void clog_expire(struct clog *log)
{
    const struct log_settings *s = &log->settings;

    if (s->keep_ms == 0 && s->keep_count == 0 && s->keep_bytes == 0)
        return;
    log->expire_wanted = true;
    clog_start_work(log, clog_now(log));
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool holds_buffers(const struct clog *log)
{
    return log->pending.cap > 0 || log->blocks.hash;
}

static int64_t deadline(const struct clog *log)
{
    int64_t next = clog_work_deadline(log);

    if (log->paused)
        next = sooner(next, log->retry_due);
    else if (log->pending.len > 0)
        next = sooner(next, log->flush_due);
    else if (holds_buffers(log))
        next = sooner(next, log->used_ms + IDLE_FREE_MS);
    if (log->index.len > 0)
        next = sooner(next, log->index_due);
    if (log->check_due != 0)
        next = sooner(next, log->check_due);
    if (log->promise_due != 0)
        next = sooner(next, log->promise_due);
    return next;
}

/* Somebody deleted or moved the file: what it held is saved through the descriptor. */
static void look_after_file(struct clog *log, int64_t now_ms)
{
    log->check_due = 0;
    if (log->fd < 0 || clog_file_is_there(log))
        return;
    log->check_due = now_ms + CHECK_MS;
    if (log->rescue_wanted)
        return;
    log->rescue_wanted = true;
    log->work_due = 0;
    clog_repair_note(log, "console.log was deleted or moved; what it held is being saved");
}

int64_t clog_tick(struct clog *log, int64_t now_ms)
{
    if (log->paused ? now_ms >= log->retry_due : log->pending.len > 0 && now_ms >= log->flush_due)
        write_pending(log);
    if (log->pending.len == 0 && holds_buffers(log) && now_ms - log->used_ms >= IDLE_FREE_MS) {
        buf_free(&log->pending);
        buf_free(&log->journal);
        blocks_rest(&log->blocks);
    }
    if (log->index.len > 0 && now_ms >= log->index_due) {
        clog_write_index(log);
        buf_free(&log->index);
    }
    if (log->check_due != 0 && now_ms >= log->check_due)
        look_after_file(log, now_ms);
    clog_promise_tick(log, now_ms);
    clog_start_work(log, now_ms);
    return deadline(log);
}
