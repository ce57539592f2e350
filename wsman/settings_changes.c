/* What changes which settings, in the order that keeps the way to the device open. */
#include <stdlib.h>
#include <string.h>

#include "wsman/redirection_service.h"
#include "wsman/settings_internal.h"

#define EARLIEST 1072915200 /* firmware takes no time before 2004 */

static bool wants_on(const struct settings_seq *ss, enum setting_id id)
{
    const char *value = settings_wrong(ss, id) ? ss->request.wanted[id] : ss->rows[id].is;

    return value && strcmp(value, "on") == 0;
}

/* The place of the wanted value among the choices. */
static uint32_t wanted_choice(const struct settings_seq *ss, enum setting_id id)
{
    uint32_t i = 0;

    while (settings[id].choices[i] && strcmp(settings[id].choices[i], ss->request.wanted[id]) != 0)
        i++;
    return i;
}

/* --- clock --- */

static struct wsman_request *set_clock(struct settings_seq *ss, struct err *err)
{
    int64_t now = clock_wall(ss->request.clock) / 1000;
    struct wsman_request *rq;

    if (ss->heard_s < EARLIEST || now > UINT32_MAX) {
        err_set(err, CAUSE_INVALID_VALUE, "our own clock is wrong: the device's is left alone");
        return NULL;
    }
    rq = wsman_request_new(WSMAN_INVOKE, "AMT_TimeSynchronizationService", "SetHighAccuracyTimeSynch");
    wsman_add_u32(rq, "Ta0", (uint32_t)ss->clock_s);
    wsman_add_u32(rq, "Tm1", (uint32_t)ss->heard_s);
    wsman_add_u32(rq, "Tm2", (uint32_t)now);
    return rq;
}

static struct wsman_request *set_local_sync(struct settings_seq *ss, struct err *err)
{
    struct wsman_request *rq =
        wsman_request_new(WSMAN_INVOKE, "AMT_TimeSynchronizationService", "EnableLocalTimeSync");

    (void)err;
    wsman_add_bool(rq, "Enable", wants_on(ss, SETTING_LOCAL_SYNC));
    return rq;
}

/* --- power --- */

static struct wsman_request *set_scheme(struct settings_seq *ss, struct err *err)
{
    bool wakes = wants_on(ss, SETTING_SLEEP);
    struct wsman_request *rq;

    for (size_t i = 0; i < ss->scheme_count; i++) {
        if (ss->schemes[i].wakes != wakes)
            continue;
        rq = wsman_request_new(WSMAN_INVOKE, "AMT_SystemPowerScheme", "SetPowerScheme");
        wsman_select(rq, "InstanceID", ss->schemes[i].id);
        wsman_select(rq, "SchemeGUID", ss->schemes[i].guid);
        return rq;
    }
    err_set(err, CAUSE_UNSUPPORTED, "the device has no such power policy");
    return NULL;
}

/* --- consent, KVM, redirection --- */

static struct wsman_request *set_consent(struct settings_seq *ss, struct err *err)
{
    static const uint32_t values[] = {0, 1, UINT32_MAX};
    struct wsman_request *rq;

    if (settings_wrong(ss, SETTING_CONSENT) && !ss->may_consent) {
        err_set(err, CAUSE_ACCESS_DENIED,
                "this device does not let the consent policy be changed from a distance");
        return NULL;
    }
    rq = settings_put(ss, PART_CONSENT);
    if (rq && settings_wrong(ss, SETTING_CONSENT))
        wsman_replace_u32(rq, "OptInRequired", values[wanted_choice(ss, SETTING_CONSENT) % 3]);
    return rq;
}

static struct wsman_request *set_kvm_data(struct settings_seq *ss, struct err *err)
{
    (void)err;
    return settings_put(ss, PART_KVM_DATA);
}

static struct wsman_request *switch_kvm(struct settings_seq *ss, struct err *err)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, "CIM_KVMRedirectionSAP", "RequestStateChange");

    (void)err;
    wsman_add_u32(rq, "RequestedState", wants_on(ss, SETTING_KVM) ? 2 : 3);
    return rq;
}

static enum redirection_state wanted_redirection(const struct settings_seq *ss)
{
    static const enum redirection_state states[] = {REDIRECTION_NONE, REDIRECTION_IDER, REDIRECTION_SOL,
                                                    REDIRECTION_BOTH};

    return states[(wants_on(ss, SETTING_SOL) ? 2 : 0) + (wants_on(ss, SETTING_IDER) ? 1 : 0)];
}

static struct wsman_request *switch_redirection(struct settings_seq *ss, struct err *err)
{
    (void)err;
    return redirection_service_switch(wanted_redirection(ss));
}

static struct wsman_request *set_listener(struct settings_seq *ss, struct err *err)
{
    struct wsman_request *rq = settings_put(ss, PART_REDIRECTION);

    (void)err;
    if (rq) {
        wsman_replace_u32(rq, "EnabledState", wanted_redirection(ss));
        wsman_replace_bool(rq, "ListenerEnabled", wants_on(ss, SETTING_LISTENER));
    }
    return rq;
}

/* --- wireless --- */

static struct wsman_request *set_profile_sync(struct settings_seq *ss, struct err *err)
{
    static const uint32_t values[] = {0, 1, 3};
    struct wsman_request *rq = settings_put(ss, PART_WIFI_SERVICE);

    (void)err;
    if (rq)
        wsman_replace_u32(rq, "localProfileSynchronizationEnabled",
                          values[wanted_choice(ss, SETTING_PROFILE_SYNC) % 3]);
    return rq;
}

static bool names_policy(const char *list, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = list; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ','))
        if (strcspn(p, ",") == n && strncmp(p, name, n) == 0)
            return true;
    return false;
}

static struct wsman_request *set_link_policy(struct settings_seq *ss, struct err *err)
{
    static const uint32_t values[] = {1, 14, 16, 224};
    struct wsman_request *rq = ss->puts[PUT_WIRELESS];

    (void)err;
    ss->puts[PUT_WIRELESS] = NULL;
    for (size_t i = 0; rq && settings[SETTING_LINK_POLICY].choices[i]; i++)
        if (names_policy(ss->request.wanted[SETTING_LINK_POLICY], settings[SETTING_LINK_POLICY].choices[i]))
            wsman_add_u32(rq, "LinkPolicy", values[i]);
    return rq;
}

static struct wsman_request *switch_wireless(struct settings_seq *ss, struct err *err)
{
    static const uint32_t values[] = {3, 32768, 32769};
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, "CIM_WiFiPort", "RequestStateChange");

    (void)err;
    wsman_add_u32(rq, "RequestedState", values[wanted_choice(ss, SETTING_WIRELESS) % 3]);
    return rq;
}

/* --- the network --- */

static struct wsman_request *set_general(struct settings_seq *ss, struct err *err)
{
    (void)err;
    return settings_put(ss, PART_GENERAL);
}

static struct wsman_request *set_ipv6(struct settings_seq *ss, struct err *err)
{
    struct wsman_request *rq = settings_put(ss, PART_IN_FORCE);

    (void)err;
    if (rq)
        wsman_replace_u32(rq, "IsCurrent", wants_on(ss, SETTING_IPV6) ? 1 : 2);
    return rq;
}

/* Before anything moves the device, unless it is what moves it. */
static struct wsman_request *set_ipv6_addresses(struct settings_seq *ss, struct err *err)
{
    (void)err;
    return settings_leave_ipv6(ss) ? NULL : settings_put(ss, PART_IPV6);
}

static struct wsman_request *move_ipv6(struct settings_seq *ss, struct err *err)
{
    (void)err;
    return settings_leave_ipv6(ss) ? settings_put(ss, PART_IPV6) : NULL;
}

static bool wants_addresses(const struct settings_seq *ss)
{
    bool any = false;

    for (int id = SETTING_IPV4; id <= SETTING_DNS_2; id++)
        any = any || settings_wrong(ss, (enum setting_id)id);
    return any;
}

/* How the port gets its address; nothing of that is touched for another VLAN alone. */
static void set_how(const struct settings_seq *ss, struct wsman_request *rq, bool dhcp)
{
    if (!wants_addresses(ss))
        return;
    wsman_replace_bool(rq, "DHCPEnabled", dhcp);
    wsman_replace_bool(rq, "IpSyncEnabled", dhcp);
    wsman_replace_bool(rq, "SharedStaticIp", false); /* its own address, not the machine's */
}

/* What holds until this change; when it is one back, what held before all of them. */
static const char *before(const struct settings_seq *ss, enum setting_id id)
{
    return ss->put_back ? ss->rows[id].was : ss->rows[id].is;
}

/* What is not wanted stays as it is; with DHCP, or the machine's own, the addresses must not be given. */
static struct wsman_request *set_addresses(struct settings_seq *ss, struct err *err)
{
    static const struct {
        enum setting_id id;
        const char *name;
    } members[] = {
        {SETTING_ADDRESS, "IPAddress"}, {SETTING_MASK, "SubnetMask"},    {SETTING_GATEWAY, "DefaultGateway"},
        {SETTING_DNS, "PrimaryDNS"},    {SETTING_DNS_2, "SecondaryDNS"},
    };
    struct wsman_request *rq = settings_put(ss, PART_PORTS);
    const char *was = before(ss, SETTING_IPV4);
    const char *how = ss->request.wanted[SETTING_IPV4] ? ss->request.wanted[SETTING_IPV4] : was;
    bool dhcp = how && strcmp(how, "dhcp") == 0, was_static = was && strcmp(was, "static") == 0;
    bool shared = ss->shared && !wants_addresses(ss);

    (void)err;
    if (!rq)
        return NULL;
    set_how(ss, rq, dhcp);
    for (size_t i = 0; !dhcp && !shared && i < sizeof(members) / sizeof(members[0]); i++) {
        const char *value = ss->request.wanted[members[i].id];

        if (!value && was_static)
            value = before(ss, members[i].id);
        if (value)
            wsman_add_str(rq, members[i].name, value);
    }
    return rq;
}

#define BIT SETTING_BIT

const struct settings_change_row settings_changes[] = {
    {"set clock", BIT(SETTING_CLOCK), false, SETTINGS, set_clock},
    {"set time source", BIT(SETTING_LOCAL_SYNC), false, SETTINGS, set_local_sync},
    {"set power policy", BIT(SETTING_SLEEP), false, SETTINGS, set_scheme},
    {"set consent policy", BIT(SETTING_CONSENT) | BIT(SETTING_CODE_TIMEOUT) | BIT(SETTING_SCREEN_TIMEOUT),
     false, SETTINGS, set_consent},
    {"set KVM settings", BIT(SETTING_KVM_PORT) | BIT(SETTING_KVM_SESSION), false, SETTINGS, set_kvm_data},
    {"switch KVM", BIT(SETTING_KVM), false, SETTINGS, switch_kvm},
    {"switch redirection", BIT(SETTING_SOL) | BIT(SETTING_IDER), false, SETTINGS, switch_redirection},
    {"set redirection listener", BIT(SETTING_SOL) | BIT(SETTING_IDER) | BIT(SETTING_LISTENER), false,
     SETTINGS, set_listener},
    {"set wireless profiles", BIT(SETTING_PROFILE_SYNC), false, SETTINGS, set_profile_sync},
    {"set names and pings",
     BIT(SETTING_HOST_NAME) | BIT(SETTING_DOMAIN) | BIT(SETTING_PING) | BIT(SETTING_RMCP_PING) |
         BIT(SETTING_WEB) | BIT(SETTING_IDLE_WAKE),
     false, SETTINGS, set_general},
    {"set wireless link policy", BIT(SETTING_LINK_POLICY), true, SETTINGS, set_link_policy},
    {"switch IPv6", BIT(SETTING_IPV6), true, SETTINGS, set_ipv6},
    {"set IPv6 addresses",
     BIT(SETTING_IPV6_ADDRESS) | BIT(SETTING_IPV6_ROUTER) | BIT(SETTING_IPV6_DNS) | BIT(SETTING_IPV6_DNS_2),
     true, SETTINGS, set_ipv6_addresses},
    {"switch wireless", BIT(SETTING_WIRELESS), true, SETTINGS, switch_wireless},
    {"set addresses",
     BIT(SETTING_IPV4) | BIT(SETTING_ADDRESS) | BIT(SETTING_MASK) | BIT(SETTING_GATEWAY) | BIT(SETTING_DNS) |
         BIT(SETTING_DNS_2) | BIT(SETTING_VLAN),
     true, SETTING_ADDRESS, set_addresses},
    {"move to IPv6 address",
     BIT(SETTING_IPV6_ADDRESS) | BIT(SETTING_IPV6_ROUTER) | BIT(SETTING_IPV6_DNS) | BIT(SETTING_IPV6_DNS_2),
     true, SETTING_IPV6_ADDRESS, move_ipv6},
};
const size_t settings_change_count = sizeof(settings_changes) / sizeof(settings_changes[0]);
