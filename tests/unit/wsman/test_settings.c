/* The settings of a device as a whole, against scripted answers: what is read and changed, in which order,
 * and what is refused before anything is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wsman/settings.h"

/* One expected call: its name, words that must and must not be in the body, the answer's inner XML (NULL:
 * absent class). */
struct line {
    const char *call;
    const char *says;
    const char *says_not;
    const char *answer;
    bool lost;   /* no answer comes */
    bool denied; /* the account may not */
};

static void wrap(struct buf *out, const struct wsman_request *rq, const char *inner)
{
    struct buf ns = buf_init(300);
    bool list = wsman_request_verb(rq) == WSMAN_ENUMERATE;
    const char *method = wsman_request_verb(rq) == WSMAN_INVOKE ? wsman_request_method(rq) : NULL;

    wsman_class_ns(wsman_request_class(rq), &ns);
    buf_printf(out,
               "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:g=\"%s\""
               " xmlns:b=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\""
               " xmlns:c=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\""
               " xmlns:e=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\"><a:Header/><a:Body>",
               buf_str(&ns));
    if (list)
        buf_printf(out, "<e:PullResponse><e:Items>%s</e:Items><e:EndOfSequence/></e:PullResponse>", inner);
    else
        buf_printf(out, "<g:%s%s>%s</g:%s%s>", method ? method : wsman_request_class(rq),
                   method ? "_OUTPUT" : "", inner, method ? method : wsman_request_class(rq),
                   method ? "_OUTPUT" : "");
    buf_puts(out, "</a:Body></a:Envelope>");
    buf_free(&ns);
}

static const char absent[] =
    "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\"><a:Header/><a:Body><a:Fault><a:Code>"
    "<a:Value>a:Sender</a:Value><a:Subcode><a:Value>b:DestinationUnreachable</a:Value></a:Subcode>"
    "</a:Code></a:Fault></a:Body></a:Envelope>";

static const char denied[] =
    "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\""
    " xmlns:b=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><a:Header/><a:Body><a:Fault><a:Code>"
    "<a:Value>a:Sender</a:Value><a:Subcode><a:Value>b:AccessDenied</a:Value></a:Subcode>"
    "</a:Code></a:Fault></a:Body></a:Envelope>";

static const char context[] =
    "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\""
    " xmlns:e=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\"><a:Header/><a:Body>"
    "<e:EnumerateResponse><e:EnumerationContext>1</e:EnumerationContext></e:EnumerateResponse>"
    "</a:Body></a:Envelope>";

/* Enumerations are two messages: the first gets a context. */
static void answer(struct wsman_call *call, const struct line *line, struct err *failure)
{
    struct buf out = buf_init(60000), body = buf_init(60000);
    enum wsman_progress progress;
    struct err err = ERR_INIT;

    if (line->answer)
        wrap(&out, wsman_call_request(call), line->answer);
    else
        buf_puts(&out, line->denied ? denied : absent);
    if (line->answer && wsman_request_verb(wsman_call_request(call)) == WSMAN_ENUMERATE) {
        assert_int_equal(wsman_call_answer(call, 200, context, sizeof(context) - 1, failure), WSMAN_AGAIN);
        assert_int_equal(wsman_call_body(call, 2, &body, &err), 0);
    }
    progress = wsman_call_answer(call, line->answer ? 200 : 400, out.p, out.len, failure);
    if (progress == WSMAN_FINISHED)
        err_clear(failure);
    buf_free(&out);
    buf_free(&body);
}

static void check_call(const struct line *line, const char *name, const char *body)
{
    if (!line->call || strcmp(line->call, name) != 0)
        fail_msg("expected %s, got %s", line->call ? line->call : "the end", name);
    if (line->says && !strstr(body, line->says))
        fail_msg("%s does not say %s: %s", name, line->says, body);
    if (line->says_not && strstr(body, line->says_not))
        fail_msg("%s says %s: %s", name, line->says_not, body);
}

/* Plays the script; holds are answered by `there`, the first one by "nobody". The cause of the end. */
static enum cause play(struct settings_seq *ss, const struct line *script, bool there, struct err *err)
{
    ss->seq.budget_ms = 100000;
    for (int guard = 0; guard < 100; guard++) {
        struct wsman_call *call;
        struct err failure = ERR_INIT;
        struct buf body = buf_init(60000);
        int64_t wait = 0;
        enum seq_want want = seq_next(&ss->seq, &call, &wait, err);

        if (want == SEQ_WANT_WAIT)
            continue;
        if (want == SEQ_WANT_HOLD) {
            ss->seen = ss->moving && there;
            continue;
        }
        if (want != SEQ_WANT_SEND) {
            if (script->call)
                fail_msg("ended before %s: %s", script->call, err->text);
            return want == SEQ_WANT_DONE ? CAUSE_NONE : err->cause;
        }
        assert_int_equal(wsman_call_body(call, 1, &body, err), 0);
        check_call(script, wsman_request_name(wsman_call_request(call)), buf_str(&body));
        if (script->lost)
            err_set(&failure, CAUSE_DROPPED, "the connection broke");
        else
            answer(call, script, &failure);
        script++;
        want = seq_heard(&ss->seq, call, failure.cause ? &failure : NULL, err) == 0 ? SEQ_WANT_SEND
                                                                                    : SEQ_WANT_FAILED;
        wsman_call_free(call);
        buf_free(&body);
        if (want == SEQ_WANT_FAILED)
            return err->cause;
    }
    fail_msg("no end");
    return CAUSE_SYSTEM;
}

#define OK "<g:ReturnValue>0</g:ReturnValue>"
#define GENERAL(host, ping)                                                                                  \
    "<g:DigestRealm>Digest:1</g:DigestRealm><g:DomainName>d</g:DomainName><g:HostName>" host "</g:HostName>" \
    "<g:IdleWakeTimeout>1</g:IdleWakeTimeout><g:PingResponseEnabled>" ping "</g:PingResponseEnabled>"
#define PORT(dhcp, address)                                                                                  \
    "<g:AMT_EthernetPortSettings><g:DHCPEnabled>" dhcp "</g:DHCPEnabled><g:IPAddress>" address               \
    "</g:IPAddress><g:InstanceID>Intel(r) AMT Ethernet Port Settings 0</g:InstanceID>"                       \
    "<g:SubnetMask>255.255.255.0</g:SubnetMask></g:AMT_EthernetPortSettings>"
#define REDIRECTION(state, listener)                                                                         \
    "<g:EnabledState>" state "</g:EnabledState><g:ListenerEnabled>" listener "</g:ListenerEnabled>"
#define SCHEME(id, guid, text)                                                                               \
    "<g:AMT_SystemPowerScheme><g:Description>" text "</g:Description><g:InstanceID>" id "</g:InstanceID>"    \
    "<g:SchemeGUID>" guid "</g:SchemeGUID></g:AMT_SystemPowerScheme>"
#define SCHEMES                                                                                              \
    SCHEME("SCHEME 0", "AAA", "Mobile: ON in S0") SCHEME("SCHEME 1", "BBB", "Mobile: ON in S0, ME Wake in S3")
#define IN_FORCE(guid)                                                                                       \
    "<g:CIM_ElementSettingData><g:IsCurrent>1</g:IsCurrent><g:SettingData><b:Address>x</b:Address>"          \
    "<b:ReferenceParameters><c:ResourceURI>http://intel.com/wbem/wscim/1/amt-schema/1/AMT_SystemPowerScheme" \
    "</c:ResourceURI><c:SelectorSet><c:Selector Name=\"InstanceID\">SCHEME</c:Selector>"                     \
    "<c:Selector Name=\"SchemeGUID\">" guid "</c:Selector></c:SelectorSet></b:ReferenceParameters>"          \
    "</g:SettingData></g:CIM_ElementSettingData>"

static struct settings_seq ss;

static void start(struct settings_request request)
{
    request.clock = clock_system();
    settings_seq_init(&ss, &request);
}

static void only_what_differs_is_changed_and_read_back(void **state)
{
    static const struct line script[] = {
        {"Get AMT_RedirectionService", NULL, NULL, REDIRECTION("32770", "true")},
        {"Get AMT_GeneralSettings", NULL, NULL, GENERAL("old", "true")},
        {"AMT_RedirectionService.RequestStateChange", "RequestedState>32771<", NULL, OK},
        {"Put AMT_RedirectionService", "EnabledState>32771<", "ListenerEnabled>false", OK},
        {"Put AMT_GeneralSettings", "HostName>new<", "PingResponseEnabled>false", GENERAL("new", "true")},
        {"Get AMT_RedirectionService", NULL, NULL, REDIRECTION("32771", "true")},
        {"Get AMT_GeneralSettings", NULL, NULL, GENERAL("new", "true")},
        {NULL},
    };
    struct settings_request request = {.apply = true};
    struct err err = ERR_INIT;

    (void)state;
    request.wanted[SETTING_HOST_NAME] = "new";
    request.wanted[SETTING_PING] = "on";
    request.wanted[SETTING_IDER] = "on";
    request.wanted[SETTING_WEB] = "on"; /* this one does not tell */
    start(request);
    assert_int_equal(play(&ss, script, true, &err), CAUSE_NONE);
    assert_int_equal(ss.rows[SETTING_HOST_NAME].state, SETTING_CHANGED);
    assert_string_equal(ss.rows[SETTING_HOST_NAME].was, "old");
    assert_int_equal(ss.rows[SETTING_PING].state, SETTING_SAME);
    assert_int_equal(ss.rows[SETTING_IDER].state, SETTING_CHANGED);
    assert_int_equal(ss.rows[SETTING_WEB].state, SETTING_UNSUPPORTED);
    assert_int_equal(settings_differ(&ss), 2);
    settings_seq_clear(&ss);
}

static void comparing_changes_nothing(void **state)
{
    static const struct line script[] = {
        {"Get CIM_KVMRedirectionSAP", NULL, NULL, NULL},
        {"Get AMT_GeneralSettings", NULL, NULL, GENERAL("old", "true")},
        {NULL},
    };
    struct settings_request request = {.apply = false};
    struct err err = ERR_INIT;

    (void)state;
    request.wanted[SETTING_HOST_NAME] = "OLD"; /* names have no case */
    request.wanted[SETTING_PING] = "off";
    request.wanted[SETTING_KVM] = "on";
    start(request);
    assert_int_equal(play(&ss, script, true, &err), CAUSE_NONE);
    assert_int_equal(ss.rows[SETTING_HOST_NAME].state, SETTING_SAME);
    assert_int_equal(ss.rows[SETTING_PING].state, SETTING_DIFFERS);
    assert_int_equal(ss.rows[SETTING_KVM].state, SETTING_UNSUPPORTED);
    assert_int_equal(settings_differ(&ss), 1);
    settings_seq_clear(&ss);
}

static void the_power_policy_is_found_by_what_it_says(void **state)
{
    static const struct line script[] = {
        {"Enumerate AMT_SystemPowerScheme", NULL, NULL, SCHEMES},
        {"Enumerate CIM_ElementSettingData", NULL, NULL, IN_FORCE("AAA")},
        {"AMT_SystemPowerScheme.SetPowerScheme", "BBB", "AAA", OK},
        {"Enumerate AMT_SystemPowerScheme", NULL, NULL, SCHEMES},
        {"Enumerate CIM_ElementSettingData", NULL, NULL, IN_FORCE("BBB")},
        {NULL},
    };
    struct settings_request request = {.apply = true};
    struct err err = ERR_INIT;

    (void)state;
    request.wanted[SETTING_SLEEP] = "on";
    start(request);
    assert_int_equal(play(&ss, script, true, &err), CAUSE_NONE);
    assert_int_equal(ss.rows[SETTING_SLEEP].state, SETTING_CHANGED);
    settings_seq_clear(&ss);
}

/* What would cut the way off ends it before anything is sent. */
static void cut(enum setting_id id, const char *value, const struct line *script, const char *there,
                const char *says)
{
    struct settings_request request = {.apply = true, .here = "10.0.0.5", .there = there};
    struct err err = ERR_INIT;

    request.wanted[id] = value;
    if (id == SETTING_ADDRESS) {
        request.wanted[SETTING_IPV4] = "static";
        request.wanted[SETTING_MASK] = "255.255.255.0";
    }
    start(request);
    assert_int_equal(play(&ss, script, true, &err), CAUSE_INVALID_ARGUMENT);
    if (!strstr(err.text, says))
        fail_msg("'%s' does not say '%s'", err.text, says);
    settings_seq_clear(&ss);
}

static void what_cuts_off_the_way_is_refused_before(void **state)
{
    static const struct line power[] = {
        {"Enumerate AMT_SystemPowerScheme", NULL, NULL, SCHEMES},
        {"Enumerate CIM_ElementSettingData", NULL, NULL, IN_FORCE("BBB")},
        {NULL},
    };
    static const struct line port[] = {
        {"Enumerate AMT_EthernetPortSettings", NULL, NULL, PORT("false", "10.0.1.7")}, {NULL}};
    static const struct line leased[] = {
        {"Enumerate AMT_EthernetPortSettings", NULL, NULL, PORT("true", "10.0.1.7")}, {NULL}};

    (void)state;
    cut(SETTING_SLEEP, "off", power, "10.0.1.7", "would not answer while the machine sleeps");
    cut(SETTING_IPV4, "dhcp", port, "10.0.1.7", "another address by DHCP");
    cut(SETTING_ADDRESS, "10.0.1.8", port, "10.0.1.7", "is reached at 10.0.1.7, and would be at 10.0.1.8");
    cut(SETTING_ADDRESS, "10.0.1.7", leased, "10.0.1.7", "there would be no router");
}

static void a_device_that_moves_is_looked_for_at_its_new_address(void **state)
{
    static const struct line script[] = {
        {"Get AMT_GeneralSettings", NULL, NULL, GENERAL("old", "true")},
        {"Enumerate AMT_EthernetPortSettings", NULL, NULL, PORT("false", "10.0.0.7")},
        {"Put AMT_GeneralSettings", NULL, NULL, GENERAL("new", "true")},
        {"Get AMT_GeneralSettings", NULL, NULL, GENERAL("new", "true")}, /* before it goes */
        {"Put AMT_EthernetPortSettings", "IPAddress>10.0.0.8<", NULL, NULL, true},
        {NULL},
    };
    static const struct line lost[] = {
        {"Enumerate AMT_EthernetPortSettings", NULL, NULL, PORT("false", "10.0.0.7")},
        {"Put AMT_EthernetPortSettings", NULL, NULL, NULL, true},
        {"Enumerate AMT_EthernetPortSettings", NULL, NULL, NULL, true},
        {NULL},
    };
    struct settings_request request = {.apply = true, .force = true, .here = "10.0.0.5", .there = "10.0.0.7"};
    struct err err = ERR_INIT;

    (void)state;
    request.wanted[SETTING_IPV4] = "static";
    request.wanted[SETTING_ADDRESS] = "10.0.0.8";
    request.wanted[SETTING_MASK] = "255.255.255.0";
    request.wanted[SETTING_HOST_NAME] = "new";
    start(request);
    assert_int_equal(play(&ss, script, true, &err), CAUSE_NONE);
    assert_int_equal(ss.rows[SETTING_ADDRESS].state, SETTING_CHANGED);
    assert_int_equal(ss.rows[SETTING_HOST_NAME].state, SETTING_CHANGED);
    settings_seq_clear(&ss);

    request.wanted[SETTING_HOST_NAME] = NULL;
    start(request);
    assert_int_equal(play(&ss, lost, false, &err), CAUSE_NOT_REACHED);
    settings_seq_clear(&ss);
}

/* A setting that is refused leaves the others be, but nothing is done to the network any more. */
static void what_is_refused_keeps_the_network_as_it_is(void **state)
{
    static const struct line script[] = {
        {"Get CIM_KVMRedirectionSAP", NULL, NULL, "<g:EnabledState>3</g:EnabledState>"},
        {"Get AMT_GeneralSettings", NULL, NULL, GENERAL("old", "true")},
        {"Enumerate AMT_EthernetPortSettings", NULL, NULL, PORT("true", "10.0.0.7")},
        {"CIM_KVMRedirectionSAP.RequestStateChange", "RequestedState>2<", NULL,
         "<g:ReturnValue>4</g:ReturnValue>"},
        {"Put AMT_GeneralSettings", "PingResponseEnabled>false<", NULL, GENERAL("old", "false")},
        {"Get CIM_KVMRedirectionSAP", NULL, NULL, "<g:EnabledState>3</g:EnabledState>"},
        {"Get AMT_GeneralSettings", NULL, NULL, GENERAL("old", "false")},
        {NULL},
    };
    struct settings_request request = {.apply = true, .force = true, .here = "10.0.0.5", .there = "10.0.0.7"};
    struct err err = ERR_INIT;

    (void)state;
    request.wanted[SETTING_KVM] = "on";
    request.wanted[SETTING_PING] = "off";
    request.wanted[SETTING_IPV4] = "static";
    request.wanted[SETTING_ADDRESS] = "10.0.0.7";
    request.wanted[SETTING_MASK] = "255.255.255.0";
    start(request);
    assert_int_not_equal(play(&ss, script, true, &err), CAUSE_NONE);
    assert_int_equal(ss.rows[SETTING_KVM].state, SETTING_REFUSED);
    assert_int_equal(ss.rows[SETTING_PING].state, SETTING_CHANGED);
    assert_int_equal(ss.rows[SETTING_IPV4].state, SETTING_REFUSED);
    assert_string_equal(ss.rows[SETTING_IPV4].why, "left alone after what went wrong before");
    settings_seq_clear(&ss);
}

static void what_the_device_says_otherwise_is_refused(void **state)
{
    static const struct line script[] = {
        {"Get AMT_GeneralSettings", NULL, NULL, GENERAL("old", "true")},
        {"Put AMT_GeneralSettings", NULL, NULL, GENERAL("old", "true")},
        {"Get AMT_GeneralSettings", NULL, NULL, GENERAL("old", "true")},
        {NULL},
    };
    struct settings_request request = {.apply = true};
    struct err err = ERR_INIT;

    (void)state;
    request.wanted[SETTING_PING] = "off";
    start(request);
    assert_int_equal(play(&ss, script, true, &err), CAUSE_INVALID_VALUE);
    assert_int_equal(ss.rows[SETTING_PING].state, SETTING_REFUSED);
    settings_seq_clear(&ss);
}

static void a_lost_device_ends_it(void **state)
{
    static const struct line script[] = {
        {"Get AMT_GeneralSettings", NULL, NULL, GENERAL("old", "true")},
        {"Put AMT_GeneralSettings", NULL, NULL, NULL, true},
        {NULL},
    };
    struct settings_request request = {.apply = true};
    struct err err = ERR_INIT;

    (void)state;
    request.wanted[SETTING_PING] = "off";
    start(request);
    assert_int_equal(play(&ss, script, true, &err), CAUSE_DROPPED);
    settings_seq_clear(&ss);
}

/* What the account may not read is not called good, nor absent. */
static void what_may_not_be_read_is_told(void **state)
{
    static const struct line script[] = {
        {"Get IPS_OptInService", NULL, NULL, NULL, .denied = true},
        {"Get AMT_GeneralSettings", NULL, NULL, GENERAL("old", "true")},
        {NULL},
    };
    static const struct line applied[] = {
        {"Get IPS_OptInService", NULL, NULL, NULL, .denied = true},
        {"Get AMT_GeneralSettings", NULL, NULL, GENERAL("old", "false")},
        {"Put AMT_GeneralSettings", "PingResponseEnabled>true<", NULL, GENERAL("old", "true")},
        {"Get AMT_GeneralSettings", NULL, NULL, GENERAL("old", "true")},
        {NULL},
    };
    struct settings_request request = {.apply = false};
    struct err err = ERR_INIT;

    (void)state;
    request.wanted[SETTING_CONSENT] = "kvm";
    request.wanted[SETTING_PING] = "on";
    start(request);
    assert_int_equal(play(&ss, script, true, &err), CAUSE_NONE);
    assert_int_equal(ss.rows[SETTING_CONSENT].state, SETTING_REFUSED);
    assert_non_null(strstr(ss.rows[SETTING_CONSENT].why, "may not read"));
    assert_int_equal(ss.rows[SETTING_PING].state, SETTING_SAME);
    assert_int_equal(settings_differ(&ss), 1);
    settings_seq_clear(&ss);
    request.apply = true;
    start(request);
    assert_int_equal(play(&ss, applied, true, &err), CAUSE_ACCESS_DENIED);
    assert_int_equal(ss.rows[SETTING_PING].state, SETTING_CHANGED);
    settings_seq_clear(&ss);
}

#define IPV6(address, router)                                                                                \
    "<g:IPS_IPv6PortSettings><g:DefaultRouter>" router "</g:DefaultRouter><g:IPv6Address>" address           \
    "</g:IPv6Address><g:InstanceID>Intel(r) IPS IPv6 Settings 0</g:InstanceID>"                              \
    "<g:InterfaceIDType>0</g:InterfaceIDType><g:PrimaryDNS>::</g:PrimaryDNS></g:IPS_IPv6PortSettings>"

/* A device that is reached by IPv4 stays there; what it has no name server for is not told. */
static void ipv6_addresses_are_set_and_read_back(void **state)
{
    static const struct line script[] = {
        {"Enumerate IPS_IPv6PortSettings", NULL, NULL, IPV6("::", "2001:DB8::1")},
        {"Put IPS_IPv6PortSettings", "IPv6Address>2001:db8::7<", "DefaultRouter>2001:db8::1<",
         IPV6("2001:db8::7", "2001:db8::1")},
        {"Enumerate IPS_IPv6PortSettings", NULL, NULL, IPV6("2001:0db8::7", "2001:db8::1")},
        {NULL},
    };
    static const struct line none[] = {
        {"Enumerate IPS_IPv6PortSettings", NULL, NULL, IPV6("2001:db8::7", "::")},
        {"Put IPS_IPv6PortSettings", "IPv6Address>::<", NULL, IPV6("::", "::")},
        {"Enumerate IPS_IPv6PortSettings", NULL, NULL, IPV6("::", "::")},
        {NULL},
    };
    struct settings_request request = {.apply = true, .here = "10.0.0.5", .there = "10.0.0.7"};
    struct err err = ERR_INIT;

    (void)state;
    request.wanted[SETTING_IPV6_ADDRESS] = "2001:db8::7";
    request.wanted[SETTING_IPV6_ROUTER] = "2001:db8::1";
    request.wanted[SETTING_IPV6_DNS] = "none";
    request.wanted[SETTING_IPV6_DNS_2] = "2001:db8::5";
    start(request);
    assert_int_equal(play(&ss, script, true, &err), CAUSE_NONE);
    assert_int_equal(ss.rows[SETTING_IPV6_ADDRESS].state, SETTING_CHANGED);
    assert_string_equal(ss.rows[SETTING_IPV6_ADDRESS].was, "none");
    assert_int_equal(ss.rows[SETTING_IPV6_ROUTER].state, SETTING_SAME);
    assert_int_equal(ss.rows[SETTING_IPV6_DNS].state, SETTING_SAME);
    assert_int_equal(ss.rows[SETTING_IPV6_DNS_2].state, SETTING_UNSUPPORTED);
    assert_string_equal(ss.moved_to, "");
    settings_seq_clear(&ss);

    memset(request.wanted, 0, sizeof(request.wanted));
    request.wanted[SETTING_IPV6_ADDRESS] = "none";
    start(request);
    assert_int_equal(play(&ss, none, true, &err), CAUSE_NONE);
    assert_int_equal(ss.rows[SETTING_IPV6_ADDRESS].state, SETTING_CHANGED);
    settings_seq_clear(&ss);
}

/* One that is reached by the address which changes is moved last, looked for at the new one, and put back
 * when it does not come there. */
static void a_device_that_is_reached_by_ipv6_moves(void **state)
{
    static const struct line cutting[] = {
        {"Enumerate IPS_IPv6PortSettings", NULL, NULL, IPV6("2001:db8::7", "::")}, {NULL}};
    static const struct line script[] = {
        {"Enumerate IPS_IPv6PortSettings", NULL, NULL, IPV6("2001:db8::7", "::")},
        {"Enumerate AMT_EthernetPortSettings", NULL, NULL, PORT("true", "10.0.0.7")},
        {"Put AMT_EthernetPortSettings", "IPAddress>10.0.0.9<", NULL, PORT("false", "10.0.0.9")},
        {"Put IPS_IPv6PortSettings", "IPv6Address>2001:db8::9<", NULL, NULL, true},
        {NULL},
    };
    static const struct line back[] = {
        {"Enumerate IPS_IPv6PortSettings", NULL, NULL, IPV6("2001:db8::7", "::")},
        {"Put IPS_IPv6PortSettings", "IPv6Address>2001:db8::9<", NULL, IPV6("2001:db8::9", "::")},
        {"Enumerate IPS_IPv6PortSettings", NULL, NULL, IPV6("2001:db8::9", "::")},
        {"Put IPS_IPv6PortSettings", "IPv6Address>2001:db8::7<", NULL, IPV6("2001:db8::7", "::")},
        {"Enumerate IPS_IPv6PortSettings", NULL, NULL, IPV6("2001:db8::7", "::")},
        {NULL},
    };
    struct settings_request request = {.apply = true, .here = "2001:db8::5", .there = "2001:db8:0::7"};
    struct err err = ERR_INIT;

    (void)state;
    request.wanted[SETTING_IPV6_ADDRESS] = "2001:db8::9";
    start(request);
    assert_int_equal(play(&ss, cutting, true, &err), CAUSE_INVALID_ARGUMENT);
    assert_non_null(strstr(err.text, "would be at 2001:db8::9"));
    settings_seq_clear(&ss);

    request.force = true;
    start(request);
    assert_int_equal(play(&ss, back, false, &err), CAUSE_NOT_REACHED);
    assert_non_null(strstr(err.text, "its addresses were put back"));
    assert_int_equal(ss.rows[SETTING_IPV6_ADDRESS].state, SETTING_REFUSED);
    settings_seq_clear(&ss);

    request.wanted[SETTING_IPV4] = "static";
    request.wanted[SETTING_ADDRESS] = "10.0.0.9";
    request.wanted[SETTING_MASK] = "255.255.255.0";
    start(request);
    assert_int_equal(play(&ss, script, true, &err), CAUSE_NONE);
    assert_string_equal(ss.moved_to, "2001:db8::9");
    assert_int_equal(ss.rows[SETTING_ADDRESS].state, SETTING_CHANGED);
    settings_seq_clear(&ss);
}

#define TAGGED(tag, shared)                                                                                  \
    "<g:AMT_EthernetPortSettings><g:DHCPEnabled>false</g:DHCPEnabled><g:IPAddress>10.0.0.7</g:IPAddress>"    \
    "<g:InstanceID>Intel(r) AMT Ethernet Port Settings 0</g:InstanceID><g:IpSyncEnabled>" shared             \
    "</g:IpSyncEnabled><g:SharedStaticIp>" shared "</g:SharedStaticIp><g:SubnetMask>255.0.0.0"               \
    "</g:SubnetMask><g:VLANTag>" tag "</g:VLANTag></g:AMT_EthernetPortSettings>"

/* Only where it is told; it may cut off the way there, and touches nothing of how the port has its address.
 */
static void another_vlan(void **state)
{
    static const struct line absent_tag[] = {
        {"Enumerate AMT_EthernetPortSettings", NULL, NULL, PORT("true", "10.0.0.7")}, {NULL}};
    static const struct line cutting[] = {
        {"Enumerate AMT_EthernetPortSettings", NULL, NULL, TAGGED("0", "false")}, {NULL}};
    static const struct line own[] = {
        {"Enumerate AMT_EthernetPortSettings", NULL, NULL, TAGGED("0", "false")},
        {"Put AMT_EthernetPortSettings", "VLANTag>120<", NULL, TAGGED("120", "false")},
        {"Enumerate AMT_EthernetPortSettings", NULL, NULL, TAGGED("120", "false")},
        {NULL},
    };
    static const struct line shared[] = {
        {"Enumerate AMT_EthernetPortSettings", NULL, NULL, TAGGED("0", "true")},
        {"Put AMT_EthernetPortSettings", "SharedStaticIp>true<", "IPAddress", TAGGED("120", "true")},
        {"Enumerate AMT_EthernetPortSettings", NULL, NULL, TAGGED("120", "true")},
        {NULL},
    };
    struct settings_request request = {.apply = true, .here = "10.0.0.5", .there = "10.0.0.7"};
    struct err err = ERR_INIT;

    (void)state;
    request.wanted[SETTING_VLAN] = "120";
    start(request);
    assert_int_equal(play(&ss, absent_tag, true, &err), CAUSE_NONE);
    assert_int_equal(ss.rows[SETTING_VLAN].state, SETTING_UNSUPPORTED);
    settings_seq_clear(&ss);
    start(request);
    assert_int_equal(play(&ss, cutting, true, &err), CAUSE_INVALID_ARGUMENT);
    assert_non_null(strstr(err.text, "VLAN 120 instead of off"));
    settings_seq_clear(&ss);
    request.force = true;
    start(request);
    assert_int_equal(play(&ss, own, true, &err), CAUSE_NONE);
    assert_int_equal(ss.rows[SETTING_VLAN].state, SETTING_CHANGED);
    settings_seq_clear(&ss);
    start(request);
    assert_int_equal(play(&ss, shared, true, &err), CAUSE_NONE);
    settings_seq_clear(&ss);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_differs_is_changed_and_read_back),
        cmocka_unit_test(comparing_changes_nothing),
        cmocka_unit_test(the_power_policy_is_found_by_what_it_says),
        cmocka_unit_test(what_cuts_off_the_way_is_refused_before),
        cmocka_unit_test(a_device_that_moves_is_looked_for_at_its_new_address),
        cmocka_unit_test(what_is_refused_keeps_the_network_as_it_is),
        cmocka_unit_test(what_the_device_says_otherwise_is_refused),
        cmocka_unit_test(a_lost_device_ends_it),
        cmocka_unit_test(what_may_not_be_read_is_told),
        cmocka_unit_test(ipv6_addresses_are_set_and_read_back),
        cmocka_unit_test(a_device_that_is_reached_by_ipv6_moves),
        cmocka_unit_test(another_vlan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
