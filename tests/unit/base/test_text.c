#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void durations_are_written_shortest(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{0, "0s"},        {1, "1ms"},      {1500, "1500ms"}, {90000, "90s"},
                {5400000, "90m"}, {7200000, "2h"}, {172800000, "2d"}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out = buf_init(32);
        int64_t back;

        text_duration(&out, rows[i].ms);
        assert_string_equal(buf_str(&out), rows[i].text);
        assert_true(text_duration_ms(buf_str(&out), 0, INT64_MAX, &back) && back == rows[i].ms);
        buf_free(&out);
    }
}

static void durations(void **state)
{
    struct buf shown = buf_init(100);
    int64_t ms = -1;

    (void)state;
    text_duration(&shown, 604800000);
    text_duration(&shown, 90000);
    text_duration(&shown, 250);
    text_duration(&shown, 0);
    assert_string_equal(buf_str(&shown), "7d90s250ms0s");
    buf_free(&shown);
    assert_true(text_duration_ms("90", 0, INT64_MAX, &ms) && ms == 90000);
    assert_true(text_duration_ms("250ms", 0, INT64_MAX, &ms) && ms == 250);
    assert_true(text_duration_ms("5m", 0, INT64_MAX, &ms) && ms == 300000);
    assert_true(text_duration_ms("2h", 0, INT64_MAX, &ms) && ms == 7200000);
    assert_false(text_duration_ms("", 0, INT64_MAX, &ms));
    assert_false(text_duration_ms("-5s", 0, INT64_MAX, &ms));
    assert_false(text_duration_ms("5 s", 0, INT64_MAX, &ms));
    assert_false(text_duration_ms("99999999999999999d", 0, INT64_MAX, &ms));
    assert_false(text_duration_ms("5s", 0, 1000, &ms));
}

static void numbers(void **state)
{
    uint64_t u;
    int64_t i;

    (void)state;
    assert_true(text_u64("18446744073709551615", 0, UINT64_MAX, &u) && u == UINT64_MAX);
    assert_false(text_u64("18446744073709551616", 0, UINT64_MAX, &u));
    assert_false(text_u64(" 1", 0, 9, &u));
    assert_false(text_u64("+1", 0, 9, &u));
    assert_false(text_u64("", 0, 9, &u));
    assert_false(text_u64(NULL, 0, 9, &u));
    assert_true(text_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &i) && i == INT64_MIN);
    assert_false(text_i64("9223372036854775808", INT64_MIN, INT64_MAX, &i));
    assert_false(text_i64("--1", INT64_MIN, INT64_MAX, &i));
}

static void base64_round_trips(void **state)
{
    (void)state;
    for (size_t n = 0; n < 70; n++) {
        uint8_t bytes[70];
        struct buf text = buf_init(200), back = buf_init(200);

        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(i * 37 + n);
        text_base64(&text, bytes, n);
        assert_true(text_base64_decode(&back, buf_str(&text), text.len));
        assert_int_equal(back.len, n);
        if (n > 0)
            assert_memory_equal(back.p, bytes, n);
        buf_free(&text);
        buf_free(&back);
    }
}

static void bad_base64_is_refused(void **state)
{
    static const char *const rows[] = {"A",        "AA",   "AAA",  "A===", "AA=A", "AAA=B",
                                       "AA==AA==", "A*AA", "=AAA", "QQ=",  "QR=="};
    struct buf out = buf_init(100);

    (void)state;
    buf_puts(&out, "kept");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_false(text_base64_decode(&out, rows[i], strlen(rows[i])));
        assert_string_equal(buf_str(&out), "kept");
    }
    buf_free(&out);
}

static void versions(void **state)
{
    static const char *const sorted[] = {"5", "9.5", "11.8", "11.8.50", "11.8.50.3460", "12.0", "16.1.25"};

    (void)state;
    for (size_t i = 0; i < 7; i++)
        for (size_t j = 0; j < 7; j++)
            assert_int_equal((text_version_compare(sorted[i], sorted[j]) > 0) -
                                 (text_version_compare(sorted[i], sorted[j]) < 0),
                             (i > j) - (i < j));
    assert_int_equal(text_version_compare("11.08", "11.8"), 0);
}

static void decimal(void **state)
{
    struct buf out = buf_init(100);

    (void)state;
    buf_put_u64(&out, 0);
    buf_putc(&out, ' ');
    buf_put_u64(&out, 1020);
    buf_putc(&out, ' ');
    buf_put_u64(&out, UINT64_MAX);
    assert_string_equal(buf_str(&out), "0 1020 18446744073709551615");
    buf_free(&out);
}

static void printable(void **state)
{
    struct buf out = buf_init(100);

    (void)state;
    text_printable(&out, "a\x1b[2J\n\xc3\xa9\xff\xe2\x80\xae", 12);
    assert_string_equal(buf_str(&out), "a\\x1b[2J\\n\xc3\xa9\\xff\\xe2\\x80\\xae");
    buf_free(&out);
    out = buf_init(4); /* what fits is kept */
    text_printable(&out, "abcdef", 6);
    assert_string_equal(buf_str(&out), "abcd");
    assert_false(buf_ok(&out));
    buf_free(&out);
    assert_false(text_is_utf8("\xc0\xaf", 2));
    assert_false(text_is_utf8("\xed\xa0\x80", 3));
    assert_true(text_is_utf8("\xf0\x9f\x98\x80", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_written_shortest),
        cmocka_unit_test(durations),
        cmocka_unit_test(numbers),
        cmocka_unit_test(base64_round_trips),
        cmocka_unit_test(bad_base64_is_refused),
        cmocka_unit_test(versions),
        cmocka_unit_test(printable),
        cmocka_unit_test(decimal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
