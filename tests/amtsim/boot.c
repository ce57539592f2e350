#include "tests/amtsim/boot.h"

#include <stdio.h>
#include <string.h>

#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/consent.h"
#include "tests/amtsim/fleet.h"

#define CONFIG "Intel(r) AMT: Boot Configuration 0"

/* --- sources --- */

static const struct {
    const char *id;
    const char *structured;
    const char *word; /* of struct machine_boot; "" for those a machine here cannot do: it boots its disk */
    uint8_t since;
} sources[] = {
    {"Intel(r) AMT: Force Hard-drive Boot", "CIM:Hard-Disk:1", "disk", 0},
    {"Intel(r) AMT: Force PXE Boot", "CIM:Network:1", "pxe", 0},
    {"Intel(r) AMT: Force CD/DVD Boot", "CIM:CD/DVD:1", "cd", 0},
    {"Intel(r) AMT: Force Diagnostic Boot", NULL, "diagnostics", 0},
    {"Intel(r) AMT: Force OCR UEFI HTTPS Boot", NULL, "", 15},
    {"Intel(r) AMT: Force OCR UEFI Boot Option 1", NULL, "", 15},
};

#define SOURCES (sizeof(sources) / sizeof(sources[0]))

const char *boot_source_word(uint32_t source)
{
    return source >= 1 && source <= SOURCES ? sources[source - 1].id : "";
}

static unsigned source_count(const struct device *d)
{
    unsigned n = 0;
    while (n < SOURCES && sources[n].since <= d->generation->number)
        n++;
    return n;
}

static void source(struct device *d, unsigned i, struct out *o)
{
    (void)d;
    if (i == 5) {
        out_str(o, "BIOSBootString", "Windows Recovery Environment");
        out_str(o, "BootString", "\\OemPba.efi");
    }
    out_str(o, "ElementName", "Intel(r) AMT: Boot Source");
    out_num(o, "FailThroughSupported", 2);
    out_str(o, "InstanceID", sources[i].id);
    out_str(o, "StructuredBootString", sources[i].structured);
}

/* --- AMT_BootSettingData: the boolean members, in ASCII order, and who has them --- */

enum { RW, RO };

static const struct flag {
    const char *name;
    uint8_t since;
    uint8_t access;
    bool value; /* read-only ones */
} flags[] = {
    {"BIOSPause", 0, RW, 0},
    {"BIOSSetup", 0, RW, 0},
    {"ConfigurationDataReset", 0, RW, 0},
    {"EnforceSecureBoot", 8, RW, 0},
    {"ForcedProgressEvents", 0, RW, 0},
    {"LockKeyboard", 0, RW, 0},
    {"LockPowerButton", 0, RW, 0},
    {"LockResetButton", 0, RW, 0},
    {"LockSleepButton", 0, RW, 0},
    {"PlatformErase", 16, RW, 0},
    {"RPEEnabled", 16, RO, 1},
    {"ReflashBIOS", 0, RW, 0},
    {"SecureBootControlEnabled", 15, RO, 1},
    {"SecureErase", 11, RW, 0},
    {"UEFIHTTPSBootEnabled", 15, RO, 1},
    {"UEFILocalPBABootEnabled", 15, RO, 1},
    {"UseIDER", 0, RW, 0},
    {"UseSOL", 0, RW, 0},
    {"UseSafeMode", 0, RW, 0},
    {"UserPasswordBypass", 0, RW, 0},
    {"WinREBootEnabled", 15, RO, 1},
};

#define FLAGS (sizeof(flags) / sizeof(flags[0]))

static unsigned flag_index(const char *name)
{
    unsigned i = 0;
    while (i < FLAGS && strcmp(flags[i].name, name) != 0)
        i++;
    return i;
}

static bool flag_set(const struct device *d, const char *name)
{
    unsigned i = flag_index(name);
    return i < FLAGS && (d->boot.flags >> i & 1) != 0;
}

json_t *boot_flags_json(uint32_t bits)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < FLAGS; i++) {
        if (bits >> i & 1)
            json_array_append_new(list, json_string(flags[i].name));
    }
    return list;
}

/* Writes the flags whose names sort before `until` and were not written yet. */
static void write_flags(const struct device *d, struct out *o, unsigned *next, const char *until)
{
    for (; *next < FLAGS && (until == NULL || strcmp(flags[*next].name, until) < 0); (*next)++) {
        const struct flag *f = &flags[*next];
        if (f->since <= d->generation->number)
            out_bool(o, f->name, f->access == RO ? f->value : (d->boot.flags >> *next & 1) != 0);
    }
}

static void settings(struct device *d, unsigned i, struct out *o)
{
    unsigned at = 0;
    bool ocr = d->generation->number >= 15;
    (void)i;
    out_num(o, "BIOSLastStatus", 2);
    out_num(o, "BIOSLastStatus", 0);
    write_flags(d, o, &at, "BootMediaIndex");
    out_num(o, "BootMediaIndex", d->boot.media_index);
    if (ocr)
        out_num(o, "BootguardStatus", 127);
    write_flags(d, o, &at, "ElementName");
    out_str(o, "ElementName", "Intel(r) AMT Boot Configuration Settings");
    write_flags(d, o, &at, "FirmwareVerbosity");
    out_num(o, "FirmwareVerbosity", d->boot.verbosity);
    write_flags(d, o, &at, "IDERBootDevice");
    out_num(o, "IDERBootDevice", d->boot.ider_device);
    out_str(o, "InstanceID", "Intel(r) AMT:BootSettingData 0");
    write_flags(d, o, &at, "OptionsCleared");
    out_bool(o, "OptionsCleared", d->boot.cleared);
    out_str(o, "OwningEntity", "Intel(r) AMT");
    write_flags(d, o, &at, "RSEPassword");
    if (d->generation->number >= 11)
        out_str(o, "RSEPassword", "");
    write_flags(d, o, &at, "UefiBootNumberOfParams");
    if (ocr)
        out_num(o, "UefiBootNumberOfParams", d->boot.uefi_params);
    write_flags(d, o, &at, NULL);
}

static bool holds_read_only(struct call *c)
{
    static const char *const names[] = {"OptionsCleared", "BIOSLastStatus", "BootguardStatus"};
    for (unsigned i = 0; i < FLAGS; i++) {
        if (flags[i].access == RO && call_has(c, flags[i].name))
            return true;
    }
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (call_has(c, names[i]))
            return true;
    }
    return false;
}

static void settings_put(struct call *c)
{
    struct device *d = c->device;
    struct device_boot boot = d->boot;
    uint64_t media = 0, device = 0, verbosity = 0, params = 0;
    boot.flags = 0;
    for (unsigned i = 0; i < FLAGS; i++) {
        bool on = false;
        if (flags[i].access == RW && flags[i].since <= d->generation->number &&
            call_bool(c, flags[i].name, &on) && on)
            boot.flags |= 1u << i;
    }
    call_num(c, "BootMediaIndex", UINT16_MAX, &media);
    call_num(c, "IDERBootDevice", 1, &device);
    call_num(c, "FirmwareVerbosity", 3, &verbosity);
    call_num(c, "UefiBootNumberOfParams", 64, &params);
    /* Some versions refuse read-only members, and a Put while a source is still forced. (3.3) */
    if (c->fault == SOAP_OK && d->generation->strict_boot_put && (holds_read_only(c) || d->boot.source != 0))
        c->fault = SOAP_INVALID_VALUES;
    if (c->fault != SOAP_OK)
        return;
    boot.media_index = (uint16_t)media;
    boot.ider_device = (uint8_t)device;
    boot.verbosity = (uint8_t)verbosity;
    boot.uefi_params = (uint8_t)params;
    boot.cleared = false;
    d->boot = boot;
}

/* --- methods --- */

static uint32_t change_boot_order(struct call *c)
{
    struct epr epr;
    if (!call_has(c, "Source")) {
        c->device->boot.source = 0;
        return RET_OK;
    }
    const char *id = call_epr(c, "Source", &epr) ? epr_value(&epr, "InstanceID") : NULL;
    if (id == NULL || strcmp(epr.class_name, "CIM_BootSourceSetting") != 0)
        return RET_INVALID_PARAMETER;
    for (unsigned i = 0; i < source_count(c->device); i++) {
        if (strcmp(sources[i].id, id) != 0)
            continue;
        if (flag_set(c->device, "BIOSSetup") || flag_set(c->device, "UseIDER"))
            return RET_INVALID_PARAMETER; /* exclude each other */
        c->device->boot.source = (uint8_t)(i + 1);
        return RET_OK;
    }
    return RET_INVALID_PARAMETER;
}

static uint32_t set_config_role(struct call *c)
{
    struct epr epr;
    uint64_t role;
    const char *id = call_epr(c, "BootConfigSetting", &epr) ? epr_value(&epr, "InstanceID") : NULL;
    if (id == NULL || strcmp(id, CONFIG) != 0)
        return RET_INVALID_PARAMETER;
    if (!call_num(c, "Role", UINT16_MAX, &role) || (role != 1 && role != 32768))
        return RET_INVALID_PARAMETER;
    if (role == 1 && consent_missing(c->device, true))
        return RET_CONSENT_REQUIRED;
    c->device->boot.role = role == 1;
    return RET_OK;
}

static uint32_t boot_state_change(struct call *c)
{
    uint64_t state;
    if (c->device->generation->number < 15)
        return RET_NOT_SUPPORTED;
    if (!call_num(c, "RequestedState", UINT16_MAX, &state) || state < 32768 || state > 32771)
        return RET_INVALID_PARAMETER;
    c->device->boot.service_state = (uint16_t)state;
    return RET_OK;
}

static void boot_service(struct device *d, unsigned i, struct out *o)
{
    (void)i;
    out_str(o, "CreationClassName", "CIM_BootService");
    out_str(o, "ElementName", "Intel(r) AMT Boot Service");
    out_num(o, "EnabledState", d->boot.service_state);
    out_str(o, "Name", "Intel(r) AMT Boot Service");
    out_num(o, "OperationalStatus", 0);
    out_num(o, "RequestedState", 12);
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "Intel(r) AMT");
}

static void capabilities(struct device *d, unsigned i, struct out *o)
{
    bool ocr = d->generation->number >= 15, erase = d->generation->number >= 16;
    (void)i;
    if (ocr)
        out_bool(o, "AMTSecureBootControl", true);
    static const char *const common[] = {"BIOSPause",
                                         "true",
                                         "BIOSReflash",
                                         "true",
                                         "BIOSSecureBoot",
                                         "true",
                                         "BIOSSetup",
                                         "true",
                                         "ConfigurationDataReset",
                                         "false",
                                         "ElementName",
                                         "Intel(r) AMT: Boot Capabilities",
                                         "ForceCDorDVDBoot",
                                         "true",
                                         "ForceDiagnosticBoot",
                                         "true",
                                         "ForceHardDriveBoot",
                                         "true",
                                         "ForceHardDriveSafeModeBoot",
                                         "false",
                                         "ForcePXEBoot",
                                         "true",
                                         NULL};
    out_fixed(o, common);
    if (ocr) {
        out_bool(o, "ForceUEFIHTTPSBoot", true);
        out_bool(o, "ForceUEFIPBABoot", true);
        out_bool(o, "ForceWinREBoot", true);
    }
    static const char *const more[] = {
        "ForcedProgressEvents", "true", "IDER", "true", "InstanceID", "Intel(r) AMT:BootCapabilities 0",
        "KeyboardLock",         "true", NULL};
    out_fixed(o, more);
    if (erase)
        out_num(o, "PlatformErase", 0x6000007);
    static const char *const rest[] = {"PowerButtonLock", "false", "ResetButtonLock", "false", "SOL", "true",
                                       "SecureErase",     "false", "SleepButtonLock", "false", NULL};
    out_fixed(o, rest);
    if (ocr)
        out_bool(o, "UEFIWiFiCoExistenceAndProfileShare", false);
    static const char *const end[] = {"UserPasswordBypass",
                                      "true",
                                      "VerbosityQuiet",
                                      "false",
                                      "VerbosityScreenBlank",
                                      "false",
                                      "VerbosityVerbose",
                                      "false",
                                      NULL};
    out_fixed(o, end);
}

static const char *const config[] = {"ElementName", "Intel(r) AMT: Boot Configuration", "InstanceID", CONFIG,
                                     NULL};

/* --- the machine's side --- */

void boot_for_machine(const struct device *d, struct machine_boot *out)
{
    memset(out, 0, sizeof(*out));
    out->use_sol = d->redirection.bios_speaks;
    if (d->boot.role != 1 && d->boot.source == 0)
        return;
    if (d->boot.source != 0)
        snprintf(out->source, sizeof(out->source), "%s", sources[d->boot.source - 1].word);
    out->media_index = d->boot.media_index;
    out->bios_setup = flag_set(d, "BIOSSetup");
    out->bios_pause = flag_set(d, "BIOSPause");
    out->use_sol = out->use_sol || flag_set(d, "UseSOL");
    out->use_ider = flag_set(d, "UseIDER");
    out->safe_mode = flag_set(d, "UseSafeMode");
    out->ider_device = d->boot.ider_device;
}

void boot_wish(struct device *d, const struct boot_wish *wish)
{
    const struct {
        const char *name;
        bool on;
    } members[] = {{"BIOSSetup", wish->setup},
                   {"BIOSPause", wish->pause},
                   {"UseSOL", wish->sol},
                   {"UseIDER", wish->ider},
                   {"LockKeyboard", wish->lock_keyboard},
                   {"UserPasswordBypass", wish->password_bypass},
                   {"ForcedProgressEvents", wish->progress_events}};
    d->boot = (struct device_boot){.media_index = wish->media_index,
                                   .ider_device = wish->ider_cd,
                                   .role = 1,
                                   .service_state = d->boot.service_state};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        d->boot.flags |= members[i].on ? 1u << flag_index(members[i].name) : 0;
    for (unsigned i = 0; wish->source != NULL && i < source_count(d); i++) {
        if (strcmp(sources[i].word, wish->source) == 0)
            d->boot.source = (uint8_t)(i + 1);
    }
}

void boot_taken(struct device *d)
{
    uint16_t service_state = d->boot.service_state;
    d->boot = (struct device_boot){.cleared = true, .service_state = service_state};
}

static const struct class_method config_methods[] = {{"ChangeBootOrder", change_boot_order}, {0}};
static const struct class_method service_methods[] = {
    {"SetBootConfigRole", set_config_role}, {"RequestStateChange", boot_state_change}, {0}};

const struct class_row class_boot_rows[] = {
    {.name = "AMT_BootCapabilities", .instance = capabilities},
    {.name = "AMT_BootSettingData",
     .instance = settings,
     .required =
         "BIOSPause BIOSSetup BootMediaIndex ConfigurationDataReset FirmwareVerbosity ForcedProgressEvents "
         "IDERBootDevice InstanceID LockKeyboard LockPowerButton LockResetButton LockSleepButton "
         "ReflashBIOS UseIDER UseSOL UseSafeMode UserPasswordBypass ",
     .put = settings_put},
    {.name = "CIM_BootConfigSetting", .fixed = config, .methods = config_methods},
    {.name = "CIM_BootService", .datetime = true, .instance = boot_service, .methods = service_methods},
    {.name = "CIM_BootSourceSetting", .instance = source, .count = source_count},
    {0},
};
