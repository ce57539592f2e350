/* What an error says to do next. */
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void hints_name_the_command(void **state)
{
    static const struct {
        const char *text, *hint;
    } rows[] = {
        {"there is no collection 'lab'", "see those there are: amtcli collection list"},
        {"there is no host 'pc9', 'pc10'", "see those there are: amtcli host list"},
        {"run 7 of a job is not under way", "see those there are: amtcli job list"},
        {"there is no run 7", "see those there are: amtcli run list"},
        {"there is nothing of the kind", "amtcli help names the commands that list what there is"},
    };
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        err_set(&err, CAUSE_NOT_FOUND, "%s", rows[i].text);
        assert_string_equal(err_hint(&err), rows[i].hint);
    }
    err_set(&err, CAUSE_AUTH_FAILED, "there is no host 'pc9'");
    assert_string_equal(err_hint(&err), cause_hint(CAUSE_AUTH_FAILED));
}

/* What was expected stands at the end, and is not lost behind what somebody typed. */
static void long_texts_are_cut_in_the_middle(void **state)
{
    static const char end[] = "', column 7: expected a number";
    char given[5001];
    struct err err = ERR_INIT;

    (void)state;
    memset(given, 'x', sizeof(given) - 1);
    given[sizeof(given) - 1] = '\0';
    err_set(&err, CAUSE_INVALID_ARGUMENT, "host list '%s%s", given, end);
    assert_true(strlen(err.text) < ERR_TEXT_MAX);
    assert_memory_equal(err.text, "host list 'xxx", 14);
    assert_non_null(strstr(err.text, "xxx ... xxx"));
    assert_string_equal(err.text + strlen(err.text) - strlen(end), end);
    err_context(&err, "reading");
    assert_string_equal(err.text + strlen(err.text) - strlen(end), end);
    for (size_t i = 0; i + 1 < sizeof(given); i += 2)
        memcpy(given + i, "\xc3\xa9", 2); /* an e with an accent: never halved */
    given[sizeof(given) - 1] = '\0';
    for (size_t i = 0; i < 3; i++) {
        err_set(&err, CAUSE_FAULT, "%.*s%s", (int)i, "abc", given + 4000);
        assert_true(text_is_utf8(err.text, strlen(err.text)));
        assert_null(strchr(err.text, '\\'));
    }
}

/* As long as fits stays as it is. */
static void what_fits_is_not_cut(void **state)
{
    char given[ERR_TEXT_MAX + 1] = "";
    struct err err = ERR_INIT;

    (void)state;
    memset(given, 'x', ERR_TEXT_MAX - 1);
    err_set(&err, CAUSE_FAULT, "%s", given);
    assert_string_equal(err.text, given);
    given[ERR_TEXT_MAX - 1] = 'x';
    err_set(&err, CAUSE_FAULT, "%s", given);
    assert_non_null(strstr(err.text, " ... "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hints_name_the_command),
        cmocka_unit_test(long_texts_are_cut_in_the_middle),
        cmocka_unit_test(what_fits_is_not_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
