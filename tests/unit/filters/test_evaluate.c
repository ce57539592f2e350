/* The definition by example, and that the matcher is the same at speed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/xml.h"
#include "filters/explain.h"
#include "filters/matcher.h"
#include "tests/unit/filters/random_rules.h"
#include "tests/unit/filters/text_file.h"

#define SETS    5000
#define PACKETS 100

/* "tcp 10.0.0.7:1 > 10.0.0.8:2" is judged as: "passed by rule 'a' (t.xml:1)" */
static void judged(const char *body, const char *packet, const char *expected)
{
    struct filter_file *file;
    struct ruleset *rules = rules_of(body, NULL, &file);
    struct buf text = buf_init(1000);
    struct err err = ERR_INIT;
    struct flow flow;
    struct verdict verdict;

    if (flow_parse(packet, &flow, &err) != 0)
        fail_msg("%s: %s", packet, err.text);
    verdict = evaluate(rules, NULL, NULL, flow.direction, &flow.packet, 0);
    verdict_text(&verdict, rules, &text);
    if (strcmp(buf_str(&text), expected) != 0)
        fail_msg("%s: %s: %s", body, packet, buf_str(&text));
    buf_free(&text);
    ruleset_free(rules);
    filter_file_free(file);
}

static void drop_beats_pass_and_the_default_comes_last(void **state)
{
    static const char both[] =
        "<filter name='a' protocol='tcp'/><filter name='b' remote='10.0.0.8' action='drop'/>";

    (void)state;
    judged("", "tcp 10.0.0.7:1 > 10.0.0.8:2", "dropped by default: no rule fits");
    judged("<policy default-out='pass'/>", "tcp 10.0.0.7:1 > 10.0.0.8:2", "passed by default: no rule fits");
    judged("<policy default-out='pass'/>", "in tcp 10.0.0.7:1 > 10.0.0.8:2",
           "dropped by default: no rule fits");
    judged(both, "tcp 10.0.0.7:1 > 10.0.0.9:2", "passed by rule 'a' (t.xml:1)");
    judged(both, "tcp 10.0.0.7:1 > 10.0.0.8:2", "dropped by rule 'b' (t.xml:1)");
    judged(both, "in tcp 10.0.0.8:1 > 10.0.0.7:2", "dropped by rule 'b' (t.xml:1)");
    judged(both, "icmp 10.0.0.7 > 10.0.0.9", "dropped by default: no rule fits");
}

static void a_rule_fits_what_it_says(void **state)
{
    static const char task[] =
        "<filter name='a' protocol='tcp' remote='10.0.0.5' remote-ports='50120-50124'/>";
    static const char out[] = "<filter name='a' protocol='udp' direction='out' local-ports='68' ip='4'/>";
    static const char syn[] = "<filter name='a' protocol='tcp' tcp-flags='syn !ack'/>";
    static const char arp[] = "<filter name='a' ethertype='arp'/>";
    static const char six[] = "<filter name='a' ip='6'/>";

    (void)state;
    judged(task, "tcp 10.0.0.7:4000 > 10.0.0.5:50124", "passed by rule 'a' (t.xml:1)");
    judged(task, "in tcp 10.0.0.5:50120 > 10.0.0.7:4000", "passed by rule 'a' (t.xml:1)");
    judged(task, "tcp 10.0.0.7:4000 > 10.0.0.5:50125", "dropped by default: no rule fits");
    judged(task, "in tcp 10.0.0.7:4000 > 10.0.0.5:50124", "dropped by default: no rule fits");
    judged(task, "udp 10.0.0.7:4000 > 10.0.0.5:50124", "dropped by default: no rule fits");
    judged(out, "udp 0.0.0.0:68 > 255.255.255.255:67", "passed by rule 'a' (t.xml:1)");
    judged(out, "in udp 10.0.0.1:67 > 10.0.0.7:68", "dropped by default: no rule fits");
    judged(out, "udp [fe80::1]:68 > [fe80::2]:67", "dropped by default: no rule fits");
    judged(syn, "tcp 10.0.0.7:1 > 10.0.0.8:2", "passed by rule 'a' (t.xml:1)");
    judged(syn, "tcp 10.0.0.7:1 > 10.0.0.8:2 flags syn ack", "dropped by default: no rule fits");
    judged(arp, "in arp", "passed by rule 'a' (t.xml:1)");
    judged(arp, "0x88cc", "dropped by default: no rule fits");
    judged(six, "icmpv6 fe80::1 > ff02::1", "passed by rule 'a' (t.xml:1)");
    judged(six, "icmp 10.0.0.7 > 10.0.0.8", "dropped by default: no rule fits");
}

static void limits_hold_for_a_second(void **state)
{
    struct filter_file *file;
    struct ruleset *rules = rules_of("<policy default-in='pass' default-out='pass'/>"
                                     "<filter name='a' protocol='icmp' action='limit' rate='3'/>",
                                     NULL, &file);
    struct limits limits = limits_init(rules);
    unsigned passed[2] = {0};
    struct flow flow;

    (void)state;
    assert_int_equal(flow_parse("icmp 10.0.0.7 > 10.0.0.8", &flow, NULL), 0);
    for (int64_t ms = 0; ms < 2000; ms += 100)
        for (enum sd_direction d = SD_TX; d <= SD_RX; d++)
            passed[d] += !evaluate(rules, NULL, &limits, d, &flow.packet, ms).drop;
    assert_int_equal(passed[SD_TX], 6);
    assert_int_equal(passed[SD_RX], 6);
    limits_free(&limits);
    ruleset_free(rules);
    filter_file_free(file);
}

static void false_sources_are_dropped_on_their_way_out(void **state)
{
    static const struct {
        const char *packet;
        bool drop;
    } packets[] = {{"icmp 10.0.0.7 > 10.0.0.8", false},    {"icmp 10.0.0.9 > 10.0.0.8", true},
                   {"in icmp 10.0.0.9 > 10.0.0.7", false}, {"udp 0.0.0.0:68 > 255.255.255.255:67", false},
                   {"icmpv6 fe80::5 > ff02::1", false},    {"icmpv6 :: > ff02::1", false},
                   {"icmpv6 2001:db8::1 > ff02::1", true}, {"arp", false}};
    struct filter_file *file;
    struct ruleset *rules =
        rules_of("<policy default-in='pass' default-out='pass' anti-spoofing='yes'/>", NULL, &file);
    struct net net = {.version = 4, .bits = 32, .address = 0x0a000007};
    struct nets own = {&net, 1};
    struct matcher *matcher = matcher_new(rules, &own);

    (void)state;
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        struct flow flow;

        assert_int_equal(flow_parse(packets[i].packet, &flow, NULL), 0);
        if (evaluate(rules, &own, NULL, flow.direction, &flow.packet, 0).drop != packets[i].drop)
            fail_msg("%s", packets[i].packet);
        assert_int_equal(matcher_judge(matcher, flow.direction, &flow.packet, 0).drop, packets[i].drop);
    }
    assert_int_equal(matcher_spoofed(matcher), 2);
    matcher_free(matcher);
    ruleset_free(rules);
    filter_file_free(file);
}

static void compare(const char *body, const struct ruleset *rules, uint64_t *seed)
{
    struct matcher *matcher = matcher_new(rules, NULL);
    struct limits limits = limits_init(rules);

    for (int i = 0; i < PACKETS; i++) {
        enum sd_direction d = (enum sd_direction)random_below(seed, 2);
        struct packet packet;
        struct verdict slow, fast;

        random_packet(seed, &packet);
        slow = evaluate(rules, NULL, &limits, d, &packet, i * 50);
        fast = matcher_judge(matcher, d, &packet, i * 50);
        if (slow.drop != fast.drop || slow.by != fast.by || slow.rule != fast.rule)
            fail_msg("%s", body);
    }
    limits_free(&limits);
    matcher_free(matcher);
}

static void the_matcher_is_the_same(void **state)
{
    (void)state;
    random_files(SETS, 5012050124, 14, compare);
}

/* --- texts --- */

static void wrong_packets_say_what_was_expected(void **state)
{
    static const struct {
        const char *text, *expected;
    } wrong[] = {
        {"", "expected PROTOCOL ADDRESS"},
        {"tcp 10.0.0.7 > 10.0.0.8:1", "'10.0.0.7': expected ADDRESS:PORT"},
        {"icmp 10.0.0.7:1 > 10.0.0.8", "only tcp and udp have ports"},
        {"tcp 10.0.0.7:1 10.0.0.8:1", "expected: PROTOCOL"},
        {"tcp 10.0.0.7:99999 > 10.0.0.8:1", "a port from 0 to 65535"},
        {"tcp host:1 > 10.0.0.8:1", "'host': expected an IPv4 or IPv6 address"},
        {"tcp 10.0.0.0/8:1 > 10.0.0.8:1", "expected an IPv4 or IPv6 address"},
        {"tcp [fe80::1:1 > [fe80::2]:1", "expected [ADDRESS]:PORT"},
        {"tcp [fe80::1]:1 > 10.0.0.8:1", "one address is of IPv4"},
        {"any 10.0.0.7 > 10.0.0.8", "one protocol, not any"},
        {"qtp 10.0.0.7 > 10.0.0.8", "'qtp': expected any, tcp"},
        {"sideways", "'sideways': expected ipv4"},
        {"tcp 10.0.0.7:1 > 10.0.0.8:1 flags", "flags: expected fin"},
        {"udp 10.0.0.7:1 > 10.0.0.8:1 flags syn", "'flags': expected the end"},
        {"tcp 10.0.0.7:1 > 10.0.0.8:1 flags ece", "'ece': expected fin"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct err err = ERR_INIT;
        struct flow flow;

        assert_int_equal(flow_parse(wrong[i].text, &flow, &err), -1);
        if (!strstr(err.text, wrong[i].expected))
            fail_msg("'%s' says '%s'", wrong[i].text, err.text);
    }
}

static void what_is_written_is_read(void **state)
{
    uint64_t seed = 42;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct buf text = buf_init(1000), again = buf_init(1000);
        struct packet packet;
        struct flow flow;

        random_packet(&seed, &packet);
        if (packet.version == 0 || (packet.protocol == 6) != packet.has_flags ||
            (packet.protocol == 17 && !packet.has_ports))
            continue;
        packet_text(&packet, &text);
        assert_int_equal(flow_parse(buf_str(&text), &flow, NULL), 0);
        packet.tcp_flags = packet.has_flags && packet.tcp_flags == 0 ? 2 : packet.tcp_flags;
        flow.packet.tcp_flags = packet.tcp_flags;
        packet_text(&flow.packet, &again);
        assert_true(strncmp(buf_str(&again), buf_str(&text), text.len) == 0);
        buf_free(&text);
        buf_free(&again);
    }
}

static void explanations_show_both_ways(void **state)
{
    static const char body[] =
        "<policy default-out='pass'/>"
        "<filter name='smb' protocol='tcp' remote-ports='445' direction='out' count='yes'/>";
    struct filter_file *file;
    struct ruleset *rules = rules_of(body, NULL, &file);
    struct explanation explanation;
    struct buf text = buf_init(4000);
    struct flow flow;
    struct net net = {.version = 4, .bits = 32, .address = 0x0a010109};
    struct nets own = {&net, 1};

    (void)state;
    assert_int_equal(flow_parse("tcp 10.0.0.7:51234 > 10.1.1.9:445", &flow, NULL), 0);
    explain(rules, NULL, &flow, &explanation);
    explanation_text(&explanation, rules, &text);
    assert_string_equal(
        buf_str(&text),
        "packet  out tcp 10.0.0.7:51234 > 10.1.1.9:445 flags syn\n"
        "         passed by rule 'smb' (t.xml:1)\n"
        "         fits 'smb': Passes TCP from this host to port 445 of any address; counts them.\n"
        "answer  in  tcp 10.1.1.9:445 > 10.0.0.7:51234 flags syn ack\n"
        "         dropped by default: no rule fits\n");
    explanation_clear(&explanation);
    explain(rules, &own, &flow, &explanation);
    assert_int_equal(explanation.there.flow.direction, SD_RX);
    explanation_clear(&explanation);
    buf_free(&text);
    ruleset_free(rules);
    filter_file_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drop_beats_pass_and_the_default_comes_last),
        cmocka_unit_test(a_rule_fits_what_it_says),
        cmocka_unit_test(limits_hold_for_a_second),
        cmocka_unit_test(false_sources_are_dropped_on_their_way_out),
        cmocka_unit_test(the_matcher_is_the_same),
        cmocka_unit_test(wrong_packets_say_what_was_expected),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(explanations_show_both_ways),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
