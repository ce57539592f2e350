/* amtd's CA, and the certificates of hosts, in the store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/store/certificates.h"
#include "base/clock.h"
#include "tests/unit/store/store_scene.h"

#define DAY ((int64_t)86400000)

static struct buf private_key, public_key;
static const char *const names[] = {"pc1", "127.0.0.1", NULL};

/* "proven next" pins of the host as far as the store trusts them, by their first four digits. */
static void expect_trust(struct tx *tx, const char *pin, const char *next)
{
    struct err err = ERR_INIT;
    const char *got;
    struct host host;

    assert_int_equal(tx_host_get(tx, "pc1", &host, &err), 0);
    got = pairs_get(&host.facts, "tls.pin");
    assert_string_equal(got ? got : "", pin);
    got = pairs_get(&host.facts, "tls.pin.next");
    assert_string_equal(got ? got : "", next);
    host_clear(&host);
}

static void issue(struct tx *tx, int64_t host, char pin[AUTHORITY_PIN + 1])
{
    int64_t now = clock_wall(clock_system());
    struct leaf_order order = {
        .names = names, .from_ms = now, .until_ms = now + 400 * DAY, .public_key = &public_key};
    struct buf der = buf_init(AUTHORITY_DER_MAX);
    struct err err = ERR_INIT;
    struct leaf leaf;

    assert_int_equal(tx_certificate_issue(tx, host, &order, 7, now, &der, &err), 0);
    assert_int_equal(leaf_read(&leaf, der.p, der.len, &err), 0);
    memcpy(pin, leaf.pin, AUTHORITY_PIN + 1);
    assert_string_equal(leaf.names, "pc1, 127.0.0.1");
    assert_true(leaf_carries(der.p, der.len, names));
    leaf_clear(&leaf);
    buf_free(&der);
}

/* The states of the CAs, newest first, as digits. */
static void expect_authorities(struct tx *tx, const char *want)
{
    struct err err = ERR_INIT;
    struct authority_row *rows;
    char got[20] = "";
    size_t count;

    assert_int_equal(tx_authorities(tx, &rows, &count, &err), 0);
    for (size_t i = 0; i < count; i++) {
        got[i] = (char)('0' + rows[i].state);
        authority_row_clear(&rows[i]);
    }
    free(rows);
    assert_string_equal(got, want);
}

static void expect_rows(struct tx *tx, const char *want)
{
    struct err err = ERR_INIT;
    struct certificate_row *rows;
    char got[20] = "";
    size_t count;

    assert_int_equal(tx_certificates(tx, "pc1", true, &rows, &count, &err), 0);
    for (size_t i = 0; i < count; i++) {
        got[i] = (char)('0' + rows[i].state);
        certificate_row_clear(&rows[i]);
    }
    free(rows);
    assert_string_equal(got, want);
}

/* "+" for renewed, "-" for ending; each is told once. */
static void expect_notices(struct tx *tx, int64_t now, const char *want)
{
    struct err err = ERR_INIT;
    struct certificate_notice *notices;
    char got[20] = "";
    size_t count;

    assert_int_equal(tx_certificate_notices(tx, now, &notices, &count, &err), 0);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(notices[i].host, "pc1");
        got[i] = notices[i].renewed ? '+' : '-';
        certificate_notice_clear(&notices[i]);
    }
    free(notices);
    assert_string_equal(got, want);
    if (want[0])
        expect_notices(tx, now, "");
}

static int work_certificates(struct tx *tx, void *arg, struct err *err)
{
    char first[AUTHORITY_PIN + 1], second[AUTHORITY_PIN + 1], third[AUTHORITY_PIN + 1], *known;
    struct host host = {.name = (char *)"pc1"};
    int64_t id, now = clock_wall(clock_system());

    (void)arg;
    assert_int_equal(tx_host_add(tx, &host, &id, err), 0);
    expect_authorities(tx, "");
    assert_int_equal(tx_authority_need(tx, now, err), 0);
    assert_int_equal(tx_authority_need(tx, now, err), 0);
    expect_authorities(tx, "0");
    assert_int_equal(tx_certificate_begin(tx, id, "{\"keys\":[]}", 7, now, err), 0);
    issue(tx, id, first);
    expect_trust(tx, "", first);
    expect_rows(tx, "1");
    assert_int_equal(tx_certificate_known(tx, id, &known, err), 0);
    assert_non_null(strstr(known, "{\\\"keys\\\":[]}"));
    free(known);
    assert_int_equal(tx_certificate_settle(tx, id, first, now, err), 0);
    expect_trust(tx, first, "");
    expect_notices(tx, now, "+");
    expect_notices(tx, now + 369 * DAY, "");
    expect_notices(tx, now + 371 * DAY, "-");
    expect_notices(tx, now + 380 * DAY, "");
    expect_notices(tx, now + 394 * DAY, "-");
    expect_notices(tx, now + 401 * DAY, "-"); /* the day before was slept through */
    /* broken off, begun again: both stay trusted until one is proved */
    issue(tx, id, second);
    expect_trust(tx, first, second);
    issue(tx, id, third);
    expect_trust(tx, first, third);
    expect_rows(tx, "012");
    assert_int_equal(tx_certificate_settle(tx, id, first, now, err), 0); /* it never arrived */
    expect_trust(tx, first, "");
    expect_rows(tx, "022");
    /* a new CA: the one before is trusted as long as the host has a certificate of it */
    assert_int_equal(tx_authority_renew(tx, now, err), 0);
    expect_authorities(tx, "01");
    issue(tx, id, second);
    expect_authorities(tx, "01");
    assert_int_equal(tx_certificate_settle(tx, id, second, now, err), 0);
    expect_authorities(tx, "02");
    assert_int_equal(tx_certificate_give_up(tx, id, now, err), 0);
    expect_trust(tx, "", "");
    expect_rows(tx, "2222");
    issue(tx, id, first);
    assert_int_equal(tx_host_remove(tx, id, err), 0);
    expect_rows(tx, "22222");
    assert_int_equal(tx_certificate_begin(tx, id, "", 1, now, err), -1);
    assert_int_equal(err->cause, CAUSE_NOT_FOUND);
    err_clear(err);
    return 0;
}

static void certificates(void **state)
{
    struct err err = ERR_INIT;

    private_key = buf_init(AUTHORITY_DER_MAX);
    public_key = buf_init(AUTHORITY_DER_MAX);
    assert_int_equal(authority_key(&private_key, &public_key, &err), 0);
    assert_int_equal(in_store(*state, work_certificates, NULL), CAUSE_NONE);
    buf_free(&private_key);
    buf_free(&public_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(certificates, scene_setup, scene_teardown)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
