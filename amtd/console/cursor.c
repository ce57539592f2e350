#include "amtd/console/cursor.h"

#define CHUNK (64 * 1024)

void cursor_init(struct cursor *cursor, struct clog *log, uint64_t offset, const struct cursor_sink *sink)
{
    uint64_t end = clog_end(log);

    cursor->log = log;
    cursor->sink = *sink;
    cursor->offset = offset < end ? offset : end;
    cursor->ahead = 0;
    cursor->logged_only = false;
}

uint64_t cursor_behind(const struct cursor *cursor)
{
    return clog_end(cursor->log) - cursor->offset;
}

static void give(struct cursor *cursor, const uint8_t *p, size_t n)
{
    uint64_t offset = cursor->offset;

    cursor->offset += n;
    cursor->sink.bytes(cursor->sink.arg, offset, p, n);
}

void cursor_written(struct cursor *cursor, uint64_t offset, const uint8_t *p, size_t n, bool shown)
{
    size_t room;

    if (cursor->offset != offset)
        return; /* it will read them from the file */
    if (shown && cursor->ahead >= n) {
        cursor->ahead -= n;
        cursor->offset += n;
        return;
    }
    cursor->ahead = 0;
    room = cursor->sink.room(cursor->sink.arg);
    if (room > 0)
        give(cursor, p, n < room ? n : room);
}

void cursor_unlogged(struct cursor *cursor, const uint8_t *p, size_t n)
{
    if (cursor->logged_only || cursor_behind(cursor) != 0 || cursor->sink.room(cursor->sink.arg) < n)
        return;
    cursor->ahead += n;
    cursor->sink.bytes(cursor->sink.arg, cursor->offset, p, n);
}

bool cursor_pump(struct cursor *cursor, size_t most)
{
    uint8_t chunk[CHUNK];

    while (most > 0 && cursor_behind(cursor) > 0) {
        size_t n = cursor->sink.room(cursor->sink.arg);
        struct err err = ERR_INIT;
        uint64_t at = cursor->offset, from = cursor->offset;
        long got;

        n = n < most ? n : most;
        n = n < sizeof(chunk) ? n : sizeof(chunk);
        if (n == 0)
            return false;
        got = clog_read(cursor->log, from, &at, chunk, n, &err);
        if (got == 0 && at <= from)
            at = clog_end(cursor->log); /* nothing from here to the end can be had */
        if (at > from) {
            cursor->offset = at;
            if (cursor->sink.skipped)
                cursor->sink.skipped(cursor->sink.arg, from, at, got < 0 ? &err : NULL);
        } else if (got < 0) {
            return false; /* the directory cannot be read; the next write or tick tries again */
        }
        if (got > 0)
            give(cursor, chunk, (size_t)got);
        most -= got > 0 ? (size_t)got : most < 512 ? most : 512;
    }
    return cursor_behind(cursor) > 0 && cursor->sink.room(cursor->sink.arg) > 0;
}
