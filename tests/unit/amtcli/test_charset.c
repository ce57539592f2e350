#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtcli/charset.h"

static void converts(void **state)
{
    static const struct {
        const char *charset;
        bool to_machine;
        const char *in, *out;
    } rows[] = {
        {"utf-8", false, "a\xc3\xa4\xff\x1b[2J", "a\xc3\xa4\xff\x1b[2J"},
        {"utf-8", true, "a\xc3\xa4", "a\xc3\xa4"},
        {"cp437", false, "\xc9\xcd\xbb \x84\x1b[1m\r\n", "\u2554\u2550\u2557 \u00e4\x1b[1m\r\n"},
        {"cp437", false, "\x9b", "\u00a2"},
        {"cp437", true, "\u00e4\u2554x", "\x84\xc9x"},
        {"cp437", true, "\u20ac\U0001f600x", "??x"},
        {"cp437", true, "\xffx", "?x"},
        {"latin1", false, "\xe4\xff", "\u00e4\u00ff"},
        {"latin1", true, "\u00e4\u0101", "\xe4?"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t part = 1; part < 100; part += 98) {
            struct charset *cs = charset_new(rows[i].charset, NULL);
            struct buf out = buf_init(4096);
            const char *in = rows[i].in;

            for (size_t n = strlen(in), now; n > 0; n -= now, in += now) {
                now = n < part ? n : part;
                if (rows[i].to_machine)
                    charset_to_machine(cs, in, now, &out);
                else
                    charset_to_terminal(cs, in, now, &out);
            }
            if (strcmp(buf_str(&out), rows[i].out) != 0)
                fail_msg("row %zu, parts of %zu: %s", i, part, buf_str(&out));
            buf_free(&out);
            charset_free(cs);
        }
    }
}

static void names(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_null(charset_new("ebcdic", &err));
    assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    assert_string_equal(charset_next("utf-8"), "cp437");
    assert_string_equal(charset_next("latin1"), "utf-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(converts), cmocka_unit_test(names)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
