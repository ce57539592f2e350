/* Which certificates somebody is to be told of. */
#include <stdlib.h>
#include <string.h>

#include "amtd/store/certificates.h"
#include "amtd/store/internal.h"
#include "base/xalloc.h"

#define NOTICES_MOST 1000 /* at a time: the others come the next time */

void certificate_notice_clear(struct certificate_notice *notice)
{
    free(notice->host);
    memset(notice, 0, sizeof(*notice));
}

struct notices {
    struct certificate_notice *items;
    size_t count;
};

/* Rows of host and end in milliseconds. */
static int take(struct tx *tx, sqlite3_stmt *st, bool renewed, struct notices *out, struct err *err)
{
    int row;

    while ((row = tx_step(tx, st, err)) > 0) {
        out->items = xreallocarray(out->items, out->count + 1, sizeof(*out->items));
        out->items[out->count++] = (struct certificate_notice){
            .host = column_text(st, 0), .renewed = renewed, .until_ms = sqlite3_column_int64(st, 1)};
    }
    return row;
}

static int take_renewed(struct tx *tx, struct notices *out, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "UPDATE certificates SET told = 1 WHERE id IN (SELECT id FROM certificates"
                                  " WHERE state = 0 AND NOT told ORDER BY id LIMIT ?1)"
                                  " RETURNING (SELECT name FROM hosts h WHERE h.id = host), until",
                                  err);

    if (!st)
        return -1;
    sqlite3_bind_int(st, 1, NOTICES_MOST);
    return take(tx, st, true, out, err);
}

/* How near the end is: 1 within 30 days, 2 a week, 3 a day, 4 over. Warned of once each. */
static const char warn[] =
    "WITH ends AS (SELECT f.host, f.value, unixepoch(f.value) - ?1 AS left FROM facts f"
    " WHERE f.name = 'tls.not-after'),"
    " near AS (SELECT host, value, CASE WHEN left <= 0 THEN 4 WHEN left <= 86400 THEN 3"
    " WHEN left <= 7 * 86400 THEN 2 ELSE 1 END AS stage FROM ends WHERE left <= ?2)"
    " INSERT INTO certificate_warned(host, until, stage) SELECT n.host, n.value, n.stage FROM near n"
    " LEFT JOIN certificate_warned w ON w.host = n.host"
    " WHERE w.host IS NULL OR w.until <> n.value OR w.stage < n.stage LIMIT ?3"
    " ON CONFLICT(host) DO UPDATE SET until = excluded.until, stage = excluded.stage"
    " RETURNING (SELECT name FROM hosts h WHERE h.id = host), unixepoch(until) * 1000";

static int take_expiring(struct tx *tx, int64_t now_ms, struct notices *out, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, warn, err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, now_ms / 1000);
    sqlite3_bind_int64(st, 2, (int64_t)CERTIFICATE_WARN_DAYS * 86400);
    sqlite3_bind_int(st, 3, NOTICES_MOST);
    return take(tx, st, false, out, err);
}

int tx_certificate_notices(struct tx *tx, int64_t now_ms, struct certificate_notice **notices, size_t *count,
                           struct err *err)
{
    struct notices out = {NULL, 0};
    int status = take_renewed(tx, &out, err);

    if (status == 0)
        status = take_expiring(tx, now_ms, &out, err);
    *notices = out.items;
    *count = out.count;
    return status;
}
