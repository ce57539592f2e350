#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtcli/words.h"

#define WORDS_MAX 6

static void splits(void **state)
{
    static const struct {
        const char *line;
        bool unfinished;
        const char *words[WORDS_MAX];
        size_t last_start;
        char quote;
    } rows[] = {
        {"", false, {NULL}, 0, 0},
        {"", true, {""}, 0, 0},
        {"   ", false, {NULL}, 0, 0},
        {"   ", true, {""}, 3, 0},
        {"a b", false, {"a", "b"}, 2, 0},
        {"a b", true, {"a", "b"}, 2, 0},
        {" a\tb \r\n", false, {"a", "b"}, 3, 0},
        {"a b ", true, {"a", "b", ""}, 4, 0},
        {"'a b' c", false, {"a b", "c"}, 6, 0},
        {"\"a 'b'\" c", false, {"a 'b'", "c"}, 8, 0},
        {"a\\ b", false, {"a b"}, 0, 0},
        {"'a\\ b'", false, {"a\\ b"}, 0, 0},
        {"\"a\\\"b\"", false, {"a\"b"}, 0, 0},
        {"x''y", false, {"xy"}, 0, 0},
        {"''", false, {""}, 0, 0},
        {"a 'b c", false, {"a", "b c"}, 2, '\''},
        {"a \"b c", true, {"a", "b c"}, 2, '"'},
        {"a \"b ", true, {"a", "b "}, 2, '"'},
        {"a\\", false, {"a\\"}, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct words words;
        size_t n = 0;

        words_split(&words, rows[i].line, rows[i].unfinished);
        for (; n < WORDS_MAX && rows[i].words[n]; n++) {
            assert_true(n < words.count);
            assert_string_equal(words.items[n], rows[i].words[n]);
        }
        assert_int_equal(words.count, n);
        assert_null(words.items[n]);
        assert_int_equal(words.quote, rows[i].quote);
        if (n > 0)
            assert_int_equal(words.last_start, rows[i].last_start);
        words_clear(&words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(splits)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
