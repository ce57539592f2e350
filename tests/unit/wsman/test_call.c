/* An operation over several exchanges: what belongs to it, where it ends, what it never believes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wsman/call.h"

#define HEAD                                                                                                 \
    "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" "                                       \
    "xmlns:b=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "                                          \
    "xmlns:g=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\" "                                         \
    "xmlns:h=\"http://intel.com/wbem/wscim/1/amt-schema/1/AMT_X\"><a:Header><b:RelatesTo>"
#define BODY "</b:RelatesTo></a:Header><a:Body>"
#define END  "</a:Body></a:Envelope>"

/* Feeds one answer to the next body, which is sent under this id. */
static enum wsman_progress feed(struct wsman_call *call, uint32_t id, const char *answer, struct err *err)
{
    struct buf body = buf_init(60000);

    assert_int_equal(wsman_call_body(call, id, &body, err), 0);
    buf_free(&body);
    return wsman_call_answer(call, 200, answer, strlen(answer), err);
}

static struct wsman_call *new_call(enum wsman_verb verb)
{
    return wsman_call_new(wsman_request_new(verb, "AMT_X", verb == WSMAN_INVOKE ? "Do" : NULL));
}

static void an_enumerate_keeps_every_item_of_every_pull(void **state)
{
    struct wsman_call *call = new_call(WSMAN_ENUMERATE);
    struct err err = ERR_INIT;
    uint32_t value = 0;

    (void)state;
    assert_int_equal(feed(call, 1,
                          HEAD "1" BODY "<g:EnumerateResponse><g:EnumerationContext>c1</g:EnumerationContext>"
                               "</g:EnumerateResponse>" END,
                          &err),
                     WSMAN_AGAIN);
    assert_int_equal(feed(call, 2,
                          HEAD "2" BODY "<g:PullResponse><g:EnumerationContext>c2</g:EnumerationContext>"
                               "<g:Items><h:AMT_X><h:V>1</h:V></h:AMT_X><h:AMT_X><h:V>2</h:V></h:AMT_X>"
                               "</g:Items></g:PullResponse>" END,
                          &err),
                     WSMAN_AGAIN);
    assert_int_equal(feed(call, 3,
                          HEAD "3" BODY "<g:PullResponse><g:Items><h:AMT_X><h:V>3</h:V></h:AMT_X></g:Items>"
                               "<g:EndOfSequence></g:EndOfSequence></g:PullResponse>" END,
                          &err),
                     WSMAN_FINISHED);
    assert_int_equal(wsman_call_count(call), 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(wsman_u32(wsman_call_obj(call, i), "V", &value));
        assert_int_equal(value, i + 1);
    }
    assert_non_null(wsman_call_find(call, "V", "2").doc);
    assert_null(wsman_call_find(call, "V", "4").doc);
    assert_null(wsman_call_obj(call, 3).doc);
    wsman_call_free(call);
}

static void an_endless_enumerate_ends(void **state)
{
    struct wsman_call *call = new_call(WSMAN_ENUMERATE);
    struct err err = ERR_INIT;
    enum wsman_progress progress;
    int rounds = 0;

    (void)state;
    do {
        char text[1024];

        snprintf(text, sizeof(text),
                 HEAD "%d" BODY "<g:%s><g:EnumerationContext>c</g:EnumerationContext></g:%s>" END, rounds,
                 rounds == 0 ? "EnumerateResponse" : "PullResponse",
                 rounds == 0 ? "EnumerateResponse" : "PullResponse");
        progress = feed(call, (uint32_t)rounds, text, &err);
        rounds++;
    } while (progress == WSMAN_AGAIN && rounds < 1000);
    assert_int_equal(progress, WSMAN_FAILED);
    assert_int_equal(err.cause, CAUSE_TOO_LARGE);
    assert_int_equal(rounds, WSMAN_PULLS_MAX + 1);
    wsman_call_free(call);
}

static void an_enumerate_without_a_context_is_a_bad_answer(void **state)
{
    struct wsman_call *call = new_call(WSMAN_ENUMERATE);
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(feed(call, 1, HEAD "1" BODY "<g:EnumerateResponse></g:EnumerateResponse>" END, &err),
                     WSMAN_FAILED);
    assert_int_equal(err.cause, CAUSE_BAD_ANSWER);
    wsman_call_free(call);
}

/* A list cut short would say of what is missing that it is not there. */
static void a_pull_answered_with_something_else_is_a_bad_answer(void **state)
{
    static const char *const bodies[] = {"", "<h:AMT_X></h:AMT_X>",
                                         "<g:EnumerateResponse></g:EnumerateResponse>"};

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct wsman_call *call = new_call(WSMAN_ENUMERATE);
        struct err err = ERR_INIT;
        char text[1024];

        assert_int_equal(feed(call, 1,
                              HEAD "1" BODY
                                   "<g:EnumerateResponse><g:EnumerationContext>c</g:EnumerationContext>"
                                   "</g:EnumerateResponse>" END,
                              &err),
                         WSMAN_AGAIN);
        snprintf(text, sizeof(text), HEAD "2" BODY "%s" END, bodies[i]);
        assert_int_equal(feed(call, 2, text, &err), WSMAN_FAILED);
        assert_int_equal(err.cause, CAUSE_BAD_ANSWER);
        wsman_call_free(call);
    }
}

/* The answer to a change that was given up must not be taken for the answer to the next one. */
static void an_answer_to_another_request_is_refused(void **state)
{
    static const char *const strangers[] = {"4", "50", "x5", "-5", "4294967301"};

    (void)state;
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        struct wsman_call *call = new_call(WSMAN_INVOKE);
        struct err err = ERR_INIT;
        char text[1024];

        snprintf(text, sizeof(text),
                 HEAD "%s" BODY "<h:Do_OUTPUT><h:ReturnValue>0</h:ReturnValue></h:Do_OUTPUT>" END,
                 strangers[i]);
        assert_int_equal(feed(call, 5, text, &err), WSMAN_FAILED);
        assert_int_equal(err.cause, CAUSE_BAD_ANSWER);
        assert_int_equal(wsman_call_count(call), 0);
        wsman_call_free(call);
    }
}

static void a_return_value_is_a_result(void **state)
{
    struct wsman_call *call = new_call(WSMAN_INVOKE);
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(feed(call, 5,
                          HEAD "5" BODY "<h:Do_OUTPUT><h:ReturnValue>2081</h:ReturnValue></h:Do_OUTPUT>" END,
                          &err),
                     WSMAN_FINISHED);
    assert_int_equal(wsman_call_return_value(call), 2081);
    wsman_call_free(call);
}

/* A page of a proxy or of another web server says less than its status. */
/* Nothing that lacks the method's own output and its number passes for success. */
static void a_method_answered_without_its_output_is_a_bad_answer(void **state)
{
    static const char *const answers[] = {
        HEAD "1" BODY END,
        HEAD "1" BODY "<h:Other_OUTPUT><h:ReturnValue>0</h:ReturnValue></h:Other_OUTPUT>" END,
        HEAD "1" BODY "<h:Do_OUTPUT></h:Do_OUTPUT>" END,
        HEAD "1" BODY "<h:Do_OUTPUT><h:ReturnValue>zero</h:ReturnValue></h:Do_OUTPUT>" END,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct wsman_call *call = new_call(WSMAN_INVOKE);
        struct err err = ERR_INIT;

        assert_int_equal(feed(call, 1, answers[i], &err), WSMAN_FAILED);
        assert_int_equal(err.cause, CAUSE_BAD_ANSWER);
        wsman_call_free(call);
    }
}

static void a_status_speaks_for_a_page_that_is_no_xml(void **state)
{
    static const struct {
        int status;
        enum cause cause;
        const char *code;
    } rows[] = {
        {200, CAUSE_BAD_ANSWER, ""},
        {302, CAUSE_NOT_AMT, "HTTP 302"},
        {400, CAUSE_INVALID_VALUE, "HTTP 400"},
        {401, CAUSE_AUTH_FAILED, "HTTP 401"},
        {403, CAUSE_ACCESS_DENIED, "HTTP 403"},
        {404, CAUSE_NOT_AMT, "HTTP 404"},
        {500, CAUSE_FAULT, "HTTP 500"},
        {503, CAUSE_BUSY, "HTTP 503"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wsman_call *call = new_call(WSMAN_GET);
        struct err err = ERR_INIT;

        assert_int_equal(wsman_call_answer(call, rows[i].status, "hello", 5, &err), WSMAN_FAILED);
        assert_int_equal(err.cause, rows[i].cause);
        assert_string_equal(err.code, rows[i].code);
        wsman_call_free(call);
    }
}

/* Of what only reads, this fault is no limit of objects, whose remedy would be to remove some. */
static void a_quota_is_a_busy_service_for_what_only_reads(void **state)
{
    static const struct {
        enum wsman_verb verb;
        enum cause cause;
    } rows[] = {{WSMAN_GET, CAUSE_BUSY},
                {WSMAN_ENUMERATE, CAUSE_BUSY},
                {WSMAN_CREATE, CAUSE_LIMIT_EXCEEDED},
                {WSMAN_PUT, CAUSE_LIMIT_EXCEEDED},
                {WSMAN_INVOKE, CAUSE_LIMIT_EXCEEDED}};
    static const char fault[] =
        HEAD "1" BODY "<a:Fault><a:Code><a:Value>a:Sender</a:Value><a:Subcode><a:Value>e:QuotaLimit</a:Value>"
             "</a:Subcode></a:Code><a:Reason><a:Text>busy</a:Text></a:Reason></a:Fault>" END;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wsman_call *call = new_call(rows[i].verb);
        struct err err = ERR_INIT;

        assert_int_equal(feed(call, 1, fault, &err), WSMAN_FAILED);
        assert_int_equal(err.cause, rows[i].cause);
        assert_string_equal(err.code, "e:QuotaLimit");
        wsman_call_free(call);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_enumerate_keeps_every_item_of_every_pull),
        cmocka_unit_test(an_endless_enumerate_ends),
        cmocka_unit_test(an_enumerate_without_a_context_is_a_bad_answer),
        cmocka_unit_test(a_pull_answered_with_something_else_is_a_bad_answer),
        cmocka_unit_test(an_answer_to_another_request_is_refused),
        cmocka_unit_test(a_return_value_is_a_result),
        cmocka_unit_test(a_method_answered_without_its_output_is_a_bad_answer),
        cmocka_unit_test(a_status_speaks_for_a_page_that_is_no_xml),
        cmocka_unit_test(a_quota_is_a_busy_service_for_what_only_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
