/* SOL, IDE-R and KVM settings. (reference wsman.md, 3.4) */
#include <ctype.h>
#include <string.h>

#include "tests/amtsim/alerts.h"
#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/redir_session.h"
#include "tests/amtsim/redir_settings.h"

#define STATE_NONE 32768 /* bit 0 IDE-R, bit 1 SOL */
#define STATE_ALL  32771

/* --- AMT_RedirectionService --- */

static void service(struct device *d, unsigned i, struct out *o)
{
    (void)i;
    out_str(o, "CreationClassName", "AMT_RedirectionService");
    out_str(o, "ElementName", "Intel(r) AMT Redirection Service");
    out_num(o, "EnabledState", d->redirection.enabled_state);
    out_bool(o, "ListenerEnabled", d->redirection.listener);
    out_str(o, "Name", "Intel(r) AMT Redirection Service");
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "Intel(r) AMT");
}

static void service_put(struct call *c)
{
    uint64_t state = c->device->redirection.enabled_state;
    bool listener = c->device->redirection.listener;
    call_bool(c, "ListenerEnabled", &listener);
    if (call_num(c, "EnabledState", UINT16_MAX, &state) && (state < STATE_NONE || state > STATE_ALL))
        c->fault = SOAP_INVALID_VALUES;
    if (c->fault != SOAP_OK)
        return;
    c->device->redirection.enabled_state = (uint16_t)state;
    c->device->redirection.listener = listener;
    redir_settings_changed(c->device);
}

static uint32_t service_state(struct call *c)
{
    uint64_t state;
    if (!call_num(c, "RequestedState", UINT16_MAX, &state) || state < STATE_NONE || state > STATE_ALL)
        return RET_INVALID_PARAMETER;
    c->device->redirection.enabled_state = (uint16_t)state;
    redir_settings_changed(c->device);
    return RET_OK;
}

/* SessionType 0 is IDE-R, 1 is SOL. */
static uint32_t terminate_session(struct call *c)
{
    uint64_t type;
    if (c->device->generation->number < 10)
        return RET_NOT_SUPPORTED;
    if (!call_num(c, "SessionType", 1, &type))
        return RET_BAD_PARAMETER;
    return redir_terminate(c->device, type == 0 ? REDIR_IDER : REDIR_SOL) ? RET_OK : RET_CANNOT_NOW;
}

/* --- KVM --- */

static void kvm_sap(struct device *d, unsigned i, struct out *o)
{
    (void)i;
    out_str(o, "CreationClassName", "CIM_KVMRedirectionSAP");
    out_str(o, "ElementName", "KVM Redirection Service Access Point");
    out_num(o, "EnabledState", d->redirection.kvm_enabled ? 6 : 3); /* allowed, no session */
    out_num(o, "KVMProtocol", 4);
    out_str(o, "Name", "KVM Redirection Service Access Point");
    out_num(o, "RequestedState", d->redirection.kvm_enabled ? 2 : 3);
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "ManagedSystem");
}

static uint32_t kvm_state(struct call *c)
{
    uint64_t state;
    if (!call_num(c, "RequestedState", UINT16_MAX, &state) || (state != 2 && state != 3))
        return RET_INVALID_PARAMETER;
    if (c->device->redirection.kvm_enabled != (state == 2))
        alert_raise(c->device, state == 2 ? ALERT_KVM_ENABLED : ALERT_KVM_DISABLED);
    c->device->redirection.kvm_enabled = state == 2;
    return RET_OK;
}

static void kvm_service(struct device *d, unsigned i, struct out *o)
{
    (void)i;
    out_str(o, "CreationClassName", "CIM_RedirectionService");
    out_str(o, "ElementName", "Intel(r) ME KVM Redirection Service");
    out_num(o, "EnabledState", d->redirection.kvm_enabled ? 2 : 3);
    static const char *const rest[] = {"MaxCurrentEnabledSAPs",
                                       "1",
                                       "Name",
                                       "Intel(r) AMT KVM Redirection Service",
                                       "RedirectionServiceType",
                                       "3",
                                       "RequestedState",
                                       "12",
                                       "SharingMode",
                                       "3",
                                       "SystemCreationClassName",
                                       "CIM_ComputerSystem",
                                       "SystemName",
                                       "Intel(r) AMT",
                                       NULL};
    out_fixed(o, rest);
}

static void kvm_settings(struct device *d, unsigned i, struct out *o)
{
    const struct device_redirection *r = &d->redirection;
    bool buffers = d->generation->number >= 8, modern = d->generation->number >= 16;
    (void)i;
    out_bool(o, "BackToBackFbMode", false);
    out_num(o, "DefaultScreen", r->kvm_screen);
    if (buffers) {
        out_bool(o, "DoubleBufferActive", false);
        out_bool(o, "DoubleBufferEnabled", true);
    }
    out_str(o, "ElementName", "Intel(r) KVM Redirection Settings");
    out_bool(o, "EnabledByMEBx", true);
    if (modern) {
        out_bool(o, "GrayscalePixelFormatSupported", true);
        out_num(o, "InitialDecimationModeForLowRes", 2);
    }
    out_str(o, "InstanceID", "Intel(r) KVM Redirection Settings");
    out_bool(o, "Is5900PortEnabled", r->kvm_5900);
    out_bool(o, "OptInPolicy", r->kvm_opt_in);
    out_num(o, "OptInPolicyTimeout", r->opt_in_timeout);
    out_str(o, "RFBPassword", "");
    out_num(o, "SessionTimeout", r->kvm_session_minutes);
    if (modern)
        out_bool(o, "ZlibControlSupported", true);
}

/* Exactly eight characters, one of each class, without quote, comma and colon. */
static bool rfb_password_ok(const char *text)
{
    bool lower = false, upper = false, digit = false, special = false;
    for (const char *p = text; *p != '\0'; p++) {
        lower = lower || islower((unsigned char)*p);
        upper = upper || isupper((unsigned char)*p);
        digit = digit || isdigit((unsigned char)*p);
        special = special || ispunct((unsigned char)*p);
    }
    return strlen(text) == 8 && lower && upper && digit && special && strpbrk(text, "\",:") == NULL;
}

static void kvm_put(struct call *c)
{
    struct device_redirection r = c->device->redirection;
    uint64_t n;
    const char *password = call_text(c, "RFBPassword");
    if (password != NULL && password[0] != '\0' && !rfb_password_ok(password))
        c->fault = SOAP_INVALID_VALUES;
    call_bool(c, "Is5900PortEnabled", &r.kvm_5900);
    call_bool(c, "OptInPolicy", &r.kvm_opt_in);
    if (call_num(c, "OptInPolicyTimeout", UINT16_MAX, &n))
        r.opt_in_timeout = (uint16_t)n;
    if (call_num(c, "SessionTimeout", UINT16_MAX, &n))
        r.kvm_session_minutes = (uint16_t)n;
    if (call_num(c, "DefaultScreen", 255, &n))
        r.kvm_screen = (uint8_t)n;
    if (c->fault == SOAP_OK)
        c->device->redirection = r;
}

static uint32_t kvm_terminate(struct call *c)
{
    (void)c;
    return RET_OK;
}

/* --- screens --- */

static const char *const screen_service[] = {"CreationClassName",
                                             "IPS_ScreenConfigurationService",
                                             "CurrentState",
                                             "0",
                                             "ElementName",
                                             "Intel(r) Screen Configuration Service",
                                             "EnabledState",
                                             "0",
                                             "Name",
                                             "Intel(r) Screen Configuration Service",
                                             "RemainingConsecutiveRebootsNum",
                                             "0",
                                             "SystemCreationClassName",
                                             "CIM_ComputerSystem",
                                             "SystemName",
                                             "Intel(r) AMT",
                                             NULL};

static const char *const screen_settings[] = {"ElementName",
                                              "Intel(r) Screen Settings",
                                              "InstanceID",
                                              "Intel(r) Screen Settings",
                                              "IsActive",
                                              "true",
                                              "IsActive",
                                              "false",
                                              "IsActive",
                                              "false",
                                              "IsActive",
                                              "false",
                                              "PrimaryIndex",
                                              "0",
                                              "QuadraryIndex",
                                              "3",
                                              "ResolutionX",
                                              "1920",
                                              "ResolutionX",
                                              "0",
                                              "ResolutionX",
                                              "0",
                                              "ResolutionX",
                                              "0",
                                              "ResolutionY",
                                              "1080",
                                              "ResolutionY",
                                              "0",
                                              "ResolutionY",
                                              "0",
                                              "ResolutionY",
                                              "0",
                                              "SecondaryIndex",
                                              "1",
                                              "TertiaryIndex",
                                              "2",
                                              "UpperLeftX",
                                              "0",
                                              "UpperLeftX",
                                              "0",
                                              "UpperLeftX",
                                              "0",
                                              "UpperLeftX",
                                              "0",
                                              "UpperLeftY",
                                              "0",
                                              "UpperLeftY",
                                              "0",
                                              "UpperLeftY",
                                              "0",
                                              "UpperLeftY",
                                              "0",
                                              NULL};

/* --- who uses a session now --- */

static unsigned sol_sessions(const struct device *d)
{
    return d->sessions[REDIR_SOL] != NULL;
}

static unsigned ider_sessions(const struct device *d)
{
    return d->sessions[REDIR_IDER] != NULL;
}

static void session_using_port(struct device *d, unsigned i, struct out *o)
{
    struct epr service = epr_service("AMT_RedirectionService", "Intel(r) AMT Redirection Service");
    struct epr port = epr_ethernet_port(0);
    (void)d;
    (void)i;
    out_epr(o, "Antecedent", &service);
    out_epr(o, "Dependent", &port);
}

static unsigned none(const struct device *d)
{
    (void)d;
    return 0;
}

static const struct class_method service_methods[] = {
    {"RequestStateChange", service_state}, {"TerminateSession", terminate_session}, {0}};
static const struct class_method sap_methods[] = {{"RequestStateChange", kvm_state}, {0}};
static const struct class_method kvm_methods[] = {{"TerminateSession", kvm_terminate}, {0}};

const struct class_row class_redirection_rows[] = {
    {.name = "AMT_RedirectionService", .instance = service, .put = service_put, .methods = service_methods},
    {.name = "CIM_KVMRedirectionSAP",
     .since = 6,
     .datetime = true,
     .kvm = true,
     .instance = kvm_sap,
     .methods = sap_methods},
    {.name = "CIM_RedirectionService", .since = 6, .kvm = true, .instance = kvm_service},
    {.name = "IPS_KVMRedirectionSettingData",
     .since = 6,
     .kvm = true,
     .instance = kvm_settings,
     .put = kvm_put,
     .methods = kvm_methods},
    {.name = "IPS_IderSessionUsingPort", .since = 6, .instance = session_using_port, .count = ider_sessions},
    {.name = "IPS_KvmSessionUsingPort", .since = 6, .kvm = true, .count = none},
    {.name = "IPS_SolSessionUsingPort", .since = 6, .instance = session_using_port, .count = sol_sessions},
    {.name = "IPS_ScreenConfigurationService", .since = 10, .fixed = screen_service},
    {.name = "IPS_ScreenSettingData", .since = 8, .kvm = true, .fixed = screen_settings},
    {0},
};
