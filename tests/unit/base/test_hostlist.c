#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hostlist.h"
#include "base/xalloc.h"

static char *fold_of(const char *text)
{
    struct err err = ERR_INIT;
    struct hostlist *list = hostlist_parse(text, &err);
    struct buf out = buf_init(1 << 20);

    if (!list)
        fail_msg("%s: %s", text, err.text);
    hostlist_fold(list, &out);
    hostlist_free(list);
    return buf_take(&out);
}

static void folds(void **state)
{
    static const char *const rows[][2] = {
        {"pc1", "pc1"},
        {"pc1,pc2,pc3", "pc[1-3]"},
        {"pc[001-120,130]", "pc[001-120,130]"},
        {"pc3,pc1,pc2,pc1", "pc[1-3]"},
        {"a[1-2]b[3-4]", "a[1-2]b[3-4]"},
        {"a1b3,a1b4,a2b3", "a1b[3-4],a2b3"},
        {"pc1,pc001", "pc001,pc1"},
        {"pc[8-11]", "pc[8-11]"},
        {"pc[098-101]", "pc[098-101]"},
        {"pc[1-10],!pc5", "pc[1-4,6-10]"},
        {"-pc[2-9] pc[1-10]", "pc[1,10]"},
        {"web,db", "db,web"},
        {"10.0.0.[1-3]", "10.0.0.[1-3]"},
        {"r[1-2]n[01-02]x[5-6]", "r[1-2]n[01-02]x[5-6]"},
        {"pc10,pc9,other", "other,pc[9-10]"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *folded = fold_of(rows[i][0]);

        assert_string_equal(folded, rows[i][1]);
        free(folded);
    }
}

static void mistakes_name_the_column(void **state)
{
    static const char *const rows[][2] = {
        {"pc[1-", "column 3"},    {"pc[a]", "column 4: expected a number"},
        {"pc[5-2]", "counts up"}, {"pc[1-2", "']'"},
        {"!", "a host name"},     {"p c$", "column 4"},
        {"pc[1-2]]", "column 8"}, {"pc[0-99999999]", "at most 1000000"},
        {"a[1,,2]", "a number"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = ERR_INIT;

        assert_null(hostlist_parse(rows[i][0], &err));
        assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
        if (!strstr(err.text, rows[i][1]))
            fail_msg("%s: '%s' does not say '%s'", rows[i][0], err.text, rows[i][1]);
    }
}

static void too_many_is_an_error(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_null(hostlist_parse("a[1-2000]b[1-2000]", &err));
    assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
}

/* One name, made a hundred to the eighth times. */
static void the_same_again_and_again_ends(void **state)
{
    struct err err = ERR_INIT;
    struct buf text = buf_init(4096);

    (void)state;
    buf_putc(&text, 'a');
    for (int group = 0; group < 8; group++)
        for (int i = 0; i <= 100; i++)
            buf_puts(&text, i == 0 ? "[1" : i == 100 ? "]" : ",1");
    assert_null(hostlist_parse(buf_str(&text), &err));
    assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    buf_free(&text);
}

static void addresses(void **state)
{
    static const char *const good[] = {"10.0.0.7", "fe80::1", "pc7", "pc7.example.com", "10-0-0-7", "7up"};
    static const char *const bad[] = {"",          "300.1.1.1", "1.2.3", "fe80::zz",
                                      "pc7:16992", "zz zz",     "-pc",   "10.0.0.7."};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!hostlist_is_address(good[i]))
            fail_msg("'%s' is refused", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (hostlist_is_address(bad[i]))
            fail_msg("'%s' is taken", bad[i]);
}

/* Random sets of names: folding and parsing gives the set back. */
static void fold_then_parse_is_the_same_set(void **state)
{
    unsigned seed = 7;

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct hostlist *list = hostlist_new(), *again;
        struct buf out = buf_init(1 << 20);

        for (int i = 0; i < 60; i++) {
            char *name;

            seed = seed * 1103515245u + 12345u;
            switch ((seed >> 8) % 6) {
            case 0:
                name = xasprintf("n%u", (seed >> 16) % 130);
                break;
            case 1:
                name = xasprintf("n%03u", (seed >> 16) % 130);
                break;
            case 2:
                name = xasprintf("r%un%u", (seed >> 16) % 4, (seed >> 20) % 12);
                break;
            case 3:
                name = xasprintf("r%un%02u-e", (seed >> 16) % 4, (seed >> 20) % 12);
                break;
            case 4:
                name = xasprintf("%u", (seed >> 16) % 300);
                break;
            default:
                name = xasprintf("x%uy%uz%u", (seed >> 16) % 3, (seed >> 19) % 3, (seed >> 22) % 3);
            }
            assert_int_equal(hostlist_add(list, name, NULL), 0);
            free(name);
        }
        hostlist_fold(list, &out);
        again = hostlist_parse(buf_str(&out), NULL);
        assert_non_null(again);
        assert_int_equal(hostlist_count(again), hostlist_count(list));
        for (size_t i = 0; i < hostlist_count(list); i++)
            assert_true(hostlist_contains(again, hostlist_name(list, i)));
        hostlist_free(again);
        hostlist_free(list);
        buf_free(&out);
    }
}

static void order_is_natural(void **state)
{
    (void)state;
    assert_true(hostlist_compare_names("pc2", "pc10") < 0);
    assert_true(hostlist_compare_names("pc10", "pc10") == 0);
    assert_true(hostlist_compare_names("pc1", "pc001") != 0);
    assert_true(hostlist_compare_names("a", "ab") < 0);
    assert_true(hostlist_compare_names("pc99999999999999999999", "pc100000000000000000000") < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds),
        cmocka_unit_test(mistakes_name_the_column),
        cmocka_unit_test(too_many_is_an_error),
        cmocka_unit_test(the_same_again_and_again_ends),
        cmocka_unit_test(addresses),
        cmocka_unit_test(fold_then_parse_is_the_same_set),
        cmocka_unit_test(order_is_natural),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
