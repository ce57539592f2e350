/* Reading answers beside the loop: few and many, order, failures, those nobody wants any more, the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/fleet/reader.h"
#include "base/xml.h"
#include "wsman/answer.h"

#define MANY 200

struct scene {
    uv_loop_t loop;
    struct reader *reader;
    size_t asked, done, failed;
    size_t next; /* answers come in the order in which they were given */
    struct note {
        struct scene *scene;
        size_t i;
    } notes[MANY];
};

static void on_done(void *arg, struct wsman_answer *answer, const struct err *failure)
{
    const struct note *note = arg;
    struct scene *s = note->scene;
    char number[24];

    assert_int_equal(note->i, s->next);
    s->next++;
    s->done++;
    if (failure) {
        assert_int_equal(failure->cause, CAUSE_BAD_ANSWER);
        s->failed++;
        return;
    }
    snprintf(number, sizeof(number), "%zu", note->i);
    assert_string_equal(answer->relates, number);
}

static struct reading *give(struct scene *s, bool good)
{
    const struct runner_reader *reader = reader_for_runners(s->reader);
    struct note *note = &s->notes[s->asked];
    char text[512];

    *note = (struct note){s, s->asked++};
    snprintf(text, sizeof(text),
             "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" "
             "xmlns:b=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\"><a:Header><b:RelatesTo>%zu"
             "</b:RelatesTo></a:Header><a:Body><x/></a:Body>%s",
             note->i, good ? "</a:Envelope>" : "");
    return reader->begin(reader->arg, text, strlen(text), on_done, note);
}

static void scene_open(struct scene *s)
{
    struct err err = ERR_INIT;

    memset(s, 0, sizeof(*s));
    assert_int_equal(uv_loop_init(&s->loop), 0);
    s->reader = reader_new(&s->loop, &err);
    assert_non_null(s->reader);
}

static void scene_close(struct scene *s)
{
    reader_free(s->reader);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
}

static void few_are_read_by_the_loop(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s);
    give(&s, true);
    give(&s, false);
    assert_int_equal(s.done, 0); /* never from inside */
    uv_run(&s.loop, UV_RUN_NOWAIT);
    assert_int_equal(s.done, 2);
    assert_int_equal(s.failed, 1);
    scene_close(&s);
}

/* The loop goes on for as long as any are away, and ends then. */
static void many_come_back_in_order(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s);
    for (size_t i = 0; i < MANY; i++)
        give(&s, i % 7 != 0);
    assert_int_equal(s.done, 0);
    uv_run(&s.loop, UV_RUN_DEFAULT);
    assert_int_equal(s.done, MANY);
    assert_int_equal(s.failed, (MANY + 6) / 7);
    scene_close(&s);
}

static void forgotten_ones_stay_silent(void **state)
{
    struct reading *readings[40];
    struct scene s;

    (void)state;
    scene_open(&s);
    for (size_t i = 0; i < 40; i++)
        readings[i] = give(&s, true);
    for (size_t i = 20; i < 40; i++)
        reader_for_runners(s.reader)->forget(readings[i]);
    uv_run(&s.loop, UV_RUN_DEFAULT);
    assert_int_equal(s.done, 20);
    scene_close(&s);
}

static void ends_with_some_away(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s);
    for (size_t i = 0; i < MANY - 1; i++) /* some of them not even handed over */
        give(&s, true);
    scene_close(&s);
    assert_int_equal(s.done, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_are_read_by_the_loop),
        cmocka_unit_test(many_come_back_in_order),
        cmocka_unit_test(forgotten_ones_stay_silent),
        cmocka_unit_test(ends_with_some_away),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
