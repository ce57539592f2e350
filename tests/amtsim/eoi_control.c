/* Remote control and redirection settings over the SOAP interface. (reference eoi.md, 3.1, 3.6) */
#include <string.h>

#include "tests/amtsim/boot.h"
#include "tests/amtsim/eoi_internal.h"
#include "tests/amtsim/power.h"
#include "tests/amtsim/redir_settings.h"
#include "tests/amtsim/return_value.h"
#include <simH.h>

#define OEM_ASF   4542
#define OEM_INTEL 343

int __rci__GetSystemPowerState(struct soap *soap, struct _rci__GetSystemPowerState *in,
                               struct _rci__GetSystemPowerStateResponse *out)
{
    static const unsigned states[] = {
        [MACHINE_OFF] = 5, [MACHINE_ON] = 0, [MACHINE_SLEEP] = 3, [MACHINE_HIBERNATE] = 4};
    struct device *d = eoi_enter(soap, "GetSystemPowerState", false, &out->Status);
    (void)in;
    if (d != NULL)
        out->SystemPowerState = eoi_number(soap, states[d->machine->state]);
    return SOAP_OK;
}

int __rci__GetRemoteControlCapabilities(struct soap *soap, struct _rci__GetRemoteControlCapabilities *in,
                                        struct _rci__GetRemoteControlCapabilitiesResponse *out)
{
    struct device *d = eoi_enter(soap, "GetRemoteControlCapabilities", false, &out->Status);
    (void)in;
    if (d == NULL)
        return SOAP_OK;
    out->IanaOemNumber = eoi_number(soap, OEM_INTEL);
    out->OemDefinedCapabilities = eoi_number(soap, 0x1 | 0x2 | 0x8 | 0x10); /* all but reflashing the BIOS */
    out->SpecialCommandsSupported = eoi_number(soap, 0x100 | 0x200 | 0x800 | 0x1000); /* no safe mode */
    out->SystemCapabilitiesSupported = eoi_number(soap, 0xf);
    out->SystemFirmwareCapabilities = eoi_number(soap, 0x20 | 0x800 | 0x1000);
    return SOAP_OK;
}

/* --- commands --- */

static const struct {
    unsigned command;
    uint16_t request; /* of RequestPowerStateChange; 0: the power is left alone */
} commands[] = {{16, 10}, {17, 2}, {18, 8}, {19, 5}, {33, 0}};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static size_t command_index(const struct _rci__RemoteControl *in)
{
    size_t i = 0;
    while (i < COMMANDS && commands[i].command != eoi_value(in->Command))
        i++;
    return i;
}

#define SPECIAL_OEM 193

/* Medium, or OR of what the OEM's command asks for. */
static unsigned read_special(const struct _rci__RemoteControl *in, struct boot_wish *wish)
{
    static const char *const sources[] = {NULL, "pxe", "disk", NULL, "diagnostics", "cd"};
    unsigned special = eoi_value(in->SpecialCommand), parameter = eoi_value(in->SpecialCommandParameter);
    if (special == SPECIAL_OEM) {
        if (eoi_value(in->IanaOemNumber) != OEM_INTEL)
            return PT_UNSUPPORTED_OEM;
        if ((parameter & 0xFEE4) != 0) /* reserved, or reflashing */
            return PT_UNSUPPORTED_BOOT_OPTION;
        wish->ider = (parameter & 1) != 0;
        wish->ider_cd = (parameter & 0x101) == 0x101;
        wish->setup = (parameter & 8) != 0;
        wish->pause = (parameter & 16) != 0;
        return PT_SUCCESS;
    }
    if (special > 5 || special == 3)
        return PT_INVALID_SPECIAL_COMMAND;
    if (parameter > UINT16_MAX || (special == 0 && parameter != 0))
        return PT_INVALID_PARAMETER;
    wish->source = sources[special];
    wish->media_index = (uint16_t)parameter;
    return PT_SUCCESS;
}

static unsigned read_options(const struct _rci__RemoteControl *in, struct boot_wish *wish)
{
    unsigned options = eoi_value(in->BootOptions), oem = eoi_value(in->OEMparameters);
    if (oem > 1)
        return PT_INVALID_PARAMETER;
    if (oem == 1 && eoi_value(in->IanaOemNumber) != OEM_INTEL)
        return PT_UNSUPPORTED_OEM;
    if ((options & ~(0x20u | 0x800u | 0x1000u)) != 0) /* what the capabilities do not name */
        return PT_UNSUPPORTED_BOOT_OPTION;
    wish->sol = oem == 1;
    wish->lock_keyboard = (options & 0x20) != 0;
    wish->password_bypass = (options & 0x800) != 0;
    wish->progress_events = (options & 0x1000) != 0;
    return PT_SUCCESS;
}

static unsigned check_command(const struct _rci__RemoteControl *in, size_t command)
{
    unsigned oem = eoi_value(in->IanaOemNumber);
    bool any = in->SpecialCommand != NULL || in->SpecialCommandParameter != NULL || in->BootOptions != NULL ||
               in->OEMparameters != NULL;
    if (in->Command == NULL || in->IanaOemNumber == NULL)
        return PT_INVALID_PARAMETER;
    if (oem != OEM_INTEL && oem != OEM_ASF)
        return PT_UNSUPPORTED_OEM;
    if (command == COMMANDS)
        return PT_INVALID_COMMAND;
    if (commands[command].command == 33 && oem != OEM_INTEL)
        return PT_UNSUPPORTED_OEM;
    if (commands[command].command == 18 && any)
        return PT_INVALID_PARAMETER;
    return PT_SUCCESS;
}

static unsigned power(struct device *d, uint16_t request)
{
    static const struct {
        uint32_t value;
        unsigned status;
    } rows[] = {{RET_OK, PT_SUCCESS},
                {RET_NOT_SUPPORTED, PT_INVALID_COMMAND},
                {RET_CANNOT_NOW, PT_INVALID_COMMAND},
                {RET_IN_USE, PT_NOT_PERMITTED},
                {RET_BUSY, PT_NOT_READY}};
    uint32_t value = power_request(d, request);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].value == value)
            return rows[i].status;
    }
    return value;
}

int __rci__RemoteControl(struct soap *soap, struct _rci__RemoteControl *in,
                         struct _rci__RemoteControlResponse *out)
{
    struct device *d = eoi_enter(soap, "RemoteControl", true, &out->Status);
    size_t command = command_index(in);
    struct boot_wish wish = {0};
    if (d == NULL)
        return SOAP_OK;
    unsigned status = check_command(in, command);
    if (status == PT_SUCCESS)
        status = read_special(in, &wish);
    if (status == PT_SUCCESS)
        status = read_options(in, &wish);
    if (status != PT_SUCCESS)
        return eoi_leave(soap, &out->Status, status);
    /* The command comes before its options: what it refuses leaves no trace. The machine reads them when it
     * boots, which is later. */
    struct device_boot before = d->boot;
    if (in->SpecialCommand != NULL || in->BootOptions != NULL || in->OEMparameters != NULL)
        boot_wish(d, &wish);
    if (commands[command].request != 0)
        status = power(d, commands[command].request);
    if (status != PT_SUCCESS)
        d->boot = before;
    return eoi_leave(soap, &out->Status, status);
}

/* --- redirection --- */

int __idr__GetRedirectionListenerState(struct soap *soap, struct _idr__GetRedirectionListenerState *in,
                                       struct _idr__GetRedirectionListenerStateResponse *out)
{
    struct device *d = eoi_enter(soap, "GetRedirectionListenerState", false, &out->Status);
    (void)in;
    if (d != NULL)
        out->State = eoi_flag(soap, d->redirection.listener);
    return SOAP_OK;
}

int __idr__SetRedirectionListenerState(struct soap *soap, struct _idr__SetRedirectionListenerState *in,
                                       struct _idr__SetRedirectionListenerStateResponse *out)
{
    struct device *d = eoi_enter(soap, "SetRedirectionListenerState", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    if (in->State == NULL)
        return eoi_leave(soap, &out->Status, PT_INVALID_PARAMETER);
    d->redirection.listener = *in->State == true_;
    redir_settings_changed(d);
    return eoi_leave(soap, &out->Status, PT_SUCCESS);
}
