#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtcli/prompt.h"

static void lines(void **state)
{
    static const struct {
        const char *typed;
        enum prompt_state state;
        const char *text, *echo;
        size_t left;
    } rows[] = {
        {"yes\rx", PROMPT_DONE, "yes", "yes", 1},
        {"ab\x7f\x7f\x7fz\n", PROMPT_DONE, "z", "ab\b \b\b \bz", 0},
        {"\xc3\xa4\bo\r", PROMPT_DONE, "o", "\xc3\xa4\b \bo", 0},
        {"abc\025d\r", PROMPT_DONE, "d", "abc\b \b\b \b\b \bd", 0},
        {"ab\003c", PROMPT_CANCELLED, "ab", "ab", 1},
        {"ab\033\033c", PROMPT_CANCELLED, "ab", "ab", 1},
        {"a\033[Ab\033OPc\033[21~d\r", PROMPT_DONE, "abcd", "abcd", 0},
        {"a\xff\r", PROMPT_CANCELLED, "a\xff", "a\xff", 0},
        {"abc", PROMPT_MORE, "abc", "abc", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf echo = buf_init(4096);
        struct prompt prompt;
        size_t taken;

        prompt_begin(&prompt);
        assert_int_equal(prompt_feed(&prompt, rows[i].typed, strlen(rows[i].typed), &taken, &echo),
                         rows[i].state);
        assert_int_equal(strlen(rows[i].typed) - taken, rows[i].left);
        assert_string_equal(buf_str(&prompt.text), rows[i].text);
        assert_string_equal(buf_str(&echo), rows[i].echo);
        prompt_clear(&prompt);
        buf_free(&echo);
    }
}

static void ends_somewhere(void **state)
{
    struct buf echo = buf_init(1 << 20);
    struct prompt prompt;
    size_t taken;

    (void)state;
    prompt_begin(&prompt);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(prompt_feed(&prompt, "x", 1, &taken, &echo), PROMPT_MORE);
    assert_int_equal(prompt_feed(&prompt, "\r", 1, &taken, &echo), PROMPT_DONE);
    assert_int_equal(prompt.text.len, PROMPT_MAX - 1);
    prompt_clear(&prompt);
    buf_free(&echo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(ends_somewhere)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
