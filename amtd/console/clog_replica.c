/* A log that follows another one: bytes come with the offsets that they have there. */
#include <stdio.h>

#include "amtd/console/clog_internal.h"
#include "base/log.h"

int clog_next(struct clog *log, uint64_t *next, struct err *err)
{
    if (clog_know(log, err) != 0)
        return -1;
    *next = log->end + log->pending.len;
    return 0;
}

int clog_skip(struct clog *log, uint64_t offset, const char *why, struct err *err)
{
    uint64_t from;
    char text[160];

    clog_flush(log);
    if (clog_know(log, err) != 0)
        return -1;
    if (offset <= log->end)
        return 0;
    if (log->paused || log->working == WORK_SIGN) /* signing uses the files' names */
        return err_set(err, CAUSE_BUSY, "%s: being worked on just now", log->path);
    from = log->end;
    clog_write_index(log);
    clog_write_journal(log, NULL);
    if (clog_roll_files(log, offset, err) != 0)
        return -1;
    if (from > 0) {
        snprintf(text, sizeof(text), "bytes %llu to %llu: %s", (unsigned long long)from,
                 (unsigned long long)offset, why);
        log_warn(log->name, "log: %s", text);
        clog_event(log, JOURNAL_GAP, NULL, text);
    }
    return 0;
}

/* As many as go into what waits; written when that is full. */
static size_t add_some(struct clog *log, const uint8_t *p, size_t n)
{
    size_t room = CLOG_PENDING_MAX - log->pending.len;

    n = n < room ? n : room;
    clog_append(log, p, n);
    return n;
}

size_t clog_replicate(struct clog *log, uint64_t offset, int64_t at_ms, const uint8_t *p, size_t n)
{
    struct err err = ERR_INIT;
    uint64_t next = 0;
    size_t done = 0;

    if (log->paused || log->off || clog_next(log, &next, &err) != 0)
        return 0;
    if (offset > next) {
        bool history = offset / HISTORY_STEP > next / HISTORY_STEP;

        if (clog_skip(log, offset,
                      history ? "a new history of the node's log begins"
                              : "not in the log of the node any more",
                      &err) != 0)
            return 0;
        next = offset;
    }
    if (offset < next) /* here already */
        done = next - offset < n ? (size_t)(next - offset) : n;
    log->given_ms = at_ms;
    while (done < n && !log->paused)
        done += add_some(log, p + done, n - done);
    return done;
}
