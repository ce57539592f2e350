/* The database itself: opening, schema and migrations, statements. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>

#include "amtd/fleet/store_internal.h"
#include "base/text.h"
#include "base/xalloc.h"

struct statement {
    const char *sql;
    sqlite3_stmt *st;
    UT_hash_handle hh;
};

/* Version n of the schema is reached by running the first n of these. Never change one that was released. */
static const char *const migrations[] = {
    "CREATE TABLE profiles ("
    " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, position INTEGER NOT NULL, auth INTEGER NOT NULL,"
    " user TEXT, password BLOB, ccache TEXT, tls INTEGER NOT NULL, ca_file TEXT, client_cert_file TEXT,"
    " client_key_file TEXT, old_tls INTEGER NOT NULL, port INTEGER NOT NULL, connect_ms INTEGER NOT NULL,"
    " request_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE hosts ("
    " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, address TEXT,"
    " profile TEXT REFERENCES profiles(name)) STRICT;"
    "CREATE INDEX hosts_profile ON hosts(profile);"
    "CREATE TABLE tags (host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE, name TEXT NOT NULL,"
    " value TEXT NOT NULL, PRIMARY KEY (host, name)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX tags_value ON tags(name, value);"
    "CREATE TABLE facts (host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE, name TEXT NOT NULL,"
    " value TEXT NOT NULL, PRIMARY KEY (host, name)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE collections (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, list TEXT, query TEXT,"
    " CHECK ((list IS NULL) <> (query IS NULL))) STRICT;"
    "CREATE TABLE runs (id INTEGER PRIMARY KEY AUTOINCREMENT, task TEXT NOT NULL, args TEXT NOT NULL,"
    " target TEXT NOT NULL, who TEXT NOT NULL, began INTEGER NOT NULL, ended INTEGER NOT NULL DEFAULT 0,"
    " hosts INTEGER NOT NULL, ok INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE operations (id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs(id) ON DELETE "
    "CASCADE,"
    " host INTEGER NOT NULL, name TEXT NOT NULL, state INTEGER NOT NULL, began INTEGER NOT NULL DEFAULT 0,"
    " ended INTEGER NOT NULL DEFAULT 0, power_from TEXT, power_to TEXT, tries INTEGER NOT NULL DEFAULT 0,"
    " cause TEXT, code TEXT, message TEXT, detail TEXT) STRICT;"
    "CREATE INDEX operations_run ON operations(run);"
    "CREATE INDEX operations_open ON operations(state) WHERE state < 2;"
    "CREATE TABLE activity (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL,"
    " by TEXT NOT NULL, what TEXT NOT NULL, target TEXT, result TEXT NOT NULL, detail TEXT, run INTEGER) "
    "STRICT;"
    "CREATE INDEX activity_at ON activity(at);",
    "CREATE TABLE filters (host INTEGER PRIMARY KEY REFERENCES hosts(id) ON DELETE CASCADE, objects TEXT NOT "
    "NULL,"
    " before TEXT, who TEXT NOT NULL, since INTEGER NOT NULL, run INTEGER NOT NULL, confirm_wall INTEGER NOT "
    "NULL,"
    " confirm_up INTEGER NOT NULL, confirm_boot TEXT NOT NULL, until_wall INTEGER NOT NULL, until_up INTEGER "
    "NOT NULL,"
    " until_boot TEXT NOT NULL) STRICT;"
    "CREATE TABLE filter_claims (host INTEGER PRIMARY KEY REFERENCES hosts(id) ON DELETE CASCADE, run "
    "INTEGER NOT NULL,"
    " who TEXT NOT NULL, what TEXT NOT NULL, since INTEGER NOT NULL, journal TEXT, next_wall INTEGER NOT "
    "NULL DEFAULT 0,"
    " next_up INTEGER NOT NULL DEFAULT 0, next_boot TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL DEFAULT "
    "0) STRICT;"
    "CREATE TABLE filter_tried (hash TEXT NOT NULL, generation INTEGER NOT NULL, PRIMARY KEY (hash, "
    "generation)) STRICT,"
    " WITHOUT ROWID;",
    "ALTER TABLE profiles ADD COLUMN clear_text INTEGER NOT NULL DEFAULT 0;",
    "CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL,"
    " severity INTEGER NOT NULL, host TEXT, console TEXT, guarded INTEGER NOT NULL, text TEXT NOT NULL, data "
    "TEXT,"
    " bytes INTEGER NOT NULL) STRICT;"
    "CREATE INDEX events_at ON events(at);",
    "CREATE TABLE passwords (id INTEGER PRIMARY KEY AUTOINCREMENT, host INTEGER NOT NULL, name TEXT NOT NULL,"
    " user TEXT NOT NULL, state INTEGER NOT NULL, password BLOB NOT NULL, at INTEGER NOT NULL, run INTEGER "
    "NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX passwords_one ON passwords(host, user, state) WHERE state < 2;"
    "CREATE INDEX passwords_name ON passwords(name);"
    "CREATE TRIGGER passwords_stay AFTER DELETE ON hosts BEGIN"
    " UPDATE passwords SET host = 0, state = 2 WHERE host = old.id; END;",
    "CREATE TABLE alert_base (id INTEGER PRIMARY KEY CHECK (id = 1), url TEXT) STRICT;"
    "CREATE TABLE alert_hosts (host INTEGER PRIMARY KEY REFERENCES hosts(id) ON DELETE CASCADE, token TEXT "
    "NOT "
    "NULL UNIQUE, checked INTEGER NOT NULL) STRICT;",
    "CREATE TABLE sweeps (id INTEGER PRIMARY KEY AUTOINCREMENT, words TEXT NOT NULL, search TEXT NOT NULL,"
    " who TEXT NOT NULL, began INTEGER NOT NULL, ended INTEGER NOT NULL DEFAULT 0, state INTEGER NOT NULL "
    "DEFAULT 0,"
    " addresses INTEGER NOT NULL, cursor INTEGER NOT NULL DEFAULT 0, kinds BLOB) STRICT;"
    "CREATE TABLE sweep_found (sweep INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE, address "
    "INTEGER "
    "NOT NULL,"
    " kind INTEGER NOT NULL, realm TEXT, detail TEXT NOT NULL, host TEXT, outcome TEXT, PRIMARY KEY (sweep, "
    "address)) STRICT, WITHOUT ROWID;",
    "CREATE TABLE peers (kind INTEGER NOT NULL, name TEXT NOT NULL, pin BLOB NOT NULL, user TEXT, role "
    "INTEGER "
    "NOT NULL,"
    " host TEXT, port INTEGER NOT NULL, configures INTEGER NOT NULL, consoles TEXT, added INTEGER NOT NULL,"
    " PRIMARY KEY (kind, name)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE invites (id BLOB PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, secret BLOB NOT "
    "NULL,"
    " user TEXT, role INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
    "CREATE TABLE inventory (host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE, version INTEGER "
    "NOT "
    "NULL,"
    " since INTEGER NOT NULL, seen INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (host, version)) "
    "STRICT, "
    "WITHOUT ROWID;"
    "CREATE TABLE inventory_facts (host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE, name TEXT "
    "NOT "
    "NULL,"
    " value TEXT NOT NULL, PRIMARY KEY (host, name)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE device_log (id INTEGER PRIMARY KEY AUTOINCREMENT, host INTEGER NOT NULL REFERENCES "
    "hosts(id) "
    "ON DELETE CASCADE,"
    " kind INTEGER NOT NULL, at INTEGER NOT NULL, severity TEXT, source TEXT, text TEXT NOT NULL, who TEXT,"
    " address TEXT, raw BLOB NOT NULL) STRICT;"
    "CREATE INDEX device_log_host ON device_log(host, kind, id);"
    "CREATE TABLE device_log_read (host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE, kind "
    "INTEGER "
    "NOT NULL,"
    " place INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (host, kind)) STRICT, WITHOUT ROWID;",
    "CREATE TABLE grants (is_group INTEGER NOT NULL, name TEXT NOT NULL, role INTEGER NOT NULL,"
    " collection TEXT REFERENCES collections(name)) STRICT;"
    "CREATE INDEX grants_collection ON grants(collection);",
    "CREATE TABLE logins (name TEXT PRIMARY KEY, user TEXT NOT NULL, password BLOB NOT NULL) STRICT;",
    "CREATE TABLE jobs (run INTEGER PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE, name TEXT NOT NULL, "
    "hash "
    "TEXT NOT NULL,"
    " text TEXT NOT NULL, files TEXT NOT NULL, settings TEXT NOT NULL, hosts TEXT NOT NULL, schedule TEXT,"
    " uid INTEGER NOT NULL, retry_of INTEGER NOT NULL, state INTEGER NOT NULL) STRICT;"
    "CREATE INDEX jobs_open ON jobs(run) WHERE state < 3;"
    "CREATE INDEX jobs_name ON jobs(name);"
    "CREATE TABLE job_results (run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, host INTEGER NOT "
    "NULL,"
    " task INTEGER NOT NULL, label TEXT NOT NULL, kind TEXT NOT NULL, skipped INTEGER NOT NULL, state "
    "INTEGER "
    "NOT NULL,"
    " began INTEGER NOT NULL, ended INTEGER NOT NULL, power_from TEXT, power_to TEXT, tries INTEGER NOT NULL,"
    " cause TEXT, code TEXT, message TEXT, detail TEXT, PRIMARY KEY (run, host, task)) STRICT, WITHOUT "
    "ROWID;",
    "CREATE TABLE schedules (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, cron TEXT, every INTEGER NOT "
    "NULL,"
    " zone TEXT NOT NULL, window TEXT, catch_up INTEGER NOT NULL, enabled INTEGER NOT NULL, job TEXT NOT "
    "NULL,"
    " text TEXT NOT NULL, files TEXT NOT NULL, target TEXT NOT NULL, settings TEXT NOT NULL, who TEXT NOT "
    "NULL,"
    " uid INTEGER NOT NULL, created INTEGER NOT NULL, last INTEGER NOT NULL, last_run INTEGER NOT NULL "
    "DEFAULT 0,"
    " last_note TEXT) STRICT;",
    "ALTER TABLE activity ADD COLUMN hosts TEXT; ALTER TABLE activity ADD COLUMN key TEXT;"
    "ALTER TABLE activity ADD COLUMN previous BLOB; ALTER TABLE activity ADD COLUMN hash BLOB;"
    "ALTER TABLE activity ADD COLUMN signature BLOB;"
    "CREATE TABLE activity_head (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL, hash BLOB NOT"
    " NULL, signature BLOB NOT NULL) STRICT;"
    "CREATE TRIGGER activity_stays BEFORE DELETE ON activity BEGIN"
    " SELECT RAISE(ABORT, 'the activity log is append-only'); END;"
    "CREATE TRIGGER activity_stands BEFORE UPDATE ON activity WHEN old.hash IS NOT NULL BEGIN"
    " SELECT RAISE(ABORT, 'the activity log is append-only'); END;",
    "ALTER TABLE jobs ADD COLUMN reaction TEXT; ALTER TABLE jobs ADD COLUMN event TEXT;",
    /* a row for each owner of a policy (enum sd_owner); so far there were a console's only */
    "CREATE TABLE filters_by_owner (host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE, owner "
    "INTEGER NOT NULL,"
    " objects TEXT NOT NULL, before TEXT, who TEXT NOT NULL, since INTEGER NOT NULL, run INTEGER NOT NULL,"
    " confirm_wall INTEGER NOT NULL, confirm_up INTEGER NOT NULL, confirm_boot TEXT NOT NULL, until_wall "
    "INTEGER NOT NULL,"
    " until_up INTEGER NOT NULL, until_boot TEXT NOT NULL, PRIMARY KEY (host, owner)) STRICT;"
    "INSERT INTO filters_by_owner SELECT host, 0, objects, before, who, since, run, confirm_wall, "
    "confirm_up,"
    " confirm_boot, until_wall, until_up, until_boot FROM filters;"
    "DROP TABLE filters; ALTER TABLE filters_by_owner RENAME TO filters;",
    "ALTER TABLE alert_base ADD COLUMN traps TEXT;",
    "CREATE TABLE activity_anchor (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL, hash BLOB "
    "NOT"
    " NULL, count INTEGER NOT NULL, from_at INTEGER NOT NULL, to_at INTEGER NOT NULL, signature BLOB NOT "
    "NULL)"
    " STRICT;"
    "DROP TRIGGER activity_stays;"
    "CREATE TRIGGER activity_stays BEFORE DELETE ON activity WHEN old.id > ifnull((SELECT id FROM"
    " activity_anchor), 0) BEGIN SELECT RAISE(ABORT, 'the activity log is append-only'); END;"
    "CREATE TABLE purge_last (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL, report TEXT NOT"
    " NULL) STRICT;"
    "ALTER TABLE device_log ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;"
    "UPDATE device_log SET kept = unixepoch() * 1000;",
    "CREATE TABLE declarations (collection TEXT PRIMARY KEY REFERENCES collections(name) ON DELETE CASCADE,"
    " name TEXT NOT NULL, text TEXT NOT NULL, hash TEXT NOT NULL, who TEXT NOT NULL, version INTEGER NOT"
    " NULL, since INTEGER NOT NULL) STRICT;",
    "ALTER TABLE jobs ADD COLUMN held INTEGER NOT NULL DEFAULT 0;",
    "ALTER TABLE schedules ADD COLUMN discover TEXT;"
    "ALTER TABLE schedules ADD COLUMN last_sweep INTEGER NOT NULL DEFAULT 0;",
    "ALTER TABLE passwords ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;",
};
#define SCHEMA_VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))

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
    for (; version < SCHEMA_VERSION; version++) {
        char pragma[40];

        sqlite3_snprintf(sizeof(pragma), pragma, "PRAGMA user_version = %d", version + 1);
        if (tx_exec(tx, "BEGIN IMMEDIATE", err) != 0)
            return -1;
        if (tx_exec(tx, migrations[version], err) != 0 || tx_exec(tx, pragma, err) != 0 ||
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
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                "PRAGMA temp_store = MEMORY; CREATE TEMP TABLE chosen (id INTEGER PRIMARY KEY)",
                err) != 0 ||
        sqlite3_create_collation(tx->db, "natural_order", SQLITE_UTF8, NULL, collate_natural) != SQLITE_OK ||
        sqlite3_create_function(tx->db, "amtd_compare", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                sql_compare, NULL, NULL) != SQLITE_OK ||
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
