#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/xml.h"

static void reads_by_namespace_and_name(void **state)
{
    static const char text[] =
        "<a:r xmlns:a='urn:1' xmlns:b='urn:2'><b:v>no</b:v><a:v k='1&amp;2'>x&lt;y</a:v></a:r>";
    struct err err = ERR_INIT;
    struct xml_doc *doc = xml_parse(text, sizeof(text) - 1, 1000, "t", &err);
    struct xml_el v;

    (void)state;
    assert_non_null(doc);
    v = xml_child(xml_root(doc), "urn:1", "v");
    assert_string_equal(xml_text(doc, v), "x<y");
    assert_string_equal(xml_attr(doc, v, "k"), "1&2");
    assert_null(xml_attr(doc, v, "none"));
    assert_string_equal(xml_text(doc, xml_child(xml_root(doc), NULL, "none")), "");
    xml_free(doc);
}

static void puts_texts_together(void **state)
{
    static const char text[] = "<r k='1&amp;2&#x41;&lt;'>x&lt;<c><d/></c><![CDATA[<y>]]>&#33;<q:e/>z</r>";
    struct err err = ERR_INIT;
    struct xml_doc *doc = xml_parse(text, sizeof(text) - 1, 1000, "t", &err);

    (void)state;
    assert_non_null(doc);
    struct xml_el child = xml_child(xml_root(doc), NULL, NULL);
    assert_string_equal(xml_text(doc, xml_root(doc)), "x<<y>!z");
    assert_string_equal(xml_text(doc, child), "");
    assert_string_equal(xml_attr(doc, xml_root(doc), "k"), "1&2A<");
    assert_string_equal(xml_name(child), "c");
    assert_string_equal(xml_name(xml_child(child, NULL, NULL)), "d");
    child = xml_next(child, NULL, NULL);
    assert_string_equal(xml_name(child), "q:e"); /* the prefix was never declared */
    assert_string_equal(xml_ns(child), "");
    assert_null(xml_next(child, NULL, NULL).node);
    xml_free(doc);
}

/* Many pieces of text, each longer than what is left of a block at some time. */
static void keeps_what_is_long(void **state)
{
    enum { PARTS = 3000 };
    struct buf text = buf_init(200000);
    struct err err = ERR_INIT;

    (void)state;
    buf_puts(&text, "<r>");
    for (int i = 0; i < PARTS; i++)
        buf_printf(&text, "p%d;<v n='%d'>a&amp;%d</v>", i, i, i);
    buf_puts(&text, "</r>");
    struct xml_doc *doc = xml_parse(text.p, text.len, 200000, "t", &err);
    assert_non_null(doc);
    struct xml_el el = xml_child(xml_root(doc), NULL, "v");
    for (int i = 0; i < PARTS; i++, el = xml_next(el, NULL, "v")) {
        char want[32];
        snprintf(want, sizeof(want), "a&%d", i);
        assert_string_equal(xml_text(doc, el), want);
        assert_string_equal(xml_attr(doc, el, "n"), want + 2);
    }
    assert_null(el.node);
    const char *all = xml_text(doc, xml_root(doc));
    assert_string_equal(all + strlen(all) - strlen("p2998;p2999;"), "p2998;p2999;");
    xml_free(doc);
    buf_free(&text);
}

/* Texts in other encodings, and what only looks whole when bytes are left out. */
static void reads_other_encodings(void **state)
{
    static const char latin[] = "<?xml version='1.0' encoding='ISO-8859-1'?><r>\xe9t\xe9</r>";
    static const char wide[] = "\xff\xfe<\0r\0>\0\xe9\0<\0/\0r\0>\0";
    static const char mark[] = "\xef\xbb\xbf<r>\xc3\xa9</r>";
    static const struct {
        const char *p;
        size_t n;
        const char *text;
    } cases[] = {{latin, sizeof(latin) - 1, "\xc3\xa9t\xc3\xa9"},
                 {wide, sizeof(wide) - 1, "\xc3\xa9"},
                 {mark, sizeof(mark) - 1, "\xc3\xa9"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = ERR_INIT;
        struct xml_doc *doc = xml_parse(cases[i].p, cases[i].n, 1000, "t", &err);

        assert_string_equal(err.text, "");
        assert_string_equal(xml_text(doc, xml_root(doc)), cases[i].text);
        xml_free(doc);
    }
}

/* The same parser and names serve the next document, whatever the last one was. */
static void reads_one_after_the_other(void **state)
{
    struct err err = ERR_INIT;
    struct xml_doc *kept = xml_parse("<first k='v'/>", 14, 1000, "t", &err);
    struct buf text = buf_init(200000);

    (void)state;
    buf_puts(&text, "<r>");
    for (int i = 0; i < 5000; i++)
        buf_printf(&text, "<n%d/>", i);
    buf_puts(&text, "</r>");
    for (int i = 0; i < 3; i++) {
        struct xml_doc *doc = xml_parse(text.p, text.len, 200000, "t", &err);
        assert_non_null(doc);
        assert_null(xml_parse("<a><b>", 6, 1000, "t", &err));
        xml_free(doc);
    }
    assert_string_equal(xml_name(xml_root(kept)), "first");
    assert_string_equal(xml_attr(kept, xml_root(kept), "k"), "v");
    xml_free(kept);
    buf_free(&text);
}

/* "name|namespace" of the element and of its attributes, parted by blanks; then those of its children. */
static void put_names(struct xml_doc *doc, struct xml_el el, struct buf *out)
{
    for (; el.node; el = xml_next(el, NULL, NULL)) {
        struct xml_attribute at = {NULL, NULL, NULL, NULL};

        buf_printf(out, "%s|%s", xml_name(el), xml_ns(el));
        while (xml_attr_next(doc, el, &at))
            buf_printf(out, " %s|%s=%s", at.name, at.ns, at.value);
        buf_puts(out, "; ");
        put_names(doc, xml_child(el, NULL, NULL), out);
    }
}

static void knows_whose_a_name_is(void **state)
{
    static const struct {
        const char *text, *names;
    } cases[] = {
        {"<a xmlns='u'><b xmlns=''><c/></b><d/></a>", "a|u; b|; c|; d|u; "},
        {"<p:a xmlns:p='u' p:x='1' y='2'><p:b xmlns:p='v'/><p:c/></p:a>", "a|u x|u=1 y|=2; b|v; c|u; "},
        {"<a xmlns='u' b='1'/>", "a|u b|=1; "}, /* the default one is not for attributes */
        {"<p:a q:b='1'><q:c/></p:a>", "p:a| q:b|=1; q:c|; "},
        {"<a p:b='1' xmlns:p='u'/>", "a| b|u=1; "}, /* declared after its use */
        {"<a xml:lang='en'/>", "a| lang|http://www.w3.org/XML/1998/namespace=en; "},
        {"<a xmlns:xml='u' xmlns:xmlns='v' xml:b='1'/>", "a| b|http://www.w3.org/XML/1998/namespace=1; "},
        {"<p:a xmlns:p='u'><p:b xmlns:p=''/></p:a>", "a|u; b|u; "}, /* only the default one is taken back */
        {"<a xmlns:p='http://www.w3.org/XML/1998/namespace' xmlns='http://www.w3.org/2000/xmlns/' p:b='1'/>",
         "a| p:b|=1; "},
        {"<a xmlns:p='u' p:-b='1' p:='2'/>", "a| p:-b|=1 p:|=2; "},
        {"<a xmlns:pp='u' xmlns:p='v' pp:b='1' p:b='2'/>", "a| b|u=1 b|v=2; "},
        {"<a xmlns:p='&lt;u&amp;'><p:b/></a>", "a|; b|<u&; "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = ERR_INIT;
        struct buf names = buf_init(1000);
        struct xml_doc *doc = xml_parse(cases[i].text, strlen(cases[i].text), 1000, "t", &err);

        assert_string_equal(err.text, "");
        put_names(doc, xml_root(doc), &names);
        assert_string_equal(buf_str(&names), cases[i].names);
        buf_free(&names);
        xml_free(doc);
    }
}

static void keeps_no_more_namespaces_than_it_says(void **state)
{
    struct buf text = buf_init(20000);
    struct err err = ERR_INIT;

    (void)state;
    buf_puts(&text, "<r>");
    for (int deep = 0; deep < 20; deep++) {
        buf_puts(&text, "<a");
        for (int i = 0; i < 13; i++)
            buf_printf(&text, " xmlns:n%d_%d='u'", deep, i);
        buf_puts(&text, ">");
    }
    assert_null(xml_parse(buf_str(&text), text.len, 20000, "t", &err));
    assert_int_equal(err.cause, CAUSE_TOO_LARGE);
    assert_non_null(strstr(err.text, "namespaces"));
    buf_free(&text);
}

static void refuses(const char *text, size_t n, enum cause cause, const char *words)
{
    struct err err = ERR_INIT;

    assert_null(xml_parse(text, n, 5000, "pc1", &err));
    assert_int_equal(err.cause, cause);
    if (!strstr(err.text, words))
        fail_msg("'%s' does not say '%s'", err.text, words);
}

static void refuses_what_is_hostile(void **state)
{
    static const char bomb[] = "<!DOCTYPE a [<!ENTITY x 'ha'><!ENTITY y '&x;&x;'>]><a>&y;</a>";
    static const char outside[] = "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>";
    char deep[3 * 200 + 1];
    char big[6000];

    (void)state;
    refuses(bomb, sizeof(bomb) - 1, CAUSE_BAD_ANSWER, "document type");
    refuses(outside, sizeof(outside) - 1, CAUSE_BAD_ANSWER, "document type");
    for (size_t i = 0; i < 200; i++)
        memcpy(deep + 3 * i, "<a>", sizeof("<a>"));
    refuses(deep, 600, CAUSE_TOO_LARGE, "nested");
    memset(big, ' ', sizeof(big));
    refuses(big, sizeof(big), CAUSE_TOO_LARGE, "6000 bytes");
    refuses("", 0, CAUSE_BAD_ANSWER, "pc1");
    refuses(NULL, 0, CAUSE_BAD_ANSWER, "pc1"); /* an empty buffer */
    refuses("<a><b></a>", 10, CAUSE_BAD_ANSWER, "line 1");
    refuses("<a>&nbsp;</a>", 13, CAUSE_BAD_ANSWER, "line 1");
}

static void escapes(void **state)
{
    struct buf out = buf_init(100);

    (void)state;
    xml_escape(&out, "<a&\"'>\x01");
    assert_string_equal(buf_str(&out), "&lt;a&amp;&quot;&apos;&gt;\xef\xbf\xbd");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_by_namespace_and_name),
        cmocka_unit_test(puts_texts_together),
        cmocka_unit_test(keeps_what_is_long),
        cmocka_unit_test(knows_whose_a_name_is),
        cmocka_unit_test(keeps_no_more_namespaces_than_it_says),
        cmocka_unit_test(refuses_what_is_hostile),
        cmocka_unit_test(reads_other_encodings),
        cmocka_unit_test(reads_one_after_the_other),
        cmocka_unit_test(escapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
