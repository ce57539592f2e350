/* The database itself: opening, schema and migrations, statements. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>

#include "amtd/store/internal.h"
#include "amtd/store/schema.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

struct statement {
    const char *sql;
    sqlite3_stmt *st;
    UT_hash_handle hh;
};

/* Version n of the schema is reached by running the first n files of the directory schema. */
#define SCHEMA_VERSION ((int)schema_files_count)

int tx_fail(struct tx *tx, const char *what, struct err *err)
{
    err_set(err, CAUSE_STORE_FAILED, "%s: %s", what, tx->db ? sqlite3_errmsg(tx->db) : "not open");
    return err_code(err, "SQLite %d", tx->db ? sqlite3_extended_errcode(tx->db) : 0);
}

int tx_exec(struct tx *tx, const char *sql, struct err *err)
{
    return sqlite3_exec(tx->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : tx_fail(tx, "database", err);
}

sqlite3_stmt *tx_prepare(struct tx *tx, const char *sql, struct err *err)
{
    struct statement *s;

    HASH_FIND_PTR(tx->cache, &sql, s);
    if (!s) {
        sqlite3_stmt *st;

        if (sqlite3_prepare_v3(tx->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK) {
            tx_fail(tx, "database", err);
            return NULL;
        }
        s = xcalloc(1, sizeof(*s));
        s->sql = sql;
        s->st = st;
        HASH_ADD_PTR(tx->cache, sql, s);
    }
    sqlite3_reset(s->st);
    sqlite3_clear_bindings(s->st);
    return s->st;
}

int tx_step(struct tx *tx, sqlite3_stmt *st, struct err *err)
{
    int status = sqlite3_step(st);

    if (status == SQLITE_ROW)
        return 1;
    if (status == SQLITE_DONE) {
        sqlite3_reset(st);
        return 0;
    }
    tx_fail(tx, "database", err);
    sqlite3_reset(st);
    return -1;
}

int tx_rows(struct tx *tx, sqlite3_stmt *st, size_t size, take_row *take, void *arg, void **rows,
            size_t *count, struct err *err)
{
    size_t room = 0;
    int row;

    *rows = NULL;
    *count = 0;
    if (!st)
        return -1;
    while ((row = tx_step(tx, st, err)) > 0) {
        void *at;

        if (*count == room) {
            room = room > 0 ? room * 2 : 16;
            *rows = xreallocarray(*rows, room, size);
        }
        at = (char *)*rows + (*count)++ * size;
        memset(at, 0, size);
        take(tx, st, at, arg);
    }
    return row;
}

int tx_run_statement(struct tx *tx, sqlite3_stmt *st, struct err *err)
{
    int status = tx_step(tx, st, err);

    sqlite3_reset(st);
    return status < 0 ? -1 : 0;
}

void bind_text(sqlite3_stmt *st, int i, const char *text)
{
    if (text)
        sqlite3_bind_text(st, i, text, -1, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(st, i);
}

char *column_text(sqlite3_stmt *st, int i)
{
    return xstrdup((const char *)sqlite3_column_text(st, i));
}

char *column_borrowed(sqlite3_stmt *st, int i)
{
    return (char *)sqlite3_column_text(st, i);
}

/* --- natural order and versions, for ORDER BY and < --- */

static int collate_natural(void *arg, int na, const void *a, int nb, const void *b)
{
    char left[HOSTLIST_NAME_MAX + 1], right[HOSTLIST_NAME_MAX + 1];
    size_t ka = (size_t)na < sizeof(left) ? (size_t)na : sizeof(left) - 1;
    size_t kb = (size_t)nb < sizeof(right) ? (size_t)nb : sizeof(right) - 1;

    (void)arg;
    memcpy(left, a, ka);
    memcpy(right, b, kb);
    left[ka] = right[kb] = '\0';
    return hostlist_compare_names(left, right);
}

static bool is_version(const char *s)
{
    return s[0] >= '0' && s[0] <= '9';
}

/* Whether the folded names have this one. */
static void sql_among(sqlite3_context *context, int count, sqlite3_value **values)
{
    const char *folded = (const char *)sqlite3_value_text(values[0]);
    const char *name = (const char *)sqlite3_value_text(values[1]);
    size_t letters = name ? strcspn(name, "0123456789") : 0;
    struct hostlist *list = NULL;

    (void)count;
    /* mostly it is of other hosts, and that is seen without taking the list apart */
    if (folded && name && memmem(folded, strlen(folded), name, letters))
        list = hostlist_parse(folded, NULL);
    sqlite3_result_int(context, list && hostlist_contains(list, name));
    hostlist_free(list);
}

/* amtd_compare(a, b): versions and numbers by number, other text by letter. */
static void sql_compare(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    const char *a = (const char *)sqlite3_value_text(argv[0]);
    const char *b = (const char *)sqlite3_value_text(argv[1]);
    int order;

    (void)argc;
    if (!a || !b) {
        sqlite3_result_null(ctx);
        return;
    }
    order = is_version(a) && is_version(b) ? text_version_compare(a, b) : strcmp(a, b);
    sqlite3_result_int(ctx, (order > 0) - (order < 0));
}

/* --- opening --- */

static int schema_version(struct tx *tx, int *version, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "PRAGMA user_version", err);

    if (!st || tx_step(tx, st, err) < 0)
        return -1;
    *version = sqlite3_column_int(st, 0);
    sqlite3_reset(st);
    return 0;
}

static int migrate(struct tx *tx, struct err *err)
{
    int version = 0;

    if (schema_version(tx, &version, err) != 0)
        return -1;
    if (version > SCHEMA_VERSION)
        return err_set(err, CAUSE_STORE_FAILED,
                       "the database has schema %d, made by a newer amtd; this one knows %d", version,
                       SCHEMA_VERSION);
    if (version > 0 && version < SCHEMA_VERSION)
        log_info(NULL, "the database has schema %d and is brought to %d: of a large one this takes minutes",
                 version, SCHEMA_VERSION);
    for (; version < SCHEMA_VERSION; version++) {
        char pragma[40];

        sqlite3_snprintf(sizeof(pragma), pragma, "PRAGMA user_version = %d", version + 1);
        if (tx_exec(tx, "BEGIN IMMEDIATE", err) != 0)
            return -1;
        if (tx_exec(tx, schema_files[version], err) != 0 || tx_exec(tx, pragma, err) != 0 ||
            tx_exec(tx, "COMMIT", err) != 0) {
            sqlite3_exec(tx->db, "ROLLBACK", NULL, NULL, NULL);
            return -1;
        }
    }
    return 0;
}

int tx_open(struct tx *tx, const char *path, const struct seal *seal, struct err *err)
{
    mode_t mask = umask(077);
    int status;

    memset(tx, 0, sizeof(*tx));
    tx->seal = seal;
    /* Its statistics of memory, which nobody reads, take a lock with every allocation. In vain, and no harm,
     * when the library is in use already. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    status = sqlite3_open_v2(path, &tx->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                             NULL);
    umask(mask);
    if (status != SQLITE_OK || sqlite3_busy_timeout(tx->db, 5000) != SQLITE_OK ||
        tx_exec(tx,
                "PRAGMA auto_vacuum = INCREMENTAL;" /* of a new one: what the purge frees is given back */
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                "PRAGMA temp_store = MEMORY; CREATE TEMP TABLE chosen (id INTEGER PRIMARY KEY)",
                err) != 0 ||
        sqlite3_create_collation(tx->db, "natural_order", SQLITE_UTF8, NULL, collate_natural) != SQLITE_OK ||
        sqlite3_create_function(tx->db, "amtd_compare", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                sql_compare, NULL, NULL) != SQLITE_OK ||
        sqlite3_create_function(tx->db, "amtd_among", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, sql_among,
                                NULL, NULL) != SQLITE_OK ||
        migrate(tx, err) != 0) {
        if (err->cause == CAUSE_NONE)
            tx_fail(tx, path, err);
        err_context(err, "%s", path);
        tx_close(tx);
        return -1;
    }
    return 0;
}

void tx_close(struct tx *tx)
{
    struct statement *s, *next;

    HASH_ITER(hh, tx->cache, s, next)
    {
        HASH_DEL(tx->cache, s);
        sqlite3_finalize(s->st);
        free(s);
    }
    sqlite3_close(tx->db);
    tx->db = NULL;
}
