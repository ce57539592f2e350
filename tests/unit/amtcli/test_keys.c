#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "amtcli/keys.h"

static char *typed(struct keys *keys, const char *text, size_t part)
{
    struct buf out = buf_init(4096);
    size_t n = strlen(text);

    while (n > 0) {
        size_t now = n < part ? n : part;

        keys_feed(keys, text, now, 1000, &out);
        text += now;
        n -= now;
    }
    keys_tick(keys, 1000 + KEYS_WAIT_MS, &out);
    assert_true(keys_deadline(keys) == INT64_MAX);
    return buf_take(&out);
}

static void mappings(void **state)
{
    static const char *const rows[][3] = {
        {"plain", "a\033[A\033OP\033[21~\x7f\r\033x", "a\033[A\033OP\033[21~\x7f\r\033x"},
        {"linux", "\033OA\033OH\033[[A\033[11~", "\033[A\033[1~\033OP\033OP"},
        {"vt100+", "\033OA\x7f\033[21~\033[24~\033[H\r", "\033[A\b\0330\033@\033h\r"},
        {"vt100", "\033OP\033[15~\033[21~\033[24~", "\033OP\033OT\033OY\033O["},
        {"intel", "\033OP\033[21~", "\033[OP\033[OM"},
        {"vt100+", "\033", "\033"},
        {"vt100+", "\033\033[A", "\033\033[A"},
        {"vt100+", "\033[Zx\033[1;5A", "\033[Zx\033[1;5A"},
        {"vt100+", "\033[2", "\033[2"},
        {"vt100+", "\xc3\xa4", "\xc3\xa4"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t part = 1; part < 100; part += 98) {
            struct keys *keys = keys_new(rows[i][0], NULL);
            char *got = typed(keys, rows[i][1], part);

            assert_string_equal(keys_name(keys), rows[i][0]);
            if (strcmp(got, rows[i][2]) != 0)
                fail_msg("row %zu", i);
            free(got);
            keys_free(keys);
        }
    }
}

/* An Escape alone waits for what may follow, and no longer. */
static void escape_waits(void **state)
{
    struct keys *keys = keys_new("vt100+", NULL);
    struct buf out = buf_init(64);

    (void)state;
    keys_feed(keys, "\033", 1, 100, &out);
    assert_int_equal(keys_deadline(keys), 100 + KEYS_WAIT_MS);
    keys_tick(keys, 100 + KEYS_WAIT_MS - 1, &out);
    assert_int_equal(out.len, 0);
    keys_tick(keys, 100 + KEYS_WAIT_MS, &out);
    assert_string_equal(buf_str(&out), "\033");
    buf_free(&out);
    keys_free(keys);
}

static char *file_of(const char *text)
{
    char *path = strdup("/tmp/test_keys.XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void files(void **state)
{
    char *path =
        file_of("# mine\n\nbase = vt100+\nf10 = \\e[21~\n Delete=\\x7f\r\nEnter = \\r\\n\nUp = ^P\n");
    struct keys *keys = keys_new(path, NULL);
    char *got;

    (void)state;
    assert_non_null(keys);
    got = typed(keys, "\033[21~\033[20~\033[3~\r\033[A", 99);
    assert_string_equal(got, "\033[21~\0339\x7f\r\n\020");
    assert_string_equal(keys_next(path), "plain");
    free(got);
    keys_free(keys);
    unlink(path);
    free(path);
}

static void bad_files(void **state)
{
    static const char *const rows[][2] = {{"F13 = x\n", ":1: there is no key"},
                                          {"\nF1\n", ":2: expected KEY ="},
                                          {"F1 = \\q\n", ":1: expected at most 64 bytes"},
                                          {"F1 = \\x7\n", ":1: expected at most 64 bytes"},
                                          {"base = x\n", ":1: there is no mapping"}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = ERR_INIT;
        char *path = file_of(rows[i][0]);

        assert_null(keys_new(path, &err));
        assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
        if (!strstr(err.text, rows[i][1]))
            fail_msg("%s: %s", rows[i][0], err.text);
        unlink(path);
        free(path);
    }
    assert_null(keys_new("/no/such/file", NULL));
}

static void all_round(void **state)
{
    const char *name = "plain";
    int count = 0;

    (void)state;
    do
        name = keys_next(name);
    while (strcmp(name, "plain") != 0 && ++count < 10);
    assert_int_equal(count, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(mappings), cmocka_unit_test(escape_waits),
                                       cmocka_unit_test(files), cmocka_unit_test(bad_files),
                                       cmocka_unit_test(all_round)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
