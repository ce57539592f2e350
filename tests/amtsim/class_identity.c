/* Who the device is and whether it is set up. (reference wsman.md, 3.1, 3.16) */
#include <stdio.h>
#include <string.h>

#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/setup.h"
#include "tests/amtsim/subscriptions.h"
#include "tests/amtsim/tls_settings.h"

/* --- CIM_SoftwareIdentity --- */

static const struct {
    const char *id;
    const char *fixed; /* NULL: version or build of the generation */
    bool build;
    uint8_t since;
} software[] = {
    {"Flash", NULL, false, 0},
    {"Netstack", NULL, false, 0},
    {"AMTApps", NULL, false, 0},
    {"AMT", NULL, false, 0},
    {"Sku", "16392", false, 0},
    {"VendorID", "8086", false, 0},
    {"Build Number", NULL, true, 0},
    {"Recovery Version", NULL, false, 0},
    {"Recovery Build Num", NULL, true, 0},
    {"Legacy Mode", "False", false, 0},
    {"AMT FW Core Version", NULL, false, 10},
};

static unsigned software_count(const struct device *d)
{
    return d->generation->number >= 10 ? 11 : 10;
}

static void software_identity(struct device *d, unsigned i, struct out *o)
{
    const char *version = software[i].build ? d->generation->build : d->generation->version;
    out_str(o, "InstanceID", software[i].id);
    out_bool(o, "IsEntity", true);
    out_str(o, "VersionString", software[i].fixed != NULL ? software[i].fixed : version);
}

/* --- set-up state --- */

static void setup_service(struct device *d, unsigned i, struct out *o)
{
    static const uint8_t no_password[32];
    (void)i;
    out_str(o, "CreationClassName", "AMT_SetupAndConfigurationService");
    out_str(o, "ElementName", "Intel(r) AMT Setup and Configuration Service");
    out_num(o, "EnabledState", 5);
    out_str(o, "Name", "Intel(r) AMT Setup and Configuration Service");
    out_num(o, "PasswordModel", 1);
    out_num(o, "ProvisioningMode", d->client_mode ? 4 : 1);
    out_bytes(o, "ProvisioningServerOTP", no_password, sizeof(no_password));
    out_num(o, "ProvisioningState", setup_done(d) ? 2 : 0);
    out_num(o, "RequestedState", 12);
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "Intel(r) AMT");
    out_bool(o, "ZeroTouchConfigurationEnabled", true);
}

static void setup_put(struct call *c)
{
    bool ignored; /* taken, and without effect on anything simulated */
    call_bool(c, "ZeroTouchConfigurationEnabled", &ignored);
}

static uint32_t get_uuid(struct call *c)
{
    uint8_t uuid[16];
    device_uuid(c->device, uuid);
    out_bytes(c->out, "UUID", uuid, sizeof(uuid));
    return RET_OK;
}

static uint32_t done(struct call *c)
{
    (void)c;
    return RET_OK;
}

/* 1: the audit log. */
static uint32_t blocking_components(struct call *c)
{
    if (setup_blocked(c->device))
        out_num(c->out, "Component", 1);
    return RET_OK;
}

static uint32_t set_mebx_password(struct call *c)
{
    const char *text = call_text(c, "Password");
    size_t n = text != NULL ? strlen(text) : 0;
    return n >= 8 && n <= 32 ? RET_OK : RET_INVALID_PASSWORD;
}

static uint32_t unprovision(struct call *c)
{
    uint64_t mode;
    if (!call_num(c, "ProvisioningMode", UINT32_MAX, &mode) || mode != 1)
        return RET_BAD_PARAMETER;
    return setup_undo(c->device, true);
}

static uint32_t partial_unprovision(struct call *c)
{
    return setup_undo(c->device, false);
}

static void host_based_setup(struct device *d, unsigned i, struct out *o)
{
    uint8_t uuid[16], nonce[20] = {0};
    static const uint16_t modes[] = {2, 1};
    (void)i;
    device_uuid(d, uuid);
    memcpy(nonce, uuid, sizeof(uuid));
    out_nums(o, "AllowedControlModes", modes, 2);
    out_num(o, "CertChainStatus", 0);
    out_bytes(o, "ConfigurationNonce", nonce, sizeof(nonce));
    out_str(o, "CreationClassName", "IPS_HostBasedSetupService");
    out_num(o, "CurrentControlMode", !setup_done(d) ? 0 : d->client_mode ? 1 : 2);
    out_str(o, "ElementName", "Intel(r) AMT Host Based Setup Service");
    out_str(o, "Name", "Intel(r) AMT Host Based Setup Service");
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "Intel(r) AMT");
}

static void boot_reason(struct device *d, unsigned i, struct out *o)
{
    (void)i;
    out_str(o, "ElementName", "Intel(r) AMT:Host Boot Reason");
    out_str(o, "InstanceID", "Intel(r) AMT:Host Boot Reason");
    out_num(o, "PreviousSxState", d->requested_power == 2 ? 5 : 0);
    out_num(o, "Reason", d->requested_power != 0 ? 1 : 0);
    out_str(o, "ReasonDetails", "");
}

static const char *const provisioning_log[] = {"CurrentNumberOfRecords",
                                               "1",
                                               "ElementName",
                                               "Intel(r) AMT Provisioning Record Log",
                                               "EnabledState",
                                               "2",
                                               "HealthState",
                                               "0",
                                               "InstanceID",
                                               "Intel(r) AMT: RecordLog 1",
                                               "LogState",
                                               "4",
                                               "MaxNumberOfRecords",
                                               "1",
                                               "Name",
                                               "Intel(r) AMT Provisioning Record Log",
                                               "OverwritePolicy",
                                               "2",
                                               "RequestedState",
                                               "12",
                                               NULL};

static uint32_t commit_changes(struct call *c)
{
    return tls_settings_commit(c->device);
}

static const struct class_method setup_methods[] = {
    {"GetUuid", get_uuid},
    {"CommitChanges", commit_changes},
    {"Unprovision", unprovision},
    {"PartialUnprovision", partial_unprovision},
    {"ExtendProvisioningPeriod", done},
    {"SetMEBxPassword", set_mebx_password},
    {"GetUnprovisionBlockingComponents", blocking_components},
    {0},
};

const struct class_row class_identity_rows[] = {
    {.name = "AMT_SetupAndConfigurationService",
     .instance = setup_service,
     .put = setup_put,
     .methods = setup_methods},
    {.name = "CIM_SoftwareIdentity", .instance = software_identity, .count = software_count},
    {.name = "IPS_HostBasedSetupService", .since = 6, .instance = host_based_setup},
    {.name = "IPS_HostBootReason", .since = 8, .instance = boot_reason},
    {.name = "IPS_ProvisioningRecordLog", .since = 7, .datetime = true, .fixed = provisioning_log},
    {0},
};
