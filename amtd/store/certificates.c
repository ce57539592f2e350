#include "amtd/store/certificates.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"

#define SEAL_OWNER "certificate authority"
#define KEY_MAX    8192

void authority_row_clear(struct authority_row *row)
{
    buf_free(&row->der);
    memset(row, 0, sizeof(*row));
}

void certificate_row_clear(struct certificate_row *row)
{
    free(row->host);
    free(row->pin);
    buf_free(&row->der);
    memset(row, 0, sizeof(*row));
}

static struct buf column_bytes(sqlite3_stmt *st, int i)
{
    struct buf out = buf_init(AUTHORITY_DER_MAX);

    buf_add(&out, sqlite3_column_blob(st, i), (size_t)sqlite3_column_bytes(st, i));
    return out;
}

/* --- the CA --- */

static void take_authority(struct tx *tx, sqlite3_stmt *st, void *row, void *arg)
{
    (void)tx;
    (void)arg;
    *(struct authority_row *)row =
        (struct authority_row){.id = sqlite3_column_int64(st, 0),
                               .state = (enum authority_state)sqlite3_column_int(st, 1),
                               .der = column_bytes(st, 2),
                               .since_ms = sqlite3_column_int64(st, 3),
                               .certificates = (uint32_t)sqlite3_column_int64(st, 4)};
}

int tx_authorities(struct tx *tx, struct authority_row **rows, size_t *count, struct err *err)
{
    void *all;
    int status;
    sqlite3_stmt *st = tx_prepare(tx,
                                  "SELECT a.id, a.state, a.der, a.since, (SELECT count(*) FROM certificates c"
                                  " WHERE c.authority = a.id AND c.state < 2) FROM authorities a"
                                  " ORDER BY a.id DESC",
                                  err);

    status = tx_rows(tx, st, sizeof(**rows), take_authority, NULL, &all, count, err);
    *rows = all;
    return status;
}

/* Those renewed that no machine has a certificate of any more. */
static int retire(struct tx *tx, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "UPDATE authorities SET state = 2 WHERE state = 1 AND NOT EXISTS"
                                  " (SELECT 1 FROM certificates c WHERE c.authority = authorities.id AND"
                                  " c.state < 2)",
                                  err);

    return st ? tx_run_statement(tx, st, err) : -1;
}

static int add_authority(struct tx *tx, const struct buf *der, const struct secret *key, int64_t now_ms,
                         struct err *err)
{
    struct buf sealed = buf_init(KEY_MAX);
    struct leaf leaf;
    sqlite3_stmt *st;
    int status = -1;

    if (leaf_read(&leaf, der->p, der->len, err) == 0 &&
        seal_secret(tx->seal, SEAL_OWNER, key, &sealed, err) == 0 &&
        (st = tx_prepare(
             tx, "INSERT INTO authorities(state, der, key, since, until) VALUES (0, ?1, ?2, ?3, ?4)", err))) {
        sqlite3_bind_blob(st, 1, der->p, (int)der->len, SQLITE_TRANSIENT);
        sqlite3_bind_blob(st, 2, sealed.p, (int)sealed.len, SQLITE_TRANSIENT);
        sqlite3_bind_int64(st, 3, now_ms);
        sqlite3_bind_int64(st, 4, leaf.until_ms);
        status = tx_run_statement(tx, st, err);
    }
    leaf_clear(&leaf);
    buf_free(&sealed);
    return status;
}

int tx_authority_renew(struct tx *tx, int64_t now_ms, struct err *err)
{
    struct buf der = buf_init(AUTHORITY_DER_MAX);
    struct secret *key = NULL;
    int status = authority_make(now_ms, &der, &key, err);

    if (status == 0)
        status = tx_exec(tx, "UPDATE authorities SET state = 1 WHERE state = 0", err);
    if (status == 0)
        status = add_authority(tx, &der, key, now_ms, err);
    if (status == 0)
        status = retire(tx, err);
    buf_free(&der);
    secret_free(key);
    return status;
}

int tx_authority_need(struct tx *tx, int64_t now_ms, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT 1 FROM authorities WHERE state = 0", err);
    int row = st ? tx_step(tx, st, err) : -1;

    if (st)
        sqlite3_reset(st);
    return row != 0 ? (row > 0 ? 0 : -1) : tx_authority_renew(tx, now_ms, err);
}

/* The CA that signs, with its key. */
static int current(struct tx *tx, int64_t *id, struct buf *der, struct secret **key, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT id, der, key FROM authorities WHERE state = 0", err);
    int row;

    *key = NULL;
    if (!st)
        return -1;
    row = tx_step(tx, st, err);
    if (row == 0)
        err_set(err, CAUSE_NOT_FOUND, "amtd has no CA yet: it is made with the first certificate");
    if (row > 0) {
        *id = sqlite3_column_int64(st, 0);
        *der = column_bytes(st, 1);
        *key = seal_unseal(tx->seal, SEAL_OWNER, sqlite3_column_blob(st, 2),
                           (size_t)sqlite3_column_bytes(st, 2), NULL);
        if (!*key)
            err_set(err, CAUSE_SEAL_BROKEN,
                    "the key of amtd's CA cannot be opened; if it is lost, make a new CA: amtcli certificate "
                    "ca renew");
    }
    sqlite3_reset(st);
    if (*key)
        return 0;
    if (row > 0)
        buf_free(der);
    return -1;
}

static int sign(struct tx *tx, const struct leaf_order *order, int64_t *authority, struct buf *der,
                struct err *err)
{
    struct secret *key;
    struct buf ca;
    int status;

    if (current(tx, authority, &ca, &key, err) != 0)
        return -1;
    status = authority_issue(&ca, key, order, der, err);
    secret_free(key);
    buf_free(&ca);
    return status;
}

int tx_certificate_own(struct tx *tx, const struct leaf_order *order, struct buf *der, struct err *err)
{
    int64_t authority;

    return sign(tx, order, &authority, der, err);
}

/* --- certificates of hosts --- */

static int set_fact(struct tx *tx, int64_t host_id, const char *name, const char *value, struct err *err)
{
    struct pairs facts = {0};
    int status;

    pairs_set(&facts, name, value);
    status = tx_host_facts(tx, host_id, &facts, err);
    pairs_clear(&facts);
    return status;
}

int tx_certificate_begin(struct tx *tx, int64_t host_id, const char *before, int64_t run, int64_t at_ms,
                         struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "INSERT INTO certificates(host, name, state, before, at, run)"
                                  " SELECT id, name, 1, ?2, ?3, ?4 FROM hosts WHERE id = ?1"
                                  " ON CONFLICT(host, state) WHERE state < 2 DO UPDATE SET at = ?3, run = ?4",
                                  err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    bind_text(st, 2, before);
    sqlite3_bind_int64(st, 3, at_ms);
    sqlite3_bind_int64(st, 4, run);
    if (tx_run_statement(tx, st, err) != 0)
        return -1;
    return sqlite3_changes(tx->db) > 0 ? 0 : err_set(err, CAUSE_NOT_FOUND, "the host was removed");
}

/* One that was signed before and is not the next any more stays as one given up. */
static int put_aside(struct tx *tx, int64_t host_id, int64_t at_ms, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx,
                   "INSERT INTO certificates(host, name, state, der, pin, until, authority,"
                   " before, at, run) SELECT host, name, 2, der, pin, until, authority, '', ?2,"
                   " run FROM certificates WHERE host = ?1 AND state = 1 AND pin IS NOT NULL",
                   err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    sqlite3_bind_int64(st, 2, at_ms);
    return tx_run_statement(tx, st, err);
}

static int put_leaf(struct tx *tx, int64_t host_id, const struct buf *der, int64_t authority, struct err *err)
{
    sqlite3_stmt *st;
    struct leaf leaf;
    int status = leaf_read(&leaf, der->p, der->len, err);

    if (status == 0 &&
        (st = tx_prepare(tx,
                         "UPDATE certificates SET der = ?2, pin = ?3, until = ?4, authority = ?5"
                         " WHERE host = ?1 AND state = 1",
                         err))) {
        sqlite3_bind_int64(st, 1, host_id);
        sqlite3_bind_blob(st, 2, der->p, (int)der->len, SQLITE_TRANSIENT);
        bind_text(st, 3, leaf.pin);
        sqlite3_bind_int64(st, 4, leaf.until_ms);
        sqlite3_bind_int64(st, 5, authority);
        status = tx_run_statement(tx, st, err);
        if (status == 0)
            status = set_fact(tx, host_id, "tls.pin.next", leaf.pin, err);
    } else {
        status = -1;
    }
    leaf_clear(&leaf);
    return status;
}

int tx_certificate_issue(struct tx *tx, int64_t host_id, const struct leaf_order *order, int64_t run,
                         int64_t at_ms, struct buf *der, struct err *err)
{
    int64_t authority;

    if (tx_certificate_begin(tx, host_id, "", run, at_ms, err) != 0 ||
        put_aside(tx, host_id, at_ms, err) != 0 || sign(tx, order, &authority, der, err) != 0)
        return -1;
    return put_leaf(tx, host_id, der, authority, err);
}

static int change_state(struct tx *tx, int64_t host_id, enum certificate_state from,
                        enum certificate_state to, int64_t at_ms, struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "UPDATE certificates SET state = ?3, at = ?4 WHERE host = ?1 AND state = ?2", err);

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    sqlite3_bind_int(st, 2, (int)from);
    sqlite3_bind_int(st, 3, (int)to);
    sqlite3_bind_int64(st, 4, at_ms);
    return tx_run_statement(tx, st, err);
}

/* The pin and end of the host's certificate in this state; the caller's pin, NULL: there is none. */
static int pin_of(struct tx *tx, int64_t host_id, enum certificate_state state, char **pin, int64_t *until_ms,
                  struct err *err)
{
    sqlite3_stmt *st =
        tx_prepare(tx, "SELECT pin, until FROM certificates WHERE host = ?1 AND state = ?2", err);
    int row;

    *pin = NULL;
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    sqlite3_bind_int(st, 2, (int)state);
    row = tx_step(tx, st, err);
    if (row > 0) {
        *pin = column_text(st, 0);
        *until_ms = sqlite3_column_int64(st, 1);
    }
    sqlite3_reset(st);
    return row < 0 ? -1 : 0;
}

static int trust(struct tx *tx, int64_t host_id, const char *pin, int64_t until_ms, struct err *err)
{
    char text[CLOCK_TEXT_MAX];

    return set_fact(tx, host_id, "tls.pin", pin, err) != 0 ||
                   set_fact(tx, host_id, "tls.not-after", until_ms ? clock_text(until_ms, text) : "", err) !=
                       0 ||
                   set_fact(tx, host_id, "tls.pin.next", "", err) != 0
               ? -1
               : retire(tx, err);
}

int tx_certificate_settle(struct tx *tx, int64_t host_id, const char *pin, int64_t at_ms, struct err *err)
{
    int64_t until_ms = 0;
    char *proven, *next;
    int status = pin_of(tx, host_id, CERTIFICATE_PROVEN, &proven, &until_ms, err);

    if (status != 0)
        return -1;
    if (proven && strcmp(proven, pin) == 0) { /* it was the right one already */
        status = change_state(tx, host_id, CERTIFICATE_NEXT, CERTIFICATE_GIVEN_UP, at_ms, err);
        if (status == 0)
            status = trust(tx, host_id, pin, until_ms, err);
        free(proven);
        return status;
    }
    free(proven);
    status = pin_of(tx, host_id, CERTIFICATE_NEXT, &next, &until_ms, err);
    if (status == 0 && next && strcmp(next, pin) == 0 &&
        (change_state(tx, host_id, CERTIFICATE_PROVEN, CERTIFICATE_GIVEN_UP, at_ms, err) != 0 ||
         change_state(tx, host_id, CERTIFICATE_NEXT, CERTIFICATE_PROVEN, at_ms, err) != 0 ||
         trust(tx, host_id, pin, until_ms, err) != 0))
        status = -1;
    free(next);
    return status;
}

int tx_certificate_give_up(struct tx *tx, int64_t host_id, int64_t at_ms, struct err *err)
{
    if (change_state(tx, host_id, CERTIFICATE_PROVEN, CERTIFICATE_GIVEN_UP, at_ms, err) != 0 ||
        change_state(tx, host_id, CERTIFICATE_NEXT, CERTIFICATE_GIVEN_UP, at_ms, err) != 0 ||
        set_fact(tx, host_id, "tls.old-roots", "", err) != 0)
        return -1;
    return trust(tx, host_id, "", 0, err);
}

static void take_certificate(struct tx *tx, sqlite3_stmt *st, void *row, void *arg)
{
    (void)tx;
    (void)arg;
    *(struct certificate_row *)row =
        (struct certificate_row){.host = column_text(st, 0),
                                 .state = (enum certificate_state)sqlite3_column_int(st, 1),
                                 .der = column_bytes(st, 2),
                                 .pin = column_text(st, 3),
                                 .until_ms = sqlite3_column_int64(st, 4),
                                 .authority = sqlite3_column_int64(st, 5),
                                 .at_ms = sqlite3_column_int64(st, 6),
                                 .run = sqlite3_column_int64(st, 7),
                                 .current = sqlite3_column_type(st, 8) == SQLITE_INTEGER &&
                                            sqlite3_column_int(st, 8) == AUTHORITY_CURRENT,
                                 .old_roots = (uint32_t)sqlite3_column_int64(st, 9)};
}

int tx_certificates(struct tx *tx, const char *host, bool former, struct certificate_row **rows,
                    size_t *count, struct err *err)
{
    void *all;
    int status;
    sqlite3_stmt *st =
        tx_prepare(tx,
                   "SELECT ifnull(h.name, c.name), c.state, c.der, c.pin, c.until, c.authority, c.at, c.run,"
                   " (SELECT a.state FROM authorities a WHERE a.id = c.authority), (SELECT CAST(f.value AS"
                   " INTEGER) FROM facts f WHERE f.host = c.host AND f.name = 'tls.old-roots')"
                   " FROM certificates c"
                   " LEFT JOIN hosts h ON h.id = c.host WHERE (?1 IS NULL OR ifnull(h.name, c.name) = ?1) AND"
                   " (c.state < 2 OR ?2) ORDER BY 1 COLLATE natural_order, c.state, c.id DESC",
                   err);

    if (st) {
        bind_text(st, 1, host);
        sqlite3_bind_int64(st, 2, former);
    }
    status = tx_rows(tx, st, sizeof(**rows), take_certificate, NULL, &all, count, err);
    *rows = all;
    return status;
}

/* --- what a task needs to know --- */

static json_t *base64(const void *p, size_t n)
{
    struct buf text = buf_init(2 * AUTHORITY_DER_MAX);
    json_t *json;

    text_base64(&text, p, n);
    json = json_string(buf_str(&text));
    buf_free(&text);
    return json;
}

static json_t *known_authorities(struct tx *tx, struct err *err)
{
    struct authority_row *rows;
    size_t count;
    json_t *out = tx_authorities(tx, &rows, &count, err) == 0 ? json_array() : NULL;

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(out, json_pack("{s:o, s:I}", "der", base64(rows[i].der.p, rows[i].der.len),
                                             "since", (json_int_t)rows[i].since_ms));
        authority_row_clear(&rows[i]);
    }
    free(rows);
    return out;
}

static int add_former(struct tx *tx, int64_t host_id, json_t *json, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "SELECT der FROM certificates WHERE host = ?1 AND state = 2 AND der IS NOT"
                                  " NULL ORDER BY id DESC LIMIT 8",
                                  err);
    json_t *former = json_array();
    int row;

    json_object_set_new(json, "former", former);
    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    while ((row = tx_step(tx, st, err)) > 0)
        json_array_append_new(former,
                              base64(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0)));
    return row;
}

static int add_under_way(struct tx *tx, int64_t host_id, json_t *json, struct err *err)
{
    static const char *const names[] = {"proven", "next"};
    sqlite3_stmt *st =
        tx_prepare(tx, "SELECT state, pin, before FROM certificates WHERE host = ?1 AND state < 2", err);
    int row;

    if (!st)
        return -1;
    sqlite3_bind_int64(st, 1, host_id);
    while ((row = tx_step(tx, st, err)) > 0) {
        const char *pin = (const char *)sqlite3_column_text(st, 1);
        const char *before = (const char *)sqlite3_column_text(st, 2);
        int state = sqlite3_column_int(st, 0);

        json_object_set_new(json, names[state], json_string(pin ? pin : ""));
        if (state == CERTIFICATE_NEXT)
            json_object_set_new(json, "before", json_string(before ? before : ""));
    }
    return row;
}

static int add_alerts(struct tx *tx, json_t *json, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "SELECT 1 FROM alert_base WHERE url LIKE 'https://%'", err);
    int row = st ? tx_step(tx, st, err) : -1;

    if (st)
        sqlite3_reset(st);
    json_object_set_new(json, "secured_alerts", json_boolean(row > 0));
    return row < 0 ? -1 : 0;
}

/* What amtd shows to devices that ask for a certificate. */
static int add_clients(struct tx *tx, json_t *json, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx,
                                  "SELECT DISTINCT client_cert_file FROM profiles WHERE client_cert_file IS"
                                  " NOT NULL",
                                  err);
    json_t *clients = json_array();
    int row;

    json_object_set_new(json, "clients", clients);
    if (!st)
        return -1;
    while ((row = tx_step(tx, st, err)) > 0)
        json_array_append_new(clients, json_string((const char *)sqlite3_column_text(st, 0)));
    return row;
}

int tx_certificate_known(struct tx *tx, int64_t host_id, char **text, struct err *err)
{
    json_t *authorities = known_authorities(tx, err), *json;
    int status;

    *text = NULL;
    if (!authorities)
        return -1;
    json = json_pack("{s:o}", "authorities", authorities);
    status = add_former(tx, host_id, json, err) != 0 || add_alerts(tx, json, err) != 0 ||
                     add_clients(tx, json, err) != 0
                 ? -1
                 : add_under_way(tx, host_id, json, err);
    if (status == 0)
        *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return status;
}
