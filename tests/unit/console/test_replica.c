/* A log that follows another one: its bytes at their offsets, and what proves them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "amtd/console/log_origin.h"
#include "amtd/console/log_times.h"
#include "tests/unit/console/log_fixture.h"

static uint64_t end_of(struct clog *log)
{
    uint64_t first, end;

    clog_flush(log);
    assert_int_equal(clog_range(log, &first, &end, NULL), 0);
    return end;
}

/* What is in `from` and not in `to` goes there, in pieces of which some come twice. */
static void follow(struct clog *from, struct clog *to)
{
    uint8_t bytes[5000];
    uint64_t at, next;
    long n;

    clog_flush(from);
    assert_int_equal(clog_next(to, &next, NULL), 0);
    next = next > 100 ? next - 100 : 0;
    while ((n = clog_read(from, next, &at, bytes, sizeof(bytes), NULL)) > 0) {
        assert_int_equal(clog_replicate(to, at, b.fake.wall, bytes, (size_t)n), n);
        next = at + (uint64_t)n;
    }
    clog_flush(to);
}

static void follow_proof(struct clog *from, struct clog *to, uint64_t sent)
{
    struct buf bytes = buf_init(PROOF_PIECE_MAX);
    struct proof_reader *reader;
    struct proof_piece piece;
    struct proof_place place;
    struct origin origin;
    bool changed;

    clog_settle(from);
    assert_true(origin_of(clog_path(from), "c0", b.key, &origin, NULL) >= 0);
    assert_int_equal(proof_begin(clog_path(to), &origin, sent, &changed, NULL), 0);
    assert_false(changed);
    proof_place_read(clog_path(to), &place);
    reader = proof_reader_new(clog_path(from), &place);
    while (proof_reader_next(reader, sent, &piece, &bytes)) {
        struct err err = ERR_INIT;

        if (proof_add(clog_path(to), &piece, bytes.p, bytes.len, &err) != 0)
            fail_msg("%s", err.text);
    }
    proof_reader_free(reader);
    buf_free(&bytes);
}

static void nothing(void *arg, const struct verify_finding *finding)
{
    if (arg && finding->state == VERIFY_DAMAGED)
        print_message("%s: %s\n", finding->file, finding->text);
}

static struct verify_result prove(const char *name)
{
    char path[200];
    struct verify_result result;
    struct origin origin;
    struct err err = ERR_INIT;

    snprintf(path, sizeof(path), "%s/consoles/%s", b.dir, name);
    if (log_origin_verify(path, &origin, nothing, NULL, &result, &err) != 1)
        fail_msg("%s", err.text);
    assert_string_equal(origin.console, "c0");
    return result;
}

static void add(struct clog *log, uint32_t *seed, size_t n)
{
    struct buf text = buf_init(1 << 20);

    while (text.len < n) {
        *seed = *seed * 1664525 + 1013904223;
        buf_printf(&text, "%08x\n", *seed);
    }
    clog_append(log, text.p, text.len);
    clog_flush(log);
    buf_free(&text);
}

/* Whatever goes on at the one, and wherever the other was stopped: in the end it has all, and proves it. A
 * third one, that follows the second, proves the first as well. */
static void test_follows(void **state)
{
    struct clog *one = bench_log(&b, "c0"), *two = bench_log(&b, "c0@n"), *three = bench_log(&b, "c0@n@m");
    struct buf x = buf_init(8 << 20), y = buf_init(8 << 20);
    uint32_t seed = 5;

    (void)state;
    for (int i = 0; i < 60; i++) {
        seed = seed * 1664525 + 1013904223;
        add(one, &seed, (seed >> 8) % 40000);
        clog_event(one, JOURNAL_NOTE, "anna", "a note");
        if (i % 7 == 3)
            clog_roll(one);
        if (i % 11 == 5)
            clog_roll(two);
        bench_pass(&b, one, 30000);
        if (i % 3 == 0)
            follow(one, two);
        if (i % 4 == 0)
            follow_proof(one, two, end_of(two));
        if (i % 5 == 0) {
            follow(two, three);
            follow_proof(two, three, end_of(three));
            assert_int_equal(prove("c0@n@m").damages, 0);
        }
        bench_pass(&b, two, 30000);
    }
    clog_roll(one);
    bench_pass(&b, one, 1000);
    follow(one, two);
    follow_proof(one, two, end_of(two));
    follow(two, three);
    follow_proof(two, three, end_of(three));
    bench_read(one, 0, &x);
    bench_read(two, 0, &y);
    assert_int_equal(x.len, y.len);
    assert_memory_equal(x.p, y.p, x.len);
    assert_int_equal(prove("c0@n").damages, 0);
    assert_int_equal(prove("c0@n").signed_to, x.len);
    assert_int_equal(prove("c0@n@m").signed_to, x.len);
    clog_free(one);
    clog_free(two);
    clog_free(three);
    buf_free(&x);
    buf_free(&y);
}

/* What the first one has no more is a gap, and the offsets stay the same. */
static void test_gap(void **state)
{
    struct clog *two = bench_log(&b, "c0@n");
    struct bench_findings found;
    struct buf all = buf_init(1 << 20);
    uint64_t next;

    (void)state;
    assert_int_equal(clog_replicate(two, 5000, b.fake.wall, (const uint8_t *)"first", 5), 5);
    assert_int_equal(clog_replicate(two, 5003, b.fake.wall, (const uint8_t *)"st-more", 7), 7);
    assert_int_equal(clog_replicate(two, 9000, b.fake.wall, (const uint8_t *)"later", 5), 5);
    assert_int_equal(clog_replicate(two, 0, b.fake.wall, (const uint8_t *)"old", 3), 3); /* passed over */
    assert_int_equal(clog_next(two, &next, NULL), 0);
    assert_int_equal(next, 9005);
    bench_pass(&b, two, 60000);
    bench_read(two, 0, &all);
    assert_string_equal(buf_str(&all), "first-morelater");
    clog_free(two);
    bench_verify(&b, "c0@n", &found);
    assert_null(bench_damage(&found));
    two = bench_log(&b, "c0@n"); /* as after a restart */
    assert_int_equal(clog_next(two, &next, NULL), 0);
    assert_int_equal(next, 9005);
    clog_free(two);
    buf_free(&all);
}

/* A log that is off takes nothing, so that nothing is missing when it is on again. */
static void test_off_takes_nothing(void **state)
{
    struct clog *two = bench_log(&b, "c0@n");

    (void)state;
    clog_enable(two, false);
    assert_int_equal(clog_replicate(two, 0, b.fake.wall, (const uint8_t *)"bytes", 5), 0);
    clog_enable(two, true);
    assert_int_equal(clog_replicate(two, 0, b.fake.wall, (const uint8_t *)"bytes", 5), 5);
    clog_free(two);
}

/* Any change of the replica, or of what proves it, is found. */
static void test_tampering(void **state)
{
    static const char *const files[] = {"origin/chain", "origin/00000000000000000000.jnl",
                                        "origin/00000000000000000000.idx", "console.log"};
    struct clog *one = bench_log(&b, "c0"), *two = bench_log(&b, "c0@n");
    uint32_t seed = 1;

    (void)state;
    add(one, &seed, 200000);
    clog_event(one, JOURNAL_NOTE, "anna", "a note");
    clog_roll(one);
    bench_pass(&b, one, 60000);
    add(one, &seed, 1000);
    follow(one, two);
    follow_proof(one, two, end_of(two));
    clog_free(one);
    clog_free(two);
    assert_int_equal(prove("c0@n").damages, 0);
    assert_true(prove("c0@n").signed_to >= 200000);
    for (size_t i = 0; i < 4; i++) {
        const char *path = bench_path(&b, "c0@n", files[i]);
        size_t n;
        char *content = bench_file(path, &n);

        content[n / 3] ^= 1;
        bench_put(path, content, n);
        assert_true(prove("c0@n").damages > 0);
        content[n / 3] ^= 1;
        bench_put(path, content, n);
        assert_int_equal(prove("c0@n").damages, 0);
        free(content);
    }
}

/* A node that was set up anew: what proved the old log is put aside, not mixed with the new. */
static void test_other_key(void **state)
{
    struct clog *one = bench_log(&b, "c0"), *two = bench_log(&b, "c0@n");
    struct origin other = {.console = "c0", .key = {1, 2, 3}};
    uint32_t seed = 1;
    bool changed;

    (void)state;
    add(one, &seed, 1000);
    follow(one, two);
    follow_proof(one, two, end_of(two));
    assert_int_equal(proof_begin(clog_path(two), &other, 1000, &changed, NULL), 0);
    assert_true(changed);
    assert_true(bench_exists(bench_path(&b, "c0@n", "origin-until-1000/key")));
    assert_false(bench_exists(bench_path(&b, "c0@n", "origin/chain")));
    clog_free(one);
    clog_free(two);
}

/* --- promises --- */

/* As after the machine's next start: the promise is of another boot. */
static void boot_again(const char *name)
{
    const char *path = bench_path(&b, name, "promise");
    size_t n;
    char *content = bench_file(path, &n), *id = strchr(content, ' ');

    id[1] = id[1] == '0' ? '1' : '0';
    bench_put(path, content, n);
    free(content);
}

/* A replica with bytes up to `next` of the lives that are in the replica's text. Returns where it goes on. */
static uint64_t join(struct clog *log, const char *theirs, uint64_t next, uint64_t *differs, bool *begun)
{
    struct lives lives;
    struct err err = ERR_INIT;
    uint64_t offset;

    assert_int_equal(lives_read(&lives, theirs, strlen(theirs), NULL), 0);
    if (clog_follow(log, &lives, next, &offset, differs, begun, &err) != 0)
        fail_msg("%s", err.text);
    lives_clear(&lives);
    return offset;
}

static void lives_of(struct clog *log, struct buf *text)
{
    buf_reset(text);
    assert_int_equal(clog_lives(log, text, NULL), 0);
}

/* Offsets that a server may have seen are not used again when power fails; sudden death loses nothing. */
static void test_promise(void **state)
{
    struct clog *one = bench_log(&b, "c0");
    uint64_t promised, differs;
    bool begun;

    (void)state;
    bench_append(one, "0123456789");
    assert_int_equal(join(one, "", 0, &differs, &begun), 0);
    b.later = true;
    assert_int_equal(clog_promise(one, 0), 0); /* nothing may go out before it is on the disk */
    assert_false(bench_exists(bench_path(&b, "c0", "promise")));
    bench_work(&b);
    b.later = false;
    promised = clog_promise(one, 0);
    assert_true(promised > 10);
    assert_true(clog_promise(one, promised - 1) > promised);
    promised = clog_promise(one, 10);
    bench_copy(&b, "c0", "killed");
    bench_copy(&b, "c0", "power");
    boot_again("power");
    clog_free(one);
    assert_false(bench_exists(bench_path(&b, "c0", "promise")));

    one = bench_log(&b, "c0");
    assert_int_equal(end_of(one), 10);
    clog_free(one);
    one = bench_log(&b, "killed");
    assert_int_equal(end_of(one), 10);
    assert_int_equal(join(one, "", 0, &differs, &begun), 0);
    b.later = true;
    assert_int_equal(clog_promise(one, 0), 0); /* this life is not on the disk yet */
    bench_work(&b);
    b.later = false;
    assert_true(clog_promise(one, 0) > 10);
    clog_free(one);
    assert_false(bench_exists(bench_path(&b, "killed", "promise")));
    one = bench_log(&b, "power");
    assert_int_equal(end_of(one), promised);
    bench_append(one, "new");
    assert_int_equal(end_of(one), promised + 3);
    clog_free(one);
}

/* --- histories --- */

/* One that only goes forward has no other history, however often it begins again. */
static void test_one_history(void **state)
{
    struct clog *one = bench_log(&b, "c0");
    struct buf text = buf_init(LIVES_TEXT_MAX);
    uint64_t differs;
    bool begun;

    (void)state;
    bench_append(one, "first");
    assert_int_equal(join(one, "", 0, &differs, &begun), 0);
    lives_of(one, &text);
    for (int i = 0; i < 5; i++) {
        clog_free(one);
        one = bench_log(&b, "c0");
        bench_append(one, "more");
        assert_int_equal(join(one, buf_str(&text), 5 + 4 * (uint64_t)i, &differs, &begun), 5 + 4 * i);
        assert_true(differs == UINT64_MAX && !begun);
        lives_of(one, &text);
    }
    assert_int_equal(clog_size(one), 25);
    clog_free(one);
    buf_free(&text);
}

/* One that is put back writes offsets again that the replica has other bytes for: all goes on behind. */
static void test_put_back(void **state)
{
    struct clog *one = bench_log(&b, "c0"), *back;
    struct buf had = buf_init(LIVES_TEXT_MAX), text = buf_init(LIVES_TEXT_MAX), all = buf_init(1000);
    struct bench_findings found;
    uint64_t differs;
    bool begun;

    (void)state;
    bench_append(one, "in the backup, ");
    assert_int_equal(join(one, "", 0, &differs, &begun), 0);
    bench_copy(&b, "c0", "back");
    bench_append(one, "and this is not");
    lives_of(one, &had);
    clog_free(one);

    back = bench_log(&b, "back");
    bench_append(back, "other bytes, many more than there were before");
    assert_true(join(back, buf_str(&had), 30, &differs, &begun) == HISTORY_STEP);
    assert_true(differs == 15 && begun);
    bench_append(back, "a new history");
    assert_int_equal(clog_size(back), 15 + 45 + 13);
    bench_read(back, HISTORY_STEP, &all);
    assert_string_equal(buf_str(&all), "a new history");
    /* another one that has bytes of the old life; and one that has none of it */
    assert_true(join(back, buf_str(&had), 20, &differs, &begun) == HISTORY_STEP);
    assert_true(differs == 15 && !begun);
    assert_int_equal(join(back, buf_str(&had), 15, &differs, &begun), 15);
    assert_true(differs == UINT64_MAX && !begun);
    /* the first one, from now on; also after a restart */
    lives_of(back, &text);
    assert_true(join(back, buf_str(&text), HISTORY_STEP, &differs, &begun) == HISTORY_STEP);
    assert_true(differs == UINT64_MAX && !begun);
    clog_roll(back);
    bench_pass(&b, back, 60000);
    clog_free(back);
    bench_verify(&b, "back", &found);
    back = bench_log(&b, "back");
    assert_true(join(back, buf_str(&text), HISTORY_STEP + 13, &differs, &begun) == HISTORY_STEP + 13);
    assert_true(differs == UINT64_MAX && !begun);
    clog_free(back);
    buf_free(&had);
    buf_free(&text);
    buf_free(&all);
}

/* What an earlier history signed stays, and is proved for ever. */
static void test_histories_are_proved(void **state)
{
    struct clog *two = bench_log(&b, "c0@n"), *one = bench_log(&b, "c0");
    struct origin origin;
    uint32_t seed = 7;
    bool changed;

    (void)state;
    add(one, &seed, 100000);
    clog_roll(one);
    bench_pass(&b, one, 60000);
    follow(one, two);
    follow_proof(one, two, end_of(two));
    assert_int_equal(prove("c0@n").damages, 0);
    assert_int_equal(origin_of(clog_path(one), "c0", b.key, &origin, NULL), 0);
    origin.from = HISTORY_STEP;
    assert_int_equal(proof_begin(clog_path(two), &origin, end_of(two), &changed, NULL), 0);
    assert_true(changed);
    assert_int_equal(proof_begin(clog_path(two), &origin, end_of(two), &changed, NULL), 0);
    assert_false(changed);
    assert_int_equal(clog_replicate(two, HISTORY_STEP, b.fake.wall, (const uint8_t *)"new", 3), 3);
    clog_flush(two);
    assert_int_equal(prove("c0@n").damages, 0);
    {
        char name[64];
        const char *path;
        size_t n;
        char *content;

        snprintf(name, sizeof(name), "origin-until-%llu/chain", (unsigned long long)(end_of(one)));
        path = bench_path(&b, "c0@n", name);
        content = bench_file(path, &n);
        content[n / 2] ^= 1;
        bench_put(path, content, n);
        free(content);
    }
    assert_true(prove("c0@n").damages > 0);
    clog_free(one);
    clog_free(two);
}

/* The node's chain never takes the place of what is here of it. */
static void test_chain_is_kept(void **state)
{
    struct clog *one = bench_log(&b, "c0"), *two = bench_log(&b, "c0@n");
    const struct proof_piece piece = {.file = PROOF_CHAIN};
    uint32_t seed = 3;

    (void)state;
    add(one, &seed, 1000);
    clog_roll(one);
    bench_pass(&b, one, 60000);
    follow(one, two);
    follow_proof(one, two, end_of(two));
    assert_int_equal(proof_add(clog_path(two), &piece, "{}\n", 3, NULL), -1);
    assert_int_equal(prove("c0@n").damages, 0);
    clog_free(one);
    clog_free(two);
}

/* The replica knows when the machine booted, because its node's journals say so. */
static void test_boots(void **state)
{
    struct clog *one = bench_log(&b, "c0"), *two = bench_log(&b, "c0@n");
    struct log_times *times;
    uint64_t offset = 0;
    uint32_t seed = 1;

    (void)state;
    add(one, &seed, 1000);
    clog_note_at(one, 500, JOURNAL_BOOT, "U-Boot 2023.01");
    clog_settle(one);
    follow(one, two);
    follow_proof(one, two, end_of(two));
    times = log_times_new(clog_path(two), NULL);
    assert_true(log_times_boot(times, 0, &offset));
    assert_int_equal(offset, 500);
    assert_false(log_times_boot(times, 1, &offset));
    log_times_free(times);
    clog_free(one);
    clog_free(two);
}

/* A replica does not skip what its journal speaks of: its node has the bytes. */
static void test_replica_loses_power(void **state)
{
    struct clog *one = bench_log(&b, "c0"), *two = bench_log(&b, "c0@n");
    uint32_t seed = 1;

    (void)state;
    add(one, &seed, 3000);
    follow(one, two);
    follow_proof(one, two, end_of(two));
    clog_event(two, JOURNAL_NOTE, NULL, "behind all");
    clog_free(two);
    assert_int_equal(truncate(bench_path(&b, "c0@n", "console.log"), 1000), 0);
    two = bench_log(&b, "c0@n");
    assert_int_equal(end_of(two), 1000);
    follow(one, two);
    assert_int_equal(end_of(two), end_of(one));
    clog_free(one);
    clog_free(two);
    assert_int_equal(prove("c0@n").damages, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_follows, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(test_gap, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(test_off_takes_nothing, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(test_tampering, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(test_other_key, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(test_boots, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(test_one_history, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(test_put_back, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(test_histories_are_proved, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(test_chain_is_kept, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(test_promise, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(test_replica_loses_power, bench_begin, bench_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
