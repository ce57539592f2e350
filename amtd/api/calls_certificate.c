/* certificate.list, ca, ca_renew and client: amtd's CA, and the certificates it gave. They are given by
 * run.start. */
#include <stdlib.h>

#include "amtd/api/calls.h"
#include "amtd/store/certificates.h"
#include "base/clock.h"

#define PEM_MAX         16384
#define DAY_MS          ((int64_t)24 * 3600 * 1000)
#define CLIENT_DAYS     365
#define CLIENT_DAYS_MAX 1825

static const char *const states[] = {
    [CERTIFICATE_PROVEN] = "proved", [CERTIFICATE_NEXT] = "unproved", [CERTIFICATE_GIVEN_UP] = "former"};
static const char *const ca_states[] = {
    [AUTHORITY_CURRENT] = "current", [AUTHORITY_TRUSTED] = "trusted", [AUTHORITY_RETIRED] = "retired"};

/* What the certificate says, and itself as PEM. */
static void add_leaf(json_t *json, const struct buf *der)
{
    struct buf pem = buf_init(PEM_MAX);
    struct leaf leaf;

    if (leaf_read(&leaf, der->p, der->len, NULL) == 0) {
        authority_pem(der->p, der->len, &pem);
        json_object_set_new(json, "subject", json_string(leaf.subject));
        json_object_set_new(json, "issuer", json_string(leaf.issuer));
        json_object_set_new(json, "names", json_string(leaf.names));
        json_object_set_new(json, "sha256", json_string(leaf.pin));
        json_object_set_new(json, "from", json_time(leaf.from_ms));
        json_object_set_new(json, "until", json_time(leaf.until_ms));
        json_object_set_new(json, "pem", json_string(buf_str(&pem)));
    }
    leaf_clear(&leaf);
    buf_free(&pem);
}

static json_t *describe(const struct certificate_row *row)
{
    json_t *json = json_pack("{s:s, s:s, s:o, s:I}", "host", row->host, "state", states[row->state], "since",
                             json_time(row->at_ms), "run", (json_int_t)row->run);

    if (row->old_roots > 0 && row->state == CERTIFICATE_PROVEN)
        json_object_set_new(json, "old_roots", json_integer(row->old_roots));
    if (row->der.len > 0) {
        json_object_set_new(json, "ca", json_string(row->current ? "current" : "renewed"));
        add_leaf(json, &row->der);
    }
    return json;
}

/* Those of these hosts; rows and hosts are in the same order of names. */
static int list_rows(struct tx *tx, const struct hosts *hosts, bool former, json_t *out, struct err *err)
{
    struct certificate_row *rows;
    size_t count, at = 0;
    int status = tx_certificates(tx, NULL, former, &rows, &count, err);

    for (size_t i = 0; i < count; i++) {
        if (status == 0 && hosts_reach(hosts, &at, rows[i].host))
            json_array_append_new(out, describe(&rows[i]));
        certificate_row_clear(&rows[i]);
    }
    free(rows);
    return status;
}

int call_certificate_list(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    bool former = json_is_true(json_object_get(params, "former"));
    const char *target = param_text(params, "target") ? param_text(params, "target") : "all";
    struct hosts hosts;
    int status;

    *reply = json_array();
    if (tx_target_bare(tx, target, &hosts, err) != 0)
        return -1;
    status = list_rows(tx, &hosts, former, *reply, err);
    hosts_clear(&hosts);
    return status;
}

int call_certificate_ca(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct authority_row *rows;
    size_t count;
    int status = tx_authorities(tx, &rows, &count, err);

    (void)params;
    *reply = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *json = json_pack("{s:s, s:o, s:i}", "state", ca_states[rows[i].state], "since",
                                 json_time(rows[i].since_ms), "certificates", (int)rows[i].certificates);

        add_leaf(json, &rows[i].der);
        json_array_append_new(*reply, json);
        authority_row_clear(&rows[i]);
    }
    free(rows);
    return status;
}

/* For amtd itself, or a browser: what devices with mutual TLS let in. The key is nowhere but in the answer.
 */
int call_certificate_client(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    const json_t *days = json_object_get(params, "days");
    const char *const names[] = {param_text(params, "name"), NULL};
    struct buf der = buf_init(AUTHORITY_DER_MAX), pem = buf_init(PEM_MAX);
    struct buf key = buf_init_secret(AUTHORITY_DER_MAX), public_key = buf_init(AUTHORITY_DER_MAX);
    struct buf key_pem = buf_init_secret(PEM_MAX);
    int64_t now = clock_wall(clock_system());
    const struct leaf_order order = {.names = names,
                                     .from_ms = now - DAY_MS,
                                     .until_ms =
                                         now + (days ? json_integer_value(days) : CLIENT_DAYS) * DAY_MS,
                                     .public_key = &public_key,
                                     .client = true};
    int status = -1;

    *reply = NULL;
    if (days && (json_integer_value(days) < 1 || json_integer_value(days) > CLIENT_DAYS_MAX))
        err_set(err, CAUSE_INVALID_ARGUMENT, "'days' must be from 1 to %d", CLIENT_DAYS_MAX);
    else if (tx_authority_need(tx, now, err) == 0 && authority_key(&key, &public_key, err) == 0 &&
             tx_certificate_own(tx, &order, &der, err) == 0)
        status = authority_key_pem(&key, &key_pem, err);
    if (status == 0) {
        authority_pem(der.p, der.len, &pem);
        *reply = json_pack("{s:s, s:s}", "certificate", buf_str(&pem), "key", buf_str(&key_pem));
    }
    buf_free(&der);
    buf_free(&pem);
    buf_free(&key);
    buf_free(&public_key);
    buf_free(&key_pem);
    return status;
}

int call_certificate_ca_renew(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    return tx_authority_renew(tx, clock_wall(clock_system()), err) == 0
               ? call_certificate_ca(tx, params, reply, err)
               : -1;
}
