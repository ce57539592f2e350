/* SMBIOS structures from devices: right ones, and ones cut anywhere. (DSP0134, 6.1) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "wsman/eoi/smbios.h"

/* Type 2: four strings, of which one is empty after its blanks are gone and one holds a control character. */
static const uint8_t board[] = {2,   10,  5, 0,   1,   2,   0, 3,   0x34, 0x12, 'M', 'a', 'k',
                                'e', 'r', 0, ' ', ' ', ' ', 0, 'A', 7,    'B',  ' ', 0,   0};

static void reads_members_and_strings(void **state)
{
    struct smbios table;
    char text[SMBIOS_TEXT_MAX];
    uint32_t value = 0;

    (void)state;
    assert_true(smbios_read(&table, board, sizeof(board)));
    assert_int_equal(table.type, 2);
    assert_string_equal(smbios_text(&table, 4, text), "Maker");
    assert_null(smbios_text(&table, 5, text)); /* blanks */
    assert_null(smbios_text(&table, 6, text)); /* number 0: none */
    assert_string_equal(smbios_text(&table, 7, text), "A?B");
    assert_true(smbios_u16(&table, 8, &value));
    assert_int_equal(value, 0x1234);
    assert_false(smbios_u16(&table, 9, &value)); /* half of it is a string's */
    assert_false(smbios_u8(&table, 10, &value));
    assert_false(smbios_u32(&table, SIZE_MAX, &value));
    assert_int_equal(value, 0x1234);
    assert_null(smbios_text(&table, 200, text));
}

/* In memory of its exact size, so that a sanitizer sees a byte too many. */
static void cut_anywhere(void **state)
{
    char text[SMBIOS_TEXT_MAX];
    uint32_t value;

    (void)state;
    for (size_t n = 0; n <= sizeof(board); n++) {
        uint8_t *copy = malloc(n ? n : 1);
        struct smbios table;

        assert_non_null(copy);
        memcpy(copy, board, n);
        if (smbios_read(&table, copy, n)) {
            assert_true(n >= 10);
            for (size_t offset = 0; offset < 16; offset++) {
                smbios_text(&table, offset, text);
                smbios_u32(&table, offset, &value);
            }
        } else {
            assert_true(n < 10);
        }
        free(copy);
    }
}

static void strings_that_are_not_there(void **state)
{
    static const uint8_t none[] = {0, 6, 0, 0, 1, 9, 0, 0}, short_header[] = {0, 3, 0, 0, 0, 0};
    char text[SMBIOS_TEXT_MAX];
    struct smbios table;

    (void)state;
    assert_true(smbios_read(&table, none, sizeof(none)));
    assert_null(smbios_text(&table, 4, text));
    assert_null(smbios_text(&table, 5, text));
    assert_false(smbios_read(&table, short_header, sizeof(short_header)));
}

static void long_strings_are_cut(void **state)
{
    uint8_t long_one[512] = {0, 5, 0, 0, 1};
    char text[SMBIOS_TEXT_MAX];
    struct smbios table;

    (void)state;
    memset(long_one + 5, 'x', sizeof(long_one) - 7);
    assert_true(smbios_read(&table, long_one, sizeof(long_one)));
    assert_int_equal(strlen(smbios_text(&table, 4, text)), SMBIOS_TEXT_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_members_and_strings),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(strings_that_are_not_there),
        cmocka_unit_test(long_strings_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
