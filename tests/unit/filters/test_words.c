#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "filters/words.h"

static void addresses_say(const char *text, struct names *names, const char *expected)
{
    struct nets nets = {0};
    struct err err = ERR_INIT;
    bool any;

    if (words_addresses(text, names, &any, &nets, &err) == 0)
        fail_msg("'%s' was taken", text);
    if (!strstr(err.text, expected))
        fail_msg("'%s' does not say '%s'", err.text, expected);
    nets_free(&nets);
}

static void wrong_addresses_say_what_was_expected(void **state)
{
    (void)state;
    addresses_say("", NULL, "expected any or at least one address");
    addresses_say("10.0.0.5/8", NULL, "the network is 10.0.0.0/8");
    addresses_say("10.0.0.0/33", NULL, "up to 32");
    addresses_say("10.0.0.0/255.0.255.0", NULL, "ones followed by zeros");
    addresses_say("fe80::/255.0.0.0", NULL, "up to 128");
    addresses_say("10.0.0.9-10.0.0.1", NULL, "FIRST-LAST");
    addresses_say("10.0.0.1-fe80::1", NULL, "FIRST-LAST");
    addresses_say("any 10.0.0.1", NULL, "any stands alone");
    addresses_say("300.1.1.1", NULL, "expected any, @name");
    addresses_say("@", NULL, "a name behind the '@'");
    addresses_say("@a;b", NULL, "a name behind the '@'");
    addresses_say("pc;rm", NULL, "a host name");
}

static int resolve(void *arg, const char *host, struct buf *addresses, struct err *err)
{
    (void)arg;
    if (strcmp(host, "files.example.com") != 0)
        return err_set(err, CAUSE_NAME_UNKNOWN, "host name '%s' has no address", host);
    buf_puts(addresses, "10.0.0.9 2001:db8::9");
    return 0;
}

static void names_are_bound(void **state)
{
    struct names *names = names_new();
    struct nets nets = {0};
    struct ranges ranges = {0};
    struct buf text = buf_init(1000);
    const char *name, *address;
    bool any;

    (void)state;
    addresses_say("@management", names, "@management is not set");
    addresses_say("files.example.com", names, "names are not looked up here");
    names_set_resolver(names, resolve, NULL);
    addresses_say("other.example.com", names, "has no address");
    assert_int_equal(names_set_text(names, "management-server=10.0.0.5, fe80::5", NULL), 0);
    assert_int_equal(names_set_text(names, "web=80,443", NULL), 0);
    assert_int_equal(names_set(names, "loop", "@loop", NULL), -1);
    assert_int_equal(names_set(names, "empty", " ", NULL), -1);
    assert_int_equal(names_set_text(names, "nothing", NULL), -1);
    assert_int_equal(words_addresses("@management files.example.com", names, &any, &nets, NULL), 0);
    for (size_t i = 0; i < nets.count; i++) {
        net_text(&nets.items[i], &text);
        buf_putc(&text, ' ');
    }
    assert_string_equal(buf_str(&text), "10.0.0.5 10.0.0.9 2001:db8::9 fe80::5 ");
    assert_int_equal(words_ports("@web", names, &ranges, NULL), 0);
    assert_int_equal(ranges.count, 2);
    assert_false(names_placeholder(names, 0, &name, &address));
    names_use_placeholders(names);
    assert_string_equal(names_get_or_placeholder(names, "dns"), "192.0.2.1");
    assert_string_equal(names_get_or_placeholder(names, "dns-server"), "192.0.2.1");
    assert_string_equal(names_get_or_placeholder(names, "gateway"), "192.0.2.2");
    assert_true(names_placeholder(names, 1, &name, &address));
    assert_string_equal(name, "gateway");
    buf_free(&text);
    nets_free(&nets);
    ranges_free(&ranges);
    names_free(names);
}

static void single_words(void **state)
{
    uint16_t ethertype;
    uint8_t on, off;
    int protocol;

    (void)state;
    assert_int_equal(words_ethertype("arp", &ethertype, NULL), 0);
    assert_int_equal(ethertype, 0x0806);
    assert_int_equal(words_ethertype("0x88CC", &ethertype, NULL), 0);
    assert_int_equal(ethertype, 0x88cc);
    assert_int_equal(words_ethertype("0x88", &ethertype, NULL), -1);
    assert_int_equal(words_ethertype("1500", &ethertype, NULL), -1);
    assert_int_equal(words_ethertype("0xzzzz", &ethertype, NULL), -1);
    assert_int_equal(words_protocol("esp", &protocol, NULL), 0);
    assert_int_equal(protocol, 50);
    assert_int_equal(words_protocol("256", &protocol, NULL), -1);
    assert_int_equal(words_tcp_flags("syn,!ack", &on, &off, NULL), 0);
    assert_int_equal(on, 2);
    assert_int_equal(off, 16);
    assert_int_equal(words_tcp_flags("syn !syn", &on, &off, NULL), -1);
    assert_int_equal(words_tcp_flags("", &on, &off, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_addresses_say_what_was_expected),
        cmocka_unit_test(names_are_bound),
        cmocka_unit_test(single_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
