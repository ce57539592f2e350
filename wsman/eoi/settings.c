/* Names, version, network interfaces and the clock. (reference eoi.md, 3.2, 3.3, 3.8) */
#include <eoiH.h>
#include <stdio.h>
#include <string.h>

#include "wsman/eoi/eoi_internal.h"

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

static int fill_interface(struct eoi *eoi, void *out, struct err *err)
{
    struct _net__GetInterfaceSettings *in = out;

    (void)err;
    if (eoi->handle_at == eoi->handle_count)
        return EOI_PASS;
    in->InterfaceHandle = eoi_number(eoi, eoi->handles[eoi->handle_at]);
    return EOI_ASK;
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
    {EOI_GetInterfaceSettings, .fill = fill_interface, .take = take_interface},
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

const struct eoi_row eoi_settings_rows[] = {
    {WSMAN_GET, "AMT_GeneralSettings", NULL, EOI_STEPS(general_steps)},
    {WSMAN_ENUMERATE, "CIM_SoftwareIdentity", NULL, EOI_STEPS(version_steps)},
    {WSMAN_ENUMERATE, "AMT_EthernetPortSettings", NULL, EOI_STEPS(port_settings_steps)},
    {WSMAN_ENUMERATE, "CIM_EthernetPort", NULL, EOI_STEPS(port_steps)},
    {WSMAN_INVOKE, "AMT_TimeSynchronizationService", "GetLowAccuracyTimeSynch", EOI_STEPS(clock_steps)},
    {WSMAN_INVOKE, "AMT_TimeSynchronizationService", "SetHighAccuracyTimeSynch", EOI_STEPS(clock_set_steps)},
    {0},
};
