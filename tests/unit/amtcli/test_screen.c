#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtcli/screen.h"

static void is_known(void **state)
{
    static const struct {
        const char *shown;
        bool alternate;
    } rows[] = {
        {"", false},
        {"\033[?1049h", true},
        {"a\033[?1049hb\033[2Jc", true},
        {"\033[?1049h\033[?1049l", false},
        {"\033[?47h", true},
        {"\033[?1;1047;25h", true},
        {"\033[?25h", false},
        {"\033[1049h", false},
        {"\033[?10490h", false},
        {"\033[?\033[?1049h", true},
        {"\033\033[?1049h", true},
        {"\033[?1049\033[?25l", false},
        {"\033[?99999999999999999999991049h", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct screen whole = {0}, parts = {0};

        screen_feed(&whole, rows[i].shown, strlen(rows[i].shown));
        for (const char *p = rows[i].shown; *p; p++)
            screen_feed(&parts, p, 1);
        if (whole.alternate != rows[i].alternate || parts.alternate != rows[i].alternate)
            fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_known)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
