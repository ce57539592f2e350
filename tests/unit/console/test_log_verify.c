/* Verifying: every kind of tampering is found, with its place. */
#include <fcntl.h>
#include <pthread.h>
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

#include "amtd/console/segment.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "tests/unit/console/log_fixture.h"

/* Three closed segments of 300,000 bytes each, and an open one that is signed up to its 200,000th byte of
 * 200,005. */
static void make_log(void)
{
    struct clog *log;
    struct buf all = buf_init(2 << 20);
    uint32_t x = 7;

    log = bench_log(&b, "c0");
    while (all.len < 1100000) {
        x = x * 1664525 + 1013904223;
        buf_printf(&all, "line %08x of the console\n", x);
    }
    for (int i = 0; i < 4; i++) {
        clog_event(log, JOURNAL_NOTE, "anna", "a note");
        for (size_t at = 0; at < (i < 3 ? 300000u : 200000u); at += 50000) {
            clog_append(log, all.p + (size_t)i * 300000 + at, 50000);
            clog_flush(log);
        }
        if (i < 3)
            clog_roll(log);
        bench_pass(&b, log, 60000);
    }
    bench_append(log, "tail\n");
    clog_free(log);
    buf_free(&all);
}

static void flip(const char *file, size_t at)
{
    size_t n;
    char *content = bench_file(bench_path(&b, "c0", file), &n);

    assert_true(at < n);
    content[at] ^= 0x10;
    bench_put(bench_path(&b, "c0", file), content, n);
    free(content);
}

static const struct verify_finding *verify(struct bench_findings *f)
{
    bench_verify(&b, "c0", f);
    return bench_damage(f);
}

static void ignore(void *arg, const struct verify_finding *finding)
{
    (void)arg;
    (void)finding;
}

static void intact(void **state)
{
    struct bench_findings f;

    (void)state;
    make_log();
    assert_null(verify(&f));
    assert_int_equal(f.result.signed_to, 1100000);
    assert_int_equal(f.result.end, 1100005);
    assert_int_equal(f.items[f.count - 1].state, VERIFY_UNSIGNED);
    assert_int_equal(f.items[f.count - 1].first, 1100000);
}

static _Atomic bool over;

static void *verify_on(void *arg)
{
    size_t *damages = arg;
    char *path = xasprintf("%s/consoles/c0", b.dir);
    struct verify_result result;
    struct err err = ERR_INIT;

    while (!over) {
        if (log_verify(path, "c0", b.key, ignore, NULL, &result, &err) != 0)
            result.damages++;
        *damages += result.damages;
    }
    free(path);
    return NULL;
}

/* Files become others while they are looked at. */
static void intact_while_it_is_closed_and_compressed(void **state)
{
    size_t damages = 0;
    struct clog *log;
    pthread_t thread;

    (void)state;
    make_log();
    log = bench_log(&b, "c0");
    over = false;
    assert_int_equal(pthread_create(&thread, NULL, verify_on, &damages), 0);
    for (int i = 0; i < 100; i++) {
        bench_append(log, "one more line\n");
        clog_roll(log);
        bench_pass(&b, log, 60000);
    }
    over = true;
    pthread_join(thread, NULL);
    clog_free(log);
    assert_int_equal(damages, 0);
}

static void flipped_bit_in_a_compressed_segment(void **state)
{
    struct bench_findings f;
    const struct verify_finding *d;

    (void)state;
    make_log();
    flip("00000000000000300000.log.zst", 1000);
    d = verify(&f);
    assert_non_null(d);
    assert_string_equal(d->file, "00000000000000300000.log.zst");
    assert_true(d->first == 300000 && d->end <= 300000 + 262144);
    assert_int_equal(f.result.damages, 1);
}

static void flipped_bit_in_the_open_segment(void **state)
{
    struct bench_findings f;
    const struct verify_finding *d;

    (void)state;
    make_log();
    flip("console.log", 100000);
    d = verify(&f);
    assert_non_null(d);
    assert_string_equal(d->file, "console.log");
    assert_int_equal(d->first, 900000 + 65536);
    assert_int_equal(d->end, 900000 + 131072);
}

/* Somebody who knows the format compresses a changed segment anew. */
static void forged_segment(void **state)
{
    struct bench_findings f;
    const struct verify_finding *d;
    char *plain = strdup(bench_path(&b, "c0", "forged")), packed[256];
    struct segment *s;
    struct err err = ERR_INIT;
    char *bytes = malloc(300000);
    uint64_t next;
    int fd;

    (void)state;
    make_log();
    snprintf(packed, sizeof(packed), "%s", bench_path(&b, "c0", "00000000000000000000.log.zst"));
    s = segment_open(packed, 0, true, &err);
    for (ssize_t at = 0, n; at < 300000; at += n)
        n = segment_read(s, (uint64_t)at, bytes + at, (size_t)(300000 - at), &next, &err);
    segment_close(s);
    bytes[200000] = 'X';
    bench_put(plain, bytes, 300000);
    fd = open(plain, O_RDONLY);
    assert_int_equal(segment_compress(fd, 300000, packed, 3, &err), 0);
    close(fd);
    d = verify(&f);
    assert_non_null(d);
    assert_int_equal(d->first, 196608);
    assert_int_equal(d->end, 262144);
    free(plain);
    free(bytes);
}

static void cut_segment(void **state)
{
    struct bench_findings f;
    const struct verify_finding *d;

    (void)state;
    make_log();
    assert_int_equal(truncate(bench_path(&b, "c0", "00000000000000600000.log.zst"), 5000), 0);
    d = verify(&f);
    assert_non_null(d);
    assert_string_equal(d->file, "00000000000000600000.log.zst");
}

static void cut_open_segment(void **state)
{
    struct bench_findings f;
    const struct verify_finding *d;

    (void)state;
    make_log();
    assert_int_equal(truncate(bench_path(&b, "c0", "console.log"), 150000), 0);
    d = verify(&f);
    assert_non_null(d);
    assert_int_equal(d->first, 1050000);
    assert_int_equal(d->end, 1100000);
}

static void removed_segment(void **state)
{
    struct bench_findings f;
    const struct verify_finding *d;

    (void)state;
    make_log();
    assert_int_equal(unlink(bench_path(&b, "c0", "00000000000000300000.log.zst")), 0);
    d = verify(&f);
    assert_non_null(d);
    assert_int_equal(d->first, 300000);
    assert_int_equal(d->end, 600000);
    assert_string_equal(d->text, "is missing");
}

static void swapped_segments(void **state)
{
    struct bench_findings f;
    char *a = strdup(bench_path(&b, "c0", "00000000000000000000.log.zst"));
    char *c = strdup(bench_path(&b, "c0", "00000000000000300000.log.zst"));

    (void)state;
    make_log();
    assert_int_equal(rename(a, bench_path(&b, "c0", "x")), 0);
    assert_int_equal(rename(c, a), 0);
    assert_int_equal(rename(bench_path(&b, "c0", "x"), c), 0);
    assert_non_null(verify(&f));
    assert_true(f.result.damages >= 2);
    free(a);
    free(c);
}

/* The chain without its second line, with two lines swapped, without its last line, with a changed one. */
static void chain_changed(void **state)
{
    struct bench_findings f;
    char *chain, *l1, *l2, *end, changed[8192];
    size_t n;

    (void)state;
    make_log();
    chain = bench_file(bench_path(&b, "c0", "chain"), &n);
    l1 = strchr(chain, '\n') + 1;
    l2 = strchr(l1, '\n') + 1;
    end = chain + n;
    snprintf(changed, sizeof(changed), "%.*s%s", (int)(l1 - chain), chain, l2);
    bench_put(bench_path(&b, "c0", "chain"), changed, strlen(changed));
    assert_non_null(verify(&f));
    snprintf(changed, sizeof(changed), "%.*s%.*s%s", (int)(l2 - l1), l1, (int)(l1 - chain), chain, l2);
    bench_put(bench_path(&b, "c0", "chain"), changed, strlen(changed));
    assert_non_null(verify(&f));
    bench_put(bench_path(&b, "c0", "chain"), chain, (size_t)(l2 - chain));
    assert_int_equal(unlink(bench_path(&b, "c0", "00000000000000600000.log.zst")), 0);
    assert_non_null(verify(&f)); /* cut, with its segment */
    memcpy(changed, chain, (size_t)(end - chain));
    *strstr(changed, "\"end\":3") = ' ';
    bench_put(bench_path(&b, "c0", "chain"), changed, n);
    assert_non_null(verify(&f));
    free(chain);
}

static void journal_and_index_changed(void **state)
{
    struct bench_findings f;
    const struct verify_finding *d;

    (void)state;
    make_log();
    flip("00000000000000000000.jnl", 20);
    d = verify(&f);
    assert_string_equal(d->file, "00000000000000000000.jnl");
    flip("00000000000000000000.jnl", 20);
    flip("00000000000000300000.idx", 40);
    d = verify(&f);
    assert_string_equal(d->file, "00000000000000300000.idx");
    flip("00000000000000300000.idx", 40);
    flip("console.jnl", 20);
    d = verify(&f);
    assert_string_equal(d->file, "console.jnl");
}

static void stranger_in_the_directory(void **state)
{
    struct bench_findings f;
    const struct verify_finding *d;

    (void)state;
    make_log();
    bench_put(bench_path(&b, "c0", "00000000000000150000.log"), "hello", 5);
    d = verify(&f);
    assert_non_null(d);
    assert_string_equal(d->file, "00000000000000150000.log");
}

static void other_key(void **state)
{
    struct bench_findings f;
    struct err err = ERR_INIT;
    char *path;

    (void)state;
    make_log();
    path = strdup(b.dir);
    node_key_free(b.key);
    b.key = node_key_open(bench_path(&b, "c0", ""), true, &err);
    assert_non_null(b.key);
    assert_non_null(verify(&f));
    free(path);
}

/* What was logged is signed, not what the file says by then. */
static void changed_before_it_is_signed(void **state)
{
    struct bench_findings f;
    const struct verify_finding *d;
    struct clog *log = bench_log(&b, "c0");
    char *piece = calloc(1, 200000);

    (void)state;
    assert_non_null(piece);
    clog_append(log, piece, 200000);
    clog_flush(log);
    flip("console.log", 70000);
    bench_pass(&b, log, 60000);
    d = verify(&f);
    assert_non_null(d);
    assert_int_equal(f.result.signed_to, 200000);
    assert_int_equal(d->first, 65536);
    assert_int_equal(d->end, 2 * 65536);
    clog_roll(log);
    d = verify(&f); /* and so it stays when the segment is closed */
    assert_non_null(d);
    assert_string_equal(d->file, "00000000000000000000.log.zst");
    clog_free(log);
    free(piece);
}

/* Another program appends to the file: its bytes are taken in, and that is no damage. */
static void appended_by_somebody_else(void **state)
{
    struct bench_findings f;
    struct clog *log = bench_log(&b, "c0");
    char *piece = calloc(1, 200000);
    FILE *file;

    (void)state;
    assert_non_null(piece);
    clog_append(log, piece, 200000);
    clog_flush(log);
    file = fopen(bench_path(&b, "c0", "console.log"), "ae");
    assert_non_null(file);
    fputs("hello", file);
    assert_int_equal(fclose(file), 0);
    clog_append(log, piece, 200000);
    clog_flush(log);
    bench_pass(&b, log, 60000);
    assert_null(verify(&f));
    clog_free(log);
    free(piece);
}

/* `body` as a line that is signed with this node's key, in that file. */
static void put_line(const char *file, const char *body)
{
    uint8_t signature[NODE_SIGNATURE_LEN];
    struct buf line = buf_init(2048);

    assert_int_equal(node_key_sign(b.key, body, strlen(body), signature, NULL), 0);
    buf_printf(&line, "%s ", body);
    text_base64(&line, signature, sizeof(signature));
    buf_putc(&line, '\n');
    bench_put(bench_path(&b, "c0", file), line.p, line.len);
    buf_free(&line);
}

/* A log of another version is refused, which is another thing than damage; but only when it is really signed.
 */
static void other_hash(void **state)
{
    static const char *const files[] = {"chain", "console.sig"};
    const char *body =
        "{\"kind\":\"segment\",\"console\":\"c0\",\"first\":0,\"end\":300000,\"sha256\":\"00\"}";
    struct verify_result result;
    struct bench_findings f = {0};
    struct err err;
    char *path;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        make_log();
        put_line(files[i], body);
        path = strdup(bench_path(&b, "c0", ""));
        err = (struct err)ERR_INIT;
        assert_int_equal(log_verify(path, "c0", b.key, ignore, NULL, &result, &err), -1);
        assert_int_equal(err.cause, CAUSE_UNSUPPORTED);
        assert_non_null(strstr(err.text, "another version"));
        assert_non_null(strstr(err.text, files[i]));
        free(path);
        flip(files[i], 20);
        assert_non_null(verify(&f));
        bench_teardown(&b);
        bench_setup(&b);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, bench_begin, bench_end)
    const struct CMUnitTest tests[] = {
        T(intact),
        T(intact_while_it_is_closed_and_compressed),
        T(flipped_bit_in_a_compressed_segment),
        T(flipped_bit_in_the_open_segment),
        T(forged_segment),
        T(cut_segment),
        T(cut_open_segment),
        T(removed_segment),
        T(swapped_segments),
        T(chain_changed),
        T(journal_and_index_changed),
        T(stranger_in_the_directory),
        T(other_key),
        T(changed_before_it_is_signed),
        T(appended_by_somebody_else),
        T(other_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
