/* The activity log: append-only, each row sealed in the transaction that writes it. */
#include <stdlib.h>
#include <string.h>

#include "amtd/store/activity_chain.h"
#include "amtd/store/internal.h"
#include "base/xalloc.h"

/* --- reading --- */

static void column_bytes(sqlite3_stmt *st, int i, uint8_t *p, size_t n)
{
    if (sqlite3_column_bytes(st, i) == (int)n)
        memcpy(p, sqlite3_column_blob(st, i), n);
}

#define COLUMNS "id, at, who, by, what, target, hosts, result, detail, run, key, previous, hash, signature"

static void read_row(sqlite3_stmt *st, struct activity *a)
{
    memset(a, 0, sizeof(*a));
    a->id = sqlite3_column_int64(st, 0);
    a->at_ms = sqlite3_column_int64(st, 1);
    a->who = column_text(st, 2);
    a->by = column_text(st, 3);
    a->what = column_text(st, 4);
    a->target = column_text(st, 5);
    a->hosts = column_text(st, 6);
    a->result = column_text(st, 7);
    a->detail = column_text(st, 8);
    a->run = sqlite3_column_int64(st, 9);
    a->key = column_text(st, 10);
    column_bytes(st, 11, a->previous, sizeof(a->previous));
    column_bytes(st, 12, a->hash, sizeof(a->hash));
    column_bytes(st, 13, a->signature, sizeof(a->signature));
    a->sealed = sqlite3_column_type(st, 12) == SQLITE_BLOB;
}

static int read_rows(struct tx *tx, sqlite3_stmt *st, struct activity **out, size_t *count, struct err *err)
{
    size_t cap = 0;
    int row;

    *out = NULL;
    *count = 0;
    while ((row = tx_step(tx, st, err)) > 0) {
        if (*count == cap) {
            cap = cap > 0 ? cap * 2 : 16;
            *out = xreallocarray(*out, cap, sizeof(**out));
        }
        read_row(st, &(*out)[(*count)++]);
    }
    return row;
}

/* Of runs whose hosts are kept one by one it need not be looked for in the names. */
#define TOUCHED                                                                                              \
    "(?2 IS NULL OR target = ?2 OR EXISTS (SELECT 1 FROM operations o WHERE o.run = activity.run AND"        \
    " o.name = ?2) OR ((run IS NULL OR NOT EXISTS (SELECT 1 FROM operations o WHERE o.run = activity.run))"  \
    " AND amtd_among(hosts, ?2)))"

int tx_activities(struct tx *tx, const struct activity_filter *filter, struct activity **out, size_t *count,
                  struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "SELECT " COLUMNS " FROM activity WHERE at >= ?1 AND " TOUCHED
                                  " AND (?4 IS NULL OR who = ?4) AND (?5 IS NULL OR instr(who, ?5) > 0)"
                                  " AND (?6 IS NULL OR instr(what, ?6) > 0) AND (?7 IS NULL OR result = ?7)"
                                  " ORDER BY id DESC LIMIT ?3",
                                  err);

    *out = NULL;
    *count = 0;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, filter->since_ms);
    bind_text(st, 2, filter->host);
    sqlite3_bind_int64(st, 3, (int64_t)filter->limit);
    bind_text(st, 4, tx_only(tx));
    bind_text(st, 5, filter->who);
    bind_text(st, 6, filter->what);
    bind_text(st, 7, filter->result);
    return read_rows(tx, st, out, count, err);
}

int tx_activities_after(struct tx *tx, int64_t id, size_t limit, struct activity **out, size_t *count,
                        struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "SELECT " COLUMNS " FROM activity WHERE id > ?1 ORDER BY id LIMIT ?2", err);

    *out = NULL;
    *count = 0;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    sqlite3_bind_int64(st, 2, (int64_t)limit);
    return read_rows(tx, st, out, count, err);
}

int tx_activity_head(struct tx *tx, struct activity_head *head, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT id, hash, signature FROM activity_head", err);
    int row;

    memset(head, 0, sizeof(*head));
    if (!st)
        return -1;
    row = tx_step(tx, st, err);
    if (row > 0) {
        head->id = sqlite3_column_int64(st, 0);
        column_bytes(st, 1, head->hash, sizeof(head->hash));
        column_bytes(st, 2, head->signature, sizeof(head->signature));
    }
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

int tx_activity_anchor(struct tx *tx, struct activity_anchor *anchor, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "SELECT id, hash, count, from_at, to_at, signature FROM activity_anchor", err);
    int row;

    memset(anchor, 0, sizeof(*anchor));
    if (!st)
        return -1;
    row = tx_step(tx, st, err);
    if (row > 0) {
        anchor->id = sqlite3_column_int64(st, 0);
        column_bytes(st, 1, anchor->hash, sizeof(anchor->hash));
        anchor->count = sqlite3_column_int64(st, 2);
        anchor->from_ms = sqlite3_column_int64(st, 3);
        anchor->to_ms = sqlite3_column_int64(st, 4);
        column_bytes(st, 5, anchor->signature, sizeof(anchor->signature));
    }
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

/* --- writing --- */

static void bind_bytes(sqlite3_stmt *st, int i, const uint8_t *p, size_t n)
{
    sqlite3_bind_blob(st, i, p, (int)n, SQLITE_TRANSIENT);
}

static int put_head(struct tx *tx, const struct activity_head *head, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "INSERT OR REPLACE INTO activity_head VALUES (1, ?1, ?2, ?3)", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, head->id);
    bind_bytes(st, 2, head->hash, sizeof(head->hash));
    bind_bytes(st, 3, head->signature, sizeof(head->signature));
    return tx_run_statement(tx, st, err);
}

/* Behind the head, which moves on to it. */
static int seal_row(struct tx *tx, struct activity *a, struct activity_head *head, struct err *err)
{
    sqlite3_stmt *st;

    if (activity_seal(a, head->hash, tx->key, err) != 0 ||
        !(st = tx_prepare(
              tx, "UPDATE activity SET key = ?2, previous = ?3, hash = ?4, signature = ?5 WHERE id = ?1",
              err)))
        return -1;
    sqlite3_bind_int64(st, 1, a->id);
    bind_text(st, 2, a->key);
    bind_bytes(st, 3, a->previous, sizeof(a->previous));
    bind_bytes(st, 4, a->hash, sizeof(a->hash));
    bind_bytes(st, 5, a->signature, sizeof(a->signature));
    head->id = a->id;
    memcpy(head->hash, a->hash, sizeof(head->hash));
    return tx_run_statement(tx, st, err);
}

int tx_activity_add(struct tx *tx, struct activity *a, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx,
                   "INSERT INTO activity(at, who, by, what, target, hosts, result, detail, run)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, nullif(?9, 0))",
                   err);
    struct activity_head head;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, a->at_ms);
    bind_text(st, 2, a->who);
    bind_text(st, 3, a->by);
    bind_text(st, 4, a->what);
    bind_text(st, 5, a->target);
    bind_text(st, 6, a->hosts);
    bind_text(st, 7, a->result);
    bind_text(st, 8, a->detail);
    sqlite3_bind_int64(st, 9, a->run);
    if (tx_run_statement(tx, st, err) != 0)
        return -1;
    a->id = sqlite3_last_insert_rowid(tx->db);
    if (!tx->key)
        return 0;
    if (tx_activity_head(tx, &head, err) != 0 || seal_row(tx, a, &head, err) != 0 ||
        activity_head_seal(&head, tx->key, err) != 0)
        return -1;
    return put_head(tx, &head, err);
}

static int has_chain(struct tx *tx, bool *has, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx,
                   "SELECT EXISTS (SELECT 1 FROM activity_head) OR EXISTS (SELECT 1 FROM activity"
                   " WHERE hash IS NOT NULL)",
                   err);
    int row = st ? tx_step(tx, st, err) : -1;

    *has = row > 0 && sqlite3_column_int(st, 0) != 0;
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

/* Seals all rows behind one another. */
static int adopt(struct tx *tx, struct activity_head *head, size_t *count, struct err *err)
{
    struct activity *rows;
    size_t n = 1;
    int status = 0;

    while (status == 0 && n > 0) {
        status = tx_activities_after(tx, head->id, 1000, &rows, &n, err);
        for (size_t i = 0; i < n; i++) {
            if (status == 0)
                status = seal_row(tx, &rows[i], head, err);
            activity_clear(&rows[i]);
        }
        free(rows);
        *count += n;
    }
    return status;
}

/* Only where there is no chain yet: a row that somebody puts in later must not get a signature. That it
 * happened is a row of its own, so that nobody makes it happen again unseen. */
int tx_activity_begin(struct tx *tx, const struct node_key *key, int64_t now_ms, size_t *count,
                      struct err *err)
{
    struct activity_head head = {0};
    struct activity note = {.at_ms = now_ms};
    bool has;
    int status;

    tx->key = key;
    *count = 0;
    if (has_chain(tx, &has, err) != 0)
        return -1;
    if (has)
        return 0;
    status = adopt(tx, &head, count, err);
    if (status != 0 || *count == 0)
        return status;
    if (activity_head_seal(&head, tx->key, err) != 0 || put_head(tx, &head, err) != 0)
        return -1;
    note.who = xstrdup("amtd");
    note.by = xstrdup("amtd");
    note.what = xstrdup("activity.begin");
    note.result = xstrdup("ok");
    note.detail = xasprintf("%zu rows from before there was a chain are its beginning", *count);
    status = tx_activity_add(tx, &note, err);
    activity_clear(&note);
    return status;
}

static int put_anchor(struct tx *tx, const struct activity_anchor *anchor, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "INSERT OR REPLACE INTO activity_anchor VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, anchor->id);
    bind_bytes(st, 2, anchor->hash, sizeof(anchor->hash));
    sqlite3_bind_int64(st, 3, anchor->count);
    sqlite3_bind_int64(st, 4, anchor->from_ms);
    sqlite3_bind_int64(st, 5, anchor->to_ms);
    bind_bytes(st, 6, anchor->signature, sizeof(anchor->signature));
    return tx_run_statement(tx, st, err);
}

/* Only what hangs together is cut off: else the anchor would stand for rows that somebody changed. */
static int walk_to(struct tx *tx, int64_t last, struct activity_anchor *anchor, struct err *err)
{
    struct activity_walk walk = {.key = tx->key};
    const char *wrong = activity_walk_begin(&walk, anchor);
    int status = 0;

    while (status == 0 && !wrong && walk.last_id < last) {
        struct activity *rows;
        size_t n;

        status = tx_activities_after(tx, walk.last_id, 1000, &rows, &n, err);
        for (size_t i = 0; i < n; i++) {
            if (status == 0 && !wrong && rows[i].id <= last) {
                wrong = activity_walk_row(&walk, &rows[i]);
                anchor->from_ms = anchor->count == 0 ? rows[i].at_ms : anchor->from_ms;
                anchor->to_ms = rows[i].at_ms;
                anchor->count++;
            }
            activity_clear(&rows[i]);
        }
        free(rows);
        if (n == 0)
            break;
    }
    if (status == 0 && wrong)
        return err_set(err, CAUSE_INVALID_STATE,
                       "the activity log is not shortened, row %lld %s: amtcli activity verify",
                       (long long)walk.last_id, wrong);
    anchor->id = walk.last_id;
    memcpy(anchor->hash, walk.last_hash, sizeof(anchor->hash));
    return status;
}

int tx_activity_anchor_move(struct tx *tx, int64_t last, struct err *err)
{
    struct activity_anchor anchor;

    if (!tx->key)
        return err_set(err, CAUSE_INVALID_STATE, "the activity log is not signed");
    if (tx_activity_anchor(tx, &anchor, err) != 0 || walk_to(tx, last, &anchor, err) != 0 ||
        activity_anchor_seal(&anchor, tx->key, err) != 0)
        return -1;
    return put_anchor(tx, &anchor, err);
}
