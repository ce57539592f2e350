#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/fleet/task_args.h"

struct args {
    int action;
    bool gently;
    int64_t limit_ms;
    uint32_t index;
    char url[16];
};

static const char *const actions[] = {"on", "off", NULL};
static const struct task_arg table[] = {
    {"action", TASK_ARG_NAME, offsetof(struct args, action), true, .names = actions},
    {"gently", TASK_ARG_BOOL, offsetof(struct args, gently)},
    {"limit_ms", TASK_ARG_MS, offsetof(struct args, limit_ms), .min = 10, .max = 1000},
    {"index", TASK_ARG_U32, offsetof(struct args, index), .min = 0, .max = 9},
    {"url", TASK_ARG_TEXT, offsetof(struct args, url), .size = 16},
    {NULL},
};

static void reads_what_is_right(void **state)
{
    struct args args = {0};
    struct err err = ERR_INIT;
    json_t *json = json_pack("{s:s, s:b, s:i, s:i, s:s}", "action", "off", "gently", 1, "limit_ms", 500,
                             "index", 7, "url", "http://a/");

    (void)state;
    assert_int_equal(task_args_read(table, json, &args, &err), 0);
    assert_int_equal(args.action, 1);
    assert_true(args.gently);
    assert_int_equal(args.limit_ms, 500);
    assert_int_equal(args.index, 7);
    assert_string_equal(args.url, "http://a/");
    json_decref(json);
}

static void names_every_mistake(void **state)
{
    static const char *const expected[] = {"'action' is missing",
                                           "'gently' must be true or false",
                                           "'limit_ms' must be a whole number from 10 to 1000",
                                           "'index' must be",
                                           "'url' must be text of at most 15 bytes",
                                           "'colour' is not an argument"};
    struct args args = {0};
    struct err err = ERR_INIT;
    json_t *json = json_pack("{s:i, s:i, s:s, s:s, s:s}", "gently", 1, "limit_ms", 5, "index", "7", "url",
                             "http://example.com/long", "colour", "red");

    (void)state;
    assert_int_equal(task_args_read(table, json, &args, &err), -1);
    assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        if (!strstr(err.text, expected[i]))
            fail_msg("'%s' does not say \"%s\"", err.text, expected[i]);
    json_decref(json);
    json = json_pack("{s:s}", "action", "onn");
    assert_int_equal(task_args_read(table, json, &args, &err), -1);
    assert_non_null(strstr(err.text, "'action' must be one of on, off"));
    json_decref(json);
    json = json_array();
    assert_int_equal(task_args_read(table, json, &args, &err), -1);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_right),
        cmocka_unit_test(names_every_mistake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
