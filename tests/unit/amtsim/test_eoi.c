/* The SOAP interface of AMT 1 to 5: what is answered to right and to wrong requests. (reference eoi.md) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/amtsim/eoi.h"
#include "tests/amtsim/users.h"
#include "tests/unit/amtsim/sim.h"

static struct sim sim;
static struct device *device;
static struct buf answer;

static int start(void **state)
{
    (void)state;
    sim_start(&sim, 1, 5);
    device = &sim.fleet->devices[0];
    answer = buf_init(1 << 20);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    buf_free(&answer);
    sim_stop(&sim);
    return 0;
}

static struct view view_of(const char *text)
{
    return (struct view){(const uint8_t *)text, strlen(text)};
}

/* Posts a whole document to the service. */
static int post(const char *service, const char *document)
{
    char path[64];
    snprintf(path, sizeof(path), "/%s", service);
    buf_reset(&answer);
    assert_true(eoi_serves(device, view_of(path)));
    return eoi_answer(device, view_of(path), view_of(document), sim.realms, &answer).status;
}

static int ask(const char *service, const char *ns, const char *body)
{
    char document[4096];
    snprintf(document, sizeof(document),
             "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
             "xmlns:p=\"http://schemas.intel.com/platform/client/%s/2004/01\"><s:Body>%s</s:Body>"
             "</s:Envelope>",
             ns, body);
    return post(service, document);
}

static int control(const char *members)
{
    char body[1024];
    snprintf(body, sizeof(body), "<p:RemoteControl>%s</p:RemoteControl>", members);
    return ask("RemoteControlService", "RemoteControl", body);
}

static void says(const char *text)
{
    if (strstr(buf_str(&answer), text) == NULL)
        fail_msg("'%s' is not in: %s", text, buf_str(&answer));
}

static void answers_right_requests(void **state)
{
    (void)state;
    assert_int_equal(ask("SecurityAdministrationService", "SecurityAdministration", "<p:GetCoreVersion/>"),
                     200);
    says("<sai:Status>0</sai:Status><sai:Version>5.2.70</sai:Version>");
    assert_int_equal(ask("RemoteControlService/", "RemoteControl", "<p:GetSystemPowerState/>"), 200);
    says("<rci:Status>0</rci:Status><rci:SystemPowerState>0</rci:SystemPowerState>");
    assert_int_equal(ask("NetworkTimeService", "NetworkTime", "<p:GetLowAccuracyTimeSynch/>"), 200);
    says("<tim:Ta0>");
}

/* Every wrong value has its own status, and none changes anything. */
static void refuses_wrong_values(void **state)
{
    static const struct {
        const char *members, *status;
    } rows[] = {
        {"", "36"},
        {"<p:Command>16</p:Command>", "36"},
        {"<p:Command>16</p:Command><p:IanaOemNumber>1</p:IanaOemNumber>", "2049"},
        {"<p:Command>20</p:Command><p:IanaOemNumber>343</p:IanaOemNumber>", "2051"},
        {"<p:Command>33</p:Command><p:IanaOemNumber>4542</p:IanaOemNumber>", "2049"},
        {"<p:Command>18</p:Command><p:IanaOemNumber>343</p:IanaOemNumber><p:BootOptions>0</p:BootOptions>",
         "36"},
        {"<p:SpecialCommand>7</p:SpecialCommand><p:IanaOemNumber>343</p:IanaOemNumber><p:Command>16</"
         "p:Command>",
         "2052"},
        {"<p:SpecialCommand>193</p:SpecialCommand><p:IanaOemNumber>4542</p:IanaOemNumber><p:Command>16</"
         "p:Command>",
         "2049"},
        {"<p:SpecialCommand>193</p:SpecialCommand><p:SpecialCommandParameter>4</p:SpecialCommandParameter>"
         "<p:IanaOemNumber>343</p:IanaOemNumber><p:Command>16</p:Command>",
         "2050"},
        {"<p:BootOptions>32768</p:BootOptions><p:IanaOemNumber>343</p:IanaOemNumber><p:Command>16</"
         "p:Command>",
         "2050"},
        {"<p:OEMparameters>2</p:OEMparameters><p:IanaOemNumber>343</p:IanaOemNumber><p:Command>16</"
         "p:Command>",
         "36"},
    };
    char text[64];
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(control(rows[i].members), 200);
        snprintf(text, sizeof(text), "<rci:Status>%s</rci:Status>", rows[i].status);
        says(text);
    }
    assert_int_equal(device->requested_power, 0);
    assert_int_equal(device->boot.flags, 0);
    assert_int_equal(device->boot.source, 0);
    assert_int_equal(
        ask("NetworkAdministrationService", "NetworkAdministration",
            "<p:GetInterfaceSettings><p:InterfaceHandle>9</p:InterfaceHandle></p:GetInterfaceSettings>"),
        200);
    says("<net:Status>2053</net:Status>");
    assert_int_equal(ask("NetworkTimeService", "NetworkTime",
                         "<p:SetHighAccuracyTimeSynch><p:Ta0>1</p:Ta0><p:Tm1>1</p:Tm1><p:Tm2>1</p:Tm2>"
                         "</p:SetHighAccuracyTimeSynch>"),
                     200);
    says("<tim:Status>34</tim:Status>");
}

#define BREAKER "2004/12/management/PC/CircuitBreaker"

/* Posts to a service in its namespace, of which everything before the year differs. */
static int ask_in(const char *service, const char *ns, const char *operation, const char *members)
{
    char document[4096];
    snprintf(document, sizeof(document),
             "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><%s "
             "xmlns=\"http://schemas.intel.com/%s\">%s</%s></s:Body></s:Envelope>",
             operation, ns, members, operation);
    return post(service, document);
}

/* What is missing, out of its range or of nobody has a status in every service, and changes nothing. */
static void statuses_of_all_services(void **state)
{
#define EMI "EventManagerService", "platform/client/EventManager/2004/01"
#define SAI "SecurityAdministrationService", "platform/client/SecurityAdministration/2004/01"
#define NET "NetworkAdministrationService", "platform/client/NetworkAdministration/2004/01"
#define HWA "HardwareAssetService", "platform/client/HardwareAsset/2004/01"
#define IDR "RedirectionService", "platform/client/Redirection/2004/01"
#define CB  "CircuitBreakerService", BREAKER
#define HA1 "<DigestPassword>MDEyMzQ1Njc4OWFiY2RlZg==</DigestPassword>"
    static const struct {
        const char *service, *ns, *operation, *members;
        unsigned status;
    } rows[] = {
        {EMI, "ReadEventLogRecords", "", 0x24},
        {EMI, "ReadEventLogRecords", "<StartIndex>4000</StartIndex>", 0x23},
        {EMI, "FreezeEventLog", "", 0x24},
        {EMI, "SubscribeForAlert", "", 0x24},
        {EMI, "SubscribeForAlert", "<AlertSubscription><PolicyID>134</PolicyID></AlertSubscription>", 0x24},
        {EMI, "SubscribeForAlert",
         "<AlertSubscription><PolicyID>1</PolicyID><AlertTargetIPAddress>2130706433</AlertTargetIPAddress>"
         "</AlertSubscription>",
         0x24},
        {EMI, "GetAlertSubscription", "", 0x805},
        {EMI, "CancelAlertSubscription", "<SubscriptionHandle>9</SubscriptionHandle>", 0x805},
        {SAI, "SetAdminAclEntryEx", "", 0x24},
        {SAI, "SetAdminAclEntryEx", "<EntryEx><Username>admin</Username></EntryEx>", 0x806},
        {SAI, "AddUserAclEntryEx", "", 0x24},
        {SAI, "AddUserAclEntryEx",
         "<EntryEx><AccessPermission>NoPermission</AccessPermission><Username>a</Username>" HA1 "</EntryEx>",
         0x24},
        {SAI, "AddUserAclEntryEx",
         "<EntryEx><AccessPermission>AnyAccessPermission</AccessPermission><Username>a</Username></EntryEx>",
         0x806},
        {SAI, "AddUserAclEntryEx",
         "<EntryEx><AccessPermission>AnyAccessPermission</AccessPermission><Realm>77</Realm><Username>a</"
         "Username>" HA1 "</EntryEx>",
         0x807},
        {SAI, "GetUserAclEntryEx", "<Handle>77</Handle>", 0x805},
        {SAI, "RemoveUserAclEntry", "<Handle>77</Handle>", 0x805},
        {NET, "GetInterfaceSettings", "", 0x24},
        {NET, "SetInterfaceSettings", "<InterfaceHandle>0</InterfaceHandle>", 0x24},
        {NET, "SetInterfaceSettings",
         "<InterfaceHandle>0</InterfaceHandle><InterfaceDescriptor><InterfaceMode>NO_ADDRESS</InterfaceMode>"
         "</InterfaceDescriptor>",
         0x24},
        {HWA, "GetAssetData", "", 0x24},
        {IDR, "SetRedirectionListenerState", "", 0x24},
        {CB, "CbQueryCapabilities", "", 0x24},
        {CB, "CbQueryCapabilities", "<Interface>7</Interface>", 0x805},
        {CB, "CbFilterAdd", "", 0x24},
        {CB, "CbFilterGet", "<FilterHandle>77</FilterHandle>", 0x805},
        {CB, "CbFilterRemove", "<FilterHandle>77</FilterHandle>", 0x805},
        {CB, "CbPolicyAdd", "<Policy><Name>n</Name></Policy>", 0x24},
        {CB, "CbPolicyAdd",
         "<Policy><Name>n</Name><Precedence>1</Precedence><FilterHandle>77</"
         "FilterHandle><TxDefault><Drop>false</Drop>"
         "</TxDefault><RxDefault><Drop>false</Drop></RxDefault></Policy>",
         0x805},
        {CB, "CbPolicyGet", "", 0x805},
        {CB, "CbPolicyRemove", "<PolicyHandle>77</PolicyHandle>", 0x805},
        {CB, "CbPolicyEnable", "<Interface>0</Interface>", 0x24},
        {CB, "CbPolicyEnable", "<Interface>0</Interface><PolicyHandle>77</PolicyHandle>", 0x805},
        {CB, "CbPolicyDisable", "<Interface>7</Interface><PolicyHandle>77</PolicyHandle>", 0x805},
        {CB, "CbPolicyGetActive", "", 0x24},
        {CB, "CbPolicyGetActive", "<Interface>7</Interface>", 0x805},
        {CB, "CbPolicySetDefault", "<Interface>0</Interface><PolicyHandle>77</PolicyHandle>", 0x805},
        {CB, "CbPolicyGetDefault", "", 0x24},
        {CB, "CbStatisticsGet", "<Interface>0</Interface><PolicyHandle>77</PolicyHandle>", 0x805},
    };
    char text[64];
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(ask_in(rows[i].service, rows[i].ns, rows[i].operation, rows[i].members), 200);
        snprintf(text, sizeof(text), "Status>%u<", rows[i].status);
        if (strstr(buf_str(&answer), text) == NULL)
            fail_msg("%s(%s): not %s: %s", rows[i].operation, rows[i].members, text, buf_str(&answer));
    }
}

/* What is no such request is a SOAP fault with HTTP 500. */
static void faults_on_what_is_no_request(void **state)
{
    static const char *const documents[] = {
        "",
        "<",
        "no XML",
        "<a/>",
        "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body/></s:Envelope>",
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><Other/></s:Body>",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        assert_int_equal(post("RemoteControlService", documents[i]), 500);
        says("Fault>");
    }
    assert_int_equal(control("<p:Command>often</p:Command>"), 500);
    /* another service's operation */
    assert_int_equal(ask("RemoteControlService", "NetworkAdministration", "<p:GetHostName/>"), 500);
}

static void deep_and_long_documents_end(void **state)
{
    struct buf b = buf_init(1 << 20);
    (void)state;
    buf_puts(&b, "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>");
    for (int i = 0; i < 1000; i++)
        buf_puts(&b, "<a>");
    assert_int_equal(post("RemoteControlService", buf_str(&b)), 500);
    for (int i = 0; i < 20000; i++)
        buf_puts(&b, "<a/>");
    assert_int_equal(post("RemoteControlService", buf_str(&b)), 500);
    buf_free(&b);
}

static void realms_open_services(void **state)
{
    (void)state;
    sim.realms = REALM_BIT(REALM_TIME);
    assert_int_equal(ask("RemoteControlService", "RemoteControl", "<p:GetSystemPowerState/>"), 401);
    assert_int_equal(ask("NetworkTimeService", "NetworkTime", "<p:GetLowAccuracyTimeSynch/>"), 200);
    sim.realms = REALMS_ALL;
}

static void newer_firmware_has_no_such_interface(void **state)
{
    struct sim other;
    (void)state;
    sim_start(&other, 1, 9);
    assert_false(eoi_serves(&other.fleet->devices[0], view_of("/RemoteControlService")));
    sim_stop(&other);
    assert_false(eoi_serves(device, view_of("/OtherService")));
}

static void boot_options_reach_the_machine(void **state)
{
    (void)state;
    assert_int_equal(control("<p:Command>16</p:Command><p:IanaOemNumber>343</p:IanaOemNumber>"
                             "<p:SpecialCommand>193</p:SpecialCommand>"
                             "<p:SpecialCommandParameter>8</p:SpecialCommandParameter>"
                             "<p:OEMparameters>1</p:OEMparameters>"),
                     200);
    says("<rci:Status>0</rci:Status>");
    assert_int_equal(device->requested_power, 10);
    assert_int_equal(device->boot.role, 1);
    assert_int_not_equal(device->boot.flags, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_right_requests),
        cmocka_unit_test(refuses_wrong_values),
        cmocka_unit_test(statuses_of_all_services),
        cmocka_unit_test(faults_on_what_is_no_request),
        cmocka_unit_test(deep_and_long_documents_end),
        cmocka_unit_test(realms_open_services),
        cmocka_unit_test(newer_firmware_has_no_such_interface),
        cmocka_unit_test(boot_options_reach_the_machine),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
