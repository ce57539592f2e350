/* Targets: what a command accepts, turned into hosts. The hosts are gathered in the temporary table `chosen`,
 * those that are taken away in a second pass. */
#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"
#include "base/xalloc.h"

#define QUERY_SQL_MAX (1 << 20)

struct target {
    struct tx *tx;
    struct hostlist *missing; /* names that are not there */
    bool take_away;
};

static int choose_name(struct target *t, const char *name, struct err *err)
{
    sqlite3_stmt *find = tx_prepare(t->tx, "SELECT id FROM hosts WHERE name = ?1", err);
    sqlite3_stmt *st;
    int64_t id;
    int row;

    if (!find)
        return -1;
    bind_text(find, 1, name);
    row = tx_step(t->tx, find, err);
    id = row > 0 ? sqlite3_column_int64(find, 0) : 0;
    sqlite3_reset(find);
    if (row < 0)
        return -1;
    if (row == 0 || !tx_sees(t->tx, name)) /* what is not there can be taken away all the same */
        return t->take_away ? 0 : hostlist_add(t->missing, name, err);
    st = tx_prepare(
        t->tx, t->take_away ? "DELETE FROM chosen WHERE id = ?1" : "INSERT OR IGNORE INTO chosen VALUES (?1)",
        err);
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    return tx_run_statement(t->tx, st, err);
}

static int choose_list(struct target *t, const char *text, struct err *err)
{
    struct hostlist *list = hostlist_parse(text, err);
    int status = list ? 0 : -1;

    for (size_t i = 0; list && status == 0 && i < hostlist_count(list); i++)
        status = choose_name(t, hostlist_name(list, i), err);
    hostlist_free(list);
    return status;
}

/* SQL made for one query is not worth keeping prepared. */
static int run_query(struct target *t, const char *sql, const struct sql_values *values, struct err *err)
{
    sqlite3_stmt *st;
    int status;

    if (sqlite3_prepare_v2(t->tx->db, sql, -1, &st, NULL) != SQLITE_OK)
        return tx_fail(t->tx, "query", err);
    for (size_t i = 0; i < values->count; i++)
        bind_text(st, (int)i + 1, values->items[i]);
    status = tx_run_statement(t->tx, st, err);
    sqlite3_finalize(st);
    return status;
}

static int choose_query(struct target *t, const struct query *query, struct err *err)
{
    struct buf sql = buf_init(QUERY_SQL_MAX);
    struct sql_values *values = xcalloc(1, sizeof(*values));
    int status;

    buf_puts(&sql, t->take_away ? "DELETE FROM chosen WHERE id IN (SELECT h.id FROM hosts h WHERE "
                                : "INSERT OR IGNORE INTO chosen SELECT h.id FROM hosts h WHERE ");
    status = query_sql(query_root(query), &sql, values, err);
    if (t->take_away)
        buf_puts(&sql, ")");
    if (status == 0 && !buf_ok(&sql))
        status = err_set(err, CAUSE_INVALID_ARGUMENT, "the query is too long");
    if (status == 0)
        status = run_query(t, buf_str(&sql), values, err);
    free(values);
    buf_free(&sql);
    return status;
}

static int choose_where(struct target *t, const char *text, struct err *err)
{
    struct query *query = query_parse(text, err);
    int status = query ? choose_query(t, query, err) : -1;

    query_free(query);
    return status;
}

static int choose_collection(struct target *t, const char *name, struct err *err)
{
    struct collection c;
    int status;

    if (tx_collection_get(t->tx, name, &c, err) != 0)
        return -1;
    if (c.where) {
        status = choose_where(t, c.where, err);
    } else { /* hosts removed since are no mistake of whoever uses the collection now */
        struct hostlist *kept = t->missing;

        t->missing = hostlist_new();
        status = choose_list(t, c.list, err);
        hostlist_free(t->missing);
        t->missing = kept;
    }
    collection_clear(&c);
    return status;
}

static const char all[] = "all", where[] = "where:";

bool target_has_word(const char *name)
{
    return strcmp(name, all) == 0 || strncmp(name, where, strlen(where)) == 0;
}

static int choose_item(struct target *t, const char *item, struct err *err)
{
    t->take_away = item[0] == '!' || item[0] == '-';
    if (t->take_away)
        item++;
    if (item[0] == '@')
        return choose_collection(t, item + 1, err);
    if (strncmp(item, where, strlen(where)) == 0)
        return choose_where(t, item + strlen(where), err);
    if (strcmp(item, all) == 0)
        return tx_exec(
            t->tx, t->take_away ? "DELETE FROM chosen" : "INSERT OR IGNORE INTO chosen SELECT id FROM hosts",
            err);
    return choose_list(t, item, err);
}

/* The end of an item: a comma outside of brackets and quotes. A query takes in everything behind it. */
static size_t item_length(const char *p)
{
    const char *body = p + (p[0] == '!' || p[0] == '-');
    size_t n;
    bool inside = false;

    if (strncmp(body, where, strlen(where)) == 0)
        return strlen(p);
    for (n = 0; p[n] && (inside || p[n] != ','); n++)
        inside = p[n] == '[' ? true : p[n] == ']' ? false : inside;
    return n;
}

/* Two passes, because what is taken away is taken from all, wherever it stands. */
static int choose_pass(struct target *t, const char *target, bool take_away, struct err *err)
{
    int status = 0;

    while (*target && status == 0) {
        size_t blanks = strspn(target, " \t\n,");
        size_t n;
        char *item;

        target += blanks;
        n = item_length(target);
        if (n == 0)
            break;
        if ((target[0] == '!' || target[0] == '-') == take_away) {
            item = xstrndup(target, n);
            for (char *end = item + n; end > item && strchr(" \t\n", end[-1]); *--end = '\0')
                ;
            status = choose_item(t, item, err);
            free(item);
        }
        target += n;
    }
    return status;
}

static int complain_missing(const struct target *t, struct err *err)
{
    struct buf names = buf_init(1 << 20);

    if (hostlist_count(t->missing) == 0)
        return 0;
    hostlist_fold(t->missing, &names);
    err_set(err, CAUSE_NOT_FOUND, "there is no host %s", buf_str(&names));
    buf_free(&names);
    return -1;
}

static int target_hosts(struct tx *tx, const char *target,
                        int (*load)(struct tx *tx, struct hosts *out, struct err *err), struct hosts *out,
                        struct err *err)
{
    struct target t = {tx, hostlist_new(), false};
    int status = -1;

    memset(out, 0, sizeof(*out));
    if (target[strspn(target, " \t\n,")] == '\0')
        err_set(err, CAUSE_INVALID_ARGUMENT,
                "the target is empty: expected a host, a range, @collection or all");
    else if (tx_exec(tx, "DELETE FROM chosen", err) == 0 && choose_pass(&t, target, false, err) == 0 &&
             choose_pass(&t, target, true, err) == 0 && complain_missing(&t, err) == 0 &&
             load(tx, out, err) == 0)
        status = tx_see(tx, out, err);
    hostlist_free(t.missing);
    return status;
}

int tx_target(struct tx *tx, const char *target, struct hosts *out, struct err *err)
{
    return target_hosts(tx, target, tx_load_chosen, out, err);
}

int tx_target_bare(struct tx *tx, const char *target, struct hosts *out, struct err *err)
{
    return target_hosts(tx, target, tx_load_chosen_bare, out, err);
}

int tx_target_ids(struct tx *tx, const char *target, int64_t **ids, size_t *count, struct err *err)
{
    struct hosts hosts;

    *ids = NULL;
    *count = 0;
    if (tx_target_bare(tx, target, &hosts, err) != 0)
        return -1;
    *ids = xcalloc(hosts.count + 1, sizeof(**ids));
    for (size_t i = 0; i < hosts.count; i++)
        (*ids)[(*count)++] = hosts.items[i].id;
    hosts_clear(&hosts);
    return 0;
}

int tx_choose(struct tx *tx, const char *target, size_t *count, struct err *err)
{
    int64_t *ids;
    int status;

    if (tx_target_ids(tx, target, &ids, count, err) != 0)
        return -1;
    status = tx_exec(tx, "DELETE FROM chosen", err); /* it has those, too, that the actor does not see */
    for (size_t i = 0; status == 0 && i < *count; i++) {
        sqlite3_stmt *st = tx_prepare(tx, "INSERT INTO chosen VALUES (?1)", err);

        status = st ? 0 : -1;
        if (st) {
            sqlite3_bind_int64(st, 1, ids[i]);
            status = tx_run_statement(tx, st, err);
        }
    }
    free(ids);
    return status;
}

/* The query, of one host only. */
static int matches(struct tx *tx, const char *text, const struct host *host, bool *in, struct err *err)
{
    struct query *query = query_parse(text, err);
    struct buf sql = buf_init(QUERY_SQL_MAX);
    struct sql_values *values = xcalloc(1, sizeof(*values));
    sqlite3_stmt *st = NULL;
    int status = query ? 0 : -1;

    buf_printf(&sql, "SELECT 1 FROM hosts h WHERE h.id = %lld AND (", (long long)host->id);
    if (status == 0)
        status = query_sql(query_root(query), &sql, values, err);
    buf_puts(&sql, ")");
    if (status == 0 && sqlite3_prepare_v2(tx->db, buf_str(&sql), -1, &st, NULL) != SQLITE_OK)
        status = tx_fail(tx, "query", err);
    for (size_t i = 0; status == 0 && i < values->count; i++)
        bind_text(st, (int)i + 1, values->items[i]);
    if (status == 0)
        status = tx_step(tx, st, err);
    *in = status > 0;
    sqlite3_finalize(st);
    free(values);
    buf_free(&sql);
    query_free(query);
    return status < 0 ? -1 : 0;
}

int tx_in_collection(struct tx *tx, const char *collection, const struct host *host, bool *in,
                     struct err *err)
{
    struct collection c;
    struct hostlist *list;
    int status = tx_collection_get(tx, collection, &c, err);

    *in = false;
    if (status != 0)
        return -1;
    if (c.where) {
        status = matches(tx, c.where, host, in, err);
    } else {
        list = hostlist_parse(c.list, err);
        *in = list && hostlist_contains(list, host->name);
        status = list ? 0 : -1;
        hostlist_free(list);
    }
    collection_clear(&c);
    return status;
}

int tx_query(struct tx *tx, const struct query *query, struct hosts *out, struct err *err)
{
    struct target t = {tx, NULL, false};

    memset(out, 0, sizeof(*out));
    if (tx_exec(tx, "DELETE FROM chosen", err) != 0 || choose_query(&t, query, err) != 0)
        return -1;
    return tx_load_chosen(tx, out, err) == 0 ? tx_see(tx, out, err) : -1;
}
