#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "filters/words.h"

static void list(const char *text, const char *expected)
{
    struct nets nets = {0};
    struct buf out = buf_init(4000);
    struct err err = ERR_INIT;
    bool any;

    if (words_addresses(text, NULL, &any, &nets, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    for (size_t i = 0; i < nets.count; i++) {
        if (i)
            buf_putc(&out, ' ');
        net_text(&nets.items[i], &out);
    }
    assert_string_equal(buf_str(&out), expected);
    buf_free(&out);
    nets_free(&nets);
}

static void the_fewest_networks_of_the_same_addresses(void **state)
{
    (void)state;
    list("10.0.0.0/25 10.0.0.128/25", "10.0.0.0/24");
    list("10.0.0.0/26,10.0.0.64/26,10.0.0.128/25", "10.0.0.0/24");
    list("10.0.0.128/25 10.0.1.0/25", "10.0.0.128/25 10.0.1.0/25");
    list("10.0.0.5 10.0.0.0/8 10.0.0.5", "10.0.0.0/8");
    list("10.0.0.1-10.0.0.6", "10.0.0.1 10.0.0.2/31 10.0.0.4/31 10.0.0.6");
    list("0.0.0.0-255.255.255.255", "0.0.0.0/0");
    list("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0");
    list("255.255.255.254-255.255.255.255", "255.255.255.254/31");
    list("fe80::/11 fea0::/11 10.0.0.1", "10.0.0.1 fe80::/10");
    list("0.0.0.0/1 128.0.0.0/1", "0.0.0.0/0");
    list("10.0.0.0/255.255.255.0", "10.0.0.0/24");
}

static void ports_are_joined(void **state)
{
    struct ranges ranges = {0};
    struct buf out = buf_init(1000);

    (void)state;
    assert_int_equal(words_ports("90-100,80 81-82, 95-110 65535", NULL, &ranges, NULL), 0);
    ranges_text(&ranges, &out);
    assert_string_equal(buf_str(&out), "80-82,90-110,65535");
    assert_true(ranges_hold(&ranges, 110));
    assert_false(ranges_hold(&ranges, 111));
    buf_free(&out);
    ranges_free(&ranges);
}

static void a_hull_holds_both(void **state)
{
    struct net a = {.version = 4, .bits = 24, .address = 0x0a010000};
    struct net b = {.version = 4, .bits = 24, .address = 0x0a010300};
    struct net hull = net_hull(&a, &b);

    (void)state;
    assert_int_equal(hull.bits, 22);
    assert_true(net_contains(&hull, &a) && net_contains(&hull, &b));
    b = (struct net){.version = 4, .bits = 8, .address = 0x0a000000};
    assert_int_equal(net_hull(&a, &b).bits, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fewest_networks_of_the_same_addresses),
        cmocka_unit_test(ports_are_joined),
        cmocka_unit_test(a_hull_holds_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
