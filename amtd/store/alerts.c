#include "amtd/store/alerts.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"
#include "base/xalloc.h"

#define TOKEN_BYTES 16
#define NAMES_MAX   (1u << 20)

/* --- the listener --- */

void alert_way_clear(struct alert_way *way)
{
    free(way->base);
    free(way->url);
    free(way->traps);
    *way = (struct alert_way){0};
}

int tx_alert_base_set(struct tx *tx, const char *base, const char *traps, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "INSERT INTO alert_base(id, url, traps) VALUES (1, ?1, ?2) ON CONFLICT(id) "
                                  "DO UPDATE SET url = ?1, traps = ?2",
                                  err);

    if (!st)
        return -1;
    bind_text(st, 1, base);
    bind_text(st, 2, traps);
    return tx_run_statement(tx, st, err);
}

/* One text of one row by a number; *out stays NULL when there is none. */
static int text_by_number(struct tx *tx, const char *sql, int64_t number, char **out, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, sql, err);
    int row;

    *out = NULL;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, number);
    row = tx_step(tx, st, err);
    if (row > 0)
        *out = column_text(st, 0);
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

/* --- tokens --- */

static int make_token(struct tx *tx, int64_t host_id, char **token, struct err *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[TOKEN_BYTES];
    char text[2 * TOKEN_BYTES + 1];
    sqlite3_stmt *st;

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return err_set(err, CAUSE_SYSTEM, "no random numbers");
    for (size_t i = 0; i < sizeof(bytes); i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * TOKEN_BYTES] = '\0';
    if (!(st = tx_prepare(tx, "INSERT INTO alert_hosts(host, token, checked) VALUES (?1, ?2, 0)", err)))
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    bind_text(st, 2, text);
    *token = xstrdup(text);
    return tx_run_statement(tx, st, err);
}

static int read_bases(struct tx *tx, struct alert_way *way, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT url, traps FROM alert_base", err);
    int row;

    if (!st)
        return -1;
    row = tx_step(tx, st, err);
    if (row > 0) {
        way->base = column_text(st, 0);
        way->traps = column_text(st, 1);
    }
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

int tx_alert_way(struct tx *tx, int64_t host_id, struct alert_way *way, struct err *err)
{
    char *token = NULL;
    int status;

    *way = (struct alert_way){0};
    if (read_bases(tx, way, err) != 0)
        return -1;
    if (!way->base && !way->traps)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "this amtd hears no alerts: give it an 'alerts' section with 'listen' in amtd.yaml");
    status = text_by_number(tx, "SELECT token FROM alert_hosts WHERE host = ?1", host_id, &token, err);
    if (status == 0 && !token)
        status = make_token(tx, host_id, &token, err);
    if (status == 0 && way->base)
        way->url = xasprintf("%s/%s", way->base, token);
    free(token);
    return status;
}

static int take_host(struct tx *tx, sqlite3_stmt *st, int64_t *host_id, char **name, struct err *err)
{
    int row = tx_step(tx, st, err);

    if (row > 0) {
        *host_id = sqlite3_column_int64(st, 0);
        *name = column_text(st, 1);
    }
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

int tx_alert_host(struct tx *tx, const char *token, int64_t *host_id, char **name, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx, "SELECT h.id, h.name FROM alert_hosts a JOIN hosts h ON h.id = a.host WHERE a.token = ?1", err);

    *name = NULL;
    if (!st)
        return -1;
    bind_text(st, 1, token);
    return take_host(tx, st, host_id, name, err);
}

int tx_alert_host_by(struct tx *tx, const char *uuid, const char *address, int64_t *host_id, char **name,
                     struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx,
        "SELECT h.id, h.name FROM hosts h LEFT JOIN facts f ON f.host = h.id AND f.name = 'amt.uuid'"
        " WHERE lower(f.value) = lower(?1) OR h.address = ?2"
        " ORDER BY lower(f.value) = lower(?1) DESC LIMIT 1",
        err);

    *name = NULL;
    if (!st)
        return -1;
    bind_text(st, 1, uuid);
    bind_text(st, 2, address);
    return take_host(tx, st, host_id, name, err);
}

/* --- subscriptions --- */

int tx_alert_subscribed(struct tx *tx, int64_t host_id, int64_t at_ms, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "UPDATE alert_hosts SET checked = ?2 WHERE host = ?1", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    sqlite3_bind_int64(st, 2, at_ms);
    return tx_run_statement(tx, st, err);
}

int tx_alert_forget(struct tx *tx, int64_t host_id, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "DELETE FROM alert_hosts WHERE host = ?1", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    return tx_run_statement(tx, st, err);
}

int tx_alerts_due(struct tx *tx, int64_t before_ms, size_t limit, char **names, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx,
                   "SELECT h.name FROM alert_hosts a JOIN hosts h ON h.id = a.host WHERE a.checked > 0"
                   " AND a.checked < ?1 ORDER BY a.checked LIMIT ?2",
                   err);
    struct buf text = buf_init(NAMES_MAX);
    int row;

    *names = NULL;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, before_ms);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)limit);
    while ((row = tx_step(tx, st, err)) > 0)
        buf_printf(&text, "%s%s", text.len > 0 ? "," : "", (const char *)sqlite3_column_text(st, 0));
    if (row == 0)
        *names = xstrdup(buf_str(&text));
    buf_free(&text);
    return row;
}
