/* Sequences run to their end: steps, repeats, changes, time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/wsman/runner_bench.h"

static void runs_to_the_end(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(two_reads), 10000, false);
    assert_int_equal(b->session.deadline_ms, 15000);
    answer(&b->session);
    answer(&b->session);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
    assert_int_equal(b->seq.heard, 2);
    assert_string_equal(b->steps, "first 0 heard ok;second 0 heard ok;");
    assert_int_not_equal(b->session.ids[0], b->session.ids[1]);
}

static void freed_in_its_own_end(void **state)
{
    struct bench *b = bench_of(state);

    b->free_in_done = true;
    begin(b, SEQ_TABLE(one_read), 10000, false);
    answer(&b->session);
    assert_null(b->runner);
}

static void a_list_takes_several_requests(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(one_list), 10000, false);
    answer_body(&b->session, "<e:EnumerateResponse><e:EnumerationContext>c1</e:EnumerationContext>"
                             "</e:EnumerateResponse>");
    assert_true(b->session.busy);
    answer_body(&b->session, "<e:PullResponse><e:Items><g:AMT_GeneralSettings/></e:Items><e:EndOfSequence/>"
                             "</e:PullResponse>");
    assert_int_equal(b->seq.heard, 1);
    assert_int_equal(b->done, 1);
}

static void a_list_is_repeated_from_its_beginning(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(one_list), 10000, false);
    answer_body(&b->session, "<e:EnumerateResponse><e:EnumerationContext>c1</e:EnumerationContext>"
                             "</e:EnumerateResponse>");
    lose(&b->session, CAUSE_DROPPED);
    pass(b);
    assert_int_equal(b->seq.asked, 2);
    answer_body(&b->session, "<e:EnumerateResponse><e:EnumerationContext>c2</e:EnumerationContext>"
                             "</e:EnumerateResponse>");
    answer_body(&b->session, "<e:PullResponse><e:Items/><e:EndOfSequence/></e:PullResponse>");
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
}

static void waits_between_steps(void **state)
{
    struct bench *b = bench_of(state);

    b->seq.wait_ms = 700;
    begin(b, SEQ_TABLE(two_reads), 10000, false);
    answer(&b->session);
    assert_false(b->session.busy);
    assert_int_equal(pass(b), 700);
    assert_true(b->session.busy);
    assert_int_equal(b->seq.seq.now_ms, 700);
    answer(&b->session);
    assert_int_equal(b->done, 1);
}

static void reads_are_repeated_with_back_off(void **state)
{
    static const struct {
        uint32_t random;
        int64_t ms[3];
    } cases[] = {{0, {375, 750, 1500}}, {125, {500, 875, 1625}}, {250, {625, 1000, 1750}}};
    struct bench *b = bench_of(state);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        b->random = cases[i].random;
        b->done = 0;
        b->steps[0] = '\0';
        begin(b, SEQ_TABLE(one_read), 60000, false);
        lose(&b->session, CAUSE_DROPPED);
        assert_int_equal(pass(b), cases[i].ms[0]);
        lose(&b->session, CAUSE_TIMEOUT);
        assert_int_equal(pass(b), cases[i].ms[1]);
        answer_status(&b->session, 503);
        assert_int_equal(pass(b), cases[i].ms[2]);
        assert_int_equal(b->done, 0);
        lose(&b->session, CAUSE_DROPPED);
        assert_int_equal(b->done, 1);
        assert_int_equal(b->failure.cause, CAUSE_DROPPED);
        assert_string_equal(b->steps, "read 0 - dropped;read 1 - timeout;read 2 - busy;read 3 - dropped;");
        runner_free(b->runner);
        b->runner = NULL;
    }
    assert_int_equal(b->session.sent, 3 * RUNNER_TRIES);
}

static void a_repeat_may_succeed_and_the_count_starts_anew(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(two_reads), 60000, false);
    lose(&b->session, CAUSE_DROPPED);
    pass(b);
    answer(&b->session);
    lose(&b->session, CAUSE_DROPPED);
    assert_int_equal(pass(b), 375);
    answer(&b->session);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
    assert_string_equal(b->steps, "first 0 - dropped;first 1 heard ok;second 0 - dropped;second 1 heard ok;");
}

static void no_repeat_beyond_the_budget(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(one_read), 300, false);
    lose(&b->session, CAUSE_DROPPED);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_DROPPED);
}

static void login_and_trust_are_never_repeated(void **state)
{
    static const enum cause causes[] = {CAUSE_AUTH_FAILED,   CAUSE_AUTH_LOCKED, CAUSE_AUTH_UNSUPPORTED,
                                        CAUSE_REALM_CHANGED, CAUSE_TLS_CHANGED, CAUSE_TLS_UNTRUSTED,
                                        CAUSE_UNREACHABLE,   CAUSE_REFUSED,     CAUSE_BAD_ANSWER};
    struct bench *b = bench_of(state);

    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        unsigned before = b->session.sent;
        b->done = 0;
        begin(b, SEQ_TABLE(one_read), 60000, false);
        lose(&b->session, causes[i]);
        assert_int_equal(b->done, 1);
        assert_int_equal(b->failure.cause, causes[i]);
        assert_int_equal(b->session.sent - before, 1);
        runner_free(b->runner);
        b->runner = NULL;
    }
}

static void a_change_is_never_repeated(void **state)
{
    static const enum cause causes[] = {CAUSE_DROPPED, CAUSE_TIMEOUT, CAUSE_BUSY, CAUSE_UNREACHABLE};
    struct bench *b = bench_of(state);

    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        unsigned before = b->session.sent;
        b->done = 0;
        begin(b, SEQ_TABLE(two_changes), 60000, false);
        answer(&b->session);
        lose(&b->session, causes[i]);
        assert_int_equal(b->done, 1);
        assert_int_equal(b->failure.cause, causes[i]);
        assert_int_equal(b->session.sent - before, 2);
        assert_true(b->seq.seq.changed);
        runner_free(b->runner);
        b->runner = NULL;
    }
}

static void the_sequence_judges_a_lost_change(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(tolerant_change), 60000, false);
    lose(&b->session, CAUSE_DROPPED);
    assert_int_equal(b->seq.lost, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
    assert_string_equal(b->steps, "change 0 heard dropped;");
}

static void changes_are_written_down_first(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(two_changes), 60000, true);
    assert_int_equal(b->confirms, 0); /* a read needs none */
    answer(&b->session);
    assert_int_equal(b->confirms, 1);
    assert_int_equal(b->session.sent, 1);
    b->fake.mono += 1000;
    runner_timer(b->runner); /* stray */
    assert_int_equal(b->session.sent, 1);
    runner_resume(b->runner);
    runner_resume(b->runner); /* stray */
    assert_int_equal(b->session.sent, 2);
    answer(&b->session);
    assert_int_equal(b->confirms, 1); /* once for all */
    assert_int_equal(b->session.sent, 3);
    answer(&b->session);
    assert_int_equal(b->done, 1);
}

static void resumed_from_inside(void **state)
{
    struct bench *b = bench_of(state);

    b->resume_at_once = true;
    begin(b, SEQ_TABLE(two_changes), 60000, true);
    answer(&b->session);
    assert_int_equal(b->session.sent, 2);
    answer(&b->session);
    answer(&b->session);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
}

static void no_change_is_sent_after_the_time_is_over(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(two_changes), 1000, true);
    answer(&b->session);
    b->fake.mono += 1000; /* writing it down took too long */
    runner_resume(b->runner);
    assert_int_equal(b->session.sent, 1);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_TIMEOUT);
}

static void freed_while_it_waits_for_the_owner(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(two_changes), 60000, true);
    answer(&b->session);
    runner_free(b->runner);
    b->runner = NULL;
    assert_int_equal(b->session.sent, 1);
    assert_int_equal(b->session.aborted, 0);
}

static void freed_under_way_and_waiting(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, SEQ_TABLE(one_read), 60000, false);
    runner_free(b->runner);
    assert_int_equal(b->session.aborted, 1);
    begin(b, SEQ_TABLE(one_read), 60000, false);
    lose(&b->session, CAUSE_DROPPED);
    assert_true(b->timer_at >= 0);
    runner_free(b->runner);
    b->runner = NULL;
    assert_int_equal(b->timer_at, -1);
    assert_int_equal(b->done, 0);
}

static void a_sequence_that_never_ends_runs_out_of_time(void **state)
{
    struct bench *b = bench_of(state);

    b->seq.forever = true;
    b->seq.wait_ms = 400;
    begin(b, SEQ_TABLE(one_read), 1000, false);
    for (int i = 0; i < 3; i++) {
        answer(&b->session);
        assert_int_equal(pass(b), i < 2 ? 400 : 200);
    }
    assert_int_equal(b->session.sent, 3);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_TIMEOUT);
}

static void failures_of_the_sequence(void **state)
{
    struct bench *b = bench_of(state);

    b->seq.fail_ask = CAUSE_UNSUPPORTED;
    begin(b, SEQ_TABLE(one_read), 60000, false);
    assert_int_equal(pass(b), 0); /* told when the loop turns */
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_UNSUPPORTED);
    runner_free(b->runner);

    b->seq.fail_ask = CAUSE_NONE;
    b->seq.fail_hear = CAUSE_INVALID_STATE;
    b->done = 0;
    begin(b, SEQ_TABLE(two_reads), 60000, false);
    answer(&b->session);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_INVALID_STATE);
}

/* Whoever watches the steps must not take a refusal for a yes. */
static void a_refusal_that_is_borne_is_told(void **state)
{
    struct bench *b = bench_of(state);

    b->seq.fail_hear = CAUSE_INVALID_STATE;
    b->seq.bears_it = true;
    begin(b, SEQ_TABLE(one_read), 60000, false);
    answer(&b->session);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
    assert_string_equal(b->steps, "read 0 heard invalid-state;");
}

static void an_empty_sequence_is_done(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, one_read, 0, 60000, false);
    assert_int_equal(pass(b), 0);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
}

static void freed_before_it_could_say_that_it_is_over(void **state)
{
    struct bench *b = bench_of(state);

    begin(b, one_read, 0, 60000, false);
    runner_free(b->runner);
    b->runner = NULL;
    assert_int_equal(b->timer_at, -1);
    assert_int_equal(b->done, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(runs_to_the_end),
        TEST(freed_in_its_own_end),
        TEST(a_list_takes_several_requests),
        TEST(a_list_is_repeated_from_its_beginning),
        TEST(waits_between_steps),
        TEST(reads_are_repeated_with_back_off),
        TEST(a_repeat_may_succeed_and_the_count_starts_anew),
        TEST(no_repeat_beyond_the_budget),
        TEST(login_and_trust_are_never_repeated),
        TEST(a_change_is_never_repeated),
        TEST(the_sequence_judges_a_lost_change),
        TEST(changes_are_written_down_first),
        TEST(resumed_from_inside),
        TEST(no_change_is_sent_after_the_time_is_over),
        TEST(freed_while_it_waits_for_the_owner),
        TEST(freed_under_way_and_waiting),
        TEST(a_sequence_that_never_ends_runs_out_of_time),
        TEST(failures_of_the_sequence),
        TEST(a_refusal_that_is_borne_is_told),
        TEST(an_empty_sequence_is_done),
        TEST(freed_before_it_could_say_that_it_is_over),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
