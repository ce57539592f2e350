#include "amtd/store/peers.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"
#include "base/text.h"
#include "base/xalloc.h"

#define COLUMNS "kind, name, pin, user, role, host, port, configures, consoles, added"

void peer_clear(struct peer *peer)
{
    free(peer->name);
    free(peer->user);
    free(peer->host);
    free(peer->consoles);
    memset(peer, 0, sizeof(*peer));
}

void peer_copy(struct peer *to, const struct peer *from)
{
    *to = *from;
    to->name = xstrdup(from->name);
    to->user = xstrdup(from->user);
    to->host = xstrdup(from->host);
    to->consoles = xstrdup(from->consoles);
}

void invite_clear(struct invite *invite)
{
    secret_free(invite->secret);
    peer_clear(&invite->peer);
    memset(invite, 0, sizeof(*invite));
}

static bool read_blob(sqlite3_stmt *st, int i, void *out, size_t n)
{
    const void *p = sqlite3_column_blob(st, i);

    if (!p || sqlite3_column_bytes(st, i) != (int)n)
        return false;
    memcpy(out, p, n);
    return true;
}

static void read_peer(sqlite3_stmt *st, struct peer *p)
{
    memset(p, 0, sizeof(*p));
    p->kind = (enum peer_kind)sqlite3_column_int(st, 0);
    p->name = column_text(st, 1);
    read_blob(st, 2, p->pin, sizeof(p->pin));
    p->user = column_text(st, 3);
    p->role = sqlite3_column_int(st, 4);
    p->host = column_text(st, 5);
    p->port = (uint16_t)sqlite3_column_int(st, 6);
    p->configures = sqlite3_column_int(st, 7) != 0;
    p->consoles = column_text(st, 8);
    p->added_ms = sqlite3_column_int64(st, 9);
}

int tx_peers(struct tx *tx, struct peer **out, size_t *count, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "SELECT " COLUMNS " FROM peers ORDER BY kind, name COLLATE natural_order", err);
    int row;

    *out = NULL;
    *count = 0;
    if (!st)
        return -1;
    while ((row = tx_step(tx, st, err)) > 0) {
        *out = xreallocarray(*out, *count + 1, sizeof(**out));
        read_peer(st, &(*out)[(*count)++]);
    }
    return row;
}

/* Nobody else may have this key, neither among those who connect here nor among those this end connects to.
 */
static int check_pin(struct tx *tx, const struct peer *p, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "SELECT name FROM peers WHERE pin = ?1 AND (kind = 2) = (?2 = 2) AND NOT "
                                  "(kind = ?2 AND name = ?3)",
                                  err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_blob(st, 1, p->pin, sizeof(p->pin), SQLITE_TRANSIENT);
    sqlite3_bind_int(st, 2, (int)p->kind);
    bind_text(st, 3, p->name);
    row = tx_step(tx, st, err);
    if (row > 0) {
        row = err_set(err, CAUSE_EXISTS, "that key is known as '%s' already", sqlite3_column_text(st, 0));
        sqlite3_reset(st);
    }
    return row;
}

static int check_name(struct tx *tx, const struct peer *p, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT 1 FROM peers WHERE kind = ?1 AND name = ?2", err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int(st, 1, (int)p->kind);
    bind_text(st, 2, p->name);
    row = tx_step(tx, st, err);
    sqlite3_reset(st);
    return row > 0
               ? err_set(err, CAUSE_EXISTS, "there is a %s '%s' already", peer_kind_name(p->kind), p->name)
               : row;
}

int tx_peer_put(struct tx *tx, const struct peer *p, bool replace, struct err *err)
{
    sqlite3_stmt *st;

    if (check_pin(tx, p, err) != 0 || (!replace && check_name(tx, p, err) != 0))
        return -1;
    st = tx_prepare(tx,
                    "INSERT INTO peers (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
                    "ON CONFLICT (kind, name) DO UPDATE SET pin = ?3, user = ?4, role = ?5, host = ?6, "
                    "port = ?7, configures = ?8, added = ?10",
                    err);
    if (!st)
        return -1;
    sqlite3_bind_int(st, 1, (int)p->kind);
    bind_text(st, 2, p->name);
    sqlite3_bind_blob(st, 3, p->pin, sizeof(p->pin), SQLITE_TRANSIENT);
    bind_text(st, 4, p->user);
    sqlite3_bind_int(st, 5, p->role);
    bind_text(st, 6, p->host);
    sqlite3_bind_int(st, 7, p->port);
    sqlite3_bind_int(st, 8, p->configures);
    bind_text(st, 9, p->consoles);
    sqlite3_bind_int64(st, 10, p->added_ms);
    return tx_run_statement(tx, st, err);
}

int tx_peer_remove(struct tx *tx, enum peer_kind kind, const char *name, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "DELETE FROM peers WHERE kind = ?1 AND name = ?2", err);

    if (!st)
        return -1;
    sqlite3_bind_int(st, 1, (int)kind);
    bind_text(st, 2, name);
    if (tx_run_statement(tx, st, err) != 0)
        return -1;
    return sqlite3_changes(tx->db) > 0
               ? 0
               : err_set(err, CAUSE_NOT_FOUND, "there is no %s '%s'", peer_kind_name(kind), name);
}

int tx_peer_consoles(struct tx *tx, const char *node, const char *consoles, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "UPDATE peers SET consoles = ?2 WHERE kind = 0 AND name = ?1", err);

    if (!st)
        return -1;
    bind_text(st, 1, node);
    bind_text(st, 2, consoles);
    return tx_run_statement(tx, st, err);
}

/* --- invitations --- */

static char *seal_owner(const uint8_t id[TOKEN_ID])
{
    struct buf hex = buf_init(2 * TOKEN_ID);
    char *owner;

    text_hex(&hex, id, TOKEN_ID, false);
    owner = xasprintf("invite:%s", buf_str(&hex));
    buf_free(&hex);
    return owner;
}

static int drop_old(struct tx *tx, const struct invite *invite, int64_t now_ms, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "DELETE FROM invites WHERE expires < ?1 OR (kind = ?2 AND name = ?3)", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, now_ms);
    sqlite3_bind_int(st, 2, (int)invite->peer.kind);
    bind_text(st, 3, invite->peer.name);
    return tx_run_statement(tx, st, err);
}

int tx_invite_add(struct tx *tx, const struct invite *invite, int64_t now_ms, struct err *err)
{
    char *owner = seal_owner(invite->id);
    struct buf sealed = buf_init(1024);
    sqlite3_stmt *st = NULL;
    int status = seal_secret(tx->seal, owner, invite->secret, &sealed, err);

    if (status == 0)
        status = drop_old(tx, invite, now_ms, err);
    if (status == 0)
        st = tx_prepare(
            tx,
            "INSERT INTO invites (id, kind, name, secret, user, role, expires) VALUES (?1, ?2, ?3, "
            "?4, ?5, ?6, ?7)",
            err);
    if (st) {
        sqlite3_bind_blob(st, 1, invite->id, TOKEN_ID, SQLITE_TRANSIENT);
        sqlite3_bind_int(st, 2, (int)invite->peer.kind);
        bind_text(st, 3, invite->peer.name);
        sqlite3_bind_blob(st, 4, sealed.p, (int)sealed.len, SQLITE_TRANSIENT);
        bind_text(st, 5, invite->peer.user);
        sqlite3_bind_int(st, 6, invite->peer.role);
        sqlite3_bind_int64(st, 7, invite->expires_ms);
        status = tx_run_statement(tx, st, err);
    } else {
        status = -1;
    }
    buf_free(&sealed);
    free(owner);
    return status;
}

int tx_invite_get(struct tx *tx, const uint8_t id[TOKEN_ID], int64_t now_ms, struct invite *out,
                  struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx, "SELECT kind, name, secret, user, role, expires FROM invites WHERE id = ?1 AND expires >= ?2",
        err);
    char *owner;
    int row;

    memset(out, 0, sizeof(*out));
    if (!st)
        return -1;
    sqlite3_bind_blob(st, 1, id, TOKEN_ID, SQLITE_TRANSIENT);
    sqlite3_bind_int64(st, 2, now_ms);
    row = tx_step(tx, st, err);
    if (row == 0)
        return err_set(err, CAUSE_NOT_FOUND,
                       "this token is not known here: it was used, replaced, or has expired");
    if (row < 0)
        return -1;
    memcpy(out->id, id, TOKEN_ID);
    out->peer.kind = (enum peer_kind)sqlite3_column_int(st, 0);
    out->peer.name = column_text(st, 1);
    owner = seal_owner(id);
    out->secret =
        seal_unseal(tx->seal, owner, sqlite3_column_blob(st, 2), (size_t)sqlite3_column_bytes(st, 2), err);
    free(owner);
    out->peer.user = column_text(st, 3);
    out->peer.role = sqlite3_column_int(st, 4);
    out->expires_ms = sqlite3_column_int64(st, 5);
    sqlite3_reset(st);
    if (out->secret)
        return 0;
    invite_clear(out);
    return -1;
}

int tx_invite_remove(struct tx *tx, const uint8_t id[TOKEN_ID], struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "DELETE FROM invites WHERE id = ?1", err);

    if (!st)
        return -1;
    sqlite3_bind_blob(st, 1, id, TOKEN_ID, SQLITE_TRANSIENT);
    return tx_run_statement(tx, st, err);
}
