/* Operations, faults and enumerations. (reference wsman.md, section 2) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/amtsim/stage.h"

#define ENUMERATION "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"

static int get(const char *class_name, const char *selectors)
{
    char header[512];
    snprintf(header, sizeof(header), "<w:SelectorSet>%s</w:SelectorSet>", selectors);
    return sim_ask(&sim, device, sim_request("Get", class_name, selectors[0] != '\0' ? header : "", ""),
                   &text);
}

static void envelope_is_the_recorded_one(void **state)
{
    (void)state;
    assert_int_equal(get("AMT_GeneralSettings", ""), 200);
    static const char head[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a:Envelope "
        "xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" "
        "xmlns:b=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "
        "xmlns:c=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" "
        "xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/02/trust\" "
        "xmlns:e=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd\" "
        "xmlns:f=\"http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd\" "
        "xmlns:g=\"http://intel.com/wbem/wscim/1/amt-schema/1/AMT_GeneralSettings\" "
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><a:Header><b:To>"
        "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</b:To><b:RelatesTo>7</b:RelatesTo>"
        "<b:Action "
        "a:mustUnderstand=\"true\">http://schemas.xmlsoap.org/ws/2004/09/transfer/GetResponse</b:Action>"
        "<b:MessageID>uuid:00000000-8086-8086-8086-000000000001</b:MessageID><c:ResourceURI>"
        "http://intel.com/wbem/wscim/1/amt-schema/1/AMT_GeneralSettings</c:ResourceURI></a:Header><a:Body>"
        "<g:AMT_GeneralSettings><g:AMTNetworkEnabled>1</g:AMTNetworkEnabled>";
    assert_memory_equal(text, head, sizeof(head) - 1);
}

static void faults(void **state)
{
    (void)state;
    assert_int_equal(get("AMT_NoSuchClass", ""), 400);
    has("<a:Value>b:DestinationUnreachable</a:Value>");
    assert_int_equal(get("CIM_BootSourceSetting", "<w:Selector Name=\"InstanceID\">x</w:Selector>"), 400);
    has("b:DestinationUnreachable");
    assert_int_equal(get("CIM_BootSourceSetting", "<w:Selector Name=\"Nonsense\">x</w:Selector>"), 400);
    has("e:InvalidSelectors");
    assert_int_equal(sim_ask(&sim, device, "<a>", &text), 400);
    has("e:SchemaValidationError");
    assert_int_equal(sim_ask(&sim, device, sim_request("Nothing", "AMT_GeneralSettings", "", ""), &text),
                     400);
    has("b:ActionNotSupported");
    assert_int_equal(sim_invoke(&sim, device, "AMT_GeneralSettings", "NoMethod", "", &text), 400);
    has("b:ActionNotSupported");
}

static void headers_that_ask_for_something(void **state)
{
    (void)state;
    sim_ask(&sim, device,
            sim_request("Get", "AMT_GeneralSettings", "<w:MaxEnvelopeSize>4096</w:MaxEnvelopeSize>", ""),
            &text);
    has("e:EncodingLimit");
    has("faultDetail/MinimumEnvelopeLimit");
    sim_ask(&sim, device,
            sim_request("Get", "AMT_GeneralSettings",
                        "<w:OptionSet xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "
                        "s:mustUnderstand=\"true\"></w:OptionSet>",
                        ""),
            &text);
    has("<a:Value>a:MustUnderstand</a:Value></a:Code>");
    assert_int_equal(
        sim_ask(&sim, device,
                sim_request("Get", "AMT_GeneralSettings",
                            "<w:MaxEnvelopeSize>51200</w:MaxEnvelopeSize><w:OptionSet></w:OptionSet>", ""),
                &text),
        200);
}

/* The context in the answer at hand. */
static void context(char out[64])
{
    const char *p = strstr(text, "EnumerationContext>");
    assert_non_null(p);
    snprintf(out, 64, "%.36s", p + strlen("EnumerationContext>"));
}

static int pull(const char *class_name, const char *id, const char *limits)
{
    char body[512];
    snprintf(body, sizeof(body),
             "<Pull xmlns=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\"><EnumerationContext>%s"
             "</EnumerationContext>%s</Pull>",
             id, limits);
    return sim_ask(&sim, device, sim_request(ENUMERATION "Pull", class_name, "", body), &text);
}

static void enumerate(const char *class_name, char id[64])
{
    assert_int_equal(
        sim_ask(&sim, device,
                sim_request(ENUMERATION "Enumerate", class_name, "",
                            "<Enumerate xmlns=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\"/>"),
                &text),
        200);
    context(id);
}

static unsigned count_of(const char *part)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, part)) != NULL; p++)
        n++;
    return n;
}

static void enumeration_in_one_and_in_many(void **state)
{
    char id[64];
    (void)state;
    enumerate("CIM_SoftwareIdentity", id);
    assert_int_equal(pull("CIM_SoftwareIdentity", id, "<MaxElements>999</MaxElements>"), 200);
    assert_int_equal(count_of("<h:CIM_SoftwareIdentity>"), 11);
    has("</g:Items><g:EndOfSequence></g:EndOfSequence></g:PullResponse>");
    assert_int_equal(pull("CIM_SoftwareIdentity", id, ""), 500);
    has("c:InvalidEnumerationContext");

    enumerate("CIM_SoftwareIdentity", id);
    for (unsigned i = 0; i < 11; i++) {
        assert_int_equal(pull("CIM_SoftwareIdentity", id, ""), 200);
        assert_int_equal(count_of("<h:CIM_SoftwareIdentity>"), 1);
        assert_int_equal(count_of("EndOfSequence") > 0, i == 10);
    }
}

static void enumeration_of_a_parent_yields_the_children(void **state)
{
    char id[64];
    (void)state;
    enumerate("CIM_ServiceAvailableToElement", id);
    pull("CIM_ServiceAvailableToElement", id, "<MaxElements>9</MaxElements>");
    has("xmlns:h=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_AssociatedPowerManagementService\" "
        "xmlns:i=\"http://schemas.dmtf.org/wbem/wscim/1/common\"");
    has("<g:Items><h:CIM_AssociatedPowerManagementService><h:AvailableRequestedPowerStates>10<");
    has("cim-schema/2/CIM_ServiceAvailableToElement</c:ResourceURI>");
}

static void contexts_expire_and_are_few(void **state)
{
    char first[64], id[64];
    (void)state;
    enumerate("CIM_SoftwareIdentity", first);
    sim.time.mono += 61000;
    assert_int_equal(pull("CIM_SoftwareIdentity", first, ""), 500);
    enumerate("CIM_SoftwareIdentity", first);
    for (unsigned i = 0; i < DEVICE_CONTEXTS; i++) {
        sim.time.mono++;
        enumerate("AMT_GeneralSettings", id);
    }
    assert_int_equal(pull("CIM_SoftwareIdentity", first, ""), 500);
    assert_int_equal(pull("CIM_SoftwareIdentity", id, ""), 500); /* of another class */
    assert_int_equal(pull("AMT_GeneralSettings", id, ""), 200);
}

static void empty_class_enumerates(void **state)
{
    char id[64];
    (void)state;
    enumerate("AMT_SystemDefensePolicy", id);
    assert_int_equal(pull("AMT_SystemDefensePolicy", id, "<MaxElements>999</MaxElements>"), 200);
    has("<g:Items></g:Items><g:EndOfSequence></g:EndOfSequence>");
}

static void selectors_choose(void **state)
{
    (void)state;
    assert_int_equal(get("CIM_SoftwareIdentity", "<w:Selector Name=\"InstanceID\">AMT</w:Selector>"), 200);
    has("<g:VersionString>16.0.15</g:VersionString>");
    assert_int_equal(
        get("CIM_ElementSettingData",
            "<w:Selector "
            "Name=\"SettingData\"><a:EndpointReference><a:Address>x</a:Address><a:ReferenceParameters>"
            "<w:ResourceURI>http://intel.com/wbem/wscim/1/amt-schema/1/AMT_SystemPowerScheme</w:ResourceURI>"
            "<w:SelectorSet><w:Selector Name=\"InstanceID\">SCHEME 0</w:Selector></w:SelectorSet>"
            "</a:ReferenceParameters></a:EndpointReference></w:Selector>"),
        200);
    has("<g:IsCurrent>2</g:IsCurrent>");
}

static void put_needs_what_the_schema_requires(void **state)
{
    (void)state;
    sim_ask(&sim, device,
            sim_request("Put", "AMT_BootSettingData", "",
                        "<r:AMT_BootSettingData "
                        "xmlns:r=\"http://intel.com/wbem/wscim/1/amt-schema/1/AMT_BootSettingData\">"
                        "<r:BIOSSetup>true</r:BIOSSetup></r:AMT_BootSettingData>"),
            &text);
    has("d:InvalidRepresentation");
    has("faultDetail/MissingValues");
}

static void identify(void **state)
{
    (void)state;
    assert_int_equal(
        sim_ask(
            &sim, device,
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "
            "xmlns:i=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\"><s:Header/><s:Body>"
            "<i:Identify/></s:Body></s:Envelope>",
            &text),
        200);
    has("<b:ProductVersion>AMT 16.0.15</b:ProductVersion>");
}

int main(void)
{
#define WITH_FLEET(test) cmocka_unit_test_setup_teardown(test, stage_16, stage_clear)
    const struct CMUnitTest tests[] = {
        WITH_FLEET(envelope_is_the_recorded_one),
        WITH_FLEET(faults),
        WITH_FLEET(headers_that_ask_for_something),
        WITH_FLEET(enumeration_in_one_and_in_many),
        WITH_FLEET(enumeration_of_a_parent_yields_the_children),
        WITH_FLEET(contexts_expire_and_are_few),
        WITH_FLEET(empty_class_enumerates),
        WITH_FLEET(selectors_choose),
        WITH_FLEET(put_needs_what_the_schema_requires),
        WITH_FLEET(identify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
