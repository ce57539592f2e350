#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/xml.h"
#include "base/xml_guard.h"

#define ROOM 100000

static enum cause judged(const struct buf *text)
{
    struct err err = ERR_INIT;

    assert_true(buf_ok(text));
    int status = xml_guard(text->p, text->len, "t", &err);
    assert_int_equal(status == 0, err.cause == CAUSE_NONE);
    return err.cause;
}

static void pad(struct buf *text, size_t n)
{
    while (text->len < n)
        buf_putc(text, ' ');
}

static struct buf tag(int attributes, const char *value)
{
    struct buf text = buf_init(ROOM);

    buf_puts(&text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><!-- ' --><a");
    for (int i = 0; i < attributes; i++)
        buf_printf(&text, " a%d = %s", i, value);
    buf_puts(&text, "/>");
    pad(&text, 9000);
    return text;
}

static void counts_the_attributes_of_a_tag(void **state)
{
    static const char *const values[] = {"\"\"", "'>'", "\"'>=/'\"", "'\"'"};

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct buf few = tag(XML_ATTRIBUTES_MAX, values[i]), many = tag(XML_ATTRIBUTES_MAX + 1, values[i]);
        struct err err = ERR_INIT;

        assert_int_equal(judged(&few), CAUSE_NONE);
        assert_int_equal(judged(&many), CAUSE_TOO_LARGE);
        struct xml_doc *doc = xml_parse(few.p, few.len, ROOM, "t", &err);
        assert_non_null(doc);
        xml_free(doc);
        assert_null(xml_parse(many.p, many.len, ROOM, "t", &err));
        assert_int_equal(err.cause, CAUSE_TOO_LARGE);
        buf_free(&few);
        buf_free(&many);
    }
}

/* Also behind what ends the tag before, and where it goes on after a fault. */
static void misses_no_tag(void **state)
{
    struct buf text = buf_init(ROOM);

    (void)state;
    buf_puts(&text, "<r>'<!-- \" --><b c='<a");
    for (int i = 0; i < 300; i++)
        buf_printf(&text, " a%d=''", i);
    pad(&text, 9000);
    assert_int_equal(judged(&text), CAUSE_TOO_LARGE);
    buf_free(&text);
}

static void leaves_text_alone(void **state)
{
    struct buf text = buf_init(ROOM);

    (void)state;
    buf_puts(&text, "<a b='1'><!--");
    for (int i = 0; i < 10000; i++)
        buf_putc(&text, '=');
    buf_puts(&text, "-->");
    for (int i = 0; i < 10000; i++)
        buf_puts(&text, "='");
    buf_puts(&text, "</a>");
    assert_int_equal(judged(&text), CAUSE_NONE);
    buf_free(&text);
}

static void reads_little_of_what_it_cannot_look_through(void **state)
{
    static const struct {
        const char *begin;
        size_t n;
        enum cause cause;
    } cases[] = {
        {"<?xml version='1.0' encoding='GB18030'?><a>", 40000, CAUSE_BAD_ANSWER},
        {"<?xml version='1.0' encoding='GB18030'?><a>", 30000, CAUSE_NONE},
        {"<?xml version='1>0' encoding = \"ISO-2022-JP\"?><a>", 40000, CAUSE_BAD_ANSWER},
        {"<?xml version='1.0' encoding='ISO-8859-1'?><a>", 40000, CAUSE_NONE},
        {"<?xml version='1.0' encoding='utf-8'?><a>", 40000, CAUSE_NONE},
        {"<?xml version='1.0'?><a>", 40000, CAUSE_NONE},
        {"<?xml version='1.0' ", 40000, CAUSE_BAD_ANSWER},
        {"\xef\xbb\xbf<a>", 40000, CAUSE_NONE},
        {"\n <a>", 40000, CAUSE_NONE},
        {"\x4c\x6f\xa7\x94", 40000, CAUSE_BAD_ANSWER}, /* EBCDIC */
        {"\xff\xfe<", 40000, CAUSE_BAD_ANSWER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf text = buf_init(ROOM);

        buf_puts(&text, cases[i].begin);
        pad(&text, cases[i].n);
        assert_int_equal(judged(&text), cases[i].cause);
        buf_free(&text);
    }
}

static void does_not_look_at_what_is_short(void **state)
{
    struct buf text = buf_init(ROOM);

    (void)state;
    buf_puts(&text, "<a");
    for (int i = 0; i < 300; i++)
        buf_printf(&text, " a%d=''", i);
    assert_int_equal(judged(&text), CAUSE_NONE);
    buf_free(&text);
    assert_int_equal(judged(&text), CAUSE_NONE); /* nothing at all */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_the_attributes_of_a_tag),
        cmocka_unit_test(misses_no_tag),
        cmocka_unit_test(leaves_text_alone),
        cmocka_unit_test(reads_little_of_what_it_cannot_look_through),
        cmocka_unit_test(does_not_look_at_what_is_short),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
