/* Rights: what grants come to for a user, and what is left of targets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <poll.h>

#include "amtd/store/rights.h"
#include "amtd/store/store.h"
#include "base/xalloc.h"

/* What is asked of the store, on its thread, and what came of it. */
struct question {
    const char *groups; /* of the user, one; NULL: none */
    enum api_role role; /* of the user by himself */
    enum api_role need;
    const char *target;
    char answer[ERR_TEXT_MAX]; /* hosts, or the failure */
    enum cause cause;
    bool over;
};

static char anna[] = "anna", staff[] = "staff", few_name[] = "few", tagged_name[] = "tagged",
            few_list[] = "pc1,pc2", tagged_where[] = "tag.x = y";

static int put_fleet(struct tx *tx, struct err *err)
{
    static const struct grant grants[] = {
        {false, anna, ROLE_OPERATE, few_name},
        {false, anna, ROLE_QUARANTINE, tagged_name},
        {true, staff, ROLE_WATCH, NULL},
    };
    struct collection few = {.name = few_name, .list = few_list},
                      tagged = {.name = tagged_name, .where = tagged_where};
    int64_t id;

    for (int i = 1; i <= 4; i++) {
        char *name = xasprintf("pc%d", i);
        struct host host = {.name = name};
        int status;

        if (i >= 2 && i <= 3)
            pairs_set(&host.tags, "x", "y");
        status = tx_host_add(tx, &host, &id, err);
        pairs_clear(&host.tags);
        free(name);
        if (status != 0)
            return -1;
    }
    if (tx_collection_put(tx, &few, false, err) != 0 || tx_collection_put(tx, &tagged, false, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++)
        if (tx_grant_add(tx, &grants[i], err) != 0)
            return -1;
    return 0;
}

static int setup_work(struct tx *tx, void *data, struct err *err)
{
    (void)data;
    return put_fleet(tx, err);
}

static int ask_work(struct tx *tx, void *data, struct err *err)
{
    struct question *q = data;
    struct user user = {.name = anna,
                        .groups = (char *[]){(char *)q->groups},
                        .group_count = q->groups != NULL,
                        .role = q->role};
    struct reach *reach;
    struct actor actor = {.who = "anna", .need = q->need};
    struct hosts hosts;
    size_t at = 0;
    int status;

    if (tx_reach(tx, &user, &reach, err) != 0)
        return -1;
    actor.reach = reach;
    tx_as(tx, &actor);
    status = tx_target(tx, q->target, &hosts, err);
    tx_as(tx, NULL);
    for (size_t i = 0; status == 0 && i < hosts.count; i++)
        at += (size_t)snprintf(q->answer + at, sizeof(q->answer) - at, "%s%s", i > 0 ? " " : "",
                               hosts.items[i].name);
    if (status == 0)
        hosts_clear(&hosts);
    reach_free(reach);
    return status;
}

static void over(void *data, const struct err *failure)
{
    struct question *q = data;

    q->over = true;
    q->cause = failure ? failure->cause : CAUSE_NONE;
    if (failure)
        snprintf(q->answer, sizeof(q->answer), "%s", failure->text);
}

struct scene {
    char dir[64];
    struct seal *seal;
    struct store *store;
};

static void in_store(struct scene *s, store_work *work, struct question *q)
{
    store_submit(s->store, work, over, q);
    while (!q->over) {
        store_reap(s->store);
        poll(NULL, 0, 1);
    }
}

static int setup(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));
    struct question q = {0};
    char *path, *key;

    strncpy(s->dir, "/tmp/amtd-test-rights.XXXXXX", sizeof(s->dir) - 1);
    assert_non_null(mkdtemp(s->dir));
    path = xasprintf("%s/amtd.db", s->dir);
    key = xasprintf("%s/key", s->dir);
    s->seal = seal_open(key, 1, NULL);
    s->store = store_open(path, s->seal, NULL, NULL, NULL);
    assert_non_null(s->store);
    free(path);
    free(key);
    in_store(s, setup_work, &q);
    assert_int_equal(q.cause, CAUSE_NONE);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"amtd.db", "amtd.db-wal", "amtd.db-shm", "key"};
    struct scene *s = *state;

    store_close(s->store);
    seal_free(s->seal);
    for (size_t i = 0; i < 4; i++) {
        char *path = xasprintf("%s/%s", s->dir, names[i]);

        unlink(path);
        free(path);
    }
    rmdir(s->dir);
    free(s);
    return 0;
}

static void targets_are_what_is_in_reach(void **state)
{
    static const struct {
        const char *groups;
        enum api_role role, need;
        const char *target;
        enum cause cause;
        const char *answer;
    } rows[] = {
        {NULL, ROLE_NONE, ROLE_WATCH, "all", CAUSE_NONE, "pc1 pc2 pc3"},
        {NULL, ROLE_NONE, ROLE_OPERATE, "all", CAUSE_NONE, "pc1 pc2 pc3"},
        {NULL, ROLE_NONE, ROLE_QUARANTINE, "all", CAUSE_DENIED,
         "this needs the role 'quarantine', which anna does not have on 1 of 3 hosts: pc1"},
        {NULL, ROLE_NONE, ROLE_QUARANTINE, "@tagged", CAUSE_NONE, "pc2 pc3"},
        {NULL, ROLE_NONE, ROLE_WATCH, "pc[1-4]", CAUSE_NOT_FOUND, "there is no host pc4"},
        {NULL, ROLE_NONE, ROLE_WATCH, "pc[1-4],!pc4", CAUSE_NOT_FOUND, "there is no host pc4"},
        {NULL, ROLE_NONE, ROLE_WATCH, "all,!pc4,!pc1", CAUSE_NONE, "pc2 pc3"},
        {NULL, ROLE_NONE, ROLE_WATCH, "where:not tag.x = y", CAUSE_NONE, "pc1"},
        {NULL, ROLE_NONE, ROLE_ADMINISTER, "pc1", CAUSE_DENIED,
         "this needs the role 'administer', which anna does not have on 1 of 1 hosts: pc1"},
        {"staff", ROLE_NONE, ROLE_WATCH, "pc[1-4]", CAUSE_NONE, "pc1 pc2 pc3 pc4"},
        {"staff", ROLE_NONE, ROLE_OPERATE, "pc[3-4]", CAUSE_DENIED,
         "this needs the role 'operate', which anna does not have on 1 of 2 hosts: pc4"},
        {"others", ROLE_NONE, ROLE_WATCH, "pc4", CAUSE_NOT_FOUND, "there is no host pc4"},
        {NULL, ROLE_ADMINISTER, ROLE_ADMINISTER, "all", CAUSE_NONE, "pc1 pc2 pc3 pc4"},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct question q = {
            .groups = rows[i].groups, .role = rows[i].role, .need = rows[i].need, .target = rows[i].target};

        in_store(s, ask_work, &q);
        assert_string_equal(q.answer, rows[i].answer);
        assert_int_equal(q.cause, rows[i].cause);
    }
}

static int remove_work(struct tx *tx, void *data, struct err *err)
{
    (void)data;
    return tx_collection_remove(tx, "few", err);
}

static int twice_work(struct tx *tx, void *data, struct err *err)
{
    const struct grant grant = {true, staff, ROLE_WATCH, NULL};

    (void)data;
    return tx_grant_add(tx, &grant, err);
}

static int revoke_work(struct tx *tx, void *data, struct err *err)
{
    const struct grant grant = {true, staff, ROLE_WATCH, few_name};

    (void)data;
    return tx_grant_remove(tx, &grant, err);
}

static void grants_hold_their_collections(void **state)
{
    struct scene *s = *state;
    struct question a = {0}, b = {0}, c = {0};

    in_store(s, remove_work, &a);
    assert_int_equal(a.cause, CAUSE_EXISTS);
    in_store(s, twice_work, &b);
    assert_int_equal(b.cause, CAUSE_EXISTS);
    in_store(s, revoke_work, &c);
    assert_int_equal(c.cause, CAUSE_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(targets_are_what_is_in_reach, setup, teardown),
        cmocka_unit_test_setup_teardown(grants_hold_their_collections, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
