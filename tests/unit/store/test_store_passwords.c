/* Passwords of hosts' own, configurations of collections, and the calendar of what ages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/store/calendar.h"
#include "amtd/store/declarations.h"
#include "amtd/store/passwords.h"
#include "tests/unit/store/store_scene.h"

/* --- passwords of hosts' own --- */

/* "proved/unproved" of the host's account, '-' for none. */
static void expect_own(struct tx *tx, const char *want)
{
    struct err err = ERR_INIT;
    const struct own_password *own;
    char got[100];
    struct host host;

    assert_int_equal(tx_host_get(tx, "pc1", &host, &err), 0);
    own = own_password(&host.passwords, "admin");
    snprintf(got, sizeof(got), "%s/%s", own && own->proven ? secret_str(own->proven) : "-",
             own && own->next ? secret_str(own->next) : "-");
    assert_string_equal(got, want);
    host_clear(&host);
}

static void next_password(struct tx *tx, int64_t host, const char *text, int64_t run)
{
    struct secret *secret = secret_new(text, strlen(text));
    struct err err = ERR_INIT;

    assert_int_equal(tx_password_next(tx, host, "admin", secret, run, run * 1000, &err), 0);
    secret_free(secret);
}

/* All that was ever made for the host, newest first within its state. */
static void expect_all(struct tx *tx, const char *host, const char *want)
{
    struct err err = ERR_INIT;
    struct password_row *rows;
    char got[200] = "";
    size_t count;

    assert_int_equal(tx_passwords(tx, host, true, true, &rows, &count, &err), 0);
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(got);

        snprintf(got + n, sizeof(got) - n, "%s%d:%s", n > 0 ? " " : "", (int)rows[i].state,
                 secret_str(rows[i].password));
        password_row_clear(&rows[i]);
    }
    free(rows);
    assert_string_equal(got, want);
}

static int work_passwords(struct tx *tx, void *arg, struct err *err)
{
    struct host host = {.name = (char *)"pc1"};
    size_t count;
    int64_t id;

    (void)arg;
    assert_int_equal(tx_host_add(tx, &host, &id, err), 0);
    expect_own(tx, "-/-");
    next_password(tx, id, "a", 1);
    expect_own(tx, "-/a");
    assert_int_equal(tx_password_settle(tx, id, "admin", true, 5, err), 0);
    expect_own(tx, "a/-");
    next_password(tx, id, "b", 2);
    expect_own(tx, "a/b");
    assert_int_equal(tx_password_settle(tx, id, "admin", false, 6, err), 0);
    expect_own(tx, "a/-");
    next_password(tx, id, "c", 3);
    next_password(tx, id, "d", 4); /* the one before was never settled */
    expect_own(tx, "a/d");
    assert_int_equal(tx_password_settle(tx, id, "root", true, 7, err), 0); /* another account's */
    expect_own(tx, "a/d");
    expect_all(tx, "pc1", "0:a 1:d 2:c 2:b");
    assert_int_equal(tx_password_forget(tx, id, 8, &count, err), 0);
    assert_int_equal(count, 2);
    expect_own(tx, "-/-");
    next_password(tx, id, "e", 5);
    assert_int_equal(tx_host_remove(tx, id, err), 0);
    assert_int_equal(tx_host_add(tx, &host, &id, err), 0); /* perhaps with the same number */
    expect_own(tx, "-/-");
    expect_all(tx, "pc1", "2:e 2:d 2:c 2:b 2:a");
    return 0;
}

static void no_password_is_ever_lost(void **state)
{
    assert_int_equal(in_store(*state, work_passwords, NULL), CAUSE_NONE);
}

static void expect_unseen(struct tx *tx, int64_t host, const char *want)
{
    struct err err = ERR_INIT;
    char *user;

    assert_int_equal(tx_password_unseen(tx, host, &user, &err), 0);
    assert_string_equal(user ? user : "-", want);
    free(user);
}

static int work_seen(struct tx *tx, void *arg, struct err *err)
{
    struct host host = {.name = (char *)"pc1"}, other = {.name = (char *)"pc2"};
    int64_t id, other_id;

    (void)arg;
    assert_int_equal(tx_host_add(tx, &host, &id, err), 0);
    assert_int_equal(tx_host_add(tx, &other, &other_id, err), 0);
    expect_unseen(tx, id, "-"); /* the profile's is in somebody's hands */
    next_password(tx, id, "a", 1);
    next_password(tx, other_id, "b", 1);
    expect_unseen(tx, id, "admin");
    assert_int_equal(tx_passwords_seen(tx, "pc1", 0, 5, err), 0); /* what he has is older */
    expect_unseen(tx, id, "admin");
    assert_int_equal(tx_passwords_seen(tx, "pc1", INT64_MAX, 5, err), 0);
    expect_unseen(tx, id, "-");
    expect_unseen(tx, other_id, "admin");
    assert_int_equal(tx_password_settle(tx, id, "admin", true, 6, err), 0);
    expect_unseen(tx, id, "-");
    next_password(tx, id, "c", 2); /* the next one is another */
    expect_unseen(tx, id, "admin");
    return 0;
}

static void who_looked_at_a_password_is_known(void **state)
{
    assert_int_equal(in_store(*state, work_seen, NULL), CAUSE_NONE);
}

/* --- declared configurations --- */

static void declare(struct tx *tx, const char *hash, int64_t at_ms, int64_t version)
{
    struct declared d = {.collection = (char *)"lab",
                         .name = (char *)"n",
                         .text = (char *)"t",
                         .hash = (char *)hash,
                         .who = (char *)"w",
                         .since_ms = at_ms};
    struct err err = ERR_INIT;

    assert_int_equal(tx_declare(tx, &d, &err), 0);
    assert_int_equal(d.version, version);
}

static int work_declared(struct tx *tx, void *arg, struct err *err)
{
    struct collection lab = {.name = (char *)"lab", .where = (char *)"power = on"};
    struct declared d = {.collection = (char *)"none",
                         .name = (char *)"n",
                         .text = (char *)"t",
                         .hash = (char *)"h",
                         .who = (char *)"w"};
    struct declared *all;
    size_t count;

    (void)arg;
    assert_int_equal(tx_declare(tx, &d, err), -1);
    assert_int_equal(err->cause, CAUSE_NOT_FOUND);
    assert_int_equal(tx_collection_put(tx, &lab, false, err), 0);
    declare(tx, "h1", 1, 1);
    declare(tx, "h1", 2, 1); /* the same file */
    declare(tx, "h2", 3, 2);
    assert_int_equal(tx_collection_put(tx, &lab, true, err), 0); /* it stays with its collection */
    assert_int_equal(tx_declared(tx, "lab", &d, err), 0);
    assert_string_equal(d.hash, "h2");
    assert_int_equal(d.since_ms, 3);
    declared_clear(&d);
    assert_int_equal(tx_collection_remove(tx, "lab", err), 0);
    assert_int_equal(tx_declared_list(tx, &all, &count, err), 0);
    assert_int_equal(count, 0);
    free(all);
    assert_int_equal(tx_declared_forget(tx, "lab", err), -1);
    err_clear(err);
    return 0;
}

static void declared_configurations_have_versions(void **state)
{
    assert_int_equal(in_store(*state, work_declared, NULL), CAUSE_NONE);
}

/* --- the calendar --- */

static void add_dated(struct tx *tx, const char *name, const char *fact, const char *value)
{
    struct host host = {.name = (char *)name};
    struct pairs facts = {0};
    struct err err = ERR_INIT;
    int64_t id;

    assert_int_equal(tx_host_add(tx, &host, &id, &err), 0);
    pairs_set(&facts, fact, value);
    assert_int_equal(tx_host_facts(tx, id, &facts, &err), 0);
    pairs_clear(&facts);
    if (strcmp(name, "pc2") == 0) {
        next_password(tx, id, "x", 1); /* made at 1000 */
        assert_int_equal(tx_password_settle(tx, id, "admin", true, 2000, &err), 0);
    }
}

static int work_calendar(struct tx *tx, void *arg, struct err *err)
{
    const struct calendar_limits limits = {
        .until_ms = INT64_C(1700000000000), .password_age_ms = 5000, .clock_off_s = 60};
    struct calendar_row *rows;
    char got[300] = "";
    size_t count;

    (void)arg;
    add_dated(tx, "pc1", "tls.not-after", "2023-11-01T00:00:00Z");
    add_dated(tx, "pc2", "tls.not-after", "2023-12-01T00:00:00Z"); /* later */
    add_dated(tx, "pc3", "clock.off", "-61");
    add_dated(tx, "pc4", "clock.off", "60");
    add_dated(tx, "pc5", "tls.not-after", "nonsense");
    assert_int_equal(tx_calendar(tx, "all", &limits, &rows, &count, err), 0);
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(got);

        snprintf(got + n, sizeof(got) - n, "%d %s %lld %lld;", (int)rows[i].kind, rows[i].host,
                 (long long)rows[i].at_ms, (long long)rows[i].number);
        calendar_row_clear(&rows[i]);
    }
    free(rows);
    assert_string_equal(got, "2 pc3 0 -61;1 pc2 7000 0;0 pc1 1698796800000 0;");
    return 0;
}

static void what_is_due_comes_in_order(void **state)
{
    assert_int_equal(in_store(*state, work_calendar, NULL), CAUSE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_password_is_ever_lost, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(who_looked_at_a_password_is_known, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(declared_configurations_have_versions, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(what_is_due_comes_in_order, scene_setup, scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
