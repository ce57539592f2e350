/* Declared configurations of collections. */
#include "amtd/store/declarations.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"
#include "base/xalloc.h"

void declared_clear(struct declared *d)
{
    free(d->collection);
    free(d->name);
    free(d->text);
    free(d->hash);
    free(d->who);
    memset(d, 0, sizeof(*d));
}

static void read_declared(sqlite3_stmt *st, struct declared *out)
{
    out->collection = column_text(st, 0);
    out->name = column_text(st, 1);
    out->text = column_text(st, 2);
    out->hash = column_text(st, 3);
    out->who = column_text(st, 4);
    out->version = sqlite3_column_int64(st, 5);
    out->since_ms = sqlite3_column_int64(st, 6);
}

#define COLUMNS "collection, name, text, hash, who, version, since"

int tx_declare(struct tx *tx, struct declared *d, struct err *err)
{
    struct collection collection;
    sqlite3_stmt *st;
    int status;

    if (tx_collection_get(tx, d->collection, &collection, err) != 0)
        return -1;
    collection_clear(&collection);
    st = tx_prepare(tx,
                    "INSERT INTO declarations(collection, name, text, hash, who, version, since)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6) ON CONFLICT(collection) DO UPDATE SET"
                    " version = version + (hash <> ?4), since = CASE WHEN hash = ?4 THEN since ELSE ?6 END,"
                    " name = ?2, text = ?3, hash = ?4, who = ?5 RETURNING version",
                    err);
    if (!st)
        return -1;
    bind_text(st, 1, d->collection);
    bind_text(st, 2, d->name);
    bind_text(st, 3, d->text);
    bind_text(st, 4, d->hash);
    bind_text(st, 5, d->who);
    sqlite3_bind_int64(st, 6, d->since_ms);
    status = tx_step(tx, st, err);
    if (status > 0)
        d->version = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return status < 0 ? -1 : 0;
}

int tx_declared(struct tx *tx, const char *collection, struct declared *out, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT " COLUMNS " FROM declarations WHERE collection = ?1", err);
    int status;

    memset(out, 0, sizeof(*out));
    if (!st)
        return -1;
    bind_text(st, 1, collection);
    status = tx_step(tx, st, err);
    if (status > 0)
        read_declared(st, out);
    sqlite3_reset(st);
    if (status == 0)
        err_set(err, CAUSE_NOT_FOUND, "no configuration is declared for collection '%s'", collection);
    return status > 0 ? 0 : -1;
}

int tx_declared_forget(struct tx *tx, const char *collection, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "DELETE FROM declarations WHERE collection = ?1", err);

    if (!st)
        return -1;
    bind_text(st, 1, collection);
    if (tx_run_statement(tx, st, err) != 0)
        return -1;
    return sqlite3_changes(tx->db) > 0
               ? 0
               : err_set(err, CAUSE_NOT_FOUND, "no configuration is declared for collection '%s'",
                         collection);
}

int tx_declared_list(struct tx *tx, struct declared **out, size_t *count, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT " COLUMNS " FROM declarations ORDER BY collection", err);
    int status;

    *out = NULL;
    *count = 0;
    if (!st)
        return -1;
    while ((status = tx_step(tx, st, err)) > 0) {
        *out = xreallocarray(*out, *count + 1, sizeof(**out));
        read_declared(st, &(*out)[(*count)++]);
    }
    sqlite3_reset(st);
    return status;
}
