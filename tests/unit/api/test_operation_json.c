/* What happened to a host as a row: its detail as the text that it is, what became of filters beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/api/operation_json.h"
#include "base/buf.h"
#include "base/cause.h"
#include "base/xalloc.h"

/* As a caller gets it. */
static json_t *as_row(const struct operation *op, const char *result)
{
    struct rows *rows = rows_new(NULL);
    struct buf line = buf_init(10000);
    json_t *json, *row;

    rows_begin(rows);
    operation_write(rows, op, result);
    rows_end(rows);
    rows_take(rows, &line);
    json = json_loads(buf_str(&line), 0, NULL);
    assert_non_null(json);
    row = json_incref(json_object_get(json, "row"));
    json_decref(json);
    buf_free(&line);
    rows_free(rows);
    return row;
}

/* Written with ' for ". */
static json_t *wanted_json(const char *text)
{
    char *quoted = xstrdup(text);
    json_t *json;

    for (char *p = quoted; *p; p++)
        if (*p == '\'')
            *p = '"';
    json = json_loads(quoted, 0, NULL);
    assert_non_null(json);
    free(quoted);
    return json;
}

/* Takes both. */
static void assert_same(json_t *row, json_t *wanted)
{
    char *text = json_dumps(row, 0);

    if (!json_equal(row, wanted))
        fail_msg("%s", text);
    free(text);
    json_decref(row);
    json_decref(wanted);
}

static void all_there_is_to_say(void **state)
{
    static const struct {
        struct operation op;
        const char *result;
        const char *json;
    } cases[] = {
        {{.host = (char *)"pc1", .state = OPERATION_OK, .began_ms = 1000, .ended_ms = 1500, .tries = 2},
         NULL,
         "{'host': 'pc1', 'result': 'ok', 'from': null, 'to': null, 'seconds': 0.5, 'tries': 2}"},
        {{.state = OPERATION_OK, .from = (char *)"off", .to = (char *)"on", .message = (char *)"\"so\""},
         "skipped",
         "{'result': 'skipped', 'from': 'off', 'to': 'on', 'seconds': 0.0, 'tries': 0, 'remark': "
         "'\\'so\\''}"},
        {{.host = (char *)"pc1", .state = OPERATION_WAITING},
         NULL,
         "{'host': 'pc1', 'state': 'waiting', 'from': null, 'to': null, 'seconds': 0.0, 'tries': 0}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_same(as_row(&cases[i].op, cases[i].result), wanted_json(cases[i].json));
}

static void failures_are_explained(void **state)
{
    const struct operation op = {.state = OPERATION_FAILED,
                                 .cause = (char *)"unreachable",
                                 .code = (char *)"E1",
                                 .message = (char *)"slow"};
    json_t *row = as_row(&op, NULL);

    (void)state;
    assert_string_equal(json_string_value(json_object_get(row, "result")), "failed");
    assert_string_equal(json_string_value(json_object_get(row, "cause")), "unreachable");
    assert_string_equal(json_string_value(json_object_get(row, "code")), "E1");
    assert_non_null(strstr(json_string_value(json_object_get(row, "message")), ": slow"));
    assert_string_equal(json_string_value(json_object_get(row, "hint")), cause_hint(CAUSE_UNREACHABLE));
    json_decref(row);
}

static void details(void **state)
{
    static const struct {
        const char *detail;
        const char *json; /* of what stands behind `tries`; NULL: nothing */
    } cases[] = {
        {NULL, "{}"},
        {"{}", "{'detail': {}}"},
        {"{\"steps\":[{\"step\":\"a\",\"at_ms\":1}]}", "{'detail': {'steps': [{'step': 'a', 'at_ms': 1}]}}"},
        {"{\"filter\":{\"policy\":\"q\",\"state\":\"active\"}}",
         "{'policy': 'q', 'state': 'active', 'detail': {}}"},
        {"{\"filter\":{\"policy\":\"}],\",\"ports\":[{\"port\":0}]},\"steps\":[1,{\"note\":\"{\"}]}",
         "{'policy': '}],', 'ports': [{'port': 0}], 'detail': {'steps': [1, {'note': '{'}]}}"},
        {"{\"steps\":[],\"filter\":{\"policy\":\"q\"}}", "{'policy': 'q', 'detail': {'steps': []}}"},
        {"{\"filter\":null,\"steps\":[]}", "{'detail': {'filter': null, 'steps': []}}"},
        {"{\"filter\":\"x\"}", "{'detail': {'filter': 'x'}}"},
        {"[1,2]", "{'detail': [1, 2]}"},
        /* what is no JSON is left out */
        {"", "{}"},
        {"{", "{}"},
        {"{\"filter\":{\"a\"", "{}"},
        {"{\"filter\":{\"a\"}", "{}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct operation op = {.state = OPERATION_OK, .detail = (char *)cases[i].detail};
        json_t *wanted =
            wanted_json("{'result': 'ok', 'from': null, 'to': null, 'seconds': 0.0, 'tries': 0}");

        json_object_update_new(wanted, wanted_json(cases[i].json));
        assert_same(as_row(&op, NULL), wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_there_is_to_say),
        cmocka_unit_test(failures_are_explained),
        cmocka_unit_test(details),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
