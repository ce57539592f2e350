/* The cache of an image: what is read is right, what is read in order is fetched ahead, what fails is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/redirect/image.h"

#define SIZE ((uint64_t)300 * IMAGE_CHUNK + 1000)

struct ask {
    uint32_t tag, n;
    uint64_t offset;
};

struct scene {
    struct image *image;
    bool at_once;
    struct ask asks[4096];
    size_t asked, answered;
    int done, failed;
    bool good;
    uint8_t got[IMAGE_READ_MAX];
    size_t got_n;
    enum cause cause;
};

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 7 + (offset >> 8) * 3 + (offset >> 16));
}

static void answer(struct scene *s, const struct ask *ask)
{
    uint8_t *p = malloc(ask->n);

    for (uint32_t i = 0; i < ask->n; i++)
        p[i] = byte_at(ask->offset + i);
    image_arrived(s->image, ask->tag, p, ask->n, NULL);
    free(p);
}

static void answer_all(struct scene *s)
{
    while (s->answered < s->asked)
        answer(s, &s->asks[s->answered++]);
}

static void on_fetch(void *arg, uint32_t tag, uint64_t offset, uint32_t n)
{
    struct scene *s = arg;
    struct ask ask = {tag, n, offset};

    assert_true(offset + n <= SIZE);
    if (s->asked < 4096)
        s->asks[s->asked++] = ask;
    if (s->at_once) {
        s->answered++;
        answer(s, &ask);
    }
}

static void on_done(void *arg, const uint8_t *p, size_t n)
{
    struct scene *s = arg;

    s->done++;
    s->good = p != NULL;
    s->got_n = n;
    if (p)
        memcpy(s->got, p, n);
}

static void on_failed(void *arg, const struct err *err)
{
    struct scene *s = arg;

    s->failed++;
    s->cause = err->cause;
}

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));
    const struct image_owner owner = {s, on_fetch, on_done, on_failed};

    s->image = image_new(SIZE, &owner);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;

    image_free(s->image);
    free(s);
    return 0;
}

static void reads(struct scene *s, uint64_t offset, size_t n)
{
    int done = s->done;

    image_read(s->image, offset, n);
    answer_all(s);
    assert_int_equal(s->done, done + 1);
    assert_true(s->good);
    assert_int_equal(s->got_n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(s->got[i], offset + i < SIZE ? byte_at(offset + i) : 0);
}

static void every_read_is_right(void **state)
{
    struct scene *s = *state;
    uint32_t random = 1;

    for (int i = 0; i < 500; i++) {
        random = random * 1664525 + 1013904223;
        reads(s, random % SIZE, 1 + (random >> 7) % IMAGE_READ_MAX);
    }
    reads(s, SIZE - 10, 2048); /* zeros behind the end */
    reads(s, SIZE + 5 * IMAGE_CHUNK, 512);
    assert_int_equal(s->failed, 0);
}

static void answers_may_come_at_once(void **state)
{
    struct scene *s = *state;

    s->at_once = true;
    for (uint64_t at = 0; at + 2048 <= SIZE; at += 40 * 2048)
        reads(s, at, 2048);
}

static void what_is_read_in_order_is_there_already(void **state)
{
    struct scene *s = *state;
    size_t waits = 0;

    for (uint64_t at = 0; at + IMAGE_CHUNK <= SIZE; at += IMAGE_CHUNK) {
        int done = s->done;

        image_read(s->image, at, IMAGE_CHUNK);
        waits += s->done == done;
        answer_all(s);
    }
    assert_true(waits <= 2);                            /* the first ones only */
    assert_int_equal(s->asked, SIZE / IMAGE_CHUNK + 1); /* and nothing was fetched twice */
    assert_int_equal(image_touched(s->image), SIZE - SIZE % IMAGE_CHUNK);
}

static void what_is_read_at_random_is_not_read_ahead(void **state)
{
    struct scene *s = *state;

    for (uint64_t i = 0; i < 50; i++)
        reads(s, (i * 37 % 150) * 2 * IMAGE_CHUNK, 512);
    assert_int_equal(s->asked, 50);
    reads(s, 37 * 2 * IMAGE_CHUNK, 512); /* from the cache */
    assert_int_equal(s->asked, 50);
}

static void a_failure_is_told_once_and_tried_again(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;

    err_set(&err, CAUSE_SYSTEM, "disk broken");
    for (int i = 1; i <= 3; i++) {
        image_read(s->image, 0, 2048);
        while (s->answered < s->asked)
            image_arrived(s->image, s->asks[s->answered++].tag, NULL, 0, &err);
        assert_int_equal(s->done, i);
        assert_false(s->good);
        assert_int_equal(s->failed, 1);
    }
    assert_int_equal(s->cause, CAUSE_SYSTEM);
    assert_true(image_has_failed(s->image));
    reads(s, 0, 2048);
}

static void too_few_bytes_are_a_failure(void **state)
{
    struct scene *s = *state;

    image_read(s->image, 0, 2048);
    image_arrived(s->image, s->asks[0].tag, "abc", 3, NULL);
    assert_int_equal(s->done, 1);
    assert_false(s->good);
    assert_int_equal(s->cause, CAUSE_PROTOCOL);
    image_arrived(s->image, s->asks[0].tag, "abc", 3, NULL); /* not waited for any more */
    image_arrived(s->image, 0, "abc", 3, NULL);
    image_arrived(s->image, 99999, "abc", 3, NULL);
    assert_int_equal(s->done, 1);
}

static void what_is_lost_ends_the_read(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;

    err_set(&err, CAUSE_DROPPED, "gone");
    image_read(s->image, 0, 2048);
    image_lost(s->image, &err);
    assert_int_equal(s->done, 1);
    assert_false(s->good);
    image_read(s->image, IMAGE_CHUNK, 2048);
    image_cancel(s->image);
    answer_all(s);
    assert_int_equal(s->done, 1);
}

static void zeros_need_no_file(void **state)
{
    struct scene *s = *state;
    const struct image_owner owner = {s, NULL, on_done, on_failed};
    struct image *empty = image_new(2880 * 512, &owner);

    image_read(empty, 512, 4096);
    assert_true(s->done == 1 && s->good && s->got_n == 4096 && s->got[0] == 0 && s->got[4095] == 0);
    image_free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_read_is_right, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_may_come_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_read_in_order_is_there_already, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_read_at_random_is_not_read_ahead, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failure_is_told_once_and_tried_again, setup, teardown),
        cmocka_unit_test_setup_teardown(too_few_bytes_are_a_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_lost_ends_the_read, setup, teardown),
        cmocka_unit_test_setup_teardown(zeros_need_no_file, setup, teardown),
    };

    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
