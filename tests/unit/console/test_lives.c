/* Lists of lives: as text, and what two of them say of each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/console/lives.h"

#define A "aaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbb"
#define C "cccccccccccccccc"

static struct lives of(const char *text)
{
    struct lives lives;

    assert_int_equal(lives_read(&lives, text, strlen(text), NULL), 0);
    return lives;
}

static void test_text(void **state)
{
    static const char good[] = "0 " A "\n77 " B "\n1099511627776 " C " history\n";
    static const char *const bad[] = {
        "0",
        "0 " A,
        "0 " A " \n",
        "0 " A " histories\n",
        "0  " A "\n",
        "x " A "\n",
        "0 aaaaaaaaaaaaaaa\n",
        "0 Aaaaaaaaaaaaaaaa\n",
        "0 " A "\n0 " B "\n",
        "9 " A "\n8 " B "\n",
        "\n",
        "99999999999999999999999 " A "\n",
    };
    struct buf text = buf_init(LIVES_TEXT_MAX);
    struct lives lives = of(good);

    (void)state;
    assert_int_equal(lives.count, 3);
    lives_write(&lives, &text);
    assert_string_equal(buf_str(&text), good);
    assert_true(lives_begins(&lives, 1099511627776));
    assert_false(lives_begins(&lives, 77));
    assert_int_equal(lives_history(&lives, 78), 1099511627776);
    assert_int_equal(lives_history(&lives, 1099511627777), 0);
    lives_clear(&lives);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(lives_read(&lives, bad[i], strlen(bad[i]), NULL), -1);
    assert_int_equal(lives_read(&lives, "0 " A "\0\n", 20, NULL), -1);
    assert_int_equal(lives_read(&lives, "", 0, NULL), 0);
    assert_int_equal(lives.count, 0);
    buf_free(&text);
}

static void test_differ(void **state)
{
    static const struct {
        const char *ours, *theirs;
        uint64_t upto, differs;
    } cases[] = {
        {"0 " A "\n", "", 0, 0},                         /* nothing is nothing */
        {"0 " A "\n", "0 " A "\n", 100, 100},            /* the same life */
        {"0 " A "\n100 " B "\n", "0 " A "\n", 100, 100}, /* the next life came behind it */
        {"0 " A "\n100 " B "\n", "0 " A "\n", 101, 100}, /* and here in front of its end */
        {"0 " A "\n100 " B "\n200 " C "\n", "0 " A "\n100 " B "\n", 150, 150},
        {"0 " A "\n200 " C "\n", "0 " A "\n100 " B "\n", 150, 100}, /* B was forgotten */
        {"0 " A "\n200 " C "\n", "0 " A "\n100 " B "\n", 90, 90},   /* but nothing came of it */
        {"0 " B "\n", "0 " A "\n", 10, 0},                          /* another log */
        {"0 " A "\n", "5 " A "\n", 10, 0},                          /* no life begins twice */
        {"0 " A "\n", "", 10, 0},                                   /* of nobody */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lives ours = of(cases[i].ours), theirs = of(cases[i].theirs);

        assert_int_equal(lives_differ(&ours, &theirs, cases[i].upto), cases[i].differs);
        lives_clear(&ours);
        lives_clear(&theirs);
    }
}

static void test_add(void **state)
{
    struct lives lives = {0};
    struct buf text = buf_init(2 * LIVES_TEXT_MAX);

    (void)state;
    for (uint64_t i = 0; i < 2 * LIVES_MAX; i++)
        assert_int_equal(lives_add(&lives, UINT64_MAX / 8 + i, true, NULL), 0);
    assert_int_equal(lives.count, LIVES_MAX);
    lives_write(&lives, &text);
    assert_true(text.len <= LIVES_TEXT_MAX);
    lives_clear(&lives);
    assert_int_equal(lives_read(&lives, buf_str(&text), text.len, NULL), 0);
    assert_int_equal(lives_add(&lives, UINT64_MAX / 8 + LIVES_MAX, false, NULL), 0); /* over those behind */
    assert_int_equal(lives.count, 1);
    assert_false(lives.all[0].history);
    lives_clear(&lives);
    buf_free(&text);
}

/* A file that got a line for each life says what the list says. */
static void test_added(void **state)
{
    struct lives lives = {0}, read;
    struct buf text = buf_init(1 << 20), now = buf_init(LIVES_TEXT_MAX), then = buf_init(LIVES_TEXT_MAX);
    static const uint64_t firsts[] = {0, 10, 10, 30, 20, 40, 5, 6};

    (void)state;
    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]) + 2 * LIVES_MAX; i++) {
        uint64_t first = i < 8 ? firsts[i] : 100 + i;

        assert_int_equal(lives_add(&lives, first, i == 3, NULL), 0);
        lives_write(&(struct lives){&lives.all[lives.count - 1], 1}, &text);
        assert_int_equal(lives_read_added(&read, buf_str(&text), text.len, NULL), 0);
        buf_reset(&now);
        buf_reset(&then);
        lives_write(&lives, &now);
        lives_write(&read, &then);
        assert_string_equal(buf_str(&now), buf_str(&then));
        lives_clear(&read);
    }
    buf_puts(&text, "9999999 0123"); /* and then the power went */
    assert_int_equal(lives_read_added(&read, buf_str(&text), text.len, NULL), 0);
    assert_int_equal(read.count, lives.count);
    lives_clear(&read);
    assert_int_equal(lives_read_added(&read, "x\n", 2, NULL), -1);
    assert_int_equal(read.count, 0);
    lives_clear(&lives);
    buf_free(&text);
    buf_free(&now);
    buf_free(&then);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_differ),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
