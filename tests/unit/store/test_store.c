/* The store on a real database in a temporary directory: hosts, targets, queries, profiles, runs, and what a
 * crash leaves behind. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <fnmatch.h>
#include <poll.h>

#include "amtd/store/internal.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "tests/unit/store/store_scene.h"

static int later_order[4];
static int later_count;

static int note_order(struct tx *tx, void *data, struct err *err)
{
    (void)tx;
    (void)err;
    later_order[later_count++] = *(int *)data;
    return 0;
}

static int note_in_store(struct tx *tx, void *arg, struct err *err)
{
    return note_order(tx, arg, err);
}

static void what_can_wait_keeps_its_place(void **state)
{
    struct scene *s = *state;
    int number[] = {1, 2, 3, 4};
    bool waited = false;

    store_submit_later(s->store, note_order, NULL, &number[0]);
    store_submit_later(s->store, note_order, NULL, &number[1]);
    assert_int_equal(in_store(s, note_in_store, &number[2]), CAUSE_NONE);
    assert_int_equal(later_count, 3);
    s->over = false;
    store_submit_later(s->store, note_order, scene_done, s); /* alone: done by itself after a while */
    for (; !s->over; waited = true) {
        store_reap(s->store);
        poll(NULL, 0, 1);
    }
    assert_true(waited);
    assert_int_equal(later_count, 4);
    for (int i = 0; i < 3; i++)
        assert_int_equal(later_order[i], i + 1);
}

static int note_synchronous(struct tx *tx, void *data, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, "PRAGMA synchronous", err);

    if (!st || tx_step(tx, st, err) != 1)
        return -1;
    *(int *)data = sqlite3_column_int(st, 0);
    sqlite3_reset(st);
    return 0;
}

static void soft_work_waits_for_no_disk(void **state)
{
    enum { NORMAL = 1, FULL = 2 };
    struct scene *s = *state;
    int soft = 0, with = 0, hard = 0;
    struct scene_job job = {s, note_synchronous, &soft};

    for (int i = 0; i < 2; i++) {
        s->over = false;
        store_submit_so(s->store, STORE_SOFT, scene_do_job, scene_job_done, &job);
        wait_for_commit(s);
        assert_int_equal(soft, NORMAL);
        store_submit_so(s->store, STORE_LATER | STORE_SOFT, note_synchronous, NULL, &with);
        assert_int_equal(in_store(s, note_synchronous, &hard), CAUSE_NONE);
        assert_int_equal(hard, FULL);
        assert_int_equal(with, FULL); /* it shared the transaction */
    }
}

static int count_hosts(struct tx *tx, void *arg, struct err *err)
{
    struct hosts hosts;

    if (tx_target(tx, "all", &hosts, err) != 0)
        return -1;
    *(size_t *)arg = hosts.count;
    hosts_clear(&hosts);
    return 0;
}

/* As on a full disk: one statement finds no room, and the database undoes all. */
static int fill_disk(struct tx *tx, void *data, struct err *err)
{
    sqlite3_stmt *st;
    int status;

    (void)data;
    if (sqlite3_exec(tx->db, "PRAGMA max_page_count = 1", NULL, NULL, NULL) != SQLITE_OK)
        return -1;
    st = tx_prepare(tx, "INSERT INTO hosts(name) VALUES (CAST(zeroblob(1000000) AS TEXT))", err);
    status = st && tx_step(tx, st, err) >= 0 ? 0 : -1;
    sqlite3_exec(tx->db, "PRAGMA max_page_count = 1000000000", NULL, NULL, NULL);
    return status;
}

static int add_one(struct tx *tx, void *arg, struct err *err)
{
    struct host host = {.name = (char *)arg};
    int64_t id;

    return tx_host_add(tx, &host, &id, err);
}

static void nothing_is_kept_of_what_is_said_to_have_failed(void **state)
{
    struct scene *s = *state;
    char before[] = "before", after[] = "after", later[] = "later";
    size_t hosts = 0;

    store_submit_later(s->store, add_one, NULL, before);
    store_submit_later(s->store, fill_disk, NULL, NULL);
    assert_int_equal(in_store(s, add_one, after), CAUSE_STORE_FAILED);
    well_in_store(s, count_hosts, &hosts);
    assert_int_equal(hosts, 0);
    well_in_store(s, add_one, later);
}

/* One of several works that are done together. */
struct together {
    const char *name;
    bool fails;
    int times;
    bool over;
    enum cause cause;
};

static int add_together(struct tx *tx, void *data, struct err *err)
{
    struct together *t = data;
    struct host host = {.name = (char *)t->name};
    int64_t id;

    t->times++;
    if (tx_host_add(tx, &host, &id, err) != 0)
        return -1;
    return t->fails ? err_set(err, CAUSE_FAULT, "it was to fail") : 0;
}

static void together_over(void *data, const struct err *failure)
{
    struct together *t = data;

    t->over = true;
    t->cause = failure ? failure->cause : CAUSE_NONE;
}

static void do_together(struct scene *s, struct together *works, size_t n)
{
    size_t hosts = 0;

    for (size_t i = 0; i < n; i++)
        store_submit_so(s->store, STORE_LATER | STORE_AGAIN, add_together, together_over, &works[i]);
    assert_int_equal(in_store(s, count_hosts, &hosts), CAUSE_NONE);
    for (size_t i = 0; i < n; i++) {
        assert_true(works[i].over);
        assert_int_equal(works[i].cause, works[i].fails ? CAUSE_FAULT : CAUSE_NONE);
        hosts -= !works[i].fails;
    }
    assert_int_equal(hosts, 0);
}

static void what_fails_among_others_fails_alone(void **state)
{
    struct scene *s = *state;
    struct together works[] = {{"a"}, {"b", .fails = true}, {"c"}};

    do_together(s, works, 3);
    assert_in_range(works[0].times, 1, 2); /* twice, when they came to the store together */
    assert_in_range(works[2].times, 1, 2);
}

static void works_are_done_together(void **state)
{
    struct scene *s = *state;
    struct together works[] = {{"a"}, {"b"}, {"c"}};

    do_together(s, works, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(works[i].times, 1);
}

/* --- hosts and targets --- */

static int add_host(struct tx *tx, int i, struct err *err)
{
    struct host host = {0};
    struct pairs facts = {0};
    int64_t id = 0;
    char version[16];
    int status;

    host.name = xasprintf("pc%d", i);
    host.address = xasprintf("10.0.%d.%d", i / 256, i % 256);
    pairs_set(&host.tags, "site", i % 2 ? "lab" : "annex");
    status = tx_host_add(tx, &host, &id, err);
    snprintf(version, sizeof(version), "%d.%d", 6 + i % 12, i % 7);
    if (i % 5)
        pairs_set(&facts, "amt.version", version);
    pairs_set(&facts, "power", i % 3 ? "on" : "off");
    if (status == 0)
        status = tx_host_facts(tx, id, &facts, err);
    pairs_clear(&facts);
    host_clear(&host);
    return status;
}

static int add_hosts(struct tx *tx, void *arg, struct err *err)
{
    for (int i = 1; i <= *(int *)arg; i++)
        if (add_host(tx, i, err) != 0)
            return -1;
    return 0;
}

struct resolve {
    const char *target;
    struct hosts hosts;
};

static int resolve_target(struct tx *tx, void *arg, struct err *err)
{
    struct resolve *r = arg;

    return tx_target(tx, r->target, &r->hosts, err);
}

static int add_collections(struct tx *tx, void *arg, struct err *err)
{
    struct collection list = {.name = (char *)"first", .list = (char *)"pc[1-3]"};
    struct collection query = {.name = (char *)"lab", .where = (char *)"tag.site = lab"};

    (void)arg;
    return tx_collection_put(tx, &list, false, err) == 0 ? tx_collection_put(tx, &query, false, err) : -1;
}

static void targets(void **state)
{
    static const struct {
        const char *target;
        int count; /* -1: not-found, -2: invalid */
        const char *first, *words;
    } rows[] = {
        {"pc7", 1, "pc7", NULL},
        {"pc[1-10]", 10, "pc1", NULL},
        {"all", 40, "pc1", NULL},
        {"@first", 3, "pc1", NULL},
        {"@lab,!pc[1-20]", 10, "pc21", NULL},
        {"!pc1,all", 39, "pc2", NULL},
        {"all,-@lab", 20, "pc2", NULL},
        {"where:power = \"off\"", 13, "pc3", NULL},
        {"pc1,pc1,@first", 3, "pc1", NULL},
        {"all,!pc99", 40, "pc1", NULL},
        {"all , !pc1", 39, "pc2", NULL},
        {" @first\t, pc7", 4, "pc1", NULL},
        {"pc[39-42],nope", -1, NULL, "nope,pc[41-42]"},
        {"@nowhere", -1, NULL, "nowhere"},
        {"", -2, NULL, "empty"},
        {"pc[1-", -2, NULL, "column"},
        {"where:power", -2, NULL, "column"},
    };
    struct scene *s = *state;
    int count = 40;

    assert_int_equal(in_store(s, add_hosts, &count), CAUSE_NONE);
    assert_int_equal(in_store(s, add_collections, NULL), CAUSE_NONE);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct resolve r = {rows[i].target, {0}};
        enum cause cause = in_store(s, resolve_target, &r);
        enum cause expected = rows[i].count == -1   ? CAUSE_NOT_FOUND
                              : rows[i].count == -2 ? CAUSE_INVALID_ARGUMENT
                                                    : CAUSE_NONE;

        if (cause != expected)
            fail_msg("%s: %s (%s)", rows[i].target, cause_name(cause), s->failure.text);
        if (rows[i].words && !strstr(s->failure.text, rows[i].words))
            fail_msg("%s: '%s'", rows[i].target, s->failure.text);
        if (rows[i].count >= 0) {
            if ((int)r.hosts.count != rows[i].count)
                fail_msg("%s: %zu hosts", rows[i].target, r.hosts.count);
            assert_string_equal(r.hosts.items[0].name, rows[i].first);
        }
        hosts_clear(&r.hosts);
    }
}

static int add_named(struct tx *tx, void *arg, struct err *err)
{
    struct host host = {.name = arg};
    int64_t id;

    return tx_host_add(tx, &host, &id, err);
}

/* "all" would mean every host, whoever meant the one. */
static void words_of_targets_are_no_names(void **state)
{
    assert_int_equal(in_store(*state, add_named, (void *)"all"), CAUSE_INVALID_ARGUMENT);
    assert_int_equal(in_store(*state, add_named, (void *)"where:x"), CAUSE_INVALID_ARGUMENT);
    assert_int_equal(in_store(*state, add_named, (void *)"allow"), CAUSE_NONE);
}

/* --- queries: the database and a plain evaluation of the same tree agree --- */

static const char *field_of(const struct host *h, const char *field)
{
    if (strcmp(field, "name") == 0)
        return h->name;
    if (strcmp(field, "address") == 0)
        return h->address;
    return strncmp(field, "tag.", 4) == 0 ? pairs_get(&h->tags, field + 4) : pairs_get(&h->facts, field);
}

static bool compare(const struct query_node *n, const char *value)
{
    const char *other = n->values[0];
    bool numbers = value[0] >= '0' && value[0] <= '9' && other[0] >= '0' && other[0] <= '9';
    int order = numbers ? text_version_compare(value, other) : strcmp(value, other);

    switch (n->op) {
    case QUERY_EQ:
        return strcmp(value, other) == 0;
    case QUERY_NE:
        return strcmp(value, other) != 0;
    case QUERY_LT:
        return order < 0;
    case QUERY_LE:
        return order <= 0;
    case QUERY_GT:
        return order > 0;
    case QUERY_GE:
        return order >= 0;
    case QUERY_LIKE:
        return fnmatch(other, value, 0) == 0;
    }
    return false;
}

static bool holds(const struct query_node *n, const struct host *h)
{
    const char *value = n->field ? field_of(h, n->field) : NULL;

    switch (n->kind) {
    case QUERY_AND:
        return holds(n->a, h) && holds(n->b, h);
    case QUERY_OR:
        return holds(n->a, h) || holds(n->b, h);
    case QUERY_NOT:
        return !holds(n->a, h);
    case QUERY_HAS:
        return value != NULL;
    case QUERY_IN:
        for (size_t i = 0; value && i < n->value_count; i++)
            if (strcmp(value, n->values[i]) == 0)
                return true;
        return false;
    case QUERY_COMPARE:
        return value && compare(n, value);
    }
    return false;
}

static unsigned seed = 5;

static unsigned dice(unsigned sides)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % sides;
}

static void random_query(struct buf *out, int depth)
{
    static const char *const fields[] = {"name", "address", "tag.site", "tag.none", "power", "amt.version"};
    static const char *const ops[] = {"=", "!=", "<", "<=", ">", ">=", "~"};
    static const char *const values[] = {"lab", "pc7", "pc1*",     "on",     "off",
                                         "11",  "9.3", "10.0.0.9", "\"x y\""};

    switch (depth > 0 ? dice(6) : 5) {
    case 0:
    case 1:
        buf_puts(out, "(");
        random_query(out, depth - 1);
        buf_puts(out, dice(2) ? " and " : " or ");
        random_query(out, depth - 1);
        buf_puts(out, ")");
        break;
    case 2:
        buf_puts(out, "not ");
        random_query(out, 0);
        break;
    case 3:
        buf_printf(out, "has %s", fields[dice(6)]);
        break;
    case 4:
        buf_printf(out, "%s in (%s, %s)", fields[dice(6)], values[dice(8)], values[dice(8)]);
        break;
    default:
        buf_printf(out, "%s %s %s", fields[dice(6)], ops[dice(7)], values[dice(9)]);
    }
}

struct check {
    struct hosts all;
    int rounds;
};

static int check_queries(struct tx *tx, void *arg, struct err *err)
{
    struct check *c = arg;

    for (; c->rounds > 0; c->rounds--) {
        struct buf text = buf_init(4096);
        struct query *query;
        struct hosts found;
        size_t expected = 0;

        random_query(&text, 3);
        query = query_parse(buf_str(&text), err);
        if (!query || tx_query(tx, query, &found, err) != 0)
            return -1;
        for (size_t i = 0; i < c->all.count; i++)
            expected += holds(query_root(query), &c->all.items[i]);
        if (found.count != expected)
            return err_set(err, CAUSE_FAULT, "%s: %zu hosts, expected %zu", buf_str(&text), found.count,
                           expected);
        for (size_t i = 0; i < found.count; i++)
            if (!holds(query_root(query), &found.items[i]))
                return err_set(err, CAUSE_FAULT, "%s: %s", buf_str(&text), found.items[i].name);
        hosts_clear(&found);
        query_free(query);
        buf_free(&text);
    }
    return 0;
}

static void queries_mean_what_they_say(void **state)
{
    struct scene *s = *state;
    struct resolve all = {"all", {0}};
    struct check check = {.rounds = 500};
    int count = 60;

    assert_int_equal(in_store(s, add_hosts, &count), CAUSE_NONE);
    assert_int_equal(in_store(s, resolve_target, &all), CAUSE_NONE);
    check.all = all.hosts;
    if (in_store(s, check_queries, &check) != CAUSE_NONE)
        fail_msg("%s", s->failure.text);
    hosts_clear(&all.hosts);
}

/* As many terms as a query takes: more than the database's parser takes nested brackets. */
static void a_long_query_is_taken(void **state)
{
    struct scene *s = *state;
    struct buf target = buf_init(1 << 16);
    struct resolve r;
    int count = 200;

    assert_int_equal(in_store(s, add_hosts, &count), CAUSE_NONE);
    buf_puts(&target, "where:name = pc1");
    for (int i = 2; i <= 120; i++)
        buf_printf(&target, " or name = pc%d", i);
    r = (struct resolve){buf_str(&target), {0}};
    if (in_store(s, resolve_target, &r) != CAUSE_NONE)
        fail_msg("%s", s->failure.text);
    assert_int_equal(r.hosts.count, 120);
    hosts_clear(&r.hosts);
    buf_free(&target);
}

static void query_mistakes_name_the_column(void **state)
{
    static const char *const rows[][2] = {
        {"power = ", "column 9"},     {"= 3", "column 1"},           {"power on", "column 7"},
        {"(power = on", "column 12"}, {"power = \"on", "closing"},   {"power = on or", "column 14"},
        {"name in ()", "column 10"},  {"power = on extra", "'and'"}, {"not", "column 4"},
        {"memory >= 16GB", "GiB"},    {"memory < 1.5GiB", "whole"},  {"memory > 8g", "column 10"},
    };
    static const char *const texts[] = {"tag.disk = 16GB",      "memory >= \"16GB\"",   "memory >= 16GiB",
                                        "amt.version < 9.1.45", "bios.version > 1.42a", "amt.version >= 16"};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = ERR_INIT;

        assert_null(query_parse(rows[i][0], &err));
        if (!strstr(err.text, rows[i][1]))
            fail_msg("%s: '%s' does not say '%s'", rows[i][0], err.text, rows[i][1]);
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct err err = ERR_INIT;
        struct query *query = query_parse(texts[i], &err);

        if (!query)
            fail_msg("%s: %s", texts[i], err.text);
        query_free(query);
    }
}

/* --- work is undone alone --- */

static int add_then_fail(struct tx *tx, void *arg, struct err *err)
{
    struct host host = {.name = (char *)arg};
    int64_t id;

    if (tx_host_add(tx, &host, &id, err) != 0)
        return -1;
    return err_set(err, CAUSE_FAULT, "on purpose");
}

static void a_failed_work_leaves_nothing_behind(void **state)
{
    struct scene *s = *state;
    struct resolve all = {"all", {0}};
    int count = 2;

    assert_int_equal(in_store(s, add_hosts, &count), CAUSE_NONE);
    assert_int_equal(in_store(s, add_then_fail, (void *)"ghost"), CAUSE_FAULT);
    assert_int_equal(in_store(s, add_hosts, &count), CAUSE_EXISTS);
    assert_int_equal(in_store(s, resolve_target, &all), CAUSE_NONE);
    assert_int_equal(all.hosts.count, 2);
    hosts_clear(&all.hosts);
}

/* --- profiles --- */

static int put_profile(struct tx *tx, void *arg, struct err *err)
{
    struct profile p = {
        .name = (char *)"lab", .user = (char *)"admin", .tls = PROFILE_TLS_NONE, .clear_text = true};
    int status;

    (void)arg;
    p.password = secret_new("P@ssw0rd1", 9);
    status = tx_profile_put(tx, &p, false, err);
    secret_free(p.password);
    return status;
}

static int read_profile(struct tx *tx, void *arg, struct err *err)
{
    return tx_profile_get(tx, "lab", arg, err);
}

static int old_tls_without_pin(struct tx *tx, void *arg, struct err *err)
{
    struct profile p = {
        .name = (char *)"old", .user = (char *)"admin", .tls = PROFILE_TLS_CA, .old_tls = true};

    (void)arg;
    return tx_profile_put(tx, &p, false, err);
}

static bool file_holds(const char *path, const char *text)
{
    FILE *file = fopen(path, "rb");
    char bytes[1 << 20];
    size_t n = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

    if (file)
        fclose(file);
    return n > 0 && memmem(bytes, n, text, strlen(text)) != NULL;
}

static void passwords_are_sealed(void **state)
{
    struct scene *s = *state;
    struct profile p = {0};
    char *wal = xasprintf("%s-wal", s->path);

    assert_int_equal(in_store(s, put_profile, NULL), CAUSE_NONE);
    assert_int_equal(in_store(s, put_profile, NULL), CAUSE_EXISTS);
    assert_int_equal(in_store(s, old_tls_without_pin, NULL), CAUSE_INVALID_ARGUMENT);
    assert_int_equal(in_store(s, read_profile, &p), CAUSE_NONE);
    assert_string_equal(secret_str(p.password), "P@ssw0rd1");
    assert_true(p.clear_text);
    profile_clear(&p);
    assert_true(file_holds(s->path, "profiles") || file_holds(wal, "profiles"));
    assert_false(file_holds(s->path, "P@ssw0rd1"));
    assert_false(file_holds(wal, "P@ssw0rd1"));
    /* another key: the profile is there, its password is not */
    store_close(s->store);
    seal_free(s->seal);
    unlink(s->key);
    s->seal = seal_open(s->key, 1, NULL);
    scene_open(s);
    assert_int_equal(in_store(s, read_profile, &p), CAUSE_NONE);
    assert_null(p.password);
    assert_true(p.seal_broken);
    profile_clear(&p);
    free(wal);
}

/* --- runs and recovery --- */

static int begin_run(struct tx *tx, void *arg, struct err *err)
{
    struct run run = {
        .task = (char *)"power", .args = (char *)"{}", .target = (char *)"all", .who = (char *)"test"};
    struct operation ops[3] = {{.host = (char *)"a"}, {.host = (char *)"b"}, {.host = (char *)"c"}};

    run.began_ms = 1000;
    run.hosts = 3;
    if (tx_run_add(tx, &run, ops, 3, err) != 0)
        return -1;
    *(int64_t *)arg = run.id;
    ops[0].state = OPERATION_OK;
    ops[0].from = (char *)"on";
    ops[0].to = (char *)"on";
    return tx_operation_end(tx, &ops[0], err) == 0 ? tx_operation_start(tx, ops[1].id, 2000, err) : -1;
}

static int recover(struct tx *tx, void *arg, struct err *err)
{
    return tx_recover(tx, 9000, arg, err);
}

struct shown {
    int64_t id;
    struct run run;
    struct operation *ops;
    size_t count;
};

static int show_run(struct tx *tx, void *arg, struct err *err)
{
    struct shown *shown = arg;

    return tx_run_get(tx, shown->id, &shown->run, &shown->ops, &shown->count, err);
}

static void recovery_forgets_nothing(void **state)
{
    static const char *const causes[] = {NULL, "interrupted", "not-started"};
    struct scene *s = *state;
    struct shown shown = {0};
    size_t recovered = 0;

    assert_int_equal(in_store(s, begin_run, &shown.id), CAUSE_NONE);
    assert_int_equal(in_store(s, recover, &recovered), CAUSE_NONE);
    assert_int_equal(recovered, 2);
    assert_int_equal(in_store(s, show_run, &shown), CAUSE_NONE);
    assert_int_equal(shown.count, 3);
    assert_int_equal(shown.run.ended_ms, 9000);
    assert_int_equal(shown.run.ok, 1);
    assert_int_equal(shown.run.failed, 2);
    for (size_t i = 0; i < 3; i++) {
        if (causes[i])
            assert_string_equal(shown.ops[i].cause, causes[i]);
        else
            assert_null(shown.ops[i].cause);
        operation_clear(&shown.ops[i]);
    }
    free(shown.ops);
    run_clear(&shown.run);
    assert_int_equal(in_store(s, recover, &recovered), CAUSE_NONE);
    assert_int_equal(recovered, 0);
}

/* --- kill -9: what was reported as done is there --- */

static int report_to;

static void report(void *data, const struct err *failure)
{
    char line[64];
    int n = snprintf(line, sizeof(line), "%s\n", failure ? "failed" : (const char *)data);

    if (write(report_to, line, (size_t)n) < 0)
        _exit(2);
}

static void child(struct scene *s, int fd)
{
    struct err err = ERR_INIT;
    struct store *store = store_open(s->path, s->seal, NULL, NULL, &err);

    report_to = fd;
    if (!store)
        _exit(1);
    for (int i = 0;; i++) {
        store_submit(store, add_one, report, xasprintf("h%d", i));
        if (i % 50 == 0)
            poll(NULL, 0, 1);
        store_reap(store);
    }
}

static void what_was_done_survives_kill(void **state)
{
    struct scene *s = *state;
    struct resolve all = {"all", {0}};
    char bytes[65536], *last, *line;
    size_t n = 0;
    int ends[2];
    pid_t pid;

    store_close(s->store);
    s->store = NULL;
    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0)
        child(s, ends[1]);
    close(ends[1]);
    while (n < 3000) {
        ssize_t got = read(ends[0], bytes + n, sizeof(bytes) - 1 - n);

        assert_true(got > 0);
        n += (size_t)got;
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(ends[0]);
    bytes[n] = '\0';
    last = strrchr(bytes, '\n');
    *last = '\0';
    line = strrchr(bytes, '\n') + 1;
    scene_open(s);
    all.target = line;
    if (in_store(s, resolve_target, &all) != CAUSE_NONE)
        fail_msg("%s was reported as done: %s", line, s->failure.text);
    hosts_clear(&all.hosts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_can_wait_keeps_its_place, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(nothing_is_kept_of_what_is_said_to_have_failed, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(soft_work_waits_for_no_disk, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(what_fails_among_others_fails_alone, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(works_are_done_together, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(targets, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(words_of_targets_are_no_names, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(queries_mean_what_they_say, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(a_long_query_is_taken, scene_setup, scene_teardown),
        cmocka_unit_test(query_mistakes_name_the_column),
        cmocka_unit_test_setup_teardown(a_failed_work_leaves_nothing_behind, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(passwords_are_sealed, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(recovery_forgets_nothing, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(what_was_done_survives_kill, scene_setup, scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
