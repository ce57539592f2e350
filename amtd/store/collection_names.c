#include "amtd/store/collection_names.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"
#include "base/xalloc.h"

void collection_names_clear(struct collection_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i].collection);
        free(names->items[i].name);
        free(names->items[i].value);
    }
    free(names->items);
    memset(names, 0, sizeof(*names));
}

int tx_collection_name_set(struct tx *tx, const char *collection, const char *name, const char *value,
                           struct err *err)
{
    struct collection there;
    sqlite3_stmt *st;

    if (tx_collection_get(tx, collection, &there, err) != 0)
        return -1;
    collection_clear(&there);
    st = tx_prepare(
        tx,
        value ? "INSERT OR REPLACE INTO collection_names(collection, name, value) VALUES (?1, ?2, ?3)"
              : "DELETE FROM collection_names WHERE collection = ?1 AND name = ?2",
        err);
    if (!st)
        return -1;
    bind_text(st, 1, collection);
    bind_text(st, 2, name);
    if (value)
        bind_text(st, 3, value);
    return tx_run_statement(tx, st, err);
}

int tx_collection_names(struct tx *tx, const char *collection, struct collection_names *out, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "SELECT collection, name, value FROM collection_names"
                                  " WHERE collection = ?1 OR ?1 IS NULL ORDER BY collection, name",
                                  err);
    int status;

    memset(out, 0, sizeof(*out));
    if (!st)
        return -1;
    bind_text(st, 1, collection);
    while ((status = tx_step(tx, st, err)) > 0) {
        out->items = xreallocarray(out->items, out->count + 1, sizeof(*out->items));
        out->items[out->count++] =
            (struct collection_name){column_text(st, 0), column_text(st, 1), column_text(st, 2)};
    }
    if (status != 0)
        collection_names_clear(out);
    return status;
}
