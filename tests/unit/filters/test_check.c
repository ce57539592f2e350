#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/xml.h"
#include "filters/check.h"
#include "filters/evaluate.h"
#include "filters/needs.h"
#include "filters/sentence.h"
#include "tests/unit/filters/random_rules.h"
#include "tests/unit/filters/text_file.h"

/* A file checked with placeholders for all names. */
struct checked {
    struct filter_file *file;
    struct ruleset *rules;
    struct check_report report;
    struct findings findings;
};

static struct checked check_with(const char *body, const unsigned *versions, size_t version_count,
                                 struct names *names)
{
    struct check_options options = {.versions = versions, .version_count = version_count};
    struct checked out = {0};

    out.file = file_of(body, &out.findings);
    assert_non_null(out.file);
    out.rules = filter_bind(out.file, names, &out.findings);
    assert_non_null(out.rules);
    filter_check(out.rules, names, &options, &out.report, &out.findings);
    names_free(names);
    return out;
}

static struct checked check(const char *body, const unsigned *versions, size_t version_count)
{
    struct names *names = names_new();

    names_use_placeholders(names);
    return check_with(body, versions, version_count, names);
}

static void clear(struct checked *checked)
{
    check_report_clear(&checked->report);
    findings_clear(&checked->findings);
    ruleset_free(checked->rules);
    filter_file_free(checked->file);
}

static const struct way *way_of(const struct checked *checked, const char *name)
{
    for (size_t i = 0; i < checked->report.way_count; i++)
        if (strcmp(checked->report.ways[i].name, name) == 0)
            return &checked->report.ways[i];
    fail_msg("no way '%s'", name);
    return NULL;
}

static void the_ways_amtd_needs_are_judged(void **state)
{
    struct checked checked = check("<filter name='arp' ethertype='arp'/>"
                                   "<filter name='server' remote='@management' direction='out'/>"
                                   "<filter name='dns' protocol='udp' remote='@dns'/>"
                                   "<filter name='nodns' protocol='udp' remote='@dns' action='drop'"
                                   " direction='in' remote-ports='53'/>",
                                   NULL, 0);

    (void)state;
    assert_true(way_of(&checked, "arp")->passes);
    assert_string_equal(way_of(&checked, "arp")->why, "passed by rule 'arp' (t.xml:1)");
    assert_false(way_of(&checked, "server")->passes);
    assert_string_equal(way_of(&checked, "server")->why, "in: dropped by default: no rule passes it");
    assert_string_equal(way_of(&checked, "dns")->why, "in: dropped by rule 'nodns' (t.xml:1)");
    assert_string_equal(way_of(&checked, "dhcp")->why, "out, in part: dropped by default: no rule passes it");
    assert_int_equal(checked.report.cut, 3);
    clear(&checked);
}

static void what_cannot_be_told_is_no_all_clear(void **state)
{
    static const char open[] = "<policy default-in='pass' default-out='pass' count='no'/>";
    struct names *names = names_new();
    struct checked checked;

    (void)state;
    names_set(names, "management", "10.0.0.5", NULL);
    checked = check_with(open, NULL, 0, names);
    assert_int_equal(checked.report.cut, 0);
    assert_int_equal(checked.findings.warnings, 0);
    assert_true(
        found(&checked.findings, "amtd's own way 'dns' stays open cannot be told: remote: @dns is not set"));
    clear(&checked);
    checked = check_with(open, NULL, 0, names_new());
    assert_int_equal(checked.report.cut, 1);
    assert_string_equal(way_of(&checked, "server")->why, "cannot be told: remote: @management is not set");
    clear(&checked);
}

static void a_server_of_ipv6_needs_neighbour_discovery(void **state)
{
    struct names *names = names_new();
    struct checked checked;

    (void)state;
    names_set(names, "management", "2001:db8::5", NULL);
    names_set(names, "dns", "10.0.0.2", NULL);
    checked = check_with("<filter name='server' remote='@management'/>", NULL, 0, names);
    assert_true(way_of(&checked, "server")->passes);
    assert_false(way_of(&checked, "nd")->passes);
    for (size_t i = 0; i < checked.report.way_count; i++)
        assert_string_not_equal(checked.report.ways[i].name, "arp");
    clear(&checked);
}

static void needs_are_covered_by_several_rules(void **state)
{
    struct checked checked = check(
        "<filter name='low' protocol='tcp' remote='10.0.0.0/25' remote-ports='1-100'/>"
        "<filter name='high' protocol='tcp' remote='10.0.0.0/24' remote-ports='101-200'/>"
        "<filter name='rest' protocol='tcp' remote='10.0.0.128/25' remote-ports='50-100'/>"
        "<filter name='rest2' protocol='tcp' remote='10.0.0.128/25' remote-ports='1-49'/>"
        "<need name='all' protocol='tcp' remote='10.0.0.0/24' remote-ports='1-200' local-ports='1024-65535'/>"
        "<need name='one-more' protocol='tcp' remote='10.0.0.0/24' remote-ports='1-201'/>"
        "<need name='wide' protocol='tcp' remote='10.0.0.0/23' remote-ports='7'/>",
        NULL, 0);

    (void)state;
    assert_true(way_of(&checked, "all")->passes);
    assert_false(way_of(&checked, "one-more")->passes);
    assert_string_equal(way_of(&checked, "wide")->why, "out, in part: dropped by default: no rule passes it");
    clear(&checked);
}

/* What is said to pass does, for packets thrown at it. */
static void covered_is_never_dropped(void **state)
{
    uint64_t seed = random_start(7), sets = random_sets(3000);
    unsigned covered = 0;

    (void)state;
    for (uint64_t i = 0; i < sets; i++) {
        struct buf body = buf_init(100000);
        struct checked checked;

        random_body(&seed, 6, &body);
        buf_printf(&body, "<need name='n' protocol='%s' remote='10.0.0.%u/30' remote-ports='%u-%u'/>",
                   random_below(&seed, 2) ? "tcp" : "udp", 4 * random_below(&seed, 4), random_below(&seed, 4),
                   4 + random_below(&seed, 6));
        checked = check(buf_str(&body), NULL, 0);
        for (int j = 0; j < 300 && way_of(&checked, "n")->passes && !way_of(&checked, "n")->limited; j++) {
            enum sd_direction d = (enum sd_direction)random_below(&seed, 2);
            struct packet packet;

            random_packet(&seed, &packet);
            covered += j == 0;
            if (packet.has_ports && packet.has_flags == (packet.protocol == 6) &&
                match_fits(&checked.rules->needs[0].match, d, &packet) &&
                evaluate(checked.rules, NULL, NULL, d, &packet, 0).drop)
                fail_msg("%s", buf_str(&body));
        }
        clear(&checked);
        buf_free(&body);
    }
    assert_true(covered > sets / 15);
}

static void idle_rules_are_told(void **state)
{
    static const struct {
        const char *body, *expected;
    } rows[] = {
        {"<filter name='a' protocol='tcp'/><filter name='b' protocol='tcp' remote='10.0.0.1'/>",
         "rule 'b': does nothing: all it fits is passed by rule 'a'"},
        {"<filter name='a' protocol='tcp'/><filter name='b' protocol='tcp'/>",
         "rule 'b': does nothing: all it fits is passed by rule 'a'"},
        {"<policy default-in='pass' default-out='pass'/><filter name='a' protocol='tcp'/>",
         "rule 'a': does nothing: all it fits is passed by default"},
        {"<filter name='a' protocol='tcp' action='drop'/>",
         "rule 'a': does nothing: all it fits is dropped by default"},
        {"<filter name='a' remote='fe80::1' ip='4'/>", "rule 'a': never fits"},
    };
    struct checked fine = check("<filter name='a' protocol='tcp'/>"
                                "<filter name='b' protocol='tcp' remote='10.0.0.1' count='yes'/>"
                                "<filter name='c' protocol='tcp' remote='10.9.9.9' action='drop'/>",
                                NULL, 0);

    (void)state;
    assert_int_equal(fine.findings.errors + fine.findings.warnings, 0);
    clear(&fine);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct checked checked = check(rows[i].body, NULL, 0);

        if (!found(&checked.findings, rows[i].expected))
            fail_msg("%s: not told", rows[i].body);
        clear(&checked);
    }
}

static void rules_whose_answers_are_dropped_are_told(void **state)
{
    static const struct {
        const char *body;
        bool told;
    } rows[] = {
        {"<filter name='a' protocol='tcp' direction='in' local-ports='3389'/>", true},
        {"<filter name='a' protocol='tcp' direction='out' remote='10.0.0.5' remote-ports='443'/>", true},
        {"<filter name='a' protocol='tcp' direction='in' local-ports='3389'/>"
         "<filter name='b' protocol='tcp' direction='out' local-ports='3389'/>",
         false},
        {"<filter name='a' protocol='tcp' direction='in' local-ports='3389'/>"
         "<filter name='b' direction='out' remote='10.1.0.0/16'/>",
         false}, /* some pass */
        {"<filter name='a' protocol='tcp' local-ports='3389'/>", false},
        {"<filter name='a' protocol='udp' direction='out' remote-ports='514'/>", false},
        {"<policy default-out='pass'/><filter name='a' protocol='tcp' direction='in' local-ports='3389'/>",
         false},
        {"<filter name='a' protocol='tcp' direction='in' action='drop'/>", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct checked checked = check(rows[i].body, NULL, 0);

        if (found(&checked.findings, "rule 'a': lets TCP ") != rows[i].told)
            fail_msg("%s: %s", rows[i].body, rows[i].told ? "not told" : "told");
        clear(&checked);
    }
}

static void generations_have_their_limits(void **state)
{
    static const unsigned versions[] = {2, 3, 16};
    struct buf body = buf_init(10000);
    struct checked checked =
        check("<policy timeout-minutes='5'/><filter name='a' ethertype='arp'/>", versions, 3);

    (void)state;
    assert_true(found(&checked.findings, "AMT 1 and 2: no System Defense"));
    assert_true(found(&checked.findings, "AMT 3: the hardware has no time-out"));
    assert_int_equal(checked.findings.errors, 1);
    assert_int_equal(checked.report.out.filters, 2);
    clear(&checked);
    for (int i = 0; i < 31; i++)
        buf_printf(&body, "<filter name='r%d' protocol='tcp' direction='out' remote='10.0.%d.0/24'/>", i,
                   2 * i);
    buf_puts(&body, "<filter name='six' protocol='tcp' direction='out' remote='fe80::1'/>");
    checked = check(buf_str(&body), versions + 2, 1);
    assert_true(
        found(&checked.findings,
              "AMT 4 and later: 36 places for filters needed in the direction out, the default included, "
              "and there are 32; rule 'six' takes 4, 'r0' takes 1"));
    assert_int_equal(checked.findings.errors, 1);
    clear(&checked);
    buf_free(&body);
}

static void rules_are_said_in_sentences(void **state)
{
    static const struct {
        const char *body, *sentence;
    } rows[] = {
        {"<filter name='a' ethertype='arp'/>", "Passes ARP, both ways."},
        {"<filter name='a' remote='10.0.0.5'/>", "Passes all IPv4 between this host and 10.0.0.5."},
        {"<filter name='a' protocol='udp' ip='4' local-ports='68' remote-ports='67' count='yes'/>",
         "Passes IPv4 UDP between port 68 of this host and port 67 of any address; counts them."},
        {"<filter name='a' protocol='icmp' direction='in' action='limit' rate='10' event='yes'/>",
         "Passes at most 10 packets a second of ICMP, in; tells of the first."},
        {"<filter name='a' protocol='tcp' direction='in' local-ports='3389,5900-5901' remote='10.0.0.0/8 "
         "fe80::1'"
         " tcp-flags='syn !ack' action='drop'/>",
         "Drops TCP from 10.0.0.0/8 or fe80::1 to ports 3389,5900-5901 of this host, with flags syn !ack."},
        {"<filter name='a' protocol='132' direction='out' local='10.0.0.7'/>",
         "Passes IPv4 protocol 132 from this host at 10.0.0.7 to any address."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct filter_file *file;
        struct ruleset *rules = rules_of(rows[i].body, NULL, &file);
        struct buf text = buf_init(1000);

        rule_sentence(&rules->rules[0], &text);
        assert_string_equal(buf_str(&text), rows[i].sentence);
        buf_free(&text);
        ruleset_free(rules);
        filter_file_free(file);
    }
}

/* Of the steps of a job: names made to fit, and apart; names that nobody built in are there to be set. */
static void needs_of_jobs(void **state)
{
    const struct need_row rows[] = {{"dhcp", "udp", NULL, 67, 68, 4},
                                    {"a package <server>", "tcp", "@packages", 443},
                                    {"dhcp", "udp", "@dns", 53}};
    struct findings findings = {0};
    struct names *names = names_new();
    struct filter_file *needs = needs_file(rows, 3, &findings), *file;
    struct ruleset *rules = rules_of(
        "<filter name='dhcp' ip='4' protocol='udp' remote-ports='67' local-ports='68'/>", NULL, &file);
    struct check_options options = {.needs = needs};
    struct check_report report;
    char why[3][80];

    (void)state;
    assert_non_null(needs);
    names_use_placeholders(names);
    filter_check(rules, names, &options, &report, &findings);
    assert_int_equal(findings.errors, 0);
    for (size_t i = 0; i < 3; i++)
        snprintf(why[i], sizeof(why[i]), "%s %d", report.ways[i].name, report.ways[i].passes);
    assert_string_equal(why[0], "dhcp 1");
    assert_string_equal(why[1], "a-package--s 0");
    assert_string_equal(why[2], "dhcp-2 0");
    check_report_clear(&report);
    filter_file_free(needs);
    assert_null(needs_file((const struct need_row[]){{"x", "tcp", "10.0.0.0/99", 1}}, 1, &findings));
    assert_true(findings.errors > 0);
    findings_clear(&findings);
    ruleset_free(rules);
    filter_file_free(file);
    names_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_of_jobs),
        cmocka_unit_test(the_ways_amtd_needs_are_judged),
        cmocka_unit_test(what_cannot_be_told_is_no_all_clear),
        cmocka_unit_test(a_server_of_ipv6_needs_neighbour_discovery),
        cmocka_unit_test(needs_are_covered_by_several_rules),
        cmocka_unit_test(covered_is_never_dropped),
        cmocka_unit_test(idle_rules_are_told),
        cmocka_unit_test(rules_whose_answers_are_dropped_are_told),
        cmocka_unit_test(generations_have_their_limits),
        cmocka_unit_test(rules_are_said_in_sentences),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
