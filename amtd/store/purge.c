#include "amtd/store/purge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/store/activity_chain.h"
#include "amtd/store/internal.h"
#include "base/xalloc.h"

#define HOUR_MS          ((int64_t)3600000)
#define DEVICE_LOG_STAYS "15" /* newest records of each log, by which the next reading knows where it is */
#define ROWS_MAX         2000 /* that are removed in one transaction */
#define PAGES_MAX        1000 /* that are given back in one */
#define SPARE_BYTES      ((int64_t)16 << 20)

const char *const purge_names[PURGE_KINDS + 1] = {
    [PURGE_RUNS] = "runs",         [PURGE_EVENTS] = "events",       [PURGE_EVENT_DATA] = "event-data",
    [PURGE_SWEEPS] = "sweeps",     [PURGE_INVENTORY] = "inventory", [PURGE_DEVICE_LOGS] = "device-logs",
    [PURGE_ACTIVITY] = "activity",
};

/* One that may be removed, or that stays. */
struct unit {
    int64_t id; /* of inventory: the host */
    int64_t at_ms, bytes;
    bool stays;
    int64_t version; /* of inventory */
};

#define TEXT_BYTES(column) "ifnull(length(CAST(" column " AS BLOB)), 0)"

/* How one kind is gone through: by ids, so many at a time. */
struct purge_table {
    const char *range;         /* the first and the last id */
    const char *units;         /* ?1 < id <= ?2: id, when, bytes, stays, version */
    const char *const *remove; /* ?1: id, ?2: version, ?3: at most so many rows; in this order */
    int64_t window;            /* ids looked at in one transaction */
    /* Instead of remove: all up to this id. */
    int (*cut)(struct tx *tx, int64_t last, struct err *err);
};

static const char *const remove_run[] = {
    "DELETE FROM job_results WHERE run = ?1 AND (host, task) IN (SELECT host, task FROM job_results WHERE "
    "run ="
    " ?1 AND ?2 = 0 LIMIT ?3)",
    "DELETE FROM operations WHERE id IN (SELECT id FROM operations WHERE run = ?1 AND ?2 = 0 LIMIT ?3)",
    "DELETE FROM runs WHERE id = ?1 AND ?2 = 0 AND ?3 > 0",
    NULL,
};
static const char *const remove_event[] = {"DELETE FROM events WHERE id = ?1 AND ?2 = 0 AND ?3 > 0", NULL};
static const char *const remove_event_data[] = {
    "UPDATE events SET bytes = bytes - " TEXT_BYTES(
        "data") ", data = NULL WHERE id = ?1 AND ?2 = 0 AND ?3 > 0",
    NULL,
};
static const char *const remove_sweep[] = {
    "DELETE FROM sweep_found WHERE sweep = ?1 AND address IN (SELECT address FROM sweep_found WHERE sweep = "
    "?1"
    " AND ?2 = 0 LIMIT ?3)",
    "DELETE FROM sweeps WHERE id = ?1 AND ?2 = 0 AND ?3 > 0",
    NULL,
};
static const char *const remove_version[] = {
    "DELETE FROM inventory WHERE host = ?1 AND version = ?2 AND ?3 > 0", NULL};
static const char *const remove_record[] = {"DELETE FROM device_log WHERE id = ?1 AND ?2 = 0 AND ?3 > 0",
                                            NULL};

static int cut_activity(struct tx *tx, int64_t last, struct err *err);

#define RUN_BYTES                                                                                            \
    "(SELECT ifnull(sum(120 + " TEXT_BYTES("o.message") " + " TEXT_BYTES(                                    \
        "o.detail") "), 0) FROM operations o WHERE o.run = r.id)"                                            \
                    " + (SELECT ifnull(sum(120 + " TEXT_BYTES("j.message") " + " TEXT_BYTES(                 \
                        "j.detail") "), 0) FROM job_results j WHERE j.run = r.id)"                           \
                                    " + ifnull((SELECT " TEXT_BYTES("j.text") " + " TEXT_BYTES(              \
                                        "j.files") " FROM jobs j WHERE j.run = r.id), 0)"

static const struct purge_table tables[PURGE_KINDS] = {
    [PURGE_RUNS] =
        {"SELECT min(id), max(id) FROM runs",
         "SELECT r.id, r.ended, 200 + " RUN_BYTES
         ", r.ended = 0 OR EXISTS (SELECT 1 FROM jobs j WHERE j.run ="
         " r.id AND j.state < 3) OR r.id IN (SELECT run FROM filters UNION ALL SELECT run FROM filter_claims"
         " UNION ALL SELECT run FROM passwords WHERE state = 1), 0 FROM runs r WHERE r.id > ?1 AND r.id <= ?2"
         " ORDER BY r.id",
         remove_run, 4},
    [PURGE_EVENTS] = {"SELECT min(id), max(id) FROM events",
                      "SELECT id, at, bytes, 0, 0 FROM events WHERE id > ?1 AND id <= ?2 ORDER BY id",
                      remove_event, 5000},
    [PURGE_EVENT_DATA] = {"SELECT min(id), max(id) FROM events",
                          "SELECT id, at, " TEXT_BYTES("data") ", 0, 0 FROM events WHERE id > ?1 AND id <= ?2"
                                                               " AND console IS NOT NULL AND data IS NOT NULL"
                                                               " ORDER BY id",
                          remove_event_data, 5000},
    [PURGE_SWEEPS] =
        {"SELECT min(id), max(id) FROM sweeps",
         "SELECT s.id, s.ended, 200 + ifnull(length(s.kinds), 0) + (SELECT ifnull(sum(60 + " TEXT_BYTES(
             "f.detail") "), 0) FROM sweep_found f WHERE f.sweep = s.id), s.state <> 1 OR"
                         " s.id = (SELECT max(n.id) FROM sweeps n WHERE n.words = s.words AND n.state = 1), 0"
                         " FROM sweeps s WHERE s.id > ?1 AND s.id <= ?2 ORDER BY s.id",
         remove_sweep, 2},
    [PURGE_INVENTORY] =
        {"SELECT min(host), max(host) FROM inventory",
         "SELECT i.host, i.seen, 40 + " TEXT_BYTES(
             "i.data") ", i.version = (SELECT max(n.version) FROM inventory n WHERE n.host ="
                       " i.host), i.version FROM inventory i WHERE i.host > ?1 AND i.host <= ?2"
                       " ORDER BY i.host, i.version",
         remove_version, 20},
    [PURGE_DEVICE_LOGS] = {"SELECT min(id), max(id) FROM device_log",
                           "SELECT d.id, d.kept, 80 + length(d.raw), NOT EXISTS (SELECT 1 FROM device_log n "
                           "WHERE n.host = d.host AND"
                           " n.kind = d.kind AND n.id > d.id LIMIT 1 OFFSET " DEVICE_LOG_STAYS
                           "), 0 FROM device_log d WHERE d.id > ?1 AND d.id <= ?2 ORDER BY d.id",
                           remove_record, 500},
    [PURGE_ACTIVITY] = {"SELECT min(id), max(id) - 1 FROM activity",
                        "SELECT id, at, 200 + " TEXT_BYTES("what") " + " TEXT_BYTES("hosts") " + " TEXT_BYTES(
                            "detail") ", 0, 0 FROM activity WHERE id > ?1 AND id <= ?2 ORDER BY id",
                        NULL, 200, cut_activity},
};

/* --- going through --- */

static int begin(struct tx *tx, struct purge_walk *walk, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, tables[walk->kind].range, err);

    if (!st || tx_step(tx, st, err) < 0)
        return -1;
    walk->over = sqlite3_column_type(st, 0) == SQLITE_NULL;
    walk->after = walk->over ? 0 : sqlite3_column_int64(st, 0) - 1;
    walk->last = sqlite3_column_int64(st, 1);
    walk->over = walk->over || walk->after >= walk->last;
    walk->begun = true;
    sqlite3_reset(st);
    return 0;
}

/* The units of the next ids; the caller's. */
static int next_units(struct tx *tx, const struct purge_walk *walk, int64_t until, struct unit **out,
                      size_t *count, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, tables[walk->kind].units, err);
    size_t cap = 0;
    int row;

    *out = NULL;
    *count = 0;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, walk->after);
    sqlite3_bind_int64(st, 2, until);
    while ((row = tx_step(tx, st, err)) > 0) {
        if (*count == cap) {
            cap = cap > 0 ? cap * 2 : 64;
            *out = xreallocarray(*out, cap, sizeof(**out));
        }
        (*out)[(*count)++] = (struct unit){sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1),
                                           sqlite3_column_int64(st, 2), sqlite3_column_int(st, 3) != 0,
                                           sqlite3_column_int64(st, 4)};
    }
    return row;
}

static int64_t window_end(const struct purge_walk *walk)
{
    int64_t window = tables[walk->kind].window;

    return walk->last - walk->after > window ? walk->after + window : walk->last;
}

static int portion(struct tx *tx, struct purge_walk *walk, struct unit **units, size_t *count,
                   struct err *err)
{
    *units = NULL;
    *count = 0;
    if (!walk->begun && begin(tx, walk, err) != 0)
        return -1;
    return walk->over ? 0 : next_units(tx, walk, window_end(walk), units, count, err);
}

static void advance(struct purge_walk *walk, int64_t to)
{
    walk->after = to;
    walk->over = to >= walk->last;
}

/* --- measuring --- */

int tx_purge_measure(struct tx *tx, struct purge_walk *walk, int64_t now_ms, struct purge_ages *ages,
                     struct err *err)
{
    struct unit *units;
    size_t count;
    int status = portion(tx, walk, &units, &count, err);

    for (size_t i = 0; status == 0 && i < count; i++) {
        int64_t age = now_ms > units[i].at_ms ? (now_ms - units[i].at_ms) / HOUR_MS : 0;

        /* what is not over yet counts as young */
        ages->bytes[units[i].at_ms == 0 ? 0 : age < PURGE_HOURS ? age : PURGE_HOURS - 1] += units[i].bytes;
    }
    free(units);
    if (status == 0 && !walk->over)
        advance(walk, window_end(walk));
    return status;
}

int64_t purge_moment(const struct purge_ages *ages, int64_t now_ms, int64_t keep_bytes)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < PURGE_HOURS; i++) {
        sum += ages->bytes[i];
        if (sum > keep_bytes)
            return now_ms - i * HOUR_MS;
    }
    return INT64_MIN;
}

/* --- removing --- */

void purge_gone_add(struct purge_gone *sum, const struct purge_gone *more)
{
    sum->units += more->units;
    sum->bytes += more->bytes;
    if (more->from_ms > 0 && (sum->from_ms == 0 || more->from_ms < sum->from_ms))
        sum->from_ms = more->from_ms;
    if (more->to_ms > sum->to_ms)
        sum->to_ms = more->to_ms;
}

static void count_unit(struct purge_gone *gone, const struct unit *unit)
{
    purge_gone_add(gone, &(struct purge_gone){1, unit->bytes, unit->at_ms, unit->at_ms});
}

/* *budget rows at most. *whole: nothing of it is left. */
static int remove_unit(struct tx *tx, enum purge_kind kind, const struct unit *unit, int64_t *budget,
                       bool *whole, struct err *err)
{
    *whole = true;
    for (const char *const *sql = tables[kind].remove; *sql && *whole; sql++) {
        sqlite3_stmt *st = tx_prepare(tx, *sql, err);

        if (!st)
            return -1;
        sqlite3_bind_int64(st, 1, unit->id);
        sqlite3_bind_int64(st, 2, unit->version);
        sqlite3_bind_int64(st, 3, *budget);
        if (tx_run_statement(tx, st, err) != 0)
            return -1;
        *budget -= sqlite3_changes(tx->db);
        *whole = *budget > 0 || !sql[1];
    }
    return 0;
}

/* One after the other, as far as the budget goes; the next portion begins with the one that is left. */
static int remove_units(struct tx *tx, struct purge_walk *walk, struct unit *units, size_t count,
                        int64_t before_ms, bool dry, struct purge_gone *gone, struct err *err)
{
    int64_t budget = ROWS_MAX;

    for (size_t i = 0; i < count; i++) {
        bool whole = budget > 0;

        if (units[i].stays || units[i].at_ms >= before_ms)
            continue;
        if (whole && !dry && remove_unit(tx, walk->kind, &units[i], &budget, &whole, err) != 0)
            return -1;
        if (walk->left == units[i].id)
            units[i].bytes = walk->left_bytes;
        if (!whole) {
            walk->after = units[i].id - 1;
            walk->left = units[i].id;
            walk->left_bytes = units[i].bytes;
            return 0;
        }
        count_unit(gone, &units[i]);
    }
    advance(walk, window_end(walk));
    return 0;
}

/* Only a beginning can be cut off a chain. units: as remove_units has them. */
static int cut_units(struct tx *tx, struct purge_walk *walk, struct unit *units, size_t count,
                     int64_t before_ms, bool dry, struct purge_gone *gone, struct err *err)
{
    size_t n = 0;

    while (n < count && units[n].at_ms < before_ms)
        count_unit(gone, &units[n++]);
    advance(walk, n < count ? walk->last : window_end(walk));
    return n == 0 || dry ? 0 : tables[walk->kind].cut(tx, units[n - 1].id, err);
}

int tx_purge_remove(struct tx *tx, struct purge_walk *walk, int64_t before_ms, bool dry,
                    struct purge_gone *gone, struct err *err)
{
    struct unit *units;
    size_t count;
    int status = portion(tx, walk, &units, &count, err);

    memset(gone, 0, sizeof(*gone));
    if (status == 0 && !walk->over)
        status = (tables[walk->kind].cut ? cut_units : remove_units)(tx, walk, units, count, before_ms, dry,
                                                                     gone, err);
    free(units);
    return status;
}

/* The anchor moves on to the last row that goes, in the transaction that removes them. */
static int cut_activity(struct tx *tx, int64_t last, struct err *err)
{
    sqlite3_stmt *st;

    if (tx_activity_anchor_move(tx, last, err) != 0 ||
        !(st = tx_prepare(tx, "DELETE FROM activity WHERE id <= ?1", err)))
        return -1;
    sqlite3_bind_int64(st, 1, last);
    return tx_run_statement(tx, st, err);
}

/* --- the file --- */

static int read_number(struct tx *tx, const char *pragma, int64_t *out, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, pragma, err);
    int row = st ? tx_step(tx, st, err) : -1;

    *out = row > 0 ? sqlite3_column_int64(st, 0) : 0;
    if (st)
        sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

static int read_file(struct tx *tx, struct purge_file *file, int64_t *page, struct err *err)
{
    if (read_number(tx, "PRAGMA page_size", page, err) != 0 ||
        read_number(tx, "PRAGMA page_count", &file->bytes, err) != 0 ||
        read_number(tx, "PRAGMA freelist_count", &file->free_bytes, err) != 0)
        return -1;
    file->bytes *= *page;
    file->free_bytes *= *page;
    return 0;
}

/* A step of the statement gives one page back. */
static int give_back(struct tx *tx, int64_t pages, struct err *err)
{
    char sql[64];

    snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%lld)", (long long)pages);
    return tx_exec(tx, sql, err);
}

int tx_purge_give_back(struct tx *tx, struct purge_file *file, struct err *err)
{
    int64_t page, before, spare;

    if (read_file(tx, file, &page, err) != 0)
        return -1;
    before = file->bytes;
    spare = file->free_bytes - (before / 10 > SPARE_BYTES ? before / 10 : SPARE_BYTES);
    file->over = spare < page;
    if (file->over)
        return 0;
    if (give_back(tx, spare / page < PAGES_MAX ? spare / page : PAGES_MAX, err) != 0 ||
        read_file(tx, file, &page, err) != 0)
        return -1;
    file->given_back += before - file->bytes;
    file->over = file->bytes == before; /* it cannot */
    return 0;
}

/* --- the last one --- */

int tx_purge_last(struct tx *tx, int64_t *at_ms, char **report, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT at, report FROM purge_last", err);
    int row = st ? tx_step(tx, st, err) : -1;

    *at_ms = row > 0 ? sqlite3_column_int64(st, 0) : 0;
    *report = row > 0 ? column_text(st, 1) : NULL;
    if (st)
        sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

int tx_purge_put(struct tx *tx, int64_t at_ms, const char *report, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "INSERT OR REPLACE INTO purge_last VALUES (1, ?1, ?2)", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, at_ms);
    bind_text(st, 2, report);
    return tx_run_statement(tx, st, err);
}
