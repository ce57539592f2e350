/* Declared configurations: what they become, and every mistake with its place. */
#include "amtd/fleet/declaration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct declaration *read_text(const char *text, json_t **mistakes)
{
    return declaration_read("fallback", text, strlen(text), mistakes);
}

static void whole(void **state)
{
    static const char text[] = "name: lab\n"
                               "description: the machines of the lab\n"
                               "network: {host-name: own, domain: Lab.example, ping: no, ipv4: static,\n"
                               "  address: own, mask: 255.255.0.0, gateway: 10.0.0.1}\n"
                               "wireless: {state: awake, link-policy: [sx-ac, s0-ac]}\n"
                               "redirection: {sol: on, kvm: off, kvm-session: 600s}\n"
                               "consent: {required: kvm, screen-timeout: 2m}\n"
                               "clock: {within: 90}\n";
    json_t *mistakes, *json;
    struct declaration *d = read_text(text, &mistakes);

    (void)state;
    assert_int_equal(json_array_size(mistakes), 0);
    assert_string_equal(d->name, "lab");
    assert_string_equal(d->values[SETTING_HOST_NAME], "own");
    assert_string_equal(d->values[SETTING_DOMAIN], "Lab.example");
    assert_string_equal(d->values[SETTING_PING], "off");
    assert_string_equal(d->values[SETTING_MASK], "255.255.0.0");
    assert_string_equal(d->values[SETTING_WIRELESS], "awake");
    assert_string_equal(d->values[SETTING_LINK_POLICY], "s0-ac,sx-ac");
    assert_string_equal(d->values[SETTING_KVM_SESSION], "10m");
    assert_string_equal(d->values[SETTING_SCREEN_TIMEOUT], "120s");
    assert_string_equal(d->values[SETTING_CLOCK], "90s");
    assert_null(d->values[SETTING_IDER]);
    assert_int_equal(strlen(d->hash), 64);
    json = declaration_json(d);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json, "settings"), "network.ping")),
                        "off");
    json_decref(json);
    json_decref(mistakes);
    declaration_free(d);
}

static void ipv6_and_vlan(void **state)
{
    static const char *const vlans[][2] = {{"off", "off"},   {"no", "off"}, {"1", "1"},
                                           {"4094", "4094"}, {"0", NULL},   {"4095", NULL}};
    static const char text[] = "network: {ipv6: on, ipv6-address: 2001:DB8:0:0::7, ipv6-router: fe80::1,\n"
                               "  ipv6-dns: none, vlan: 120}\n";
    json_t *mistakes;
    struct declaration *d = read_text(text, &mistakes);

    (void)state;
    assert_int_equal(json_array_size(mistakes), 0);
    assert_string_equal(d->values[SETTING_IPV6_ADDRESS], "2001:db8::7");
    assert_string_equal(d->values[SETTING_IPV6_ROUTER], "fe80::1");
    assert_string_equal(d->values[SETTING_IPV6_DNS], "none");
    assert_string_equal(d->values[SETTING_VLAN], "120");
    json_decref(mistakes);
    declaration_free(d);
    for (size_t i = 0; i < sizeof(vlans) / sizeof(vlans[0]); i++) {
        char file[64];

        snprintf(file, sizeof(file), "network: {vlan: %s}\n", vlans[i][0]);
        d = read_text(file, &mistakes);
        assert_int_equal(d != NULL, vlans[i][1] != NULL);
        if (d)
            assert_string_equal(d->values[SETTING_VLAN], vlans[i][1]);
        json_decref(mistakes);
        declaration_free(d);
    }
}

static void expect(const json_t *mistakes, size_t i, json_int_t line, json_int_t column, const char *says)
{
    const json_t *one = json_array_get(mistakes, i);
    const char *text = json_string_value(json_object_get(one, "text"));

    if (!text || !strstr(text, says) || json_integer_value(json_object_get(one, "line")) != line ||
        json_integer_value(json_object_get(one, "column")) != column)
        fail_msg("mistake %zu is %lld:%lld '%s', not %lld:%lld '%s'", i,
                 (long long)json_integer_value(json_object_get(one, "line")),
                 (long long)json_integer_value(json_object_get(one, "column")), text ? text : "none",
                 (long long)line, (long long)column, says);
}

static void all_mistakes_at_once(void **state)
{
    static const char text[] = "network:\n"
                               "  ipv4: static\n"
                               "  gateway: 1.2.3\n"
                               "  host-name: a_b\n"
                               "colour: red\n"
                               "consent: {required: maybe}\n"
                               "power: {idle-wake: 90s, in-sleep: sometimes}\n"
                               "wireless: {link-policy: s0-ac}\n";
    json_t *mistakes;

    (void)state;
    assert_null(read_text(text, &mistakes));
    assert_int_equal(json_array_size(mistakes), 8);
    expect(mistakes, 0, 3, 12, "expected an IPv4 address");
    expect(mistakes, 1, 4, 14, "expected a name");
    expect(mistakes, 2, 5, 1, "there is no 'colour'");
    expect(mistakes, 3, 6, 21, "one of none, kvm, all");
    expect(mistakes, 4, 7, 20, "whole minutes");
    expect(mistakes, 5, 7, 35, "true or false");
    expect(mistakes, 6, 8, 25, "expected a list");
    expect(mistakes, 7, 2, 9, "needs 'address' and 'mask'");
    json_decref(mistakes);
}

static void one_mistake(const char *text, const char *says)
{
    struct err err = ERR_INIT;
    json_t *mistakes;

    assert_null(read_text(text, &mistakes));
    declaration_complain("file", mistakes, &err);
    if (!strstr(err.text, says))
        fail_msg("'%s' does not say '%s'", err.text, says);
    json_decref(mistakes);
}

static void single_mistakes(void **state)
{
    (void)state;
    one_mistake("", "empty");
    one_mistake("- a\n", "names with values");
    one_mistake("name: x\n", "nothing is declared");
    one_mistake("network: {}\n", "nothing is declared");
    one_mistake("network: {ping: on, ping: off}\n", "twice");
    one_mistake("network: {ping: on}\nnetwork: {ping: off}\n", "twice");
    one_mistake("network: {mask: 255.0.0.0}\n", "goes with 'ipv4: static'");
    one_mistake("network: {ipv4: static, address: 10.0.0.1, mask: 255.0.255.0}\n", "is none");
    one_mistake("network: {domain: own}\nfoo: {\n", "YAML");
    one_mistake("name: 'a b'\nclock: {within: 1s}\n", "letters, digits");
    one_mistake("network: {host-name: a.b}\n", "expected a name");
    one_mistake("network: {domain: a..b}\n", "expected names");
    one_mistake("network: {ipv6-address: 2001:db8::7/64}\n", "without prefix length");
    one_mistake("network: {ipv6-address: 10.0.0.7}\n", "expected an IPv6 address");
    one_mistake("network: {ipv6-address: 'ff02::1'}\n", "expected an IPv6 address");
    one_mistake("network: {ipv6-address: 'fe80::7'}\n", "expected an IPv6 address");
    one_mistake("network: {ipv6-address: '::ffff:10.0.0.7'}\n", "expected an IPv6 address");
    one_mistake("network: {ipv6-dns: '::'}\n", "or 'none'");
    one_mistake("network: {ipv6-dns: own}\n", "expected an IPv6 address");
    one_mistake("network: {ipv6: off, ipv6-dns: 2001:db8::1}\n", "does not go with 'ipv6: off'");
    one_mistake("network: {vlan: on}\n", "a number from 1 to 4094, or 'off'");
}

/* The published schema is what the tables say. */
static void schema(void **state)
{
    json_t *now = declaration_schema(), *published = json_load_file(CONFIGURATION_SCHEMA, 0, NULL);

    (void)state;
    assert_non_null(published);
    assert_true(json_equal(now, published));
    json_decref(now);
    json_decref(published);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(ipv6_and_vlan),
        cmocka_unit_test(all_mistakes_at_once),
        cmocka_unit_test(single_mistakes),
        cmocka_unit_test(schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
