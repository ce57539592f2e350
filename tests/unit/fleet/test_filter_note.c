/* What is noted of the filters of one host: a small object, and the set as text behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/fleet/task_filter.h"

static void check(const char *set, const char *wanted)
{
    json_t *note = json_pack("{s:s, s:{s:s}}", "action", "apply", "row", "who", "a\nb");
    char *text = filter_note_text(note, set);
    const char *behind;
    json_t *alone = filter_note_read(text, &behind), *whole = filter_note_whole(text),
           *expected = json_loads(wanted, 0, NULL);

    assert_true(json_equal(alone, note));
    if (set)
        assert_string_equal(behind, set);
    else
        assert_null(behind);
    assert_non_null(expected);
    assert_true(json_equal(whole, expected));
    json_decref(expected);
    json_decref(whole);
    json_decref(alone);
    json_decref(note);
    free(text);
}

static void the_set_stands_behind_it(void **state)
{
    (void)state;
    check(NULL, "{\"action\":\"apply\",\"row\":{\"who\":\"a\\nb\"}}");
    check("{\"name\":\"q\"}", "{\"action\":\"apply\",\"row\":{\"who\":\"a\\nb\",\"set\":{\"name\":\"q\"}}}");
}

/* As an earlier amtd wrote it: the set in its row. */
static void old_notes_are_read(void **state)
{
    static const char text[] = "{\"action\":\"apply\",\"row\":{\"set\":{\"hash\":\"1\"}}}";
    const char *set;
    json_t *whole = filter_note_whole(text), *alone = filter_note_read(text, &set);

    (void)state;
    assert_null(set);
    assert_true(json_equal(whole, alone));
    json_decref(whole);
    json_decref(alone);
    assert_null(filter_note_whole(NULL));
    assert_null(filter_note_whole("nonsense"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_set_stands_behind_it),
        cmocka_unit_test(old_notes_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
