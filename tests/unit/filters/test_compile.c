#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xml.h"
#include "filters/evaluate.h"
#include "tests/unit/filters/objects_judge.h"
#include "tests/unit/filters/random_rules.h"
#include "tests/unit/filters/text_file.h"

#define SETS    8000
#define PACKETS 60

/* --- the property --- */

static void say(const char *what, const char *body, const struct ruleset *rules,
                const struct compiled *compiled, enum sd_direction direction, const struct packet *packet)
{
    struct buf text = buf_init(100000);

    compiled_text(compiled, rules, &text);
    buf_puts(&text, direction == SD_TX ? "out " : "in ");
    packet_text(packet, &text);
    fail_msg("%s\n%s\n%s", what, body, buf_str(&text));
}

static bool counts(const struct compiled_filter *filter)
{
    return sd_profile_counts(filter->filter.profile);
}

/* How often rules that count were hit must be what their filters say together. */
static void counts_agree(const struct ruleset *rules, const struct objects *objects, const uint64_t *hits)
{
    for (size_t i = 0; i < rules->count; i++) {
        uint64_t sum = 0;

        if (!rules->rules[i].count && rules->rules[i].action != RULE_LIMIT)
            continue;
        for (size_t j = 0; j < objects->compiled->count; j++) {
            const struct compiled_filter *filter = &objects->compiled->filters[j];

            for (size_t k = 0; k < filter->rule_count; k++)
                if (filter->rules[k] == i && counts(filter))
                    sum += objects->hits[j];
        }
        assert_int_equal(sum, hits[i]);
    }
}

/* A device takes them, and none twice. */
static void check_filters(const char *body, const struct ruleset *rules, const struct compiled *compiled)
{
    static const struct packet none;

    for (size_t i = 0; i < compiled->count; i++) {
        assert_int_equal(sd_filter_check(&compiled->filters[i].filter, NULL), 0);
        for (size_t j = 0; j < i; j++)
            if (sd_filter_same(&compiled->filters[i].filter, &compiled->filters[j].filter))
                say("two filters are the same", body, rules, compiled, SD_TX, &none);
    }
}

static struct nets own_addresses(void)
{
    static const struct net own[] = {
        {.version = 4, .bits = 32, .address = 0x0a000003},
        {.version = 6, .bits = 128, .address = (net_number)0x20010db8 << 96 | 3}};
    struct nets nets = {0};

    for (size_t i = 0; i < 2; i++)
        assert_int_equal(nets_add(&nets, &own[i], NULL), 0);
    return nets;
}

static void compare(const char *body, const struct ruleset *rules, const struct compiled *compiled,
                    uint64_t *seed)
{
    struct objects objects = {
        .compiled = compiled, .second = -1, .own4 = 0x0a000003, .own6 = (net_number)0x20010db8 << 96 | 3};
    struct limits limits = limits_init(rules);
    struct nets own = own_addresses();
    uint64_t hits[64] = {0};

    for (int i = 0; i < PACKETS; i++) {
        enum sd_direction direction = (enum sd_direction)random_below(seed, 2);
        int64_t second = i / 30;
        struct packet packet;
        struct verdict verdict;

        random_packet(seed, &packet);
        verdict = evaluate(rules, &own, &limits, direction, &packet, second * 1000 + i);
        for (size_t j = 0; j < rules->count && verdict.by != BY_ANTI_SPOOFING; j++)
            hits[j] += match_fits(&rules->rules[j].match, direction, &packet);
        if (verdict.drop != objects_drop(&objects, direction, &packet, second))
            say(verdict.drop ? "the rules drop" : "the rules pass", body, rules, compiled, direction,
                &packet);
    }
    counts_agree(rules, &objects, hits);
    limits_free(&limits);
    nets_free(&own);
}

static uint64_t compiled_sets;

static void try_file(const char *body, const struct ruleset *rules, uint64_t *seed)
{
    static const struct compile_options options = {0};
    struct findings findings = {0};
    struct compiled *compiled = filter_compile(rules, &options, &findings);

    if (compiled) {
        compiled_sets++;
        check_filters(body, rules, compiled);
        compare(body, rules, compiled, seed);
    } else {
        assert_true(findings.errors > 0);
    }
    compiled_free(compiled);
    findings_clear(&findings);
}

static void rules_and_objects_decide_alike(void **state)
{
    uint64_t sets = random_files(SETS, 20090211, 8, try_file);

    (void)state;
    /* the generator must not make contradictions only */
    assert_true(compiled_sets > sets / 4);
}

/* --- the property of widening: more passes, nothing that passed is lost, and what a rule drops stays dropped
 * --- */

static void compare_wider(const char *body, const struct ruleset *rules, const struct compiled *compiled,
                          uint64_t *seed)
{
    struct objects objects = {
        .compiled = compiled, .second = -1, .own4 = 0x0a000003, .own6 = (net_number)0x20010db8 << 96 | 3};
    struct nets own = own_addresses();

    for (int i = 0; i < PACKETS; i++) {
        enum sd_direction direction = (enum sd_direction)random_below(seed, 2);
        struct packet packet;
        struct verdict verdict;
        bool dropped;

        random_packet(seed, &packet);
        verdict = evaluate(rules, &own, NULL, direction, &packet, i * 1000);
        dropped = objects_drop(&objects, direction, &packet, i);
        if ((!verdict.drop && dropped) || (verdict.drop && verdict.by == BY_RULE && !dropped))
            say("widened wrongly", body, rules, compiled, direction, &packet);
    }
    nets_free(&own);
}

static unsigned widened;

static void try_widening(const char *body, const struct ruleset *rules, uint64_t *seed)
{
    struct sd_room room = {5, 3};
    struct sd_port_limits port = {room, room, {3, 2}, {3, 2}, 2, true, true};
    struct compile_options options = {.ports = &port, .port_count = 1, .widen = true};
    struct findings findings = {0};
    struct compiled *compiled = filter_compile(rules, &options, &findings);

    if (compiled) {
        assert_true(compiled->tx.filters + 2 * compiled->tx.filters_ipv6 <= 5);
        assert_true(compiled->rx.counters + 2 * compiled->rx.counters_ipv6 <= 3);
        widened += found(&findings, "widened to");
        check_filters(body, rules, compiled);
        compare_wider(body, rules, compiled, seed);
    }
    compiled_free(compiled);
    findings_clear(&findings);
}

static void widened_objects_pass_at_least_as_much(void **state)
{
    (void)state;
    random_files(SETS / 4, 50120, 8, try_widening);
    assert_true(widened > 50);
}

/* --- fewest --- */

static size_t filters_of(const char *body, struct buf *text)
{
    struct compile_options options = {0};
    struct findings findings = {0};
    struct filter_file *file;
    struct ruleset *rules = rules_of(body, NULL, &file);
    struct compiled *compiled = filter_compile(rules, &options, &findings);
    size_t n;

    if (!compiled)
        fail_msg("%s: %s", body, findings.items[0].text);
    n = compiled->count;
    if (text)
        compiled_text(compiled, rules, text);
    compiled_free(compiled);
    ruleset_free(rules);
    filter_file_free(file);
    findings_clear(&findings);
    return n;
}

static void the_fewest_filters(void **state)
{
    static const struct {
        const char *body;
        size_t expected;
    } rows[] = {
        {"", 0},
        {"<filter name='a' ethertype='arp'/>", 2},
        {"<filter name='a' direction='out'/>", 2},
        {"<filter name='a' direction='out' ip='4'/>", 1},
        {"<filter name='a' direction='out' remote='10.0.0.0-10.0.0.255' protocol='tcp'/>", 1},
        {"<filter name='a' direction='out' remote='10.0.0.0/25' protocol='tcp'/>"
         "<filter name='b' direction='out' remote='10.0.0.128/25' protocol='tcp'/>",
         1},
        {"<filter name='a' direction='out' ip='4' protocol='tcp' remote-ports='80'/>"
         "<filter name='b' direction='out' ip='4' protocol='tcp' remote-ports='81-90'/>"
         "<filter name='c' direction='out' ip='4' protocol='tcp' remote-ports='85-95'/>",
         1},
        {"<filter name='a' direction='out' ip='4' protocol='tcp' remote-ports='80' remote='10.0.0.1'/>"
         "<filter name='b' direction='out' ip='4' protocol='tcp' remote='10.0.0.0/8'/>"
         "<filter name='c' direction='out' remote='10.0.0.0/8'/>",
         1},
        /* what the default does anyway */
        {"<policy default-out='pass' default-in='pass' count='no'/><filter name='a' protocol='tcp'/>", 0},
        {"<policy count='no'/><filter name='a' protocol='tcp' action='drop'/>", 0},
        {"<policy count='no'/><filter name='a' direction='out' ip='4' protocol='tcp'/>"
         "<filter name='b' direction='out' ip='4' protocol='tcp' remote-ports='25' action='drop'/>",
         2},
        /* counted rules stay apart */
        {"<filter name='a' direction='out' remote='10.0.0.0/25' count='yes'/>"
         "<filter name='b' direction='out' remote='10.0.0.128/25' count='yes'/>",
         2},
        /* unless they are the same */
        {"<filter name='a' direction='out' remote='10.0.0.0/25' count='yes'/>"
         "<filter name='b' direction='out' remote='10.0.0.0/25' count='yes'/>",
         1},
        {"<filter name='a' direction='out' ethertype='lldp' action='limit' rate='1'/>"
         "<filter name='b' direction='out' ethertype='lldp' action='limit' rate='1'/>",
         1},
        {"<filter name='a' direction='out' ethertype='lldp' action='limit' rate='1'/>"
         "<filter name='b' direction='out' ethertype='lldp' action='limit' rate='2'/>",
         2},
        /* a pair of ports, and one that has to be unfolded */
        {"<filter name='a' direction='out' ip='4' protocol='udp' local-ports='68' remote-ports='67'/>", 1},
        {"<filter name='a' direction='out' ip='4' protocol='udp' local-ports='68' remote-ports='67-69'/>", 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (filters_of(rows[i].body, NULL) != rows[i].expected)
            fail_msg("%s: %zu filters, not %zu", rows[i].body, filters_of(rows[i].body, NULL),
                     rows[i].expected);
}

static void objects_are_named_after_rules(void **state)
{
    struct buf text = buf_init(10000);

    (void)state;
    filters_of("<filter name='twelve-chars' protocol='tcp' ip='4' remote-ports='1,3'/>"
               "<filter name='b' protocol='tcp' ip='4' remote-ports='4'/>",
               &text);
    assert_string_equal(buf_str(&text),
                        "twelve-chars-tx   tx pass ipv4 tcp to port 1\n"
                        "twelve-chars-tx2  tx pass ipv4 tcp to port 3-4  (twelve-chars, b)\n"
                        "twelve-chars-rx   rx pass ipv4 tcp from port 1\n"
                        "twelve-chars-rx2  rx pass ipv4 tcp from port 3-4  (twelve-chars, b)\n");
    buf_free(&text);
}

/* --- refusals --- */

static void refused(const char *body, const struct compile_options *options, const char *expected)
{
    struct findings findings = {0};
    struct filter_file *file;
    struct ruleset *rules = rules_of(body, NULL, &file);

    assert_null(filter_compile(rules, options, &findings));
    if (!found(&findings, expected))
        fail_msg("says '%s', not '%s' for %.300s", findings.items[0].text, expected, body);
    ruleset_free(rules);
    filter_file_free(file);
    findings_clear(&findings);
}

static void what_hardware_cannot_say_is_refused(void **state)
{
    static const struct compile_options options = {0};

    (void)state;
    refused("<filter name='hole' remote='10.0.0.5'/><filter name='deny' remote='10.0.0.0/8' action='drop'/>",
            &options, "rule 'hole': cannot let pass what rule 'deny' (t.xml:1) drops: drop always wins");
    refused("<filter name='a' protocol='icmp' action='limit' rate='5' direction='in' "
            "remote='10.0.0.1,10.0.0.3'/>",
            &options, "rule 'a': a limit must fit one filter in each direction, and this one takes 2");
    refused(
        "<filter name='a' protocol='tcp' local-ports='1-100' remote-ports='1-100'/>", &options,
        "rule 'a': the hardware takes ports on both sides only one by one, and these lists have 10000 pairs");
}

static void overlaps_are_warned_of(void **state)
{
    static const struct compile_options options = {0};
    struct findings findings = {0};
    struct filter_file *file;
    struct ruleset *rules = rules_of("<filter name='a' remote='10.0.0.0/8' direction='out'/>"
                                     "<filter name='b' protocol='tcp' remote-ports='25' action='drop'/>",
                                     NULL, &file);
    struct compiled *compiled = filter_compile(rules, &options, &findings);

    (void)state;
    assert_non_null(compiled);
    assert_true(found(&findings, "rule 'a': part of what it lets pass is dropped by rule 'b'"));
    compiled_free(compiled);
    ruleset_free(rules);
    filter_file_free(file);
    findings_clear(&findings);
}

/* --- room --- */

static struct sd_port_limits usual_port(void)
{
    struct sd_room room = {32, 16}, six = {8, 4};

    return (struct sd_port_limits){room, room, six, six, 4, true, false};
}

static void many_rules(unsigned n, unsigned step, const char *more, struct buf *out)
{
    buf_puts(out, "<policy count='no'/>");
    for (unsigned i = 0; i < n; i++)
        buf_printf(out, "<filter name='r%u' protocol='tcp' remote='10.0.%u.0/24' remote-ports='443'%s/>", i,
                   i * step, more);
}

static void too_many_filters_are_refused_with_an_offer(void **state)
{
    struct sd_port_limits port = usual_port();
    struct compile_options options = {.ports = &port, .port_count = 1};
    struct buf body = buf_init(100000);
    struct findings findings = {0};
    struct filter_file *file;
    struct ruleset *rules;
    struct compiled *compiled;

    (void)state;
    many_rules(31, 2, "", &body);
    rules = rules_of(buf_str(&body), NULL, &file);
    compiled = filter_compile(rules, &options, &findings);
    assert_non_null(compiled);
    assert_int_equal(compiled->tx.filters, 32);
    compiled_free(compiled);
    ruleset_free(rules);
    filter_file_free(file);

    buf_reset(&body);
    many_rules(33, 2, "", &body);
    refused(buf_str(&body), &options,
            "34 places for filters needed in the direction out, the default included, and there are "
            "32; rule 'r0' takes 1");
    refused(buf_str(&body), &options,
            "rules 'r0', 'r1', 'r2', 'r3' with --widen would be widened to: tx pass ipv4 tcp to 10.0.0.0/21 "
            "port 443, "
            "which is 2048 remote addresses instead of 1024");
    options.widen = true;
    rules = rules_of(buf_str(&body), NULL, &file);
    compiled = filter_compile(rules, &options, &findings);
    assert_non_null(compiled);
    assert_true(compiled->tx.filters <= 32 && compiled->tx.filters >= 30);
    assert_true(compiled->rx.filters <= 32 && compiled->rx.filters >= 30);
    assert_true(found(&findings, "are widened to: rx pass ipv4 tcp from 10.0."));
    compiled_free(compiled);
    ruleset_free(rules);
    filter_file_free(file);
    findings_clear(&findings);

    buf_reset(&body);
    many_rules(33, 2, " action='drop' event='yes'", &body);
    refused(buf_str(&body), &options, "--widen does not help");
    buf_free(&body);
}

static void counters_and_versions_have_their_room(void **state)
{
    struct sd_port_limits port = usual_port();
    struct compile_options options = {.ports = &port, .port_count = 1};
    struct buf body = buf_init(100000);

    (void)state;
    many_rules(17, 2, " count='yes'", &body);
    refused(buf_str(&body), &options, "17 places for counters needed in the direction out");
    refused(buf_str(&body), &options, "with --widen would be counted no more");
    buf_free(&body);
    refused(
        "<filter name='a' protocol='tcp' ip='6' remote-ports='1,3,5,7,9,11,13,15'/>", &options,
        "33 places for filters needed in the direction out, the default included, and there are 32; rule 'a' "
        "takes 32");
    port.ipv4_anti_spoof = false;
    refused("<policy anti-spoofing='yes'/>", &options, "anti-spoofing: the device's port cannot do it");
}

static void protocols_are_named_where_the_device_wants_it(void **state)
{
    struct compile_options options = {.name_protocols = true};
    struct findings findings = {0};
    struct filter_file *file;
    struct ruleset *rules = rules_of("<filter name='a' remote='10.0.0.5' direction='out'/>", NULL, &file);
    struct compiled *compiled = filter_compile(rules, &options, &findings);

    (void)state;
    assert_int_equal(compiled->count, 3);
    assert_true(found(&findings, "rule 'a': the device wants a protocol with an address"));
    compiled_free(compiled);
    ruleset_free(rules);
    filter_file_free(file);
    findings_clear(&findings);
}

static void the_products_files_fit_a_device(void **state)
{
    static const char *const files[] = {"allow-all", "anti-spoof", "block-all", "ping-limit",
                                        "ping-only", "quarantine", "remediate"};
    static const size_t filters[] = {0, 0, 0, 1, 6, 20, 20};
    struct sd_port_limits port = usual_port();
    struct compile_options options = {.ports = &port, .port_count = 1, .prefix = "q1-"};

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct findings findings = {0};
        struct names *names = names_new();
        struct buf path = buf_init(4000);
        struct filter_file *file;
        struct ruleset *rules;
        struct compiled *compiled;

        buf_printf(&path, FILTER_FILES "/%s.xml", files[i]);
        assert_int_equal(names_set_text(names, "management=10.0.0.5", NULL), 0);
        assert_int_equal(names_set_text(names, "dns=10.0.0.2 10.0.0.9", NULL), 0);
        file = filter_file_read(buf_str(&path), filter_read_disk, NULL, &findings);
        rules = filter_bind(file, names, &findings);
        compiled = filter_compile(rules, &options, &findings);
        if (!compiled)
            fail_msg("%s: %s", files[i], findings.items[0].text);
        if (compiled->count != filters[i]) {
            struct buf text = buf_init(10000);

            compiled_text(compiled, rules, &text);
            fail_msg("%s: %zu filters\n%s", files[i], compiled->count, buf_str(&text));
        }
        compiled_free(compiled);
        ruleset_free(rules);
        filter_file_free(file);
        names_free(names);
        findings_clear(&findings);
        buf_free(&path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fewest_filters),
        cmocka_unit_test(rules_and_objects_decide_alike),
        cmocka_unit_test(widened_objects_pass_at_least_as_much),
        cmocka_unit_test(objects_are_named_after_rules),
        cmocka_unit_test(what_hardware_cannot_say_is_refused),
        cmocka_unit_test(overlaps_are_warned_of),
        cmocka_unit_test(too_many_filters_are_refused_with_an_offer),
        cmocka_unit_test(counters_and_versions_have_their_room),
        cmocka_unit_test(protocols_are_named_where_the_device_wants_it),
        cmocka_unit_test(the_products_files_fit_a_device),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
