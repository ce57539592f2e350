/* The log of a console: offsets, segments, time, what is left after sudden death. */
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

#include "amtd/console/log_times.h"
#include "tests/unit/console/log_fixture.h"

static void writes_plain_bytes_before_it_shows_them(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    char *content;

    (void)state;
    clog_append(log, "hello ", 6);
    assert_int_equal(b.written.len, 0);
    assert_int_equal(clog_pending(log), 6);
    clog_append(log, "world\n", 6);
    clog_flush(log);
    assert_string_equal(buf_str(&b.written), "hello world\n");
    content = bench_file(bench_path(&b, "c0", "console.log"), NULL);
    assert_string_equal(content, "hello world\n");
    free(content);
    assert_int_equal(clog_end(log), 12);
    bench_expect(log, "hello world\n");
    clog_free(log);
}

static void writes_by_itself_when_time_has_come(void **state)
{
    struct clog *log = bench_log(&b, "c0");

    (void)state;
    clog_append(log, "x", 1);
    assert_int_equal(clog_tick(log, b.fake.mono), b.fake.mono + 100);
    bench_pass(&b, log, 99);
    assert_int_equal(b.written.len, 0);
    bench_pass(&b, log, 1);
    assert_int_equal(b.written.len, 1);
    clog_free(log);
}

static void goes_on_after_a_restart(void **state)
{
    struct clog *log = bench_log(&b, "c0");

    (void)state;
    bench_append(log, "one\n");
    clog_free(log);
    log = bench_log(&b, "c0");
    bench_append(log, "two\n");
    assert_int_equal(clog_end(log), 8);
    bench_expect(log, "one\ntwo\n");
    clog_free(log);
}

static void rolls_and_reads_across_segments(void **state)
{
    struct clog *log = bench_log(&b, "c0");

    (void)state;
    bench_append(log, "one\n");
    clog_roll(log);
    assert_true(bench_exists(bench_path(&b, "c0", "00000000000000000000.log.zst")));
    assert_false(bench_exists(bench_path(&b, "c0", "00000000000000000000.log")));
    assert_false(bench_exists(bench_path(&b, "c0", "console.log")));
    bench_append(log, "two\n");
    clog_roll(log);
    bench_append(log, "three\n");
    assert_true(bench_exists(bench_path(&b, "c0", "00000000000000000004.log.zst")));
    bench_expect(log, "one\ntwo\nthree\n");
    clog_roll(log);
    clog_roll(log); /* nothing to close: nothing happens */
    clog_free(log);
    log = bench_log(&b, "c0");
    bench_expect(log, "one\ntwo\nthree\n");
    bench_append(log, "four\n");
    assert_int_equal(clog_end(log), 19);
    bench_expect(log, "one\ntwo\nthree\nfour\n");
    clog_free(log);
}

static void rolls_by_size_and_age(void **state)
{
    struct clog *log;

    (void)state;
    b.settings.segment_bytes = 4096;
    log = bench_log(&b, "c0");
    for (int i = 0; i < 500; i++)
        bench_append(log, "0123456789abcde\n");
    assert_true(bench_exists(bench_path(&b, "c0", "00000000000000000000.log")) ||
                bench_exists(bench_path(&b, "c0", "console.log")));
    bench_pass(&b, log, 1000);
    assert_true(bench_exists(bench_path(&b, "c0", "00000000000000000000.log.zst")));
    bench_append(log, "more\n");
    bench_pass(&b, log, 86400000);
    assert_false(bench_exists(bench_path(&b, "c0", "console.log")));
    clog_free(log);
}

/* 3 MiB that do not compress well, in many segments of several frames, read at every kind of place. */
static void reads_any_part_of_compressed_segments(void **state)
{
    struct clog *log;
    struct buf all = buf_init(8 << 20), got = buf_init(8 << 20);
    uint32_t x = 1;

    (void)state;
    log = bench_log(&b, "c0");
    for (int i = 0; i < 3 << 18; i++) {
        x = x * 1664525 + 1013904223;
        buf_add(&all, &x, 4);
    }
    for (size_t at = 0; at < all.len; at += 50000) {
        clog_append(log, all.p + at, all.len - at < 50000 ? all.len - at : 50000);
        clog_flush(log);
        bench_pass(&b, log, 10);
    }
    assert_int_equal(clog_end(log), all.len);
    for (uint64_t from = 0; from < all.len; from += 333333) {
        buf_reset(&got);
        bench_read(log, from, &got);
        assert_int_equal(got.len, all.len - from);
        assert_memory_equal(got.p, all.p + from, got.len);
    }
    clog_free(log);
    buf_free(&all);
    buf_free(&got);
}

static void finds_the_last_lines(void **state)
{
    struct clog *log = bench_log(&b, "c0");

    (void)state;
    assert_int_equal(clog_back(log, 5, 1000), 0);
    bench_append(log, "one\ntwo\n");
    clog_roll(log);
    bench_append(log, "three\nfour");
    assert_int_equal(clog_back(log, 1, 1000), 14);
    assert_int_equal(clog_back(log, 2, 1000), 8);
    assert_int_equal(clog_back(log, 3, 1000), 4);
    assert_int_equal(clog_back(log, 9, 1000), 0);
    assert_int_equal(clog_back(log, 9, 7), 11);
    assert_int_equal(clog_back(log, 0, 1000), 18);
    bench_append(log, "\n");
    assert_int_equal(clog_back(log, 1, 1000), 14);
    clog_free(log);
}

static void holds_no_more_files_open_than_allowed(void **state)
{
    struct clog *logs[20];
    char name[8];

    (void)state;
    bench_store(&b, 3);
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        logs[i] = bench_log(&b, name);
    }
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 20; i++)
            bench_append(logs[i], "line\n");
    for (int i = 0; i < 20; i++) {
        bench_expect(logs[i], "line\nline\nline\n");
        clog_free(logs[i]);
    }
}

static void removes_what_is_kept_no_longer(void **state)
{
    struct clog *log;
    struct bench_findings f;
    uint64_t first, end;

    (void)state;
    b.settings.keep_count = 2;
    log = bench_log(&b, "c0");
    for (int i = 0; i < 5; i++) {
        bench_append(log, "0123456789\n");
        clog_roll(log);
    }
    assert_int_equal(clog_range(log, &first, &end, NULL), 0);
    assert_int_equal(first, 33);
    assert_int_equal(end, 55);
    bench_verify(&b, "c0", &f);
    assert_null(bench_damage(&f));
    assert_int_equal(f.items[0].state, VERIFY_EXPIRED);
    assert_int_equal(f.items[0].end, 33);
    clog_free(log);
}

static void journal_stands_at_offsets(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    struct journal_entry entry;
    struct err err = ERR_INIT;
    char *content, *second;

    (void)state;
    clog_event(log, JOURNAL_UP, NULL, NULL);
    clog_append(log, "12345", 5);
    clog_event(log, JOURNAL_ATTACH, "anna \x1b[2J", "writes \"x\"");
    content = bench_file(bench_path(&b, "c0", "console.jnl"), NULL);
    second = strchr(content, '\n') + 1;
    assert_int_equal(journal_read(content, (size_t)(second - content - 1), &entry, &err), 0);
    assert_int_equal(entry.kind, JOURNAL_UP);
    assert_int_equal(entry.offset, 0);
    assert_int_equal(entry.at_ms, b.fake.wall);
    assert_int_equal(journal_read(second, strlen(second) - 1, &entry, &err), 0);
    assert_int_equal(entry.offset, 5);
    assert_string_equal(entry.who, "anna \\x1b[2J");
    assert_string_equal(entry.text, "writes \"x\"");
    free(content);
    clog_free(log);
}

/* A clock that jumps loses nothing: a search from some time on begins no later than the first byte of that
 * time. */
static void clock_may_jump(void **state)
{
    const int64_t day = 86400000, begin = b.fake.wall;
    struct clog *log = bench_log(&b, "c0");
    struct log_times *times;
    struct bench_findings f;
    uint64_t first, end;

    (void)state;
    bench_append(log, "0123456789");
    bench_pass(&b, log, 10000);
    bench_append(log, "0123456789"); /* at 10: 10 s later */
    b.fake.wall = begin + day;
    bench_pass(&b, log, 2000);
    bench_append(log, "0123456789"); /* at 20: a day ahead */
    clog_roll(log);
    b.fake.wall = begin + 20000;
    bench_pass(&b, log, 2000);
    bench_append(log, "0123456789"); /* at 30: put right */
    b.fake.wall = begin - day;
    bench_pass(&b, log, 2000);
    bench_append(log, "0123456789"); /* at 40: a day behind */
    bench_pass(&b, log, 60000);
    assert_int_equal(clog_range(log, &first, &end, NULL), 0);
    assert_int_equal(end, 50);
    clog_free(log);
    times = log_times_new(bench_path(&b, "c0", ""), NULL);
    assert_int_equal(log_times_offset(times, begin - 2 * day, end), 0);
    assert_true(log_times_offset(times, begin + 5000, end) <= 10);
    assert_true(log_times_offset(times, begin + day / 2, end) <= 20);
    assert_int_equal(log_times_offset(times, begin + 3 * day, end), end);
    log_times_free(times);
    bench_verify(&b, "c0", &f);
    assert_null(bench_damage(&f));
}

static void logging_off_and_on_leaves_a_gap_that_is_recorded(void **state)
{
    struct clog *log = bench_log(&b, "c0");
    char *content;

    (void)state;
    bench_append(log, "one ");
    clog_enable(log, false);
    bench_append(log, "secret ");
    assert_string_equal(buf_str(&b.unlogged), "secret ");
    clog_enable(log, true);
    bench_append(log, "two");
    bench_expect(log, "one two");
    content = bench_file(bench_path(&b, "c0", "console.jnl"), NULL);
    assert_non_null(strstr(content, "\"offset\":4"));
    assert_non_null(strstr(content, "lost 7"));
    free(content);
    clog_free(log);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, bench_begin, bench_end)
    const struct CMUnitTest tests[] = {
        T(writes_plain_bytes_before_it_shows_them),
        T(writes_by_itself_when_time_has_come),
        T(goes_on_after_a_restart),
        T(rolls_and_reads_across_segments),
        T(rolls_by_size_and_age),
        T(reads_any_part_of_compressed_segments),
        T(finds_the_last_lines),
        T(holds_no_more_files_open_than_allowed),
        T(removes_what_is_kept_no_longer),
        T(clock_may_jump),
        T(journal_stands_at_offsets),
        T(logging_off_and_on_leaves_a_gap_that_is_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
