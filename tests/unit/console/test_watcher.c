/* Patterns that are watched for in the bytes of consoles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "amtd/console/watcher.h"
#include "base/log.h"

static struct clock_fake fake;
static struct clock clock_;
static char said[2000];

static void found(void *arg, const struct pattern_found *found)
{
    (void)arg;
    snprintf(said + strlen(said), sizeof(said) - strlen(said), "%llu %s (%s): %s\n",
             (unsigned long long)found->offset, found->pattern->name,
             severity_name((enum severity)found->pattern->severity), found->line);
}

static void feed(struct watching *k, uint64_t offset, const char *text)
{
    watching_bytes(k, offset, (const uint8_t *)text, strlen(text));
}

static int setup(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_ERR);
    fake = (struct clock_fake){1000, 1767323045000};
    clock_ = clock_fake_init(&fake);
    said[0] = '\0';
    return 0;
}

static void says_what_it_finds_across_portions(void **state)
{
    struct watched_pattern p = {
        .name = (char *)"panic", .regex = (char *)"Kernel panic", .severity = SEVERITY_CRITICAL};
    struct watcher *w = watcher_new(&clock_, &p, 1, NULL);
    struct watching *k = watching_new(w, "c0", found, NULL);

    (void)state;
    feed(k, 100, "all is well\nKernel pa");
    assert_string_equal(said, "");
    feed(k, 121, "nic - not syncing\n");
    assert_string_equal(said, "124 panic (critical): nic\n");
    watching_free(k);
    watcher_free(w);
}

static void keeps_quiet_for_a_while(void **state)
{
    struct watched_pattern p = {.name = (char *)"oops", .regex = (char *)"^oops", .every_ms = 60000};
    struct watcher *w = watcher_new(&clock_, &p, 1, NULL);
    struct watching *a = watching_new(w, "a", found, NULL), *b = watching_new(w, "b", found, NULL);

    (void)state;
    feed(a, 0, "oops\noops\noops\n");
    feed(b, 0, "oops\n");
    assert_string_equal(said, "4 oops (info): oops\n4 oops (info): oops\n");
    fake.mono += 60000;
    feed(a, 15, "oops\n");
    assert_non_null(strstr(said, "19 oops"));
    watching_free(a);
    watching_free(b);
    watcher_free(w);
}

static void only_for_some_consoles(void **state)
{
    char *names[] = {(char *)"db*"};
    struct watched_pattern p = {
        .name = (char *)"x", .regex = (char *)"x", .consoles = names, .console_count = 1};
    struct watcher *w = watcher_new(&clock_, &p, 1, NULL);
    struct watching *k = watching_new(w, "db1", found, NULL);

    (void)state;
    assert_null(watching_new(w, "web1", found, NULL));
    assert_non_null(k);
    watching_free(k);
    watcher_free(w);
}

static void wrong_patterns_are_named(void **state)
{
    struct watched_pattern p = {.name = (char *)"broken", .regex = (char *)"a("};
    struct err err = ERR_INIT;

    (void)state;
    assert_null(watcher_new(&clock_, &p, 1, &err));
    assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    assert_non_null(strstr(err.text, "broken"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        T(says_what_it_finds_across_portions),
        T(keeps_quiet_for_a_while),
        T(only_for_some_consoles),
        T(wrong_patterns_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
