#include "amtd/store/filters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"
#include "base/clock.h"
#include "base/xalloc.h"

#define AGAIN_FIRST_MS ((int64_t)15000)
#define AGAIN_MOST_MS  ((int64_t)900000)

void filter_row_clear(struct filter_row *row)
{
    free(row->host);
    free(row->set);
    free(row->before);
    free(row->who);
    memset(row, 0, sizeof(*row));
}

void filter_claim_clear(struct filter_claim *claim)
{
    free(claim->host);
    free(claim->who);
    free(claim->what);
    free(claim->journal);
    memset(claim, 0, sizeof(*claim));
}

/* --- moments take three columns; of a row also a fourth, elsewhere --- */

static void bind_moment(sqlite3_stmt *st, int i, const struct moment *m)
{
    sqlite3_bind_int64(st, i, m->wall_ms);
    sqlite3_bind_int64(st, i + 1, m->up_ms);
    bind_text(st, i + 2, m->boot);
}

static struct moment column_moment(sqlite3_stmt *st, int i)
{
    const char *boot = (const char *)sqlite3_column_text(st, i + 2);
    struct moment m = {.wall_ms = sqlite3_column_int64(st, i), .up_ms = sqlite3_column_int64(st, i + 1)};

    snprintf(m.boot, sizeof(m.boot), "%s", boot ? boot : "");
    return m;
}

/* --- what is active --- */

int tx_filter_put(struct tx *tx, const struct filter_row *row, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx,
                   "INSERT OR REPLACE INTO filters(host, owner, objects, before, who, since, run,"
                   " confirm_wall, confirm_up, confirm_boot, until_wall, until_up, until_boot, confirm_span,"
                   " until_span) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
                   err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, row->host_id);
    sqlite3_bind_int(st, 2, (int)row->owner);
    bind_text(st, 3, row->set);
    bind_text(st, 4, row->before);
    bind_text(st, 5, row->who);
    sqlite3_bind_int64(st, 6, row->since_ms);
    sqlite3_bind_int64(st, 7, row->run);
    bind_moment(st, 8, &row->confirm);
    bind_moment(st, 11, &row->until);
    sqlite3_bind_int64(st, 14, row->confirm.span_ms);
    sqlite3_bind_int64(st, 15, row->until.span_ms);
    return tx_run_statement(tx, st, err);
}

/* The statement takes the host, and may take the second number. */
static int delete_by_host(struct tx *tx, const char *sql, int64_t host_id, int64_t second, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, sql, err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    if (sqlite3_bind_parameter_count(st) > 1)
        sqlite3_bind_int64(st, 2, second);
    return tx_run_statement(tx, st, err);
}

int tx_filter_drop(struct tx *tx, int64_t host_id, enum sd_owner owner, struct err *err)
{
    return delete_by_host(tx, "DELETE FROM filters WHERE host = ?1 AND owner = ?2", host_id, owner, err);
}

int tx_filter_drop_all(struct tx *tx, int64_t host_id, struct err *err)
{
    return delete_by_host(tx, "DELETE FROM filters WHERE host = ?1", host_id, 0, err);
}

#define ROW_COLUMNS                                                                                          \
    "f.host, f.owner, h.name, f.objects, f.before, f.who, f.since, f.run, f.confirm_wall, f.confirm_up,"     \
    " f.confirm_boot, f.until_wall, f.until_up, f.until_boot, f.confirm_span, f.until_span FROM filters f"   \
    " JOIN hosts h ON h.id = f.host"

static void read_row(sqlite3_stmt *st, struct filter_row *row)
{
    row->host_id = sqlite3_column_int64(st, 0);
    row->owner = (enum sd_owner)sqlite3_column_int(st, 1);
    row->host = column_text(st, 2);
    row->set = column_text(st, 3);
    row->before = column_text(st, 4);
    row->who = column_text(st, 5);
    row->since_ms = sqlite3_column_int64(st, 6);
    row->run = sqlite3_column_int64(st, 7);
    row->confirm = column_moment(st, 8);
    row->until = column_moment(st, 11);
    row->confirm.span_ms = sqlite3_column_int64(st, 14);
    row->until.span_ms = sqlite3_column_int64(st, 15);
}

int tx_filter_get(struct tx *tx, int64_t host_id, enum sd_owner owner, struct filter_row *row, bool *found,
                  struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT " ROW_COLUMNS " WHERE f.host = ?1 AND f.owner = ?2", err);
    int status;

    memset(row, 0, sizeof(*row));
    *found = false;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    sqlite3_bind_int(st, 2, (int)owner);
    status = tx_step(tx, st, err);
    *found = status > 0;
    if (status > 0)
        read_row(st, row);
    sqlite3_reset(st);
    return status < 0 ? -1 : 0;
}

int tx_filters(struct tx *tx, struct filter_row **rows, size_t *count, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "SELECT " ROW_COLUMNS " ORDER BY h.name COLLATE natural_order, f.owner", err);
    int status;

    *rows = NULL;
    *count = 0;
    if (!st)
        return -1;
    while ((status = tx_step(tx, st, err)) > 0) {
        *rows = xreallocarray(*rows, *count + 1, sizeof(**rows));
        read_row(st, &(*rows)[(*count)++]);
    }
    return status;
}

/* --- who is at it --- */

#define CLAIM_COLUMNS                                                                                        \
    "c.host, h.name, c.run, c.who, c.what, c.since, c.journal, c.next_wall, c.next_up, c.next_boot, c.tries" \
    " FROM filter_claims c JOIN hosts h ON h.id = c.host"

static void read_claim(sqlite3_stmt *st, struct filter_claim *claim)
{
    claim->host_id = sqlite3_column_int64(st, 0);
    claim->host = column_text(st, 1);
    claim->run = sqlite3_column_int64(st, 2);
    claim->who = column_text(st, 3);
    claim->what = column_text(st, 4);
    claim->since_ms = sqlite3_column_int64(st, 5);
    claim->journal = column_text(st, 6);
    claim->next = column_moment(st, 7);
    claim->tries = (uint32_t)sqlite3_column_int64(st, 10);
}

int tx_filter_claims(struct tx *tx, struct filter_claim **claims, size_t *count, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT " CLAIM_COLUMNS " ORDER BY h.name COLLATE natural_order", err);
    int status;

    *claims = NULL;
    *count = 0;
    if (!st)
        return -1;
    while ((status = tx_step(tx, st, err)) > 0) {
        *claims = xreallocarray(*claims, *count + 1, sizeof(**claims));
        read_claim(st, &(*claims)[(*count)++]);
    }
    return status;
}

static int get_claim(struct tx *tx, int64_t host_id, struct filter_claim *claim, bool *found, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT " CLAIM_COLUMNS " WHERE c.host = ?1", err);
    int status;

    memset(claim, 0, sizeof(*claim));
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    status = tx_step(tx, st, err);
    *found = status > 0;
    if (status > 0)
        read_claim(st, claim);
    sqlite3_reset(st);
    return status < 0 ? -1 : 0;
}

static int run_is_over(struct tx *tx, int64_t run, bool *over, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT 1 FROM runs WHERE id = ?1 AND ended = 0", err);
    int status;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, run);
    status = tx_step(tx, st, err);
    sqlite3_reset(st);
    *over = status == 0;
    return status < 0 ? -1 : 0;
}

static int insert_claim(struct tx *tx, const struct filter_claim *claim, const char *journal, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "INSERT OR REPLACE INTO filter_claims(host, run, who, what, since, "
                                  "journal, tries) VALUES (?1, ?2, ?3, ?4,"
                                  " ?5, ?6, ?7)",
                                  err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, claim->host_id);
    sqlite3_bind_int64(st, 2, claim->run);
    bind_text(st, 3, claim->who);
    bind_text(st, 4, claim->what);
    sqlite3_bind_int64(st, 5, claim->since_ms);
    bind_text(st, 6, journal);
    sqlite3_bind_int64(st, 7, claim->tries);
    return tx_run_statement(tx, st, err);
}

static int refuse(const struct filter_claim *old, bool over, struct err *err)
{
    char since[CLOCK_TEXT_MAX];

    return err_set(err, CAUSE_IN_USE,
                   over ? "%s: '%s', run %lld since %s, did not come to an end here; amtd finishes or"
                          " undoes it as soon as the device answers"
                        : "%s is at it: '%s', run %lld since %s",
                   old->who, old->what, (long long)old->run, clock_text(old->since_ms, since));
}

int tx_filter_claim(struct tx *tx, const struct filter_claim *claim, bool anyway, char **journal,
                    struct err *err)
{
    struct filter_claim old, next = *claim;
    bool found, over = true;
    int status = 0;

    *journal = NULL;
    if (get_claim(tx, claim->host_id, &old, &found, err) != 0)
        return -1;
    if (found && run_is_over(tx, old.run, &over, err) != 0)
        status = -1;
    over = over || (old.journal && old.next.wall_ms != 0);
    if (status == 0 && found && (!over || (old.journal && !anyway)))
        status = refuse(&old, over, err);
    if (status == 0) {
        next.tries = found ? old.tries : 0;
        status = insert_claim(tx, &next, old.journal, err);
    }
    if (status == 0 && old.journal)
        *journal = xstrdup(old.journal);
    filter_claim_clear(&old);
    return status;
}

int tx_filter_note(struct tx *tx, int64_t host_id, int64_t run, const char *journal, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "UPDATE filter_claims SET journal = ?3 WHERE host = ?1 AND run = ?2", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    sqlite3_bind_int64(st, 2, run);
    bind_text(st, 3, journal);
    if (tx_run_statement(tx, st, err) != 0)
        return -1;
    return sqlite3_changes(tx->db) == 1
               ? 0
               : err_set(err, CAUSE_IN_USE, "the host was given to another run meanwhile, or removed");
}

int tx_filter_release(struct tx *tx, int64_t host_id, int64_t run, struct err *err)
{
    return delete_by_host(tx, "DELETE FROM filter_claims WHERE host = ?1 AND run = ?2", host_id, run, err);
}

/* 15 s, 30 s, 1 min, ... at most a quarter of an hour. */
static int64_t delay_ms(uint32_t tries)
{
    int64_t ms = AGAIN_FIRST_MS << (tries < 10 ? tries : 10);

    return ms < AGAIN_MOST_MS ? ms : AGAIN_MOST_MS;
}

static int defer(struct tx *tx, const struct filter_claim *claim, const struct moment *next, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx,
                   "UPDATE filter_claims SET next_wall = ?2, next_up = ?3, next_boot = ?4, tries = tries + 1"
                   " WHERE host = ?1",
                   err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, claim->host_id);
    bind_moment(st, 2, next);
    return tx_run_statement(tx, st, err);
}

int tx_filter_leave(struct tx *tx, int64_t host_id, int64_t run, const struct moment *now, bool *half_done,
                    struct err *err)
{
    struct filter_claim claim;
    struct moment next;
    bool found;
    int status = 0;

    *half_done = false;
    if (get_claim(tx, host_id, &claim, &found, err) != 0)
        return -1;
    if (found && claim.run == run && claim.journal) {
        next = moment_in(now, delay_ms(claim.tries));
        status = defer(tx, &claim, &next, err);
        *half_done = true;
    } else if (found && claim.run == run) {
        status = tx_filter_release(tx, host_id, run, err);
    }
    filter_claim_clear(&claim);
    return status;
}

int tx_filter_recover(struct tx *tx, struct err *err)
{
    if (tx_exec(tx, "DELETE FROM filter_claims WHERE journal IS NULL", err) != 0)
        return -1;
    return tx_exec(tx, "UPDATE filter_claims SET next_wall = 1, next_up = 0, next_boot = ''", err);
}

/* --- what was tried --- */

int tx_filter_generation(struct tx *tx, int64_t host_id, uint32_t *generation, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx, "SELECT CAST(value AS INTEGER) FROM facts WHERE host = ?1 AND name = 'amt.version'", err);
    int status;

    *generation = 0;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    status = tx_step(tx, st, err);
    if (status > 0)
        *generation = (uint32_t)sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return status < 0 ? -1 : 0;
}

int tx_filter_tried(struct tx *tx, const char *hash, uint32_t generation, bool *tried, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "SELECT 1 FROM filter_tried WHERE hash = ?1 AND (generation = ?2 OR ?2 = 0)", err);
    int status;

    if (!st)
        return -1;
    bind_text(st, 1, hash);
    sqlite3_bind_int64(st, 2, generation);
    status = tx_step(tx, st, err);
    sqlite3_reset(st);
    *tried = status > 0;
    return status < 0 ? -1 : 0;
}

int tx_filter_tried_add(struct tx *tx, const char *hash, uint32_t generation, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "INSERT OR IGNORE INTO filter_tried(hash, generation) VALUES (?1, ?2)", err);

    if (!st)
        return -1;
    bind_text(st, 1, hash);
    sqlite3_bind_int64(st, 2, generation);
    return tx_run_statement(tx, st, err);
}
