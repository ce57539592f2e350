/* Sources as people are shown them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "amtd/console/settings.h"

static void shown(struct source_settings s, const char *expected)
{
    char *text = source_settings_text(&s);

    assert_string_equal(text, expected);
    free(text);
}

/* A command may have secrets in it: its program is shown, and nothing else. */
static void commands(void **state)
{
    static const struct {
        const char *command, *shown;
    } cases[] = {
        {"ipmitool -P s3cret sol activate", "exec ipmitool"},
        {"exec cat", "exec cat"},
        {"IPMI_PASSWORD='s3 cret' exec ipmitool -E sol activate", "exec ipmitool"},
        {"A=\"x y\" B=2 \tssh host", "exec ssh"},
        {"echo;sleep 3", "exec echo"},
        {"A=1", "exec "},
        {"A='never ends", "exec "},
        {"", "exec "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        shown((struct source_settings){.type = SOURCE_EXEC, .command = (char *)cases[i].command},
              cases[i].shown);
}

static void others(void **state)
{
    (void)state;
    shown((struct source_settings){.type = SOURCE_NODE, .host = (char *)"rack", .console = (char *)"web1"},
          "node rack web1");
    shown((struct source_settings){.type = SOURCE_SERIAL,
                                   .path = (char *)"/dev/ttyS1",
                                   .speed = 9600,
                                   .bits = 7,
                                   .parity = PARITY_EVEN,
                                   .stop = 2},
          "serial /dev/ttyS1 9600 7e2");
    shown((struct source_settings){.type = SOURCE_TEST}, "test");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(commands), cmocka_unit_test(others)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
