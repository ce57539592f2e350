/* The table of events. */
#include <stdlib.h>
#include <string.h>

#include "amtd/store/event.h"
#include "amtd/store/internal.h"
#include "base/xalloc.h"

#define ROW_BYTES 64 /* about what a row takes besides its texts */

static void bind_json(sqlite3_stmt *st, int i, const json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    bind_text(st, i, text);
    free(text);
}

int tx_event_add(struct tx *tx, const struct event *event, int64_t *id, int64_t *bytes, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "INSERT INTO events(at, kind, severity, host, console, guarded, text, data,"
                                  " bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                                  err);
    char *data = event->data ? json_dumps(event->data, JSON_COMPACT) : NULL;

    *bytes = ROW_BYTES + (int64_t)strlen(event->text) + (int64_t)(data ? strlen(data) : 0);
    if (!st) {
        free(data);
        return -1;
    }
    sqlite3_bind_int64(st, 1, event->at_ms);
    bind_text(st, 2, event->kind);
    sqlite3_bind_int(st, 3, event->severity);
    bind_text(st, 4, event->host);
    bind_text(st, 5, event->console);
    sqlite3_bind_int(st, 6, event->guarded);
    bind_text(st, 7, event->text);
    bind_text(st, 8, data);
    sqlite3_bind_int64(st, 9, *bytes);
    free(data);
    if (tx_run_statement(tx, st, err) != 0)
        return -1;
    *id = sqlite3_last_insert_rowid(tx->db);
    return 0;
}

static void read_event(sqlite3_stmt *st, struct event *e)
{
    memset(e, 0, sizeof(*e));
    e->id = sqlite3_column_int64(st, 0);
    e->at_ms = sqlite3_column_int64(st, 1);
    e->kind = column_text(st, 2);
    e->severity = sqlite3_column_int(st, 3);
    e->host = column_text(st, 4);
    e->console = column_text(st, 5);
    e->guarded = sqlite3_column_int(st, 6) != 0;
    e->text = column_text(st, 7);
    if (sqlite3_column_type(st, 8) != SQLITE_NULL)
        e->data = json_loads((const char *)sqlite3_column_text(st, 8), 0, NULL);
}

static void bind_filter(sqlite3_stmt *st, const struct event_filter *f, size_t limit)
{
    sqlite3_bind_int64(st, 1, f->since_ms);
    sqlite3_bind_int64(st, 2, f->until_ms);
    sqlite3_bind_int(st, 3, (int)f->severity);
    sqlite3_bind_int64(st, 4, f->before_id);
    bind_json(st, 5, f->kinds);
    bind_json(st, 6, f->hosts);
    bind_json(st, 7, f->consoles);
    bind_json(st, 8, f->visible);
    bind_json(st, 9, f->known);
    sqlite3_bind_int64(st, 10, (int64_t)limit);
    sqlite3_bind_int64(st, 11, f->after_id);
}

#define COLUMNS "id, at, kind, severity, host, console, guarded, text, data"
#define CHOSEN                                                                                               \
    "SELECT " COLUMNS " FROM events e WHERE at >= ?1 AND (?2 = 0 OR at < ?2) AND severity >= ?3"             \
    " AND (?4 = 0 OR id < ?4) AND id > ?11"                                                                  \
    " AND (?5 IS NULL OR kind IN (SELECT value FROM json_each(?5)))"                                         \
    " AND (?6 IS NULL OR EXISTS (SELECT 1 FROM json_each(?6) WHERE e.host GLOB value))"                      \
    " AND (?7 IS NULL OR EXISTS (SELECT 1 FROM json_each(?7) WHERE e.console GLOB value))"                   \
    " AND (?8 IS NULL OR console IS NULL OR console IN (SELECT value FROM json_each(?8))"                    \
    "      OR (guarded = 0 AND console NOT IN (SELECT value FROM json_each(?9))))"

int tx_events(struct tx *tx, const struct event_filter *filter, size_t limit, struct event **out,
              size_t *count, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx,
                   filter->after_id > 0 ? CHOSEN " ORDER BY id LIMIT ?10"
                                        : "SELECT * FROM (" CHOSEN " ORDER BY id DESC LIMIT ?10) ORDER BY id",
                   err);
    int row;

    *out = NULL;
    *count = 0;
    if (!st)
        return -1;
    bind_filter(st, filter, limit);
    while ((row = tx_step(tx, st, err)) > 0) {
        if ((*count & (*count + 1)) == 0) /* 0, 1, 3, 7...: grow */
            *out = xreallocarray(*out, 2 * (*count + 1), sizeof(**out));
        read_event(st, &(*out)[(*count)++]);
    }
    return row;
}

int tx_event_get(struct tx *tx, int64_t id, struct event *out, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT " COLUMNS " FROM events WHERE id = ?1", err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    row = tx_step(tx, st, err);
    if (row > 0)
        read_event(st, out);
    sqlite3_reset(st);
    if (row == 0)
        err_set(err, CAUSE_NOT_FOUND, "there is no event %lld", (long long)id);
    return row > 0 ? 0 : -1;
}

static int sum(struct tx *tx, int64_t *bytes, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT coalesce(sum(bytes), 0) FROM events", err);

    if (!st || tx_step(tx, st, err) < 0)
        return -1;
    *bytes = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return 0;
}

/* The youngest of a portion of the oldest that have to go; 0: none. */
static int find_last(struct tx *tx, int64_t before_ms, int64_t keep_bytes, int64_t *bytes, int64_t *last,
                     bool *more, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT id, at, bytes FROM events ORDER BY id LIMIT ?1", err);
    int row, n = 0;

    *last = 0;
    *more = false;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, EVENTS_PORTION + 1);
    while ((row = tx_step(tx, st, err)) > 0) {
        if (sqlite3_column_int64(st, 1) >= before_ms && (keep_bytes == 0 || *bytes <= keep_bytes))
            break;
        *more = ++n > EVENTS_PORTION;
        if (*more)
            break;
        *last = sqlite3_column_int64(st, 0);
        *bytes -= sqlite3_column_int64(st, 2);
    }
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

int tx_events_purge(struct tx *tx, int64_t before_ms, int64_t keep_bytes, int64_t *bytes, bool *more,
                    struct err *err)
{
    sqlite3_stmt *st;
    int64_t last;

    if ((*bytes < 0 && sum(tx, bytes, err) != 0) ||
        find_last(tx, before_ms, keep_bytes, bytes, &last, more, err) != 0)
        return -1;
    if (last == 0)
        return 0;
    st = tx_prepare(tx, "DELETE FROM events WHERE id <= ?1", err);
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, last);
    return tx_run_statement(tx, st, err);
}
