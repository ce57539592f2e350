/* Calls put over the SOAP interface of AMT 1 to 5: what is asked, and what is made of the answers, good and
 * bad. (reference eoi.md) */
#include <stdio.h>
#include <string.h>

#include "tests/unit/wsman/eoi_bench.h"
#include "wsman/answer.h"
#include "wsman/interface.h"
#include "wsman/power.h"

#define RCI   "/RemoteControlService"
#define STATE "GetSystemPowerState"

static uint32_t power_of(struct bench *b)
{
    uint32_t state = UINT32_MAX;

    wsman_u32(wsman_call_obj(b->call, 0), "PowerState", &state);
    return state;
}

static void reads_the_power_state(void **state)
{
    static const struct {
        unsigned sent;
        enum power_state read;
    } rows[] = {{0, POWER_ON},       {3, POWER_SLEEP_DEEP}, {4, POWER_HIBERNATE}, {5, POWER_OFF_SOFT},
                {7, POWER_OFF_HARD}, {14, POWER_UNKNOWN},   {0x10, POWER_ON} /* higher bits mean nothing */};
    struct bench *b = *state;
    char members[128];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(bench_get(b, "CIM_AssociatedPowerManagementService"), EOI_SEND);
        bench_asks(b, RCI, "<rci:GetSystemPowerState>");
        snprintf(members, sizeof(members), "<Status>0</Status><SystemPowerState>%u</SystemPowerState>",
                 rows[i].sent);
        assert_int_equal(bench_answer(b, NS_RCI, STATE, members), EOI_FINISHED);
        assert_int_equal(power_of(b), rows[i].read);
    }
}

static void elements_in_another_order(void **state)
{
    struct bench *b = *state;

    bench_get(b, "CIM_AssociatedPowerManagementService");
    assert_int_equal(bench_answer(b, NS_RCI, STATE,
                                  "<New>1</New><SystemPowerState>5</SystemPowerState><Status>0</Status>"),
                     EOI_FINISHED);
    assert_int_equal(power_of(b), POWER_OFF_SOFT);
}

static void missing_elements(void **state)
{
    struct bench *b = *state;

    bench_get(b, "CIM_AssociatedPowerManagementService");
    assert_int_equal(bench_answer(b, NS_RCI, STATE, "<Status>0</Status>"), EOI_FAILED);
    assert_int_equal(b->err.cause, CAUSE_BAD_ANSWER);
    bench_get(b, "CIM_AssociatedPowerManagementService");
    assert_int_equal(bench_answer(b, NS_RCI, STATE, "<SystemPowerState>5</SystemPowerState>"), EOI_FAILED);
    assert_int_equal(b->err.cause, CAUSE_BAD_ANSWER);
    bench_get(b, "CIM_AssociatedPowerManagementService");
    assert_int_equal(bench_answer(b, NS_RCI, "SomethingElse", ""), EOI_FAILED);
    assert_int_equal(b->err.cause, CAUSE_BAD_ANSWER);
}

static void statuses_become_causes(void **state)
{
    static const struct {
        unsigned status;
        enum cause cause;
        const char *code;
    } rows[] = {{0x10, CAUSE_ACCESS_DENIED, "PT_STATUS 0x10"},
                {0x2, CAUSE_BUSY, "PT_STATUS 0x2"},
                {0x812, CAUSE_UNSUPPORTED, "PT_STATUS 0x812"},
                {0x1337, CAUSE_FAULT, "PT_STATUS 0x1337"}};
    struct bench *b = *state;
    char members[64];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bench_get(b, "CIM_AssociatedPowerManagementService");
        snprintf(members, sizeof(members), "<Status>%u</Status>", rows[i].status);
        assert_int_equal(bench_answer(b, NS_RCI, STATE, members), EOI_FAILED);
        assert_int_equal(b->err.cause, rows[i].cause);
        assert_string_equal(b->err.code, rows[i].code);
    }
}

static void soap_faults_and_http_statuses(void **state)
{
    struct bench *b = *state;

    bench_get(b, "CIM_AssociatedPowerManagementService");
    assert_int_equal(bench_answer_document(
                         b, 500,
                         "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault>"
                         "<faultcode>s:Server</faultcode><faultstring>out of sorts</faultstring></s:Fault>"
                         "</s:Body></s:Envelope>"),
                     EOI_FAILED);
    assert_int_equal(b->err.cause, CAUSE_FAULT);
    assert_non_null(strstr(b->err.text, "out of sorts"));
    bench_get(b, "CIM_AssociatedPowerManagementService");
    assert_int_equal(bench_answer_document(b, 503, "<html>busy</html>"), EOI_FAILED);
    assert_int_equal(b->err.cause, CAUSE_BUSY);
    bench_get(b, "CIM_AssociatedPowerManagementService");
    assert_int_equal(bench_answer_document(b, 404, ""), EOI_FAILED);
    assert_true(wsman_fault_is_absent(&b->err));
}

static void what_is_no_answer(void **state)
{
    static const char bomb[] =
        "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY e0 \"boom\"><!ENTITY e1 \"&e0;&e0;\">]>"
        "<s:Envelope "
        "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>&e1;</s:Body></s:Envelope>";
    static const char *const documents[] = {
        "", "<", "\xff\xfe", "<s:Envelope", "{}", "--mime\r\n\r\n<a/>", "\x0c\x00dime", bomb};
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        bench_get(b, "CIM_AssociatedPowerManagementService");
        assert_int_equal(bench_answer_document(b, 200, documents[i]), EOI_FAILED);
        assert_int_equal(b->err.cause, CAUSE_BAD_ANSWER);
    }
}

static void deep_answers_end(void **state)
{
    struct bench *b = *state;
    struct buf text = buf_init(1 << 20);

    buf_puts(&text, "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>");
    for (int i = 0; i < 5000; i++)
        buf_puts(&text, "<a>");
    bench_get(b, "CIM_AssociatedPowerManagementService");
    assert_int_equal(bench_answer_document(b, 200, buf_str(&text)), EOI_FAILED);
    buf_free(&text);
}

static void what_has_no_counterpart_is_absent(void **state)
{
    struct bench *b = *state;

    assert_int_equal(bench_get(b, "IPS_OptInService"), EOI_FAILED);
    assert_int_equal(b->err.cause, CAUSE_UNSUPPORTED);
    assert_true(wsman_fault_is_absent(&b->err));
}

/* --- commands --- */

static enum eoi_progress request_power(struct bench *b, enum power_state request)
{
    struct wsman_request *rq =
        wsman_request_new(WSMAN_INVOKE, "CIM_PowerManagementService", "RequestPowerStateChange");

    wsman_add_u32(rq, "PowerState", request);
    return bench_begin(b, rq);
}

static void power_requests_are_commands(void **state)
{
    static const struct {
        enum power_state request;
        const char *command;
    } rows[] = {{POWER_ON, "<rci:Command>17<"},
                {POWER_OFF_SOFT, "<rci:Command>18<"},
                {POWER_CYCLE_OFF_SOFT, "<rci:Command>19<"},
                {POWER_RESET, "<rci:Command>16<"}};
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(request_power(b, rows[i].request), EOI_SEND);
        bench_asks(b, RCI, rows[i].command);
        bench_asks(b, RCI, "<rci:IanaOemNumber>343<");
        assert_null(strstr(buf_str(eoi_body(b->eoi)), "SpecialCommand"));
        assert_int_equal(bench_answer(b, NS_RCI, "RemoteControl", "<Status>0</Status>"), EOI_FINISHED);
        assert_int_equal(wsman_call_return_value(b->call), 0);
    }
    assert_int_equal(request_power(b, POWER_RESET), EOI_SEND);
    assert_int_equal(bench_answer(b, NS_RCI, "RemoteControl", "<Status>2051</Status>"), EOI_FINISHED);
    wsman_return_value_to_err("CIM_PowerManagementService", "RequestPowerStateChange",
                              wsman_call_return_value(b->call), &b->err);
    assert_int_equal(b->err.cause, CAUSE_INVALID_STATE);
    assert_int_equal(request_power(b, POWER_NMI), EOI_FINISHED); /* nothing to ask */
    assert_int_equal(wsman_call_return_value(b->call), 1);
}

static void put_boot_settings(struct bench *b, const char *flag, uint32_t media)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_PUT, "AMT_BootSettingData", NULL);

    if (flag)
        wsman_add_bool(rq, flag, true);
    wsman_add_bool(rq, "LockKeyboard", true);
    wsman_add_u32(rq, "BootMediaIndex", media);
    wsman_add_u32(rq, "IDERBootDevice", 1);
    assert_int_equal(bench_begin(b, rq), EOI_FINISHED);
    rq = wsman_request_new(WSMAN_INVOKE, "CIM_BootService", "SetBootConfigRole");
    wsman_add_u32(rq, "Role", 1);
    assert_int_equal(bench_begin(b, rq), EOI_FINISHED);
}

static void order_boot(struct bench *b, const char *source)
{
    const struct wsman_selector selectors[] = {{"InstanceID", source}, {NULL, NULL}};
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, "CIM_BootConfigSetting", "ChangeBootOrder");

    wsman_add_epr(rq, "Source", "CIM_BootSourceSetting", selectors);
    assert_int_equal(bench_begin(b, rq), EOI_FINISHED);
}

/* The options travel with the command that starts the machine, once. */
static void boot_options_go_with_the_command(void **state)
{
    struct bench *b = *state;

    put_boot_settings(b, NULL, 2);
    order_boot(b, "Intel(r) AMT: Force CD/DVD Boot");
    assert_int_equal(wsman_call_return_value(b->call), 0);
    assert_int_equal(request_power(b, POWER_RESET), EOI_SEND);
    bench_asks(b, RCI,
               "<rci:SpecialCommand>5</rci:SpecialCommand><rci:SpecialCommandParameter>2</"
               "rci:SpecialCommandParameter><rci:BootOptions>32</rci:BootOptions>");
    assert_int_equal(bench_answer(b, NS_RCI, "RemoteControl", "<Status>0</Status>"), EOI_FINISHED);
    assert_int_equal(eoi_end(b->eoi, &b->err), EOI_FINISHED);

    put_boot_settings(b, "UseIDER", 0);
    assert_int_equal(request_power(b, POWER_RESET), EOI_SEND);
    bench_asks(b, RCI, "<rci:SpecialCommand>193</rci:SpecialCommand><rci:SpecialCommandParameter>257<");
    assert_int_equal(bench_answer(b, NS_RCI, "RemoteControl", "<Status>0</Status>"), EOI_FINISHED);
}

/* Without one they are a command of their own at the end. */
static void boot_options_alone(void **state)
{
    struct bench *b = *state;

    put_boot_settings(b, "BIOSSetup", 0);
    assert_int_equal(eoi_end(b->eoi, &b->err), EOI_SEND);
    bench_asks(b, RCI, "<rci:Command>33<");
    bench_asks(b, RCI, "<rci:SpecialCommand>193</rci:SpecialCommand><rci:SpecialCommandParameter>8<");
    assert_int_equal(bench_answer(b, NS_RCI, "RemoteControl", "<Status>2051</Status>"), EOI_FAILED);
    assert_int_equal(b->err.cause, CAUSE_INVALID_VALUE);
    assert_int_equal(eoi_end(b->eoi, &b->err), EOI_FINISHED);
}

static void versions_tell_the_interface(void **state)
{
    (void)state;
    assert_int_equal(interface_of_version("1.0"), INTERFACE_EOI);
    assert_int_equal(interface_of_version("2.6.20"), INTERFACE_EOI);
    assert_int_equal(interface_of_version("3.2.1"), INTERFACE_UNKNOWN);
    assert_int_equal(interface_of_version("8.1"), INTERFACE_UNKNOWN);
    assert_int_equal(interface_of_version("9.0"), INTERFACE_WSMAN);
    assert_int_equal(interface_of_version("16.1.25"), INTERFACE_WSMAN);
    assert_int_equal(interface_of_version(""), INTERFACE_UNKNOWN);
    assert_int_equal(interface_of_version(NULL), INTERFACE_UNKNOWN);
    assert_int_equal(interface_by_name("eoi"), INTERFACE_EOI);
    assert_int_equal(interface_by_name("other"), INTERFACE_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(reads_the_power_state),
        BENCH_TEST(elements_in_another_order),
        BENCH_TEST(missing_elements),
        BENCH_TEST(statuses_become_causes),
        BENCH_TEST(soap_faults_and_http_statuses),
        BENCH_TEST(what_is_no_answer),
        BENCH_TEST(deep_answers_end),
        BENCH_TEST(what_has_no_counterpart_is_absent),
        BENCH_TEST(power_requests_are_commands),
        BENCH_TEST(boot_options_go_with_the_command),
        BENCH_TEST(boot_options_alone),
        BENCH_TEST(versions_tell_the_interface),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
