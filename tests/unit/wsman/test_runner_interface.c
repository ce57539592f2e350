/* Which interface a device speaks, found out on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/wsman/runner_bench.h"

static void answer_names(struct http_session *session)
{
    assert_string_equal(session->path, "/NetworkAdministrationService");
    assert_string_equal(session->operation, "net:GetHostName");
    answer_eoi(session, "<HostName>pc1</HostName>");
    assert_string_equal(session->operation, "net:GetDomainName");
    answer_eoi(session, "<DomainName>example</DomainName>");
    assert_string_equal(session->path, "/SecurityAdministrationService");
    answer_eoi(session, "<DigestRealm>Digest:1</DigestRealm>");
}

static void turns_to_the_other_interface(void **state)
{
    struct bench *b = bench_of(state);

    b->session.server = "Intel(R) Active Management Technology 5.2.70";
    begin(b, SEQ_TABLE(two_reads), 60000, false);
    assert_string_equal(b->session.path, ""); /* 5 may have both: the newer first */
    assert_int_equal(runner_interface(b->runner), INTERFACE_UNKNOWN);
    answer_status(&b->session, 404);
    answer_names(&b->session);
    assert_int_equal(runner_interface(b->runner), INTERFACE_EOI);
    answer_names(&b->session); /* the second step at once */
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_NONE);
    assert_int_equal(b->seq.heard, 2);
}

static void the_version_tells_the_interface(void **state)
{
    struct bench *b = bench_of(state);

    b->session.server = "Intel(R) Active Management Technology 2.6.20";
    begin(b, SEQ_TABLE(one_read), 60000, false);
    answer_names(&b->session);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->seq.heard, 1);
}

static void what_is_known_is_used(void **state)
{
    struct bench *b = bench_of(state);

    b->interface = INTERFACE_EOI;
    begin(b, SEQ_TABLE(one_read), 60000, false);
    answer_names(&b->session);
    assert_int_equal(b->done, 1);
    assert_int_equal(runner_interface(b->runner), INTERFACE_EOI);
}

/* The firmware was updated: what was known of it does not hold any more. */
static void known_interface_is_gone(void **state)
{
    struct bench *b = bench_of(state);

    b->interface = INTERFACE_EOI;
    b->session.server = "Intel(R) Active Management Technology 9.1.45";
    begin(b, SEQ_TABLE(one_read), 60000, false);
    assert_string_equal(b->session.path, "/NetworkAdministrationService");
    answer_status(&b->session, 404);
    assert_string_equal(b->session.path, "");
    answer(&b->session);
    assert_int_equal(b->done, 1);
    assert_int_equal(runner_interface(b->runner), INTERFACE_WSMAN);
}

static void newer_firmware_and_others_are_asked_once(void **state)
{
    static const char *const servers[] = {"Intel(R) Active Management Technology 16.0.15", "nginx", ""};

    for (size_t i = 0; i < 3; i++) {
        struct bench *b = bench_of(state);

        b->session.server = servers[i];
        b->done = 0;
        begin(b, SEQ_TABLE(one_read), 60000, false);
        answer_status(&b->session, 404);
        assert_int_equal(b->done, 1);
        assert_int_equal(b->failure.cause, CAUSE_NOT_AMT);
        runner_free(b->runner);
        b->runner = NULL;
    }
}

static void neither_interface(void **state)
{
    struct bench *b = bench_of(state);

    b->session.server = "Intel(R) Active Management Technology 5.2.70";
    begin(b, SEQ_TABLE(one_read), 60000, false);
    answer_status(&b->session, 404);
    answer_status(&b->session, 404);
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failure.cause, CAUSE_UNSUPPORTED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(turns_to_the_other_interface),
        TEST(the_version_tells_the_interface),
        TEST(what_is_known_is_used),
        TEST(known_interface_is_gone),
        TEST(newer_firmware_and_others_are_asked_once),
        TEST(neither_interface),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
