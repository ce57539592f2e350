/* The exact text of requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wsman/request.h"

#define HEAD                                                                                                 \
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><Envelope xmlns=\"http://www.w3.org/2003/05/soap-envelope\" " \
    "xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "                                          \
    "xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><Header><a:Action>"
#define TAIL(id)                                                                                             \
    "</w:ResourceURI><a:MessageID>" id                                                                       \
    "</a:MessageID><a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"    \
    "</a:Address></a:ReplyTo><w:OperationTimeout>PT60S</w:OperationTimeout>"
#define POWER "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_PowerManagementService"

static void expect(struct wsman_request *rq, uint32_t id, const char *text)
{
    struct buf out = buf_init(60000);
    struct err err = ERR_INIT;

    assert_int_equal(wsman_write(rq, id, &out, &err), 0);
    assert_string_equal(buf_str(&out), text);
    buf_free(&out);
    wsman_request_free(rq);
}

static void get(void **state)
{
    (void)state;
    expect(wsman_request_new(WSMAN_GET, "AMT_GeneralSettings", NULL), 7,
           HEAD
           "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action><a:To>/wsman</a:To><w:ResourceURI>"
           "http://intel.com/wbem/wscim/1/amt-schema/1/AMT_GeneralSettings" TAIL(
               "7") "</Header><Body></Body></Envelope>");
}

static void request_power_state_change(void **state)
{
    static const struct wsman_selector system[] = {
        {"CreationClassName", "CIM_ComputerSystem"}, {"Name", "ManagedSystem"}, {NULL, NULL}};
    struct wsman_request *rq =
        wsman_request_new(WSMAN_INVOKE, "CIM_PowerManagementService", "RequestPowerStateChange");

    (void)state;
    wsman_add_u32(rq, "PowerState", 8);
    wsman_add_epr(rq, "ManagedElement", "CIM_ComputerSystem", system);
    expect(rq, 1,
           HEAD POWER "/RequestPowerStateChange</a:Action><a:To>/wsman</a:To><w:ResourceURI>" POWER TAIL(
               "1") "</Header><Body><r:RequestPowerStateChange_INPUT xmlns:r=\"" POWER
                    "\"><r:PowerState>8</r:PowerState>"
                    "<r:ManagedElement><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/"
                    "anonymous"
                    "</a:Address><a:ReferenceParameters><w:ResourceURI>http://schemas.dmtf.org/wbem/wscim/1/"
                    "cim-schema/2/"
                    "CIM_ComputerSystem</w:ResourceURI><w:SelectorSet><w:Selector Name=\"CreationClassName\">"
                    "CIM_ComputerSystem</w:Selector><w:Selector "
                    "Name=\"Name\">ManagedSystem</w:Selector></w:SelectorSet>"
                    "</a:ReferenceParameters></r:ManagedElement></r:RequestPowerStateChange_INPUT></Body></"
                    "Envelope>");
}

static void values_are_escaped(void **state)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_DELETE, "IPS_AlarmClockOccurrence", NULL);

    (void)state;
    wsman_select(rq, "InstanceID", "a<b>&\"c\"");
    expect(
        rq, 2,
        HEAD
        "http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete</a:Action><a:To>/wsman</a:To><w:ResourceURI>"
        "http://intel.com/wbem/wscim/1/ips-schema/1/IPS_AlarmClockOccurrence" TAIL(
            "2") "<w:SelectorSet><w:Selector Name=\"InstanceID\">a&lt;b&gt;&amp;&quot;c&quot;</w:Selector>"
                 "</w:SelectorSet></Header><Body></Body></Envelope>");
}

static void pull_and_release(void **state)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_ENUMERATE, "CIM_SoftwareIdentity", NULL);
    struct buf out = buf_init(60000);

    (void)state;
    assert_int_equal(wsman_write_pull(rq, 3, "D6020000-0000", &out, NULL), 0);
    assert_non_null(strstr(buf_str(&out), "enumeration/Pull</a:Action>"));
    assert_non_null(strstr(buf_str(&out),
                           "<Pull xmlns=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\">"
                           "<EnumerationContext>D6020000-0000</EnumerationContext>"
                           "<MaxElements>999</MaxElements><MaxCharacters>99999</MaxCharacters></Pull>"));
    buf_reset(&out);
    assert_int_equal(wsman_write_release(rq, 4, "D6020000-0000", &out, NULL), 0);
    assert_non_null(strstr(buf_str(&out), "enumeration/Release</a:Action>"));
    buf_free(&out);
    wsman_request_free(rq);
}

/* Read-modify-write: everything that was read goes back, but for what is dropped and replaced. */
static void an_instance_goes_back_as_it_came(void **state)
{
    static const char text[] =
        "<g:IPS_AlarmClockOccurrence "
        "xmlns:g=\"http://intel.com/wbem/wscim/1/ips-schema/1/IPS_AlarmClockOccurrence\" "
        "xmlns:h=\"http://schemas.dmtf.org/wbem/wscim/1/common\"><g:ElementName>e</g:ElementName>"
        "<g:Interval><h:Interval>P1D</h:Interval></g:Interval><g:OptionsCleared>true</g:OptionsCleared>"
        "<g:StartTime><h:Datetime>2026-01-01T00:00:00Z</h:Datetime></g:StartTime></"
        "g:IPS_AlarmClockOccurrence>";
    static const char *const drop[] = {"OptionsCleared", NULL};
    struct xml_doc *doc = xml_parse(text, sizeof(text) - 1, 10000, "t", NULL);
    struct wsman_request *rq = wsman_request_new(WSMAN_PUT, "IPS_AlarmClockOccurrence", NULL);
    struct buf out = buf_init(60000);

    (void)state;
    wsman_add_instance(rq, doc, xml_root(doc), drop);
    assert_true(wsman_replace_str(rq, "ElementName", "new"));
    assert_false(wsman_replace_bool(rq, "NotThere", true));
    assert_true(wsman_has(rq, "Interval"));
    assert_false(wsman_has(rq, "OptionsCleared"));
    assert_int_equal(wsman_write(rq, 1, &out, NULL), 0);
    assert_non_null(strstr(buf_str(&out),
                           "<r:ElementName>new</r:ElementName><r:Interval><p:Interval "
                           "xmlns:p=\"http://schemas.dmtf.org/wbem/wscim/1/common\">P1D</p:Interval>"
                           "</r:Interval><r:StartTime><p:Datetime "));
    buf_free(&out);
    wsman_request_free(rq);
    xml_free(doc);
}

static void subscribe_with_a_login(void **state)
{
    const struct wsman_delivery delivery = {true, "http://192.0.2.10:9990/amt", "opaque", "u", "p&w"};
    struct wsman_request *rq = wsman_request_new(WSMAN_SUBSCRIBE, "CIM_FilterCollection", NULL);
    struct buf out = buf_init(60000);

    (void)state;
    wsman_select(rq, "InstanceID", "Intel(r) AMT:All");
    wsman_set_delivery(rq, &delivery);
    assert_int_equal(wsman_write(rq, 1, &out, NULL), 0);
    assert_non_null(strstr(buf_str(&out), "Mode=\"http://schemas.dmtf.org/wbem/wsman/1/wsman/PushWithAck\""));
    assert_non_null(strstr(buf_str(&out), "<a:Address>http://192.0.2.10:9990/amt</a:Address>"));
    assert_non_null(strstr(buf_str(&out), "<m:arg xmlns:m=\"http://x.com\">opaque</m:arg>"));
    assert_non_null(strstr(buf_str(&out), "PasswordText\">p&amp;w</se:Password>"));
    buf_free(&out);
    wsman_request_free(rq);
}

static void too_long_is_refused(void **state)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_PUT, "AMT_GeneralSettings", NULL);
    struct buf out = buf_init(200000);
    struct err err = ERR_INIT;
    char big[60001];

    (void)state;
    memset(big, 'x', 60000);
    big[60000] = '\0';
    wsman_add_str(rq, "HostName", big);
    assert_int_equal(wsman_write(rq, 1, &out, &err), -1);
    assert_int_equal(err.cause, CAUSE_LIMIT_EXCEEDED);
    buf_free(&out);
    wsman_request_free(rq);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get),
        cmocka_unit_test(request_power_state_change),
        cmocka_unit_test(values_are_escaped),
        cmocka_unit_test(pull_and_release),
        cmocka_unit_test(an_instance_goes_back_as_it_came),
        cmocka_unit_test(subscribe_with_a_login),
        cmocka_unit_test(too_long_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
