/* General settings, time, power policy. (reference wsman.md, 3.1, 3.2, 3.10) */
#include <string.h>

#include "base/xalloc.h"
#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/users.h"

/* --- AMT_GeneralSettings --- */

static void general(struct device *d, unsigned i, struct out *o)
{
    const struct device_settings *s = &d->settings;
    char realm[DEVICE_REALM_MAX], name[DEVICE_NAME_MAX];
    bool modern = d->generation->number >= 11;
    (void)i;
    out_num(o, "AMTNetworkEnabled", s->network_on);
    out_num(o, "DDNSPeriodicUpdateInterval", 1440);
    out_num(o, "DDNSTTL", 900);
    out_bool(o, "DDNSUpdateByDHCPServerEnabled", true);
    out_bool(o, "DDNSUpdateEnabled", false);
    if (d->generation->number >= 16)
        out_num(o, "DHCPSyncRequiresHostname", 1);
    if (modern)
        out_num(o, "DHCPv6ConfigurationTimeout", 0);
    out_str(o, "DigestRealm", device_realm(d, realm));
    out_str(o, "DomainName", s->domain_name != NULL ? s->domain_name : "sim.example");
    out_str(o, "ElementName", "Intel(r) AMT: General Settings");
    out_str(o, "HostName", device_host_name(d, name));
    if (modern)
        out_str(o, "HostOSFQDN", "");
    out_num(o, "IdleWakeTimeout", s->idle_wake_minutes);
    out_str(o, "InstanceID", "Intel(r) AMT: General Settings");
    out_bool(o, "NetworkInterfaceEnabled", true);
    out_bool(o, "PingResponseEnabled", s->ping);
    out_num(o, "PowerSource", 0);
    out_num(o, "PreferredAddressFamily", 0);
    if (modern) {
        out_num(o, "PresenceNotificationInterval", 0);
        out_num(o, "PrivacyLevel", 0);
    }
    out_bool(o, "RmcpPingResponseEnabled", s->rmcp_ping);
    out_bool(o, "SharedFQDN", true);
    if (d->generation->number >= 16)
        out_num(o, "ThunderboltDockEnabled", 0);
    out_bool(o, "WsmanOnlyMode", s->wsman_only);
}

/* Letters, digits, '-' and, between them, dots. */
static bool name_ok(const char *text, size_t max)
{
    size_t n = strlen(text);
    return n > 0 && n <= max && text[0] != '-' && text[n - 1] != '-' &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")] == '\0';
}

static const char *put_name(struct call *c, const char *name, size_t max)
{
    const char *text = call_text(c, name);
    if (text != NULL && text[0] != '\0' && !name_ok(text, max))
        c->fault = SOAP_INVALID_VALUES;
    return text;
}

/* All of it or nothing. */
static void general_put(struct call *c)
{
    struct device_settings *s = &c->device->settings, next = *s;
    const char *host = put_name(c, "HostName", DEVICE_NAME_MAX - 1);
    const char *domain = put_name(c, "DomainName", 190);
    uint64_t n = s->idle_wake_minutes;
    call_bool(c, "PingResponseEnabled", &next.ping);
    call_bool(c, "RmcpPingResponseEnabled", &next.rmcp_ping);
    call_bool(c, "WsmanOnlyMode", &next.wsman_only);
    if (call_num(c, "IdleWakeTimeout", 65535, &n) && n == 0)
        c->fault = SOAP_INVALID_VALUES;
    if (c->fault != SOAP_OK)
        return;
    next.idle_wake_minutes = (uint32_t)n;
    *s = next;
    if (host != NULL)
        xreplace(&s->host_name, host);
    if (domain != NULL)
        xreplace(&s->domain_name, domain);
}

/* --- time --- */

#define EPOCH_2004_S 1072915200

static void time_service(struct device *d, unsigned i, struct out *o)
{
    (void)i;
    out_str(o, "CreationClassName", "AMT_TimeSynchronizationService");
    out_str(o, "ElementName", "Intel(r) AMT Time Synchronization Service");
    out_num(o, "EnabledState", 5);
    out_num(o, "LocalTimeSyncEnabled", d->settings.local_time_sync ? 0 : 2);
    out_str(o, "Name", "Intel(r) AMT Time Synchronization Service");
    out_num(o, "RequestedState", 12);
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "Intel(r) AMT");
    out_num(o, "TimeSource", d->clock_offset_ms == 0 ? 0 : 1);
}

static uint32_t get_time(struct call *c)
{
    out_num(c->out, "Ta0", (uint64_t)(device_wall_ms(c->device) / 1000));
    return RET_OK;
}

/* The client read Ta0 at its time Tm1 and sends this at Tm2: the clock is off by Tm1 - Ta0. */
static uint32_t set_time(struct call *c)
{
    uint64_t ta0 = 0, tm1 = 0, tm2 = 0;
    bool all = call_num(c, "Ta0", UINT32_MAX, &ta0) && call_num(c, "Tm1", UINT32_MAX, &tm1) &&
               call_num(c, "Tm2", UINT32_MAX, &tm2);
    if (!all || ta0 < EPOCH_2004_S || tm1 < EPOCH_2004_S || tm2 < EPOCH_2004_S)
        return RET_BAD_PARAMETER;
    c->device->clock_offset_ms += ((int64_t)tm1 - (int64_t)ta0) * 1000;
    return RET_OK;
}

static uint32_t enable_local_sync(struct call *c)
{
    return call_bool(c, "Enable", &c->device->settings.local_time_sync) ? RET_OK : RET_BAD_PARAMETER;
}

/* --- power policy --- */

static const struct {
    const char *description, *id, *guid;
} schemes[] = {
    {"Mobile: ON in S0", "SCHEME 0", "djmXEQtWUEOIcJgS85G1YA=="},
    {"Mobile: ON in S0, ME Wake in S3, S4-5 (AC only)", "SCHEME 1", "MIAN7gnAeEOvKHhootu+Og=="},
};

static unsigned scheme_count(const struct device *d)
{
    (void)d;
    return sizeof(schemes) / sizeof(schemes[0]);
}

static void scheme(struct device *d, unsigned i, struct out *o)
{
    (void)d;
    out_str(o, "Description", schemes[i].description);
    out_str(o, "ElementName", "Intel(r) AMT Power Scheme");
    out_str(o, "InstanceID", schemes[i].id);
    out_str(o, "SchemeGUID", schemes[i].guid);
}

static uint32_t set_scheme(struct call *c)
{
    if (c->message->selector_count == 0)
        return RET_BAD_PARAMETER;
    c->device->settings.power_scheme = (uint8_t)c->instance;
    return RET_OK;
}

/* CIM_ElementSettingData: which settings are in force; the power schemes first, then the ports. */
static unsigned element_count(const struct device *d)
{
    return scheme_count(d) + 2;
}

static void element(struct device *d, unsigned i, struct out *o)
{
    struct epr system = epr_computer("Intel(r) AMT"), setting;
    unsigned n = scheme_count(d);
    bool current = true;
    if (i < n) {
        setting = epr_one("AMT_SystemPowerScheme", "InstanceID", schemes[i].id);
        setting.pairs[setting.count++] = (struct epr_pair){"SchemeGUID", schemes[i].guid};
        current = d->settings.power_scheme == i;
    } else {
        setting = i == n ? epr_one("AMT_EthernetPortSettings", "InstanceID",
                                   "Intel(r) AMT Ethernet Port Settings 0")
                         : epr_one("IPS_IPv6PortSettings", "InstanceID", "Intel(r) IPS IPv6 Settings 0");
        current = i == n || d->network.ipv6;
    }
    out_num(o, "IsCurrent", current ? 1 : 2);
    out_num(o, "IsDefault", 2);
    out_num(o, "IsNext", current ? 1 : 2);
    out_epr(o, "ManagedElement", &system);
    out_epr(o, "SettingData", &setting);
}

/* Of the ports' settings only IPv6 can be switched, and of the schemes none: that is SetPowerScheme's. */
static void element_put(struct call *c)
{
    uint64_t current;
    if (!call_num(c, "IsCurrent", 2, &current) || current == 0 ||
        c->instance != scheme_count(c->device) + 1 || c->message->selector_count == 0)
        c->fault = SOAP_INVALID_VALUES;
    if (c->fault == SOAP_OK)
        c->device->network.ipv6 = current == 1;
}

static const struct class_method time_methods[] = {{"GetLowAccuracyTimeSynch", get_time},
                                                   {"SetHighAccuracyTimeSynch", set_time},
                                                   {"EnableLocalTimeSync", enable_local_sync},
                                                   {0}};
static const struct class_method scheme_methods[] = {{"SetPowerScheme", set_scheme}, {0}};

const struct class_row class_settings_rows[] = {
    {.name = "AMT_GeneralSettings", .instance = general, .put = general_put},
    {.name = "AMT_SystemPowerScheme", .instance = scheme, .count = scheme_count, .methods = scheme_methods},
    {.name = "AMT_TimeSynchronizationService",
     .realms = REALM_BIT(REALM_TIME),
     .instance = time_service,
     .methods = time_methods},
    {.name = "CIM_ElementSettingData", .instance = element, .count = element_count, .put = element_put},
    {0},
};
