/* What is kept of filters: who is at a host, half-done ones, what is active, and moments that neither
 * restarts nor the clock move. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "amtd/store/filters.h"
#include "base/xalloc.h"

static char dir[64], path[96], key[96];
static struct seal *seal;
static struct store *store;
static int64_t host_id;

/* The structs own their texts; these stay. */
static char pc1[] = "pc1", filter[] = "filter", no_args[] = "{}", anna[] = "anna",
            what[] = "filter apply quarantine", set[] = "{\"hash\":\"x\"}", version_name[] = "amt.version",
            version_text[] = "16.1.25";

struct job {
    store_work *work;
    bool over;
    struct err failure;
};

static int do_work(struct tx *tx, void *data, struct err *err)
{
    return ((struct job *)data)->work(tx, NULL, err);
}

static void done(void *data, const struct err *failure)
{
    struct job *job = data;

    job->over = true;
    if (failure)
        job->failure = *failure;
}

/* Runs work in the store's thread, to its end; what it asserts is seen here by its result. */
static void in_store(store_work *work)
{
    struct job job = {.work = work};

    store_submit(store, do_work, done, &job);
    while (!job.over) {
        store_reap(store);
        usleep(200);
    }
    if (job.failure.cause != CAUSE_NONE)
        fail_msg("%s", job.failure.text);
}

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            return err_set(err, CAUSE_INVALID_ARGUMENT, "line %d: %s", __LINE__, #condition);                \
    } while (0)

static int add_host(struct tx *tx, void *data, struct err *err)
{
    struct host host = {.name = pc1};

    (void)data;
    return tx_host_add(tx, &host, &host_id, err);
}

static int setup(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/amtd-test-filters.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/amtd.db", dir);
    snprintf(key, sizeof(key), "%s/key", dir);
    seal = seal_open(key, 1, NULL);
    store = store_open(path, seal, NULL, NULL, &err);
    assert_non_null(store);
    in_store(add_host);
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"amtd.db", "amtd.db-wal", "amtd.db-shm", "key"};

    (void)state;
    store_close(store);
    seal_free(seal);
    for (size_t i = 0; i < 4; i++) {
        char *name = xasprintf("%s/%s", dir, names[i]);

        unlink(name);
        free(name);
    }
    rmdir(dir);
    return 0;
}

static int begin_run(struct tx *tx, struct run *run, struct err *err)
{
    *run = (struct run){.task = filter, .args = no_args, .target = pc1, .who = anna, .began_ms = 1000};
    return tx_run_add(tx, run, NULL, 0, err);
}

static struct filter_claim claim_of(const struct run *run)
{
    return (struct filter_claim){
        .host_id = host_id, .run = run->id, .who = run->who, .what = what, .since_ms = 1000};
}

static int one_at_a_time(struct tx *tx, void *data, struct err *err)
{
    struct run first, second;
    struct filter_claim a, b;
    struct err refusal = ERR_INIT;
    char *journal;

    (void)data;
    CHECK(begin_run(tx, &first, err) == 0 && begin_run(tx, &second, err) == 0);
    a = claim_of(&first);
    b = claim_of(&second);
    CHECK(tx_filter_claim(tx, &a, false, &journal, err) == 0 && !journal);
    CHECK(tx_filter_claim(tx, &b, true, &journal, &refusal) != 0);
    CHECK(refusal.cause == CAUSE_IN_USE && strstr(refusal.text, "anna is at it: 'filter apply quarantine'"));
    CHECK(tx_filter_note(tx, host_id, second.id, "{}", &refusal) != 0); /* it is not the second's */
    CHECK(tx_filter_release(tx, host_id, second.id, err) == 0);
    CHECK(tx_filter_claim(tx, &b, true, &journal, &refusal) != 0); /* nor may it let go */
    CHECK(tx_run_end(tx, first.id, 2000, err) == 0);
    CHECK(tx_filter_claim(tx, &b, false, &journal, err) == 0); /* the first is over and had changed nothing */
    return 0;
}

static int half_done(struct tx *tx, void *data, struct err *err)
{
    struct run first, second, repair;
    struct filter_claim a, b, c, *claims;
    struct err refusal = ERR_INIT;
    struct moment now = moment_now();
    char *journal;
    bool left_half;
    size_t count;

    (void)data;
    CHECK(begin_run(tx, &first, err) == 0 && begin_run(tx, &second, err) == 0 &&
          begin_run(tx, &repair, err) == 0);
    a = claim_of(&first);
    b = claim_of(&second);
    c = claim_of(&repair);
    CHECK(tx_filter_claim(tx, &a, false, &journal, err) == 0);
    CHECK(tx_filter_note(tx, host_id, first.id, "{\"a\":1}", err) == 0);
    CHECK(tx_filter_leave(tx, host_id, first.id, &now, &left_half, err) == 0 && left_half);
    CHECK(tx_run_end(tx, first.id, 2000, err) == 0);
    CHECK(tx_filter_claim(tx, &b, false, &journal, &refusal) != 0);
    CHECK(strstr(refusal.text, "did not come to an end"));
    CHECK(tx_filter_claims(tx, &claims, &count, err) == 0 && count == 1);
    CHECK(claims[0].tries == 1 && moment_left_ms(&claims[0].next, &now) == 15000);
    filter_claim_clear(&claims[0]);
    free(claims);
    CHECK(tx_filter_claim(tx, &c, true, &journal, err) == 0 && strcmp(journal, "{\"a\":1}") == 0);
    free(journal);
    CHECK(tx_filter_leave(tx, host_id, repair.id, &now, &left_half, err) == 0 && left_half);
    CHECK(tx_filter_claims(tx, &claims, &count, err) == 0 && count == 1);
    CHECK(moment_left_ms(&claims[0].next, &now) == 30000); /* later each time */
    filter_claim_clear(&claims[0]);
    free(claims);
    CHECK(tx_filter_release(tx, host_id, repair.id, err) == 0);
    CHECK(tx_filter_claims(tx, &claims, &count, err) == 0 && count == 0);
    free(claims);
    return 0;
}

static int after_a_crash(struct tx *tx, void *data, struct err *err)
{
    struct run run;
    struct filter_claim claim, *claims;
    struct moment now = moment_now();
    char *journal;
    size_t count;

    (void)data;
    CHECK(begin_run(tx, &run, err) == 0);
    claim = claim_of(&run);
    CHECK(tx_filter_claim(tx, &claim, false, &journal, err) == 0);
    CHECK(tx_filter_recover(tx, err) == 0); /* nothing was changed: let go */
    CHECK(tx_filter_claims(tx, &claims, &count, err) == 0 && count == 0);
    free(claims);
    CHECK(tx_filter_claim(tx, &claim, false, &journal, err) == 0);
    CHECK(tx_filter_note(tx, host_id, run.id, "{}", err) == 0);
    CHECK(tx_filter_recover(tx, err) == 0); /* due at once */
    CHECK(tx_filter_claims(tx, &claims, &count, err) == 0 && count == 1);
    CHECK(moment_left_ms(&claims[0].next, &now) == 0 && claims[0].journal);
    filter_claim_clear(&claims[0]);
    free(claims);
    return 0;
}

static int rows(struct tx *tx, void *data, struct err *err)
{
    struct moment now = moment_now();
    struct filter_row row = {.host_id = host_id,
                             .set = set,
                             .who = anna,
                             .since_ms = 5,
                             .run = 7,
                             .until = moment_in(&now, 60000)};
    struct filter_row read;
    bool found, tried;
    uint32_t generation;
    struct pair version = {version_name, version_text};
    struct pairs facts = {&version, 1};

    (void)data;
    CHECK(tx_filter_put(tx, &row, err) == 0 && tx_filter_put(tx, &row, err) == 0);
    CHECK(tx_filter_get(tx, host_id, SD_CONSOLE, &read, &found, err) == 0 && found);
    CHECK(strcmp(read.host, "pc1") == 0 && strcmp(read.set, row.set) == 0 && !read.before && read.run == 7);
    CHECK(moment_left_ms(&read.until, &now) == 60000 && moment_left_ms(&read.confirm, &now) == -1);
    filter_row_clear(&read);
    CHECK(tx_filter_drop(tx, host_id, SD_CONSOLE, err) == 0);
    CHECK(tx_filter_get(tx, host_id, SD_CONSOLE, &read, &found, err) == 0 && !found);
    CHECK(tx_filter_tried(tx, "x", 0, &tried, err) == 0 && !tried);
    CHECK(tx_filter_tried_add(tx, "x", 16, err) == 0 && tx_filter_tried_add(tx, "x", 16, err) == 0);
    CHECK(tx_filter_tried(tx, "x", 16, &tried, err) == 0 && tried);
    CHECK(tx_filter_tried(tx, "x", 11, &tried, err) == 0 && !tried);
    CHECK(tx_filter_tried(tx, "x", 0, &tried, err) == 0 && tried);
    CHECK(tx_host_facts(tx, host_id, &facts, err) == 0);
    CHECK(tx_filter_generation(tx, host_id, &generation, err) == 0 && generation == 16);
    return 0;
}

/* What waits for agent presence is a row beside what is active. */
static int owners(struct tx *tx, void *data, struct err *err)
{
    struct filter_row row = {.host_id = host_id, .set = set, .who = anna, .since_ms = 5, .run = 7};
    struct filter_row read, *all;
    size_t count;
    bool found;

    (void)data;
    CHECK(tx_filter_put(tx, &row, err) == 0);
    row.owner = SD_AGENT;
    row.run = 8;
    CHECK(tx_filter_put(tx, &row, err) == 0);
    CHECK(tx_filter_get(tx, host_id, SD_CONSOLE, &read, &found, err) == 0 && found && read.run == 7);
    filter_row_clear(&read);
    CHECK(tx_filter_get(tx, host_id, SD_AGENT, &read, &found, err) == 0 && found && read.run == 8);
    filter_row_clear(&read);
    CHECK(tx_filter_get(tx, host_id, SD_HEURISTICS, &read, &found, err) == 0 && !found);
    CHECK(tx_filters(tx, &all, &count, err) == 0 && count == 2);
    CHECK(all[0].owner == SD_CONSOLE && all[1].owner == SD_AGENT);
    filter_row_clear(&all[0]);
    filter_row_clear(&all[1]);
    free(all);
    CHECK(tx_filter_drop(tx, host_id, SD_CONSOLE, err) == 0);
    CHECK(tx_filter_get(tx, host_id, SD_AGENT, &read, &found, err) == 0 && found);
    filter_row_clear(&read);
    CHECK(tx_filter_put(tx, &row, err) == 0 && tx_filter_drop_all(tx, host_id, err) == 0);
    CHECK(tx_filters(tx, &all, &count, err) == 0 && count == 0);
    free(all);
    return 0;
}

static void a_row_for_each_owner(void **state)
{
    (void)state;
    in_store(owners);
}

static void claims_are_exclusive(void **state)
{
    (void)state;
    in_store(one_at_a_time);
}

static void what_is_half_done_is_kept(void **state)
{
    (void)state;
    in_store(half_done);
}

static void a_crash_leaves_what_was_changed(void **state)
{
    (void)state;
    in_store(after_a_crash);
}

static void rows_and_trials(void **state)
{
    (void)state;
    in_store(rows);
}

static void moments(void **state)
{
    struct moment now = {1000000, 5000, "boot-1", 0}, later = moment_in(&now, 3000),
                  never = moment_in(&now, 0), then = now;

    (void)state;
    assert_int_equal(moment_left_ms(&later, &now), 3000);
    assert_int_equal(moment_left_ms(&never, &now), -1);
    then.up_ms += 1000;
    then.wall_ms -= 86400000; /* somebody sets the clock back: the time since boot counts */
    assert_int_equal(moment_left_ms(&later, &then), 2000);
    then.up_ms += 5000;
    assert_int_equal(moment_left_ms(&later, &then), 0);
    then = (struct moment){1001000, 10, "boot-2", 0}; /* after a reboot there is the clock only */
    assert_int_equal(moment_left_ms(&later, &then), 2000);
    then.wall_ms = 10; /* which was lost: the whole time from the reboot on is the most */
    assert_int_equal(moment_left_ms(&later, &then), 2990);
    then.up_ms = 4000;
    assert_int_equal(moment_left_ms(&later, &then), 0);
    later.span_ms = 0; /* of a store that did not keep how long it was to last */
    assert_int_equal(moment_left_ms(&later, &then), 1002990);
}

/* Who sets the clock sets what is shown and counts after a reboot, not when it comes. */
static void moments_follow_the_clock(void **state)
{
    struct moment now = {1000000, 5000, "boot-1", 0}, later = moment_in(&now, 3000), never = {0};

    (void)state;
    assert_false(moment_follow(&later, &now));
    now.up_ms += 1000;
    now.wall_ms += 2500; /* a little off, as clocks are */
    assert_false(moment_follow(&later, &now));
    now.wall_ms += 86400000;
    assert_true(moment_follow(&later, &now));
    assert_int_equal(later.wall_ms, now.wall_ms + 2000);
    assert_int_equal(moment_left_ms(&later, &now), 2000);
    assert_false(moment_follow(&later, &now));
    assert_false(moment_follow(&never, &now));
    now.wall_ms = -5000; /* before 1970: never stays what means never */
    assert_true(moment_follow(&later, &now));
    assert_int_equal(moment_left_ms(&later, &now), 2000);
    now = (struct moment){5, 5, "boot-2", 0};
    assert_false(moment_follow(&later, &now));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(claims_are_exclusive, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_half_done_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_crash_leaves_what_was_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_and_trials, setup, teardown),
        cmocka_unit_test_setup_teardown(a_row_for_each_owner, setup, teardown),
        cmocka_unit_test(moments),
        cmocka_unit_test(moments_follow_the_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
