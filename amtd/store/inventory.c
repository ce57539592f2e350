#include "amtd/store/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"
#include "base/xalloc.h"

void inventory_row_clear(struct inventory_row *row)
{
    free(row->host);
    free(row->data);
    memset(row, 0, sizeof(*row));
}

static int is_host(struct tx *tx, int64_t host_id, bool *there, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT 1 FROM hosts WHERE id = ?1", err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    row = tx_step(tx, st, err);
    *there = row > 0;
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

/* The newest version if it has the same data: seen again. */
static int see_again(struct tx *tx, int64_t host_id, int64_t at_ms, const char *data, bool *same,
                     struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "UPDATE inventory SET seen = ?2 WHERE host = ?1 AND data = ?3 AND version ="
                                  " (SELECT max(version) FROM inventory WHERE host = ?1)",
                                  err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    sqlite3_bind_int64(st, 2, at_ms);
    bind_text(st, 3, data);
    if (tx_run_statement(tx, st, err) != 0)
        return -1;
    *same = sqlite3_changes(tx->db) > 0;
    return 0;
}

static int put_version(struct tx *tx, int64_t host_id, int64_t at_ms, const char *data, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "INSERT INTO inventory(host, version, since, seen, data) SELECT ?1,"
                                  " 1 + ifnull(max(version), 0), ?2, ?2, ?3 FROM inventory WHERE host = ?1",
                                  err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    sqlite3_bind_int64(st, 2, at_ms);
    bind_text(st, 3, data);
    return tx_run_statement(tx, st, err);
}

static int put_facts(struct tx *tx, int64_t host_id, const struct pairs *facts, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "DELETE FROM inventory_facts WHERE host = ?1", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    if (tx_run_statement(tx, st, err) != 0)
        return -1;
    for (size_t i = 0; i < facts->count; i++) {
        st = tx_prepare(tx, "INSERT INTO inventory_facts VALUES (?1, ?2, ?3)", err);
        if (!st)
            return -1;
        sqlite3_bind_int64(st, 1, host_id);
        bind_text(st, 2, facts->items[i].name);
        bind_text(st, 3, facts->items[i].value);
        if (tx_run_statement(tx, st, err) != 0)
            return -1;
    }
    return 0;
}

int tx_inventory_put(struct tx *tx, int64_t host_id, int64_t at_ms, const char *data,
                     const struct pairs *facts, bool *changed, struct err *err)
{
    bool there, same = false;

    *changed = false;
    if (is_host(tx, host_id, &there, err) != 0)
        return -1;
    if (!there)
        return 0;
    if (see_again(tx, host_id, at_ms, data, &same, err) != 0)
        return -1;
    if (same)
        return 0;
    *changed = true;
    return put_version(tx, host_id, at_ms, data, err) == 0 ? put_facts(tx, host_id, facts, err) : -1;
}

#define COLUMNS "i.host, h.name, i.version, i.since, i.seen"

static void read_row(sqlite3_stmt *st, struct inventory_row *row)
{
    memset(row, 0, sizeof(*row));
    row->host_id = sqlite3_column_int64(st, 0);
    row->host = column_text(st, 1);
    row->version = sqlite3_column_int64(st, 2);
    row->since_ms = sqlite3_column_int64(st, 3);
    row->seen_ms = sqlite3_column_int64(st, 4);
}

int tx_inventory_get(struct tx *tx, int64_t host_id, int64_t at_ms, int64_t version,
                     struct inventory_row *out, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "SELECT " COLUMNS ", i.data FROM inventory i JOIN hosts h ON h.id = i.host"
                                  " WHERE i.host = ?1 AND (?2 = 0 OR i.since <= ?2) AND ?3 IN (0, i.version)"
                                  " ORDER BY i.version DESC LIMIT 1",
                                  err);
    int row;

    memset(out, 0, sizeof(*out));
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    sqlite3_bind_int64(st, 2, at_ms);
    sqlite3_bind_int64(st, 3, version);
    row = tx_step(tx, st, err);
    if (row > 0) {
        read_row(st, out);
        out->data = column_text(st, 5);
    }
    sqlite3_reset(st);
    if (row == 0)
        return err_set(err, CAUSE_NOT_FOUND, "there is no such inventory");
    return row < 0 ? -1 : 0;
}

int tx_inventory_versions(struct tx *tx, int64_t host_id, struct inventory_row **rows, size_t *count,
                          struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "SELECT " COLUMNS " FROM inventory i JOIN hosts h ON h.id = i.host WHERE"
                                  " i.host = ?1 ORDER BY i.version DESC",
                                  err);
    int row;

    *rows = NULL;
    *count = 0;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    while ((row = tx_step(tx, st, err)) > 0) {
        *rows = xreallocarray(*rows, *count + 1, sizeof(**rows));
        read_row(st, &(*rows)[(*count)++]);
    }
    return row;
}

int tx_inventory_tell(struct tx *tx, int64_t host_id, tell_inventory *tell, void *arg, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx,
                   "SELECT " COLUMNS " FROM inventory i INDEXED BY inventory_versions JOIN hosts h"
                   " ON h.id = i.host WHERE i.host = ?1 ORDER BY i.version DESC LIMIT 1",
                   err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    row = tx_step(tx, st, err);
    if (row > 0) {
        const struct inventory_row found = {.host_id = host_id,
                                            .host = (char *)sqlite3_column_text(st, 1),
                                            .version = sqlite3_column_int64(st, 2),
                                            .since_ms = sqlite3_column_int64(st, 3),
                                            .seen_ms = sqlite3_column_int64(st, 4)};

        tell(arg, &found);
    }
    sqlite3_reset(st);
    return row;
}

int tx_inventory_fact(struct tx *tx, int64_t host_id, const char *name, tell_pair *tell, void *arg,
                      struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT value FROM inventory_facts WHERE host = ?1 AND name = ?2", err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    sqlite3_bind_text(st, 2, name, -1, SQLITE_STATIC); /* it is reset before name is gone */
    row = tx_step(tx, st, err);
    if (row > 0)
        tell(arg, name, (const char *)sqlite3_column_text(st, 0));
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}
