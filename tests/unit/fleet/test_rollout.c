#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/fleet/rollout.h"

#define MOST 20

/* What the rollout did, as letters: b begins, g goes, s is spared; each with the host's letter. */
struct bench {
    struct rollout *rollout;
    char did[4096];
    bool sent[MOST]; /* is not ended when it is to be spared */
    int64_t now;
};

static void note(struct bench *b, char what, size_t host)
{
    size_t n = strlen(b->did);

    snprintf(b->did + n, sizeof(b->did) - n, "%c%c ", what, (char)('A' + host));
}

static void begin(void *arg, size_t host)
{
    note(arg, 'b', host);
}

static void go(void *arg, size_t host)
{
    note(arg, 'g', host);
}

static void spare(void *arg, size_t host, enum cause cause, const char *text)
{
    struct bench *b = arg;

    (void)cause;
    (void)text;
    if (b->sent[host])
        return;
    note(b, 's', host);
    rollout_over(b->rollout, host, false, CAUSE_CANCELLED, "x");
    rollout_result(b->rollout);
}

static void bench_open(struct bench *b, const struct rollout_settings *settings, size_t count,
                       const char *urgent)
{
    const struct rollout_owner owner = {b, begin, go, spare};
    struct rollout_host hosts[MOST];

    memset(b, 0, sizeof(*b));
    for (size_t i = 0; i < count; i++) {
        hosts[i].address = i % 2 ? "10.0.1.1" : "10.0.0.1";
        hosts[i].urgent = urgent && strchr(urgent, (int)('A' + i));
    }
    b->rollout = rollout_new(settings, &owner, hosts, count);
}

static int64_t turn(struct bench *b)
{
    return rollout_advance(b->rollout, b->now);
}

/* Expects what was done since the last look. */
#define did(b, text)                                                                                         \
    do {                                                                                                     \
        assert_string_equal((b)->did, text);                                                                 \
        (b)->did[0] = '\0';                                                                                  \
    } while (0)

static void end(struct bench *b, size_t host, bool ok)
{
    rollout_over(b->rollout, host, ok, ok ? CAUSE_NONE : CAUSE_TIMEOUT, "it");
    rollout_result(b->rollout);
}

static void few_have_a_place(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, &(struct rollout_settings){.parallel = 1}, 6, NULL);
    turn(&b);
    did(&b, "bA bB bC bD "); /* four ahead of the one place */
    rollout_reached(b.rollout, 1);
    rollout_reached(b.rollout, 0);
    turn(&b);
    did(&b, "gB ");
    turn(&b);
    did(&b, "bE ");              /* in the place of the one that works */
    rollout_yield(b.rollout, 1); /* another profile: reached anew */
    turn(&b);
    did(&b, "gA ");
    turn(&b);
    did(&b, "bF ");
    end(&b, 0, true);
    for (size_t i = 1; i < 6; i++) {
        rollout_reached(b.rollout, i);
        turn(&b);
        end(&b, i, i % 2);
    }
    assert_true(rollout_is_done(b.rollout));
    rollout_free(b.rollout);
}

static void subnets_are_spared(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, &(struct rollout_settings){.parallel = 10, .per_subnet = 1}, 4, NULL);
    turn(&b);
    did(&b, "bA bB ");
    rollout_reached(b.rollout, 0);
    turn(&b);
    did(&b, "gA ");
    end(&b, 0, true);
    turn(&b);
    did(&b, "bC ");
    rollout_free(b.rollout);
}

static void stages_follow_each_other(void **state)
{
    struct bench b;

    (void)state;
    bench_open(
        &b, &(struct rollout_settings){.parallel = 10, .stages = {.canary = 1, .batch = 2}, .pause_ms = 1000},
        4, "A");
    turn(&b);
    did(&b, "bB "); /* the first of those that are not known to be dead */
    rollout_reached(b.rollout, 1);
    turn(&b);
    end(&b, 1, true);
    b.did[0] = '\0';
    assert_int_equal(turn(&b), 1000);
    b.now = 999;
    turn(&b);
    did(&b, "");
    b.now = 1000;
    turn(&b);
    did(&b, "bA bC ");
    rollout_free(b.rollout);
}

static void the_last_of_a_stage_is_known(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, &(struct rollout_settings){.parallel = 10, .stages = {.batch = 2}}, 3, NULL);
    assert_false(rollout_wants_results(b.rollout));
    turn(&b);
    rollout_over(b.rollout, 0, true, CAUSE_NONE, "A");
    assert_false(rollout_wants_results(b.rollout));
    rollout_over(b.rollout, 1, true, CAUSE_NONE, "B");
    assert_true(rollout_wants_results(b.rollout));
    rollout_result(b.rollout);
    assert_true(rollout_wants_results(b.rollout));
    rollout_result(b.rollout);
    assert_false(rollout_wants_results(b.rollout));
    turn(&b);
    turn(&b);
    assert_false(rollout_wants_results(b.rollout));
    rollout_over(b.rollout, 2, true, CAUSE_NONE, "C");
    assert_true(rollout_wants_results(b.rollout));
    rollout_free(b.rollout);
}

static void a_bad_omen_ends_it(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, &(struct rollout_settings){.parallel = 10, .stages = {.canary = 1}}, 3, NULL);
    turn(&b);
    rollout_reached(b.rollout, 0);
    turn(&b);
    end(&b, 0, false);
    b.did[0] = '\0';
    turn(&b);
    did(&b, "sB sC ");
    assert_true(rollout_is_done(b.rollout));
    rollout_free(b.rollout);
}

/* One that cannot be reached says nothing of the task: another goes ahead. */
static void the_dead_are_no_omen(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, &(struct rollout_settings){.parallel = 10, .stages = {.canary = 1}}, 3, NULL);
    turn(&b);
    did(&b, "bA ");
    rollout_over(b.rollout, 0, false, CAUSE_UNREACHABLE, "A");
    rollout_result(b.rollout);
    turn(&b);
    did(&b, "bB ");
    rollout_free(b.rollout);
}

static void failures_are_counted(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, &(struct rollout_settings){.parallel = 1, .stages = {.max_failures = 1}}, 7, NULL);
    turn(&b);
    b.sent[2] = true;
    rollout_reached(b.rollout, 0);
    turn(&b);
    end(&b, 0, false);
    b.did[0] = '\0';
    turn(&b);
    did(&b, "sB sD sE sF sG "); /* C has sent something, and goes on */
    rollout_reached(b.rollout, 2);
    turn(&b);
    did(&b, "gC ");
    rollout_free(b.rollout);
}

/* Its result is still on its way to the store. */
static void failures_count_at_once(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, &(struct rollout_settings){.parallel = 1, .stages = {.max_failures = 1}}, 3, NULL);
    turn(&b);
    rollout_reached(b.rollout, 0);
    rollout_reached(b.rollout, 1);
    turn(&b);
    b.did[0] = '\0';
    rollout_over(b.rollout, 0, false, CAUSE_TIMEOUT, "A");
    turn(&b);
    did(&b, "sC sB ");
    assert_false(rollout_is_done(b.rollout));
    rollout_result(b.rollout);
    assert_true(rollout_is_done(b.rollout));
    rollout_free(b.rollout);
}

static void held_and_let_go(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, &(struct rollout_settings){.parallel = 1}, 2, NULL);
    rollout_hold(b.rollout, true);
    assert_true(turn(&b) == INT64_MAX);
    did(&b, "");
    rollout_hold(b.rollout, false);
    turn(&b);
    did(&b, "bA bB ");
    rollout_stop(b.rollout, CAUSE_CANCELLED, "so");
    assert_false(rollout_stop(b.rollout, CAUSE_CANCELLED, "again"));
    turn(&b);
    did(&b, "sA sB ");
    rollout_free(b.rollout);
}

/* After a restart those that were over stay so, those in the middle go on first, the others follow. */
static void another_life(void **state)
{
    static const uint32_t places[] = {1, 0, 2, 3, 4, 5};
    struct bench b;

    (void)state;
    bench_open(&b, &(struct rollout_settings){.parallel = 1, .stages = {.canary = 1, .batch = 3}}, 6, NULL);
    rollout_set_places(b.rollout, places);
    rollout_was(b.rollout, 1, true, CAUSE_NONE, "B");
    rollout_was(b.rollout, 2, true, CAUSE_NONE, "C");
    rollout_resume(b.rollout, 3);
    turn(&b);
    did(&b, "bA gD ");
    rollout_reached(b.rollout, 0);
    turn(&b);
    did(&b, "");
    end(&b, 3, true);
    turn(&b);
    did(&b, "gA ");
    end(&b, 0, true);
    turn(&b);
    turn(&b);
    did(&b, "bE bF ");
    rollout_free(b.rollout);
}

/* Those in the middle go on also when nothing more is to begin. */
static void another_life_that_was_over(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, &(struct rollout_settings){.parallel = 2, .stages = {.max_failures = 1}}, 3, NULL);
    rollout_was(b.rollout, 0, false, CAUSE_TIMEOUT, "A");
    rollout_resume(b.rollout, 1);
    b.sent[1] = true;
    turn(&b);
    did(&b, "sC gB ");
    rollout_free(b.rollout);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_have_a_place),
        cmocka_unit_test(subnets_are_spared),
        cmocka_unit_test(stages_follow_each_other),
        cmocka_unit_test(the_last_of_a_stage_is_known),
        cmocka_unit_test(a_bad_omen_ends_it),
        cmocka_unit_test(the_dead_are_no_omen),
        cmocka_unit_test(failures_are_counted),
        cmocka_unit_test(failures_count_at_once),
        cmocka_unit_test(held_and_let_go),
        cmocka_unit_test(another_life),
        cmocka_unit_test(another_life_that_was_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
