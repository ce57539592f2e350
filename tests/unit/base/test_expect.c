#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/expect.h"

static void feed(struct expect *e, const char *text, size_t part, int64_t now, struct buf *send)
{
    for (size_t n = strlen(text), some; n > 0; n -= some, text += some) {
        some = n < part ? n : part;
        expect_feed(e, text, some, now, send);
    }
}

static void plays_a_script(void **state)
{
    for (size_t part = 1; part < 100; part += 98) {
        struct expect *e = expect_new(5000);
        struct buf send = buf_init(4096);

        (void)state;
        assert_int_equal(expect_add_send(e, "\\r", NULL), 0);
        assert_int_equal(expect_add(e, "login: $", NULL), 0);
        assert_int_equal(expect_add_send(e, "root\\r", NULL), 0);
        assert_int_equal(expect_add(e, "^[#$] ?$", NULL), 0);
        expect_begin(e, 100, &send);
        assert_string_equal(buf_str(&send), "\r");
        assert_int_equal(expect_deadline(e), 5100);
        feed(e, "Debian\r\n\033[1mlog\033[0min\033]0;title\007: ", part, 200, &send);
        assert_string_equal(buf_str(&send), "\rroot\r");
        assert_string_equal(expect_waits(e), "^[#$] ?$");
        assert_int_equal(expect_deadline(e), 5200);
        assert_false(expect_done(e));
        feed(e, "root\r\nmotd # 1\r\n", part, 300, &send);
        assert_false(expect_done(e));
        feed(e, "# ", part, 300, &send);
        assert_true(expect_done(e));
        assert_null(expect_waits(e));
        assert_true(expect_deadline(e) == INT64_MAX);
        buf_free(&send);
        expect_free(e);
    }
}

/* What matched is used up: the same text does not serve twice. */
static void matches_once(void **state)
{
    struct expect *e = expect_new(1);
    struct buf send = buf_init(64);

    (void)state;
    expect_add(e, "abc", NULL);
    expect_add(e, "abc", NULL);
    expect_begin(e, 0, &send);
    feed(e, "xabcx", 99, 0, &send);
    assert_false(expect_done(e));
    feed(e, "abcabc", 99, 0, &send);
    assert_true(expect_done(e));
    expect_add(e, "^def", NULL);
    feed(e, "def", 99, 0, &send); /* in the middle of a line */
    assert_false(expect_done(e));
    feed(e, "\ndef", 99, 0, &send);
    assert_true(expect_done(e));
    buf_free(&send);
    expect_free(e);
}

/* A flood without a match costs bounded memory, and what comes behind it is found; NUL bytes do no harm. */
static void flood(void **state)
{
    static const char needle[7] = {'n', 'e', 'e', '\0', 'd', 'l', 'e'};
    static char much[1 << 20];
    struct expect *e = expect_new(1);
    struct buf send = buf_init(64);

    (void)state;
    memset(much, 'x', sizeof(much));
    expect_add(e, "needle", NULL);
    expect_begin(e, 0, &send);
    expect_feed(e, much, sizeof(much), 0, &send);
    memcpy(much + 1000, needle, sizeof(needle));
    assert_false(expect_done(e));
    expect_feed(e, much, 2000, 0, &send);
    assert_true(expect_done(e));
    buf_free(&send);
    expect_free(e);
}

static void mistakes(void **state)
{
    struct expect *e = expect_new(1);
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(expect_add(e, "a(", &err), -1);
    assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    assert_int_equal(expect_add_send(e, "\\q", &err), -1);
    expect_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plays_a_script), cmocka_unit_test(matches_once),
                                       cmocka_unit_test(flood), cmocka_unit_test(mistakes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
