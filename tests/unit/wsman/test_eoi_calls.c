/* System Defense, hardware, the event log and accounts over the SOAP interface: what is asked for a call, and
 * what instances are made of the answers. (reference eoi.md, chapters 3 and 4) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "wsman/answer.h"
#include "wsman/eoi/eoi.h"
#include "wsman/system_defense_internal.h"

#define CLIENT "http://schemas.intel.com/platform/client/"
#define CB     "http://schemas.intel.com/2004/12/management/PC/CircuitBreaker"

struct bench {
    struct eoi *eoi;
    struct wsman_call *call;
    struct err err;
};

static int start(void **state)
{
    static struct bench bench;

    bench = (struct bench){.eoi = eoi_new()};
    *state = &bench;
    return 0;
}

static int stop(void **state)
{
    struct bench *b = *state;

    wsman_call_free(b->call);
    eoi_free(b->eoi);
    return 0;
}

static enum eoi_progress begin(struct bench *b, struct wsman_request *rq)
{
    wsman_call_free(b->call);
    b->call = wsman_call_new(rq);
    err_clear(&b->err);
    return eoi_begin(b->eoi, b->call, &b->err);
}

static enum eoi_progress list(struct bench *b, const char *class_name)
{
    return begin(b, wsman_request_new(WSMAN_ENUMERATE, class_name, NULL));
}

static void asks(struct bench *b, const char *text)
{
    if (!strstr(buf_str(eoi_body(b->eoi)), text))
        fail_msg("'%s' is not in: %s", text, buf_str(eoi_body(b->eoi)));
}

static enum eoi_progress answer(struct bench *b, const char *ns, const char *operation, const char *members)
{
    char text[4096];
    int n = snprintf(text, sizeof(text),
                     "<x:Envelope xmlns:x=\"http://schemas.xmlsoap.org/soap/envelope/\"><x:Body><%sResponse "
                     "xmlns=\"%s\"><Status>0</Status>%s</%sResponse></x:Body></x:Envelope>",
                     operation, ns, members, operation);

    err_clear(&b->err);
    return eoi_answer(b->eoi, 200, text, (size_t)n, &b->err);
}

/* --- System Defense: what is written is what is read --- */

static const struct sd_filter web = {.kind = SD_IP,
                                     .handle = 7,
                                     .name = "amt:web",
                                     .profile = SD_RATE_LIMIT,
                                     .rate = 9,
                                     .direction = SD_RX,
                                     .event = true,
                                     .ip_version = 4,
                                     .protocol_given = true,
                                     .protocol = 6,
                                     .source = {true, {10, 0, 0, 0}, {255, 0, 0, 0}},
                                     .destination_ports = {true, 443, 443},
                                     .tcp_on = SD_TCP_SYN};

static void filters_come_back_as_they_went(void **state)
{
    struct bench *b = *state;
    struct sd_change change = {.verb = SD_CREATE_FILTER, .filter = web};
    struct sd_state found = {0};

    assert_int_equal(begin(b, sd_write_change(&change)), EOI_SEND);
    asks(b, "<cb:Name>amt:web</cb:Name><cb:Direction>1</cb:Direction><cb:Profile>2</cb:Profile>"
            "<cb:ProfileData>9</cb:ProfileData><cb:EventOnMatch>true</cb:EventOnMatch>");
    asks(b, "<cb:SourceAddress>167772160</cb:SourceAddress><cb:SourceMask>4278190080</cb:SourceMask>");
    asks(b, "<cb:DestinationStart>443<");
    asks(b, "<cb:TcpFlagsOn>2<");
    assert_int_equal(answer(b, CB, "CbFilterAdd", "<FilterHandle>7</FilterHandle>"), EOI_FINISHED);
    assert_string_equal(sd_read_created(wsman_call_obj(b->call, 0)), "7");

    assert_int_equal(list(b, "AMT_IPHeadersFilter"), EOI_SEND);
    assert_int_equal(
        answer(b, CB, "CbFilterEnumerate", "<FilterHandle>3</FilterHandle><FilterHandle>7</FilterHandle>"),
        EOI_SEND);
    asks(b, "<cb:FilterHandle>3<");
    assert_int_equal(
        answer(b, CB, "CbFilterGet", "<Filter><Name>e</Name><Ethernet><Type>2054</Type></Ethernet></Filter>"),
        EOI_SEND); /* of the other class */
    asks(b, "<cb:FilterHandle>7<");
    assert_int_equal(
        answer(b, CB, "CbFilterGet",
               "<Filter><IPv4><Ports><TcpFlagsOn>2</TcpFlagsOn><DestinationEnd>443</DestinationEnd>"
               "<DestinationStart>443</DestinationStart></Ports><Protocol>6</Protocol>"
               "<SourceMask>4278190080</SourceMask><SourceAddress>167772160</SourceAddress></IPv4>"
               "<EventOnMatch>true</EventOnMatch><ProfileData>9</ProfileData><Profile>2</Profile>"
               "<Direction>1</Direction><Name>amt:web</Name></Filter>"),
        EOI_FINISHED);
    sd_read_filters(&found, b->call, SD_IP);
    assert_int_equal(found.filter_count, 1);
    assert_int_equal(found.filters[0].handle, 7);
    assert_true(sd_filter_same(&found.filters[0], &web));
    sd_state_clear(&found);
}

static void policies_and_where_they_hold(void **state)
{
    struct bench *b = *state;
    struct sd_change change = {.verb = SD_ENABLE, .owner = SD_CONSOLE, .port = 1};
    struct sd_state found = {0};

    assert_int_equal(list(b, "AMT_SystemDefensePolicy"), EOI_SEND);
    assert_int_equal(answer(b, CB, "CbPolicyEnumerate", "<PolicyHandle>12</PolicyHandle>"), EOI_SEND);
    assert_int_equal(
        answer(b, CB, "CbPolicyGet",
               "<Policy><Name>amt:q</Name><Precedence>300</Precedence><FilterHandle>7</FilterHandle>"
               "<TxDefault><Drop>true</Drop><Count>true</Count></TxDefault></Policy>"),
        EOI_FINISHED);
    sd_read_policies(&found, b->call);
    assert_int_equal(found.policy_count, 1);
    assert_string_equal(found.policies[0].id, "12");
    assert_int_equal(found.policies[0].precedence, 300);
    assert_int_equal(found.policies[0].handles[0], 7);
    assert_true(found.policies[0].tx.drop && found.policies[0].tx.count && !found.policies[0].rx.drop);

    snprintf(change.policy.id, sizeof(change.policy.id), "12");
    assert_int_equal(begin(b, sd_write_change(&change)), EOI_SEND);
    asks(b, "<cb:CbPolicyEnable><cb:Interface>1</cb:Interface><cb:PolicyHandle>12<");
    assert_int_equal(answer(b, CB, "CbPolicyEnable", ""), EOI_FINISHED);
    change.verb = SD_DISABLE;
    assert_int_equal(begin(b, sd_write_change(&change)), EOI_SEND);
    asks(b, "<cb:CbPolicyDisable><cb:Interface>1</cb:Interface><cb:PolicyHandle>12<");

    assert_int_equal(list(b, "AMT_NetworkPortSystemDefensePolicy"), EOI_SEND);
    assert_int_equal(answer(b, CLIENT "NetworkAdministration/2004/01", "EnumerateInterfaces",
                            "<InterfaceHandles>1</InterfaceHandles>"),
                     EOI_SEND);
    assert_int_equal(answer(b, CB, "CbPolicyGetActive",
                            "<PolicyHandle>12</PolicyHandle><EnabledHandle>12</EnabledHandle>"),
                     EOI_FINISHED);
    sd_read_enabled(&found, b->call, SD_CONSOLE);
    assert_int_equal(found.enabled_count, 1);
    assert_int_equal(found.enabled[0].port, 1);
    assert_true(found.enabled[0].active && found.enabled[0].enabled);
    assert_string_equal(found.enabled[0].policy, "12");
    sd_state_clear(&found);
}

static void time_outs_are_unsupported(void **state)
{
    struct bench *b = *state;
    struct sd_change change = {.verb = SD_SET_TIMEOUT, .minutes = 5};

    assert_int_equal(begin(b, sd_write_change(&change)), EOI_FAILED);
    assert_int_equal(b->err.cause, CAUSE_UNSUPPORTED);
}

/* --- hardware --- */

static void hardware_is_smbios(void **state)
{
    /* type 17: 1024 MB of DDR2, and an empty slot */
    static const char module[] = "ERsBAAAAAABAAEAAAAQJAAECE4AAmwIDBAAFREQAQkIATU0AU1MAUFAAAA==",
                      empty[] = "ERABAAAAAABAAEAAAAAAAAAA";
    struct bench *b = *state;
    char members[256];
    struct wsman_obj obj;

    assert_int_equal(list(b, "CIM_PhysicalMemory"), EOI_SEND);
    assert_int_equal(answer(b, CLIENT "HardwareAsset/2004/01", "EnumerateAssetTypes",
                            "<AssetTypes>0</AssetTypes><AssetTypes>17</AssetTypes>"),
                     EOI_SEND);
    asks(b, "<hwa:AssetType>17<");
    snprintf(members, sizeof(members), "<AssetData>%s</AssetData><AssetData>%s</AssetData>", module, empty);
    assert_int_equal(answer(b, CLIENT "HardwareAsset/2004/01", "GetAssetData", members), EOI_FINISHED);
    assert_int_equal(wsman_call_count(b->call), 1);
    obj = wsman_call_obj(b->call, 0);
    assert_string_equal(wsman_str(obj, "Capacity"), "1073741824");
    assert_string_equal(wsman_str(obj, "MemoryType"), "19");
    assert_string_equal(wsman_str(obj, "MaxMemorySpeed"), "667");
    assert_string_equal(wsman_str(obj, "Manufacturer"), "MM");
    assert_string_equal(wsman_str(obj, "PartNumber"), "PP");
    assert_null(wsman_str(obj, "ConfiguredMemoryClockSpeed")); /* not in a structure of that age */

    assert_int_equal(list(b, "CIM_BIOSElement"), EOI_SEND); /* before the first boot: nothing */
    assert_int_equal(answer(b, CLIENT "HardwareAsset/2004/01", "EnumerateAssetTypes", ""), EOI_FINISHED);
    assert_int_equal(wsman_call_count(b->call), 0);

    assert_int_equal(list(b, "CIM_Card"), EOI_SEND); /* of another type than was asked for */
    answer(b, CLIENT "HardwareAsset/2004/01", "EnumerateAssetTypes", "<AssetTypes>2</AssetTypes>");
    assert_int_equal(answer(b, CLIENT "HardwareAsset/2004/01", "GetAssetData", members), EOI_FAILED);
    assert_int_equal(b->err.cause, CAUSE_BAD_ANSWER);
}

/* --- the event log --- */

static void records_are_bytes(void **state)
{
    struct bench *b = *state;
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, "AMT_MessageLog", "GetRecords");

    wsman_add_u32(rq, "IterationIdentifier", 5);
    assert_int_equal(begin(b, rq), EOI_SEND);
    asks(b, "<emi:StartIndex>4<");
    assert_int_equal(answer(b, CLIENT "EventManager/2004/01", "ReadEventLogRecords",
                            "<TotalRecords>5</TotalRecords><Record><TimeStamp>1</TimeStamp><DeviceAddress>255"
                            "</DeviceAddress><EventSensorType>15</EventSensorType><EventData>QAcA</EventData>"
                            "</Record>"),
                     EOI_FINISHED);
    /* 01 00 00 00 ff 0f 00 .. 00 40 07 00 .. */
    assert_string_equal(wsman_str(wsman_call_obj(b->call, 0), "RecordArray"), "AQAAAP8PAAAAAAAAAEAHAAAAAAAA");
    assert_string_equal(wsman_str(wsman_call_obj(b->call, 0), "NoMoreRecords"), "true");
    assert_string_equal(wsman_str(wsman_call_obj(b->call, 0), "IterationIdentifier"), "6");

    assert_int_equal(begin(b, wsman_request_new(WSMAN_INVOKE, "AMT_MessageLog", "PositionToFirstRecord")),
                     EOI_SEND);
    assert_int_equal(
        answer(b, CLIENT "EventManager/2004/01", "GetEventLogStatus", "<RecordCount>0</RecordCount>"),
        EOI_FINISHED);
    assert_int_equal(wsman_call_return_value(b->call), 2); /* no record */
}

/* --- accounts --- */

static void accounts_keep_their_rights(void **state)
{
    struct bench *b = *state;
    struct wsman_request *rq =
        wsman_request_new(WSMAN_INVOKE, "AMT_AuthorizationService", "GetUserAclEntryEx");
    uint32_t realms[4] = {0};

    wsman_add_u32(rq, "Handle", 3);
    assert_int_equal(begin(b, rq), EOI_SEND);
    assert_int_equal(
        answer(b, CLIENT "SecurityAdministration/2004/01", "GetUserAclEntryEx",
               "<EntryEx><AccessPermission>NetworkAccessPermission</AccessPermission><Realm>5</Realm>"
               "<Realm>11</Realm><Username>joe</Username></EntryEx>"),
        EOI_FINISHED);
    assert_string_equal(wsman_str(wsman_call_obj(b->call, 0), "DigestUsername"), "joe");
    assert_string_equal(wsman_str(wsman_call_obj(b->call, 0), "AccessPermission"), "1");
    assert_int_equal(wsman_u32_array(wsman_call_obj(b->call, 0), "Realms", realms, 4), 2);

    rq = wsman_request_new(WSMAN_INVOKE, "AMT_AuthorizationService", "UpdateUserAclEntryEx");
    wsman_add_u32(rq, "Handle", 3);
    wsman_add_str(rq, "DigestUsername", "joe");
    wsman_add_base64(rq, "DigestPassword", "0123456789abcdef", 16);
    wsman_add_u32(rq, "AccessPermission", 1);
    wsman_add_u32(rq, "Realms", realms[0]);
    wsman_add_u32(rq, "Realms", realms[1]);
    assert_int_equal(begin(b, rq), EOI_SEND);
    asks(b, "<sai:AccessPermission>NetworkAccessPermission<");
    asks(b, "<sai:Realm>5</sai:Realm><sai:Realm>11</sai:Realm><sai:Username>joe</sai:Username>"
            "<sai:DigestPassword>MDEyMzQ1Njc4OWFiY2RlZg==<");
    assert_int_equal(answer(b, CLIENT "SecurityAdministration/2004/01", "UpdateUserAclEntryEx", ""),
                     EOI_FINISHED);
}

static void accounts_come_and_go(void **state)
{
    struct bench *b = *state;
    struct wsman_request *rq =
        wsman_request_new(WSMAN_INVOKE, "AMT_AuthorizationService", "AddUserAclEntryEx");

    wsman_add_base64(rq, "KerberosUserSid", "\1\5\0\0\0\0\0\5", 8);
    wsman_add_u32(rq, "AccessPermission", 2);
    assert_int_equal(begin(b, rq), EOI_SEND);
    asks(b, "<sai:AccessPermission>AnyAccessPermission</sai:AccessPermission><sai:Sid>AQUAAAAAAAU=<");
    assert_int_equal(
        answer(b, CLIENT "SecurityAdministration/2004/01", "AddUserAclEntryEx", "<Handle>4</Handle>"),
        EOI_FINISHED);
    assert_string_equal(wsman_str(wsman_call_obj(b->call, 0), "Handle"), "4");
    rq = wsman_request_new(WSMAN_INVOKE, "AMT_AuthorizationService", "RemoveUserAclEntry");
    wsman_add_u32(rq, "Handle", 4);
    assert_int_equal(begin(b, rq), EOI_SEND);
    asks(b, "<sai:RemoveUserAclEntry><sai:Handle>4<");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(filters_come_back_as_they_went),
        TEST(policies_and_where_they_hold),
        TEST(time_outs_are_unsupported),
        TEST(hardware_is_smbios),
        TEST(records_are_bytes),
        TEST(accounts_keep_their_rights),
        TEST(accounts_come_and_go),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
