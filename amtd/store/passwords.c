#include "amtd/store/passwords.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"
#include "base/xalloc.h"

void password_row_clear(struct password_row *row)
{
    free(row->host);
    free(row->user);
    secret_free(row->password);
    memset(row, 0, sizeof(*row));
}

/* By what stays the same while a row lives: a host may be renamed or removed. */
static char *seal_owner(const char *name, const char *user)
{
    return xasprintf("host:%s/%s", name, user);
}

static struct secret *open_seal(struct tx *tx, const char *name, const char *user, sqlite3_stmt *st,
                                int column)
{
    char *owner = seal_owner(name, user);
    struct secret *s = seal_unseal(tx->seal, owner, sqlite3_column_blob(st, column),
                                   (size_t)sqlite3_column_bytes(st, column), NULL);

    free(owner);
    return s;
}

/* --- changing --- */

static int change_state(struct tx *tx, int64_t host_id, const char *user, enum password_state from,
                        enum password_state to, int64_t at_ms, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx, "UPDATE passwords SET state = ?4, at = ?5 WHERE host = ?1 AND user = ?2 AND state = ?3", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    bind_text(st, 2, user);
    sqlite3_bind_int(st, 3, (int)from);
    sqlite3_bind_int(st, 4, (int)to);
    sqlite3_bind_int64(st, 5, at_ms);
    return tx_run_statement(tx, st, err);
}

static char *host_name(struct tx *tx, int64_t host_id, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT name FROM hosts WHERE id = ?1", err);
    char *name = NULL;
    int row;

    if (!st)
        return NULL;
    sqlite3_bind_int64(st, 1, host_id);
    row = tx_step(tx, st, err);
    if (row > 0)
        name = column_text(st, 0);
    if (row == 0)
        err_set(err, CAUSE_NOT_FOUND, "the host was removed");
    sqlite3_reset(st);
    return name;
}

int tx_password_next(struct tx *tx, int64_t host_id, const char *user, const struct secret *password,
                     int64_t run, int64_t at_ms, struct err *err)
{
    struct buf sealed = buf_init(4096);
    char *name = host_name(tx, host_id, err);
    char *owner = name ? seal_owner(name, user) : NULL;
    sqlite3_stmt *st;
    int status = -1;

    if (name && change_state(tx, host_id, user, PASSWORD_NEXT, PASSWORD_FORMER, at_ms, err) == 0 &&
        seal_secret(tx->seal, owner, password, &sealed, err) == 0 &&
        (st = tx_prepare(tx,
                         "INSERT INTO passwords(host, name, user, state, password, at, run)"
                         " VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6)",
                         err))) {
        sqlite3_bind_int64(st, 1, host_id);
        bind_text(st, 2, name);
        bind_text(st, 3, user);
        sqlite3_bind_blob(st, 4, sealed.p, (int)sealed.len, SQLITE_TRANSIENT);
        sqlite3_bind_int64(st, 5, at_ms);
        sqlite3_bind_int64(st, 6, run);
        status = tx_run_statement(tx, st, err);
    }
    free(owner);
    free(name);
    buf_free(&sealed);
    return status;
}

static int has_next(struct tx *tx, int64_t host_id, const char *user, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "SELECT 1 FROM passwords WHERE host = ?1 AND user = ?2 AND state = 1", err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    bind_text(st, 2, user);
    row = tx_step(tx, st, err);
    sqlite3_reset(st);
    return row;
}

int tx_password_settle(struct tx *tx, int64_t host_id, const char *user, bool has_new, int64_t at_ms,
                       struct err *err)
{
    int found = has_next(tx, host_id, user, err);

    if (found <= 0)
        return found;
    if (!has_new)
        return change_state(tx, host_id, user, PASSWORD_NEXT, PASSWORD_FORMER, at_ms, err);
    if (change_state(tx, host_id, user, PASSWORD_PROVEN, PASSWORD_FORMER, at_ms, err) != 0)
        return -1;
    return change_state(tx, host_id, user, PASSWORD_NEXT, PASSWORD_PROVEN, at_ms, err);
}

int tx_password_forget(struct tx *tx, int64_t host_id, int64_t at_ms, size_t *count, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "UPDATE passwords SET state = 2, at = ?2 WHERE host = ?1 AND state < 2", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    sqlite3_bind_int64(st, 2, at_ms);
    if (tx_run_statement(tx, st, err) != 0)
        return -1;
    *count = (size_t)sqlite3_changes(tx->db);
    return 0;
}

int tx_password_forget_user(struct tx *tx, int64_t host_id, const char *user, int64_t at_ms, struct err *err)
{
    if (change_state(tx, host_id, user, PASSWORD_PROVEN, PASSWORD_FORMER, at_ms, err) != 0)
        return -1;
    return change_state(tx, host_id, user, PASSWORD_NEXT, PASSWORD_FORMER, at_ms, err);
}

/* --- reading --- */

static void read_password(struct tx *tx, sqlite3_stmt *st, void *row, void *arg)
{
    const bool *open = arg;
    char *made_as = column_text(st, 6);
    struct password_row *r = row;

    r->host = column_text(st, 0);
    r->user = column_text(st, 1);
    r->state = (enum password_state)sqlite3_column_int(st, 2);
    r->password = *open ? open_seal(tx, made_as, r->user, st, 3) : NULL;
    r->at_ms = sqlite3_column_int64(st, 4);
    r->run = sqlite3_column_int64(st, 5);
    free(made_as);
}

int tx_passwords(struct tx *tx, const char *host, bool former, bool open, struct password_row **rows,
                 size_t *count, struct err *err)
{
    void *all;
    int status;
    sqlite3_stmt *st = tx_prepare(
        tx,
        "SELECT ifnull(h.name, p.name), p.user, p.state, p.password, p.at, p.run, p.name FROM passwords p"
        " LEFT JOIN hosts h ON h.id = p.host WHERE (?1 IS NULL OR ifnull(h.name, p.name) = ?1) AND (p.state "
        "< "
        "2 OR ?2) ORDER BY 1 COLLATE natural_order, p.user, p.state, p.id DESC",
        err);

    if (st) {
        bind_text(st, 1, host);
        sqlite3_bind_int64(st, 2, former);
    }
    status = tx_rows(tx, st, sizeof(**rows), read_password, &open, &all, count, err);
    *rows = all;
    return status;
}

int tx_passwords_seen(struct tx *tx, const char *host, int64_t known_ms, int64_t at_ms, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "UPDATE passwords SET seen = ?2 WHERE id IN (SELECT p.id FROM passwords p"
                                  " LEFT JOIN hosts h ON h.id = p.host WHERE ifnull(h.name, p.name) = ?1 AND"
                                  " p.state < 2 AND p.at <= ?3)",
                                  err);

    if (!st)
        return -1;
    bind_text(st, 1, host);
    sqlite3_bind_int64(st, 2, at_ms);
    sqlite3_bind_int64(st, 3, known_ms);
    return tx_run_statement(tx, st, err);
}

int tx_password_unseen(struct tx *tx, int64_t host_id, char **user, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx, "SELECT user FROM passwords WHERE host = ?1 AND state < 2 AND seen = 0 ORDER BY user LIMIT 1",
        err);
    int row;

    *user = NULL;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    row = tx_step(tx, st, err);
    if (row > 0)
        *user = column_text(st, 0);
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

static struct own_password *own_for(struct own_passwords *own, const char *user)
{
    for (size_t i = 0; i < own->count; i++)
        if (strcmp(own->items[i].user, user) == 0)
            return &own->items[i];
    own->items = xreallocarray(own->items, own->count + 1, sizeof(*own->items));
    own->items[own->count] = (struct own_password){.user = xstrdup(user)};
    return &own->items[own->count++];
}

static void take_password(struct tx *tx, sqlite3_stmt *st, struct host *host)
{
    char *user = column_text(st, 1), *made_as = column_text(st, 4);
    struct own_password *own = own_for(&host->passwords, user);
    struct secret *s = open_seal(tx, made_as, user, st, 3);

    if (!s)
        own->seal_broken = true;
    else if (sqlite3_column_int(st, 2) == PASSWORD_PROVEN)
        own->proven = s;
    else
        own->next = s;
    free(user);
    free(made_as);
}

int tx_load_passwords(struct tx *tx, struct hosts *hosts, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx,
        "SELECT p.host, p.user, p.state, p.password, p.name FROM passwords p JOIN chosen c ON c.id = p.host"
        " WHERE p.state < 2 ORDER BY p.host, p.user, p.state",
        err);
    size_t at = 0;
    int row;

    if (!st)
        return -1;
    while ((row = tx_step(tx, st, err)) > 0) {
        int64_t id = sqlite3_column_int64(st, 0);

        while (at < hosts->count && hosts->items[at].id < id)
            at++;
        if (at < hosts->count && hosts->items[at].id == id)
            take_password(tx, st, &hosts->items[at]);
    }
    return row;
}

int tx_host_passwords(struct tx *tx, int64_t host_id, struct own_passwords *out, struct err *err)
{
    struct host host = {.id = host_id};
    struct hosts one = {&host, 1};
    sqlite3_stmt *st;
    int status = -1;

    if (tx_exec(tx, "DELETE FROM chosen", err) == 0 &&
        (st = tx_prepare(tx, "INSERT INTO chosen VALUES (?1)", err))) {
        sqlite3_bind_int64(st, 1, host_id);
        status = tx_run_statement(tx, st, err);
    }
    if (status == 0)
        status = tx_load_passwords(tx, &one, err);
    *out = host.passwords;
    return status;
}
