#include "amtd/store/device_log.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"
#include "base/xalloc.h"

void device_log_row_clear(struct device_log_row *row)
{
    free(row->host);
    free(row->severity);
    free(row->source);
    free(row->text);
    free(row->who);
    free(row->address);
    free(row->raw);
    memset(row, 0, sizeof(*row));
}

void device_log_rows_clear(struct device_log_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        device_log_row_clear(&rows->items[i]);
    free(rows->items);
    memset(rows, 0, sizeof(*rows));
}

int tx_device_log_add(struct tx *tx, const struct device_log_row *row, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx,
        "INSERT INTO device_log(host, kind, at, severity, source, text, who, address,"
        " raw, kept) SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, unixepoch() * 1000 FROM hosts WHERE id = ?1",
        err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, row->host_id);
    sqlite3_bind_int(st, 2, row->kind);
    sqlite3_bind_int64(st, 3, row->at_ms);
    bind_text(st, 4, row->severity);
    bind_text(st, 5, row->source);
    bind_text(st, 6, row->text);
    bind_text(st, 7, row->who);
    bind_text(st, 8, row->address);
    sqlite3_bind_blob64(st, 9, row->raw, row->raw_size, SQLITE_TRANSIENT);
    return tx_run_statement(tx, st, err);
}

int tx_device_log_set_place(struct tx *tx, int64_t host_id, int kind, uint32_t place, int64_t read_ms,
                            struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx,
                   "INSERT INTO device_log_read(host, kind, place, at) SELECT id, ?2, ?3, ?4 FROM"
                   " hosts WHERE id = ?1 ON CONFLICT DO UPDATE SET place = ?3, at = ?4",
                   err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    sqlite3_bind_int(st, 2, kind);
    sqlite3_bind_int64(st, 3, place);
    sqlite3_bind_int64(st, 4, read_ms);
    return tx_run_statement(tx, st, err);
}

int tx_device_log_place(struct tx *tx, int64_t host_id, int kind, uint32_t *place, int64_t *read_ms,
                        struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "SELECT place, at FROM device_log_read WHERE host = ?1 AND kind = ?2", err);
    int row;

    *place = 0;
    *read_ms = 0;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    sqlite3_bind_int(st, 2, kind);
    row = tx_step(tx, st, err);
    if (row > 0) {
        *place = (uint32_t)sqlite3_column_int64(st, 0);
        *read_ms = sqlite3_column_int64(st, 1);
    }
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

#define COLUMNS "l.id, l.host, h.name, l.kind, l.at, l.severity, l.source, l.text, l.who, l.address, l.raw"

static void read_row(sqlite3_stmt *st, struct device_log_row *row)
{
    memset(row, 0, sizeof(*row));
    row->id = sqlite3_column_int64(st, 0);
    row->host_id = sqlite3_column_int64(st, 1);
    row->host = column_text(st, 2);
    row->kind = sqlite3_column_int(st, 3);
    row->at_ms = sqlite3_column_int64(st, 4);
    row->severity = column_text(st, 5);
    row->source = column_text(st, 6);
    row->text = column_text(st, 7);
    row->who = column_text(st, 8);
    row->address = column_text(st, 9);
    row->raw_size = (size_t)sqlite3_column_bytes(st, 10);
    if (row->raw_size > 0) {
        row->raw = xmalloc(row->raw_size);
        memcpy(row->raw, sqlite3_column_blob(st, 10), row->raw_size);
    }
}

static int read_rows(struct tx *tx, sqlite3_stmt *st, struct device_log_rows *rows, struct err *err)
{
    size_t room = 0;
    int row;

    memset(rows, 0, sizeof(*rows));
    while ((row = tx_step(tx, st, err)) > 0) {
        if (rows->count == room) {
            room = room > 0 ? 2 * room : 16;
            rows->items = xreallocarray(rows->items, room, sizeof(*rows->items));
        }
        read_row(st, &rows->items[rows->count++]);
    }
    sqlite3_reset(st);
    if (row < 0)
        device_log_rows_clear(rows);
    return row < 0 ? -1 : 0;
}

int tx_device_log_newest(struct tx *tx, int64_t host_id, int kind, size_t limit, struct device_log_rows *rows,
                         struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "SELECT " COLUMNS " FROM device_log l JOIN hosts h ON h.id = l.host WHERE"
                                  " l.host = ?1 AND l.kind = ?2 ORDER BY l.id DESC LIMIT ?3",
                                  err);

    memset(rows, 0, sizeof(*rows));
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    sqlite3_bind_int(st, 2, kind);
    sqlite3_bind_int64(st, 3, (int64_t)limit);
    return read_rows(tx, st, rows, err);
}

/* Rows of few hosts are found by host; of many, the newest of all are gone through. */
#define BY_TIME_FROM 200
#define FIND(index)                                                                                          \
    "SELECT l.id FROM device_log l INDEXED BY " index " WHERE"                                               \
    " l.kind = ?1 AND l.at >= ?2 AND l.host IN (SELECT id FROM chosen) AND (?3 IS NULL OR l.text LIKE ?3 "   \
    "ESCAPE"                                                                                                 \
    " '\\' OR l.source LIKE ?3 ESCAPE '\\' OR l.who LIKE ?3 ESCAPE '\\') AND (?4 IS NULL OR l.severity = "   \
    "?4)"                                                                                                    \
    " ORDER BY l.at DESC, l.id DESC LIMIT ?5"

#define WORDS_MOST 1000 /* bytes */

/* What contains the words, as a pattern of LIKE. */
static void pattern_of(const char *words, char out[2 * WORDS_MOST + 3])
{
    size_t n = 0;

    out[n++] = '%';
    for (const char *p = words; *p; p++) {
        if (strchr("%_\\", *p))
            out[n++] = '\\';
        out[n++] = *p;
    }
    out[n++] = '%';
    out[n] = '\0';
}

static void take_id(struct tx *tx, sqlite3_stmt *st, void *row, void *arg)
{
    (void)tx;
    (void)arg;
    *(int64_t *)row = sqlite3_column_int64(st, 0);
}

static void turn_round(int64_t *ids, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        int64_t id = ids[i];

        ids[i] = ids[count - 1 - i];
        ids[count - 1 - i] = id;
    }
}

int tx_device_log_find(struct tx *tx, const struct device_log_query *query, int64_t **ids, size_t *count,
                       struct err *err)
{
    char pattern[2 * WORDS_MOST + 3];
    void *found;
    sqlite3_stmt *st;
    size_t hosts;
    int status;

    *ids = NULL;
    *count = 0;
    if (query->words && strlen(query->words) > WORDS_MOST)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "the words to search for have more than %d bytes",
                       WORDS_MOST);
    if (tx_choose(tx, query->target ? query->target : "all", &hosts, err) != 0)
        return -1;
    st = tx_prepare(tx, hosts < BY_TIME_FROM ? FIND("device_log_host") : FIND("device_log_at"), err);
    if (!st)
        return -1;
    if (query->words)
        pattern_of(query->words, pattern);
    sqlite3_bind_int(st, 1, query->kind);
    sqlite3_bind_int64(st, 2, query->since_ms);
    bind_text(st, 3, query->words ? pattern : NULL);
    bind_text(st, 4, query->severity);
    sqlite3_bind_int64(st, 5, (int64_t)query->limit);
    status = tx_rows(tx, st, sizeof(**ids), take_id, NULL, &found, count, err);
    *ids = found;
    turn_round(*ids, *count);
    return status;
}

int tx_device_log_tell(struct tx *tx, int64_t id, tell_record *tell, void *arg, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx, "SELECT " COLUMNS " FROM device_log l JOIN hosts h ON h.id = l.host WHERE l.id = ?1", err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    row = tx_step(tx, st, err);
    if (row > 0) {
        const struct device_log_row found = {.id = id,
                                             .host_id = sqlite3_column_int64(st, 1),
                                             .host = (char *)sqlite3_column_text(st, 2),
                                             .kind = sqlite3_column_int(st, 3),
                                             .at_ms = sqlite3_column_int64(st, 4),
                                             .severity = (char *)sqlite3_column_text(st, 5),
                                             .source = (char *)sqlite3_column_text(st, 6),
                                             .text = (char *)sqlite3_column_text(st, 7),
                                             .who = (char *)sqlite3_column_text(st, 8),
                                             .address = (char *)sqlite3_column_text(st, 9),
                                             .raw = (uint8_t *)sqlite3_column_blob(st, 10),
                                             .raw_size = (size_t)sqlite3_column_bytes(st, 10)};

        tell(arg, &found);
    }
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}
