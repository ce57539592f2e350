/* Runs of jobs, and the results of their tasks. */
#include "amtd/store/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"
#include "base/xalloc.h"

void job_record_clear(struct job_record *record)
{
    run_clear(&record->run);
    free(record->name);
    free(record->hash);
    free(record->text);
    free(record->files);
    free(record->settings);
    free(record->order);
    free(record->schedule);
    free(record->reaction);
    free(record->event);
    memset(record, 0, sizeof(*record));
}

void job_result_clear(struct job_result *result)
{
    free(result->label);
    free(result->kind);
    operation_clear(&result->operation);
    memset(result, 0, sizeof(*result));
}

/* --- writing --- */

int tx_job_add(struct tx *tx, struct job_record *record, struct operation *operations, size_t count,
               struct err *err)
{
    sqlite3_stmt *st;

    if (tx_run_add(tx, &record->run, operations, count, err) != 0)
        return -1;
    st =
        tx_prepare(tx,
                   "INSERT INTO jobs(run, name, hash, text, files, settings, hosts, schedule, uid, retry_of,"
                   " state, reaction, event) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                   err);
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, record->run.id);
    bind_text(st, 2, record->name);
    bind_text(st, 3, record->hash);
    bind_text(st, 4, record->text);
    bind_text(st, 5, record->files);
    bind_text(st, 6, record->settings);
    bind_text(st, 7, record->order);
    bind_text(st, 8, record->schedule);
    sqlite3_bind_int64(st, 9, record->uid);
    sqlite3_bind_int64(st, 10, record->retry_of);
    sqlite3_bind_int(st, 11, (int)record->state);
    bind_text(st, 12, record->reaction);
    bind_text(st, 13, record->event);
    return tx_run_statement(tx, st, err);
}

int tx_job_state(struct tx *tx, int64_t run, enum job_run_state state, bool held, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "UPDATE jobs SET state = ?2, held = ?3 WHERE run = ?1", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, run);
    sqlite3_bind_int(st, 2, (int)state);
    sqlite3_bind_int(st, 3, held);
    return tx_run_statement(tx, st, err);
}

int tx_job_abandon(struct tx *tx, int64_t run, int64_t at_ms, const struct err *why, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "UPDATE operations SET state = 3, ended = ?2, cause = ?3, message = ?4"
                                  " WHERE run = ?1 AND state < 2",
                                  err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, run);
    sqlite3_bind_int64(st, 2, at_ms);
    bind_text(st, 3, cause_name(why->cause));
    bind_text(st, 4, why->text);
    if (tx_run_statement(tx, st, err) != 0)
        return -1;
    st = tx_prepare(tx,
                    "UPDATE runs SET ended = ?2, failed = (SELECT count(*) FROM operations o WHERE o.run ="
                    " runs.id AND o.state = 3) WHERE id = ?1",
                    err);
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, run);
    sqlite3_bind_int64(st, 2, at_ms);
    return tx_run_statement(tx, st, err) == 0 ? tx_job_state(tx, run, JOB_RUN_OVER, false, err) : -1;
}

int tx_job_result_put(struct tx *tx, const struct job_result *result, struct err *err)
{
    const struct operation *op = &result->operation;
    sqlite3_stmt *st = tx_prepare(
        tx,
        /* not OR REPLACE: for that SQLite keeps a copy of each page that it writes to */
        "INSERT INTO job_results(run, host, task, label, kind, skipped, state, began, ended, power_from,"
        " power_to, tries, cause, code, message, detail)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
        " ON CONFLICT(run, host, task) DO UPDATE SET label = ?4, kind = ?5, skipped = ?6, state = ?7,"
        " began = ?8, ended = ?9, power_from = ?10, power_to = ?11, tries = ?12, cause = ?13, code = ?14,"
        " message = ?15, detail = ?16",
        err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, result->run);
    sqlite3_bind_int64(st, 2, op->host_id);
    sqlite3_bind_int64(st, 3, result->task);
    bind_text(st, 4, result->label);
    bind_text(st, 5, result->kind);
    sqlite3_bind_int(st, 6, result->skipped);
    sqlite3_bind_int(st, 7, (int)op->state);
    sqlite3_bind_int64(st, 8, op->began_ms);
    sqlite3_bind_int64(st, 9, op->ended_ms);
    bind_text(st, 10, op->from);
    bind_text(st, 11, op->to);
    sqlite3_bind_int64(st, 12, op->tries);
    bind_text(st, 13, op->cause);
    bind_text(st, 14, op->code);
    bind_text(st, 15, op->message);
    bind_text(st, 16, op->detail);
    return tx_run_statement(tx, st, err);
}

/* --- reading --- */

#define RUN_COLUMNS                                                                                          \
    "r.id, r.task, r.args, r.target, r.who, r.began, r.ended, r.hosts, r.ok, r.failed, j.name, j.hash, "     \
    "j.schedule, j.uid, j.retry_of, j.state, j.reaction, j.event, j.held"
#define TEXT_COLUMNS ", j.text, j.files, j.settings, j.hosts"
#define FROM_JOBS    " FROM jobs j JOIN runs r ON r.id = j.run "

static void read_record(sqlite3_stmt *st, struct job_record *record, bool whole)
{
    struct run *run = &record->run;

    memset(record, 0, sizeof(*record));
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
    record->name = column_text(st, 10);
    record->hash = column_text(st, 11);
    record->schedule = column_text(st, 12);
    record->uid = sqlite3_column_int64(st, 13);
    record->retry_of = sqlite3_column_int64(st, 14);
    record->state = (enum job_run_state)sqlite3_column_int(st, 15);
    record->reaction = column_text(st, 16);
    record->event = column_text(st, 17);
    record->held = sqlite3_column_int(st, 18) != 0;
    if (!whole)
        return;
    record->text = column_text(st, 19);
    record->files = column_text(st, 20);
    record->settings = column_text(st, 21);
    record->order = column_text(st, 22);
}

static int read_records(struct tx *tx, sqlite3_stmt *st, bool whole, struct job_record **out, size_t *count,
                        struct err *err)
{
    int row;

    *out = NULL;
    *count = 0;
    while ((row = tx_step(tx, st, err)) > 0) {
        *out = xreallocarray(*out, *count + 1, sizeof(**out));
        read_record(st, &(*out)[(*count)++], whole);
    }
    return row;
}

int tx_jobs_open(struct tx *tx, struct job_record **out, size_t *count, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "SELECT " RUN_COLUMNS TEXT_COLUMNS FROM_JOBS "WHERE j.state < 3 ORDER BY j.run", err);

    *out = NULL;
    *count = 0;
    return st ? read_records(tx, st, true, out, count, err) : -1;
}

int tx_jobs(struct tx *tx, const char *name, const char *who, size_t limit, struct job_record **out,
            size_t *count, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx,
        "SELECT " RUN_COLUMNS FROM_JOBS
        "WHERE (?1 IS NULL OR j.name = ?1) AND (?3 IS NULL OR r.who = ?3) ORDER BY j.run DESC LIMIT ?2",
        err);

    *out = NULL;
    *count = 0;
    if (!st)
        return -1;
    bind_text(st, 1, name);
    sqlite3_bind_int64(st, 2, (int64_t)limit);
    bind_text(st, 3, who);
    return read_records(tx, st, false, out, count, err);
}

int tx_job_get(struct tx *tx, int64_t run, struct job_record *out, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT " RUN_COLUMNS TEXT_COLUMNS FROM_JOBS "WHERE j.run = ?1", err);
    int row;

    memset(out, 0, sizeof(*out));
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, run);
    row = tx_step(tx, st, err);
    if (row > 0)
        read_record(st, out, true);
    sqlite3_reset(st);
    if (row == 0)
        return err_set(err, CAUSE_NOT_FOUND, "there is no run %lld of a job", (long long)run);
    return row < 0 ? -1 : 0;
}

static void read_result(sqlite3_stmt *st, struct job_result *result)
{
    struct operation *op = &result->operation;

    memset(result, 0, sizeof(*result));
    result->run = sqlite3_column_int64(st, 0);
    op->host_id = sqlite3_column_int64(st, 1);
    result->task = (uint32_t)sqlite3_column_int64(st, 2);
    result->label = column_text(st, 3);
    result->kind = column_text(st, 4);
    result->skipped = sqlite3_column_int(st, 5) != 0;
    op->state = (enum operation_state)sqlite3_column_int(st, 6);
    op->began_ms = sqlite3_column_int64(st, 7);
    op->ended_ms = sqlite3_column_int64(st, 8);
    op->from = column_text(st, 9);
    op->to = column_text(st, 10);
    op->tries = (uint32_t)sqlite3_column_int64(st, 11);
    op->cause = column_text(st, 12);
    op->code = column_text(st, 13);
    op->message = column_text(st, 14);
    op->detail = column_text(st, 15);
}

int tx_job_results(struct tx *tx, int64_t run, int64_t host_id, struct job_result **out, size_t *count,
                   struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx,
                   "SELECT run, host, task, label, kind, skipped, state, began, ended, power_from, power_to,"
                   " tries, cause, code, message, detail FROM job_results WHERE run = ?1 AND (?2 = 0 OR host"
                   " = ?2) ORDER BY host, task",
                   err);
    size_t cap = 0;
    int row;

    *out = NULL;
    *count = 0;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, run);
    sqlite3_bind_int64(st, 2, host_id);
    while ((row = tx_step(tx, st, err)) > 0) {
        if (*count == cap) {
            cap = cap > 0 ? cap * 2 : 16;
            *out = xreallocarray(*out, cap, sizeof(**out));
        }
        read_result(st, &(*out)[(*count)++]);
    }
    return row;
}

int tx_job_results_tell(struct tx *tx, int64_t run, int64_t host_id, tell_job_result *tell, void *arg,
                        struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx,
        "SELECT task, label, kind, skipped, state, began, ended, power_from, power_to, tries, cause,"
        " code, message, detail FROM job_results WHERE run = ?1 AND host = ?2 ORDER BY task",
        err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, run);
    sqlite3_bind_int64(st, 2, host_id);
    while ((row = tx_step(tx, st, err)) > 0) {
        const struct job_result found = {
            .run = run,
            .task = (uint32_t)sqlite3_column_int64(st, 0),
            .label = column_borrowed(st, 1),
            .kind = column_borrowed(st, 2),
            .skipped = sqlite3_column_int(st, 3) != 0,
            .operation = {.host_id = host_id,
                          .state = (enum operation_state)sqlite3_column_int(st, 4),
                          .began_ms = sqlite3_column_int64(st, 5),
                          .ended_ms = sqlite3_column_int64(st, 6),
                          .from = column_borrowed(st, 7),
                          .to = column_borrowed(st, 8),
                          .tries = (uint32_t)sqlite3_column_int64(st, 9),
                          .cause = column_borrowed(st, 10),
                          .code = column_borrowed(st, 11),
                          .message = column_borrowed(st, 12),
                          .detail = column_borrowed(st, 13)},
        };

        tell(arg, &found);
    }
    return row;
}

int tx_job_hosts(struct tx *tx, int64_t run, struct hosts *out, struct err *err)
{
    sqlite3_stmt *st;

    memset(out, 0, sizeof(*out));
    if (tx_exec(tx, "DELETE FROM chosen", err) != 0)
        return -1;
    st = tx_prepare(tx, "INSERT OR IGNORE INTO chosen SELECT host FROM operations WHERE run = ?1", err);
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, run);
    return tx_run_statement(tx, st, err) == 0 ? tx_load_chosen(tx, out, err) : -1;
}

/* SQL made for one query is not worth keeping prepared. */
static int ask(struct tx *tx, const char *sql, const struct sql_values *values, bool *matches,
               struct err *err)
{
    sqlite3_stmt *st;
    int row;

    if (sqlite3_prepare_v2(tx->db, sql, -1, &st, NULL) != SQLITE_OK)
        return tx_fail(tx, "query", err);
    for (size_t i = 0; i < values->count; i++)
        bind_text(st, (int)i + 1, values->items[i]);
    row = tx_step(tx, st, err);
    *matches = row > 0;
    sqlite3_finalize(st);
    return row < 0 ? -1 : 0;
}

int tx_host_matches(struct tx *tx, int64_t host_id, int64_t run, const struct query *query, bool *matches,
                    struct err *err)
{
    struct buf sql = buf_init(1 << 20);
    struct sql_values *values = xcalloc(1, sizeof(*values));
    int status;

    values->run = run;
    buf_printf(&sql, "SELECT 1 FROM hosts h WHERE h.id = %lld AND ", (long long)host_id);
    status = query_sql(query_root(query), &sql, values, err);
    if (status == 0 && !buf_ok(&sql))
        status = err_set(err, CAUSE_INVALID_ARGUMENT, "the query is too long");
    if (status == 0)
        status = ask(tx, buf_str(&sql), values, matches, err);
    free(values);
    buf_free(&sql);
    return status;
}
