/* Patterns in live bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/console/text/pattern_set.h"
#include "base/buf.h"

static const struct pattern patterns[] = {
    {"panic", "Kernel panic.*", false},
    {"login", "login: $", true},
    {"start", "^\\[ *0\\.0+\\]", false},
    {"oom", "Out of memory|oom-killer", false},
};

struct record {
    struct buf text;
    size_t base;
};

static void on_found(void *arg, size_t pattern, size_t end)
{
    struct record *r = arg;

    buf_printf(&r->text, "%s@%zu ", patterns[pattern].name, r->base + end);
}

static char *found_in(const char *in, size_t portion)
{
    struct pattern_set *set = pattern_set_compile(patterns, sizeof(patterns) / sizeof(patterns[0]), NULL);
    struct record r = {.text = buf_init(1 << 16)};
    struct pattern_stream *stream;

    assert_non_null(set);
    stream = pattern_stream_new(set);
    for (size_t n = strlen(in); r.base < n; r.base += portion)
        pattern_stream_feed(stream, in + r.base, n - r.base < portion ? n - r.base : portion, on_found, &r);
    pattern_stream_free(stream);
    pattern_set_free(set);
    return buf_take(&r.text);
}

/* `$` is decided by what follows, so a prompt without a line end is not yet one. */
static void found_across_portions(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"all is well\n", ""},
        {"x Kernel panic - not syncing\n", "panic@14 "},
        {"Kernel panic Kernel panic\nKernel panic\n", "panic@12 panic@38 "},
        {"[    0.000000] Linux\n x [    0.000000]\n", "start@14 "},
        {"Login: \r\n", NULL},
        {"oom-killer Out of memory\r\noom-killer\n", "oom@10 oom@36 "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t portion = 1; portion < 50; portion++) {
            char *out = found_in(rows[i].in, portion);

            if (rows[i].out && strcmp(out, rows[i].out) != 0)
                fail_msg("%zu by %zu: '%s', expected '%s'", i, portion, out, rows[i].out);
            if (!rows[i].out)
                assert_memory_equal(out, "login@", 6);
            free(out);
        }
    }
}

static void nothing_matches_across_a_gap(void **state)
{
    struct pattern_set *set = pattern_set_compile(patterns, 4, NULL);
    struct pattern_stream *stream = pattern_stream_new(set);
    struct record r = {.text = buf_init(1 << 16)};

    (void)state;
    pattern_stream_feed(stream, "Kernel pa", 9, on_found, &r);
    pattern_stream_gap(stream);
    pattern_stream_feed(stream, "nic\nKernel panic", 16, on_found, &r);
    assert_string_equal(buf_str(&r.text), "panic@16 ");
    pattern_stream_free(stream);
    pattern_set_free(set);
    buf_free(&r.text);
}

static void wrong_patterns_are_named(void **state)
{
    const struct pattern wrong[][2] = {
        {{"good", "a", false}, {"open", "a(b", false}},
        {{"good", "a", false}, {"empty", "a*", false}},
        {{"good", "a", false}, {"back", "(a)\\1", false}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct err err = ERR_INIT;

        assert_null(pattern_set_compile(wrong[i], 2, &err));
        assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
        if (!strstr(err.text, wrong[i][1].name))
            fail_msg("'%s' does not name '%s'", err.text, wrong[i][1].name);
    }
    assert_null(pattern_set_compile(wrong[0], 0, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_across_portions),
        cmocka_unit_test(nothing_matches_across_a_gap),
        cmocka_unit_test(wrong_patterns_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
