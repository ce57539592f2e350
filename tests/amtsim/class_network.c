/* Network ports, 802.1x, remote access settings. (reference wsman.md, 3.11, 3.15) */
#include <string.h>

#include "tests/amtsim/class_defense.h"
#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/defense.h"
#include "tests/amtsim/fleet.h"

static unsigned none(const struct device *d)
{
    (void)d;
    return 0;
}

/* The number of the i-th port that the machine has. */
static unsigned port_number(const struct device *d, unsigned i)
{
    return i == 0 && defense_has_port(d, 0) ? 0 : 1;
}

static unsigned ports(const struct device *d)
{
    return (unsigned)defense_has_port(d, 0) + defense_has_port(d, 1);
}

static void ethernet_port(struct device *d, unsigned i, struct out *o)
{
    char mac[18];
    unsigned n = port_number(d, i);
    out_str(o, "CreationClassName", "CIM_EthernetPort");
    out_str(o, "Description", n == 0 ? "Wired0" : "Wireless1");
    struct epr self = epr_ethernet_port(n);
    out_str(o, "DeviceID", epr_value(&self, "DeviceID"));
    out_str(o, "ElementName", "Intel(r) AMT Ethernet Port");
    out_num(o, "EnabledDefault", 5);
    out_num(o, "EnabledState", 2);
    out_num(o, "LinkTechnology", n == 0 ? 2 : 11);
    out_num(o, "MaxSpeed", 2500000000u);
    device_mac(d, mac);
    out_fmt(o, "NetworkAddresses", "%.2s%.2s%.2s%.2s%.2s%02x", mac, mac + 3, mac + 6, mac + 9, mac + 12, n);
    static const char *const rest[] = {"OperationalStatus",
                                       "0",
                                       "PortType",
                                       "53",
                                       "RequestedState",
                                       "12",
                                       "Speed",
                                       "1000000000",
                                       "SystemCreationClassName",
                                       "CIM_ComputerSystem",
                                       "SystemName",
                                       "Intel(r) AMT",
                                       NULL};
    out_fixed(o, rest);
}

static const char *const host_ip[] = {"DHCPEnabled", "true",
                                      "ElementName", "Intel(r) AMT: Host IP Settings",
                                      "InstanceID",  "Intel(r) AMT: Host IP Settings",
                                      NULL};

static const char *const profile_8021x[] = {
    "ActiveInS0", "true",  "ElementName", "Intel(r) AMT 802.1x Profile",
    "Enabled",    "false", "InstanceID",  "Intel(r) AMT 802.1x Profile 0",
    "PxeTimeout", "0",     NULL};

static const char *const settings_8021x[] = {
    "AvailableInS0", "false", "ElementName", "Intel(r) AMT: 8021X Settings",
    "Enabled",       "3",     "InstanceID",  "Intel(r) AMT: 8021X Settings",
    "PxeTimeout",    "120",   NULL};

static void kerberos(struct device *d, unsigned i, struct out *o)
{
    static const uint16_t algorithms[] = {0, 1, 2};
    (void)i;
    out_str(o, "ElementName", "Intel(r) AMT: Kerberos Settings");
    out_str(o, "InstanceID", "Intel (r) AMT: Kerberos Settings"); /* spelled so */
    out_bool(o, "KrbEnabled", d->fleet->kerberos != NULL);
    out_nums(o, "SupportedEncryptionAlgorithms", algorithms, d->generation->number >= 8 ? 3 : 1);
}

static const char *const environment[] = {"DetectionAlgorithm",
                                          "0",
                                          "ElementName",
                                          "Intel(r) AMT Environment Detection Settings",
                                          "InstanceID",
                                          "Intel(r) AMT Environment Detection Settings",
                                          NULL};

static const char *const remote_capabilities[] = {"ElementName",
                                                  "Intel(r) AMT:Remote Access Capabilities",
                                                  "InstanceID",
                                                  "Intel(r) AMT:Remote Access Capabilities",
                                                  "MaxMpsPerPolicy",
                                                  "2",
                                                  "MaxTotalMpServers",
                                                  "6",
                                                  "MaxTotalPolicies",
                                                  "3",
                                                  "MaxTotalProxyEntryPoints",
                                                  "15",
                                                  NULL};

static const char *const remote_service[] = {"CreationClassName",
                                             "AMT_RemoteAccessService",
                                             "ElementName",
                                             "Intel(r) AMT Remote Access Service",
                                             "IsRemoteTunnelConnected",
                                             "false",
                                             "Name",
                                             "Intel(r) AMT Remote Access Service",
                                             "RemoteTunnelKeepAliveTimeout",
                                             "4294967295",
                                             "SystemCreationClassName",
                                             "CIM_ComputerSystem",
                                             "SystemName",
                                             "Intel(r) AMT",
                                             NULL};

static const char *const user_connection[] = {"CreationClassName",
                                              "AMT_UserInitiatedConnectionService",
                                              "ElementName",
                                              "Intel(r) AMT User Initiated Connection Service",
                                              "EnabledState",
                                              "32768",
                                              "LastConnectionReason",
                                              "",
                                              "Name",
                                              "Intel(r) AMT User Initiated Connection Service",
                                              "SystemCreationClassName",
                                              "CIM_ComputerSystem",
                                              "SystemName",
                                              "Intel(r) AMT",
                                              NULL};

static const char *const proxy_service[] = {"CreationClassName",
                                            "IPS_HTTPProxyService",
                                            "ElementName",
                                            "Intel(r) ME:HTTP Proxy Service",
                                            "Name",
                                            "Intel(r) ME:HTTP Proxy Service",
                                            "SyncEnabled",
                                            "false",
                                            "SystemCreationClassName",
                                            "CIM_ComputerSystem",
                                            "SystemName",
                                            "Intel(r) AMT",
                                            NULL};

/* The policy while the machine is outside, on every port; without one: none. (reference
 * system-defense.md, 1.10) */
static uint32_t set_outside_policy(struct call *c)
{
    struct epr epr;
    uint32_t handle = 0;
    if (c->device->client_mode)
        return RET_NOT_PERMITTED;
    if (call_epr(c, "Policy", &epr) && epr.count > 0) {
        handle = class_defense_policy(c->device, &epr);
        if (handle == 0)
            return RET_INVALID_HANDLE;
    }
    for (unsigned port = 0; port < DEFENSE_PORTS; port++) {
        if (!defense_has_port(c->device, port))
            continue;
        if (handle != 0)
            defense_bind(c->device, DEFENSE_ENVIRONMENT, port, handle);
        else if (defense_bound(c->device, DEFENSE_ENVIRONMENT, port) != 0)
            defense_unbind(c->device, DEFENSE_ENVIRONMENT, port);
    }
    return RET_OK;
}

static const struct class_method environment_methods[] = {{"SetSystemDefensePolicy", set_outside_policy},
                                                          {0}};

const struct class_row class_network_rows[] = {
    {.name = "AMT_8021XProfile", .since = 3, .fixed = profile_8021x},
    {.name = "AMT_8021xCredentialContext", .since = 6, .parent = "CIM_CredentialContext", .count = none},
    {.name = "AMT_EnvironmentDetectionSettingData", .fixed = environment, .methods = environment_methods},
    {.name = "AMT_KerberosSettingData", .instance = kerberos},
    {.name = "AMT_MPSUsernamePassword", .count = none},
    {.name = "AMT_ManagementPresenceRemoteSAP", .count = none},
    {.name = "AMT_RemoteAccessCapabilities", .fixed = remote_capabilities},
    {.name = "AMT_RemoteAccessCredentialContext", .parent = "CIM_CredentialContext", .count = none},
    {.name = "AMT_RemoteAccessPolicyAppliesToMPS", .count = none},
    {.name = "AMT_RemoteAccessPolicyRule", .count = none},
    {.name = "AMT_RemoteAccessService", .fixed = remote_service},
    {.name = "AMT_UserInitiatedConnectionService", .fixed = user_connection},
    {.name = "CIM_CredentialContext", .abstract_only = true},
    {.name = "CIM_EthernetPort", .datetime = true, .instance = ethernet_port, .count = ports},
    {.name = "CIM_IEEE8021xSettings", .count = none},
    {.name = "CIM_WiFiEndpoint", .count = none},
    {.name = "CIM_WiFiEndpointSettings", .count = none},
    {.name = "CIM_WiFiPortCapabilities", .count = none},
    {.name = "IPS_HTTPProxyAccessPoint", .since = 12, .count = none},
    {.name = "IPS_HTTPProxyService", .since = 12, .fixed = proxy_service},
    {.name = "IPS_HostIPSettings", .since = 7, .fixed = host_ip},
    {.name = "IPS_IEEE8021xSettings", .since = 8, .fixed = settings_8021x},
    {0},
};
