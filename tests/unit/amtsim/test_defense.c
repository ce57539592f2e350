/* System Defense as a device keeps it: objects, wrong order, which policy is active, and how frames are
 * judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/xml.h"
#include "tests/amtsim/defense.h"
#include "tests/amtsim/defense_judge.h"
#include "tests/unit/amtsim/sim.h"

#define AMT "http://intel.com/wbem/wscim/1/amt-schema/1/"
#define CIM "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
#define MORE                                                                                                 \
    "<r:SystemCreationClassName>n/a</r:SystemCreationClassName><r:SystemName>n/a</"                          \
    "r:SystemName><r:CreationClassName>n/a"                                                                  \
    "</r:CreationClassName>"
#define DEFAULTS(drop)                                                                                       \
    "<r:TxDefaultDrop>" drop "</r:TxDefaultDrop><r:TxDefaultMatchEvent>false</r:TxDefaultMatchEvent>"        \
    "<r:TxDefaultCount>true</r:TxDefaultCount><r:RxDefaultDrop>" drop "</r:RxDefaultDrop>"                   \
    "<r:RxDefaultMatchEvent>false</r:RxDefaultMatchEvent><r:RxDefaultCount>true</r:RxDefaultCount>"

static struct sim sim;
static struct device *d;
static const char *text;

static int start(void **state)
{
    (void)state;
    sim_start(&sim, 1, 9);
    d = &sim.fleet->devices[0];
    d->ports = 3;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    sim_stop(&sim);
    return 0;
}

static void has(const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no '%s' in %s", part, text);
}

static int create(const char *class_name, const char *members)
{
    char body[8192];
    snprintf(body, sizeof(body), "<r:%s xmlns:r=\"" AMT "%s\">%s</r:%s>", class_name, class_name, members,
             class_name);
    return sim_ask(&sim, d, sim_request("Create", class_name, "", body), &text);
}

static int delete (const char *class_name, const char *selectors)
{
    char header[4096];
    snprintf(header, sizeof(header), "<w:SelectorSet>%s</w:SelectorSet>", selectors);
    return sim_ask(&sim, d, sim_request("Delete", class_name, header, ""), &text);
}

/* The number behind the InstanceID of the answer at hand. */
static unsigned created(void)
{
    const char *p = strstr(text, "Name=\"InstanceID\">");
    assert_non_null(p);
    p += strlen("Name=\"InstanceID\">");
    p += strncmp(p, "Intel(r) AMT:Handle: ", 21) == 0 ? 21 : 0;
    unsigned handle = 0;
    assert_int_equal(sscanf(p, "%u", &handle), 1);
    return handle;
}

static int try_ip(const char *members)
{
    char all[4096];
    snprintf(all, sizeof(all),
             "<r:InstanceID>0</r:InstanceID><r:Name>f</r:Name>" MORE
             "<r:ActionEventOnMatch>false</r:ActionEventOnMatch>%s",
             members);
    return create("AMT_IPHeadersFilter", all);
}

static unsigned ip(const char *members)
{
    assert_int_equal(try_ip(members), 200);
    return created();
}

static unsigned ethernet(unsigned type, unsigned direction, unsigned profile)
{
    char all[4096];
    snprintf(all, sizeof(all),
             "<r:InstanceID >0</r:InstanceID><r:Name>e%u</r:Name>" MORE
             "<r:FilterProfile>%u</r:FilterProfile><r:FilterDirection>%u</r:FilterDirection>"
             "<r:ActionEventOnMatch>1</r:ActionEventOnMatch><r:HdrProtocolID8021>%u</r:HdrProtocolID8021>",
             type, profile, direction, type);
    assert_int_equal(create("AMT_Hdr8021Filter", all), 200);
    return created();
}

static int try_policy(const char *name, unsigned precedence, const char *handles, const char *defaults)
{
    char all[6000];
    snprintf(all, sizeof(all),
             "<r:InstanceID>0</r:InstanceID><r:PolicyName>%s</r:PolicyName><r:PolicyPrecedence>%u</"
             "r:PolicyPrecedence>"
             "%s%s",
             name, precedence, handles, defaults);
    return create("AMT_SystemDefensePolicy", all);
}

static unsigned policy(const char *name, unsigned precedence, const char *handles)
{
    assert_int_equal(try_policy(name, precedence, handles, DEFAULTS("true")), 200);
    return created();
}

static const char *ends(unsigned port, unsigned handle)
{
    static char out[2048];
    snprintf(out, sizeof(out),
             "<r:Antecedent><a:Address>x</a:Address><a:ReferenceParameters><w:ResourceURI>" CIM
             "CIM_EthernetPort</w:ResourceURI><w:SelectorSet><w:Selector Name=\"DeviceID\">Intel(r) AMT "
             "Ethernet Port "
             "%u</w:Selector></w:SelectorSet></a:ReferenceParameters></r:Antecedent>"
             "<r:Dependent><a:Address>x</a:Address><a:ReferenceParameters><w:ResourceURI>" AMT
             "AMT_SystemDefensePolicy</w:ResourceURI><w:SelectorSet><w:Selector Name=\"InstanceID\">Intel(r) "
             "AMT:Handle: %u</w:Selector></w:SelectorSet></a:ReferenceParameters></r:Dependent>",
             port, handle);
    return out;
}

static int enable(const char *class_name, unsigned port, unsigned handle)
{
    return create(class_name, ends(port, handle));
}

static const char *dependent(unsigned handle)
{
    static char out[1024];
    snprintf(
        out, sizeof(out),
        "<w:Selector Name=\"Dependent\"><a:EndpointReference><a:Address>x</a:Address><a:ReferenceParameters>"
        "<w:ResourceURI>" AMT "AMT_SystemDefensePolicy</w:ResourceURI><w:SelectorSet><w:Selector "
        "Name=\"InstanceID\">Intel(r) AMT:Handle: %u</w:Selector></w:SelectorSet></a:ReferenceParameters>"
        "</a:EndpointReference></w:Selector>",
        handle);
    return out;
}

static const char *id(unsigned handle, bool of_policy)
{
    static char out[256];
    snprintf(out, sizeof(out), "<w:Selector Name=\"InstanceID\">%s%u</w:Selector>",
             of_policy ? "Intel(r) AMT:Handle: " : "", handle);
    return out;
}

#define CONSOLE "AMT_NetworkPortSystemDefensePolicy"
#define DEFAULT "AMT_NetworkPortDefaultSystemDefensePolicy"
#define AGENT   "AMT_AgentPresenceInterfacePolicy"
#define DROP_TCP(port)                                                                                       \
    "<r:FilterProfile>1</r:FilterProfile><r:FilterDirection>0</r:FilterDirection><r:HdrIPVersion>4</"        \
    "r:HdrIPVersion>"                                                                                        \
    "<r:HdrProtocolID>6</r:HdrProtocolID><r:HdrDestPortStart>" port                                          \
    "</r:HdrDestPortStart><r:HdrDestPortEnd>" port "</r:HdrDestPortEnd>"

static void objects_in_order_and_in_the_wrong_one(void **state)
{
    char handles[256];
    (void)state;
    unsigned arp = ethernet(2054, 0, 3), tcp = ip(DROP_TCP("445"));
    snprintf(handles, sizeof(handles), "<r:FilterCreationHandles>%u,%u</r:FilterCreationHandles>", arp, tcp);
    unsigned p = policy("quarantine", 100, handles);
    assert_int_equal(defense_policy(d, p)->count, 2);
    assert_int_equal(delete ("AMT_Hdr8021Filter", id(arp, false)), 500);
    has("e:Concurrency");
    assert_int_equal(enable(CONSOLE, 0, p), 200);
    has("<g:ResourceCreated>");
    has("<c:Selector Name=\"Antecedent\"><b:EndpointReference>");
    assert_int_equal(delete ("AMT_SystemDefensePolicy", id(p, true)), 500);
    has("e:Concurrency");
    assert_int_equal(enable(CONSOLE, 0, p), 400);
    has("e:AlreadyExists");
    assert_int_equal(enable(CONSOLE, 1, p), 200);
    assert_int_equal(delete (CONSOLE, dependent(p)), 400); /* two: which one? */
    has("e:InvalidSelectors");
    defense_unbind(d, DEFENSE_CONSOLE, 1);
    assert_int_equal(delete (CONSOLE, dependent(p)), 200);
    assert_int_equal(delete ("AMT_SystemDefensePolicy", id(p, true)), 200);
    assert_int_equal(delete ("AMT_SystemDefensePolicy", id(p, true)), 400);
    has("e:InvalidSelectors");
    assert_int_equal(delete ("AMT_IPHeadersFilter", id(tcp, false)), 200);
    assert_int_equal(delete ("AMT_Hdr8021Filter", id(arp, false)), 200);
    assert_int_equal(defense_filter_count(d, true) + defense_filter_count(d, false), 0);
    assert_int_equal(enable(CONSOLE, 0, p), 400);
    has("b:DestinationUnreachable");
}

static void what_is_not_a_filter(void **state)
{
    static const struct {
        const char *members, *fault;
    } cases[] = {
        {"<r:FilterDirection>0</r:FilterDirection><r:HdrIPVersion>4</r:HdrIPVersion>",
         "e:SchemaValidationError"},
        {"<r:FilterProfile>9</r:FilterProfile><r:FilterDirection>0</r:FilterDirection><r:HdrIPVersion>4</"
         "r:HdrIPVersion>",
         "e:InvalidParameter"},
        {"<r:FilterProfile>2</r:FilterProfile><r:FilterDirection>0</r:FilterDirection><r:HdrIPVersion>4</"
         "r:HdrIPVersion>",
         "e:SchemaValidationError"},
        {DROP_TCP("80") "<r:HdrSrcMask>FFFFFFFF</r:HdrSrcMask>", "e:InvalidParameter"},
        {DROP_TCP("80") "<r:HdrSrcAddress>0A0000</r:HdrSrcAddress>", "e:InvalidParameter"},
        {DROP_TCP("80") "<r:HdrSrcPortStart>1</r:HdrSrcPortStart><r:HdrSrcPortEnd>2</r:HdrSrcPortEnd>",
         "e:UnsupportedFeature"},
        {DROP_TCP("80") "<r:HdrSrcPortStart>2</r:HdrSrcPortStart><r:HdrSrcPortEnd>1</r:HdrSrcPortEnd>",
         "e:InvalidParameter"},
        {DROP_TCP("80") "<r:TCPFlagsOn>6</r:TCPFlagsOn>", "e:InvalidParameter"},
        {DROP_TCP("80") "<r:HdrDSCP>1</r:HdrDSCP>", "e:UnsupportedFeature"},
        {DROP_TCP("80") "<r:IsNegated>true</r:IsNegated>", "e:UnsupportedFeature"},
        {"<r:FilterProfile>3</r:FilterProfile><r:FilterDirection>0</r:FilterDirection><r:HdrIPVersion>4</"
         "r:HdrIPVersion>"
         "<r:HdrProtocolID>1</r:HdrProtocolID><r:HdrDestPortStart>1</r:HdrDestPortStart><r:HdrDestPortEnd>1"
         "</r:HdrDestPortEnd>",
         "e:InvalidParameter"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(try_ip(cases[i].members), 400);
        has(cases[i].fault);
    }
    assert_int_equal(defense_filter_count(d, true), 0);
    assert_int_equal(
        try_policy("p", 1, "<r:FilterCreationHandles>77</r:FilterCreationHandles>", DEFAULTS("true")), 400);
    has("e:InvalidParameter");
    assert_int_equal(try_policy("p", 1, "", ""), 400);
    has("e:SchemaValidationError");
    assert_int_equal(try_policy("a-name-of-17-char", 1, "", DEFAULTS("true")), 400);
    has("e:InvalidParameter");
    assert_int_equal(sim_ask(&sim, d, sim_request("Put", "AMT_SystemDefensePolicy", "", ""), &text), 400);
    has("b:ActionNotSupported");
}

static void limits(void **state)
{
    char handles[4096];
    size_t n = 0;
    (void)state;
    for (int i = 0; i < 16; i++) /* 16 counting filters and a counting default: one counter too many */
        n += (size_t)snprintf(handles + n, sizeof(handles) - n,
                              "<r:FilterCreationHandles>%u</r:FilterCreationHandles>", ip(DROP_TCP("80")));
    assert_int_equal(try_policy("p", 1, handles, DEFAULTS("true")), 500);
    has("e:QuotaLimit");
    for (int i = 16; i < DEFENSE_FILTERS_MAX; i++)
        ip(DROP_TCP("80"));
    assert_int_equal(try_ip(DROP_TCP("80")), 500);
    has("e:QuotaLimit");
    for (int i = 0; i < DEFENSE_POLICIES_MAX; i++)
        policy("p", 1, "");
    assert_int_equal(try_policy("p", 1, "", DEFAULTS("true")), 500);
    has("e:QuotaLimit");
}

static void the_highest_precedence_is_active(void **state)
{
    (void)state;
    unsigned low = policy("low", 1, ""), high = policy("high", 2, ""), rest = policy("rest", 0, "");
    assert_int_equal(enable(DEFAULT, 0, rest), 200);
    assert_int_equal(defense_state(d, DEFENSE_DEFAULT, 0), DEFENSE_ACTIVE);
    assert_int_equal(enable(CONSOLE, 0, low), 200);
    assert_int_equal(defense_live(d, 0)->policy, low);
    assert_int_equal(defense_live(d, 1)->policy, 0);
    assert_int_equal(enable(AGENT, 0, high), 200);
    assert_int_equal(defense_state(d, DEFENSE_AGENT, 0), DEFENSE_DISABLED); /* its agents are well */
    json_t *o = json_pack("{s:b}", "agent", 1);
    assert_int_equal(defense_set(d, o, NULL), 0);
    json_decref(o);
    assert_int_equal(defense_live(d, 0)->policy, high);
    assert_int_equal(defense_state(d, DEFENSE_CONSOLE, 0), DEFENSE_ENABLED);
    defense_power_lost(d);
    assert_int_equal(defense_live(d, 0)->policy, high);
}

static void time_outs_step_down(void **state)
{
    char header[512];
    (void)state;
    unsigned p = policy("timed", 5, ""), rest = policy("rest", 0, "");
    snprintf(header, sizeof(header), "<w:SelectorSet>%s</w:SelectorSet>", id(p, true));
    const char *set =
        "<r:SetTimeout_INPUT xmlns:r=\"" AMT "AMT_SystemDefensePolicy\"><r:Timeout>15</r:Timeout>"
        "</r:SetTimeout_INPUT>";
    assert_int_equal(
        sim_ask(&sim, d,
                sim_request(AMT "AMT_SystemDefensePolicy/SetTimeout", "AMT_SystemDefensePolicy", header, set),
                &text),
        200);
    has("<g:ReturnValue>0</g:ReturnValue>");
    assert_int_equal(enable(DEFAULT, 0, rest), 200);
    assert_int_equal(enable(CONSOLE, 0, p), 200);
    sim.time.mono += 15 * 60000 - 1;
    assert_int_equal(defense_live(d, 0)->policy, p);
    sim.time.mono += 1;
    assert_int_equal(defense_live(d, 0)->policy, rest);
    assert_int_equal(defense_state(d, DEFENSE_CONSOLE, 0), DEFENSE_DISABLED);
    assert_int_equal(delete (CONSOLE, dependent(p)), 200);
    assert_int_equal(enable(CONSOLE, 0, p), 200);
    assert_int_equal(defense_live(d, 0)->policy, p);
}

static void provisioning_modes(void **state)
{
    (void)state;
    d->client_mode = true;
    assert_int_equal(try_policy("p", 1, "", DEFAULTS("true")), 400);
    has("b:DestinationUnreachable");
}

/* --- frames --- */

struct frame {
    uint8_t bytes[256];
    size_t n;
};

static struct frame frame(uint16_t type)
{
    struct frame f = {.n = 14};
    f.bytes[12] = (uint8_t)(type >> 8);
    f.bytes[13] = (uint8_t)type;
    return f;
}

static struct frame ipv4(const uint8_t from[4], const uint8_t to[4], uint8_t protocol, uint16_t fragment,
                         uint16_t sport, uint16_t dport, uint8_t flags)
{
    struct frame f = frame(0x0800);
    uint8_t header[40] = {0x46, [6] = (uint8_t)(fragment >> 8), (uint8_t)fragment, 64, protocol};
    memcpy(header + 12, from, 4);
    memcpy(header + 16, to, 4); /* four bytes of options behind */
    uint8_t *t = header + 24;
    t[0] = (uint8_t)(sport >> 8);
    t[1] = (uint8_t)sport;
    t[2] = (uint8_t)(dport >> 8);
    t[3] = (uint8_t)dport;
    t[13] = flags;
    memcpy(f.bytes + 14, header, sizeof(header));
    f.n = 14 + sizeof(header);
    return f;
}

static bool passes(enum defense_direction direction, const struct frame *f)
{
    return defense_judge(d, 0, direction, f->bytes, f->n);
}

static const uint8_t me[4] = {127, 16, 0, 1}, server[4] = {10, 1, 2, 3}, other[4] = {10, 9, 9, 9};

static void frames_by_filters_and_defaults(void **state)
{
    char handles[512];
    (void)state;
    unsigned to =
        ip("<r:FilterProfile>0</r:FilterProfile><r:FilterDirection>0</r:FilterDirection><r:HdrIPVersion>4"
           "</r:HdrIPVersion><r:HdrDestAddress>0a010200</r:HdrDestAddress><r:HdrDestMask>ffffff00</"
           "r:HdrDestMask>");
    unsigned telnet = ip(DROP_TCP("23"));
    unsigned arp = ethernet(2054, 0, 3);
    snprintf(handles, sizeof(handles),
             "<r:AntiSpoofingSupport>3</r:AntiSpoofingSupport><r:FilterCreationHandles>%u</"
             "r:FilterCreationHandles>"
             "<r:FilterCreationHandles>%u</r:FilterCreationHandles><r:FilterCreationHandles>%u</"
             "r:FilterCreationHandles>",
             to, telnet, arp);
    struct frame good = ipv4(me, server, 6, 0, 1000, 80, 2), bad = ipv4(me, server, 6, 0, 1000, 23, 2),
                 away = ipv4(me, other, 6, 0, 1000, 80, 2), spoofed = ipv4(other, server, 6, 0, 1000, 80, 2),
                 rest = ipv4(me, server, 6, 100, 1000, 23, 2), who = frame(2054);
    assert_true(passes(DEFENSE_TX, &away)); /* no policy: everything passes */
    unsigned p = policy("q", 1, handles);
    assert_int_equal(enable(CONSOLE, 0, p), 200);
    assert_true(passes(DEFENSE_TX, &good));
    assert_false(passes(DEFENSE_TX, &bad)); /* drop beats pass */
    assert_false(passes(DEFENSE_TX, &away));
    assert_false(passes(DEFENSE_TX, &spoofed));
    assert_true(passes(DEFENSE_TX, &rest)); /* a later fragment has no ports */
    assert_true(passes(DEFENSE_TX, &who));
    assert_false(passes(DEFENSE_RX, &who));
    assert_true(defense_judge(d, 1, DEFENSE_TX, away.bytes, away.n)); /* the other port is open */
    for (size_t n = 0; n < good.n; n++)
        defense_judge(d, 0, DEFENSE_TX, good.bytes, n); /* cut short: no reading behind the end */
}

static void rate_limits_and_statistics(void **state)
{
    char handles[256], header[512];
    (void)state;
    unsigned ping = ip(
        "<r:FilterProfile>2</r:FilterProfile><r:FilterProfileData>3</r:FilterProfileData><r:FilterDirection>1"
        "</r:FilterDirection><r:HdrIPVersion>4</r:HdrIPVersion><r:HdrProtocolID>1</r:HdrProtocolID>");
    snprintf(handles, sizeof(handles), "<r:FilterCreationHandles>%u</r:FilterCreationHandles>", ping);
    assert_int_equal(try_policy("ping", 1, handles, DEFAULTS("false")), 200);
    unsigned p = created(), passed = 0;
    assert_int_equal(enable(CONSOLE, 0, p), 200);
    struct frame f = ipv4(server, me, 1, 0, 0, 0, 0);
    for (int i = 0; i < 10; i++)
        passed += passes(DEFENSE_RX, &f);
    assert_int_equal(passed, 3);
    sim.time.mono += 1000;
    assert_true(passes(DEFENSE_RX, &f));
    assert_true(passes(DEFENSE_TX, &f));
    snprintf(header, sizeof(header), "<w:SelectorSet>%s</w:SelectorSet>", id(p, true));
    char body[2048];
    snprintf(
        body, sizeof(body),
        "<r:UpdateStatistics_INPUT xmlns:r=\"" AMT
        "AMT_SystemDefensePolicy\"><r:NetworkInterface><a:Address/>"
        "<a:ReferenceParameters><w:ResourceURI>" CIM
        "CIM_EthernetPort</w:ResourceURI><w:SelectorSet><w:Selector "
        "Name=\"DeviceID\">Intel(r) AMT Ethernet Port 0</w:Selector></w:SelectorSet></a:ReferenceParameters>"
        "</r:NetworkInterface><r:ResetOnRead>false</r:ResetOnRead></r:UpdateStatistics_INPUT>");
    assert_int_equal(sim_ask(&sim, d,
                             sim_request(AMT "AMT_SystemDefensePolicy/UpdateStatistics",
                                         "AMT_SystemDefensePolicy", header, body),
                             &text),
                     200);
    has("<g:ReturnValue>0</g:ReturnValue>");
    assert_int_equal(sim_ask(&sim, d, sim_request("Get", "AMT_ActiveFilterStatistics", "", ""), &text), 200);
    has("<g:ReadCount>11</g:ReadCount>");
    has("<g:FilterMatched>true</g:FilterMatched>");
    has("<c:Selector Name=\"Name\">f</c:Selector>");
    assert_true(strstr(text, "Name=\"Antecedent\"") < strstr(text, "Name=\"Dependent\""));
}

static void ipv6_with_extension_headers(void **state)
{
    char handles[256];
    (void)state;
    unsigned ssh =
        ip("<r:FilterProfile>4</r:FilterProfile><r:FilterDirection>1</r:FilterDirection><r:HdrIPVersion>6"
           "</r:HdrIPVersion><r:HdrProtocolID>6</r:HdrProtocolID><r:HdrDestPortStart>22</r:HdrDestPortStart>"
           "<r:HdrDestPortEnd>22</r:HdrDestPortEnd><r:HdrSrcAddress>20010DB8000000000000000000000000"
           "</r:HdrSrcAddress><r:HdrSrcMask>FFFFFFFF000000000000000000000000</r:HdrSrcMask>");
    snprintf(handles, sizeof(handles), "<r:FilterCreationHandles>%u</r:FilterCreationHandles>", ssh);
    assert_int_equal(try_policy("six", 1, handles, DEFAULTS("false")), 200);
    assert_int_equal(enable(CONSOLE, 0, created()), 200);
    struct frame f = frame(0x86dd);
    uint8_t packet[80] = {0x60, [6] = 0,  [8] = 0x20, 0x01,     0x0d, 0xb8, [40] = 60,
                          0,    [48] = 6, 0,          [56] = 4, 0,    0,    22};
    memcpy(f.bytes + 14, packet, sizeof(packet));
    f.n = 14 + sizeof(packet);
    assert_false(passes(DEFENSE_RX, &f));
    f.bytes[14 + 59] = 23;
    assert_true(passes(DEFENSE_RX, &f));
}

static void the_lease_of_the_host_is_the_own_address(void **state)
{
    (void)state;
    assert_int_equal(
        try_policy("s", 1, "<r:AntiSpoofingSupport>1</r:AntiSpoofingSupport>", DEFAULTS("false")), 200);
    assert_int_equal(enable(CONSOLE, 0, created()), 200);
    struct frame f = ipv4(server, other, 17, 0, 67, 68, 0);
    static const uint8_t options[] = {0x63, 0x82, 0x53, 0x63, 53, 1, 5, 255};
    struct frame tx = ipv4(other, server, 17, 0, 68, 67, 0);
    uint8_t big[512] = {0};
    memcpy(big, f.bytes, 14 + 24 + 8);
    uint8_t *bootp = big + 14 + 24 + 8;
    bootp[0] = 2;
    memcpy(bootp + 16, other, 4);
    memcpy(bootp + 236, options, sizeof(options));
    assert_false(passes(DEFENSE_TX, &tx));
    assert_true(defense_judge(d, 0, DEFENSE_RX, big, 14 + 24 + 8 + 236 + sizeof(options)));
    assert_true(passes(DEFENSE_TX, &tx));
}

static void another_product_and_refusals(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    json_t *o = json_pack("{s:i, s:i, s:s, s:i}", "policies", 7, "filters", 70, "enabled", "console",
                          "precedence", 9);
    assert_int_equal(defense_set(d, o, &err), 0);
    json_decref(o);
    assert_int_equal(defense_policy_count(d), 7);
    assert_int_equal(defense_filter_count(d, true), 70);
    assert_int_equal(defense_state(d, DEFENSE_CONSOLE, 1), DEFENSE_ACTIVE);
    o = json_pack("{s:i}", "nonsense", 7);
    assert_int_equal(defense_set(d, o, &err), -1);
    json_decref(o);
    struct plan *plan = plan_new();
    plan->faults[plan->count++] = (struct fault){.kind = FAULT_FLASH_WORN, .after = 1, .first = 1};
    plan->faults[plan->count++] = (struct fault){.kind = FAULT_IGNORE_ACTIVATION};
    fault_plan_set(d, plan);
    ip(DROP_TCP("80"));
    assert_int_equal(try_ip(DROP_TCP("80")), 500);
    has("0x26");
    ip(DROP_TCP("80"));
    assert_int_equal(defense_state(d, DEFENSE_CONSOLE, 0), DEFENSE_ENABLED);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(objects_in_order_and_in_the_wrong_one),
        TEST(what_is_not_a_filter),
        TEST(limits),
        TEST(the_highest_precedence_is_active),
        TEST(time_outs_step_down),
        TEST(provisioning_modes),
        TEST(frames_by_filters_and_defaults),
        TEST(rate_limits_and_statistics),
        TEST(ipv6_with_extension_headers),
        TEST(the_lease_of_the_host_is_the_own_address),
        TEST(another_product_and_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
