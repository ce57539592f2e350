/* Bad days of a log: full disks, deleted and moved files, sudden death, bytes that vanish. */
#include <fcntl.h>
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
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/console/log_fixture.h"

/* A file may not grow beyond so many bytes: what a full disk looks like from here. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void expect_journal(const char *name, const char *text)
{
    char *content = bench_file(bench_path(&b, name, "console.jnl"), NULL);

    if (!strstr(content, text))
        fail_msg("'%s' is not in: %s", text, content);
    free(content);
}

static void full_disk_pauses_and_goes_on_without_loss(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    struct bench_findings f;

    (void)state;
    bench_append(log, "before\n");
    limit_files(10);
    bench_append(log, "12345678\n"); /* three bytes of it fit */
    assert_int_equal(b.troubles, 1);
    assert_true(clog_paused(log));
    assert_string_equal(buf_str(&b.unlogged), "45678\n");
    bench_append(log, "more\n");
    assert_string_equal(buf_str(&b.unlogged), "45678\nmore\n"); /* the console stays usable */
    for (int i = 0; i < 10; i++)
        bench_pass(&b, log, 1000);
    assert_int_equal(b.troubles, 1); /* said once */
    limit_files(RLIM_INFINITY);
    bench_pass(&b, log, 1000);
    assert_int_equal(b.resumed, 1);
    assert_int_equal(b.lost, 0);
    assert_string_equal(buf_str(&b.shown), "45678\nmore\n");
    bench_append(log, "after\n");
    bench_expect(log, "before\n12345678\nmore\nafter\n");
    clog_free(log);
    bench_verify(&b, "c0", &f);
    assert_null(bench_damage(&f));
}

static void long_full_disk_records_the_gap(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    char block[4096];
    uint64_t first, end;

    (void)state;
    memset(block, 'x', sizeof(block));
    bench_append(log, "before\n");
    limit_files(7);
    for (int i = 0; i < 200; i++)
        clog_append(log, block, sizeof(block));
    clog_flush(log);
    limit_files(RLIM_INFINITY);
    bench_pass(&b, log, 1000);
    bench_append(log, "after\n");
    assert_int_equal(clog_range(log, &first, &end, NULL), 0);
    assert_true(b.lost > 0);
    assert_int_equal(end, 7 + 200 * sizeof(block) - b.lost + 6);
    expect_journal("c0", "lost ");
    assert_int_equal(b.unlogged.len, 200 * sizeof(block)); /* all of it was to be seen */
    clog_free(log);
}

/* Written at once from where it was read to, and nothing of it is lost or doubled. */
static void disk_full_in_a_large_piece(void **state)
{
    enum { LARGE = 40000 };
    struct clog *log = bench_log(&b, "c0");
    char *piece = malloc(LARGE + 1), *expected;
    struct buf all = buf_init(1 << 20);

    (void)state;
    assert_non_null(piece);
    for (size_t i = 0; i < LARGE; i++)
        piece[i] = (char)('a' + i % 23);
    piece[LARGE] = '\0';
    bench_append(log, "before\n");
    clog_append(log, piece, LARGE);
    assert_int_equal(b.written.len, 7 + LARGE); /* shown without a flush */
    assert_int_equal(clog_pending(log), 0);
    limit_files(7 + LARGE + 10000);
    clog_append(log, piece, LARGE);
    assert_int_equal(b.troubles, 1);
    assert_string_equal(buf_str(&b.unlogged), piece + 10000);
    limit_files(RLIM_INFINITY);
    bench_pass(&b, log, 1000);
    assert_int_equal(b.lost, 0);
    clog_append(log, "waits", 5);
    clog_append(log, piece, LARGE); /* behind what waits */
    clog_flush(log);
    buf_printf(&all, "before\n%s%swaits%s", piece, piece, piece);
    expected = buf_take(&all);
    bench_expect(log, expected);
    free(expected);
    free(piece);
    clog_free(log);
}

static void full_from_the_beginning(void **state)
{
    struct clog *log = bench_log(&b, "c0");

    (void)state;
    limit_files(0);
    bench_append(log, "one\n");
    assert_true(clog_paused(log));
    limit_files(RLIM_INFINITY);
    bench_pass(&b, log, 1000);
    assert_false(clog_paused(log));
    bench_expect(log, "one\n");
    clog_free(log);
}

static void deleted_file_is_saved_and_begun_anew(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    struct bench_findings f;

    (void)state;
    bench_append(log, "one\n");
    assert_int_equal(unlink(bench_path(&b, "c0", "console.log")), 0);
    bench_append(log, "two\n"); /* not noticed yet: goes to the file without a name */
    bench_pass(&b, log, 1000);
    bench_append(log, "three\n");
    bench_expect(log, "one\ntwo\nthree\n");
    assert_true(bench_exists(bench_path(&b, "c0", "00000000000000000000.log.zst")));
    expect_journal("c0", "deleted or moved");
    clog_free(log);
    bench_verify(&b, "c0", &f);
    assert_null(bench_damage(&f));
}

static void moved_file_and_another_in_its_place(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    char *path = strdup(bench_path(&b, "c0", "console.log"));

    (void)state;
    bench_append(log, "one\n");
    assert_int_equal(rename(path, bench_path(&b, "c0", "console.log.1")), 0);
    bench_put(path, "stranger\n", 9);
    bench_append(log, "two\n");
    bench_pass(&b, log, 1000);
    bench_append(log, "three\n");
    bench_expect(log, "one\ntwo\nthree\n");
    clog_free(log);
    free(path);
}

static void deleted_directory(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    char command[200];

    (void)state;
    bench_append(log, "one\n");
    clog_roll(log);
    bench_append(log, "two\n");
    snprintf(command, sizeof(command), "%s", bench_path(&b, "c0", ""));
    command[strlen(command) - 1] = '\0';
    assert_int_equal(unlink(bench_path(&b, "c0", "00000000000000000000.log.zst")), 0);
    assert_int_equal(unlink(bench_path(&b, "c0", "00000000000000000000.idx")), 0);
    assert_int_equal(unlink(bench_path(&b, "c0", "00000000000000000000.jnl")), 0);
    assert_int_equal(unlink(bench_path(&b, "c0", "00000000000000000000.blake3")), 0);
    assert_int_equal(unlink(bench_path(&b, "c0", "chain")), 0);
    assert_int_equal(unlink(bench_path(&b, "c0", "console.idx")), 0);
    assert_int_equal(unlink(bench_path(&b, "c0", "console.log")), 0);
    assert_int_equal(rmdir(command), 0);
    bench_append(log, "three\n");
    bench_pass(&b, log, 1000);
    bench_pass(&b, log, 40000);
    bench_append(log, "four\n");
    assert_int_equal(clog_end(log), 19);
    bench_expect(log, "two\nthree\nfour\n"); /* what its descriptor still held is saved */
    clog_free(log);
}

/* Without a descriptor nothing can be saved, but no offset is used twice and the loss is written down. */
static void file_vanishes_while_nobody_looks(void **state)
{
    struct clog *log, *other;
    uint64_t at;
    char text[16] = "";

    (void)state;
    bench_store(&b, 1);
    log = bench_log(&b, "c0");
    other = bench_log(&b, "c1");
    bench_append(log, "gone\n");
    bench_append(other, "x"); /* takes the only descriptor */
    assert_int_equal(unlink(bench_path(&b, "c0", "console.log")), 0);
    bench_append(log, "new\n");
    assert_int_equal(clog_end(log), 9);
    assert_int_equal(clog_read(log, 0, &at, text, sizeof(text) - 1, NULL), 4);
    assert_int_equal(at, 5);
    assert_string_equal(text, "new\n");
    expect_journal("c0", "bytes 0 to 5 are gone");
    clog_free(log);
    clog_free(other);
}

static void cut_file_keeps_what_is_left(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    uint64_t at;
    char text[16] = "";

    (void)state;
    bench_append(log, "12345");
    bench_pass(&b, log, 60000); /* signed */
    clog_free(log);
    assert_int_equal(truncate(bench_path(&b, "c0", "console.log"), 2), 0);
    log = bench_log(&b, "c0");
    bench_append(log, "new");
    bench_pass(&b, log, 0);
    assert_int_equal(clog_end(log), 8);
    assert_int_equal(clog_read(log, 0, &at, text, sizeof(text) - 1, NULL), 2);
    assert_int_equal(clog_read(log, 2, &at, text, sizeof(text) - 1, NULL), 3);
    assert_int_equal(at, 5);
    clog_free(log);
}

static void torn_tails_are_repaired(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    size_t n;
    char *content;

    (void)state;
    clog_event(log, JOURNAL_UP, NULL, NULL);
    bench_append(log, "one\n");
    clog_free(log);
    content = bench_file(bench_path(&b, "c0", "console.jnl"), &n);
    bench_put(bench_path(&b, "c0", "console.jnl"), content, n - 5);
    free(content);
    content = bench_file(bench_path(&b, "c0", "console.idx"), &n);
    bench_put(bench_path(&b, "c0", "console.idx"), content, n - 3);
    free(content);
    log = bench_log(&b, "c0");
    clog_event(log, JOURNAL_NOTE, "x", "y");
    bench_append(log, "two\n");
    bench_expect(log, "one\ntwo\n");
    expect_journal("c0", "torn bytes");
    clog_free(log);
}

/* What sudden death leaves at any point of a roll is taken up again. */
static void death_in_the_middle_of_a_roll(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    struct bench_findings f;
    char *from;

    (void)state;
    bench_append(log, "one\n");
    b.later = true;
    clog_roll(log); /* renamed, but not signed and compressed */
    bench_copy(&b, "c0", "dead1");
    bench_append(log, "two\n");
    bench_copy(&b, "c0", "dead2");
    bench_work(&b);
    b.later = false;
    clog_free(log);

    from = strdup(bench_path(&b, "dead1", "00000000000000000000.idx"));
    assert_int_equal(rename(from, bench_path(&b, "dead1", "console.idx")), 0); /* not even renamed */
    free(from);
    log = bench_log(&b, "dead1");
    bench_append(log, "two\n");
    bench_pass(&b, log, 0);
    bench_expect(log, "one\ntwo\n");
    assert_true(bench_exists(bench_path(&b, "dead1", "00000000000000000000.log.zst")));
    clog_free(log);
    bench_verify(&b, "dead1", &f);
    assert_null(bench_damage(&f));

    log = bench_log(&b, "dead2");
    bench_append(log, "three\n");
    bench_pass(&b, log, 0);
    bench_expect(log, "one\ntwo\nthree\n");
    clog_free(log);
    bench_verify(&b, "dead2", &f);
    assert_null(bench_damage(&f));
}

static void freed_while_work_is_under_way(void **state)
{
    struct clog *log = bench_log(&b, "c0");

    (void)state;
    b.later = true;
    bench_append(log, "one\n");
    clog_roll(log);
    clog_free(log);
    bench_work(&b);
    assert_int_equal(clog_store_busy(b.store), 0);
    assert_true(bench_exists(bench_path(&b, "c0", "00000000000000000000.log.zst")));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, bench_begin, bench_end)
    const struct CMUnitTest tests[] = {
        T(full_disk_pauses_and_goes_on_without_loss),
        T(long_full_disk_records_the_gap),
        T(disk_full_in_a_large_piece),
        T(full_from_the_beginning),
        T(deleted_file_is_saved_and_begun_anew),
        T(moved_file_and_another_in_its_place),
        T(deleted_directory),
        T(file_vanishes_while_nobody_looks),
        T(cut_file_keeps_what_is_left),
        T(torn_tails_are_repaired),
        T(death_in_the_middle_of_a_roll),
        T(freed_while_work_is_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
