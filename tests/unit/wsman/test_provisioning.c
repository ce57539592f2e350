/* Whether a device that denies access is provisioned: every answer to the one question. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wsman/provisioning.h"

#define ENVELOPE(inner)                                                                                      \
    "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" "                                       \
    "xmlns:e=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" "                                            \
    "xmlns:b=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "                                          \
    "xmlns:g=\"http://intel.com/wbem/wscim/1/amt-schema/1/AMT_SetupAndConfigurationService\"><a:Header/>"    \
    "<a:Body>" inner "</a:Body></a:Envelope>"
#define SETUP(inner)                                                                                         \
    ENVELOPE("<g:AMT_SetupAndConfigurationService>" inner "</g:AMT_SetupAndConfigurationService>")
#define FAULT(subcode)                                                                                       \
    ENVELOPE("<a:Fault><a:Code><a:Value>a:Sender</a:Value><a:Subcode><a:Value>" subcode                      \
             "</a:Value></a:Subcode></a:Code><a:Reason><a:Text>No</a:Text></a:Reason></a:Fault>")

static const struct row {
    const char *name;
    int status;
    const char *body;
    enum cause cause;
    const char *code;
} rows[] = {
    {"before", 200, SETUP("<g:ProvisioningState>0</g:ProvisioningState>"), CAUSE_NOT_PROVISIONED,
     "ProvisioningState 0"},
    {"under way", 200, SETUP("<g:ProvisioningState>1</g:ProvisioningState>"), CAUSE_NOT_PROVISIONED,
     "ProvisioningState 1"},
    {"done", 200, SETUP("<g:ProvisioningState>2</g:ProvisioningState>"), CAUSE_NONE, ""},
    {"not told", 200, SETUP(""), CAUSE_NONE, ""},
    {"no such class", 400, FAULT("b:DestinationUnreachable"), CAUSE_NONE, ""},
    {"denied too", 400, FAULT("e:AccessDenied"), CAUSE_ACCESS_DENIED, "e:AccessDenied"},
};

/* err: how the sequence ends. */
static void ask(const struct row *row, struct err *err)
{
    struct provisioning_seq ps;
    struct wsman_call *call, *next;
    struct err failure = ERR_INIT;
    struct buf body = buf_init(60000);
    int64_t wait = 0;
    bool finished;

    provisioning_seq_init(&ps);
    assert_int_equal(seq_next(&ps.seq, &call, &wait, err), SEQ_WANT_SEND);
    assert_true(seq_may_repeat(&ps.seq));
    assert_int_equal(wsman_call_body(call, 1, &body, &failure), 0);
    assert_non_null(strstr(buf_str(&body), "/AMT_SetupAndConfigurationService<"));
    finished = wsman_call_answer(call, row->status, row->body, strlen(row->body), &failure) == WSMAN_FINISHED;
    if (seq_heard(&ps.seq, call, finished ? NULL : &failure, err) == 0) {
        err_clear(err);
        assert_int_equal(seq_next(&ps.seq, &next, &wait, err), SEQ_WANT_DONE);
    }
    wsman_call_free(call);
    buf_free(&body);
}

static void every_answer_has_its_cause(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = ERR_INIT;

        ask(&rows[i], &err);
        if (err.cause != rows[i].cause || strcmp(err.code, rows[i].code) != 0)
            fail_msg("%s: %s '%s'", rows[i].name, cause_name(err.cause), err.code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_answer_has_its_cause)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
