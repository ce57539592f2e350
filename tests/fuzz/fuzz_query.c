/* Queries: what parses compiles to SQL that SQLite takes, with nothing of the text in it. */
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>

#include "amtd/store/internal.h"
#include "base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sqlite3 *db;

static void open_db(void)
{
    if (db)
        return;
    if (sqlite3_open(":memory:", &db) != SQLITE_OK ||
        sqlite3_exec(db,
                     "CREATE TABLE hosts (id INTEGER PRIMARY KEY, name TEXT, address TEXT, profile TEXT);"
                     "CREATE TABLE tags (host INTEGER, name TEXT, value TEXT);"
                     "CREATE TABLE facts (host INTEGER, name TEXT, value TEXT);"
                     "CREATE TABLE inventory_facts (host INTEGER, name TEXT, value TEXT);",
                     NULL, NULL, NULL) != SQLITE_OK)
        abort();
}

static void compare(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    (void)argc;
    (void)argv;
    sqlite3_result_int(ctx, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xstrndup((const char *)data, size);
    struct query *query = query_parse(text, NULL);
    struct sql_values *values = xcalloc(1, sizeof(*values));
    struct buf sql = buf_init(1 << 20);
    sqlite3_stmt *st = NULL;

    open_db();
    sqlite3_create_function(db, "amtd_compare", 2, SQLITE_UTF8, NULL, compare, NULL, NULL);
    buf_puts(&sql, "SELECT h.id FROM hosts h WHERE ");
    if (query && query_sql(query_root(query), &sql, values, NULL) == 0 && buf_ok(&sql)) {
        if (sqlite3_prepare_v2(db, buf_str(&sql), -1, &st, NULL) != SQLITE_OK)
            abort();
        if ((size_t)sqlite3_bind_parameter_count(st) != values->count)
            abort();
        sqlite3_finalize(st);
    }
    buf_free(&sql);
    free(values);
    query_free(query);
    free(text);
    return 0;
}
