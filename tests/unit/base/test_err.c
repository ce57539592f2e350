/* What an error says to do next. */
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hints_name_the_command)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
