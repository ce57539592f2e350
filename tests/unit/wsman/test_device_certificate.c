/* A simulated device gets certificates, and loses the way at every step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/peer/authority.h"
#include "tests/amtsim/class.h"
#include "tests/amtsim/keyring.h"
#include "tests/amtsim/tls.h"
#include "tests/amtsim/tls_settings.h"
#include "tests/unit/wsman/sd_bench.h"
#include "wsman/device_certificate.h"

#define NAME "pc0001.sim.example"
#define YEAR ((int64_t)365 * 24 * 3600 * 1000)

static struct sim sim;
static struct sd_bench bench;
static struct certificate_seq cs;
static struct err err;
static struct tls_store *keys;  /* of the fleet */
static struct buf ca, other_ca; /* that of today, and one to renew it with: made once, as keys take long */
static struct secret *ca_key, *other_key;
static const char *const names[] = {NAME, "127.16.0.1", NULL};

/* What an owner keeps, as amtd does. */
static struct {
    char next[AUTHORITY_PIN + 1], replaces[AUTHORITY_PIN + 1];
    bool force, no_leaf, unfinished;
    struct buf keys_before[CERTIFICATE_OBJECTS_MAX];
    size_t key_count;
    bool noted;
    struct buf given[8]; /* keys of the certificates that were made */
    unsigned leaves;
    bool mutual;         /* was on, or to be, at the first change */
    struct buf old_root; /* of the CA of before; empty: none */
    enum certificate_root_kind old_kind;
} owner;

static int64_t now_ms(void)
{
    return clock_wall(clock_system());
}

static enum certificate_kind judge(void *arg, const void *der, size_t n, struct buf *key)
{
    enum certificate_kind kind = CERTIFICATE_FOREIGN;
    struct leaf leaf;

    (void)arg;
    if (leaf_read(&leaf, der, n, NULL) == 0) {
        buf_add(key, leaf.key.p, leaf.key.len);
        if (authority_signed(&ca, der, n))
            kind = strcmp(leaf.pin, owner.next) == 0 || !owner.force ? CERTIFICATE_FIT : CERTIFICATE_FORMER;
    }
    leaf_clear(&leaf);
    return kind;
}

static bool owns_key(void *arg, const void *key, size_t n)
{
    (void)arg;
    for (unsigned i = 0; i < owner.leaves; i++)
        if (owner.given[i].len == n && memcmp(owner.given[i].p, key, n) == 0)
            return true;
    for (size_t i = 0; i < owner.key_count; i++)
        if (owner.keys_before[i].len == n && memcmp(owner.keys_before[i].p, key, n) == 0)
            return false;
    return owner.noted;
}

static bool replaced(void *arg, const void *der, size_t n)
{
    struct leaf leaf;
    bool was;

    (void)arg;
    was = leaf_read(&leaf, der, n, NULL) == 0 && strcmp(leaf.pin, owner.replaces) == 0;
    leaf_clear(&leaf);
    return was;
}

static enum certificate_root_kind judge_root(void *arg, const void *der, size_t n)
{
    (void)arg;
    return owner.old_root.len == n && memcmp(owner.old_root.p, der, n) == 0 ? owner.old_kind
                                                                            : CERTIFICATE_ROOT_STAYS;
}

static int request(void *arg, const void *key, size_t n, struct buf *out, struct err *e)
{
    (void)arg;
    return authority_request(names, key, n, out, e);
}

static void settle_device(void)
{
    tls_settings_restart(bench.device);
}

/* What is noted before the first change: when all that the device has was read. */
static void after(void *arg)
{
    const struct certificate_object *bound = certificate_bound(&cs);
    struct leaf leaf;

    (void)arg;
    settle_device();
    if (owner.noted || cs.setting_count == 0)
        return;
    owner.noted = true;
    owner.mutual = certificate_remote(&cs) && certificate_remote(&cs)->mutual;
    for (size_t i = 0; i < cs.keys.count; i++) {
        owner.keys_before[owner.key_count] = buf_init(CERTIFICATE_DER_MAX);
        buf_add(&owner.keys_before[owner.key_count++], cs.keys.items[i].der.p, cs.keys.items[i].der.len);
    }
    if (bound && leaf_read(&leaf, bound->der.p, bound->der.len, NULL) == 0) {
        memcpy(owner.replaces, leaf.pin, sizeof(owner.replaces));
        leaf_clear(&leaf);
    }
}

static bool shows(const struct buf *leaf)
{
    struct tls_settings s = tls_settings(bench.device);
    struct keyring_certificate *c =
        s.served >= 0 ? keyring_certificate(keyring_of(bench.device), (uint32_t)s.served) : NULL;
    X509 *x = c ? keyring_x509(bench.device, c) : NULL;
    unsigned char *der = NULL;
    int n = x ? i2d_X509(x, &der) : 0;
    bool same = bench.device->tls != DEVICE_TLS_NONE && n > 0 && (size_t)n == leaf->len &&
                memcmp(der, leaf->p, leaf->len) == 0;

    OPENSSL_free(der);
    X509_free(x);
    return same;
}

static void issue(void)
{
    struct leaf_order order = {.names = names,
                               .from_ms = now_ms() - 1000,
                               .until_ms = now_ms() + YEAR,
                               .public_key = &cs.public_key,
                               .request = &cs.signed_request};
    struct leaf leaf;

    if (owner.no_leaf) {
        err_set(&cs.failure, CAUSE_SEAL_BROKEN, "no CA");
        return;
    }
    owner.given[owner.leaves] = buf_init(CERTIFICATE_DER_MAX);
    buf_add(&owner.given[owner.leaves++], cs.public_key.p, cs.public_key.len);
    assert_int_equal(authority_issue(&ca, ca_key, &order, &cs.leaf, &cs.failure), 0);
    assert_int_equal(leaf_read(&leaf, cs.leaf.p, cs.leaf.len, NULL), 0);
    memcpy(owner.next, leaf.pin, sizeof(owner.next));
    leaf_clear(&leaf);
}

static void hold(void *arg)
{
    (void)arg;
    if (cs.wants == CERTIFICATE_WANTS_KEY) {
        assert_int_equal(authority_key(&cs.private_key, &cs.public_key, &cs.failure), 0);
    } else if (cs.wants == CERTIFICATE_WANTS_LEAF) {
        issue();
    } else {
        assert_int_equal(cs.wants, CERTIFICATE_WANTS_PROOF);
        settle_device();
        cs.proved = bench.die_at == 0 && shows(&cs.leaf);
        if (!cs.proved)
            err_set(&cs.failure, CAUSE_TLS_FAILED, "another one");
    }
}

static void forget(void)
{
    for (size_t i = 0; i < owner.key_count; i++)
        buf_free(&owner.keys_before[i]);
    for (unsigned i = 0; i < owner.leaves; i++)
        buf_free(&owner.given[i]);
    buf_free(&owner.old_root);
    memset(&owner, 0, sizeof(owner));
}

static void begin(unsigned generation)
{
    sim_start(&sim, 1, generation);
    sim.time.wall = now_ms();
    sim.fleet->tls = keys; /* made once */
    memset(&bench, 0, sizeof(bench));
    bench.sim = &sim;
    bench.device = &sim.fleet->devices[0];
    bench.hold = hold;
    bench.after = after;
    forget();
    err_clear(&err);
}

static void finish(void)
{
    certificate_seq_clear(&cs);
    memset(&cs, 0, sizeof(cs));
    settle_device();
    sim.fleet->tls = NULL;
    sim_stop(&sim);
}

static int make_ca(void **state)
{
    (void)state;
    ca = buf_init(AUTHORITY_DER_MAX);
    other_ca = buf_init(AUTHORITY_DER_MAX);
    keys = tls_store_new(NULL, &err);
    assert_non_null(keys);
    return authority_make(now_ms(), &other_ca, &other_key, &err) == 0
               ? authority_make(now_ms(), &ca, &ca_key, &err)
               : -1;
}

static int drop_ca(void **state)
{
    (void)state;
    forget();
    tls_store_free(keys);
    buf_free(&ca);
    buf_free(&other_ca);
    secret_free(ca_key);
    secret_free(other_key);
    return 0;
}

static int run(struct certificate_request r)
{
    static struct certificate_root root;

    root = (struct certificate_root){ca.p, ca.len};
    r.roots = &root;
    r.root_count = 1;
    r.unfinished = owner.unfinished;
    r.mutual_was = owner.unfinished && owner.mutual;
    r.clock = clock_system();
    r.judge = judge;
    r.owns_key = owns_key;
    r.replaced = replaced;
    r.judge_root = judge_root;
    r.request = request;
    certificate_seq_clear(&cs);
    certificate_seq_init(&cs, &r);
    err_clear(&err);
    if (sd_bench_run(&bench, &cs.seq, &err) == 0)
        return 0;
    print_message("%s: %s\n", seq_step_name(&cs.seq), err.text);
    return -1;
}

static const struct certificate_request install = {.action = CERTIFICATE_INSTALL};

/* One certificate of ours, in use, with its key, and nothing besides. */
static void is_well(size_t roots)
{
    struct keyring *k = keyring_of(bench.device);
    struct buf key = buf_init(CERTIFICATE_DER_MAX);

    if (k->key_count != 1 || k->certificate_count != 1 + roots)
        print_message("lost: %zu%s, dead: %zu\n", bench.lose_at, bench.lose_first ? " before" : "",
                      bench.die_at);
    assert_int_equal(k->key_count, 1);
    assert_int_equal(k->certificate_count, 1 + roots);
    assert_int_not_equal(bench.device->tls, DEVICE_TLS_NONE);
    assert_int_equal(judge(NULL, cs.leaf.p, cs.leaf.len, &key), CERTIFICATE_FIT);
    assert_true(shows(&cs.leaf));
    buf_free(&key);
}

static void first_one_and_a_new_one(void **state)
{
    (void)state;
    begin(11);
    assert_int_equal(run(install), 0);
    assert_true(cs.proved && cs.changed);
    assert_true(bench.device->plain_too); /* it was reached so */
    is_well(0);
    assert_int_equal(run(install), 0); /* it is as it should be */
    assert_true(cs.proved && !cs.changed);
    assert_int_equal(owner.leaves, 1);
    owner.force = true;
    owner.next[0] = '\0';
    assert_int_equal(run(install), 0);
    assert_true(cs.changed);
    assert_int_equal(owner.leaves, 2);
    assert_int_equal(cs.removed, 2); /* the one before, and its key */
    is_well(0);
    finish();
}

static void mutual_without_plain_and_back(void **state)
{
    struct certificate_request strict = {
        .action = CERTIFICATE_INSTALL, .mutual = CERTIFICATE_ON, .plain = CERTIFICATE_OFF};

    (void)state;
    begin(11);
    assert_int_equal(run(strict), 0);
    assert_int_equal(bench.device->tls, DEVICE_TLS_MUTUAL);
    assert_false(bench.device->plain_too);
    is_well(1);
    strict = (struct certificate_request){
        .action = CERTIFICATE_INSTALL, .mutual = CERTIFICATE_OFF, .plain = CERTIFICATE_ON};
    assert_int_equal(run(strict), 0);
    settle_device();
    assert_int_equal(bench.device->tls, DEVICE_TLS_SERVER);
    assert_true(bench.device->plain_too);
    assert_int_equal(run((struct certificate_request){.action = CERTIFICATE_REMOVE}), 0);
    settle_device();
    assert_int_equal(bench.device->tls, DEVICE_TLS_NONE);
    assert_int_equal(keyring_of(bench.device)->key_count, 0);
    assert_int_equal(keyring_of(bench.device)->certificate_count, 1); /* the root, which others may need */
    finish();
}

/* --- a CA that was renewed --- */

/* Another attempt: what an owner notes, it notes anew. */
static void anew(void)
{
    owner.next[0] = '\0';
    for (size_t i = 0; i < owner.key_count; i++)
        buf_free(&owner.keys_before[i]);
    owner.key_count = 0;
    owner.noted = owner.unfinished = false;
}

static void renew_ca(enum certificate_root_kind kind)
{
    struct buf was = ca;
    struct secret *was_key = ca_key;

    buf_free(&owner.old_root);
    owner.old_root = buf_init(AUTHORITY_DER_MAX);
    buf_add(&owner.old_root, ca.p, ca.len);
    owner.old_kind = kind;
    ca = other_ca;
    ca_key = other_key;
    other_ca = was;
    other_key = was_key;
    anew();
}

static const struct certificate_request mutual = {.action = CERTIFICATE_INSTALL, .mutual = CERTIFICATE_ON};

/* Both roots stay while the owner shows certificates of the old one; else it goes with the old certificate,
 * and mutual TLS is on in the end. */
static void old_root_goes_when_it_is_over(void **state)
{
    (void)state;
    begin(11);
    assert_int_equal(run(mutual), 0);
    renew_ca(CERTIFICATE_ROOT_NEEDED);
    assert_int_equal(run(install), 0);
    settle_device();
    assert_int_equal(bench.device->tls, DEVICE_TLS_MUTUAL);
    is_well(2);
    assert_int_equal(certificate_old_roots(&cs), 1);
    owner.old_kind = CERTIFICATE_ROOT_FORMER;
    anew();
    assert_int_equal(run(install), 0);
    settle_device();
    assert_int_equal(bench.device->tls, DEVICE_TLS_MUTUAL);
    assert_false(cs.changed);
    assert_int_equal(cs.removed, 1);
    assert_int_equal(certificate_old_roots(&cs), 0);
    is_well(1);
    finish();
}

/* Where no roots are needed the old one goes with the old certificate. One of others never does. */
static void old_root_goes_where_none_is_needed(void **state)
{
    struct certificate_request open = {.action = CERTIFICATE_INSTALL, .mutual = CERTIFICATE_OFF};

    (void)state;
    begin(11);
    assert_int_equal(run(mutual), 0);
    assert_int_equal(run(open), 0);
    is_well(1);
    renew_ca(CERTIFICATE_ROOT_STAYS);
    assert_int_equal(run(install), 0);
    is_well(1);
    owner.old_kind = CERTIFICATE_ROOT_FORMER;
    anew();
    assert_int_equal(run(install), 0);
    is_well(0);
    finish();
}

/* No room for the new root: the new certificate is in use, mutual TLS on again, and it is told. */
static void no_room_for_a_root(void **state)
{
    struct buf der = buf_init(AUTHORITY_DER_MAX);
    struct secret *key;
    struct keyring *k;

    (void)state;
    begin(11);
    assert_int_equal(run(mutual), 0);
    k = keyring_of(bench.device);
    while (k->certificate_count < KEYRING_CERTIFICATES - 1) {
        const unsigned char *p;

        buf_reset(&der);
        assert_int_equal(authority_make(now_ms(), &der, &key, &err), 0);
        secret_free(key);
        p = der.p;
        k->certificates[k->certificate_count++] =
            (struct keyring_certificate){k->next_handle++, d2i_X509(NULL, &p, (long)der.len), true};
    }
    renew_ca(CERTIFICATE_ROOT_FORMER);
    assert_int_equal(run(install), -1);
    assert_int_equal(err.cause, CAUSE_LIMIT_EXCEEDED);
    settle_device();
    assert_int_equal(bench.device->tls, DEVICE_TLS_MUTUAL);
    assert_true(cs.proved && shows(&cs.leaf));
    buf_free(&der);
    finish();
}

static bool cut_roots_once(size_t lose_at, bool lose_first, size_t die_at)
{
    bool struck;

    begin(11);
    assert_int_equal(run(mutual), 0);
    renew_ca(CERTIFICATE_ROOT_FORMER);
    bench.changes = bench.requests = 0;
    bench.lose_at = lose_at;
    bench.lose_first = lose_first;
    bench.die_at = die_at;
    if (run(install) != 0) {
        settle_device();
        bench.lose_at = bench.die_at = 0;
        owner.unfinished = owner.noted;
        if (run(install) != 0)
            fail_msg("lose %zu%s, die %zu: %s", lose_at, lose_first ? " before" : "", die_at, err.text);
    }
    struck = (lose_at > 0 && bench.changes >= lose_at) || (die_at > 0 && bench.requests >= die_at);
    settle_device();
    assert_int_equal(bench.device->tls, DEVICE_TLS_MUTUAL);
    is_well(1);
    finish();
    return struck;
}

static void roots_lost_at_every_step(void **state)
{
    size_t steps = 0, requests = 0;

    (void)state;
    while (cut_roots_once(steps + 1, false, 0))
        steps++;
    assert_in_range(steps, 12, 40);
    for (size_t i = 1; i <= steps; i++)
        cut_roots_once(i, true, 0);
    while (cut_roots_once(0, false, requests + 1))
        requests++;
    assert_in_range(requests, 25, 150);
}

static void key_from_outside(void **state)
{
    struct certificate_request push = {.action = CERTIFICATE_INSTALL, .push_key = true};

    (void)state;
    begin(11);
    assert_int_equal(run(push), 0);
    is_well(0);
    finish();
}

/* The clock of a device that is years off is set before a certificate is made for it. */
static void clock_first(void **state)
{
    (void)state;
    begin(16);
    bench.device->clock_offset_ms = -8 * YEAR;
    assert_int_equal(run(install), 0);
    assert_true(cs.clock_was_set);
    assert_in_range(llabs(bench.device->clock_offset_ms), 0, 5000);
    is_well(0);
    finish();
}

static void full_and_foreign(void **state)
{
    struct buf der = buf_init(AUTHORITY_DER_MAX);
    struct secret *key;
    struct keyring *k;

    (void)state;
    begin(11);
    k = keyring_of(bench.device);
    for (size_t i = 0; i < KEYRING_CERTIFICATES; i++) { /* those of somebody else */
        const unsigned char *p;

        buf_reset(&der);
        assert_int_equal(authority_make(now_ms(), &der, &key, &err), 0);
        secret_free(key);
        p = der.p;
        k->certificates[k->certificate_count++] =
            (struct keyring_certificate){k->next_handle++, d2i_X509(NULL, &p, (long)der.len), true};
    }
    assert_int_equal(run(install), -1);
    assert_int_equal(err.cause, CAUSE_LIMIT_EXCEEDED);
    assert_int_equal(k->certificate_count, KEYRING_CERTIFICATES); /* all are there still */
    assert_int_equal(bench.device->tls, DEVICE_TLS_NONE);
    X509_free(k->certificates[--k->certificate_count].cert);
    owner.unfinished = true;
    assert_int_equal(run(install), 0); /* with the key that it had made */
    assert_int_equal(k->key_count, 1);
    assert_int_equal(k->certificate_count, KEYRING_CERTIFICATES);
    buf_free(&der);
    finish();
}

static void no_ca(void **state)
{
    (void)state;
    begin(11);
    owner.no_leaf = true;
    assert_int_equal(run(install), -1);
    assert_int_equal(err.cause, CAUSE_SEAL_BROKEN);
    assert_int_equal(bench.device->tls, DEVICE_TLS_NONE);
    finish();
}

/* The first certificate is there; a second one comes in its place, and the way is lost at one step. Whoever
 * begins again comes to the same good end. */
static bool cut_once(size_t lose_at, bool lose_first, size_t die_at)
{
    bool struck;

    begin(11);
    assert_int_equal(run(install), 0);
    bench.changes = bench.requests = 0;
    bench.lose_at = lose_at;
    bench.lose_first = lose_first;
    bench.die_at = die_at;
    owner.force = true;
    owner.next[0] = '\0';
    for (size_t i = 0; i < owner.key_count; i++)
        buf_free(&owner.keys_before[i]);
    owner.key_count = 0;
    owner.noted = false;
    if (run(install) != 0) {
        settle_device();
        bench.lose_at = bench.die_at = 0;
        owner.unfinished = owner.noted;
        if (run(install) != 0)
            fail_msg("lose %zu%s, die %zu: %s", lose_at, lose_first ? " before" : "", die_at, err.text);
    }
    struck = (lose_at > 0 && bench.changes >= lose_at) || (die_at > 0 && bench.requests >= die_at);
    assert_int_equal(owner.leaves > 3, 0);
    is_well(0);
    finish();
    return struck;
}

static void lost_at_every_step(void **state)
{
    size_t steps = 0;

    (void)state;
    while (cut_once(steps + 1, false, 0))
        steps++;
    assert_in_range(steps, 6, 40);
    for (size_t i = 1; i <= steps; i++)
        cut_once(i, true, 0);
}

static void dead_at_every_step(void **state)
{
    size_t steps = 0;

    (void)state;
    while (cut_once(0, false, steps + 1))
        steps++;
    assert_in_range(steps, 15, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_one_and_a_new_one),
        cmocka_unit_test(mutual_without_plain_and_back),
        cmocka_unit_test(key_from_outside),
        cmocka_unit_test(clock_first),
        cmocka_unit_test(full_and_foreign),
        cmocka_unit_test(no_ca),
        cmocka_unit_test(lost_at_every_step),
        cmocka_unit_test(dead_at_every_step),
        cmocka_unit_test(old_root_goes_when_it_is_over),
        cmocka_unit_test(old_root_goes_where_none_is_needed),
        cmocka_unit_test(no_room_for_a_root),
        cmocka_unit_test(roots_lost_at_every_step),
    };

    return cmocka_run_group_tests(tests, make_ca, drop_ca);
}
