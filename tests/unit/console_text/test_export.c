/* The forms of a log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "amtd/console/text/export.h"
#include "base/buf.h"

#define T0 1767323045678 /* 2026-01-02T03:04:05.678Z */

static void on_out(void *arg, const void *p, size_t n)
{
    buf_add(arg, p, n);
}

/* Portions of `portion` bytes, a second apart. */
static char *form_of(enum export_format format, bool stamps, const char *in, size_t portion)
{
    struct buf out = buf_init(1 << 20);
    struct export_options options = {.title = "rack <1>", .stamps = stamps};
    struct export *x = export_new(format, &options, on_out, &out);
    size_t n = strlen(in);

    for (size_t i = 0; i < n; i += portion)
        export_bytes(x, T0 + (int64_t)(i / portion) * 1000, in + i, n - i < portion ? n - i : portion);
    export_end(x);
    export_free(x);
    return buf_take(&out);
}

static void expect(enum export_format format, bool stamps, const char *in, size_t portion, const char *out)
{
    char *got = form_of(format, stamps, in, portion);

    if (strcmp(got, out) != 0)
        fail_msg("got\n%s\nexpected\n%s", got, out);
    free(got);
}

static void plain(void **state)
{
    (void)state;
    expect(EXPORT_PLAIN, false, "a\033[31m\r\nb", 2, "a\033[31m\r\nb");
    expect(EXPORT_PLAIN, true, "a\n\nb", 100,
           "[2026-01-02T03:04:05.678Z] a\n[2026-01-02T03:04:05.678Z] \n[2026-01-02T03:04:05.678Z] b");
    expect(EXPORT_PLAIN, true, "ab\nc", 2, "[2026-01-02T03:04:05.678Z] ab\n[2026-01-02T03:04:06.678Z] c");
}

static void stripped(void **state)
{
    (void)state;
    expect(EXPORT_STRIPPED, false, "\033[1mgrub>\033[0m ls\r\n10%\r99%\r\n", 4, "grub> ls\n99%\n");
    expect(EXPORT_STRIPPED, true, "x\ny", 1, "[2026-01-02T03:04:05.678Z] x\n[2026-01-02T03:04:07.678Z] y\n");
}

static void html(void **state)
{
    char *page =
        form_of(EXPORT_HTML, true, "a<b>&\033[1;31mred\033[7m!\033[0m.\n\033[38;5;196mx\033[48;5;244my", 5);

    (void)state;
    assert_non_null(strstr(page, "<title>rack &lt;1&gt;</title>"));
    assert_non_null(strstr(page,
                           "<time>[2026-01-02T03:04:05.678Z] </time>a&lt;b&gt;&amp;"
                           "<span style=\"color:#cd0000;font-weight:bold;\">red</span>"
                           "<span style=\"color:#101010;background:#cd0000;font-weight:bold;\">!</span>.\n"));
    assert_non_null(strstr(page, "<span style=\"color:#ff0000;\">x</span>"
                                 "<span style=\"color:#ff0000;background:#808080;\">y</span>\n</pre>"));
    free(page);
}

static json_t *next_line(const char **p)
{
    size_t n = strcspn(*p, "\n");
    json_t *json = json_loadb(*p, n, JSON_DECODE_ANY, NULL);

    assert_non_null(json);
    *p += n + 1;
    return json;
}

static void asciicast(void **state)
{
    /* a character that comes in two portions, and bytes that are none */
    char *cast = form_of(EXPORT_ASCIICAST, false, "a\xc3\xa4\"\n\xff\xe2\x82", 2);
    const char *texts[] = {"a", "\xc3\xa4\"", "\n\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd"};
    const char *p = cast;
    json_t *json = next_line(&p);

    (void)state;
    assert_int_equal(json_integer_value(json_object_get(json, "version")), 2);
    assert_int_equal(json_integer_value(json_object_get(json, "width")), 80);
    assert_int_equal(json_integer_value(json_object_get(json, "timestamp")), T0 / 1000);
    json_decref(json);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json = next_line(&p);
        assert_string_equal(json_string_value(json_array_get(json, 1)), "o");
        assert_string_equal(json_string_value(json_array_get(json, 2)), texts[i]);
        if (i == 2)
            assert_true(json_number_value(json_array_get(json, 0)) == 2.0);
        json_decref(json);
    }
    assert_int_equal(*p, '\0');
    free(cast);
}

static void nothing_gives_a_whole_form(void **state)
{
    char *page = form_of(EXPORT_HTML, false, "", 1), *cast = form_of(EXPORT_ASCIICAST, false, "", 1);

    (void)state;
    assert_non_null(strstr(page, "</html>"));
    assert_non_null(strstr(cast, "\"version\":2"));
    free(page);
    free(cast);
}

static void a_gap_is_shown(void **state)
{
    (void)state;
    for (int format = 0; format < EXPORT_FORMATS; format++) {
        struct buf out = buf_init(1 << 16);
        struct export_options options = {.title = "c0"};
        struct export *x = export_new((enum export_format)format, &options, on_out, &out);

        export_bytes(x, T0, "before", 6);
        export_gap(x, T0, "3 bytes are <missing>");
        export_bytes(x, T0, "after\n", 6);
        export_end(x);
        assert_int_equal(strstr(buf_str(&out), "3 bytes are") != NULL, format != EXPORT_PLAIN);
        assert_non_null(strstr(buf_str(&out), "after"));
        export_free(x);
        buf_free(&out);
    }
}

static void names(void **state)
{
    enum export_format format;

    (void)state;
    for (int i = 0; i < EXPORT_FORMATS; i++) {
        assert_true(export_format_by_name(export_format_name((enum export_format)i), &format));
        assert_int_equal(format, i);
    }
    assert_false(export_format_by_name("pdf", &format));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),          cmocka_unit_test(stripped),
        cmocka_unit_test(html),           cmocka_unit_test(asciicast),
        cmocka_unit_test(names),          cmocka_unit_test(nothing_gives_a_whole_form),
        cmocka_unit_test(a_gap_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
