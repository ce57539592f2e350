#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "amtd/discover/addrset.h"

static struct addrset *set_of(const char *const *words, struct err *err)
{
    struct addrset *set = addrset_new();
    int status = 0;

    for (; status == 0 && *words; words++)
        status = addrset_add(set, *words, err);
    if (status == 0 && addrset_finish(set, err) == 0)
        return set;
    addrset_free(set);
    return NULL;
}

static size_t count_of(const char *a, const char *b)
{
    const char *const words[] = {a, b, NULL};
    struct err err = ERR_INIT;
    struct addrset *set = set_of(words, &err);
    size_t n = set ? addrset_count(set) : 0;

    addrset_free(set);
    return n;
}

static void understands_all_forms(void **state)
{
    (void)state;
    assert_int_equal(count_of("127.16.0.0/21", NULL), 2048);
    assert_int_equal(count_of("127.16.5.9/21", "127.16.0.0/22"), 2048);
    assert_int_equal(count_of("10.0.0.1/32", NULL), 1);
    assert_int_equal(count_of("10.0.0.1-10.0.3.255", NULL), 1023);
    assert_int_equal(count_of("10.0.0.1-99", NULL), 99);
    assert_int_equal(count_of("10.0.[0-3].[1-254]", NULL), 4 * 254);
    assert_int_equal(count_of("10.0.0.0/24", "!10.0.0.128/25"), 128);
    assert_int_equal(count_of("!10.0.0.7", "10.0.0.0/24"), 255);
    assert_int_equal(count_of("223.255.255.0/24", NULL), 256);
    assert_int_equal(count_of("10.0.0.0/24,10.0.1.0/25", "10.0.2.[1,5], 10.0.3.1-9 ,10.0.4.1"),
                     256 + 128 + 2 + 9 + 1);
    assert_int_equal(count_of("10.0.0.0/24", "!10.0.0.0/25,10.0.0.128-129"), 126);
}

static void refuses_what_makes_no_sense(void **state)
{
    static const char *const bad[] = {"10.0.0.0/33",
                                      "10.0.0/8",
                                      "10.0.0.0/",
                                      "10.0.0.0/x",
                                      "10.0.0.9-1",
                                      "fe80::1",
                                      "10.0.0.256",
                                      "name",
                                      "",
                                      "/8",
                                      "0.0.0.0/0",
                                      "10.0.0.1-10.1",
                                      "10.0.0.1-x",
                                      "!10.0.0.1",
                                      "10.0.0.0/8",
                                      "0.0.0.0",
                                      "224.0.0.0/24",
                                      "255.255.255.255",
                                      "2001:db8::/64",
                                      "[::1]",
                                      "10.0.0.1,10.0.0.0/33"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(count_of(bad[i], NULL), 0);
    assert_int_equal(count_of("10.0.0.0/24", "!10.0.0.0/24"), 0);
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *word, *text;
    } rows[] = {{"10.0.0.0/8", "at most 4096 subnets of 256 addresses, as many as a /12 has"},
                {"0.0.0.0/1", "in parts"},
                {"2001:db8::/64", "IPv4 addresses only"},
                {"224.0.0.1", "no addresses of machines"},
                {"10.0.0.0/24,10.0.1.0/240", "'10.0.1.0/240': expected ADDRESS/LENGTH"}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const words[] = {rows[i].word, NULL};
        struct err err = ERR_INIT;

        assert_null(set_of(words, &err));
        assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
        assert_non_null(strstr(err.text, rows[i].text));
    }
}

/* Every address comes once, from any cursor on; those of one subnet never one after the other while there are
 * several. */
static void goes_through_all_of_them_spread_out(void **state)
{
    static const char *const words[] = {"127.16.0.0/22", "10.9.8.7", "!127.16.1.0/25", NULL};
    struct err err = ERR_INIT;
    struct addrset *set = set_of(words, &err);
    size_t seen = 0, slots = addrset_slots(set);
    uint8_t *times = calloc(1, slots);
    uint64_t cursor = 0;
    uint32_t address, last = 0;

    (void)state;
    assert_int_equal(addrset_count(set), 1024 - 128 + 1);
    assert_int_equal(addrset_breadth(set, 0),
                     3); /* .0 of three subnets; 10.9.8.0 and 127.16.1.0 are not in */
    for (; addrset_next(set, &cursor, &address); cursor++, seen++) {
        uint32_t back;

        assert_true(addrset_contain(set, address));
        assert_true(addrset_slot_address(set, addrset_slot(set, address), &back));
        assert_int_equal(back, address);
        times[addrset_slot(set, address)]++;
        assert_int_not_equal(address >> 8, last >> 8);
        last = address;
    }
    assert_int_equal(seen, addrset_count(set));
    for (size_t i = 0; i < slots; i++)
        assert_int_equal(times[i], addrset_slot_address(set, i, &address));
    assert_false(addrset_contain(set, 0x7F101001));
    assert_int_equal(addrset_breadth(set, cursor), 0);
    free(times);
    addrset_free(set);
}

static void leaves_numbers_alone_when_it_looks_up(void **state)
{
    struct buf out = buf_init(1000);
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(addrset_look_up("10.0.0.0/8", &out, &err), 0);
    assert_int_equal(addrset_look_up("localhost", &out, &err), 0);
    assert_string_equal(buf_str(&out), "10.0.0.0/8127.0.0.1");
    assert_int_equal(addrset_look_up("fe80::1", &out, &err), -1);
    assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(understands_all_forms),
        cmocka_unit_test(refuses_what_makes_no_sense),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(goes_through_all_of_them_spread_out),
        cmocka_unit_test(leaves_numbers_alone_when_it_looks_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
