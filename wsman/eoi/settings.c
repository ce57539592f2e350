/* Names, version, network interfaces and the clock. (reference eoi.md, 3.2, 3.3, 3.8) */
#include <arpa/inet.h>
#include <eoiH.h>
#include <stdio.h>
#include <string.h>

#include "wsman/eoi/eoi_internal.h"

#define LINK_POLICY 15 /* always reachable: on and asleep, on mains and on battery */

/* --- names --- */

static int take_host_name(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _net__GetHostNameResponse *answer = out;

    (void)err;
    eoi_show(eoi, "AMT_GeneralSettings");
    eoi_show_text(eoi, "HostName", answer->HostName);
    return EOI_NEXT;
}

static int take_domain_name(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _net__GetDomainNameResponse *answer = out;

    (void)err;
    eoi_show_text(eoi, "DomainName", answer->DomainName);
    return EOI_NEXT;
}

static int take_realm(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _sai__GetDigestRealmResponse *answer = out;

    (void)err;
    if (answer) /* not in the oldest */
        eoi_show_text(eoi, "DigestRealm", answer->DigestRealm);
    eoi_shown(eoi, "AMT_GeneralSettings");
    return EOI_NEXT;
}

static const struct eoi_step general_steps[] = {
    {EOI_GetHostName, .take = take_host_name},
    {EOI_GetDomainName, .take = take_domain_name},
    {EOI_GetDigestRealm, .may_fail = true, .take = take_realm},
};

static int take_version(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _sai__GetCoreVersionResponse *answer = out;

    if (!answer->Version)
        return eoi_missing(eoi, "Version", err);
    eoi_show(eoi, "CIM_SoftwareIdentity");
    eoi_show_text(eoi, "InstanceID", "AMT");
    eoi_show_text(eoi, "VersionString", answer->Version);
    eoi_shown(eoi, "CIM_SoftwareIdentity");
    return EOI_NEXT;
}

static const struct eoi_step version_steps[] = {{EOI_GetCoreVersion, .take = take_version}};

/* --- network --- */

int eoi_take_interfaces(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _net__EnumerateInterfacesResponse *answer = out;

    (void)err;
    if (answer)
        eoi_take_handles(eoi, answer->InterfaceHandles, answer->__sizeInterfaceHandles);
    else
        eoi->handle_count = 1;
    return EOI_NEXT;
}

/* "00:11:22:..." as WS-Management writes it: "00-11-22-..."; other texts as they are. */
static void show_mac(struct eoi *eoi, const char *mac)
{
    char text[18];

    if (!mac || strlen(mac) != sizeof(text) - 1) {
        eoi_show_text(eoi, "MACAddress", mac);
        return;
    }
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = mac[i] == ':' ? '-' : mac[i];
    eoi_show_text(eoi, "MACAddress", text);
}

static int take_interface(struct eoi *eoi, const void *out, struct err *err)
{
    const struct net__InterfaceDescriptor *from =
        ((const struct _net__GetInterfaceSettingsResponse *)out)->InterfaceDescriptor;
    const struct net__IPv4Parameters *ip = from ? from->IPv4Parameters : NULL;
    char id[64];

    if (!from)
        return eoi_missing(eoi, "InterfaceDescriptor", err);
    snprintf(id, sizeof(id), "Intel(r) AMT Ethernet Port Settings %u", eoi->handles[eoi->handle_at++]);
    eoi_show(eoi, "AMT_EthernetPortSettings");
    eoi_show_text(eoi, "InstanceID", id);
    show_mac(eoi, from->MACAddress);
    if (from->DhcpEnabled)
        eoi_show_flag(eoi, "DHCPEnabled", *from->DhcpEnabled == true_);
    if (ip) {
        eoi_show_ipv4(eoi, "IPAddress", ip->LocalAddress);
        eoi_show_ipv4(eoi, "SubnetMask", ip->SubnetMask);
        eoi_show_ipv4(eoi, "DefaultGateway", ip->DefaultGatewayAddress);
        eoi_show_ipv4(eoi, "PrimaryDNS", ip->PrimaryDnsAddress);
        eoi_show_ipv4(eoi, "SecondaryDNS", ip->SecondaryDnsAddress);
    }
    eoi_shown(eoi, "AMT_EthernetPortSettings");
    return EOI_AGAIN;
}

static const struct eoi_step port_settings_steps[] = {
    {EOI_EnumerateInterfaces, .may_fail = true, .take = eoi_take_interfaces},
    {EOI_GetInterfaceSettings, .fill = eoi_fill_handle, .take = take_interface},
};

static int show_ports(struct eoi *eoi, void *in, struct err *err)
{
    char id[64];

    (void)in;
    (void)err;
    for (size_t i = 0; i < eoi->handle_count; i++) {
        snprintf(id, sizeof(id), "Intel(r) AMT Ethernet Port %u", eoi->handles[i]);
        eoi_show(eoi, "CIM_EthernetPort");
        eoi_show_text(eoi, "DeviceID", id);
        eoi_shown(eoi, "CIM_EthernetPort");
    }
    return EOI_PASS;
}

static const struct eoi_step port_steps[] = {
    {EOI_EnumerateInterfaces, .may_fail = true, .take = eoi_take_interfaces},
    {EOI_LOCAL, .fill = show_ports},
};

/* --- clock --- */

static int take_clock(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _tim__GetLowAccuracyTimeSynchResponse *answer = out;

    if (!answer->Ta0)
        return eoi_missing(eoi, "Ta0", err);
    eoi_show(eoi, "GetLowAccuracyTimeSynch_OUTPUT");
    eoi_show_number(eoi, "Ta0", *answer->Ta0);
    eoi_shown(eoi, "GetLowAccuracyTimeSynch_OUTPUT");
    return EOI_NEXT;
}

static int fill_clock(struct eoi *eoi, void *out, struct err *err)
{
    static const char *const names[] = {"Ta0", "Tm1", "Tm2"};
    struct _tim__SetHighAccuracyTimeSynch *in = out;
    uint32_t times[3] = {0};

    (void)err;
    for (size_t i = 0; i < 3; i++)
        wsman_request_u32(eoi_request(eoi), names[i], &times[i]);
    in->Ta0 = eoi_number(eoi, times[0]);
    in->Tm1 = eoi_number(eoi, times[1]);
    in->Tm2 = eoi_number(eoi, times[2]);
    return EOI_ASK;
}

static const struct eoi_step clock_steps[] = {{EOI_GetLowAccuracyTimeSynch, .take = take_clock}};
static const struct eoi_step clock_set_steps[] = {{EOI_SetHighAccuracyTimeSynch, .fill = fill_clock}};

/* --- changing names and addresses --- */

static int fill_host_name(struct eoi *eoi, void *out, struct err *err)
{
    struct _net__SetHostName *in = out;
    const char *name = wsman_request_text(eoi_request(eoi), "HostName", 0);

    (void)err;
    in->HostName = name ? eoi_text(eoi, name) : NULL;
    return name ? EOI_ASK : EOI_PASS;
}

static int fill_domain_name(struct eoi *eoi, void *out, struct err *err)
{
    struct _net__SetDomainName *in = out;
    const char *name = wsman_request_text(eoi_request(eoi), "DomainName", 0);

    (void)err;
    in->DomainName = name ? eoi_text(eoi, name) : NULL;
    return name ? EOI_ASK : EOI_PASS;
}

/* The names are told as they are now. */
static const struct eoi_step general_put_steps[] = {
    {EOI_SetHostName, .fill = fill_host_name},
    {EOI_SetDomainName, .fill = fill_domain_name},
    {EOI_GetHostName, .take = take_host_name},
    {EOI_GetDomainName, .take = take_domain_name},
    {EOI_GetDigestRealm, .may_fail = true, .take = take_realm},
};

static int read_address(struct eoi *eoi, const char *name, unsigned **number, struct err *err)
{
    const char *text = wsman_request_text(eoi_request(eoi), name, 0);
    struct in_addr address;

    if (!text)
        return 0;
    if (inet_pton(AF_INET, text, &address) != 1)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is no IPv4 address", text);
    *number = eoi_number(eoi, ntohl(address.s_addr));
    return 0;
}

/* Only the wired port's, which is the first of those that AMT_EthernetPortSettings names. */
static int fill_addresses(struct eoi *eoi, void *out, struct err *err)
{
    struct _net__SetInterfaceSettings *in = out;
    const char *id = wsman_request_selector(eoi_request(eoi), "InstanceID");
    struct net__IPv4Parameters *ip = eoi_alloc(eoi, sizeof(*ip));
    bool dhcp = true;

    if (!id || !id[0] || id[strlen(id) - 1] != '0')
        return err_set(err, CAUSE_UNSUPPORTED, "only the wired port can be set over this interface");
    wsman_request_bool(eoi_request(eoi), "DHCPEnabled", &dhcp);
    in->InterfaceHandle = eoi_number(eoi, 0);
    in->InterfaceDescriptor = eoi_alloc(eoi, sizeof(*in->InterfaceDescriptor));
    in->InterfaceDescriptor->InterfaceMode =
        eoi_text(eoi, dhcp ? "SHARED_MAC_ADDRESS" : "SEPARATE_MAC_ADDRESS");
    in->InterfaceDescriptor->LinkPolicy = eoi_number(eoi, LINK_POLICY);
    if (dhcp)
        return EOI_ASK;
    in->InterfaceDescriptor->IPv4Parameters = ip;
    if (read_address(eoi, "IPAddress", &ip->LocalAddress, err) != 0 ||
        read_address(eoi, "SubnetMask", &ip->SubnetMask, err) != 0 ||
        read_address(eoi, "DefaultGateway", &ip->DefaultGatewayAddress, err) != 0 ||
        read_address(eoi, "PrimaryDNS", &ip->PrimaryDnsAddress, err) != 0 ||
        read_address(eoi, "SecondaryDNS", &ip->SecondaryDnsAddress, err) != 0)
        return EOI_FAIL;
    return EOI_ASK;
}

/* What it tells of itself after that; the address it is asked at may be another by then. */
static int show_put(struct eoi *eoi, void *in, struct err *err)
{
    (void)in;
    (void)err;
    eoi_show(eoi, "AMT_EthernetPortSettings");
    eoi_shown(eoi, "AMT_EthernetPortSettings");
    return EOI_PASS;
}

static const struct eoi_step port_put_steps[] = {
    {EOI_SetInterfaceSettings, .fill = fill_addresses},
    {EOI_LOCAL, .fill = show_put},
};

/* --- taking the set-up back --- */

static int fill_unprovision(struct eoi *eoi, void *out, struct err *err)
{
    struct _sai__Unprovision *in = out;
    uint32_t mode = 0;

    (void)err;
    wsman_request_u32(eoi_request(eoi), "ProvisioningMode", &mode);
    in->ProvisioningMode = eoi_number(eoi, mode);
    return EOI_ASK;
}

static const struct eoi_step unprovision_steps[] = {{EOI_Unprovision, .fill = fill_unprovision}};
static const struct eoi_step partial_steps[] = {{EOI_PartialUnprovision}};

const struct eoi_row eoi_settings_rows[] = {
    {WSMAN_PUT, "AMT_GeneralSettings", NULL, EOI_STEPS(general_put_steps)},
    {WSMAN_PUT, "AMT_EthernetPortSettings", NULL, EOI_STEPS(port_put_steps)},
    {WSMAN_INVOKE, "AMT_SetupAndConfigurationService", "Unprovision", EOI_STEPS(unprovision_steps)},
    {WSMAN_INVOKE, "AMT_SetupAndConfigurationService", "PartialUnprovision", EOI_STEPS(partial_steps)},
    {WSMAN_GET, "AMT_GeneralSettings", NULL, EOI_STEPS(general_steps)},
    {WSMAN_ENUMERATE, "CIM_SoftwareIdentity", NULL, EOI_STEPS(version_steps)},
    {WSMAN_ENUMERATE, "AMT_EthernetPortSettings", NULL, EOI_STEPS(port_settings_steps)},
    {WSMAN_ENUMERATE, "CIM_EthernetPort", NULL, EOI_STEPS(port_steps)},
    {WSMAN_INVOKE, "AMT_TimeSynchronizationService", "GetLowAccuracyTimeSynch", EOI_STEPS(clock_steps)},
    {WSMAN_INVOKE, "AMT_TimeSynchronizationService", "SetHighAccuracyTimeSynch", EOI_STEPS(clock_set_steps)},
    {0},
};
