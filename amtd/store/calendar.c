#include "amtd/store/calendar.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"

void calendar_row_clear(struct calendar_row *row)
{
    free(row->host);
    free(row->subject);
    memset(row, 0, sizeof(*row));
}

/* One row a source: kind, when, host, subject, number; of the hosts in `chosen`. The parameters are those of
 * struct calendar_limits, in its order. */
static const char sql[] =
    "SELECT 0, unixepoch(f.value) * 1000 AS due, h.name, NULL, EXISTS (SELECT 1 FROM certificates k WHERE "
    "k.host"
    " = h.id AND k.state = 0) FROM chosen c JOIN hosts h ON h.id = c.id"
    " JOIN facts f ON f.host = h.id AND f.name = 'tls.not-after' WHERE unixepoch(f.value) * 1000 < ?1"
    " UNION ALL SELECT 1, p.at + ?2, h.name, p.user, EXISTS (SELECT 1 FROM profiles l WHERE l.user ="
    " p.user) FROM chosen c JOIN hosts h ON h.id = c.id"
    " JOIN passwords p ON p.host = h.id AND p.state = 0 WHERE p.at + ?2 < ?1"
    " UNION ALL SELECT 2, 0, h.name, NULL, CAST(f.value AS INTEGER) FROM chosen c JOIN hosts h ON h.id = c.id"
    " JOIN facts f ON f.host = h.id AND f.name = 'clock.off' WHERE abs(CAST(f.value AS INTEGER)) > ?3"
    " UNION ALL SELECT 3, 0, h.name, p.name, 0 FROM chosen c JOIN hosts h ON h.id = c.id"
    " JOIN facts f ON f.host = h.id AND f.name = 'profile' JOIN profiles p ON p.name = f.value AND p.old_tls"
    " UNION ALL SELECT 5, 0, h.name, NULL, CAST(f.value AS INTEGER) FROM chosen c JOIN hosts h ON h.id = c.id"
    " JOIN facts f ON f.host = h.id AND f.name = 'tls.old-roots' AND CAST(f.value AS"
    " INTEGER) > 0"
    " UNION ALL SELECT 4, a.until, '', NULL, 0 FROM authorities a WHERE a.state = 0 AND a.until < ?1"
    " ORDER BY due, 3 COLLATE natural_order, 1";

static void take(struct tx *tx, sqlite3_stmt *st, void *row, void *arg)
{
    (void)tx;
    (void)arg;
    *(struct calendar_row *)row = (struct calendar_row){.kind = (enum calendar_kind)sqlite3_column_int(st, 0),
                                                        .at_ms = sqlite3_column_int64(st, 1),
                                                        .host = column_text(st, 2),
                                                        .subject = column_text(st, 3),
                                                        .number = sqlite3_column_int64(st, 4)};
}

int tx_calendar(struct tx *tx, const char *target, const struct calendar_limits *limits,
                struct calendar_row **rows, size_t *count, struct err *err)
{
    void *all;
    int status;
    struct hosts hosts;
    sqlite3_stmt *st;

    *rows = NULL;
    *count = 0;
    if (tx_target_bare(tx, target, &hosts, err) != 0) /* leaves them in `chosen` */
        return -1;
    hosts_clear(&hosts);
    if (!(st = tx_prepare(tx, sql, err)))
        return -1;
    sqlite3_bind_int64(st, 1, limits->until_ms);
    sqlite3_bind_int64(st, 2, limits->password_age_ms);
    sqlite3_bind_int64(st, 3, limits->clock_off_s);
    status = tx_rows(tx, st, sizeof(**rows), take, NULL, &all, count, err);
    *rows = all;
    return status;
}
