/* Power, boot options and redirection: remote control and redirection settings. (reference eoi.md, 3.1, 3.6)
 */
#include <eoiH.h>
#include <string.h>

#include "wsman/eoi/eoi_internal.h"
#include "wsman/power.h"

#define OEM_INTEL   343
#define SPECIAL_OEM 193

/* --- power --- */

/* SystemPowerState, low 4 bits, as CIM's PowerState. */
static const uint8_t states[16] = {
    [0] = POWER_ON,         [1] = POWER_SLEEP_LIGHT, [2] = POWER_SLEEP_LIGHT, [3] = POWER_SLEEP_DEEP,
    [4] = POWER_HIBERNATE,  [5] = POWER_OFF_SOFT,    [6] = POWER_OFF_SOFT,    [7] = POWER_OFF_HARD,
    [8] = POWER_SLEEP_DEEP, [9] = POWER_SLEEP_DEEP,  [10] = POWER_OFF_SOFT,   [11] = POWER_ON,
    [12] = POWER_OFF_SOFT,  [13] = POWER_UNKNOWN,    [14] = POWER_UNKNOWN,    [15] = POWER_UNKNOWN,
};

static int take_power(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _rci__GetSystemPowerStateResponse *answer = out;

    if (!answer->SystemPowerState)
        return eoi_missing(eoi, "SystemPowerState", err);
    eoi_show(eoi, "CIM_AssociatedPowerManagementService");
    eoi_show_number(eoi, "PowerState", states[*answer->SystemPowerState & 15]);
    eoi_shown(eoi, "CIM_AssociatedPowerManagementService");
    return EOI_NEXT;
}

static const struct eoi_step power_steps[] = {{EOI_GetSystemPowerState, .take = take_power}};

/* SystemCapabilitiesSupported, and the requests that its bits stand for. Nothing goes through the OS. */
static int take_power_capabilities(struct eoi *eoi, const void *out, struct err *err)
{
    static const struct {
        unsigned bit;
        enum power_state request;
    } rows[] = {{0x4, POWER_ON}, {0x1, POWER_CYCLE_OFF_SOFT}, {0x2, POWER_OFF_SOFT}, {0x8, POWER_RESET}};
    const struct _rci__GetRemoteControlCapabilitiesResponse *answer = out;

    if (!answer->SystemCapabilitiesSupported)
        return eoi_missing(eoi, "SystemCapabilitiesSupported", err);
    eoi_show(eoi, "CIM_PowerManagementCapabilities");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (*answer->SystemCapabilitiesSupported & rows[i].bit)
            eoi_show_number(eoi, "RequestedPowerStatesSupported", rows[i].request);
    eoi_shown(eoi, "CIM_PowerManagementCapabilities");
    return EOI_NEXT;
}

static const struct eoi_step power_capability_steps[] = {
    {EOI_GetRemoteControlCapabilities, .take = take_power_capabilities}};

/* --- boot options and the command that takes them --- */

static unsigned special_of(const struct eoi_boot *boot)
{
    if (boot->safe_mode)
        return 3;
    if (boot->source)
        return boot->source;
    return boot->setup || boot->pause || boot->ider || boot->sol ? SPECIAL_OEM : 0;
}

static unsigned parameter_of(const struct eoi_boot *boot, unsigned special)
{
    if (special != SPECIAL_OEM)
        return boot->media;
    return (boot->ider ? boot->ider_device ? 0x101u : 1u : 0u) | (boot->setup ? 8u : 0u) |
           (boot->pause ? 16u : 0u);
}

static unsigned options_of(const struct eoi_boot *boot)
{
    static const unsigned verbosity[] = {0, 0x2000, 0x4000, 0x6000};

    return (boot->lock_power ? 2u : 0u) | (boot->lock_reset ? 4u : 0u) | (boot->lock_keyboard ? 0x20u : 0u) |
           (boot->lock_sleep ? 0x40u : 0u) | (boot->bypass ? 0x800u : 0u) | (boot->progress ? 0x1000u : 0u) |
           verbosity[boot->verbosity & 3];
}

/* What is 0 is left out: optional elements are absent, not empty. */
static void add_options(struct eoi *eoi, struct _rci__RemoteControl *in)
{
    unsigned special = special_of(&eoi->boot);
    unsigned parameter = parameter_of(&eoi->boot, special), options = options_of(&eoi->boot);

    if (special)
        in->SpecialCommand = eoi_number(eoi, special);
    if (parameter)
        in->SpecialCommandParameter = eoi_number(eoi, parameter);
    if (options)
        in->BootOptions = eoi_number(eoi, options);
    if (eoi->boot.sol)
        in->OEMparameters = eoi_number(eoi, 1);
}

static int fill_command(struct eoi *eoi, void *out, struct err *err)
{
    static const struct {
        uint32_t request;
        unsigned command;
    } rows[] = {{POWER_ON, 17},       {POWER_CYCLE_OFF_SOFT, 19}, {POWER_CYCLE_OFF_HARD, 19},
                {POWER_OFF_SOFT, 18}, {POWER_OFF_HARD, 18},       {POWER_RESET, 16}};
    struct _rci__RemoteControl *in = out;
    uint32_t request = 0;
    size_t i = 0;

    (void)err;
    wsman_request_u32(eoi_request(eoi), "PowerState", &request);
    while (i < sizeof(rows) / sizeof(rows[0]) && rows[i].request != request)
        i++;
    if (i == sizeof(rows) / sizeof(rows[0])) {
        eoi->result = 1; /* not supported */
        return EOI_PASS;
    }
    in->Command = eoi_number(eoi, rows[i].command);
    in->IanaOemNumber = eoi_number(eoi, OEM_INTEL);
    if (eoi->boot.armed && rows[i].command != 18) /* a power-down takes none */
        add_options(eoi, in);
    return EOI_ASK;
}

static int take_command(struct eoi *eoi, const void *out, struct err *err)
{
    uint32_t request = 0;

    (void)out;
    (void)err;
    wsman_request_u32(eoi_request(eoi), "PowerState", &request);
    if (request != POWER_OFF_SOFT && request != POWER_OFF_HARD)
        memset(&eoi->boot, 0, sizeof(eoi->boot)); /* taken along */
    return EOI_NEXT;
}

static const struct eoi_step command_steps[] = {
    {EOI_RemoteControl, .fill = fill_command, .take = take_command}};

/* Boot options without a power command: for the next boot, whoever starts it. */
static int fill_boot(struct eoi *eoi, void *out, struct err *err)
{
    struct _rci__RemoteControl *in = out;

    (void)err;
    if (!eoi->boot.armed)
        return EOI_PASS;
    in->Command = eoi_number(eoi, 33);
    in->IanaOemNumber = eoi_number(eoi, OEM_INTEL);
    add_options(eoi, in);
    memset(&eoi->boot, 0, sizeof(eoi->boot));
    return EOI_ASK;
}

static const struct eoi_step boot_end_steps[] = {{EOI_RemoteControl, .fill = fill_boot}};
const struct eoi_row eoi_boot_row = {.steps = boot_end_steps, .count = 1};

/* --- boot capabilities and settings --- */

static int take_boot_capabilities(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _rci__GetRemoteControlCapabilitiesResponse *answer = out;

    if (!answer->OemDefinedCapabilities || !answer->SpecialCommandsSupported ||
        !answer->SystemFirmwareCapabilities)
        return eoi_missing(eoi, "capabilities", err);
    const struct {
        const char *name;
        unsigned value, bit;
    } rows[] = {
        {"IDER", *answer->OemDefinedCapabilities, 0x1},
        {"SOL", *answer->OemDefinedCapabilities, 0x2},
        {"BIOSReflash", *answer->OemDefinedCapabilities, 0x4},
        {"BIOSSetup", *answer->OemDefinedCapabilities, 0x8},
        {"BIOSPause", *answer->OemDefinedCapabilities, 0x10},
        {"ForcePXEBoot", *answer->SpecialCommandsSupported, 0x100},
        {"ForceHardDriveBoot", *answer->SpecialCommandsSupported, 0x200},
        {"ForceHardDriveSafeModeBoot", *answer->SpecialCommandsSupported, 0x400},
        {"ForceDiagnosticBoot", *answer->SpecialCommandsSupported, 0x800},
        {"ForceCDorDVDBoot", *answer->SpecialCommandsSupported, 0x1000},
        {"VerbosityScreenBlank", *answer->SystemFirmwareCapabilities, 0x1},
        {"PowerButtonLock", *answer->SystemFirmwareCapabilities, 0x2},
        {"ResetButtonLock", *answer->SystemFirmwareCapabilities, 0x4},
        {"KeyboardLock", *answer->SystemFirmwareCapabilities, 0x20},
        {"SleepButtonLock", *answer->SystemFirmwareCapabilities, 0x40},
        {"UserPasswordBypass", *answer->SystemFirmwareCapabilities, 0x800},
        {"ForcedProgressEvents", *answer->SystemFirmwareCapabilities, 0x1000},
        {"VerbosityVerbose", *answer->SystemFirmwareCapabilities, 0x2000},
        {"VerbosityQuiet", *answer->SystemFirmwareCapabilities, 0x4000},
        {"ConfigurationDataReset", *answer->SystemFirmwareCapabilities, 0x8000},
    };
    eoi_show(eoi, "AMT_BootCapabilities");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        eoi_show_flag(eoi, rows[i].name, (rows[i].value & rows[i].bit) != 0);
    eoi_shown(eoi, "AMT_BootCapabilities");
    return EOI_NEXT;
}

static const struct eoi_step boot_capability_steps[] = {
    {EOI_GetRemoteControlCapabilities, .take = take_boot_capabilities}};

/* The flags by their names in AMT_BootSettingData. */
static const struct {
    const char *name;
    size_t offset;
} flags[] = {
    {"BIOSPause", offsetof(struct eoi_boot, pause)},
    {"BIOSSetup", offsetof(struct eoi_boot, setup)},
    {"ForcedProgressEvents", offsetof(struct eoi_boot, progress)},
    {"LockKeyboard", offsetof(struct eoi_boot, lock_keyboard)},
    {"LockPowerButton", offsetof(struct eoi_boot, lock_power)},
    {"LockResetButton", offsetof(struct eoi_boot, lock_reset)},
    {"LockSleepButton", offsetof(struct eoi_boot, lock_sleep)},
    {"UseIDER", offsetof(struct eoi_boot, ider)},
    {"UseSOL", offsetof(struct eoi_boot, sol)},
    {"UseSafeMode", offsetof(struct eoi_boot, safe_mode)},
    {"UserPasswordBypass", offsetof(struct eoi_boot, bypass)},
};

static bool *flag_of(struct eoi *eoi, size_t i)
{
    return (bool *)((char *)&eoi->boot + flags[i].offset);
}

/* A device of these generations keeps no settings to be read: they come with the command. */
static int show_boot_settings(struct eoi *eoi, void *in, struct err *err)
{
    (void)in;
    (void)err;
    eoi_show(eoi, "AMT_BootSettingData");
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        eoi_show_flag(eoi, flags[i].name, *flag_of(eoi, i));
    eoi_show_number(eoi, "BootMediaIndex", eoi->boot.media);
    eoi_show_number(eoi, "FirmwareVerbosity", eoi->boot.verbosity);
    eoi_show_number(eoi, "IDERBootDevice", eoi->boot.ider_device);
    eoi_show_text(eoi, "InstanceID", "Intel(r) AMT:BootSettingData 0");
    eoi_shown(eoi, "AMT_BootSettingData");
    return EOI_PASS;
}

static int put_boot_settings(struct eoi *eoi, void *in, struct err *err)
{
    const struct wsman_request *rq = eoi_request(eoi);
    unsigned source = eoi->boot.source;

    (void)in;
    (void)err;
    memset(&eoi->boot, 0, sizeof(eoi->boot));
    eoi->boot.source = source;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        wsman_request_bool(rq, flags[i].name, flag_of(eoi, i));
    wsman_request_u32(rq, "BootMediaIndex", &eoi->boot.media);
    wsman_request_u32(rq, "FirmwareVerbosity", &eoi->boot.verbosity);
    wsman_request_u32(rq, "IDERBootDevice", &eoi->boot.ider_device);
    return EOI_PASS;
}

static int set_role(struct eoi *eoi, void *in, struct err *err)
{
    uint32_t role = 0;

    (void)in;
    (void)err;
    wsman_request_u32(eoi_request(eoi), "Role", &role);
    eoi->boot.armed = role == 1;
    return EOI_PASS;
}

static int set_order(struct eoi *eoi, void *in, struct err *err)
{
    static const struct {
        const char *source;
        unsigned special;
    } rows[] = {{"Intel(r) AMT: Force PXE Boot", 1},
                {"Intel(r) AMT: Force Hard-drive Boot", 2},
                {"Intel(r) AMT: Force Diagnostic Boot", 4},
                {"Intel(r) AMT: Force CD/DVD Boot", 5}};
    const char *source = wsman_request_reference(eoi_request(eoi), "Source", "InstanceID");

    (void)in;
    (void)err;
    eoi->boot.source = 0;
    for (size_t i = 0; source && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].source, source) == 0)
            eoi->boot.source = rows[i].special;
    eoi->result = source && !eoi->boot.source ? 5 : 0; /* no such source: invalid parameter */
    return EOI_PASS;
}

static const struct eoi_step boot_settings_steps[] = {{EOI_LOCAL, .fill = show_boot_settings}};
static const struct eoi_step boot_put_steps[] = {{EOI_LOCAL, .fill = put_boot_settings},
                                                 {EOI_LOCAL, .fill = show_boot_settings}};
static const struct eoi_step role_steps[] = {{EOI_LOCAL, .fill = set_role}};
static const struct eoi_step order_steps[] = {{EOI_LOCAL, .fill = set_order}};

/* --- redirection --- */

/* What the firmware has is switched on; only the listener can be switched. EnabledState is that of
 * AMT_RedirectionService: 32768 and a bit for IDE-R and for SOL, which are the lowest of the capabilities. */
static int take_redirection(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _rci__GetRemoteControlCapabilitiesResponse *answer = out;

    if (!answer->OemDefinedCapabilities)
        return eoi_missing(eoi, "OemDefinedCapabilities", err);
    eoi_show(eoi, "AMT_RedirectionService");
    eoi_show_number(eoi, "EnabledState", 32768 + (*answer->OemDefinedCapabilities & 3));
    return EOI_NEXT;
}

static int take_listener(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _idr__GetRedirectionListenerStateResponse *answer = out;

    if (!answer->State)
        return eoi_missing(eoi, "State", err);
    eoi_show_flag(eoi, "ListenerEnabled", *answer->State == true_);
    eoi_shown(eoi, "AMT_RedirectionService");
    return EOI_NEXT;
}

static const struct eoi_step redirection_steps[] = {
    {EOI_GetRemoteControlCapabilities, .take = take_redirection},
    {EOI_GetRedirectionListenerState, .take = take_listener},
};

static int fill_listener(struct eoi *eoi, void *out, struct err *err)
{
    struct _idr__SetRedirectionListenerState *in = out;
    bool on = false;

    (void)err;
    wsman_request_bool(eoi_request(eoi), "ListenerEnabled", &on);
    in->State = eoi_flag(eoi, on);
    return EOI_ASK;
}

static const struct eoi_step redirection_put_steps[] = {
    {EOI_SetRedirectionListenerState, .fill = fill_listener},
    {EOI_GetRemoteControlCapabilities, .take = take_redirection},
    {EOI_GetRedirectionListenerState, .take = take_listener},
};

/* Kinds cannot be switched one by one: what is asked for must be what there is. */
static int take_state(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _rci__GetRemoteControlCapabilitiesResponse *answer = out;
    uint32_t wanted = 0;

    if (!answer->OemDefinedCapabilities)
        return eoi_missing(eoi, "OemDefinedCapabilities", err);
    wsman_request_u32(eoi_request(eoi), "RequestedState", &wanted);
    if (wanted == 32768 + (*answer->OemDefinedCapabilities & 3))
        return EOI_NEXT;
    err_set(
        err, CAUSE_UNSUPPORTED,
        "this generation lets consoles and IDE redirection in together or not at all: switch its listener");
    return EOI_FAIL;
}

static const struct eoi_step redirection_state_steps[] = {
    {EOI_GetRemoteControlCapabilities, .take = take_state}};

const struct eoi_row eoi_control_rows[] = {
    {WSMAN_GET, "CIM_AssociatedPowerManagementService", NULL, EOI_STEPS(power_steps)},
    {WSMAN_ENUMERATE, "CIM_ServiceAvailableToElement", NULL, EOI_STEPS(power_steps)},
    {WSMAN_GET, "CIM_PowerManagementCapabilities", NULL, EOI_STEPS(power_capability_steps)},
    {WSMAN_INVOKE, "CIM_PowerManagementService", "RequestPowerStateChange", EOI_STEPS(command_steps)},
    {WSMAN_GET, "AMT_BootCapabilities", NULL, EOI_STEPS(boot_capability_steps)},
    {WSMAN_GET, "AMT_BootSettingData", NULL, EOI_STEPS(boot_settings_steps)},
    {WSMAN_PUT, "AMT_BootSettingData", NULL, EOI_STEPS(boot_put_steps)},
    {WSMAN_INVOKE, "CIM_BootService", "SetBootConfigRole", EOI_STEPS(role_steps)},
    {WSMAN_INVOKE, "CIM_BootConfigSetting", "ChangeBootOrder", EOI_STEPS(order_steps)},
    {WSMAN_GET, "AMT_RedirectionService", NULL, EOI_STEPS(redirection_steps)},
    {WSMAN_PUT, "AMT_RedirectionService", NULL, EOI_STEPS(redirection_put_steps)},
    {WSMAN_INVOKE, "AMT_RedirectionService", "RequestStateChange", EOI_STEPS(redirection_state_steps)},
    {0},
};
