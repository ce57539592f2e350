/* System Defense, hardware, the event log and accounts over the SOAP interface: what is asked for a call, and
 * what instances are made of the answers. (reference eoi.md, chapters 3 and 4) */
#include <stdio.h>
#include <string.h>

#include "tests/unit/wsman/eoi_bench.h"
#include "wsman/answer.h"
#include "wsman/system_defense_internal.h"

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

    assert_int_equal(bench_begin(b, sd_write_change(&change)), EOI_SEND);
    bench_asks(b, NULL,
               "<cb:Name>amt:web</cb:Name><cb:Direction>1</cb:Direction><cb:Profile>2</cb:Profile>"
               "<cb:ProfileData>9</cb:ProfileData><cb:EventOnMatch>true</cb:EventOnMatch>");
    bench_asks(b, NULL,
               "<cb:SourceAddress>167772160</cb:SourceAddress><cb:SourceMask>4278190080</cb:SourceMask>");
    bench_asks(b, NULL, "<cb:DestinationStart>443<");
    bench_asks(b, NULL, "<cb:TcpFlagsOn>2<");
    assert_int_equal(bench_good(b, NS_CB, "CbFilterAdd", "<FilterHandle>7</FilterHandle>"), EOI_FINISHED);
    assert_string_equal(sd_read_created(wsman_call_obj(b->call, 0)), "7");

    assert_int_equal(bench_list(b, "AMT_IPHeadersFilter"), EOI_SEND);
    assert_int_equal(bench_good(b, NS_CB, "CbFilterEnumerate",
                                "<FilterHandle>3</FilterHandle><FilterHandle>7</FilterHandle>"),
                     EOI_SEND);
    bench_asks(b, NULL, "<cb:FilterHandle>3<");
    assert_int_equal(bench_good(b, NS_CB, "CbFilterGet",
                                "<Filter><Name>e</Name><Ethernet><Type>2054</Type></Ethernet></Filter>"),
                     EOI_SEND); /* of the other class */
    bench_asks(b, NULL, "<cb:FilterHandle>7<");
    assert_int_equal(
        bench_good(b, NS_CB, "CbFilterGet",
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

    assert_int_equal(bench_list(b, "AMT_SystemDefensePolicy"), EOI_SEND);
    assert_int_equal(bench_good(b, NS_CB, "CbPolicyEnumerate", "<PolicyHandle>12</PolicyHandle>"), EOI_SEND);
    assert_int_equal(
        bench_good(b, NS_CB, "CbPolicyGet",
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
    assert_int_equal(bench_begin(b, sd_write_change(&change)), EOI_SEND);
    bench_asks(b, NULL, "<cb:CbPolicyEnable><cb:Interface>1</cb:Interface><cb:PolicyHandle>12<");
    assert_int_equal(bench_good(b, NS_CB, "CbPolicyEnable", ""), EOI_FINISHED);
    change.verb = SD_DISABLE;
    assert_int_equal(bench_begin(b, sd_write_change(&change)), EOI_SEND);
    bench_asks(b, NULL, "<cb:CbPolicyDisable><cb:Interface>1</cb:Interface><cb:PolicyHandle>12<");

    assert_int_equal(bench_list(b, "AMT_NetworkPortSystemDefensePolicy"), EOI_SEND);
    assert_int_equal(bench_good(b, NS_CLIENT "NetworkAdministration/2004/01", "EnumerateInterfaces",
                                "<InterfaceHandles>1</InterfaceHandles>"),
                     EOI_SEND);
    assert_int_equal(bench_good(b, NS_CB, "CbPolicyGetActive",
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

    assert_int_equal(bench_begin(b, sd_write_change(&change)), EOI_FAILED);
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

    assert_int_equal(bench_list(b, "CIM_PhysicalMemory"), EOI_SEND);
    assert_int_equal(
        bench_good(b, NS_HWA, "EnumerateAssetTypes", "<AssetTypes>0</AssetTypes><AssetTypes>17</AssetTypes>"),
        EOI_SEND);
    bench_asks(b, NULL, "<hwa:AssetType>17<");
    snprintf(members, sizeof(members), "<AssetData>%s</AssetData><AssetData>%s</AssetData>", module, empty);
    assert_int_equal(bench_good(b, NS_HWA, "GetAssetData", members), EOI_FINISHED);
    assert_int_equal(wsman_call_count(b->call), 1);
    obj = wsman_call_obj(b->call, 0);
    assert_string_equal(wsman_str(obj, "Capacity"), "1073741824");
    assert_string_equal(wsman_str(obj, "MemoryType"), "19");
    assert_string_equal(wsman_str(obj, "MaxMemorySpeed"), "667");
    assert_string_equal(wsman_str(obj, "Manufacturer"), "MM");
    assert_string_equal(wsman_str(obj, "PartNumber"), "PP");
    assert_null(wsman_str(obj, "ConfiguredMemoryClockSpeed")); /* not in a structure of that age */

    assert_int_equal(bench_list(b, "CIM_BIOSElement"), EOI_SEND); /* before the first boot: nothing */
    assert_int_equal(bench_good(b, NS_HWA, "EnumerateAssetTypes", ""), EOI_FINISHED);
    assert_int_equal(wsman_call_count(b->call), 0);

    assert_int_equal(bench_list(b, "CIM_Card"), EOI_SEND); /* of another type than was asked for */
    bench_good(b, NS_HWA, "EnumerateAssetTypes", "<AssetTypes>2</AssetTypes>");
    assert_int_equal(bench_good(b, NS_HWA, "GetAssetData", members), EOI_FAILED);
    assert_int_equal(b->err.cause, CAUSE_BAD_ANSWER);
}

/* --- the event log --- */

static void records_are_bytes(void **state)
{
    struct bench *b = *state;
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, "AMT_MessageLog", "GetRecords");

    wsman_add_u32(rq, "IterationIdentifier", 5);
    assert_int_equal(bench_begin(b, rq), EOI_SEND);
    bench_asks(b, NULL, "<emi:StartIndex>4<");
    assert_int_equal(
        bench_good(b, NS_EMI, "ReadEventLogRecords",
                   "<TotalRecords>5</TotalRecords><Record><TimeStamp>1</TimeStamp><DeviceAddress>255"
                   "</DeviceAddress><EventSensorType>15</EventSensorType><EventData>QAcA</EventData>"
                   "</Record>"),
        EOI_FINISHED);
    /* 01 00 00 00 ff 0f 00 .. 00 40 07 00 .. */
    assert_string_equal(wsman_str(wsman_call_obj(b->call, 0), "RecordArray"), "AQAAAP8PAAAAAAAAAEAHAAAAAAAA");
    assert_string_equal(wsman_str(wsman_call_obj(b->call, 0), "NoMoreRecords"), "true");
    assert_string_equal(wsman_str(wsman_call_obj(b->call, 0), "IterationIdentifier"), "6");

    assert_int_equal(
        bench_begin(b, wsman_request_new(WSMAN_INVOKE, "AMT_MessageLog", "PositionToFirstRecord")), EOI_SEND);
    assert_int_equal(bench_good(b, NS_EMI, "GetEventLogStatus", "<RecordCount>0</RecordCount>"),
                     EOI_FINISHED);
    assert_int_equal(wsman_call_return_value(b->call), 2); /* no record */
}

/* --- who is told --- */

static void hearers_of_traps_come_and_go(void **state)
{
    struct bench *b = *state;
    struct wsman_request *rq = wsman_request_new(WSMAN_CREATE, "AMT_SNMPEventSubscriber", NULL);
    struct wsman_obj obj;

    assert_int_equal(bench_list(b, "AMT_PETFilterSetting"), EOI_SEND);
    assert_int_equal(bench_good(b, NS_EMI, "EnumerateAlertPolicies", "<PolicyID>134</PolicyID>"),
                     EOI_FINISHED);
    assert_string_equal(wsman_str(wsman_call_obj(b->call, 0), "PolicyID"), "134");

    wsman_add_str(rq, "AccessInfo", "10.0.0.5");
    wsman_add_u32(rq, "PolicyID", 134);
    assert_int_equal(bench_begin(b, rq), EOI_SEND);
    bench_asks(b, "/EventManagerService",
               "<emi:AlertTargetIPAddress>167772165</emi:AlertTargetIPAddress><emi:PolicyID>134<");
    assert_int_equal(bench_good(b, NS_EMI, "SubscribeForAlert", "<SubscriptionHandle>4</SubscriptionHandle>"),
                     EOI_FINISHED);
    assert_true(wsman_obj_is(wsman_call_obj(b->call, 0), "ResourceCreated"));

    assert_int_equal(bench_list(b, "AMT_SNMPEventSubscriber"), EOI_SEND);
    assert_int_equal(
        bench_good(b, NS_EMI, "EnumerateAlertSubscriptions", "<SubscriptionHandle>4</SubscriptionHandle>"),
        EOI_SEND);
    bench_asks(b, NULL, "<emi:SubscriptionHandle>4<");
    assert_int_equal(bench_good(b, NS_EMI, "GetAlertSubscription",
                                "<AlertSubscription><PolicyID>134</PolicyID><AlertTargetIPAddress>167772165"
                                "</AlertTargetIPAddress></AlertSubscription>"),
                     EOI_FINISHED);
    obj = wsman_call_obj(b->call, 0);
    assert_string_equal(wsman_str(obj, "AccessInfo"), "10.0.0.5");
    assert_string_equal(wsman_str(obj, "Name"), "4");

    rq = wsman_request_new(WSMAN_DELETE, "AMT_SNMPEventSubscriber", NULL);
    wsman_select(rq, "Name", "4");
    assert_int_equal(bench_begin(b, rq), EOI_SEND);
    bench_asks(b, NULL, "<emi:CancelAlertSubscription><emi:SubscriptionHandle>4<");
    assert_int_equal(bench_answer(b, NS_EMI, "CancelAlertSubscription", "<Status>2053</Status>"), EOI_FAILED);
    assert_string_equal(b->err.code, "PT_STATUS 0x805");
}

static void traps_go_to_ipv4_only(void **state)
{
    struct bench *b = *state;
    struct wsman_request *rq = wsman_request_new(WSMAN_CREATE, "AMT_SNMPEventSubscriber", NULL);

    wsman_add_str(rq, "AccessInfo", "2001:db8::1");
    assert_int_equal(bench_begin(b, rq), EOI_FAILED);
    assert_int_equal(b->err.cause, CAUSE_UNSUPPORTED);
    assert_int_equal(bench_list(b, "AMT_SNMPEventSubscriber"), EOI_SEND);
    assert_int_equal(
        bench_good(b, NS_EMI, "EnumerateAlertSubscriptions", "<SubscriptionHandle>4</SubscriptionHandle>"),
        EOI_SEND);
    assert_int_equal(bench_good(b, NS_EMI, "GetAlertSubscription", "<AlertSubscription/>"), EOI_FAILED);
    assert_int_equal(b->err.cause, CAUSE_BAD_ANSWER);
}

/* --- accounts --- */

static void accounts_keep_their_rights(void **state)
{
    struct bench *b = *state;
    struct wsman_request *rq =
        wsman_request_new(WSMAN_INVOKE, "AMT_AuthorizationService", "GetUserAclEntryEx");
    uint32_t realms[4] = {0};

    wsman_add_u32(rq, "Handle", 3);
    assert_int_equal(bench_begin(b, rq), EOI_SEND);
    assert_int_equal(
        bench_good(b, NS_SAI, "GetUserAclEntryEx",
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
    assert_int_equal(bench_begin(b, rq), EOI_SEND);
    bench_asks(b, NULL, "<sai:AccessPermission>NetworkAccessPermission<");
    bench_asks(b, NULL,
               "<sai:Realm>5</sai:Realm><sai:Realm>11</sai:Realm><sai:Username>joe</sai:Username>"
               "<sai:DigestPassword>MDEyMzQ1Njc4OWFiY2RlZg==<");
    assert_int_equal(bench_good(b, NS_SAI, "UpdateUserAclEntryEx", ""), EOI_FINISHED);
}

static void accounts_come_and_go(void **state)
{
    struct bench *b = *state;
    struct wsman_request *rq =
        wsman_request_new(WSMAN_INVOKE, "AMT_AuthorizationService", "AddUserAclEntryEx");

    wsman_add_base64(rq, "KerberosUserSid", "\1\5\0\0\0\0\0\5", 8);
    wsman_add_u32(rq, "AccessPermission", 2);
    assert_int_equal(bench_begin(b, rq), EOI_SEND);
    bench_asks(b, NULL,
               "<sai:AccessPermission>AnyAccessPermission</sai:AccessPermission><sai:Sid>AQUAAAAAAAU=<");
    assert_int_equal(bench_good(b, NS_SAI, "AddUserAclEntryEx", "<Handle>4</Handle>"), EOI_FINISHED);
    assert_string_equal(wsman_str(wsman_call_obj(b->call, 0), "Handle"), "4");
    rq = wsman_request_new(WSMAN_INVOKE, "AMT_AuthorizationService", "RemoveUserAclEntry");
    wsman_add_u32(rq, "Handle", 4);
    assert_int_equal(bench_begin(b, rq), EOI_SEND);
    bench_asks(b, NULL, "<sai:RemoveUserAclEntry><sai:Handle>4<");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(filters_come_back_as_they_went),
        BENCH_TEST(policies_and_where_they_hold),
        BENCH_TEST(time_outs_are_unsupported),
        BENCH_TEST(hardware_is_smbios),
        BENCH_TEST(records_are_bytes),
        BENCH_TEST(hearers_of_traps_come_and_go),
        BENCH_TEST(traps_go_to_ipv4_only),
        BENCH_TEST(accounts_keep_their_rights),
        BENCH_TEST(accounts_come_and_go),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
