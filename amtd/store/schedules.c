/* Schedules of jobs. */
#include "amtd/store/schedules.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"
#include "base/xalloc.h"

void schedule_clear(struct schedule *s)
{
    free(s->name);
    free(s->cron);
    free(s->zone);
    free(s->window);
    free(s->job);
    free(s->text);
    free(s->files);
    free(s->discover);
    free(s->target);
    free(s->settings);
    free(s->who);
    free(s->last_note);
    memset(s, 0, sizeof(*s));
}

static int write_schedule(struct tx *tx, const char *sql, const struct schedule *s, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, sql, err);

    if (!st)
        return -1;
    bind_text(st, 1, s->name);
    bind_text(st, 2, s->cron);
    sqlite3_bind_int64(st, 3, s->every_ms);
    bind_text(st, 4, s->zone);
    bind_text(st, 5, s->window);
    sqlite3_bind_int(st, 6, s->catch_up);
    bind_text(st, 7, s->job);
    bind_text(st, 8, s->text);
    bind_text(st, 9, s->files);
    bind_text(st, 10, s->target);
    bind_text(st, 11, s->settings);
    bind_text(st, 12, s->who);
    sqlite3_bind_int64(st, 13, s->uid);
    sqlite3_bind_int64(st, 14, s->created_ms);
    bind_text(st, 15, s->discover);
    return tx_run_statement(tx, st, err);
}

int tx_schedule_add(struct tx *tx, const struct schedule *s, struct err *err)
{
    if (write_schedule(tx,
                       "INSERT OR IGNORE INTO schedules(name, cron, every, zone, window, catch_up,"
                       " enabled, job, text, files, target, settings, who, uid, created, last, discover)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?14, ?15)",
                       s, err) != 0)
        return -1;
    return sqlite3_changes(tx->db) > 0
               ? 0
               : err_set(err, CAUSE_EXISTS, "there is a schedule '%s' already", s->name);
}

static int was_there(struct tx *tx, const char *name, struct err *err)
{
    return sqlite3_changes(tx->db) > 0 ? 0 : err_set(err, CAUSE_NOT_FOUND, "there is no schedule '%s'", name);
}

int tx_schedule_replace(struct tx *tx, const struct schedule *s, struct err *err)
{
    if (write_schedule(tx,
                       "UPDATE schedules SET cron = ?2, every = ?3, zone = ?4, window = ?5, catch_up = ?6,"
                       " job = ?7, text = ?8, files = ?9, target = ?10, settings = ?11, who = ?12, uid = ?13,"
                       " created = ?14, last = ?14, discover = ?15, last_note = NULL WHERE name = ?1",
                       s, err) != 0)
        return -1;
    return was_there(tx, s->name, err);
}

static int changed(struct tx *tx, sqlite3_stmt *st, const char *name, struct err *err)
{
    return tx_run_statement(tx, st, err) != 0 ? -1 : was_there(tx, name, err);
}

int tx_schedule_remove(struct tx *tx, const char *name, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "DELETE FROM schedules WHERE name = ?1", err);

    if (!st)
        return -1;
    bind_text(st, 1, name);
    return changed(tx, st, name, err);
}

int tx_schedule_enable(struct tx *tx, const char *name, bool enabled, int64_t now_ms, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "UPDATE schedules SET enabled = ?2, last = max(last, ?3) WHERE name = ?1", err);

    if (!st)
        return -1;
    bind_text(st, 1, name);
    sqlite3_bind_int(st, 2, enabled);
    sqlite3_bind_int64(st, 3, now_ms);
    return changed(tx, st, name, err);
}

int tx_schedules_rewind(struct tx *tx, int64_t now_ms, int64_t most_ms, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "UPDATE schedules SET last = ?1 WHERE last > ?1 + ?2", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, now_ms);
    sqlite3_bind_int64(st, 2, most_ms);
    return tx_run_statement(tx, st, err);
}

int tx_schedule_done(struct tx *tx, int64_t id, int64_t at_ms, int64_t run, int64_t sweep, const char *note,
                     struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx,
                   "UPDATE schedules SET last = ?2, last_run = CASE WHEN ?3 > 0 THEN ?3 ELSE "
                   "last_run END, last_sweep = CASE WHEN ?5 > 0 THEN ?5 ELSE last_sweep END, last_note = ?4"
                   " WHERE id = ?1",
                   err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    sqlite3_bind_int64(st, 2, at_ms);
    sqlite3_bind_int64(st, 3, run);
    bind_text(st, 4, note);
    sqlite3_bind_int64(st, 5, sweep);
    return tx_run_statement(tx, st, err);
}

#define COLUMNS                                                                                              \
    "id, name, cron, every, zone, window, catch_up, enabled, job, text, files, target, settings, who, uid,"  \
    " created, last, last_run, last_note, discover, last_sweep, (SELECT w.state = 0 FROM sweeps w WHERE "    \
    "w.id ="                                                                                                 \
    " last_sweep)"

static void read_schedule(sqlite3_stmt *st, struct schedule *s)
{
    memset(s, 0, sizeof(*s));
    s->id = sqlite3_column_int64(st, 0);
    s->name = column_text(st, 1);
    s->cron = column_text(st, 2);
    s->every_ms = sqlite3_column_int64(st, 3);
    s->zone = column_text(st, 4);
    s->window = column_text(st, 5);
    s->catch_up = sqlite3_column_int(st, 6) != 0;
    s->enabled = sqlite3_column_int(st, 7) != 0;
    s->job = column_text(st, 8);
    s->text = column_text(st, 9);
    s->files = column_text(st, 10);
    s->target = column_text(st, 11);
    s->settings = column_text(st, 12);
    s->who = column_text(st, 13);
    s->uid = sqlite3_column_int64(st, 14);
    s->created_ms = sqlite3_column_int64(st, 15);
    s->last_ms = sqlite3_column_int64(st, 16);
    s->last_run = sqlite3_column_int64(st, 17);
    s->last_note = column_text(st, 18);
    s->discover = column_text(st, 19);
    s->last_sweep = sqlite3_column_int64(st, 20);
    s->sweep_left = sqlite3_column_int(st, 21) != 0;
}

int tx_schedules(struct tx *tx, struct schedule **out, size_t *count, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "SELECT " COLUMNS " FROM schedules ORDER BY name COLLATE natural_order", err);
    int row;

    *out = NULL;
    *count = 0;
    if (!st)
        return -1;
    while ((row = tx_step(tx, st, err)) > 0) {
        *out = xreallocarray(*out, *count + 1, sizeof(**out));
        read_schedule(st, &(*out)[(*count)++]);
    }
    return row;
}

int tx_schedule_get(struct tx *tx, const char *name, struct schedule *out, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT " COLUMNS " FROM schedules WHERE name = ?1", err);
    int row;

    memset(out, 0, sizeof(*out));
    if (!st)
        return -1;
    bind_text(st, 1, name);
    row = tx_step(tx, st, err);
    if (row > 0)
        read_schedule(st, out);
    sqlite3_reset(st);
    if (row == 0)
        return err_set(err, CAUSE_NOT_FOUND, "there is no schedule '%s'", name);
    return row < 0 ? -1 : 0;
}
