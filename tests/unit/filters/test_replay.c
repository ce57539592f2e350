/* tests/data/filters/sample.pcapng: the host 10.0.0.7 asks for addresses (ARP, DHCP), talks to 10.0.0.5:443
 * three times and to five web servers, and is pinged 30 times in 30 ms; a packet between others and a frame
 * cut short end it. raw.pcap: the IP packets of it, without a link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xml.h"
#include "filters/replay.h"
#include "filters/words.h"
#include "tests/unit/filters/text_file.h"

#define SAMPLE TEST_DATA "/filters/sample.pcapng"
#define RAW    TEST_DATA "/filters/raw.pcap"

static const char body[] = "<filter name='arp' ethertype='arp'/>"
                           "<filter name='dhcp' ip='4' protocol='udp' local-ports='68' remote-ports='67'/>"
                           "<filter name='server' remote='10.0.0.5'/>"
                           "<filter name='ping' protocol='icmp' action='limit' rate='10'/>";

static void run(const char *path, const char *host, const char *lost, struct replay *out)
{
    struct filter_file *file;
    struct ruleset *rules = rules_of(body, NULL, &file);
    struct nets own = {0};
    struct err err = ERR_INIT;
    bool any;

    if (host)
        assert_int_equal(words_addresses(host, NULL, &any, &own, NULL), 0);
    if (replay_capture(rules, path, &own, lost, out, &err) != 0)
        fail_msg("%s", err.text);
    nets_free(&own);
    ruleset_free(rules);
    filter_file_free(file);
}

static void check_counts(const struct replay *replay)
{
    assert_int_equal(replay->packets, 52);
    assert_int_equal(replay->others, 2);
    assert_int_equal(replay->ways[SD_TX].packets, 10);
    assert_int_equal(replay->ways[SD_RX].packets, 40);
    assert_int_equal(replay->ways[SD_TX].dropped, 5);
    assert_int_equal(replay->ways[SD_RX].dropped, 25);
    assert_int_equal(replay->ways[SD_TX].by_default, 5);
    assert_int_equal(replay->rules[2].hits[SD_TX], 3);
    assert_int_equal(replay->rules[3].hits[SD_RX], 30);
    assert_int_equal(replay->rules[3].drops[SD_RX], 20);
}

static void packets_are_counted_by_rule(void **state)
{
    struct replay replay;

    (void)state;
    run(SAMPLE, "10.0.0.7", NULL, &replay);
    check_counts(&replay);
    assert_false(replay.host_guessed);
    assert_string_equal(buf_str(&replay.host), "02:00:00:00:00:07");
    replay_clear(&replay);
}

static void the_host_is_guessed(void **state)
{
    struct replay replay;

    (void)state;
    run(SAMPLE, NULL, NULL, &replay);
    check_counts(&replay);
    assert_true(replay.host_guessed);
    replay_clear(&replay);
    run(RAW, NULL, NULL, &replay);
    assert_string_equal(buf_str(&replay.host), "10.0.0.7");
    assert_int_equal(replay.ways[SD_RX].packets, 39);
    replay_clear(&replay);
}

static void cooked_captures_say_the_direction(void **state)
{
    static const char *const paths[] = {TEST_DATA "/filters/cooked.pcap", TEST_DATA "/filters/cooked2.pcap"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct replay replay;

        run(paths[i], NULL, NULL, &replay);
        assert_false(replay.host_guessed);
        assert_int_equal(replay.packets, 9);
        assert_int_equal(replay.others, 1);
        assert_int_equal(replay.ways[SD_TX].packets, 3);
        assert_int_equal(replay.ways[SD_RX].packets, 5);
        assert_int_equal(replay.rules[2].hits[SD_RX], 2);
        replay_clear(&replay);
    }
}

static void lost_packets_are_written(void **state)
{
    char path[] = "/tmp/test_replay.XXXXXX";
    int fd = mkstemp(path);
    struct replay replay;

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    run(SAMPLE, NULL, path, &replay);
    replay_clear(&replay);
    run(path, "10.0.0.7", NULL, &replay);
    assert_int_equal(replay.packets, 30);
    assert_int_equal(replay.others, 0);
    assert_int_equal(replay.ways[SD_TX].dropped, 5);
    replay_clear(&replay);
    unlink(path);
}

static void what_cannot_be_read_is_said(void **state)
{
    static const char *const paths[] = {"/nonexistent.pcap", TEST_DATA "/filters/good/all.xml"};
    struct filter_file *file;
    struct ruleset *rules = rules_of(body, NULL, &file);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct err err = ERR_INIT;
        struct replay replay;

        assert_int_equal(replay_capture(rules, paths[i], NULL, NULL, &replay, &err), -1);
        assert_non_null(strstr(err.text, paths[i]));
        replay_clear(&replay);
        assert_int_equal(replay_capture(rules, SAMPLE, NULL, SAMPLE, &replay, &err), -1);
        assert_non_null(strstr(err.text, "is the capture itself"));
        replay_clear(&replay);
    }
    ruleset_free(rules);
    filter_file_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_counted_by_rule),       cmocka_unit_test(the_host_is_guessed),
        cmocka_unit_test(cooked_captures_say_the_direction), cmocka_unit_test(lost_packets_are_written),
        cmocka_unit_test(what_cannot_be_read_is_said),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
