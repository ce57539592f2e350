#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtcli/forms.h"
#include "amtcli/table.h"
#include "amtcli/wrap.h"

static void lines_end_where_words_do(void **state)
{
    static const struct {
        const char *text;
        size_t columns;
        const char *line; /* the first one */
        size_t skip;
    } rows[] = {
        {"", 5, "", 0},
        {"short", 5, "short", 0},
        {"two words", 5, "two", 1},
        {"two words", 3, "two", 1},
        {"two  words", 4, "two", 2},
        {"pc1,pc2,pc3", 8, "pc1,pc2,", 0},
        {"pc1,pc2,pc3", 9, "pc1,pc2,", 0},
        {"2026-11-21T20:31:47Z", 12, "2026-11-21T", 0},
        {"pc[001-003]", 6, "pc[001", 0}, /* nowhere to break: as much as fits */
        {"bios.version", 8, "bios.", 0},
        {"/usr/share/amtd", 12, "/usr/share/", 0},
        {"a.b c", 3, "a.b", 1},
        {"wide", 0, "w", 0}, /* never nothing, so that it ends */
        {"\xc3\xa4\xc3\xb6\xc3\xbc", 2, "\xc3\xa4\xc3\xb6", 0},
        {"\xe6\xbc\xa2\xe5\xad\x97", 3, "\xe6\xbc\xa2", 0}, /* two columns each */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t skip, n = wrap_next(rows[i].text, rows[i].columns, &skip);

        if (n != strlen(rows[i].line) || strncmp(rows[i].text, rows[i].line, n) != 0)
            fail_msg("'%s' in %zu: %zu bytes", rows[i].text, rows[i].columns, n);
        assert_int_equal(skip, rows[i].skip);
    }
    assert_int_equal(wrap_word("one three,22 a"), 6);
    assert_int_equal(wrap_part("2026-11-21T20:31:47Z"), 11);
    assert_int_equal(wrap_part("system.model"), 7);
}

static void the_widest_columns_give_way(void **state)
{
    static const struct {
        size_t widths[3], least[3], room, fitted[3];
    } rows[] = {
        {{5, 20, 10}, {3, 3, 3}, 35, {5, 20, 10}},  {{5, 20, 10}, {3, 3, 3}, 30, {5, 15, 10}},
        {{5, 20, 10}, {3, 3, 3}, 21, {5, 8, 8}},    {{5, 20, 10}, {3, 18, 3}, 26, {4, 18, 4}},
        {{5, 20, 10}, {5, 20, 10}, 1, {5, 20, 10}}, /* what cannot be stays */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t widths[3];

        memcpy(widths, rows[i].widths, sizeof(widths));
        table_fit(widths, rows[i].least, 3, rows[i].room);
        if (memcmp(widths, rows[i].fitted, sizeof(widths)) != 0)
            fail_msg("row %zu: %zu %zu %zu", i, widths[0], widths[1], widths[2]);
    }
}

static void reads(value_form *form, json_t *value, const char *wanted)
{
    struct buf text = buf_init(4096);

    form(value, &text);
    assert_string_equal(buf_str(&text), wanted);
    buf_free(&text);
    json_decref(value);
}

static void values_are_read_in_one_way(void **state)
{
    json_t *rows = json_loads("[{\"began\":\"2026-11-21T20:31:40Z\",\"ended\":\"2026-11-21T20:33:10Z\"},"
                              "{\"began\":\"2026-11-21T20:31:40Z\",\"ended\":null}]",
                              0, NULL);

    (void)state;
    reads(form_bytes, json_integer(0), "0 B");
    reads(form_bytes, json_integer(1023), "1023 B");
    reads(form_bytes, json_integer(1536), "1.5 KiB");
    reads(form_bytes, json_integer(INT64_C(34359738368)), "32 GiB");
    reads(form_bytes, json_integer(INT64_MAX), "8192 PiB");
    reads(form_bytes, json_string("34359738368"), "32 GiB"); /* as facts are */
    reads(form_bytes, json_integer(-1), "-1");
    reads(form_bytes, json_string("no limit"), "no limit");
    reads(form_moment, json_string("2026-11-21T20:31:47.699Z"), "2026-11-21T20:31:47Z");
    reads(form_moment, json_string("2026-11-21T20:31:47Z"), "2026-11-21T20:31:47Z");
    reads(form_moment, json_string("version 1.2.3.4.5.Z"), "version 1.2.3.4.5.Z");
    reads(form_moment, json_string("\x1b[2J"), "\\x1b[2J");
    reads(form_ms, json_integer(0), "default");
    reads(form_ms, json_integer(5000), "5s");
    reads(form_seconds, json_integer(-5400), "-90m");
    reads(form_seconds, json_integer(INT64_MIN), "-9223372036854775808");
    form_took(rows);
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "took")), "90s");
    assert_null(json_object_get(json_array_get(rows, 1), "took"));
    json_decref(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_where_words_do),
        cmocka_unit_test(the_widest_columns_give_way),
        cmocka_unit_test(values_are_read_in_one_way),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
