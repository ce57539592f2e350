/* The activity log's chain: a row that is changed in any of its fields, removed, moved, put in or cut off is
 * found where it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "amtd/store/activity_chain.h"
#include "base/xalloc.h"

#define ROWS 6

struct scene {
    char dir[64];
    struct node_key *key;
    struct activity rows[ROWS];
    struct activity_head head;
};

static void fill(struct activity *a, int i)
{
    a->id = i + 1;
    a->at_ms = 1700000000000 + i;
    a->who = xasprintf("uid %d (anna)", 1000 + i);
    a->by = xstrdup("socket");
    a->what = xstrdup("run.start power {}");
    a->target = i % 2 ? xstrdup("@lab") : NULL;
    a->hosts = xstrdup("pc[1-9]");
    a->result = xstrdup(i == 3 ? "denied" : "ok");
    a->detail = i % 3 ? xstrdup("with \xff bytes") : NULL;
    a->run = i;
}

static int setup(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));
    uint8_t previous[ACTIVITY_HASH] = {0};

    strncpy(s->dir, "/tmp/amtd-test-chain.XXXXXX", sizeof(s->dir) - 1);
    assert_non_null(mkdtemp(s->dir));
    s->key = node_key_open(s->dir, true, NULL);
    assert_non_null(s->key);
    for (int i = 0; i < ROWS; i++) {
        fill(&s->rows[i], i);
        assert_int_equal(activity_seal(&s->rows[i], previous, s->key, NULL), 0);
        memcpy(previous, s->rows[i].hash, sizeof(previous));
    }
    s->head.id = ROWS;
    memcpy(s->head.hash, previous, sizeof(previous));
    assert_int_equal(activity_head_seal(&s->head, s->key, NULL), 0);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    static const char *const names[] = {"node.key", "node.pub"};

    for (int i = 0; i < ROWS; i++)
        activity_clear(&s->rows[i]);
    node_key_free(s->key);
    for (size_t i = 0; i < 2; i++) {
        char *path = xasprintf("%s/%s", s->dir, names[i]);

        unlink(path);
        free(path);
    }
    rmdir(s->dir);
    free(s);
    return 0;
}

/* The places where something is wrong, "2 5 end". */
static const char *wrong(const struct scene *s, const struct activity *const *order, size_t n,
                         const struct activity_head *head)
{
    static char text[64];
    struct activity_walk walk = {.key = s->key};
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        if (activity_walk_row(&walk, order[i]))
            at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%zu", at > 0 ? " " : "", i);
    if (activity_walk_end(&walk, head))
        snprintf(text + at, sizeof(text) - at, "%send", at > 0 ? " " : "");
    return text;
}

static const char *wrong_rows(const struct scene *s)
{
    const struct activity *order[ROWS];

    for (int i = 0; i < ROWS; i++)
        order[i] = &s->rows[i];
    return wrong(s, order, ROWS, &s->head);
}

static void is_whole(void **state)
{
    const struct scene *s = *state;
    struct activity_walk none = {.key = s->key};

    assert_string_equal(wrong_rows(s), "");
    assert_null(activity_walk_end(&none, NULL));
}

/* Without its head the chain hangs on the anchor, which nobody but the key's owner can move. */
static void a_head_that_was_cut_off(void **state)
{
    const struct scene *s = *state;
    struct activity_anchor anchor = {.id = 3, .count = 3, .from_ms = 5, .to_ms = 7};
    struct activity_walk walk = {.key = s->key}, bare = walk, moved = walk;

    memcpy(anchor.hash, s->rows[2].hash, sizeof(anchor.hash));
    assert_int_equal(activity_anchor_seal(&anchor, s->key, NULL), 0);
    assert_null(activity_walk_begin(&walk, &anchor));
    for (int i = 3; i < ROWS; i++)
        assert_null(activity_walk_row(&walk, &s->rows[i]));
    assert_null(activity_walk_end(&walk, &s->head));
    assert_non_null(activity_walk_row(&bare, &s->rows[3])); /* without it rows are missing */
    anchor.count++;
    assert_non_null(activity_walk_begin(&moved, &anchor));
    anchor.count--;
    anchor.id = 4;
    memcpy(anchor.hash, s->rows[3].hash, sizeof(anchor.hash));
    assert_non_null(activity_walk_begin(&moved, &anchor));
}

/* Rows together are proved by the last one; what is wrong with one is found row by row, from where the walk
 * was. */
static void rows_are_proved_together(void **state)
{
    struct scene *s = *state;
    struct activity_walk walk = {.key = s->key};

    assert_true(activity_walk_rows(&walk, s->rows, 3));
    assert_int_equal(walk.rows, 3);
    s->rows[4].result[0] ^= 1;
    assert_false(activity_walk_rows(&walk, s->rows + 3, ROWS - 3));
    assert_int_equal(walk.rows, 3);
    s->rows[4].result[0] ^= 1;
    s->rows[ROWS - 1].signature[5] ^= 1;
    assert_false(activity_walk_rows(&walk, s->rows + 3, ROWS - 3));
    s->rows[ROWS - 1].signature[5] ^= 1;
    assert_false(activity_walk_rows(&walk, s->rows + 4, ROWS - 4)); /* one is missing */
    assert_true(activity_walk_rows(&walk, s->rows + 3, ROWS - 3));
    assert_true(activity_walk_rows(&walk, NULL, 0));
    assert_null(activity_walk_end(&walk, &s->head));
}

static void every_field_counts(void **state)
{
    struct scene *s = *state;
    struct activity *a = &s->rows[3];
    char **const texts[] = {&a->who, &a->by, &a->what, &a->target, &a->hosts, &a->result};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *kept = *texts[i];

        *texts[i] = xstrdup("another");
        assert_string_equal(wrong_rows(s), "3");
        free(*texts[i]);
        *texts[i] = NULL;
        assert_string_equal(wrong_rows(s), "3");
        *texts[i] = kept;
    }
    a->at_ms++;
    assert_string_equal(wrong_rows(s), "3");
    a->at_ms--;
    a->run++;
    assert_string_equal(wrong_rows(s), "3");
    a->run--;
    a->id++;
    assert_string_equal(wrong_rows(s), "3");
    a->id--;
    a->signature[5] ^= 1;
    assert_string_equal(wrong_rows(s), "3");
    a->signature[5] ^= 1;
    a->sealed = false;
    assert_string_equal(wrong_rows(s), "3 4");
    a->sealed = true;
    a->detail = xstrdup("new");
    assert_string_equal(wrong_rows(s), "3");
    assert_string_equal((free(a->detail), a->detail = NULL, wrong_rows(s)), "");
}

/* Without the key nobody can make it whole again: the row itself is still found. */
static void a_hash_made_anew_has_no_signature(void **state)
{
    struct scene *s = *state;
    struct node_key *other;
    char dir[] = "/tmp/amtd-test-chain.XXXXXX", path[64];

    assert_non_null(mkdtemp(dir));
    other = node_key_open(dir, true, NULL);
    xreplace(&s->rows[2].who, "uid 0 (root)");
    assert_int_equal(activity_seal(&s->rows[2], s->rows[1].hash, other, NULL), 0);
    assert_string_equal(wrong_rows(s), "2 3"); /* and what stood on it */
    node_key_free(other);
    snprintf(path, sizeof(path), "%s/node.key", dir);
    unlink(path);
    snprintf(path, sizeof(path), "%s/node.pub", dir);
    unlink(path);
    rmdir(dir);
}

static void rows_that_move_are_found(void **state)
{
    const struct scene *s = *state;
    const struct activity *r[ROWS],
        *removed[] = {&s->rows[0], &s->rows[1], &s->rows[3], &s->rows[4], &s->rows[5]};

    for (int i = 0; i < ROWS; i++)
        r[i] = &s->rows[i];
    assert_string_equal(wrong(s, removed, 5, &s->head), "2");
    assert_string_equal(wrong(s, r + 1, ROWS - 1, &s->head), "0"); /* from the front */
    assert_string_equal(wrong(s, r, ROWS - 1, &s->head), "end");   /* from the end */
    assert_string_equal(wrong(s, r, 0, &s->head), "end");          /* all */
    assert_string_equal(wrong(s, r, ROWS, NULL), "end");
    r[2] = &s->rows[3];
    r[3] = &s->rows[2];
    assert_string_equal(wrong(s, r, ROWS, &s->head), "2 3 4");
}

static void the_end_is_signed_for_itself(void **state)
{
    struct scene *s = *state;
    const struct activity *r[] = {&s->rows[0], &s->rows[1]};
    struct activity_head head = {.id = 2};

    memcpy(head.hash, s->rows[1].hash, sizeof(head.hash));
    memcpy(head.signature, s->rows[1].signature, sizeof(head.signature)); /* that of the row is none */
    assert_string_equal(wrong(s, r, 2, &head), "end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_head_that_was_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(every_field_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_are_proved_together, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hash_made_anew_has_no_signature, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_that_move_are_found, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_is_signed_for_itself, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
