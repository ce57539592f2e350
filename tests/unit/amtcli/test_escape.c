#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtcli/escape.h"

/* Feeds text, all at once or a byte at a time; commands are written into out as "<letter>". */
static void type(struct escape *e, const char *text, size_t part, struct buf *out)
{
    size_t n = strlen(text);

    while (n > 0) {
        enum escape_command command;
        uint8_t detail;
        size_t taken = escape_feed(e, text, n < part ? n : part, out, &command, &detail);

        assert_true(taken > 0);
        if (command != ESCAPE_NONE)
            buf_printf(out, "<%d:%02x>", command, detail);
        text += taken;
        n -= taken;
    }
}

static void sequences(void **state)
{
    static const struct {
        const char *typed;
        enum escape_command command; /* NONE: none at all */
        uint8_t detail;
        const char *before, *after; /* what goes to the console */
    } rows[] = {
        {"abc", ESCAPE_NONE, 0, "abc", ""},
        {"a\005c.b", ESCAPE_LEAVE, '.', "a", "b"},
        {"\005c\004", ESCAPE_LEAVE, 4, "", ""},
        {"\005ca", ESCAPE_ATTACH, 'a', "", ""},
        {"\005cf", ESCAPE_FORCE, 'f', "", ""},
        {"\005cs", ESCAPE_WATCH, 's', "", ""},
        {"\005cl0x", ESCAPE_BREAK, '0', "", "x"},
        {"\005cl?", ESCAPE_BREAK, '?', "", ""},
        {"\005cl5", ESCAPE_BREAK, '5', "", ""},
        {"\005cl!", ESCAPE_UNKNOWN, '!', "", ""},
        {"\005clx", ESCAPE_BREAK, 'x', "", ""},
        {"\005cp", ESCAPE_POWER, 'p', "", ""},
        {"\005c\022", ESCAPE_REPLAY_LINE, 022, "", ""},
        {"\005c?", ESCAPE_HELP, '?', "", ""},
        {"\005cz", ESCAPE_SUSPEND, 'z', "", ""},
        {"\005c\032", ESCAPE_SUSPEND, 032, "", ""},
        {"\005cQ", ESCAPE_UNKNOWN, 'Q', "", ""},
        {"\005c ab", ESCAPE_NONE, 0, "ab", ""},
        {"\005c\r", ESCAPE_NONE, 0, "", ""},
        {"\005\005", ESCAPE_NONE, 0, "\005", ""},
        {"\005\005c.", ESCAPE_LEAVE, '.', "\005", ""},
        {"\005x", ESCAPE_NONE, 0, "\005x", ""},
        {"\005\005x", ESCAPE_NONE, 0, "\005\005x", ""},
        {"c.", ESCAPE_NONE, 0, "c.", ""},
        {"\005c\\101B", ESCAPE_NONE, 0, "AB", ""},
        {"\005c\\377", ESCAPE_NONE, 0, "\377", ""},
        {"\005c\\48", ESCAPE_UNKNOWN, '4', "", "8"},
        {"\005c\\08", ESCAPE_UNKNOWN, '8', "", ""},
        {"\005ce&.&.q", ESCAPE_REDEFINED, 'e', "", "&q"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t part = 1; part < 100; part += 98) {
            struct buf out = buf_init(4096), wanted = buf_init(4096);
            struct escape e;

            assert_int_equal(escape_init(&e, "^Ec", NULL), 0);
            buf_puts(&wanted, rows[i].before);
            if (rows[i].command == ESCAPE_REDEFINED) /* the new one was used as well: &. then q is unknown */
                buf_printf(&wanted, "<%d:%02x><%d:%02x>", ESCAPE_REDEFINED, 0, ESCAPE_UNKNOWN, 'q');
            else if (rows[i].command != ESCAPE_NONE)
                buf_printf(&wanted, "<%d:%02x>%s", rows[i].command, rows[i].detail, rows[i].after);
            type(&e, rows[i].typed, part, &out);
            if (strcmp(buf_str(&out), buf_str(&wanted)) != 0)
                fail_msg("row %zu: %s, not %s", i, buf_str(&out), buf_str(&wanted));
            buf_free(&out);
            buf_free(&wanted);
        }
    }
}

static void forms(void **state)
{
    static const char *const good[] = {"^Ec", "^]^]", "&.", "~?", "^?x", "none"};
    static const char *const bad[] = {"", "^", "^E", "^Ecc", "abc", "^ x", "\x80x", "a", "^1x"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct buf text = buf_init(64);
        struct escape e;

        assert_int_equal(escape_init(&e, good[i], NULL), 0);
        escape_text(&e, &text);
        assert_string_equal(buf_str(&text), good[i]);
        buf_free(&text);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err err = ERR_INIT;
        struct escape e;

        assert_int_equal(escape_init(&e, bad[i], &err), -1);
        assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    }
}

static void none_is_none(void **state)
{
    struct buf out = buf_init(64);
    struct escape e;

    (void)state;
    assert_int_equal(escape_init(&e, "none", NULL), 0);
    type(&e, "\005c.x", 99, &out);
    assert_string_equal(buf_str(&out), "\005c.x");
    buf_free(&out);
}

/* No letter stands for two commands. */
static void letters_are_told_apart(void **state)
{
    bool seen[256] = {false};

    (void)state;
    for (size_t i = 0; escape_rows[i].text; i++) {
        for (const char *c = escape_rows[i].letters; *c; c++) {
            assert_false(seen[(uint8_t)*c]);
            seen[(uint8_t)*c] = true;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sequences), cmocka_unit_test(forms),
                                       cmocka_unit_test(none_is_none),
                                       cmocka_unit_test(letters_are_told_apart)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
