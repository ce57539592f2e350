/* Hosts, their tags and facts, and collections. */
#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"
#include "amtd/store/passwords.h"
#include "base/xalloc.h"

/* --- tags and facts: two tables of the same form --- */

struct pair_table {
    const char *put; /* unchanged rows are not written */
    const char *drop;
    const char *of_chosen;
    const char *of_one;
};

static const struct pair_table tags_table = {
    "INSERT INTO tags VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = ?3 WHERE value <> ?3",
    "DELETE FROM tags WHERE host = ?1 AND name = ?2",
    "SELECT t.host, t.name, t.value FROM chosen c JOIN tags t ON t.host = c.id ORDER BY t.host, t.name",
    "SELECT name, value FROM tags WHERE host = ?1 ORDER BY name",
};

static const struct pair_table facts_table = {
    "INSERT INTO facts VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = ?3 WHERE value <> ?3",
    "DELETE FROM facts WHERE host = ?1 AND name = ?2",
    "SELECT f.host, f.name, f.value FROM chosen c JOIN facts f ON f.host = c.id ORDER BY f.host, f.name",
    "SELECT name, value FROM facts WHERE host = ?1 ORDER BY name",
};

static int put_pairs(struct tx *tx, const struct pair_table *table, int64_t host, const struct pairs *pairs,
                     struct err *err)
{
    for (size_t i = 0; i < pairs->count; i++) {
        const struct pair *pair = &pairs->items[i];
        sqlite3_stmt *st = tx_prepare(tx, pair->value[0] ? table->put : table->drop, err);

        if (!st)
            return -1;
        sqlite3_bind_int64(st, 1, host);
        bind_text(st, 2, pair->name);
        if (pair->value[0])
            bind_text(st, 3, pair->value);
        if (tx_run_statement(tx, st, err) != 0)
            return -1;
    }
    return 0;
}

int tx_host_facts(struct tx *tx, int64_t host_id, const struct pairs *facts, struct err *err)
{
    return put_pairs(tx, &facts_table, host_id, facts, err);
}

/* --- hosts --- */

static int bind_host(struct tx *tx, const char *sql, const struct host *host, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, sql, err);

    if (!st)
        return -1;
    bind_text(st, 1, host->name);
    bind_text(st, 2, host->address);
    bind_text(st, 3, host->profile);
    if (sqlite3_bind_parameter_count(st) > 3)
        sqlite3_bind_int64(st, 4, host->id);
    if (tx_run_statement(tx, st, err) == 0)
        return 0;
    if (sqlite3_extended_errcode(tx->db) == SQLITE_CONSTRAINT_UNIQUE)
        err_set(err, CAUSE_EXISTS, "host '%s' is already there", host->name);
    else if (sqlite3_extended_errcode(tx->db) == SQLITE_CONSTRAINT_FOREIGNKEY)
        err_set(err, CAUSE_NOT_FOUND, "there is no profile '%s'", host->profile);
    return -1;
}

/* For whoever wants to know what the transaction did. */
static void touch(const struct tx *tx, const struct host *host)
{
    if (tx->actor && tx->actor->touched)
        hostlist_add(tx->actor->touched, host->name, NULL);
}

int tx_host_add(struct tx *tx, const struct host *host, int64_t *id, struct err *err)
{
    if (target_has_word(host->name))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'%s' cannot be the name of a host: targets take it otherwise", host->name);
    if (bind_host(tx, "INSERT INTO hosts(name, address, profile) VALUES (?1, ?2, ?3)", host, err) != 0)
        return -1;
    *id = sqlite3_last_insert_rowid(tx->db);
    touch(tx, host);
    return put_pairs(tx, &tags_table, *id, &host->tags, err);
}

int tx_host_update(struct tx *tx, const struct host *host, struct err *err)
{
    sqlite3_stmt *st;

    if (bind_host(tx, "UPDATE hosts SET name = ?1, address = ?2, profile = ?3 WHERE id = ?4", host, err) != 0)
        return -1;
    touch(tx, host);
    st = tx_prepare(tx, "DELETE FROM tags WHERE host = ?1", err);
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host->id);
    return tx_run_statement(tx, st, err) == 0 ? put_pairs(tx, &tags_table, host->id, &host->tags, err) : -1;
}

int tx_host_address(struct tx *tx, int64_t id, char **address, bool *there, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT address FROM hosts WHERE id = ?1", err);
    int row;

    *address = NULL;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    row = tx_step(tx, st, err);
    *there = row > 0;
    if (row > 0)
        *address = column_text(st, 0);
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

int tx_host_expect(struct tx *tx, int64_t id, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT 1 FROM hosts WHERE id = ?1", err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    row = tx_step(tx, st, err);
    sqlite3_reset(st);
    if (row == 0)
        err_set(err, CAUSE_NOT_FOUND, "the host was removed");
    return row > 0 ? 0 : -1;
}

int tx_host_remove(struct tx *tx, int64_t id, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "DELETE FROM hosts WHERE id = ?1", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    return tx_run_statement(tx, st, err);
}

/* --- loading many: three ordered scans, merged --- */

static int by_name(const void *a, const void *b)
{
    return hostlist_compare_names(((const struct host *)a)->name, ((const struct host *)b)->name);
}

/* Hosts are mostly added in the order of their names. */
static void sort_by_name(struct hosts *hosts)
{
    for (size_t i = 1; i < hosts->count; i++)
        if (by_name(&hosts->items[i - 1], &hosts->items[i]) > 0) {
            qsort(hosts->items, hosts->count, sizeof(*hosts->items), by_name);
            return;
        }
}

/* Rows come in order of host and name, so each pair goes to the end of its host's. */
static int load_pairs(struct tx *tx, const char *sql, struct hosts *hosts, size_t offset, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, sql, err);
    size_t at = 0;
    int row;

    if (!st)
        return -1;
    while ((row = tx_step(tx, st, err)) > 0) {
        int64_t id = sqlite3_column_int64(st, 0);
        struct pairs *pairs;

        while (at < hosts->count && hosts->items[at].id < id)
            at++;
        if (at == hosts->count)
            break;
        pairs = (struct pairs *)((char *)&hosts->items[at] + offset);
        pairs->items = xreallocarray(pairs->items, pairs->count + 1, sizeof(struct pair));
        pairs->items[pairs->count].name = column_text(st, 1);
        pairs->items[pairs->count++].value = column_text(st, 2);
    }
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

/* In the order of ids. */
static int load_bare(struct tx *tx, struct hosts *out, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx,
        "SELECT h.id, h.name, h.address, h.profile FROM chosen c JOIN hosts h ON h.id = c.id ORDER BY h.id",
        err);
    size_t cap = 0;
    int row;

    memset(out, 0, sizeof(*out));
    if (!st)
        return -1;
    while ((row = tx_step(tx, st, err)) > 0) {
        struct host *host;

        if (out->count == cap) {
            cap = cap > 0 ? cap * 2 : 16;
            out->items = xreallocarray(out->items, cap, sizeof(*host));
        }
        host = &out->items[out->count++];
        memset(host, 0, sizeof(*host));
        host->id = sqlite3_column_int64(st, 0);
        host->name = column_text(st, 1);
        host->address = column_text(st, 2);
        host->profile = column_text(st, 3);
    }
    sqlite3_reset(st);
    if (row < 0) {
        hosts_clear(out);
        return -1;
    }
    return 0;
}

int tx_load_chosen_bare(struct tx *tx, struct hosts *out, struct err *err)
{
    if (load_bare(tx, out, err) != 0)
        return -1;
    sort_by_name(out);
    return 0;
}

int tx_load_chosen(struct tx *tx, struct hosts *out, struct err *err)
{
    if (load_bare(tx, out, err) != 0)
        return -1;
    if (load_pairs(tx, tags_table.of_chosen, out, offsetof(struct host, tags), err) != 0 ||
        load_pairs(tx, facts_table.of_chosen, out, offsetof(struct host, facts), err) != 0 ||
        tx_load_passwords(tx, out, err) != 0) {
        hosts_clear(out);
        return -1;
    }
    sort_by_name(out);
    return 0;
}

/* --- one at a time --- */

int tx_host_tell(struct tx *tx, int64_t id, tell_host *tell, void *arg, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT name, address, profile FROM hosts WHERE id = ?1", err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    row = tx_step(tx, st, err);
    if (row > 0)
        tell(arg, column_borrowed(st, 0), column_borrowed(st, 1), column_borrowed(st, 2));
    sqlite3_reset(st);
    return row;
}

static int tell_pairs(struct tx *tx, const char *sql, int64_t id, tell_pair *tell, void *arg, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, sql, err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    while ((row = tx_step(tx, st, err)) > 0)
        tell(arg, column_borrowed(st, 0), column_borrowed(st, 1));
    return row;
}

int tx_tags_tell(struct tx *tx, int64_t id, tell_pair *tell, void *arg, struct err *err)
{
    return tell_pairs(tx, tags_table.of_one, id, tell, arg, err);
}

int tx_facts_tell(struct tx *tx, int64_t id, tell_pair *tell, void *arg, struct err *err)
{
    return tell_pairs(tx, facts_table.of_one, id, tell, arg, err);
}

int tx_host_get(struct tx *tx, const char *name, struct host *out, struct err *err)
{
    struct hosts hosts;
    sqlite3_stmt *st;

    memset(out, 0, sizeof(*out));
    if (tx_exec(tx, "DELETE FROM chosen", err) != 0 ||
        !(st = tx_prepare(tx, "INSERT INTO chosen SELECT id FROM hosts WHERE name = ?1", err)))
        return -1;
    bind_text(st, 1, name);
    if (tx_run_statement(tx, st, err) != 0 || tx_load_chosen(tx, &hosts, err) != 0 ||
        tx_see(tx, &hosts, err) != 0)
        return -1;
    if (hosts.count == 0)
        return err_set(err, CAUSE_NOT_FOUND, "there is no host '%s'", name);
    *out = hosts.items[0];
    free(hosts.items);
    return 0;
}

/* --- collections --- */

int tx_collection_put(struct tx *tx, const struct collection *collection, bool replace, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  replace ? "INSERT INTO collections(name, list, query) VALUES (?1, ?2, ?3)"
                                            " ON CONFLICT(name) DO UPDATE SET list = ?2, query = ?3"
                                          : "INSERT INTO collections(name, list, query) VALUES (?1, ?2, ?3)",
                                  err);

    if (!st)
        return -1;
    bind_text(st, 1, collection->name);
    bind_text(st, 2, collection->list);
    bind_text(st, 3, collection->where);
    if (tx_run_statement(tx, st, err) == 0)
        return 0;
    if (sqlite3_extended_errcode(tx->db) == SQLITE_CONSTRAINT_UNIQUE)
        err_set(err, CAUSE_EXISTS, "collection '%s' is already there", collection->name);
    return -1;
}

int tx_collection_remove(struct tx *tx, const char *name, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "DELETE FROM collections WHERE name = ?1", err);

    if (!st)
        return -1;
    bind_text(st, 1, name);
    if (tx_run_statement(tx, st, err) != 0) {
        if (sqlite3_extended_errcode(tx->db) == SQLITE_CONSTRAINT_FOREIGNKEY)
            err_set(err, CAUSE_EXISTS, "rights are granted on collection '%s': take them away first", name);
        return -1;
    }
    return sqlite3_changes(tx->db) > 0 ? 0
                                       : err_set(err, CAUSE_NOT_FOUND, "there is no collection '%s'", name);
}

static void read_collection(sqlite3_stmt *st, struct collection *out)
{
    out->id = sqlite3_column_int64(st, 0);
    out->name = column_text(st, 1);
    out->list = column_text(st, 2);
    out->where = column_text(st, 3);
}

int tx_collection_get(struct tx *tx, const char *name, struct collection *out, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT id, name, list, query FROM collections WHERE name = ?1", err);
    int row;

    memset(out, 0, sizeof(*out));
    if (!st)
        return -1;
    bind_text(st, 1, name);
    row = tx_step(tx, st, err);
    if (row > 0)
        read_collection(st, out);
    sqlite3_reset(st);
    if (row == 0)
        return err_set(err, CAUSE_NOT_FOUND, "there is no collection '%s'", name);
    return row < 0 ? -1 : 0;
}

int tx_collections(struct tx *tx, struct collection **out, size_t *count, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx, "SELECT id, name, list, query FROM collections ORDER BY name COLLATE natural_order", err);
    int row;

    *out = NULL;
    *count = 0;
    if (!st)
        return -1;
    while ((row = tx_step(tx, st, err)) > 0) {
        *out = xreallocarray(*out, *count + 1, sizeof(**out));
        read_collection(st, &(*out)[(*count)++]);
    }
    return row;
}

int tx_host_at(struct tx *tx, const char *address, int64_t but, char **name, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx, "SELECT name FROM hosts WHERE ifnull(address, name) = ?1 AND id <> ?2 ORDER BY id LIMIT 1", err);
    int row;

    *name = NULL;
    if (!st)
        return -1;
    bind_text(st, 1, address);
    sqlite3_bind_int64(st, 2, but);
    row = tx_step(tx, st, err);
    if (row > 0)
        *name = column_text(st, 0);
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}
