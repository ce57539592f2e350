/* What reads which settings. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "wsman/redirection_service.h"
#include "wsman/settings_internal.h"

#define WIRED    "Intel(r) AMT Ethernet Port Settings 0"
#define WIRELESS "Intel(r) AMT Ethernet Port Settings 1"
#define IPV6     "Intel(r) IPS IPv6 Settings 0"
#define NO_MAC   "00-00-00-00-00-00"

enum form { FORM_TEXT, FORM_FLAG, FORM_FLAG_NOT, FORM_TIME, FORM_IPV6, FORM_VLAN };

/* Settings that are a property of their own. */
static const struct property {
    enum setting_id id;
    enum settings_part part;
    const char *name;
    enum form form;
} properties[] = {
    {SETTING_HOST_NAME, PART_GENERAL, "HostName", FORM_TEXT},
    {SETTING_DOMAIN, PART_GENERAL, "DomainName", FORM_TEXT},
    {SETTING_PING, PART_GENERAL, "PingResponseEnabled", FORM_FLAG},
    {SETTING_RMCP_PING, PART_GENERAL, "RmcpPingResponseEnabled", FORM_FLAG},
    {SETTING_WEB, PART_GENERAL, "WsmanOnlyMode", FORM_FLAG_NOT},
    {SETTING_IDLE_WAKE, PART_GENERAL, "IdleWakeTimeout", FORM_TIME},
    {SETTING_KVM_PORT, PART_KVM_DATA, "Is5900PortEnabled", FORM_FLAG},
    {SETTING_KVM_SESSION, PART_KVM_DATA, "SessionTimeout", FORM_TIME},
    {SETTING_CODE_TIMEOUT, PART_CONSENT, "OptInCodeTimeout", FORM_TIME},
    {SETTING_SCREEN_TIMEOUT, PART_CONSENT, "OptInDisplayTimeout", FORM_TIME},
    {SETTING_ADDRESS, PART_PORTS, "IPAddress", FORM_TEXT},
    {SETTING_MASK, PART_PORTS, "SubnetMask", FORM_TEXT},
    {SETTING_GATEWAY, PART_PORTS, "DefaultGateway", FORM_TEXT},
    {SETTING_DNS, PART_PORTS, "PrimaryDNS", FORM_TEXT},
    {SETTING_DNS_2, PART_PORTS, "SecondaryDNS", FORM_TEXT},
    {SETTING_VLAN, PART_PORTS, "VLANTag", FORM_VLAN},
    {SETTING_IPV6_ADDRESS, PART_IPV6, "IPv6Address", FORM_IPV6},
    {SETTING_IPV6_ROUTER, PART_IPV6, "DefaultRouter", FORM_IPV6},
    {SETTING_IPV6_DNS, PART_IPV6, "PrimaryDNS", FORM_IPV6},
    {SETTING_IPV6_DNS_2, PART_IPV6, "SecondaryDNS", FORM_IPV6},
};
#define PROPERTIES (sizeof(properties) / sizeof(properties[0]))

static const uint32_t policy_values[] = {1, 14, 16, 224}; /* as settings[SETTING_LINK_POLICY].choices */

void settings_tell(struct settings_seq *ss, enum setting_id id, const char *text)
{
    xreplace(&ss->rows[id].is, text);
}

static void tell_choice(struct settings_seq *ss, enum setting_id id, uint32_t at)
{
    uint32_t count = 0;

    while (settings[id].choices[count])
        count++;
    settings_tell(ss, id, at < count ? settings[id].choices[at] : "?");
}

/* One spelling of each; what is none is told as "::". */
static void tell_ipv6(struct settings_seq *ss, enum setting_id id, const char *text)
{
    char spelled[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (text && text[0] == '\0')
        settings_tell(ss, id, "none");
    else if (text && inet_pton(AF_INET6, text, &address) == 1 &&
             inet_ntop(AF_INET6, &address, spelled, sizeof(spelled)))
        settings_tell(ss, id, strcmp(spelled, "::") == 0 ? "none" : spelled);
    else
        settings_tell(ss, id, text);
}

static void take_property(struct settings_seq *ss, const struct property *p, struct wsman_obj obj)
{
    char text[24];
    uint32_t number;
    bool flag;

    switch (p->form) {
    case FORM_IPV6:
        tell_ipv6(ss, p->id, wsman_str(obj, p->name));
        break;
    case FORM_VLAN:
        if (!wsman_u32(obj, p->name, &number))
            break;
        snprintf(text, sizeof(text), "%u", number);
        settings_tell(ss, p->id, number == 0 ? "off" : text);
        break;
    case FORM_TEXT:
        settings_tell(ss, p->id, wsman_str(obj, p->name));
        break;
    case FORM_FLAG:
    case FORM_FLAG_NOT:
        if (wsman_bool(obj, p->name, &flag))
            tell_choice(ss, p->id, flag == (p->form == FORM_FLAG));
        break;
    case FORM_TIME:
        if (!wsman_u32(obj, p->name, &number))
            break;
        snprintf(text, sizeof(text), "%u%s", number, settings[p->id].unit);
        settings_tell(ss, p->id, text);
        break;
    }
}

static void take_properties(struct settings_seq *ss, enum settings_part part, struct wsman_obj obj)
{
    for (size_t i = 0; i < PROPERTIES; i++)
        if (properties[i].part == part)
            take_property(ss, &properties[i], obj);
}

static void put_property(const struct settings_seq *ss, const struct property *p, struct wsman_request *rq)
{
    const char *value = ss->request.wanted[p->id];
    bool on = strcmp(value, "on") == 0;

    switch (p->form) {
    case FORM_TEXT:
        wsman_replace_str(rq, p->name, value);
        break;
    case FORM_FLAG:
    case FORM_FLAG_NOT:
        wsman_replace_bool(rq, p->name, on == (p->form == FORM_FLAG));
        break;
    case FORM_TIME:
    case FORM_VLAN: /* "off" is 0 */
        wsman_replace_u32(rq, p->name, (uint32_t)strtoul(value, NULL, 10));
        break;
    case FORM_IPV6:
        wsman_replace_str(rq, p->name, strcmp(value, "none") == 0 ? "::" : value);
        break;
    }
}

static void keep(struct settings_seq *ss, size_t at, struct wsman_obj obj, const char *const drop[])
{
    wsman_request_free(ss->puts[at]);
    ss->puts[at] = wsman_request_new(WSMAN_PUT, wsman_obj_class(obj), NULL);
    wsman_add_instance(ss->puts[at], obj.doc, obj.el, drop);
}

/* Those are given as a whole, or not at all. */
static bool is_address(enum setting_id id)
{
    return id >= SETTING_ADDRESS && id <= SETTING_DNS_2;
}

struct wsman_request *settings_put(struct settings_seq *ss, enum settings_part part)
{
    struct wsman_request *rq = ss->puts[part];

    ss->puts[part] = NULL;
    for (size_t i = 0; rq && i < PROPERTIES; i++)
        if (properties[i].part == part && !is_address(properties[i].id) &&
            settings_wrong(ss, properties[i].id))
            put_property(ss, &properties[i], rq);
    return rq;
}

/* --- the parts --- */

#define ASK(name, verb, class_name, method)                                                                  \
    static struct wsman_request *name(const struct settings_seq *ss)                                         \
    {                                                                                                        \
        (void)ss;                                                                                            \
        return wsman_request_new(verb, class_name, method);                                                  \
    }

ASK(ask_general, WSMAN_GET, "AMT_GeneralSettings", NULL)
ASK(ask_ipv6, WSMAN_ENUMERATE, "IPS_IPv6PortSettings", NULL)
ASK(ask_ports, WSMAN_ENUMERATE, "AMT_EthernetPortSettings", NULL)
ASK(ask_kvm, WSMAN_GET, "CIM_KVMRedirectionSAP", NULL)
ASK(ask_kvm_data, WSMAN_GET, "IPS_KVMRedirectionSettingData", NULL)
ASK(ask_consent, WSMAN_GET, "IPS_OptInService", NULL)
ASK(ask_schemes, WSMAN_ENUMERATE, "AMT_SystemPowerScheme", NULL)
ASK(ask_in_force, WSMAN_ENUMERATE, "CIM_ElementSettingData", NULL)
ASK(ask_wifi, WSMAN_ENUMERATE, "CIM_WiFiPort", NULL)
ASK(ask_wifi_service, WSMAN_GET, "AMT_WiFiPortConfigurationService", NULL)
ASK(ask_time, WSMAN_GET, "AMT_TimeSynchronizationService", NULL)
ASK(ask_clock, WSMAN_INVOKE, "AMT_TimeSynchronizationService", "GetLowAccuracyTimeSynch")

static struct wsman_request *ask_redirection(const struct settings_seq *ss)
{
    (void)ss;
    return redirection_service_get();
}

static void take_general(struct settings_seq *ss, const struct wsman_call *call)
{
    keep(ss, PART_GENERAL, wsman_call_obj(call, 0), NULL);
    take_properties(ss, PART_GENERAL, wsman_call_obj(call, 0));
}

static void take_ipv6(struct settings_seq *ss, const struct wsman_call *call)
{
    struct wsman_obj port = wsman_call_find(call, "InstanceID", IPV6);

    if (!wsman_str(port, "InstanceID"))
        return;
    take_properties(ss, PART_IPV6, port);
    keep(ss, PART_IPV6, port, NULL);
    wsman_select(ss->puts[PART_IPV6], "InstanceID", IPV6);
}

/* The address members are given anew by whoever puts it; with DHCP they must not be there. */
static void take_wired(struct settings_seq *ss, struct wsman_obj port)
{
    static const char *const drop[] = {"IPAddress",  "SubnetMask",   "DefaultGateway",
                                       "PrimaryDNS", "SecondaryDNS", NULL};
    bool dhcp;

    ss->shared = false;
    wsman_bool(port, "SharedStaticIp", &ss->shared);
    if (wsman_bool(port, "DHCPEnabled", &dhcp))
        tell_choice(ss, SETTING_IPV4, dhcp);
    take_properties(ss, PART_PORTS, port);
    keep(ss, PART_PORTS, port, drop);
    wsman_select(ss->puts[PART_PORTS], "InstanceID", WIRED);
}

static void take_wireless(struct settings_seq *ss, struct wsman_obj port)
{
    static const char *const drop[] = {"LinkPolicy", "IPAddress",    "SubnetMask", "DefaultGateway",
                                       "PrimaryDNS", "SecondaryDNS", NULL};
    uint32_t values[16];
    size_t n = wsman_u32_array(port, "LinkPolicy", values, 16);
    struct buf text = buf_init(100);

    for (size_t k = 0; k < sizeof(policy_values) / sizeof(policy_values[0]); k++)
        for (size_t i = 0; i < n; i++)
            if (values[i] == policy_values[k])
                buf_printf(&text, "%s%s", text.len > 0 ? "," : "", settings[SETTING_LINK_POLICY].choices[k]);
    settings_tell(ss, SETTING_LINK_POLICY, buf_str(&text));
    buf_free(&text);
    keep(ss, PUT_WIRELESS, port, drop);
    wsman_select(ss->puts[PUT_WIRELESS], "InstanceID", WIRELESS);
}

static void take_ports(struct settings_seq *ss, const struct wsman_call *call)
{
    struct wsman_obj wired = wsman_call_find(call, "InstanceID", WIRED);
    struct wsman_obj wireless = wsman_call_find(call, "InstanceID", WIRELESS);
    const char *mac = wsman_str(wireless, "MACAddress");

    if (wsman_str(wired, "InstanceID"))
        take_wired(ss, wired);
    if (mac && strcmp(mac, NO_MAC) != 0) /* such a one is not there */
        take_wireless(ss, wireless);
}

static void take_redirection(struct settings_seq *ss, const struct wsman_call *call)
{
    struct wsman_obj obj = wsman_call_obj(call, 0);
    enum redirection_state state;
    struct err err = ERR_INIT;

    if (redirection_service_read(obj, &state, &ss->listener, &err) != 0)
        return;
    ss->redirection = (uint32_t)state;
    tell_choice(ss, SETTING_SOL, state == REDIRECTION_SOL || state == REDIRECTION_BOTH);
    tell_choice(ss, SETTING_IDER, state == REDIRECTION_IDER || state == REDIRECTION_BOTH);
    tell_choice(ss, SETTING_LISTENER, ss->listener);
    keep(ss, PART_REDIRECTION, obj, NULL);
}

static void take_kvm(struct settings_seq *ss, const struct wsman_call *call)
{
    uint32_t state;

    if (wsman_u32(wsman_call_obj(call, 0), "EnabledState", &state))
        tell_choice(ss, SETTING_KVM, state == 2 || state == 6);
}

/* The password is told as empty, and would be made so. */
static void take_kvm_data(struct settings_seq *ss, const struct wsman_call *call)
{
    static const char *const drop[] = {"RFBPassword", NULL};

    take_properties(ss, PART_KVM_DATA, wsman_call_obj(call, 0));
    keep(ss, PART_KVM_DATA, wsman_call_obj(call, 0), drop);
}

static void take_consent(struct settings_seq *ss, const struct wsman_call *call)
{
    struct wsman_obj obj = wsman_call_obj(call, 0);
    uint32_t required, modify = 0;

    if (wsman_u32(obj, "OptInRequired", &required))
        tell_choice(ss, SETTING_CONSENT, required == UINT32_MAX ? 2 : required);
    take_properties(ss, PART_CONSENT, obj);
    wsman_u32(obj, "CanModifyOptInPolicy", &modify);
    ss->may_consent = modify == 1;
    keep(ss, PART_CONSENT, obj, NULL);
}

static void take_schemes(struct settings_seq *ss, const struct wsman_call *call)
{
    size_t count = wsman_call_count(call);

    ss->scheme_count = 0;
    for (size_t i = 0; i < count && ss->scheme_count < SETTINGS_SCHEMES_MAX; i++) {
        struct wsman_obj obj = wsman_call_obj(call, i);
        const char *id = wsman_str(obj, "InstanceID"), *guid = wsman_str(obj, "SchemeGUID"),
                   *text = wsman_str(obj, "Description");

        if (!id || !guid || !text || strlen(id) >= sizeof(ss->schemes[0].id) ||
            strlen(guid) >= sizeof(ss->schemes[0].guid))
            continue;
        snprintf(ss->schemes[ss->scheme_count].id, sizeof(ss->schemes[0].id), "%s", id);
        snprintf(ss->schemes[ss->scheme_count].guid, sizeof(ss->schemes[0].guid), "%s", guid);
        ss->schemes[ss->scheme_count++].wakes = strstr(text, "S3") || strstr(text, "S4");
    }
}

static void take_scheme(struct settings_seq *ss, const char *guid)
{
    for (size_t i = 0; guid && i < ss->scheme_count; i++)
        if (strcmp(ss->schemes[i].guid, guid) == 0)
            tell_choice(ss, SETTING_SLEEP, ss->schemes[i].wakes);
}

/* Both ends of the relation stand in its selectors. */
static void keep_ipv6(struct settings_seq *ss, struct wsman_obj obj)
{
    static const char *const names[] = {"CreationClassName", "Name", "InstanceID", "SystemCreationClassName",
                                        "SystemName"};
    struct wsman_selector element[sizeof(names) / sizeof(names[0]) + 1] = {{0}};
    const struct wsman_selector setting[] = {{"InstanceID", IPV6}, {NULL, NULL}};
    const char *class_name = wsman_epr_class(obj, "ManagedElement");
    size_t n = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = wsman_epr_selector(obj, "ManagedElement", names[i]);

        if (value)
            element[n++] = (struct wsman_selector){names[i], value};
    }
    keep(ss, PART_IN_FORCE, obj, NULL);
    if (class_name)
        wsman_select_epr(ss->puts[PART_IN_FORCE], "ManagedElement", class_name, element);
    wsman_select_epr(ss->puts[PART_IN_FORCE], "SettingData", "IPS_IPv6PortSettings", setting);
}

static void take_in_force(struct settings_seq *ss, const struct wsman_call *call)
{
    for (size_t i = 0; i < wsman_call_count(call); i++) {
        struct wsman_obj obj = wsman_call_obj(call, i);
        const char *class_name = wsman_epr_class(obj, "SettingData");
        const char *id = wsman_epr_selector(obj, "SettingData", "InstanceID");
        uint32_t current = 0;

        wsman_u32(obj, "IsCurrent", &current);
        if (class_name && strcmp(class_name, "AMT_SystemPowerScheme") == 0 && current == 1)
            take_scheme(ss, wsman_epr_selector(obj, "SettingData", "SchemeGUID"));
        if (class_name && strcmp(class_name, "IPS_IPv6PortSettings") == 0 && id && strcmp(id, IPV6) == 0) {
            tell_choice(ss, SETTING_IPV6, current == 1);
            keep_ipv6(ss, obj);
        }
    }
}

static void take_wifi(struct settings_seq *ss, const struct wsman_call *call)
{
    uint32_t state;

    if (wsman_call_count(call) > 0 && wsman_u32(wsman_call_obj(call, 0), "EnabledState", &state))
        tell_choice(ss, SETTING_WIRELESS, state == 32769 ? 2 : state == 32768);
}

static void take_wifi_service(struct settings_seq *ss, const struct wsman_call *call)
{
    struct wsman_obj obj = wsman_call_obj(call, 0);
    uint32_t sync;

    if (wsman_u32(obj, "localProfileSynchronizationEnabled", &sync))
        tell_choice(ss, SETTING_PROFILE_SYNC, sync == 3 ? 2 : sync);
    keep(ss, PART_WIFI_SERVICE, obj, NULL);
}

static void take_time(struct settings_seq *ss, const struct wsman_call *call)
{
    uint32_t sync;

    if (wsman_u32(wsman_call_obj(call, 0), "LocalTimeSyncEnabled", &sync))
        tell_choice(ss, SETTING_LOCAL_SYNC, sync != 2);
}

static void take_clock(struct settings_seq *ss, const struct wsman_call *call)
{
    char text[24];
    uint32_t seconds;

    if (wsman_call_return_value(call) != 0 || !wsman_u32(wsman_call_obj(call, 0), "Ta0", &seconds))
        return;
    ss->heard_s = clock_wall(ss->request.clock) / 1000;
    ss->clock_s = seconds;
    snprintf(text, sizeof(text), "%llds", llabs((long long)(ss->clock_s - ss->heard_s)));
    settings_tell(ss, SETTING_CLOCK, text);
}

#define BIT SETTING_BIT

const struct settings_part_row settings_parts[SETTINGS_PARTS] = {
    [PART_TIME] = {"read time source", BIT(SETTING_LOCAL_SYNC), 0, ask_time, take_time},
    [PART_SCHEMES] = {"read power policies", BIT(SETTING_SLEEP), 0, ask_schemes, take_schemes},
    [PART_IN_FORCE] = {"read what is in force", BIT(SETTING_SLEEP) | BIT(SETTING_IPV6), 0, ask_in_force,
                       take_in_force},
    [PART_CONSENT] = {"read consent policy",
                      BIT(SETTING_CONSENT) | BIT(SETTING_CODE_TIMEOUT) | BIT(SETTING_SCREEN_TIMEOUT), 0,
                      ask_consent, take_consent},
    [PART_KVM_DATA] = {"read KVM settings", BIT(SETTING_KVM_PORT) | BIT(SETTING_KVM_SESSION), 0, ask_kvm_data,
                       take_kvm_data},
    [PART_KVM] = {"read KVM state", BIT(SETTING_KVM), 0, ask_kvm, take_kvm},
    [PART_REDIRECTION] = {"read redirection state",
                          BIT(SETTING_SOL) | BIT(SETTING_IDER) | BIT(SETTING_LISTENER), 0, ask_redirection,
                          take_redirection},
    [PART_WIFI_SERVICE] = {"read wireless profiles", BIT(SETTING_PROFILE_SYNC), 0, ask_wifi_service,
                           take_wifi_service},
    [PART_WIFI] = {"read wireless state", BIT(SETTING_WIRELESS), 0, ask_wifi, take_wifi},
    [PART_GENERAL] = {"read general settings",
                      BIT(SETTING_HOST_NAME) | BIT(SETTING_DOMAIN) | BIT(SETTING_PING) |
                          BIT(SETTING_RMCP_PING) | BIT(SETTING_WEB) | BIT(SETTING_IDLE_WAKE),
                      0, ask_general, take_general},
    [PART_IPV6] = {"read IPv6 addresses",
                   BIT(SETTING_IPV6_ADDRESS) | BIT(SETTING_IPV6_ROUTER) | BIT(SETTING_IPV6_DNS) |
                       BIT(SETTING_IPV6_DNS_2),
                   0, ask_ipv6, take_ipv6},
    [PART_PORTS] = {"read addresses",
                    BIT(SETTING_IPV4) | BIT(SETTING_ADDRESS) | BIT(SETTING_MASK) | BIT(SETTING_GATEWAY) |
                        BIT(SETTING_DNS) | BIT(SETTING_DNS_2) | BIT(SETTING_VLAN) | BIT(SETTING_LINK_POLICY),
                    BIT(SETTING_WIRELESS), ask_ports, take_ports},
    [PART_CLOCK] = {"read clock", BIT(SETTING_CLOCK), 0, ask_clock, take_clock},
};
