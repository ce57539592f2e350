/* What the files of the SQLite store share. Nothing else includes this, or sqlite3.h. */
#ifndef AMTD_STORE_INTERNAL_H
#define AMTD_STORE_INTERNAL_H

#include <sqlite3.h>

#include "amtd/store/rights.h"
#include "amtd/store/store.h"

struct statement; /* a cached one */

struct tx {
    sqlite3 *db;
    const struct seal *seal;
    struct statement *cache;
    const struct node_key *key; /* of the activity log's chain; NULL: none yet */
    const struct actor *actor;  /* for whom it works; NULL: for amtd itself */
};

/* Opens and migrates; NULL tx->db and err on failure. */
int tx_open(struct tx *tx, const char *path, const struct seal *seal, struct err *err);
void tx_close(struct tx *tx);

/* A prepared statement for this SQL (a string constant, or one kept as long as the store), reset and ready to
 * bind. NULL and err. */
sqlite3_stmt *tx_prepare(struct tx *tx, const char *sql, struct err *err);
/* Runs SQL without parameters or results. */
int tx_exec(struct tx *tx, const char *sql, struct err *err);
/* Runs a bound statement to its end. */
int tx_run_statement(struct tx *tx, sqlite3_stmt *st, struct err *err);
/* One step: 1 a row, 0 the end, -1 err. */
int tx_step(struct tx *tx, sqlite3_stmt *st, struct err *err);
/* All that a bound statement yields, as an array of rows of that size: each is zeroed, and then filled by
 * `take` with its `arg`. *rows is the caller's, with *count of them; on a failure, too. NULL for st: -1. */
typedef void take_row(struct tx *tx, sqlite3_stmt *st, void *row, void *arg);
int tx_rows(struct tx *tx, sqlite3_stmt *st, size_t size, take_row *take, void *arg, void **rows,
            size_t *count, struct err *err);
int tx_fail(struct tx *tx, const char *what, struct err *err);

void bind_text(sqlite3_stmt *st, int i, const char *text); /* NULL binds NULL */
char *column_text(sqlite3_stmt *st, int i);                /* owned; NULL for NULL */
/* The same, borrowed until the next step: for rows that are told and not kept. */
char *column_borrowed(sqlite3_stmt *st, int i);

/* Appends the SQL condition of a query over the table `hosts h`, and the values of its parameters in order
 * (borrowed from the query). */
struct sql_values {
    const char *items[2048];
    size_t count;
    int64_t run; /* of a job, to whose tasks result.NAME and cause.NAME belong; 0: none */
};
int query_sql(const struct query_node *node, struct buf *out, struct sql_values *values, struct err *err);

/* Leaves what the actor may see, -1 and err (denied) where he lacks what he needs; takes note of what he
 * touches. A failure clears the hosts. */
int tx_see(struct tx *tx, struct hosts *hosts, struct err *err);
bool tx_sees(const struct tx *tx, const char *host);

/* All hosts whose id stands in the temporary table `chosen`, in natural order of names. */
int tx_load_chosen(struct tx *tx, struct hosts *out, struct err *err);
/* The same without tags, facts and passwords. */
int tx_load_chosen_bare(struct tx *tx, struct hosts *out, struct err *err);
/* The hosts of a target, those that the actor sees, into `chosen`; how many. */
int tx_choose(struct tx *tx, const char *target, size_t *count, struct err *err);

#endif
