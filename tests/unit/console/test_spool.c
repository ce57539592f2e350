/* The file in which events wait for their journals: what comes back from it after sudden death. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "amtd/console/settings.h"
#include "amtd/console/spool.h"
#include "base/log.h"

static char dir[64], path[80];

static int setup(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_ERR);
    strcpy(dir, "/tmp/amtd-spool-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/.events", dir);
    return 0;
}

static int teardown(void **state)
{
    char fresh[90];

    (void)state;
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    unlink(fresh);
    unlink(path);
    return rmdir(dir);
}

static void put(const char *text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void expect_file(const char *text)
{
    char content[4096] = "";
    FILE *file = fopen(path, "rb");

    if (!text) {
        assert_null(file);
        return;
    }
    assert_non_null(file);
    content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(content, text);
}

static void expect_event(const struct spooled *e, int64_t at_ms, enum journal_kind kind, const char *text)
{
    assert_non_null(e);
    assert_int_equal(e->at_ms, at_ms);
    assert_int_equal(e->kind, kind);
    if (text)
        assert_string_equal(e->text, text);
    else
        assert_null(e->text);
}

static void stands_in_the_file_until_it_is_moved(void **state)
{
    struct spool *spool = spool_new(path);
    struct spooled *a = NULL, *b = NULL;

    (void)state;
    expect_file(NULL);
    spool_add(spool, "c0", &a, 1000, JOURNAL_UP, NULL);
    spool_add(spool, "c1", &b, 1001, JOURNAL_UP, "");
    expect_file(NULL); /* not before the end of the turn */
    spool_write(spool);
    expect_file("1000 c0 up\n1001 c1 up\n");
    spool_add(spool, "c0", &a, 1002, JOURNAL_DOWN, "it \n broke");
    spool_moved(spool, "c1", 1);
    spool_write(spool);
    expect_file("1000 c0 up\n1001 c1 up\n1002 c0 down it \\n broke\n- c1\n");
    expect_event(a, 1000, JOURNAL_UP, NULL);
    expect_event(a->next, 1002, JOURNAL_DOWN, "it \n broke");
    spool_moved(spool, "c0", 2);
    spool_write(spool);
    expect_file(NULL);
    spool_add(spool, "c1", &b, 1003, JOURNAL_DOWN, NULL);
    spool_write(spool);
    expect_file("1003 c1 down\n");
    spooled_free(a);
    spooled_free(b);
    spool_free(spool);
    expect_file("1003 c1 down\n"); /* nobody said that it is anywhere else */
}

static void gives_back_what_an_earlier_life_left(void **state)
{
    struct spool *spool;
    struct spooled *a, *c;

    (void)state;
    put("5 a up\n6 b up\n7 c up\n- b\n8 a down the other end closed the link\n9 c dow");
    spool = spool_new(path);
    expect_file("5 a up\n8 a down the other end closed the link\n7 c up\n"); /* a torn line is none */
    a = spool_take(spool, "a");
    expect_event(a, 5, JOURNAL_UP, NULL);
    expect_event(a->next, 8, JOURNAL_DOWN, "the other end closed the link");
    assert_null(a->next->next);
    assert_null(spool_take(spool, "a"));
    assert_null(spool_take(spool, "b"));
    spool_moved(spool, "a", 2);
    spool_write(spool);
    spool_free(spool); /* 'c' is not configured now */
    spooled_free(a);
    spool = spool_new(path);
    expect_file("7 c up\n");
    c = spool_take(spool, "c");
    expect_event(c, 7, JOURNAL_UP, NULL);
    spool_moved(spool, "c", 1);
    spool_free(spool);
    expect_file(NULL);
    spooled_free(c);
}

static void passes_over_what_makes_no_sense(void **state)
{
    struct spool *spool;
    struct spooled *a;

    (void)state;
    put("x a up\n-1 a up\n5 ../a up\n5 a nothing\n5\n\n-\n- \n5 a\n 5 a up\n5 a up and up\n");
    spool = spool_new(path);
    a = spool_take(spool, "a");
    expect_event(a, 5, JOURNAL_UP, "and up");
    assert_null(a->next);
    spool_moved(spool, "a", 1);
    spool_free(spool);
    spooled_free(a);
    expect_file(NULL);
    put("- b\n- c\n");
    spool_free(spool_new(path));
    expect_file(NULL);
}

static void leaves_no_half_line_on_a_full_disk(void **state)
{
    struct rlimit limit;
    struct spool *spool = spool_new(path);
    struct spooled *a = NULL;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    spool_add(spool, "a", &a, 5, JOURNAL_UP, NULL);
    spool_write(spool);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 10;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    spool_add(spool, "a", &a, 6, JOURNAL_DOWN, NULL);
    spool_write(spool);
    limit.rlim_cur = RLIM_INFINITY;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_file("5 a up\n");
    spool_add(spool, "a", &a, 7, JOURNAL_UP, NULL);
    spool_write(spool);
    expect_file("5 a up\n7 a up\n");
    spool_moved(spool, "a", 3);
    spool_free(spool);
    spooled_free(a);
    expect_file(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stands_in_the_file_until_it_is_moved, setup, teardown),
        cmocka_unit_test_setup_teardown(gives_back_what_an_earlier_life_left, setup, teardown),
        cmocka_unit_test_setup_teardown(passes_over_what_makes_no_sense, setup, teardown),
        cmocka_unit_test_setup_teardown(leaves_no_half_line_on_a_full_disk, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
