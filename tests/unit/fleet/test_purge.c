/* The purge on a real store: what is old enough goes, by age and by size, in portions; what is in use stays;
 * the activity log that is left still proves itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "amtd/fleet/purge.h"
#include "amtd/store/activity_chain.h"
#include "amtd/store/internal.h"
#include "amtd/store/purge.h"
#include "base/xalloc.h"
#include "tests/unit/store/store_scene.h"

#define DAY ((int64_t)86400000)
#define NOW (1000 * DAY)

static struct node_key *key;

struct order {
    enum purge_kind kind;
    int64_t before_ms, keep_bytes;
    bool dry;
    struct purge_gone gone;
    size_t portions;
};

/* As the purge does it, but in one work. */
static int purge(struct tx *tx, void *arg, struct err *err)
{
    struct order *o = arg;
    struct purge_walk walk = {.kind = o->kind};
    struct purge_ages *ages = xcalloc(1, sizeof(*ages));
    int64_t before = o->before_ms;
    int status = 0;

    while (status == 0 && o->keep_bytes > 0 && !walk.over)
        status = tx_purge_measure(tx, &walk, NOW, ages, err);
    if (o->keep_bytes > 0)
        before = purge_moment(ages, NOW, o->keep_bytes);
    walk = (struct purge_walk){.kind = o->kind};
    while (status == 0 && !walk.over) {
        struct purge_gone gone;

        status = tx_purge_remove(tx, &walk, before, o->dry, &gone, err);
        purge_gone_add(&o->gone, &gone);
        o->portions++;
    }
    free(ages);
    return status;
}

static int do_sql(struct tx *tx, void *arg, struct err *err)
{
    return tx_exec(tx, arg, err);
}

static void sql(struct scene *s, const char *text)
{
    well_in_store(s, do_sql, (void *)text);
}

struct question {
    const char *text;
    int64_t answer;
};

static int ask(struct tx *tx, void *arg, struct err *err)
{
    struct question *q = arg;
    sqlite3_stmt *st = tx_prepare(tx, q->text, err);

    if (!st || tx_step(tx, st, err) < 1)
        return -1;
    q->answer = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return 0;
}

static int64_t count(struct scene *s, const char *text)
{
    struct question q = {text, -1};

    well_in_store(s, ask, &q);
    return q.answer;
}

static struct order purged(struct scene *s, struct order order)
{
    well_in_store(s, purge, &order);
    return order;
}

/* Run n began on day n, with ten hosts. */
static void make_runs(struct scene *s)
{
    sql(s,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) INSERT INTO runs(id, "
        "task,"
        " args, target, who, began, ended, hosts) SELECT i, 'power', '{}', 'all', 'anna', i * 86400000, i *"
        " 86400000 + 5, 10 FROM n;"
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9) INSERT INTO"
        " operations(run, host, name, state, message) SELECT r.id, i, 'pc', 2, 'text' FROM n, runs r");
}

static void runs_by_age(void **state)
{
    struct scene *s = *state;
    struct order dry, order;

    make_runs(s);
    sql(s,
        "UPDATE runs SET ended = 0 WHERE id = 2;"
        "INSERT INTO hosts(id, name) VALUES (1, 'pc1');"
        "INSERT INTO filters VALUES (1, 0, '[]', NULL, 'anna', 1, 3, 0, 0, '', 0, 0, '', 0, 0);"
        "INSERT INTO passwords(host, name, user, state, password, at, run) VALUES (1, 'pc1', 'admin', 1, "
        "x'00', 1,"
        " 4), (1, 'pc1', 'admin', 0, x'00', 1, 5);"
        "INSERT INTO jobs(run, name, hash, text, files, settings, hosts, uid, retry_of, state) VALUES (6, "
        "'j',"
        " '', '', '', '', '', 0, 0, 1), (7, 'j', '', '', '', '', '', 0, 0, 3);"
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4999) INSERT INTO"
        " job_results(run, host, task, label, kind, skipped, state, began, ended, tries) SELECT 7, i, 0, 'a',"
        " 'power', 0, 2, 1, 1, 1 FROM n");
    dry = purged(s, (struct order){.kind = PURGE_RUNS, .before_ms = 11 * DAY, .dry = true});
    assert_int_equal(count(s, "SELECT count(*) FROM runs"), 20);
    order = purged(s, (struct order){.kind = PURGE_RUNS, .before_ms = 11 * DAY});
    /* 2 goes on, 3 is behind filters, 4 behind a password not yet proved, 6 can be taken up */
    assert_int_equal(order.gone.units, 6);
    assert_int_equal(dry.gone.units, order.gone.units);
    assert_int_equal(dry.gone.bytes, order.gone.bytes);
    assert_int_equal(order.gone.from_ms, DAY + 5);
    assert_int_equal(order.gone.to_ms, 10 * DAY + 5);
    assert_true(order.portions > dry.portions); /* 5,000 results do not go at once */
    assert_int_equal(count(s, "SELECT count(*) FROM runs WHERE id IN (2, 3, 4, 6)"), 4);
    assert_int_equal(count(s, "SELECT count(*) FROM runs"), 14);
    assert_int_equal(count(s, "SELECT count(*) FROM operations"), 140);
    assert_int_equal(count(s, "SELECT count(*) FROM job_results"), 0);
    assert_int_equal(count(s, "SELECT count(*) FROM jobs"), 1);
    assert_int_equal(count(s, "SELECT count(*) FROM passwords"), 2);
    assert_int_equal(count(s, "SELECT count(*) FROM filters"), 1);
}

static void runs_by_size(void **state)
{
    struct scene *s = *state;
    struct order order;

    make_runs(s); /* each takes 200 + 10 * 124 */
    order = purged(s, (struct order){.kind = PURGE_RUNS, .keep_bytes = 5 * 1440 + 1});
    assert_int_equal(order.gone.units, 15);
    assert_int_equal(count(s, "SELECT min(id) FROM runs"), 16);
    order = purged(s, (struct order){.kind = PURGE_RUNS, .keep_bytes = 100000});
    assert_int_equal(order.gone.units, 0);
    order = purged(s, (struct order){.kind = PURGE_RUNS, .before_ms = INT64_MIN});
    assert_int_equal(order.gone.units, 0);
}

static void what_hosts_have(void **state)
{
    struct scene *s = *state;
    struct order order;

    sql(s, "INSERT INTO hosts(id, name) VALUES (1, 'a'), (2, 'b');"
           "INSERT INTO facts VALUES (1, 'tls.pin', 'aa');"
           "INSERT INTO inventory VALUES (1, 1, 1, 86400000, '{}'), (1, 2, 1, 172800000, '{}'), (1, 3, 1,"
           " 259200000, '{}'), (2, 1, 1, 86400000, '{}');"
           "INSERT INTO device_log_said(id, text) VALUES (1, 'x'), (2, 'said once');"
           "INSERT INTO device_log(host, kind, at, said, raw, kept) VALUES (1, 0, 0, 2, x'00', 86400000);"
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) INSERT INTO"
           " device_log(host, kind, at, said, raw, kept) SELECT 1 + i % 2, 0, 0, 1, x'00', 86400000 FROM n");
    order = purged(s, (struct order){.kind = PURGE_INVENTORY, .before_ms = 100 * DAY});
    assert_int_equal(order.gone.units, 2);
    assert_int_equal(count(s, "SELECT sum(host * 10 + version) FROM inventory"), 13 + 21);
    order = purged(s, (struct order){.kind = PURGE_DEVICE_LOGS, .before_ms = 100 * DAY});
    /* by the newest of each the next reading knows where it is */
    assert_int_equal(order.gone.units, 1201 - 32);
    assert_int_equal(count(s, "SELECT min(id) FROM device_log"), 1201 - 31);
    assert_int_equal(count(s, "SELECT group_concat(id) FROM device_log_said"),
                     1); /* what nobody says is gone */
    assert_int_equal(count(s, "SELECT count(*) FROM facts"), 1);
}

static void sweeps_and_events(void **state)
{
    struct scene *s = *state;
    struct order order;

    sql(s,
        "INSERT INTO sweeps(id, words, search, who, began, ended, state, addresses) VALUES (1, 'a', '', '', "
        "1, 5,"
        " 1, 9), (2, 'b', '', '', 1, 5, 1, 9), (3, 'a', '', '', 1, 5, 1, 9), (4, 'a', '', '', 1, 5, 2, 9), "
        "(5, 'a',"
        " '', '', 1, 0, 0, 9);"
        "INSERT INTO sweep_found(sweep, address, kind, detail) VALUES (1, 1, 1, '{}'), (3, 1, 1, '{}');"
        "INSERT INTO events(at, kind, severity, console, guarded, text, data, bytes) VALUES (5, 'pattern', 0,"
        " 'c', 0, 't', '{\"a\":1}', 80), (5, 'job', 0, NULL, 0, 't', '{\"a\":1}', 80), (86400000, 'pattern', "
        "0,"
        " 'c', 0, 't', '{\"a\":1}', 80)");
    order = purged(s, (struct order){.kind = PURGE_SWEEPS, .before_ms = 10});
    assert_int_equal(order.gone.units, 1); /* 2 and 3 are what the next are compared with, 4 and 5 not over */
    assert_int_equal(count(s, "SELECT min(id) FROM sweeps"), 2);
    assert_int_equal(count(s, "SELECT count(*) FROM sweep_found"), 1);
    order = purged(s, (struct order){.kind = PURGE_EVENT_DATA, .before_ms = 10});
    assert_int_equal(order.gone.units, 1);
    assert_int_equal(count(s, "SELECT sum(bytes) FROM events"), 73 + 80 + 80);
    assert_int_equal(count(s, "SELECT count(data) FROM events"), 2);
    order = purged(s, (struct order){.kind = PURGE_EVENTS, .before_ms = 10});
    assert_int_equal(order.gone.units, 2);
}

/* --- the activity log --- */

static int begin_chain(struct tx *tx, void *arg, struct err *err)
{
    size_t adopted;

    (void)arg;
    return tx_activity_begin(tx, key, NOW, &adopted, err);
}

static int add_rows(struct tx *tx, void *arg, struct err *err)
{
    const int *n = arg;

    for (int i = 0; i < *n; i++) {
        struct activity a = {.at_ms = (i + 1) * DAY,
                             .who = xstrdup("uid 0 (root)"),
                             .by = xstrdup("socket"),
                             .what = xstrdup("host.set"),
                             .result = xstrdup("ok")};
        int status = tx_activity_add(tx, &a, err);

        activity_clear(&a);
        if (status != 0)
            return -1;
    }
    return 0;
}

struct verdict {
    struct activity_anchor anchor;
    int64_t rows, wrong;
};

static int verify(struct tx *tx, void *arg, struct err *err)
{
    struct verdict *v = arg;
    struct activity_walk walk = {.key = key};
    struct activity_head head;
    struct activity *rows;
    size_t n;

    if (tx_activity_anchor(tx, &v->anchor, err) != 0 ||
        tx_activities_after(tx, 0, 10000, &rows, &n, err) != 0 || tx_activity_head(tx, &head, err) != 0)
        return -1;
    v->wrong = activity_walk_begin(&walk, &v->anchor) != NULL;
    for (size_t i = 0; i < n; i++) {
        v->wrong += activity_walk_row(&walk, &rows[i]) != NULL;
        activity_clear(&rows[i]);
    }
    free(rows);
    v->wrong += activity_walk_end(&walk, head.id > 0 ? &head : NULL) != NULL;
    v->rows = walk.rows;
    return 0;
}

static struct verdict verified(struct scene *s)
{
    struct verdict v;

    well_in_store(s, verify, &v);
    return v;
}

static void the_head_of_the_activity_log(void **state)
{
    struct scene *s = *state;
    struct order broken = {.kind = PURGE_ACTIVITY, .before_ms = 600 * DAY};
    int n = 700;
    struct verdict v;
    struct order order;

    assert_int_equal(in_store(s, begin_chain, NULL), CAUSE_NONE);
    assert_int_equal(in_store(s, add_rows, &n), CAUSE_NONE);
    assert_int_not_equal(in_store(s, do_sql, (void *)"DELETE FROM activity WHERE id = 1"), CAUSE_NONE);
    order = purged(s, (struct order){.kind = PURGE_ACTIVITY, .before_ms = 451 * DAY});
    assert_int_equal(order.gone.units, 450);
    assert_true(order.portions > 2);
    v = verified(s);
    assert_int_equal(v.wrong, 0);
    assert_int_equal(v.rows, 250);
    assert_int_equal(v.anchor.id, 450);
    assert_int_equal(v.anchor.count, 450);
    assert_int_equal(v.anchor.from_ms, DAY);
    assert_int_equal(v.anchor.to_ms, 450 * DAY);
    assert_int_not_equal(in_store(s, do_sql, (void *)"DELETE FROM activity WHERE id = 451"), CAUSE_NONE);

    /* once more, and what is left of it when everything is old */
    order = purged(s, (struct order){.kind = PURGE_ACTIVITY, .before_ms = 500 * DAY});
    assert_int_equal(order.gone.units, 49);
    v = verified(s);
    assert_int_equal(v.wrong, 0);
    assert_int_equal(v.anchor.count, 499);
    assert_int_equal(v.anchor.from_ms, DAY);

    /* without the key nobody moves the anchor on, and what was changed is not covered up */
    sql(s, "UPDATE activity_anchor SET count = 5");
    assert_int_equal(verified(s).wrong, 1);
    assert_int_equal(in_store(s, purge, &broken), CAUSE_INVALID_STATE);
    sql(s, "UPDATE activity_anchor SET count = 499; DROP TRIGGER activity_stands;"
           "UPDATE activity SET who = 'nobody' WHERE id = 510");
    broken = (struct order){.kind = PURGE_ACTIVITY, .before_ms = 600 * DAY};
    assert_int_equal(in_store(s, purge, &broken), CAUSE_INVALID_STATE);
    assert_int_equal(verified(s).wrong, 1);
    sql(s, "UPDATE activity SET who = 'uid 0 (root)' WHERE id = 510");
    order = purged(s, (struct order){.kind = PURGE_ACTIVITY, .before_ms = INT64_MAX});
    assert_int_equal(order.gone.units, 200);
    v = verified(s);
    assert_int_equal(v.wrong, 0);
    assert_int_equal(v.rows, 1); /* the newest stays, and with it the end */
    n = 3;
    assert_int_equal(in_store(s, add_rows, &n), CAUSE_NONE);
    assert_int_equal(verified(s).wrong, 0);
}

static void when_it_is_due(void **state)
{
    const int64_t hour = DAY / 24, minute = hour / 60;

    (void)state;
    assert_false(purge_is_due(NOW, NOW + DAY - 1, DAY, 5 * minute));
    assert_false(purge_is_due(NOW, NOW + DAY, minute, 5 * minute));
    assert_true(purge_is_due(NOW, NOW + DAY, 5 * minute, 5 * minute));
    assert_false(purge_is_due(NOW, NOW + 100 * DAY, 23 * hour, 5 * minute)); /* a clock that is years off */
    assert_true(purge_is_due(NOW, NOW + 100 * DAY, DAY, 5 * minute));
    assert_false(purge_is_due(NOW, NOW - 100 * DAY, hour, 5 * minute));
    assert_true(purge_is_due(NOW, NOW - 100 * DAY, DAY, 5 * minute)); /* it was ahead when the last one was */
    assert_false(purge_is_due(0, NOW, hour, 5 * minute));
}

static int setup(void **state)
{
    struct scene *s;

    if (scene_setup(state) != 0)
        return -1;
    s = *state;
    key = node_key_open(s->dir, true, NULL);
    return key ? 0 : -1;
}

static int teardown(void **state)
{
    static const char *const names[] = {"node.key", "node.pub"};
    const struct scene *s = *state;

    for (size_t i = 0; i < 2; i++) {
        char *path = xasprintf("%s/%s", s->dir, names[i]);

        unlink(path);
        free(path);
    }
    node_key_free(key);
    return scene_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_it_is_due),
        cmocka_unit_test_setup_teardown(runs_by_age, setup, teardown),
        cmocka_unit_test_setup_teardown(runs_by_size, setup, teardown),
        cmocka_unit_test_setup_teardown(what_hosts_have, setup, teardown),
        cmocka_unit_test_setup_teardown(sweeps_and_events, setup, teardown),
        cmocka_unit_test_setup_teardown(the_head_of_the_activity_log, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
