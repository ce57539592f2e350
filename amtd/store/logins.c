/* Logins of amtd itself. */
#include <stdlib.h>

#include "amtd/store/internal.h"
#include "base/xalloc.h"

int tx_login_put(struct tx *tx, const char *name, const char *user, const struct secret *password,
                 struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx,
                   user ? "INSERT OR REPLACE INTO logins(name, user, password) VALUES (?1, ?2, ?3)"
                        : "DELETE FROM logins WHERE name = ?1",
                   err);
    char *owner = xasprintf("login:%s/password", name);
    struct buf sealed = buf_init(65536);
    int status = st ? 0 : -1;

    if (status == 0)
        bind_text(st, 1, name);
    if (status == 0 && user) {
        status = seal_secret(tx->seal, owner, password, &sealed, err);
        bind_text(st, 2, user);
        sqlite3_bind_blob(st, 3, sealed.p, (int)sealed.len, SQLITE_TRANSIENT);
    }
    buf_free(&sealed);
    free(owner);
    return status == 0 ? tx_run_statement(tx, st, err) : -1;
}

int tx_login_get(struct tx *tx, const char *name, char **user, struct secret **password, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT user, password FROM logins WHERE name = ?1", err);
    char *owner;
    int row;

    *user = NULL;
    *password = NULL;
    if (!st)
        return -1;
    bind_text(st, 1, name);
    row = tx_step(tx, st, err);
    if (row > 0) {
        owner = xasprintf("login:%s/password", name);
        *password = seal_unseal(tx->seal, owner, sqlite3_column_blob(st, 1),
                                (size_t)sqlite3_column_bytes(st, 1), err);
        *user = *password ? column_text(st, 0) : NULL;
        free(owner);
        row = *password ? 1 : -1;
    }
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}
