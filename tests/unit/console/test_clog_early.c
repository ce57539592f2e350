/* Logs that were not used yet: nothing is made before there is something to keep, and what happened to their
 * links meanwhile is lost by no sudden death. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/unit/console/log_fixture.h"

static const char *spool_path(void)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/consoles/.events", b.dir);
    return path;
}

static bool has_dir(const char *name)
{
    return bench_exists(bench_path(&b, name, ""));
}

/* The journal has these kinds, and nothing else, at these offsets. */
static void expect_journal(const char *name, const char *expected)
{
    char *content = bench_file(bench_path(&b, name, "console.jnl"), NULL), *line = content, *end;
    struct buf got = buf_init(4096);
    struct journal_entry e;
    struct err err = ERR_INIT;

    while ((end = strchr(line, '\n'))) {
        assert_int_equal(journal_read(line, (size_t)(end - line), &e, &err), 0);
        buf_printf(&got, "%llu:%s@%lld ", (unsigned long long)e.offset, journal_kind_name(e.kind),
                   (long long)(e.at_ms - 1767323045000));
        line = end + 1;
    }
    assert_string_equal(buf_str(&got), expected);
    buf_free(&got);
    free(content);
}

static void one_life(void (*life)(void))
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        life();
        _exit(0); /* without a word to anybody, as after kill -9 */
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void looking_makes_nothing(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    struct bench_findings f;
    uint64_t first, end, at;
    char byte;

    (void)state;
    assert_int_equal(clog_range(log, &first, &end, NULL), 0);
    assert_int_equal(end, 0);
    assert_int_equal(clog_read(log, 0, &at, &byte, 1, NULL), 0);
    assert_int_equal(clog_back(log, 10, 1000), 0);
    clog_settle(log);
    clog_roll(log);
    bench_pass(&b, log, 100000);
    bench_verify(&b, "c0", &f);
    assert_int_equal(f.count, 0);
    assert_int_equal(f.result.end, 0);
    clog_free(log);
    assert_false(has_dir("c0"));
}

static void event_waits_and_comes_to_the_journal_by_itself(void **state)
{
    struct clog *log = bench_log(&b, "c0");

    (void)state;
    assert_true(clog_event_early(log, JOURNAL_UP, NULL));
    clog_store_turn(b.store);
    assert_true(bench_exists(spool_path()));
    assert_false(has_dir("c0"));
    bench_pass(&b, log, 500);
    assert_false(has_dir("c0"));
    bench_pass(&b, log, 500);
    expect_journal("c0", "0:up@0 ");
    assert_false(bench_exists(bench_path(&b, "c0", "console.log")));
    assert_false(bench_exists(spool_path()));
    assert_false(clog_event_early(log, JOURNAL_DOWN, "gone")); /* it is in use now */
    expect_journal("c0", "0:up@0 0:down@1000 ");
    clog_free(log);
}

static void first_byte_brings_what_waits(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    struct bench_findings f;

    (void)state;
    assert_true(clog_event_early(log, JOURNAL_UP, NULL));
    clog_store_turn(b.store);
    b.fake.wall += 10;
    clog_append(log, "x", 1);
    assert_false(has_dir("c0"));
    assert_false(clog_event_early(log, JOURNAL_DOWN, "gone")); /* stands behind the byte */
    expect_journal("c0", "0:up@0 1:down@10 ");
    bench_expect(log, "x");
    clog_store_turn(b.store);
    assert_false(bench_exists(spool_path()));
    bench_pass(&b, log, 60000);
    clog_free(log);
    bench_verify(&b, "c0", &f);
    assert_null(bench_damage(&f));
    assert_int_equal(f.result.signed_to, 1);
}

static void whoever_looks_finds_it(void **state)
{
    struct clog *log = bench_log(&b, "c0"), *other = bench_log(&b, "c1");

    (void)state;
    assert_true(clog_event_early(log, JOURNAL_UP, NULL));
    assert_true(clog_event_early(other, JOURNAL_UP, NULL));
    clog_settle(log);
    expect_journal("c0", "0:up@0 ");
    clog_event(other, JOURNAL_NOTE, "anna", "hello");
    expect_journal("c1", "0:up@0 0:note@0 ");
    clog_free(log);
    clog_free(other);
}

static void up_and_die(void)
{
    struct clog *log = bench_log(&b, "c0");

    clog_event_early(log, JOURNAL_UP, NULL);
    clog_store_turn(b.store);
    b.fake.wall += 5;
    clog_event_early(log, JOURNAL_DOWN, "the other end closed the link");
    clog_store_turn(b.store);
}

static void sudden_death_loses_no_event(void **state)
{
    struct clog *log;

    (void)state;
    one_life(up_and_die);
    assert_false(has_dir("c0"));
    one_life(up_and_die); /* and once more, before anybody looked */
    b.fake.wall += 1000;
    bench_store(&b, 16);
    log = bench_log(&b, "c0");
    bench_append(log, "one\n");
    expect_journal("c0", "0:up@0 0:down@5 0:up@0 0:down@5 ");
    clog_free(log);
    bench_store(&b, 16);
    assert_false(bench_exists(spool_path()));
}

static void write_and_die(void)
{
    struct clog *log = bench_log(&b, "c0");

    clog_event_early(log, JOURNAL_UP, NULL);
    clog_store_turn(b.store);
    bench_append(log, "one\n"); /* the spool was not told yet */
}

static void no_event_is_written_twice(void **state)
{
    struct clog *log;

    (void)state;
    one_life(write_and_die);
    expect_journal("c0", "0:up@0 ");
    assert_true(bench_exists(spool_path()));
    b.fake.wall += 1000;
    bench_store(&b, 16);
    log = bench_log(&b, "c0");
    assert_true(clog_event_early(log, JOURNAL_UP, NULL));
    bench_pass(&b, log, 2000);
    expect_journal("c0", "0:up@0 4:up@1000 ");
    bench_expect(log, "one\n");
    clog_free(log);
    assert_false(bench_exists(spool_path()));
}

/* Thousands of them come up again at a restart: their files are not touched for that, and what sudden death
 * tore is repaired before anything is added. */
static void existing_log_is_left_alone_until_it_is_used(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    struct bench_findings f;
    size_t n;
    char *content;

    (void)state;
    clog_event(log, JOURNAL_UP, NULL, NULL);
    bench_append(log, "one\n");
    bench_pass(&b, log, 60000);
    clog_free(log);
    content = bench_file(bench_path(&b, "c0", "console.jnl"), &n);
    content = xreallocarray(content, n + 10, 1);
    memcpy(content + n, "{\"offse", 8);
    bench_put(bench_path(&b, "c0", "console.jnl"), content, n + 7);
    free(content);
    assert_int_equal(chmod(bench_path(&b, "c0", "."), 0), 0);
    log = bench_log(&b, "c0");
    assert_true(clog_event_early(log, JOURNAL_UP, NULL));
    clog_store_turn(b.store);
    assert_int_equal(clog_end(log), 0); /* not known yet */
    assert_int_equal(chmod(bench_path(&b, "c0", "."), 0700), 0);
    bench_append(log, "two\n");
    bench_expect(log, "one\ntwo\n");
    expect_journal("c0", "0:up@0 4:repair@60000 4:up@60000 ");
    bench_pass(&b, log, 60000);
    clog_free(log);
    bench_verify(&b, "c0", &f);
    assert_null(bench_damage(&f));
    assert_int_equal(f.result.signed_to, 8);
}

static void directory_deleted_while_nobody_writes(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    uint64_t first, end;

    (void)state;
    clog_event(log, JOURNAL_UP, NULL, NULL);
    assert_int_equal(unlink(bench_path(&b, "c0", "console.jnl")), 0);
    assert_int_equal(unlink(bench_path(&b, "c0", "console.idx")), 0);
    assert_int_equal(rmdir(bench_path(&b, "c0", "")), 0);
    clog_event(log, JOURNAL_DOWN, NULL, NULL);
    expect_journal("c0", "0:down@0 ");
    bench_append(log, "one\n");
    clog_free(log);

    bench_store(&b, 1); /* one descriptor: that of the log below is taken from it */
    log = bench_log(&b, "c0");
    bench_append(log, "two\n");
    bench_append(log, "three\n");
    clog_free(log);
    log = bench_log(&b, "c0");
    assert_int_equal(clog_range(log, &first, &end, NULL), 0);
    assert_int_equal(end, 14);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            unlink(bench_path(&b, "c0", (const char *[]){"console.log", "console.jnl", "console.idx"}[i])),
            0);
    assert_int_equal(rmdir(bench_path(&b, "c0", "")), 0);
    bench_append(log, "four\n"); /* no offset is used twice */
    assert_false(clog_paused(log));
    assert_int_equal(clog_end(log), 19);
    assert_int_equal(clog_range(log, &first, &end, NULL), 0);
    assert_int_equal(first, 14);
    expect_journal("c0", "14:repair@0 ");
    clog_free(log);
}

/* No byte of a log that has replicas is without the life that wrote it, whatever was deleted. */
static void lives_come_again_with_the_directory(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    const struct lives nobody = {0};
    uint64_t offset, differs;
    bool begun;

    (void)state;
    for (int held = 0; held < 2; held++) {
        assert_int_equal(clog_follow(log, &nobody, 0, &offset, &differs, &begun, NULL), 0);
        assert_true(bench_exists(bench_path(&b, "c0", "lives")));
        if (held)
            bench_append(log, "a");
        for (int i = 0; i < 3; i++)
            unlink(bench_path(&b, "c0", (const char *[]){"console.log", "console.idx", "lives"}[i]));
        unlink(bench_path(&b, "c0", "console.jnl"));
        assert_int_equal(rmdir(bench_path(&b, "c0", "")), 0);
        if (!held)
            clog_event(log, JOURNAL_NOTE, "anna", "still here"); /* a directory without them */
        bench_pass(&b, log, 1000);
        bench_append(log, "b");
        assert_true(bench_exists(bench_path(&b, "c0", "lives")));
        assert_false(clog_paused(log));
    }
    bench_expect(log, "bab");
    clog_free(log);
}

static void full_disk_keeps_events_waiting(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    struct rlimit limit;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_true(clog_event_early(log, JOURNAL_UP, NULL));
    clog_store_turn(b.store);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    bench_pass(&b, log, 2000);
    bench_pass(&b, log, 2000);
    limit.rlim_cur = RLIM_INFINITY;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_true(bench_exists(spool_path()));
    bench_pass(&b, log, 2000);
    expect_journal("c0", "0:up@0 ");
    assert_false(bench_exists(spool_path()));
    clog_free(log);
}

static void thousands_take_turns(void **state)
{
    struct clog *logs[200];
    char name[8];
    int made = 0, rounds = 0;

    (void)state;
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        logs[i] = bench_log(&b, name);
        assert_true(clog_event_early(logs[i], JOURNAL_UP, NULL));
        assert_false(has_dir(name));
    }
    clog_store_turn(b.store);
    bench_pass(&b, NULL, 1000);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        made += has_dir(name);
    }
    assert_true(made > 0 && made < 100); /* the loop sees to sockets in between */
    while (bench_exists(spool_path()) && rounds++ < 200)
        bench_pass(&b, NULL, 10);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        expect_journal(name, "0:up@0 ");
        clog_free(logs[i]);
    }
}

static void too_many_do_not_wait(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    int waiting = 0;

    (void)state;
    while (clog_event_early(log, waiting % 2 ? JOURNAL_DOWN : JOURNAL_UP, NULL))
        assert_true(waiting++ < 1000);
    assert_true(has_dir("c0"));
    clog_store_turn(b.store);
    assert_false(bench_exists(spool_path()));
    clog_free(log);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, bench_begin, bench_end)
    const struct CMUnitTest tests[] = {
        T(looking_makes_nothing),
        T(event_waits_and_comes_to_the_journal_by_itself),
        T(first_byte_brings_what_waits),
        T(whoever_looks_finds_it),
        T(sudden_death_loses_no_event),
        T(no_event_is_written_twice),
        T(existing_log_is_left_alone_until_it_is_used),
        T(directory_deleted_while_nobody_writes),
        T(lives_come_again_with_the_directory),
        T(full_disk_keeps_events_waiting),
        T(thousands_take_turns),
        T(too_many_do_not_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
