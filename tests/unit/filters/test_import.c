#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/xml.h"
#include "filters/import.h"
#include "tests/unit/filters/text_file.h"

static struct filter_file *import(const char *name, struct findings *findings)
{
    struct buf path = buf_init(4000), text = buf_init(IMPORT_BYTES_MAX);
    struct filter_file *file;

    buf_printf(&path, TEST_DATA "/filters/import/%s", name);
    assert_int_equal(filter_read_disk(NULL, buf_str(&path), &text, NULL), 0);
    file = filter_import(IMPORT_GUESS, name, "imported", buf_str(&text), text.len, findings);
    buf_free(&path);
    buf_free(&text);
    return file;
}

/* The written file's lines must be these, and it must be read again. */
static void becomes(const struct filter_file *file, const char *expected)
{
    struct buf text = buf_init(100000);
    struct findings findings = {0};
    struct filter_file *again;

    filter_file_write(file, &text);
    if (!strstr(buf_str(&text), expected))
        fail_msg("%s", buf_str(&text));
    again = filter_file_parse("again.xml", buf_str(&text), text.len, NULL, NULL, &findings);
    if (!again)
        fail_msg("%s", findings.items[0].text);
    filter_file_free(again);
    findings_clear(&findings);
    buf_free(&text);
}

static void told(const struct findings *findings, const char *const *lines)
{
    for (; *lines; lines++)
        if (!found(findings, *lines))
            fail_msg("not told: %s", *lines);
}

static void old_xml_is_taken_by_meaning(void **state)
{
    static const char *const lines[] = {
        "CBFilters.xml:4: 'NotificationServer' stands where an address is expected: taken for @management",
        "CBFilters.xml:4: 'Colour' is not understood: left out",
        "CBFilters.xml:12: ports without a protocol",
        "CBFilters.xml:13: direction 'Sideways' is not understood: the row is not carried over",
        "CBFilters.xml:14: row 'broken' is not carried over: remote: '10.0.0.300'",
        NULL};
    struct findings findings = {0};
    struct filter_file *file = import("CBFilters.xml", &findings);

    (void)state;
    assert_non_null(file);
    told(&findings, lines);
    becomes(file,
            "  <filter name=\"Task-Server\" protocol=\"tcp\" remote=\"@management\" "
            "remote-ports=\"50120-50124\"/>\n"
            "  <filter name=\"RDP-from-hel\" direction=\"in\" protocol=\"6\" local-ports=\"3389\" "
            "remote=\"10.1.9.7\"/>\n"
            "  <filter name=\"SMB\" direction=\"out\" protocol=\"tcp\" remote=\"10.1.8.0/255.255.255.0\""
            " remote-ports=\"445\"/>\n"
            "  <filter name=\"VNC-any\" protocol=\"tcp\" remote-ports=\"5900\"/>\n"
            "  <filter name=\"VNC-any2\" protocol=\"udp\" remote-ports=\"5900\"/>\n"
            "  <filter name=\"hex\" direction=\"out\" protocol=\"17\" remote=\"192.168.1.0/255.255.255.0\""
            " remote-ports=\"53\" action=\"drop\"/>\n");
    filter_file_free(file);
    findings_clear(&findings);
}

static void sheets_are_taken_by_their_titles(void **state)
{
    static const char *const lines[] = {"sheet.csv:1: column 'Colour' is not understood: left out",
                                        "sheet.csv:7: direction 'up' is not understood",
                                        "sheet.csv:8: more cells than titles", NULL};
    struct findings findings = {0};
    struct filter_file *file = import("sheet.csv", &findings);

    (void)state;
    assert_non_null(file);
    told(&findings, lines);
    becomes(
        file,
        "  <filter name=\"task-server\" protocol=\"tcp\" remote=\"@management\" remote-ports=\"50120-50124\""
        " comment=\"agent; tasks\"/>\n"
        "  <filter name=\"ping\" direction=\"in\" protocol=\"icmp\" action=\"limit\" rate=\"10\""
        " event=\"yes\"/>\n"
        "  <filter name=\"two-lines\" direction=\"out\" protocol=\"udp\" remote=\"10.2.0.0/255.255.0.0\""
        " remote-ports=\"53,123\"/>\n"
        "  <filter name=\"wide\" enabled=\"no\" protocol=\"tcp\" remote=\"10.0.0.1\" "
        "remote-ports=\"80\"/>\n");
    filter_file_free(file);
    findings_clear(&findings);
}

static void nftables_are_taken_as_far_as_they_fit(void **state)
{
    static const char *const lines[] = {
        "all that accept work both ways instead",
        "rule with handle 4 is not carried over: hardware knows no connections",
        "rule with handle 7 is not carried over: a match on an interface",
        "rule with handle 9 is not carried over: its chain is not one of the hooks",
        "rule with handle 10 is not carried over: jump",
        "rule with handle 11 is not carried over: a comparison other than 'is'",
        "rule with handle 12 drops after others that accept",
        NULL};
    struct findings findings = {0};
    struct filter_file *file = import("ruleset.json", &findings);

    (void)state;
    assert_non_null(file);
    told(&findings, lines);
    assert_true(file->policy.in.drop && !file->policy.out.drop);
    becomes(
        file,
        "  <filter name=\"in-5\" protocol=\"tcp\" local-ports=\"22,8000-8010\" remote=\"10.0.0.0/8\" "
        "count=\"yes\""
        " comment=\"ssh\"/>\n"
        "  <filter name=\"in-6\" direction=\"in\" protocol=\"icmp\" action=\"limit\" rate=\"10\"/>\n"
        "  <filter name=\"out-8\" direction=\"out\" remote=\"10.9.9.9,10.9.9.10\" action=\"drop\" "
        "event=\"yes\"/>\n"
        "  <filter name=\"in-12\" direction=\"in\" protocol=\"udp\" local-ports=\"137\" action=\"drop\"/>\n");
    filter_file_free(file);
    findings_clear(&findings);
}

static void what_is_nothing_is_refused(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {{"", "expected a first line of titles"},
                {"a,b\n1,2\n", "expected a first line of titles"},
                {"port\n", "no rule could be read"},
                {"<a/>", "no rule could be read"},
                {"<a><b", "XML, line 1"},
                {"{}", "expected {\"nftables\""},
                {"{\"nftables\": [", "1"},
                {"port\n\xff\xfe\n", "UTF-8"}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct findings findings = {0};

        assert_null(filter_import(IMPORT_GUESS, "x", "x", rows[i].text, strlen(rows[i].text), &findings));
        if (findings.errors == 0 || !found(&findings, rows[i].expected))
            fail_msg("'%s' says '%s'", rows[i].text, findings.count ? findings.items[0].text : "nothing");
        findings_clear(&findings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_xml_is_taken_by_meaning),
        cmocka_unit_test(sheets_are_taken_by_their_titles),
        cmocka_unit_test(nftables_are_taken_as_far_as_they_fit),
        cmocka_unit_test(what_is_nothing_is_refused),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
