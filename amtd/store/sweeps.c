#include "amtd/store/sweeps.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"
#include "base/xalloc.h"

void sweep_record_clear(struct sweep_record *r)
{
    free(r->words);
    free(r->order);
    free(r->who);
    free(r->kinds);
    memset(r, 0, sizeof(*r));
}

void sweep_founds_add(struct sweep_founds *founds, const struct sweep_found *found)
{
    if (founds->count == founds->room) {
        founds->room = founds->room > 0 ? 2 * founds->room : 16;
        founds->items = xreallocarray(founds->items, founds->room, sizeof(*founds->items));
    }
    founds->items[founds->count++] = *found;
}

void sweep_founds_clear(struct sweep_founds *founds)
{
    for (size_t i = 0; i < founds->count; i++) {
        free(founds->items[i].realm);
        free(founds->items[i].detail);
        free(founds->items[i].host);
        free(founds->items[i].outcome);
    }
    free(founds->items);
    memset(founds, 0, sizeof(*founds));
}

int tx_sweep_add(struct tx *tx, struct sweep_record *r, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx, "INSERT INTO sweeps(words, search, who, began, addresses) VALUES (?1, ?2, ?3, ?4, ?5)", err);

    if (!st)
        return -1;
    bind_text(st, 1, r->words);
    bind_text(st, 2, r->order);
    bind_text(st, 3, r->who);
    sqlite3_bind_int64(st, 4, r->began_ms);
    sqlite3_bind_int64(st, 5, r->addresses);
    if (tx_run_statement(tx, st, err) != 0)
        return -1;
    r->id = sqlite3_last_insert_rowid(tx->db);
    return 0;
}

static int put_found(struct tx *tx, int64_t id, const struct sweep_found *f, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "INSERT INTO sweep_found(sweep, address, kind, realm, detail) VALUES"
                                  " (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET kind = ?3, realm = ?4,"
                                  " detail = ?5",
                                  err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    sqlite3_bind_int64(st, 2, f->address);
    sqlite3_bind_int(st, 3, f->kind);
    bind_text(st, 4, f->realm);
    bind_text(st, 5, f->detail);
    return tx_run_statement(tx, st, err);
}

int tx_sweep_save(struct tx *tx, const struct sweep_record *r, const struct sweep_founds *founds,
                  struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx, "UPDATE sweeps SET cursor = ?2, kinds = ?3, state = ?4, ended = ?5 WHERE id = ?1", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, r->id);
    sqlite3_bind_int64(st, 2, (int64_t)r->cursor);
    sqlite3_bind_blob64(st, 3, r->kinds, r->kinds_size, SQLITE_TRANSIENT);
    sqlite3_bind_int(st, 4, (int)r->state);
    sqlite3_bind_int64(st, 5, r->ended_ms);
    if (tx_run_statement(tx, st, err) != 0)
        return -1;
    for (size_t i = 0; i < founds->count; i++)
        if (put_found(tx, r->id, &founds->items[i], err) != 0)
            return -1;
    return 0;
}

int tx_sweep_outcomes(struct tx *tx, int64_t id, const struct sweep_founds *founds, struct err *err)
{
    for (size_t i = 0; i < founds->count; i++) {
        sqlite3_stmt *st = tx_prepare(
            tx, "UPDATE sweep_found SET host = ?3, outcome = ?4 WHERE sweep = ?1 AND address = ?2", err);

        if (!st)
            return -1;
        sqlite3_bind_int64(st, 1, id);
        sqlite3_bind_int64(st, 2, founds->items[i].address);
        bind_text(st, 3, founds->items[i].host);
        bind_text(st, 4, founds->items[i].outcome);
        if (tx_run_statement(tx, st, err) != 0)
            return -1;
    }
    return 0;
}

#define COLUMNS "id, words, search, who, began, ended, state, addresses, cursor"

static void read_record(sqlite3_stmt *st, struct sweep_record *r)
{
    memset(r, 0, sizeof(*r));
    r->id = sqlite3_column_int64(st, 0);
    r->words = column_text(st, 1);
    r->order = column_text(st, 2);
    r->who = column_text(st, 3);
    r->began_ms = sqlite3_column_int64(st, 4);
    r->ended_ms = sqlite3_column_int64(st, 5);
    r->state = (enum sweep_state)sqlite3_column_int(st, 6);
    r->addresses = sqlite3_column_int64(st, 7);
    r->cursor = (uint64_t)sqlite3_column_int64(st, 8);
}

static void read_kinds(sqlite3_stmt *st, struct sweep_record *r)
{
    int size = sqlite3_column_bytes(st, 9);

    if (size <= 0)
        return;
    r->kinds = xmalloc((size_t)size);
    r->kinds_size = (size_t)size;
    memcpy(r->kinds, sqlite3_column_blob(st, 9), r->kinds_size);
}

int tx_sweep_get(struct tx *tx, int64_t id, struct sweep_record *r, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx, "SELECT " COLUMNS ", kinds FROM sweeps WHERE ?1 IN (0, id) ORDER BY id DESC LIMIT 1", err);
    int row;

    memset(r, 0, sizeof(*r));
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    row = tx_step(tx, st, err);
    if (row > 0) {
        read_record(st, r);
        read_kinds(st, r);
    }
    sqlite3_reset(st);
    if (row == 0 && id == 0)
        return err_set(err, CAUSE_NOT_FOUND, "there is no sweep");
    if (row == 0)
        return err_set(err, CAUSE_NOT_FOUND, "there is no sweep %lld", (long long)id);
    return row < 0 ? -1 : 0;
}

int tx_sweeps(struct tx *tx, size_t limit, struct sweep_record **records, size_t *count, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT " COLUMNS " FROM sweeps ORDER BY id DESC LIMIT ?1", err);
    int row;

    *records = NULL;
    *count = 0;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, (int64_t)limit);
    while ((row = tx_step(tx, st, err)) > 0) {
        *records = xreallocarray(*records, *count + 1, sizeof(**records));
        read_record(st, &(*records)[(*count)++]);
    }
    return row;
}

int tx_sweep_before(struct tx *tx, const struct sweep_record *record, int64_t *id, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx, "SELECT ifnull(max(id), 0) FROM sweeps WHERE id < ?1 AND state = ?2 AND words = ?3", err);
    int row;

    *id = 0;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, record->id);
    sqlite3_bind_int(st, 2, SWEEP_OVER);
    bind_text(st, 3, record->words);
    row = tx_step(tx, st, err);
    if (row > 0)
        *id = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

int tx_sweep_founds(struct tx *tx, int64_t id, struct sweep_founds *founds, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "SELECT address, kind, realm, detail, host, outcome FROM sweep_found WHERE "
                                  "sweep = ?1 ORDER BY address",
                                  err);
    int row;

    memset(founds, 0, sizeof(*founds));
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    while ((row = tx_step(tx, st, err)) > 0) {
        const struct sweep_found f = {.address = (uint32_t)sqlite3_column_int64(st, 0),
                                      .kind = sqlite3_column_int(st, 1),
                                      .realm = column_text(st, 2),
                                      .detail = column_text(st, 3),
                                      .host = column_text(st, 4),
                                      .outcome = column_text(st, 5)};

        sweep_founds_add(founds, &f);
    }
    if (row < 0)
        sweep_founds_clear(founds);
    return row;
}

/* What is no JSON any more is not shown: its place in the list is. */
int tx_sweep_tell(struct tx *tx, int64_t id, uint32_t from, uint32_t to, tell_found *tell, void *arg,
                  struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx,
        "SELECT address, json_patch(CASE WHEN json_valid(detail) THEN detail ELSE '{}' END,"
        " json_object('host', host, 'outcome', outcome)) FROM sweep_found WHERE sweep = ?1 AND address"
        " BETWEEN ?2 AND ?3 ORDER BY address",
        err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    sqlite3_bind_int64(st, 2, from);
    sqlite3_bind_int64(st, 3, to);
    while ((row = tx_step(tx, st, err)) > 0)
        tell(arg, (uint32_t)sqlite3_column_int64(st, 0), (const char *)sqlite3_column_text(st, 1));
    return row;
}
