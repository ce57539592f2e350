#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
        cmocka_unit_test(refuses_what_is_hostile),
        cmocka_unit_test(escapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
