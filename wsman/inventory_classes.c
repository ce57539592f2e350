/* Which classes and properties make up an inventory, and under which names. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "wsman/inventory_internal.h"

#define NAME_BYTES 128

/* --- numbers with names: SMBIOS (DSP0134) and AMT's own --- */

static const struct inventory_name memory_types[] = {
    {15, "SDRAM"}, {18, "DDR"},    {19, "DDR2"},   {20, "DDR2 FB-DIMM"}, {24, "DDR3"},
    {26, "DDR4"},  {27, "LPDDR"},  {28, "LPDDR2"}, {29, "LPDDR3"},       {30, "LPDDR4"},
    {34, "DDR5"},  {35, "LPDDR5"}, {0, NULL},
};
static const struct inventory_name form_factors[] = {{9, "DIMM"},     {12, "row of chips"}, {13, "SODIMM"},
                                                     {15, "FB-DIMM"}, {16, "die"},          {0, NULL}};
static const struct inventory_name processor_states[] = {
    {0, "unknown"}, {1, "enabled"}, {2, "disabled by user"}, {3, "disabled by BIOS"}, {4, "idle"}, {0, NULL},
};
static const struct inventory_name chemistries[] = {
    {1, "other"},
    {2, "unknown"},
    {3, "lead acid"},
    {4, "nickel cadmium"},
    {5, "nickel metal hydride"},
    {6, "lithium ion"},
    {7, "zinc air"},
    {8, "lithium polymer"},
    {0, NULL},
};
static const struct inventory_name provisioning_states[] = {{0, "pre"}, {1, "in"}, {2, "post"}, {0, NULL}};
static const struct inventory_name control_modes[] = {{0, "none"}, {1, "client"}, {2, "admin"}, {0, NULL}};
static const struct inventory_name redirections[] = {{32768, "off"},
                                                     {32769, "IDE redirection"},
                                                     {32770, "console"},
                                                     {32771, "console and IDE redirection"},
                                                     {0, NULL}};
/* In use or not changes by itself: both are enabled. */
static const struct inventory_name kvm_states[] = {
    {2, "enabled"}, {3, "disabled"}, {6, "enabled"}, {0, NULL}};
static const struct inventory_name consents[] = {
    {0, "not needed"}, {1, "needed for KVM"}, {0xFFFFFFFF, "needed for all redirection"}, {0, NULL}};

/* --- properties --- */

static const struct inventory_property general[] = {
    {"HostName", "host_name", FORM_TEXT, NULL}, {"DomainName", "domain", FORM_TEXT, NULL}, {NULL}};
static const struct inventory_property system_package[] = {{"PlatformGUID", "uuid", FORM_GUID, NULL}, {NULL}};
static const struct inventory_property chassis[] = {{"Manufacturer", "manufacturer", FORM_TEXT, NULL},
                                                    {"Model", "model", FORM_TEXT, NULL},
                                                    {"SerialNumber", "serial", FORM_TEXT, NULL},
                                                    {"Version", "version", FORM_TEXT, NULL},
                                                    {NULL}};
static const struct inventory_property bios[] = {{"Manufacturer", "vendor", FORM_TEXT, NULL},
                                                 {"Version", "version", FORM_TEXT, NULL},
                                                 {"ReleaseDate", "date", FORM_DATE, NULL},
                                                 {NULL}};
static const struct inventory_property chip[] = {
    {"Version", "name", FORM_TEXT, NULL}, {"Manufacturer", "manufacturer", FORM_TEXT, NULL}, {NULL}};
static const struct inventory_property processor[] = {{"DeviceID", "id", FORM_TEXT, NULL},
                                                      {"Family", "family", FORM_NUMBER, NULL},
                                                      {"MaxClockSpeed", "max_mhz", FORM_NUMBER, NULL},
                                                      {"ExternalBusClockSpeed", "bus_mhz", FORM_NUMBER, NULL},
                                                      {"NumberOfEnabledCores", "cores", FORM_NUMBER, NULL},
                                                      {"Stepping", "stepping", FORM_TEXT, NULL},
                                                      {"CPUStatus", "state", FORM_NAMED, processor_states},
                                                      {NULL}};
static const struct inventory_property memory[] = {{"BankLabel", "bank", FORM_TEXT, NULL},
                                                   {"Capacity", "bytes", FORM_NUMBER, NULL},
                                                   {"MemoryType", "type", FORM_NAMED, memory_types},
                                                   {"FormFactor", "form", FORM_NAMED, form_factors},
                                                   {"ConfiguredMemoryClockSpeed", "mhz", FORM_NUMBER, NULL},
                                                   {"MaxMemorySpeed", "max_mhz", FORM_NUMBER, NULL},
                                                   {"Manufacturer", "manufacturer", FORM_TEXT, NULL},
                                                   {"PartNumber", "part", FORM_TEXT, NULL},
                                                   {"SerialNumber", "serial", FORM_TEXT, NULL},
                                                   {NULL}};
static const struct inventory_property drive[] = {
    {"DeviceID", "id", FORM_TEXT, NULL}, {"MaxMediaSize", "bytes", FORM_KILOBYTES, NULL}, {NULL}};
static const struct inventory_property battery[] = {{"DeviceID", "id", FORM_TEXT, NULL},
                                                    {"Chemistry", "chemistry", FORM_NAMED, chemistries},
                                                    {"DesignCapacity", "design_mwh", FORM_NUMBER, NULL},
                                                    {"DesignVoltage", "design_mv", FORM_NUMBER, NULL},
                                                    {NULL}};
static const struct inventory_property network_port[] = {{"InstanceID", "id", FORM_TEXT, NULL},
                                                         {"MACAddress", "mac", FORM_TEXT, NULL},
                                                         {"DHCPEnabled", "dhcp", FORM_BOOL, NULL},
                                                         {"IPAddress", "address", FORM_TEXT, NULL},
                                                         {"SubnetMask", "mask", FORM_TEXT, NULL},
                                                         {"DefaultGateway", "gateway", FORM_TEXT, NULL},
                                                         {"PrimaryDNS", "dns", FORM_TEXT, NULL},
                                                         {"VLANTag", "vlan", FORM_NUMBER, NULL},
                                                         {NULL}};
static const struct inventory_property boot_features[] = {
    {"IDER", "ider", FORM_BOOL, NULL},
    {"SOL", "sol", FORM_BOOL, NULL},
    {"BIOSSetup", "bios_setup", FORM_BOOL, NULL},
    {"BIOSPause", "bios_pause", FORM_BOOL, NULL},
    {"ForcePXEBoot", "pxe", FORM_BOOL, NULL},
    {"ForceHardDriveBoot", "disk", FORM_BOOL, NULL},
    {"ForceCDorDVDBoot", "cd", FORM_BOOL, NULL},
    {"ForceDiagnosticBoot", "diagnostics", FORM_BOOL, NULL},
    {"SecureErase", "secure_erase", FORM_BOOL, NULL},
    {"ForceUEFIHTTPSBoot", "https_boot", FORM_BOOL, NULL},
    {"ForceWinREBoot", "winre_boot", FORM_BOOL, NULL},
    {NULL}};
static const struct inventory_property setup[] = {
    {"ProvisioningState", "provisioning", FORM_NAMED, provisioning_states}, {NULL}};
static const struct inventory_property mode[] = {
    {"CurrentControlMode", "control_mode", FORM_NAMED, control_modes}, {NULL}};
static const struct inventory_property redirection[] = {
    {"EnabledState", "redirection", FORM_NAMED, redirections},
    {"ListenerEnabled", "redirection_listener", FORM_BOOL, NULL},
    {NULL}};
static const struct inventory_property kvm[] = {{"EnabledState", "kvm", FORM_NAMED, kvm_states}, {NULL}};
static const struct inventory_property consent[] = {{"OptInRequired", "consent", FORM_NAMED, consents},
                                                    {NULL}};
static const struct inventory_property tls[] = {
    {"Enabled", "tls", FORM_BOOL, NULL}, {"MutualAuthentication", "tls_mutual", FORM_BOOL, NULL}, {NULL}};

/* --- what needs more than a table --- */

/* The sum of the bytes of a list. */
static void add_up(struct inventory *inv, const char *total, const char *list)
{
    char name[NAME_BYTES], number[24];
    uint64_t sum = 0, bytes;
    const char *text;
    size_t n = 0;

    for (;; n++) {
        snprintf(name, sizeof(name), "%s.%zu.bytes", list, n);
        text = inventory_get(inv, name);
        if (!text || !text_u64(text, 0, UINT64_MAX, &bytes) || sum > UINT64_MAX - bytes)
            break;
        sum += bytes;
    }
    if (n == 0)
        return;
    snprintf(name, sizeof(name), "%s.bytes", total);
    snprintf(number, sizeof(number), "%" PRIu64, sum);
    inventory_set(inv, name, INVENTORY_NUMBER, number);
}

static void sum_memory(struct inventory *inv, const struct wsman_call *call)
{
    (void)call;
    add_up(inv, "memory", "memory.modules");
}

static void sum_drives(struct inventory *inv, const struct wsman_call *call)
{
    (void)call;
    add_up(inv, "storage", "storage.drives");
}

/* "AMT FW Core Version" -> "firmware.amt_fw_core_version" */
static void take_firmware(struct inventory *inv, const struct wsman_call *call)
{
    for (size_t i = 0; i < wsman_call_count(call); i++) {
        struct wsman_obj obj = wsman_call_obj(call, i);
        const char *id = wsman_str(obj, "InstanceID"), *version = wsman_str(obj, "VersionString");
        char name[NAME_BYTES] = "firmware.", value[INVENTORY_TEXT_MAX];
        size_t n = strlen(name);

        if (!id || !version)
            continue;
        for (; *id && n + 1 < sizeof(name); id++)
            name[n++] = isalnum((unsigned char)*id) ? (char)tolower((unsigned char)*id) : '_';
        name[n] = '\0';
        inventory_trim(version, value);
        inventory_set(inv, name, INVENTORY_TEXT, value);
    }
}

const struct inventory_class inventory_classes[] = {
    {"AMT_GeneralSettings", "amt", false, NULL, NULL, general, NULL},
    {"CIM_ComputerSystemPackage", "system", false, NULL, NULL, system_package, NULL},
    {"CIM_Chassis", "system", false, NULL, NULL, chassis, NULL},
    {"CIM_Card", "board", false, NULL, NULL, chassis, NULL},
    {"CIM_BIOSElement", "bios", false, NULL, NULL, bios, NULL},
    {"CIM_Chip", "processors", true, "CreationClassName", "CIM_Chip", chip, NULL},
    {"CIM_Processor", "processors", true, NULL, NULL, processor, NULL},
    {"CIM_PhysicalMemory", "memory.modules", true, NULL, NULL, memory, sum_memory},
    {"CIM_MediaAccessDevice", "storage.drives", true, NULL, NULL, drive, sum_drives},
    {"CIM_Battery", "batteries", true, NULL, NULL, battery, NULL},
    {"AMT_EthernetPortSettings", "network", true, NULL, NULL, network_port, NULL},
    {"CIM_SoftwareIdentity", "firmware", false, NULL, NULL, NULL, take_firmware},
    {"AMT_BootCapabilities", "features.boot", false, NULL, NULL, boot_features, NULL},
    {"AMT_SetupAndConfigurationService", "state", false, NULL, NULL, setup, NULL},
    {"IPS_HostBasedSetupService", "state", false, NULL, NULL, mode, NULL},
    {"AMT_RedirectionService", "features", false, NULL, NULL, redirection, NULL},
    {"CIM_KVMRedirectionSAP", "features", false, NULL, NULL, kvm, NULL},
    {"IPS_OptInService", "features", false, NULL, NULL, consent, NULL},
    {"AMT_TLSSettingData", "state", false, "InstanceID", "Intel(r) AMT 802.3 TLS Settings", tls, NULL},
};
const size_t inventory_class_count = sizeof(inventory_classes) / sizeof(inventory_classes[0]);
