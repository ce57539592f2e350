/* Security and network administration, and the clock, over the SOAP interface. (reference eoi.md, 3.2, 3.3,
 * 3.8) */
#include <string.h>

#include "base/xalloc.h"
#include "tests/amtsim/defense.h"
#include "tests/amtsim/eoi_internal.h"
#include "tests/amtsim/network.h"
#include "tests/amtsim/setup.h"
#include <simH.h>

#define EPOCH_2004_S 1072915200 /* firmware takes no earlier time */

int __sai__GetCoreVersion(struct soap *soap, struct _sai__GetCoreVersion *in,
                          struct _sai__GetCoreVersionResponse *out)
{
    struct device *d = eoi_enter(soap, "GetCoreVersion", false, &out->Status);
    (void)in;
    if (d != NULL)
        out->Version = eoi_text(soap, d->generation->version);
    return SOAP_OK;
}

int __sai__Unprovision(struct soap *soap, struct _sai__Unprovision *in, struct _sai__UnprovisionResponse *out)
{
    struct device *d = eoi_enter(soap, "Unprovision", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    if (in->ProvisioningMode == NULL || *in->ProvisioningMode != 1)
        return eoi_leave(soap, &out->Status, PT_INVALID_PARAMETER);
    return eoi_leave(soap, &out->Status, setup_undo(d, true));
}

int __sai__PartialUnprovision(struct soap *soap, struct _sai__PartialUnprovision *in,
                              struct _sai__PartialUnprovisionResponse *out)
{
    struct device *d = eoi_enter(soap, "PartialUnprovision", true, &out->Status);
    (void)in;
    return d == NULL ? SOAP_OK : eoi_leave(soap, &out->Status, setup_undo(d, false));
}

int __sai__GetDigestRealm(struct soap *soap, struct _sai__GetDigestRealm *in,
                          struct _sai__GetDigestRealmResponse *out)
{
    char realm[DEVICE_REALM_MAX];
    struct device *d = eoi_enter(soap, "GetDigestRealm", false, &out->Status);
    (void)in;
    if (d != NULL)
        out->DigestRealm = eoi_text(soap, device_realm(d, realm));
    return SOAP_OK;
}

int __sai__GetAdminAclEntryStatus(struct soap *soap, struct _sai__GetAdminAclEntryStatus *in,
                                  struct _sai__GetAdminAclEntryStatusResponse *out)
{
    struct device *d = eoi_enter(soap, "GetAdminAclEntryStatus", false, &out->Status);
    (void)in;
    if (d != NULL)
        out->IsDefault = eoi_flag(soap, false);
    return SOAP_OK;
}

/* --- network --- */

int __net__GetHostName(struct soap *soap, struct _net__GetHostName *in, struct _net__GetHostNameResponse *out)
{
    char name[DEVICE_NAME_MAX];
    struct device *d = eoi_enter(soap, "GetHostName", false, &out->Status);
    (void)in;
    if (d != NULL)
        out->HostName = eoi_text(soap, device_host_name(d, name));
    return SOAP_OK;
}

int __net__GetDomainName(struct soap *soap, struct _net__GetDomainName *in,
                         struct _net__GetDomainNameResponse *out)
{
    struct device *d = eoi_enter(soap, "GetDomainName", false, &out->Status);
    (void)in;
    if (d != NULL)
        out->DomainName =
            eoi_text(soap, d->settings.domain_name != NULL ? d->settings.domain_name : "sim.example");
    return SOAP_OK;
}

/* Letters, digits, '-' and, between them, dots. */
static bool name_ok(const char *text, size_t max)
{
    size_t n = text != NULL ? strlen(text) : 0;
    return n > 0 && n <= max && text[0] != '-' && text[n - 1] != '-' &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")] == '\0';
}

int __net__SetHostName(struct soap *soap, struct _net__SetHostName *in, struct _net__SetHostNameResponse *out)
{
    struct device *d = eoi_enter(soap, "SetHostName", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    if (!name_ok(in->HostName, DEVICE_NAME_MAX - 1))
        return eoi_leave(soap, &out->Status, PT_INVALID_NAME);
    xreplace(&d->settings.host_name, in->HostName);
    return eoi_leave(soap, &out->Status, PT_SUCCESS);
}

int __net__SetDomainName(struct soap *soap, struct _net__SetDomainName *in,
                         struct _net__SetDomainNameResponse *out)
{
    struct device *d = eoi_enter(soap, "SetDomainName", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    if (!name_ok(in->DomainName, 190))
        return eoi_leave(soap, &out->Status, PT_INVALID_NAME);
    xreplace(&d->settings.domain_name, in->DomainName);
    return eoi_leave(soap, &out->Status, PT_SUCCESS);
}

int __net__EnumerateInterfaces(struct soap *soap, struct _net__EnumerateInterfaces *in,
                               struct _net__EnumerateInterfacesResponse *out)
{
    struct device *d = eoi_enter(soap, "EnumerateInterfaces", false, &out->Status);
    (void)in;
    if (d == NULL)
        return SOAP_OK;
    out->InterfaceHandles = soap_malloc(soap, DEFENSE_PORTS * sizeof(*out->InterfaceHandles));
    for (unsigned port = 0; port < DEFENSE_PORTS; port++) {
        if (defense_has_port(d, port))
            out->InterfaceHandles[out->__sizeInterfaceHandles++] = port;
    }
    return SOAP_OK;
}

static void describe_wired(struct soap *soap, const struct device *d, struct net__InterfaceDescriptor *to)
{
    struct network_port port = network_port(d);
    to->IPv4Parameters = soap_malloc(soap, sizeof(*to->IPv4Parameters));
    soap_default_net__IPv4Parameters(soap, to->IPv4Parameters);
    to->IPv4Parameters->LocalAddress = eoi_number(soap, port.address);
    to->IPv4Parameters->SubnetMask = eoi_number(soap, port.mask);
    to->IPv4Parameters->DefaultGatewayAddress = eoi_number(soap, port.gateway);
    to->IPv4Parameters->PrimaryDnsAddress = eoi_number(soap, port.dns);
    to->IPv4Parameters->SecondaryDnsAddress = eoi_number(soap, port.dns2);
}

int __net__GetInterfaceSettings(struct soap *soap, struct _net__GetInterfaceSettings *in,
                                struct _net__GetInterfaceSettingsResponse *out)
{
    char mac[18];
    struct net__InterfaceDescriptor *to;
    struct device *d = eoi_enter(soap, "GetInterfaceSettings", false, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    unsigned status = eoi_check_interface(d, in->InterfaceHandle);
    if (status != PT_SUCCESS)
        return eoi_leave(soap, &out->Status, status);
    bool wired = *in->InterfaceHandle == 0;
    out->InterfaceDescriptor = to = soap_malloc(soap, sizeof(*to));
    soap_default_net__InterfaceDescriptor(soap, to);
    to->HardwareAddressDescription = eoi_text(soap, wired ? "Wired0" : "Wireless1");
    device_mac(d, mac);
    for (char *p = mac; *p != '\0'; p++) {
        if (*p == '-')
            *p = ':';
    }
    to->MACAddress = eoi_text(soap, wired ? mac : "00:00:00:00:00:00");
    to->InterfaceMode =
        eoi_text(soap, !wired || d->settings.dhcp ? "SHARED_MAC_ADDRESS" : "SEPARATE_MAC_ADDRESS");
    to->LinkPolicy = eoi_number(soap, 15);
    to->DhcpEnabled = eoi_flag(soap, !wired || d->settings.dhcp);
    if (wired)
        describe_wired(soap, d, to);
    return SOAP_OK;
}

static uint32_t number(const unsigned *maybe)
{
    return maybe != NULL ? *maybe : 0;
}

static unsigned set_interface(struct device *d, const struct _net__SetInterfaceSettings *in)
{
    const struct net__InterfaceDescriptor *descriptor = in->InterfaceDescriptor;
    struct network_port port = {.dhcp = true};
    if (in->InterfaceHandle == NULL || descriptor == NULL || descriptor->InterfaceMode == NULL)
        return PT_INVALID_PARAMETER;
    if (!defense_has_port(d, *in->InterfaceHandle))
        return PT_INVALID_HANDLE;
    bool separate = strcmp(descriptor->InterfaceMode, "SEPARATE_MAC_ADDRESS") == 0;
    if (!separate && strcmp(descriptor->InterfaceMode, "SHARED_MAC_ADDRESS") != 0)
        return PT_INVALID_PARAMETER;
    if (separate && descriptor->IPv4Parameters == NULL)
        return PT_INVALID_PARAMETER;
    if (separate) {
        const struct net__IPv4Parameters *ip = descriptor->IPv4Parameters;
        port = (struct network_port){false,
                                     number(ip->LocalAddress),
                                     number(ip->SubnetMask),
                                     number(ip->DefaultGatewayAddress),
                                     number(ip->PrimaryDnsAddress),
                                     number(ip->SecondaryDnsAddress)};
    }
    if (!network_port_ok(&port))
        return PT_INVALID_PARAMETER;
    if (*in->InterfaceHandle == 0)
        network_port_set(d, &port);
    return PT_SUCCESS;
}

int __net__SetInterfaceSettings(struct soap *soap, struct _net__SetInterfaceSettings *in,
                                struct _net__SetInterfaceSettingsResponse *out)
{
    struct device *d = eoi_enter(soap, "SetInterfaceSettings", true, &out->Status);
    return d == NULL ? SOAP_OK : eoi_leave(soap, &out->Status, set_interface(d, in));
}

/* --- clock --- */

int __tim__GetLowAccuracyTimeSynch(struct soap *soap, struct _tim__GetLowAccuracyTimeSynch *in,
                                   struct _tim__GetLowAccuracyTimeSynchResponse *out)
{
    struct device *d = eoi_enter(soap, "GetLowAccuracyTimeSynch", false, &out->Status);
    (void)in;
    if (d != NULL)
        out->Ta0 = eoi_number(soap, (unsigned)(device_wall_ms(d) / 1000));
    return SOAP_OK;
}

int __tim__SetHighAccuracyTimeSynch(struct soap *soap, struct _tim__SetHighAccuracyTimeSynch *in,
                                    struct _tim__SetHighAccuracyTimeSynchResponse *out)
{
    struct device *d = eoi_enter(soap, "SetHighAccuracyTimeSynch", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    if (in->Ta0 == NULL || in->Tm1 == NULL || in->Tm2 == NULL)
        return eoi_leave(soap, &out->Status, PT_INVALID_PARAMETER);
    if (*in->Ta0 < EPOCH_2004_S || *in->Tm1 < EPOCH_2004_S || *in->Tm2 < EPOCH_2004_S)
        return eoi_leave(soap, &out->Status, PT_INVALID_TIME);
    d->clock_offset_ms += ((int64_t)*in->Tm1 - (int64_t)*in->Ta0) * 1000;
    return eoi_leave(soap, &out->Status, PT_SUCCESS);
}
