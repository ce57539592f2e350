/* Network ports with their settings, IPv6, wireless. (reference wsman.md, 3.11) */
#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"
#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/defense.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/network.h"

#define WIRED        "Intel(r) AMT Ethernet Port Settings 0"
#define WIFI_OFF     3
#define WIFI_S0      32768
#define WIFI_ALWAYS  32769
#define HAS_WIRELESS 1 /* number of the port */
#define VLAN_MAX     4094

static const uint16_t policies[] = {1, 14, 16, 224}; /* S0 and Sx on mains, on battery; by bits */

static unsigned two(const struct device *d)
{
    (void)d;
    return 2;
}

static void out_address(struct out *o, const char *name, uint32_t address)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr a = {.s_addr = htonl(address)};
    if (address != 0)
        out_str(o, name, inet_ntop(AF_INET, &a, text, sizeof(text)));
}

/* Intel's guide names the property without a release; no answer recorded from firmware 11 and later has it.
 */
static bool has_vlan(const struct device *d)
{
    return d->generation->number < 10;
}

static void wired_port(struct device *d, struct out *o)
{
    char mac[18];
    struct network_port p = network_port(d);
    out_bool(o, "DHCPEnabled", p.dhcp);
    out_address(o, "DefaultGateway", p.gateway);
    out_str(o, "ElementName", "Intel(r) AMT Ethernet Port Settings");
    out_address(o, "IPAddress", p.address);
    out_str(o, "InstanceID", WIRED);
    out_bool(o, "IpSyncEnabled", p.dhcp);
    out_bool(o, "LinkIsUp", true);
    out_num(o, "LinkPolicy", 1);
    out_num(o, "LinkPolicy", 14);
    out_str(o, "MACAddress", device_mac(d, mac));
    if (d->generation->number >= 10)
        out_num(o, "PhysicalConnectionType", 0);
    out_address(o, "PrimaryDNS", p.dns);
    out_address(o, "SecondaryDNS", p.dns2);
    out_bool(o, "SharedDynamicIP", p.dhcp);
    out_bool(o, "SharedMAC", true);
    out_bool(o, "SharedStaticIp", false);
    out_address(o, "SubnetMask", p.mask);
    if (has_vlan(d))
        out_num(o, "VLANTag", d->network.vlan);
}

/* A machine without wireless has the instance all the same, with an address of zeros. */
static void wireless_port(struct device *d, struct out *o)
{
    char mac[18];
    bool there = defense_has_port(d, HAS_WIRELESS);
    device_mac(d, mac);
    mac[0] = 'a'; /* another one than that of the wired port */
    out_num(o, "ConsoleTcpMaxRetransmissions", 5);
    out_bool(o, "DHCPEnabled", true);
    out_str(o, "ElementName", "Intel(r) AMT Ethernet Port Settings");
    out_str(o, "InstanceID", "Intel(r) AMT Ethernet Port Settings 1");
    out_num(o, "LinkControl", 2);
    out_bool(o, "LinkIsUp", false);
    for (unsigned i = 0; there && i < 4; i++) {
        if (d->network.wifi_policy >> i & 1)
            out_num(o, "LinkPolicy", policies[i]);
    }
    out_num(o, "LinkPreference", 2);
    out_str(o, "MACAddress", there ? mac : "00-00-00-00-00-00");
    out_num(o, "PhysicalConnectionType", 3);
    out_bool(o, "SharedMAC", true);
    out_num(o, "WLANLinkProtectionLevel", 1);
}

static void port_settings(struct device *d, unsigned i, struct out *o)
{
    if (i == 0)
        wired_port(d, o);
    else
        wireless_port(d, o);
}

/* Absent is none; false: it is there, and no address. */
static bool take_address(struct call *c, const char *name, uint32_t *out)
{
    const char *text = call_text(c, name);
    struct in_addr a;
    if (text == NULL)
        return true;
    if (inet_pton(AF_INET, text, &a) != 1)
        return false;
    *out = ntohl(a.s_addr);
    return true;
}

/* For DHCP the address members must be left out, and for a static address there, else the firmware faults. */
static void put_wired(struct call *c)
{
    static const char *const members[] = {"IPAddress", "SubnetMask", "DefaultGateway", "PrimaryDNS",
                                          "SecondaryDNS"};
    struct network_port p = {.dhcp = c->device->settings.dhcp}, was = network_port(c->device);
    uint64_t vlan = c->device->network.vlan;
    call_bool(c, "DHCPEnabled", &p.dhcp);
    for (unsigned i = 0; p.dhcp && i < sizeof(members) / sizeof(members[0]); i++) {
        if (call_has(c, members[i]))
            c->fault = SOAP_INVALID_VALUES;
    }
    if (!take_address(c, "IPAddress", &p.address) || !take_address(c, "SubnetMask", &p.mask) ||
        !take_address(c, "DefaultGateway", &p.gateway) || !take_address(c, "PrimaryDNS", &p.dns) ||
        !take_address(c, "SecondaryDNS", &p.dns2) || !network_port_ok(&p))
        c->fault = SOAP_INVALID_VALUES;
    if (has_vlan(c->device) && call_has(c, "VLANTag") && !call_num(c, "VLANTag", VLAN_MAX, &vlan))
        c->fault = SOAP_INVALID_VALUES;
    if (c->fault != SOAP_OK)
        return;
    c->device->network.vlan = (uint16_t)vlan;
    if (!(p.dhcp && was.dhcp))
        network_port_set(c->device, &p);
}

/* LinkPolicy is an array: its elements follow one another. */
static void put_wireless(struct call *c)
{
    uint8_t bits = 0;
    uint64_t n;
    for (struct xml_el el = xml_child(c->in, NULL, "LinkPolicy"); el.node != NULL;
         el = xml_next(el, NULL, "LinkPolicy")) {
        unsigned k = 0;
        if (!text_u64(xml_text(c->message->doc, el), 0, UINT8_MAX, &n))
            n = 0;
        while (k < 4 && policies[k] != n)
            k++;
        if (k == 4) {
            c->fault = SOAP_INVALID_VALUES;
            return;
        }
        bits |= (uint8_t)(1u << k);
    }
    c->device->network.wifi_policy = bits;
}

static void port_put(struct call *c)
{
    if (c->message->selector_count == 0)
        c->fault = SOAP_INVALID_SELECTORS;
    else if (c->instance == 0)
        put_wired(c);
    else if (!defense_has_port(c->device, HAS_WIRELESS))
        c->fault = SOAP_INVALID_VALUES;
    else
        put_wireless(c);
}

/* --- IPv6 --- */

#define IPV6 "Intel(r) IPS IPv6 Settings 0"

static void out_ipv6(struct out *o, const char *name, const struct in6_addr *address)
{
    char text[INET6_ADDRSTRLEN];
    out_str(o, name, inet_ntop(AF_INET6, address, text, sizeof(text)));
}

/* Members in the order of the alphabet, as firmware tells them. What is in force are the static ones. */
static void ipv6(struct device *d, unsigned i, struct out *o)
{
    static const struct in6_addr none;
    const struct device_network *n = &d->network;
    char text[INET6_ADDRSTRLEN];
    (void)i;
    if (n->ipv6)
        out_fmt(o, "CurrentAddressInfo", "fe80::%x,0,0", d->index + 1);
    if (n->ipv6 && !IN6_IS_ADDR_UNSPECIFIED(&n->ipv6_static))
        out_fmt(o, "CurrentAddressInfo", "%s,0,0", inet_ntop(AF_INET6, &n->ipv6_static, text, sizeof(text)));
    out_ipv6(o, "CurrentDefaultRouter", n->ipv6 ? &n->ipv6_router : &none);
    out_ipv6(o, "CurrentPrimaryDNS", n->ipv6 ? &n->ipv6_dns : &none);
    out_ipv6(o, "CurrentSecondaryDNS", n->ipv6 ? &n->ipv6_dns2 : &none);
    out_ipv6(o, "DefaultRouter", &n->ipv6_router);
    out_str(o, "ElementName", IPV6);
    out_ipv6(o, "IPv6Address", &n->ipv6_static);
    out_str(o, "InstanceID", IPV6);
    out_num(o, "InterfaceIDType", 0);
    out_str(o, "ManualInterfaceID", "0000000000000000");
    out_ipv6(o, "PrimaryDNS", &n->ipv6_dns);
    out_ipv6(o, "SecondaryDNS", &n->ipv6_dns2);
}

static void take_ipv6(struct call *c, const char *name, struct in6_addr *out)
{
    const char *text = call_text(c, name);
    struct in6_addr a;
    if (text == NULL)
        return;
    if (inet_pton(AF_INET6, text, &a) != 1 || IN6_IS_ADDR_MULTICAST(&a) || IN6_IS_ADDR_LOOPBACK(&a))
        c->fault = SOAP_INVALID_VALUES;
    *out = a;
}

static void ipv6_put(struct call *c)
{
    struct device_network *n = &c->device->network, to = *n;
    if (c->message->selector_count == 0)
        c->fault = SOAP_INVALID_SELECTORS;
    take_ipv6(c, "IPv6Address", &to.ipv6_static);
    take_ipv6(c, "DefaultRouter", &to.ipv6_router);
    take_ipv6(c, "PrimaryDNS", &to.ipv6_dns);
    take_ipv6(c, "SecondaryDNS", &to.ipv6_dns2);
    if (c->fault == SOAP_OK)
        *n = to;
}

/* --- wireless --- */

static unsigned wifi_count(const struct device *d)
{
    return defense_has_port(d, HAS_WIRELESS);
}

static void wifi_port(struct device *d, unsigned i, struct out *o)
{
    (void)i;
    out_str(o, "CreationClassName", "CIM_WiFiPort");
    out_str(o, "DeviceID", "WiFi Port 0");
    out_str(o, "ElementName", "WiFi Port 0");
    out_num(o, "EnabledState", d->network.wifi_state);
    out_num(o, "HealthState", 5);
    out_num(o, "LinkTechnology", 11);
    out_num(o, "PortType", 0);
    out_num(o, "RequestedState", 12);
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "Intel(r) AMT");
}

static uint32_t wifi_state(struct call *c)
{
    uint64_t state;
    if (!call_num(c, "RequestedState", UINT16_MAX, &state) ||
        (state != WIFI_OFF && state != WIFI_S0 && state != WIFI_ALWAYS))
        return RET_INVALID_PARAMETER;
    if (wifi_count(c->device) == 0)
        return RET_NOT_SUPPORTED;
    c->device->network.wifi_state = (uint16_t)state;
    return RET_OK;
}

static void wifi_service(struct device *d, unsigned i, struct out *o)
{
    static const char *const head[] = {"CreationClassName",
                                       "AMT_WiFiPortConfigurationService",
                                       "ElementName",
                                       "Intel(r) AMT WiFiPort Configuration Service",
                                       "EnabledState",
                                       "5",
                                       "HealthState",
                                       "5",
                                       "LastConnectedSsidUnderMeControl",
                                       "",
                                       "Name",
                                       "Intel(r) AMT WiFi Port Configuration Service",
                                       "NoHostCsmeSoftwarePolicy",
                                       "0",
                                       "RequestedState",
                                       "12",
                                       "SystemCreationClassName",
                                       "CIM_ComputerSystem",
                                       "SystemName",
                                       "Intel(r) AMT",
                                       "UEFIWiFiProfileShareEnabled",
                                       "false",
                                       NULL};
    (void)i;
    out_fixed(o, head);
    out_num(o, "localProfileSynchronizationEnabled", d->network.profile_sync);
}

static void wifi_service_put(struct call *c)
{
    uint64_t sync;
    if (!call_num(c, "localProfileSynchronizationEnabled", UINT32_MAX, &sync))
        return;
    if (sync != 0 && sync != 1 && sync != 3)
        c->fault = SOAP_INVALID_VALUES;
    else
        c->device->network.profile_sync = (uint8_t)sync;
}

static const struct class_method wifi_methods[] = {{"RequestStateChange", wifi_state}, {0}};

const struct class_row class_port_rows[] = {
    {.name = "AMT_EthernetPortSettings",
     .instance = port_settings,
     .count = two,
     .required = "ElementName InstanceID ",
     .put = port_put},
    {.name = "AMT_WiFiPortConfigurationService", .instance = wifi_service, .put = wifi_service_put},
    {.name = "CIM_WiFiPort", .instance = wifi_port, .count = wifi_count, .methods = wifi_methods},
    {.name = "IPS_IPv6PortSettings",
     .since = 6,
     .instance = ipv6,
     .required = "ElementName InstanceID ",
     .put = ipv6_put},
    {0},
};
