/* Boots by what machines print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/console/boots.h"

static void banners_in_any_portions(void **state)
{
    static const char text[] =
        "\x1b[2J\x1b[0mold line\r\n\x1b[1;1HSeaBIOS (version 1.16.2)\r\nMachine UUID\r\n";
    static const size_t sizes[] = {1, 2, 3, 7, 20, sizeof(text)};

    (void)state;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        struct boots *b = NULL;
        uint64_t begin = 0;
        const char *found = NULL;

        boots_begin(&b);
        for (size_t at = 0; at < sizeof(text) - 1 && !found; at += sizes[s]) {
            size_t left = sizeof(text) - 1 - at;

            found = boots_bytes(&b, 1000 + at, (const uint8_t *)text + at, left < sizes[s] ? left : sizes[s],
                                &begin);
        }
        assert_non_null(found);
        assert_non_null(strstr(found, "SeaBIOS (version 1.16.2)"));
        assert_null(b);
        assert_in_range(begin, 1000, 1000 + (uint64_t)(strstr(text, "SeaBIOS") - text));
        assert_true(begin > 1000 + (uint64_t)(strstr(text, "old line") - text));
    }
}

static void other_lines_are_none(void **state)
{
    static const char text[] = "login: \r\nU-Boot is not running\r\nroot@pc:~# \x00\xff\xfe\n";
    struct boots *b = NULL;
    uint64_t begin;

    (void)state;
    boots_begin(&b);
    assert_null(boots_bytes(&b, 0, (const uint8_t *)text, sizeof(text) - 1, &begin));
    assert_non_null(b);
    boots_free(b);
}

/* Endless lines and endless output: it gives up, and costs nothing any more. */
static void gives_up(void **state)
{
    uint8_t *p = malloc(100000);
    struct boots *b = NULL;
    uint64_t begin;

    (void)state;
    memset(p, 'x', 100000);
    boots_begin(&b);
    assert_null(boots_bytes(&b, 0, p, 100000, &begin));
    assert_null(b);
    assert_null(boots_bytes(&b, 100000, p, 100, &begin));
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(banners_in_any_portions),
        cmocka_unit_test(other_lines_are_none),
        cmocka_unit_test(gives_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
