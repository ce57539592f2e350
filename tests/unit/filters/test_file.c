#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/xml.h"
#include "tests/unit/filters/text_file.h"

static const struct {
    const char *body, *expected;
} mistakes[] = {
    {"<filter/>", "t.xml:1: <filter> needs the attribute 'name'"},
    {"<filter name='a'/><filter name='a'/>", "the name 'a' is taken by t.xml:1"},
    {"<filter name='thirteen-long'/>", "1 to 12 letters"},
    {"<filter name='a' colour='red'/>", "rule 'a': <filter> has no attribute 'colour': expected one of name"},
    {"<filter name='a' direction='up'/>", "direction: 'up': expected both, out or in"},
    {"<filter name='a' ip='5'/>", "ip: '5': expected 4, 6 or both"},
    {"<filter name='a' protocol='tpc'/>", "protocol: 'tpc': expected any, tcp"},
    {"<filter name='a' ethertype='arp' protocol='tcp'/>", "ethertype stands alone: expected no protocol"},
    {"<filter name='a' remote-ports='80'/>", "ports need protocol=\"tcp\" or \"udp\""},
    {"<filter name='a' protocol='tcp' remote-ports='80-79'/>", "'80-79': expected any, a port"},
    {"<filter name='a' protocol='udp' tcp-flags='syn'/>", "tcp-flags need protocol=\"tcp\""},
    {"<filter name='a' protocol='icmp' ip='6'/>", "icmp is of IPv4"},
    {"<filter name='a' action='limit'/>", "needs rate="},
    {"<filter name='a' rate='5'/>", "rate needs action=\"limit\""},
    {"<filter name='a' action='limit' rate='0'/>", "expected 1 to 4294967294"},
    {"<filter name='a' action='allow'/>", "expected pass, drop or limit"},
    {"<filter name='a' count='maybe'/>", "expected yes or no"},
    {"<filter name='a' remote='@managment'/>", "@managment: expected @management, @dns"},
    {"<filter name='a'>text</filter>", "<filter> is empty"},
    {"<filter name='a'/>text", "text between the elements"},
    {"<rule name='a'/>", "<rule>: expected policy, variable, include, need or filter"},
    {"<x:filter xmlns:x='urn:other' name='a'/>", "is not of the namespace"},
    {"<policy default-in='accept'/>", "policy: default-in: 'accept': expected pass or drop"},
    {"<policy colour='red'/>", "<policy> has no attribute 'colour'"},
    {"<policy timeout-minutes='65536'/>", "expected 0 (none) to 65535"},
    {"<policy/><policy/>", "a second <policy>"},
    {"<filter name='a'/><policy/>", "<policy> stands before everything else"},
    {"<variable name='dns'/>", "this name is built in"},
    {"<variable name='x'/><variable name='x'/>", "the name 'x' is taken"},
    {"<include file=''/>", "include: file: expected the name of a file"},
    {"<include file='other.xml'/>", "is not at hand here"},
    {"<need name='a' action='drop'/>", "<need> has no attribute 'action'"},
};

static void every_mistake_says_where_and_what(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        struct findings findings = {0};

        assert_null(file_of(mistakes[i].body, &findings));
        if (!found(&findings, mistakes[i].expected))
            fail_msg("%s: says '%s', not '%s'", mistakes[i].body, findings.items[0].text,
                     mistakes[i].expected);
        findings_clear(&findings);
    }
}

static void all_mistakes_are_found_at_once(void **state)
{
    struct findings findings = {0};
    struct err err = ERR_INIT;

    (void)state;
    assert_null(file_of(
        "\n<filter name='a' protocol='x' colour='red' ip='9'/>\n<filter name='b' remote='10.0.0.1/8'/>",
        &findings));
    assert_int_equal(findings.errors, 4);
    assert_true(found(&findings, "t.xml:2: rule 'a': <filter> has no attribute 'colour'"));
    assert_true(found(&findings, "t.xml:2: rule 'a': protocol"));
    assert_true(found(&findings, "t.xml:2: rule 'a': ip"));
    assert_true(found(&findings, "t.xml:3: rule 'b': remote"));
    assert_int_equal(findings_err(&findings, &err), -1);
    assert_non_null(strstr(err.text, "(and 3 more)"));
    findings_clear(&findings);
}

static void hostile(const char *text, const char *expected)
{
    struct findings findings = {0};

    assert_null(filter_file_parse("t.xml", text, strlen(text), NULL, NULL, &findings));
    if (!found(&findings, expected))
        fail_msg("says '%s'", findings.items[0].text);
    findings_clear(&findings);
}

static void hostile_files_are_refused(void **state)
{
    struct buf many = buf_init(64 << 20);
    struct findings findings = {0};

    (void)state;
    hostile("<!DOCTYPE a [<!ENTITY x 'ha'><!ENTITY y '&x;&x;'>]><network-filters>&y;</network-filters>",
            "document type");
    hostile("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "document type");
    hostile("<network-filters name='t'/>", "expected <network-filters xmlns=");
    hostile("", "Document is empty");
    hostile("<network-filters xmlns='urn:amt-network-filters:1' name='a b'/>", "1 to 12 letters");
    buf_puts(&many, "<network-filters xmlns='urn:amt-network-filters:1' name='");
    for (int i = 0; i < 100000; i++)
        buf_puts(&many, "long");
    buf_puts(&many, "'/>");
    hostile(buf_str(&many), "'longlong"); /* and its end is cut */
    buf_reset(&many);
    for (int i = 0; i < 100000; i++)
        buf_printf(&many, "<filter name='r%d'/>\n", i);
    assert_null(file_of(buf_str(&many), &findings));
    assert_int_equal(findings.errors, 1);
    assert_true(found(&findings, "t.xml:16385: more than 16384 rules"));
    findings_clear(&findings);
    buf_free(&many);
}

/* --- includes --- */

static int read_text(void *arg, const char *path, struct buf *out, struct err *err)
{
    for (const char *const *pair = arg; *pair; pair += 2) {
        if (strcmp(pair[0], path) == 0) {
            buf_printf(out, HEAD "%s" TAIL, pair[1]);
            return 0;
        }
    }
    return err_set(err, CAUSE_NOT_FOUND, "%s: no such file", path);
}

static void includes_are_unfolded(void **state)
{
    static const char *const files[] = {"dir/a.xml", "<filter name='one'/><include file='b.xml'/>",
                                        "dir/b.xml", "<policy precedence='7'/><filter name='two' rate='x'/>",
                                        NULL};
    static const char *const good[] = {"dir/a.xml", "<filter name='one'/><include file='b.xml'/>",
                                       "dir/b.xml", "<policy precedence='7'/><filter name='two'/>", NULL};
    static const char *const loop[] = {"a.xml", "<include file='b.xml'/>", "b.xml", "<include file='a.xml'/>",
                                       NULL};
    struct findings findings = {0};
    struct filter_file *file;

    (void)state;
    assert_null(filter_file_read("dir/a.xml", read_text, (void *)files, &findings));
    assert_true(found(&findings, "dir/b.xml:1: rule 'two': rate"));
    findings_clear(&findings);
    assert_null(filter_file_read("a.xml", read_text, (void *)loop, &findings));
    assert_true(found(&findings, "includes itself"));
    findings_clear(&findings);
    assert_null(filter_file_read("none.xml", read_text, (void *)loop, &findings));
    assert_true(found(&findings, "none.xml: no such file"));
    findings_clear(&findings);
    file = filter_file_read("dir/a.xml", read_text, (void *)good, &findings);
    assert_non_null(file);
    assert_int_equal(file->policy.precedence, 7);
    assert_int_equal(file->count, 3);
    assert_string_equal(file->items[2].values[ATTRIBUTE_NAME], "two");
    filter_file_free(file);
    findings_clear(&findings);
}

/* --- binding --- */

static void rules_are_bound(void **state)
{
    static const char *const values[] = {"management=10.0.0.5 fe80::5", "ports=80-81", NULL};
    struct filter_file *file;
    struct ruleset *rules = rules_of("<policy default-in='pass' anti-spoofing='yes' timeout-minutes='5'/>"
                                     "<variable name='ports' default='1'/>"
                                     "<variable name='other' default='@management 10.0.0.6'/>"
                                     "<filter name='a' protocol='tcp' remote='@other' local-ports='@ports'/>"
                                     "<filter name='b' remote='10.0.0.0/8' direction='out' action='drop'/>"
                                     "<filter name='c' ethertype='arp' enabled='no'/>"
                                     "<filter name='d' ip='6'/>"
                                     "<need name='n' remote='@dns'/>",
                                     values, &file);
    uint16_t ethertype = 0;

    (void)state;
    assert_false(rules->policy.in.drop);
    assert_true(rules->policy.out.drop);
    assert_int_equal(rules->policy.anti_spoof, 3);
    assert_int_equal(rules->policy.timeout_minutes, 5);
    assert_int_equal(rules->count, 3);
    assert_int_equal(rules->rules[0].match.remote.nets.count, 3);
    assert_true(rules->rules[0].match.v4 && rules->rules[0].match.v6);
    assert_int_equal(rules->rules[0].match.local.ports.items[0].last, 81);
    assert_true(rules->rules[1].match.v4 && !rules->rules[1].match.v6 && !rules->rules[1].match.in);
    assert_true(match_is_ethertype(&rules->rules[2].match, 6, &ethertype));
    assert_int_equal(ethertype, 34525);
    assert_int_equal(rules->need_count, 1);
    assert_int_equal(rules->needs[0].match.remote.nets.items[0].address, 0xc0000201);
    ruleset_free(rules);
    filter_file_free(file);
}

static void what_cannot_be_bound_is_named(void **state)
{
    struct findings findings = {0};
    struct names *names = names_new();
    struct filter_file *file =
        file_of("<filter name='a' remote='@management'/><filter name='b' remote='host.example.com'/>"
                "<filter name='c' ip='4' remote='fe80::1'/>",
                &findings);

    (void)state;
    assert_non_null(file);
    assert_null(filter_bind(file, names, &findings));
    assert_int_equal(findings.errors, 2);
    assert_true(found(&findings, "rule 'a': remote: @management is not set"));
    assert_true(found(&findings, "rule 'b': remote: host name 'host.example.com'"));
    assert_true(found(&findings, "rule 'c': never fits"));
    findings_clear(&findings);
    names_free(names);
    filter_file_free(file);
}

/* --- writing --- */

static void written_files_are_read_alike(void **state)
{
    static const char body[] = "<!-- one --><!-- two - - - --><policy event='yes'/>"
                               "<filter name='a' protocol='tcp' remote='10.0.0.1' comment='a &lt; \"b\"'/>"
                               "<!-- the need --><need name='n' remote='@dns'/>";
    struct findings findings = {0};
    struct filter_file *file = file_of(body, &findings), *again;
    struct buf first = buf_init(10000), second = buf_init(10000);

    (void)state;
    assert_non_null(file);
    filter_file_write(file, &first);
    again = filter_file_parse("t.xml", buf_str(&first), first.len, NULL, NULL, &findings);
    assert_non_null(again);
    filter_file_write(again, &second);
    assert_string_equal(buf_str(&first), buf_str(&second));
    assert_non_null(strstr(buf_str(&first), "<!-- the need -->"));
    assert_string_equal(again->items[0].values[ATTRIBUTE_COMMENT], "a < \"b\"");
    filter_file_free(file);
    filter_file_free(again);
    buf_free(&first);
    buf_free(&second);
}

static void the_products_files_are_right(void **state)
{
    static const char *const files[] = {"allow-all", "anti-spoof", "block-all", "ping-limit",
                                        "ping-only", "quarantine", "remediate"};

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct findings findings = {0};
        struct names *names = names_new();
        struct buf path = buf_init(4000);
        struct filter_file *file;
        struct ruleset *rules;

        buf_printf(&path, FILTER_FILES "/%s.xml", files[i]);
        names_use_placeholders(names);
        file = filter_file_read(buf_str(&path), filter_read_disk, NULL, &findings);
        assert_non_null(file);
        assert_string_equal(file->name, files[i]);
        rules = filter_bind(file, names, &findings);
        assert_non_null(rules);
        assert_int_equal(findings.count, 0);
        ruleset_free(rules);
        filter_file_free(file);
        names_free(names);
        buf_free(&path);
    }
}

/* The schemas' test files: see tests/unit/filters/schemas. */
static void read_folder(const char *folder, bool good)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        struct findings findings = {0};
        struct buf path = buf_init(4000);
        struct filter_file *file;

        buf_printf(&path, "%s/%s", folder, entry->d_name);
        file = entry->d_name[0] == '.' ? NULL
                                       : filter_file_read(buf_str(&path), filter_read_disk, NULL, &findings);
        if (entry->d_name[0] != '.' && good != (file != NULL))
            fail_msg("%s is %s", entry->d_name, good ? "refused" : "taken");
        filter_file_free(file);
        findings_clear(&findings);
        buf_free(&path);
    }
    closedir(dir);
}

static void the_reader_agrees_with_the_schemas(void **state)
{
    (void)state;
    read_folder(TEST_DATA "/filters/good", true);
    read_folder(TEST_DATA "/filters/bad", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_says_where_and_what),
        cmocka_unit_test(all_mistakes_are_found_at_once),
        cmocka_unit_test(hostile_files_are_refused),
        cmocka_unit_test(includes_are_unfolded),
        cmocka_unit_test(rules_are_bound),
        cmocka_unit_test(what_cannot_be_bound_is_named),
        cmocka_unit_test(written_files_are_read_alike),
        cmocka_unit_test(the_products_files_are_right),
        cmocka_unit_test(the_reader_agrees_with_the_schemas),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
