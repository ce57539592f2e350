/* Runs and their operations. */
#include <stdlib.h>
#include <string.h>

#include "amtd/store/filters.h"
#include "amtd/store/internal.h"
#include "base/hostlist.h"
#include "base/xalloc.h"

static int insert_run(struct tx *tx, struct run *run, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx, "INSERT INTO runs(task, args, target, who, began, hosts) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", err);

    if (!st)
        return -1;
    bind_text(st, 1, run->task);
    bind_text(st, 2, run->args);
    bind_text(st, 3, run->target);
    bind_text(st, 4, run->who);
    sqlite3_bind_int64(st, 5, run->began_ms);
    sqlite3_bind_int64(st, 6, run->hosts);
    if (tx_run_statement(tx, st, err) != 0)
        return -1;
    run->id = sqlite3_last_insert_rowid(tx->db);
    return 0;
}

int tx_operations_add(struct tx *tx, const struct run *run, struct operation *operations, size_t count,
                      struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        sqlite3_stmt *st =
            tx_prepare(tx, "INSERT INTO operations(run, host, name, state) VALUES (?1, ?2, ?3, ?4)", err);

        if (!st)
            return -1;
        sqlite3_bind_int64(st, 1, run->id);
        sqlite3_bind_int64(st, 2, operations[i].host_id);
        bind_text(st, 3, operations[i].host);
        sqlite3_bind_int(st, 4, OPERATION_WAITING);
        if (tx_run_statement(tx, st, err) != 0)
            return -1;
        operations[i].id = sqlite3_last_insert_rowid(tx->db);
        operations[i].run_id = run->id;
    }
    return 0;
}

int tx_run_add(struct tx *tx, struct run *run, struct operation *operations, size_t count, struct err *err)
{
    return insert_run(tx, run, err) == 0 ? tx_operations_add(tx, run, operations, count, err) : -1;
}

int tx_operation_start(struct tx *tx, int64_t id, int64_t at_ms, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "UPDATE operations SET state = ?2, began = ?3 WHERE id = ?1", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    sqlite3_bind_int(st, 2, OPERATION_STARTED);
    sqlite3_bind_int64(st, 3, at_ms);
    return tx_run_statement(tx, st, err);
}

static int count_in_run(struct tx *tx, const struct operation *operation, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx,
                   operation->state == OPERATION_OK ? "UPDATE runs SET ok = ok + 1 WHERE id = ?1"
                                                    : "UPDATE runs SET failed = failed + 1 WHERE id = ?1",
                   err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, operation->run_id);
    return tx_run_statement(tx, st, err);
}

int tx_operation_end(struct tx *tx, const struct operation *operation, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx,
                   "UPDATE operations SET state = ?2, began = ?3, ended = ?4, power_from = ?5,"
                   " power_to = ?6, tries = ?7, cause = ?8, code = ?9, message = ?10, detail = ?11"
                   " WHERE id = ?1",
                   err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, operation->id);
    sqlite3_bind_int(st, 2, (int)operation->state);
    sqlite3_bind_int64(st, 3, operation->began_ms);
    sqlite3_bind_int64(st, 4, operation->ended_ms);
    bind_text(st, 5, operation->from);
    bind_text(st, 6, operation->to);
    sqlite3_bind_int64(st, 7, operation->tries);
    bind_text(st, 8, operation->cause);
    bind_text(st, 9, operation->code);
    bind_text(st, 10, operation->message);
    bind_text(st, 11, operation->detail);
    return tx_run_statement(tx, st, err) == 0 ? count_in_run(tx, operation, err) : -1;
}

int tx_run_end(struct tx *tx, int64_t run_id, int64_t at_ms, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "UPDATE runs SET ended = ?2 WHERE id = ?1", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, run_id);
    sqlite3_bind_int64(st, 2, at_ms);
    return tx_run_statement(tx, st, err);
}

/* --- reading --- */

#define RUN_COLUMNS "id, task, args, target, who, began, ended, hosts, ok, failed"

static void read_run(sqlite3_stmt *st, struct run *run)
{
    run->id = sqlite3_column_int64(st, 0);
    run->task = column_text(st, 1);
    run->args = column_text(st, 2);
    run->target = column_text(st, 3);
    run->who = column_text(st, 4);
    run->began_ms = sqlite3_column_int64(st, 5);
    run->ended_ms = sqlite3_column_int64(st, 6);
    run->hosts = (uint32_t)sqlite3_column_int64(st, 7);
    run->ok = (uint32_t)sqlite3_column_int64(st, 8);
    run->failed = (uint32_t)sqlite3_column_int64(st, 9);
}

static void read_operation(sqlite3_stmt *st, struct operation *op)
{
    memset(op, 0, sizeof(*op));
    op->id = sqlite3_column_int64(st, 0);
    op->run_id = sqlite3_column_int64(st, 1);
    op->host_id = sqlite3_column_int64(st, 2);
    op->host = column_text(st, 3);
    op->state = (enum operation_state)sqlite3_column_int(st, 4);
    op->began_ms = sqlite3_column_int64(st, 5);
    op->ended_ms = sqlite3_column_int64(st, 6);
    op->from = column_text(st, 7);
    op->to = column_text(st, 8);
    op->tries = (uint32_t)sqlite3_column_int64(st, 9);
    op->cause = column_text(st, 10);
    op->code = column_text(st, 11);
    op->message = column_text(st, 12);
    op->detail = column_text(st, 13);
}

#define OPERATION_COLUMNS                                                                                    \
    "id, run, host, name, state, began, ended, power_from, power_to, tries, cause, code, message, detail"

static int read_operations(struct tx *tx, int64_t run_id, struct operation **out, size_t *count,
                           struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "SELECT " OPERATION_COLUMNS " FROM operations WHERE run = ?1"
                                  " ORDER BY name COLLATE natural_order",
                                  err);
    size_t cap = 0;
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, run_id);
    while ((row = tx_step(tx, st, err)) > 0) {
        if (*count == cap) {
            cap = cap > 0 ? cap * 2 : 16;
            *out = xreallocarray(*out, cap, sizeof(**out));
        }
        read_operation(st, &(*out)[(*count)++]);
    }
    return row;
}

int tx_run_find(struct tx *tx, int64_t id, struct run *out, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT " RUN_COLUMNS " FROM runs WHERE id = ?1", err);
    int row;

    memset(out, 0, sizeof(*out));
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    row = tx_step(tx, st, err);
    if (row > 0)
        read_run(st, out);
    sqlite3_reset(st);
    if (row == 0)
        return err_set(err, CAUSE_NOT_FOUND, "there is no run %lld", (long long)id);
    return row < 0 ? -1 : 0;
}

int tx_run_get(struct tx *tx, int64_t id, struct run *out, struct operation **operations, size_t *count,
               struct err *err)
{
    *operations = NULL;
    *count = 0;
    return tx_run_find(tx, id, out, err) == 0 ? read_operations(tx, id, operations, count, err) : -1;
}

/* --- one at a time --- */

struct named {
    int64_t id;
    char *name;
};

static void take_named(struct tx *tx, sqlite3_stmt *st, void *row, void *arg)
{
    struct named *named = row;

    (void)tx;
    (void)arg;
    named->id = sqlite3_column_int64(st, 0);
    named->name = column_text(st, 1);
}

static int by_name(const void *a, const void *b)
{
    return hostlist_compare_names(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* They were mostly made in that order. */
static void sort(struct named *items, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (by_name(&items[i - 1], &items[i]) > 0) {
            qsort(items, count, sizeof(*items), by_name);
            return;
        }
}

int tx_operation_ids(struct tx *tx, int64_t run_id, int64_t **ids, size_t *count, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT id, name FROM operations WHERE run = ?1 ORDER BY id", err);
    struct named *items;
    void *rows;
    int status;

    if (st)
        sqlite3_bind_int64(st, 1, run_id);
    status = tx_rows(tx, st, sizeof(*items), take_named, NULL, &rows, count, err);
    items = rows;
    sort(items, *count);
    *ids = xcalloc(*count + 1, sizeof(**ids));
    for (size_t i = 0; i < *count; i++) {
        (*ids)[i] = items[i].id;
        free(items[i].name);
    }
    free(items);
    return status;
}

int tx_operation_tell(struct tx *tx, int64_t id, tell_operation *tell, void *arg, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT " OPERATION_COLUMNS " FROM operations WHERE id = ?1", err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    row = tx_step(tx, st, err);
    if (row > 0) {
        const struct operation found = {.id = id,
                                        .run_id = sqlite3_column_int64(st, 1),
                                        .host_id = sqlite3_column_int64(st, 2),
                                        .host = column_borrowed(st, 3),
                                        .state = (enum operation_state)sqlite3_column_int(st, 4),
                                        .began_ms = sqlite3_column_int64(st, 5),
                                        .ended_ms = sqlite3_column_int64(st, 6),
                                        .from = column_borrowed(st, 7),
                                        .to = column_borrowed(st, 8),
                                        .tries = (uint32_t)sqlite3_column_int64(st, 9),
                                        .cause = column_borrowed(st, 10),
                                        .code = column_borrowed(st, 11),
                                        .message = column_borrowed(st, 12),
                                        .detail = column_borrowed(st, 13)};

        tell(arg, &found);
    }
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

int tx_runs(struct tx *tx, size_t limit, struct run **out, size_t *count, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT " RUN_COLUMNS " FROM runs ORDER BY id DESC LIMIT ?1", err);
    int row;

    *out = NULL;
    *count = 0;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, (int64_t)limit);
    while ((row = tx_step(tx, st, err)) > 0) {
        *out = xreallocarray(*out, *count + 1, sizeof(**out));
        read_run(st, &(*out)[(*count)++]);
    }
    return row;
}

/* --- after a crash --- */

static int recover_state(struct tx *tx, const char *sql, int64_t now_ms, enum cause cause,
                         const char *message, size_t *count, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, sql, err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, now_ms);
    bind_text(st, 2, cause_name(cause));
    bind_text(st, 3, message);
    if (tx_run_statement(tx, st, err) != 0)
        return -1;
    *count += (size_t)sqlite3_changes(tx->db);
    return 0;
}

/* Runs of jobs are taken up where they were. */
#define AND_NO_JOB " AND run NOT IN (SELECT run FROM jobs WHERE state < 3)"

int tx_recover(struct tx *tx, int64_t now_ms, size_t *count, struct err *err)
{
    sqlite3_stmt *st;

    *count = 0;
    if (tx_filter_recover(tx, err) != 0)
        return -1;
    if (recover_state(tx,
                      "UPDATE operations SET state = 3, ended = ?1, cause = ?2, message = ?3 WHERE state = "
                      "1" AND_NO_JOB,
                      now_ms, CAUSE_INTERRUPTED, "amtd ended after the request was or may have been sent",
                      count, err) != 0 ||
        recover_state(tx,
                      "UPDATE operations SET state = 3, ended = ?1, cause = ?2, message = ?3 WHERE state = "
                      "0" AND_NO_JOB,
                      now_ms, CAUSE_NOT_STARTED, "amtd ended before anything was changed on the device",
                      count, err) != 0)
        return -1;
    st = tx_prepare(
        tx,
        "UPDATE runs SET ended = ?1, failed = (SELECT count(*) FROM operations o WHERE o.run = runs.id AND"
        " o.state = 3) WHERE ended = 0 AND id NOT IN (SELECT run FROM jobs WHERE state < 3)",
        err);
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, now_ms);
    return tx_run_statement(tx, st, err);
}
