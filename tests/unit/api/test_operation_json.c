/* What happened to a host as JSON: whole, and with its detail handed on as the text that it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/api/operation_json.h"
#include "base/buf.h"

/* As a caller gets it: the detail put in again. */
static json_t *put_together(const struct operation *op)
{
    struct view members;
    json_t *json = operation_json_but_detail(op, &members);
    struct buf text = buf_init(10000);
    json_t *detail;

    if (!members.p)
        return json;
    buf_putc(&text, '{');
    buf_add(&text, members.p, members.n);
    buf_putc(&text, '}');
    detail = json_loads(buf_str(&text), 0, NULL);
    assert_non_null(detail);
    assert_null(json_object_get(json, "detail"));
    json_object_set_new(json, "detail", detail);
    buf_free(&text);
    return json;
}

/* As a row of a list has it. */
static json_t *as_row(const struct operation *op)
{
    struct rows *rows = rows_new(NULL);
    struct buf line = buf_init(10000);
    json_t *json, *row;

    rows_begin(rows);
    operation_write(rows, op, NULL);
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

static void the_detail_is_the_same_as_text(void **state)
{
    static const char *const details[] = {
        NULL,
        "{}",
        "{\"steps\":[{\"step\":\"a\",\"at_ms\":1}]}",
        "{\"filter\":{\"policy\":\"q\",\"state\":\"active\"}}",
        "{\"filter\":{\"policy\":\"}],\\\"\",\"ports\":[{\"port\":0}]},\"steps\":[1,{\"note\":\"{\"}]}",
        "{\"filter\":{},\"checks\":[],\"steps\":[]}",
        "{\"filter\":null,\"steps\":[]}",
        "{\"filter\":\"x\"}",
        "[1,2]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++) {
        struct operation op = {.host = (char *)"pc1",
                               .state = i % 2 ? OPERATION_OK : OPERATION_FAILED,
                               .cause = i % 2 ? NULL : (char *)"timeout",
                               .message = (char *)"slow",
                               .began_ms = 1000,
                               .ended_ms = 1500,
                               .tries = 2,
                               .detail = (char *)details[i]};
        json_t *whole = operation_json(&op), *parts = put_together(&op), *written = as_row(&op);

        assert_true(json_equal(whole, parts));
        assert_true(json_equal(whole, written));
        json_decref(whole);
        json_decref(parts);
        json_decref(written);
    }
}

/* What is no JSON is left out by both. */
static void nonsense_is_left_out(void **state)
{
    static const char *const details[] = {"", "{", "{\"filter\":{\"a\"", "{\"filter\":{\"a\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++) {
        struct operation op = {.host = (char *)"pc1", .state = OPERATION_OK, .detail = (char *)details[i]};
        struct view members;
        json_t *json = operation_json_but_detail(&op, &members);

        assert_null(members.p);
        assert_null(json_object_get(json, "detail"));
        json_decref(json);
        json = as_row(&op);
        assert_null(json_object_get(json, "detail"));
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_detail_is_the_same_as_text),
        cmocka_unit_test(nonsense_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
