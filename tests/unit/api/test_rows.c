/* Rows of a list as lines of JSON: all of them, what was chosen of them, and what cannot be said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/api/rows.h"

static void write_row(struct rows *rows)
{
    rows_begin(rows);
    rows_text(rows, "name", "pc\"1\"\n");
    rows_text(rows, "address", NULL);
    rows_text_if(rows, "profile", NULL);
    if (rows_object(rows, "facts")) {
        rows_text(rows, "power", "on");
        rows_text(rows, "amt.version", "16.0");
        rows_object_end(rows);
    }
    if (rows_list(rows, "tasks")) {
        for (int i = 0; i < 2; i++) {
            rows_object(rows, NULL);
            rows_integer(rows, "task", i);
            rows_seconds(rows, "seconds", 1005);
            if (rows_object(rows, "detail")) {
                rows_boolean(rows, "task", true);
                rows_object_end(rows);
            }
            rows_object_end(rows);
        }
        rows_list_end(rows);
    }
    rows_written(rows, "order", "{\"a\":\n[1]}");
    rows_time(rows, "at", 1000);
    rows_time(rows, "never", 0);
    rows_end(rows);
}

static void fields_choose(void **state)
{
    static const struct {
        const char *fields, *row;
    } rows[] = {
        {NULL,
         "{\"name\":\"pc\\\"1\\\"\\n\",\"address\":null,\"facts\":{\"power\":\"on\",\"amt.version\":\"16.0\"}"
         ","
         "\"tasks\":[{\"task\":0,\"seconds\":1.005,\"detail\":{\"task\":true}},{\"task\":1,\"seconds\":1.005,"
         "\"detail\":{\"task\":true}}],\"order\":{\"a\": "
         "[1]},\"at\":\"1970-01-01T00:00:01Z\",\"never\":null}"},
        {"[\"name\"]", "{\"name\":\"pc\\\"1\\\"\\n\"}"},
        {"[\"nam\", \"names\", \"order.a\"]", "{\"order\":{\"a\": [1]}}"},
        {"[\"facts.amt.version\"]", "{\"facts\":{\"amt.version\":\"16.0\"}}"},
        {"[\"facts.*\"]", "{\"facts\":{\"power\":\"on\",\"amt.version\":\"16.0\"}}"},
        {"[\"tasks.task\", \"never\"]", "{\"tasks\":[{\"task\":0},{\"task\":1}],\"never\":null}"},
        {"[\"tasks.detail\"]", "{\"tasks\":[{\"detail\":{\"task\":true}},{\"detail\":{\"task\":true}}]}"},
        {"[]", "{}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *fields = rows[i].fields ? json_loads(rows[i].fields, 0, NULL) : NULL, *line, *row;
        struct buf text = buf_init(10000);
        struct rows *out = rows_new(fields);

        write_row(out);
        rows_take(out, &text);
        assert_ptr_equal(strchr(buf_str(&text), '\n'), buf_str(&text) + text.len - 1);
        line = json_loads(buf_str(&text), 0, NULL);
        row = json_loads(rows[i].row, 0, NULL);
        assert_non_null(row);
        if (!json_equal(json_object_get(line, "row"), row))
            fail_msg("%s is not %s", buf_str(&text), rows[i].row);
        assert_int_equal(rows_count(out), 1);
        rows_free(out);
        buf_free(&text);
        json_decref(fields);
        json_decref(line);
        json_decref(row);
    }
}

/* Text that is no UTF-8 becomes null; JSON without an end is left out: the row stays JSON. */
static void what_cannot_be_said(void **state)
{
    struct rows *rows = rows_new(NULL);
    struct buf text = buf_init(10000);

    (void)state;
    rows_begin(rows);
    rows_text(rows, "a", "\xff");
    rows_text(rows, "\xfe", "b");
    rows_written(rows, "c", "{\"d\":");
    rows_written(rows, "c", "");
    rows_written(rows, "c", NULL);
    rows_json(rows, "e", NULL);
    rows_integer(rows, "f", INT64_MIN);
    rows_end(rows);
    rows_written_row(rows, "{\n}");
    rows_take(rows, &text);
    assert_string_equal(buf_str(&text), "{\"row\":{\"a\":null,\"f\":-9223372036854775808}}\n{\"row\":{ }}\n");
    assert_int_equal(rows_count(rows), 2);
    assert_int_equal(rows_size(rows), 0);
    rows_begin(rows); /* into the buffer of before */
    rows_end(rows);
    rows_take(rows, &text);
    assert_string_equal(buf_str(&text), "{\"row\":{}}\n");
    rows_free(rows);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fields_choose),
                                       cmocka_unit_test(what_cannot_be_said)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
