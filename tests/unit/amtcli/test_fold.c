#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtcli/fold.h"

static json_t *fold_plain(const json_t *rows)
{
    return fold_results(rows, NULL);
}

static json_t *fold_clocks(const json_t *rows)
{
    static const struct column also[] = {{"OFF", "detail.off"}, {NULL}};

    return fold_results(rows, also);
}

static void check(json_t *(*fold)(const json_t *rows), const char *in, const char *out)
{
    json_t *rows = json_loads(in, 0, NULL), *wanted = json_loads(out, 0, NULL), *got = fold(rows);
    char *text = json_dumps(got, JSON_SORT_KEYS);

    assert_non_null(rows);
    assert_non_null(wanted);
    if (!json_equal(got, wanted))
        fail_msg("%s became %s", in, text);
    free(text);
    json_decref(rows);
    json_decref(wanted);
    json_decref(got);
}

static void equal_results_share_a_row(void **state)
{
    (void)state;
    check(fold_plain, "[]", "[]");
    check(fold_plain,
          "[{\"host\":\"pc1\",\"result\":\"ok\",\"to\":\"on\",\"seconds\":1.5,\"message\":\"a\"},"
          "{\"host\":\"pc3\",\"result\":\"failed\",\"cause\":\"busy\",\"seconds\":9},"
          "{\"host\":\"pc2\",\"result\":\"ok\",\"to\":\"on\",\"seconds\":2.5,\"message\":\"b\"},"
          "{\"host\":\"pc4\",\"result\":\"ok\",\"to\":\"off\",\"seconds\":1}]",
          "[{\"host\":\"pc[1-2]\",\"result\":\"ok\",\"to\":\"on\",\"seconds\":2.5,\"message\":\"a\","
          "\"count\":2},"
          "{\"host\":\"pc3\",\"result\":\"failed\",\"cause\":\"busy\",\"seconds\":9,\"count\":1},"
          "{\"host\":\"pc4\",\"result\":\"ok\",\"to\":\"off\",\"seconds\":1,\"count\":1}]");
}

/* A value of one field never passes for that of its neighbour. */
static void fields_do_not_mix(void **state)
{
    (void)state;
    check(fold_plain, "[{\"host\":\"a\",\"from\":\"on\"},{\"host\":\"b\",\"to\":\"on\"}]",
          "[{\"host\":\"a\",\"from\":\"on\",\"count\":1},{\"host\":\"b\",\"to\":\"on\",\"count\":1}]");
}

static void what_is_shown_tells_apart(void **state)
{
    (void)state;
    check(
        fold_clocks,
        "[{\"host\":\"a1\",\"detail\":{\"off\":1,\"x\":1}},{\"host\":\"a2\",\"detail\":{\"off\":1,\"x\":2}},"
        "{\"host\":\"a3\",\"detail\":{\"off\":2,\"x\":1}}]",
        "[{\"host\":\"a[1-2]\",\"detail\":{\"off\":1,\"x\":1},\"count\":2},"
        "{\"host\":\"a3\",\"detail\":{\"off\":2,\"x\":1},\"count\":1}]");
}

static void most_frequent_cause_first(void **state)
{
    (void)state;
    check(fold_causes,
          "[{\"host\":\"a1\",\"cause\":\"x-new\",\"hint\":\"h\"},{\"host\":\"b\",\"result\":\"ok\"},"
          "{\"host\":\"c2\",\"cause\":\"y-new\",\"hint\":\"\"},{\"host\":\"c1\",\"cause\":\"y-new\",\"hint\":"
          "\"\"},"
          "{\"host\":\"d\",\"cause\":\"a-new\",\"hint\":\"i\"}]",
          "[{\"cause\":\"y-new\",\"hint\":\"\",\"count\":2,\"hosts\":\"c[1-2]\"},"
          "{\"cause\":\"a-new\",\"hint\":\"i\",\"count\":1,\"hosts\":\"d\"},"
          "{\"cause\":\"x-new\",\"hint\":\"h\",\"count\":1,\"hosts\":\"a1\"}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_results_share_a_row),
        cmocka_unit_test(fields_do_not_mix),
        cmocka_unit_test(what_is_shown_tells_apart),
        cmocka_unit_test(most_frequent_cause_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
