/* Answers that are read elsewhere, and sequences that hold on meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/wsman/runner_bench.h"

static void answers_are_read_elsewhere(void **state)
{
    struct bench *b = bench_of(state);

    b->reads_elsewhere = true;
    begin(b, SEQ_TABLE(two_reads), 10000, false);
    answer(&b->session);
    assert_false(b->session.busy);
    assert_int_equal(b->seq.heard, 0);
    runner_timer(b->runner); /* not what it waits for */
    runner_resume(b->runner);
    assert_false(b->session.busy);
    read_now(b);
    assert_int_equal(b->seq.heard, 1);
    assert_true(b->session.busy);
    answer_body(&b->session, "<no><end></no>"); /* no XML: for good, as if it had been read at once */
    read_now(b);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_BAD_ANSWER);
}

static void a_list_is_read_elsewhere(void **state)
{
    struct bench *b = bench_of(state);

    b->reads_elsewhere = true;
    begin(b, SEQ_TABLE(one_list), 10000, false);
    answer_body(&b->session, "<e:EnumerateResponse><e:EnumerationContext>7</e:EnumerationContext>"
                             "</e:EnumerateResponse>");
    read_now(b);
    assert_true(b->session.busy); /* the Pull */
    answer_body(&b->session, "<e:PullResponse><e:Items/><e:EndOfSequence/></e:PullResponse>");
    read_now(b);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
}

static void a_status_is_read_elsewhere(void **state)
{
    struct bench *b = bench_of(state);

    b->reads_elsewhere = true;
    begin(b, SEQ_TABLE(one_read), 10000, false);
    answer_status(&b->session, 503);
    read_now(b);
    assert_int_equal(b->done, 0); /* busy passes */
    pass(b);
    answer(&b->session);
    read_now(b);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
}

static void freed_while_an_answer_is_read(void **state)
{
    struct bench *b = bench_of(state);

    b->reads_elsewhere = true;
    begin(b, SEQ_TABLE(one_read), 10000, false);
    answer(&b->session);
    runner_free(b->runner);
    b->runner = NULL;
    assert_int_equal(b->forgotten, 1);
    assert_int_equal(b->done, 0);
}

/* What is to be done outside comes between two steps; it may be done at once, or never. */
static void holds_on_until_resumed(void **state)
{
    struct bench *b = bench_of(state);

    b->seq.hold = true;
    begin(b, SEQ_TABLE(two_reads), 10000, false);
    answer(&b->session);
    assert_int_equal(b->holds, 1);
    assert_false(b->session.busy);
    runner_timer(b->runner); /* not what it waits for */
    assert_false(b->session.busy);
    b->seq.hold = false;
    runner_resume(b->runner);
    assert_true(b->session.busy);
    runner_resume(b->runner); /* nothing to resume */
    answer(&b->session);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
}

static void holds_on_for_no_time(void **state)
{
    struct bench *b = bench_of(state);

    b->seq.hold = b->resume_at_once = true;
    begin(b, SEQ_TABLE(two_reads), 10000, false);
    answer(&b->session);
    answer(&b->session);
    assert_int_equal(b->holds, 1); /* behind the last step there is nothing to wait for */
    assert_int_equal(b->done, 1);
}

static void ends_while_it_holds_on(void **state)
{
    struct bench *b = bench_of(state);

    b->seq.hold = true;
    begin(b, SEQ_TABLE(two_reads), 10000, false);
    answer(&b->session);
    assert_int_equal(b->holds, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(answers_are_read_elsewhere),    TEST(a_list_is_read_elsewhere), TEST(a_status_is_read_elsewhere),
        TEST(freed_while_an_answer_is_read), TEST(holds_on_until_resumed),   TEST(holds_on_for_no_time),
        TEST(ends_while_it_holds_on),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
