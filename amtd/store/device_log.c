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

/* --- what was said: once, however many records say it --- */

static int bind_said(struct tx *tx, const char *sql, const struct device_log_row *row, sqlite3_stmt **st,
                     struct err *err)
{
    *st = tx_prepare(tx, sql, err);
    if (!*st)
        return -1;
    bind_text(*st, 1, row->text);
    bind_text(*st, 2, row->source);
    bind_text(*st, 3, row->who);
    return 0;
}

static int find_said(struct tx *tx, const struct device_log_row *row, int64_t *id, struct err *err)
{
    sqlite3_stmt *st;
    int found;

    *id = 0;
    if (bind_said(tx, "SELECT id FROM device_log_said WHERE text = ?1 AND source IS ?2 AND who IS ?3", row,
                  &st, err) != 0)
        return -1;
    found = tx_step(tx, st, err);
    if (found > 0)
        *id = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return found < 0 ? -1 : 0;
}

static int put_said(struct tx *tx, const struct device_log_row *row, int64_t *id, struct err *err)
{
    sqlite3_stmt *st;

    if (find_said(tx, row, id, err) != 0)
        return -1;
    if (*id != 0)
        return 0;
    if (bind_said(tx, "INSERT INTO device_log_said(text, source, who) VALUES (?1, ?2, ?3)", row, &st, err) !=
            0 ||
        tx_run_statement(tx, st, err) != 0)
        return -1;
    *id = sqlite3_last_insert_rowid(tx->db);
    return 0;
}

int tx_device_log_add(struct tx *tx, const struct device_log_row *row, struct err *err)
{
    sqlite3_stmt *st;
    int64_t said;

    if (put_said(tx, row, &said, err) != 0)
        return -1;
    st = tx_prepare(
        tx,
        "INSERT INTO device_log(host, kind, at, severity, said, address, raw, kept) SELECT id, ?2, ?3,"
        " ?4, ?5, ?6, ?7, unixepoch() * 1000 FROM hosts WHERE id = ?1",
        err);
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, row->host_id);
    sqlite3_bind_int(st, 2, row->kind);
    sqlite3_bind_int64(st, 3, row->at_ms);
    bind_text(st, 4, row->severity);
    sqlite3_bind_int64(st, 5, said);
    bind_text(st, 6, row->address);
    sqlite3_bind_blob64(st, 7, row->raw, row->raw_size, SQLITE_TRANSIENT);
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

#define COLUMNS "l.id, l.host, h.name, l.kind, l.at, l.severity, s.source, s.text, s.who, l.address, l.raw"
#define FROM_RECORDS                                                                                         \
    " FROM device_log l JOIN hosts h ON h.id = l.host JOIN device_log_said s ON s.id = l.said WHERE "

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
    sqlite3_stmt *st = tx_prepare(
        tx, "SELECT " COLUMNS FROM_RECORDS "l.host = ?1 AND l.kind = ?2 ORDER BY l.id DESC LIMIT ?3", err);

    memset(rows, 0, sizeof(*rows));
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    sqlite3_bind_int(st, 2, kind);
    sqlite3_bind_int64(st, 3, (int64_t)limit);
    return read_rows(tx, st, rows, err);
}

/* --- finding --- */

/* Where the records are that may be meant. ?3 is an array of what they may say, NULL: anything. */
#define OF_HOSTS "l.kind = ?1 AND l.at >= ?2 AND l.host IN (SELECT id FROM chosen)"
#define THAT_SAY " AND (?3 IS NULL OR l.said IN (SELECT value FROM json_each(?3)))"
#define NEWEST   " AND (?4 IS NULL OR l.severity = ?4) ORDER BY l.at DESC, l.id DESC LIMIT ?5"

/* Of few hosts by host; what few records say, by that; else the newest of all are gone through. */
#define FEW_HOSTS   200
#define FEW_RECORDS "20000"
static const char by_host[] =
    "SELECT l.id FROM device_log l INDEXED BY device_log_host WHERE " OF_HOSTS THAT_SAY NEWEST;
static const char by_said[] = "SELECT l.id FROM json_each(?3) w CROSS JOIN device_log l INDEXED BY"
                              " device_log_by_said ON l.said = w.value WHERE " OF_HOSTS NEWEST;
static const char by_time[] =
    "SELECT l.id FROM device_log l INDEXED BY device_log_at WHERE " OF_HOSTS THAT_SAY NEWEST;

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

/* What contains the words, as a JSON array of ids, the caller's; NULL: nothing does. */
static int look_for(struct tx *tx, const char *words, char **found, struct err *err)
{
    char pattern[2 * WORDS_MOST + 3];
    sqlite3_stmt *st = tx_prepare(tx,
                                  "SELECT CASE WHEN count(*) > 0 THEN json_group_array(id) END FROM"
                                  " device_log_said WHERE text LIKE ?1 ESCAPE '\\' OR source LIKE ?1 ESCAPE"
                                  " '\\' OR who LIKE ?1 ESCAPE '\\'",
                                  err);
    int row;

    *found = NULL;
    if (!st)
        return -1;
    pattern_of(words, pattern);
    bind_text(st, 1, pattern);
    row = tx_step(tx, st, err);
    if (row > 0)
        *found = column_text(st, 0);
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

static int few_say(struct tx *tx, const char *said, bool *few, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "SELECT count(*) < " FEW_RECORDS
                                  " FROM (SELECT 1 FROM json_each(?1) w CROSS JOIN device_log l"
                                  " INDEXED BY device_log_by_said ON l.said = w.value LIMIT " FEW_RECORDS ")",
                                  err);
    int row;

    if (!st)
        return -1;
    bind_text(st, 1, said);
    row = tx_step(tx, st, err);
    *few = row > 0 && sqlite3_column_int(st, 0) != 0;
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

/* Those that say one of these; NULL: anything. */
static int find_records(struct tx *tx, const struct device_log_query *query, const char *said, int64_t **ids,
                        size_t *count, struct err *err)
{
    bool few = false;
    void *found = NULL;
    sqlite3_stmt *st;
    size_t hosts;
    int status;

    if (tx_choose(tx, query->target ? query->target : "all", &hosts, err) != 0 ||
        (said && few_say(tx, said, &few, err) != 0))
        return -1;
    st = tx_prepare(tx, hosts < FEW_HOSTS ? by_host : few ? by_said : by_time, err);
    if (!st)
        return -1;
    sqlite3_bind_int(st, 1, query->kind);
    sqlite3_bind_int64(st, 2, query->since_ms);
    bind_text(st, 3, said);
    bind_text(st, 4, query->severity);
    sqlite3_bind_int64(st, 5, (int64_t)query->limit);
    status = tx_rows(tx, st, sizeof(**ids), take_id, NULL, &found, count, err);
    *ids = found;
    turn_round(*ids, *count);
    return status;
}

int tx_device_log_find(struct tx *tx, const struct device_log_query *query, int64_t **ids, size_t *count,
                       struct err *err)
{
    const char *target = query->target ? query->target : "all";
    char *said = NULL;
    int64_t *hosts;
    size_t n;
    int status;

    *ids = NULL;
    *count = 0;
    if (!query->words)
        return find_records(tx, query, NULL, ids, count, err);
    if (strlen(query->words) > WORDS_MOST)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "the words to search for have more than %d bytes",
                       WORDS_MOST);
    status = look_for(tx, query->words, &said, err);
    if (status == 0 && said)
        status = find_records(tx, query, said, ids, count, err);
    else if (status == 0 &&
             (status = tx_target_ids(tx, target, &hosts, &n, err)) == 0) /* is it one at all? */
        free(hosts);
    free(said);
    return status;
}

int tx_device_log_tell(struct tx *tx, int64_t id, tell_record *tell, void *arg, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT " COLUMNS FROM_RECORDS "l.id = ?1", err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    row = tx_step(tx, st, err);
    if (row > 0) {
        const struct device_log_row found = {.id = id,
                                             .host_id = sqlite3_column_int64(st, 1),
                                             .host = column_borrowed(st, 2),
                                             .kind = sqlite3_column_int(st, 3),
                                             .at_ms = sqlite3_column_int64(st, 4),
                                             .severity = column_borrowed(st, 5),
                                             .source = column_borrowed(st, 6),
                                             .text = column_borrowed(st, 7),
                                             .who = column_borrowed(st, 8),
                                             .address = column_borrowed(st, 9),
                                             .raw = (uint8_t *)sqlite3_column_blob(st, 10),
                                             .raw_size = (size_t)sqlite3_column_bytes(st, 10)};

        tell(arg, &found);
    }
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}
