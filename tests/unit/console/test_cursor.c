/* Cursors and the lease. */
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

#include "amtd/console/cursor.h"
#include "amtd/console/lease.h"
#include "tests/unit/console/log_fixture.h"

struct reader {
    struct cursor cursor;
    size_t room;
    struct buf got;
    uint64_t skipped;
};

static size_t room(void *arg)
{
    return ((struct reader *)arg)->room;
}

static void bytes(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
    struct reader *r = arg;

    (void)offset;
    assert_true(n <= r->room);
    buf_add(&r->got, p, n);
    r->room -= n;
}

static void skipped(void *arg, uint64_t from, uint64_t to, const struct err *err)
{
    (void)err;
    ((struct reader *)arg)->skipped += to - from;
}

static struct reader fast, slow;
static struct clog *log_;

static void on_written(void *arg, uint64_t offset, const uint8_t *p, size_t n, bool shown)
{
    (void)arg;
    cursor_written(&fast.cursor, offset, p, n, shown);
    cursor_written(&slow.cursor, offset, p, n, shown);
}

static void on_unlogged(void *arg, const uint8_t *p, size_t n)
{
    (void)arg;
    cursor_unlogged(&fast.cursor, p, n);
    cursor_unlogged(&slow.cursor, p, n);
}

static int begin(void **state)
{
    const struct clog_events events = {NULL, on_written, on_unlogged, NULL, NULL};
    const struct cursor_sink f = {&fast, room, bytes, skipped}, s = {&slow, room, bytes, skipped};

    bench_begin(state);
    log_ = clog_new(b.store, "c0", &b.settings, &events);
    fast = (struct reader){.room = 1 << 20, .got = buf_init(1 << 20)};
    slow = (struct reader){.room = 10, .got = buf_init(1 << 20)};
    cursor_init(&fast.cursor, log_, 0, &f);
    cursor_init(&slow.cursor, log_, 0, &s);
    return 0;
}

static int end(void **state)
{
    clog_free(log_);
    buf_free(&fast.got);
    buf_free(&slow.got);
    return bench_end(state);
}

static void slow_reader_misses_nothing_and_holds_nobody(void **state)
{
    struct buf all = buf_init(1 << 20);

    (void)state;
    for (int i = 0; i < 1000; i++) {
        char line[40];

        snprintf(line, sizeof(line), "line %d\n", i);
        buf_puts(&all, line);
        bench_append(log_, line);
        if (i == 300 || i == 600)
            clog_roll(log_);
    }
    assert_string_equal(buf_str(&fast.got), buf_str(&all));
    assert_int_equal(slow.got.len, 10);
    assert_int_equal(cursor_behind(&slow.cursor), all.len - 10);
    while (cursor_behind(&slow.cursor) > 0) {
        slow.room = 97;
        cursor_pump(&slow.cursor, 1 << 20);
    }
    assert_string_equal(buf_str(&slow.got), buf_str(&all));
    slow.room = 100;
    bench_append(log_, "end\n"); /* at the end again: at once */
    assert_int_equal(slow.got.len, all.len + 4);
    buf_free(&all);
}

static void paused_log_is_shown_once(void **state)
{
    struct rlimit limit;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    bench_append(log_, "one\n");
    limit.rlim_cur = 4;
    setrlimit(RLIMIT_FSIZE, &limit);
    bench_append(log_, "two, held\n"); /* the slow one has no room for that */
    assert_string_equal(buf_str(&fast.got), "one\ntwo, held\n");
    assert_string_equal(buf_str(&slow.got), "one\n");
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    bench_pass(&b, log_, 1000);
    bench_append(log_, "three\n");
    slow.room = 100;
    cursor_pump(&slow.cursor, 1000);
    assert_string_equal(buf_str(&fast.got), "one\ntwo, held\nthree\n");
    assert_string_equal(buf_str(&slow.got), "one\ntwo, held\nthree\n");
}

static void expired_bytes_are_skipped(void **state)
{
    (void)state;
    b.settings.keep_count = 1;
    clog_set(log_, &b.settings);
    slow.room = 0;
    for (int i = 0; i < 4; i++) {
        bench_append(log_, "0123456789");
        clog_roll(log_);
    }
    slow.room = 1000;
    cursor_pump(&slow.cursor, 1000);
    assert_int_equal(slow.skipped, 30);
    assert_string_equal(buf_str(&slow.got), "0123456789");
}

static void lease_goes_round(void **state)
{
    struct lease lease = {0};

    (void)state;
    assert_true(lease_request(&lease, 1));
    assert_true(lease_request(&lease, 1));
    assert_false(lease_request(&lease, 2));
    assert_false(lease_request(&lease, 3));
    assert_false(lease_request(&lease, 2));
    assert_int_equal(lease_release(&lease, 1), 2);
    assert_int_equal(lease_force(&lease, 4), 2); /* 2 waits behind 3 now */
    assert_false(lease_grant(&lease, 3, 2));
    assert_false(lease_grant(&lease, 4, 5));
    assert_true(lease_grant(&lease, 4, 2));
    assert_false(lease_waits(&lease, 2));
    assert_true(lease_waits(&lease, 3));
    assert_int_equal(lease_release(&lease, 3), 0);
    assert_int_equal(lease_release(&lease, 2), 0);
    assert_int_equal(lease.holder, 0);
    assert_int_equal(lease_release(&lease, 9), 0);
    lease_clear(&lease);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        T(slow_reader_misses_nothing_and_holds_nobody),
        T(paused_log_is_shown_once),
        T(expired_bytes_are_skipped),
        cmocka_unit_test(lease_goes_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
