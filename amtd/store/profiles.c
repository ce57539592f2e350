/* Profiles. Passwords are sealed on the way in and opened on the way out. */
#include <stdlib.h>
#include <string.h>

#include "amtd/store/certificates.h"
#include "amtd/store/internal.h"
#include "base/xalloc.h"

#define COLUMNS                                                                                              \
    "id, name, position, auth, user, password, ccache, tls, ca_file, client_cert_file, client_key_file, "    \
    "old_tls,"                                                                                               \
    " port, connect_ms, request_ms, clear_text"

static char *seal_owner(const char *name)
{
    return xasprintf("profile:%s/password", name);
}

static int next_position(struct tx *tx, int *position, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT ifnull(max(position), 0) + 1 FROM profiles", err);

    if (!st || tx_step(tx, st, err) < 0)
        return -1;
    *position = sqlite3_column_int(st, 0);
    sqlite3_reset(st);
    return 0;
}

static int seal_password(struct tx *tx, const struct profile *profile, struct buf *out, struct err *err)
{
    char *owner = seal_owner(profile->name);
    int status = profile->password ? seal_secret(tx->seal, owner, profile->password, out, err) : 0;

    free(owner);
    return status;
}

static void bind_profile(sqlite3_stmt *st, const struct profile *p, int position, const struct buf *sealed)
{
    bind_text(st, 1, p->name);
    sqlite3_bind_int(st, 2, position);
    sqlite3_bind_int(st, 3, (int)p->auth);
    bind_text(st, 4, p->user);
    if (p->password)
        sqlite3_bind_blob(st, 5, sealed->p, (int)sealed->len, SQLITE_TRANSIENT);
    bind_text(st, 6, p->ccache);
    sqlite3_bind_int(st, 7, (int)p->tls);
    bind_text(st, 8, p->tls == PROFILE_TLS_OWN ? NULL : p->ca_file);
    bind_text(st, 9, p->client_cert_file);
    bind_text(st, 10, p->client_key_file);
    sqlite3_bind_int(st, 11, p->old_tls);
    sqlite3_bind_int(st, 12, p->port);
    sqlite3_bind_int64(st, 13, p->connect_ms);
    sqlite3_bind_int64(st, 14, p->request_ms);
    sqlite3_bind_int(st, 15, p->clear_text);
}

int tx_profile_put(struct tx *tx, const struct profile *profile, bool replace, struct err *err)
{
    static const char insert[] =
        "INSERT INTO profiles(name, position, auth, user, password, ccache, tls, ca_file, client_cert_file,"
        " client_key_file, old_tls, port, connect_ms, request_ms, clear_text)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    static const char update[] = "UPDATE profiles SET position = ?2, auth = ?3, user = ?4, password = ?5, "
                                 "ccache = ?6, tls = ?7, ca_file = ?8,"
                                 " client_cert_file = ?9, client_key_file = ?10, old_tls = ?11, port = ?12, "
                                 "connect_ms = ?13, request_ms = ?14, clear_text = ?15"
                                 " WHERE name = ?1";
    struct buf sealed = buf_init(65536);
    int position = profile->position;
    sqlite3_stmt *st;
    int status = -1;

    if (profile->old_tls && profile->tls != PROFILE_TLS_PIN)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'old_tls' needs 'tls' to be pin");
    if (position == 0 && next_position(tx, &position, err) != 0)
        return -1;
    if (seal_password(tx, profile, &sealed, err) == 0 &&
        (st = tx_prepare(tx, replace ? update : insert, err))) {
        bind_profile(st, profile, position, &sealed);
        status = tx_run_statement(tx, st, err);
        if (status != 0 && sqlite3_extended_errcode(tx->db) == SQLITE_CONSTRAINT_UNIQUE)
            err_set(err, CAUSE_EXISTS, "profile '%s' is already there", profile->name);
        if (status == 0 && replace && sqlite3_changes(tx->db) == 0)
            status = err_set(err, CAUSE_NOT_FOUND, "there is no profile '%s'", profile->name);
    }
    buf_free(&sealed);
    return status;
}

int tx_profile_remove(struct tx *tx, const char *name, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "DELETE FROM profiles WHERE name = ?1", err);

    if (!st)
        return -1;
    bind_text(st, 1, name);
    if (tx_run_statement(tx, st, err) != 0) {
        if (sqlite3_extended_errcode(tx->db) == SQLITE_CONSTRAINT_FOREIGNKEY)
            err_set(err, CAUSE_EXISTS, "profile '%s' is in use: see amtcli host list 'where:profile = %s'",
                    name, name);
        return -1;
    }
    return sqlite3_changes(tx->db) > 0 ? 0 : err_set(err, CAUSE_NOT_FOUND, "there is no profile '%s'", name);
}

/* A seal that cannot be opened leaves the profile without a password and says so: others stay usable. */
static void read_profile(struct tx *tx, sqlite3_stmt *st, struct profile *p)
{
    memset(p, 0, sizeof(*p));
    p->id = sqlite3_column_int64(st, 0);
    p->name = column_text(st, 1);
    p->position = sqlite3_column_int(st, 2);
    p->auth = (enum profile_auth)sqlite3_column_int(st, 3);
    p->user = column_text(st, 4);
    p->ccache = column_text(st, 6);
    p->tls = (enum profile_tls)sqlite3_column_int(st, 7);
    p->ca_file = p->tls == PROFILE_TLS_OWN ? tx_authority_file(tx) : column_text(st, 8);
    p->client_cert_file = column_text(st, 9);
    p->client_key_file = column_text(st, 10);
    p->old_tls = sqlite3_column_int(st, 11) != 0;
    p->port = (uint16_t)sqlite3_column_int(st, 12);
    p->connect_ms = sqlite3_column_int64(st, 13);
    p->request_ms = sqlite3_column_int64(st, 14);
    p->clear_text = sqlite3_column_int(st, 15) != 0;
    if (sqlite3_column_type(st, 5) != SQLITE_NULL) {
        char *owner = seal_owner(p->name);

        p->password = seal_unseal(tx->seal, owner, sqlite3_column_blob(st, 5),
                                  (size_t)sqlite3_column_bytes(st, 5), NULL);
        p->seal_broken = p->password == NULL;
        free(owner);
    }
}

int tx_profile_get(struct tx *tx, const char *name, struct profile *out, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT " COLUMNS " FROM profiles WHERE name = ?1", err);
    int row;

    memset(out, 0, sizeof(*out));
    if (!st)
        return -1;
    bind_text(st, 1, name);
    row = tx_step(tx, st, err);
    if (row > 0)
        read_profile(tx, st, out);
    sqlite3_reset(st);
    if (row == 0)
        return err_set(err, CAUSE_NOT_FOUND, "there is no profile '%s'", name);
    return row < 0 ? -1 : 0;
}

int tx_profiles(struct tx *tx, struct profiles *out, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "SELECT " COLUMNS " FROM profiles ORDER BY position, name COLLATE natural_order", err);
    int row;

    memset(out, 0, sizeof(*out));
    if (!st)
        return -1;
    while ((row = tx_step(tx, st, err)) > 0) {
        out->items = xreallocarray(out->items, out->count + 1, sizeof(*out->items));
        read_profile(tx, st, &out->items[out->count++]);
    }
    return row;
}
