#include "wsman/boot.h"

#include <stdio.h>
#include <string.h>

#include "wsman/answer.h"
#include "wsman/quirks.h"

/* --- goals: which flags, which source (the table of section 3.3) --- */

static const struct goal {
    const char *name;
    const char *text;
    const char *capability; /* member of AMT_BootCapabilities that must be true, or NULL */
    const char *flag;       /* member of AMT_BootSettingData set true, or NULL */
    int ider_device;        /* IDERBootDevice with UseIDER, -1 none */
    const char *source;     /* InstanceID of the CIM_BootSourceSetting, or NULL */
} goals[] = {
    [BOOT_NORMAL] = {"normal", "a normal boot", NULL, NULL, -1, NULL},
    [BOOT_BIOS] = {"bios", "firmware setup", "BIOSSetup", "BIOSSetup", -1, NULL},
    [BOOT_BIOS_PAUSE] = {"bios-pause", "a pause in the firmware", "BIOSPause", "BIOSPause", -1, NULL},
    [BOOT_PXE] = {"pxe", "the network", "ForcePXEBoot", NULL, -1, "Intel(r) AMT: Force PXE Boot"},
    [BOOT_DISK] = {"disk", "a hard disk", "ForceHardDriveBoot", NULL, -1,
                   "Intel(r) AMT: Force Hard-drive Boot"},
    [BOOT_CD] = {"cd", "a CD or DVD", "ForceCDorDVDBoot", NULL, -1, "Intel(r) AMT: Force CD/DVD Boot"},
    [BOOT_DIAGNOSTICS] = {"diagnostics", "diagnostics", "ForceDiagnosticBoot", NULL, -1,
                          "Intel(r) AMT: Force Diagnostic Boot"},
    [BOOT_SAFE_MODE] = {"safe-mode", "safe mode", "ForceHardDriveSafeModeBoot", "UseSafeMode", -1,
                        "Intel(r) AMT: Force Hard-drive Boot"},
    [BOOT_IDER_CD] = {"ider-cd", "the redirected CD", "IDER", "UseIDER", 1, NULL},
    [BOOT_IDER_FLOPPY] = {"ider-floppy", "the redirected floppy", "IDER", "UseIDER", 0, NULL},
};

const char *boot_goal_name(enum boot_goal goal)
{
    return goals[goal].name;
}

const char *boot_goal_text(enum boot_goal goal)
{
    return goals[goal].text;
}

static const struct {
    unsigned flag;
    const char *member;     /* of AMT_BootSettingData */
    const char *capability; /* of AMT_BootCapabilities */
} flags[] = {
    {BOOT_USE_SOL, "UseSOL", "SOL"},
    {BOOT_LOCK_KEYBOARD, "LockKeyboard", "KeyboardLock"},
    {BOOT_LOCK_POWER_BUTTON, "LockPowerButton", "PowerButtonLock"},
    {BOOT_LOCK_RESET_BUTTON, "LockResetButton", "ResetButtonLock"},
    {BOOT_LOCK_SLEEP_BUTTON, "LockSleepButton", "SleepButtonLock"},
    {BOOT_PASSWORD_BYPASS, "UserPasswordBypass", "UserPasswordBypass"},
    {BOOT_PROGRESS_EVENTS, "ForcedProgressEvents", "ForcedProgressEvents"},
    {BOOT_SECURE_BOOT, "EnforceSecureBoot", "BIOSSecureBoot"},
};

/* Members that some versions refuse in a Put (section 3.3: read-only, or not used here). */
const char *const boot_settings_not_in_put[] = {
    "OptionsCleared",          "BIOSLastStatus",           "WinREBootEnabled", "UEFILocalPBABootEnabled",
    "UEFIHTTPSBootEnabled",    "SecureBootControlEnabled", "RPEEnabled",       "BootguardStatus",
    "UefiBootParametersArray", "UefiBootNumberOfParams",   "RSEPassword",      NULL};

/* Members that every Put says, whatever was there before: nothing left over, never a factory reset, never an
 * erase. */
static const char *const always_false[] = {"BIOSSetup",
                                           "BIOSPause",
                                           "UseIDER",
                                           "UseSOL",
                                           "UseSafeMode",
                                           "LockKeyboard",
                                           "LockPowerButton",
                                           "LockResetButton",
                                           "LockSleepButton",
                                           "UserPasswordBypass",
                                           "ReflashBIOS",
                                           "ForcedProgressEvents",
                                           "SecureErase",
                                           "PlatformErase",
                                           "ConfigurationDataReset",
                                           NULL};

static struct boot_seq *boot_of(struct seq *seq)
{
    return (struct boot_seq *)seq;
}

static int refuse(struct err *err, const char *what)
{
    err_set(err, CAUSE_UNSUPPORTED, "this device's firmware does not offer %s", what);
    return SEQ_FAIL;
}

static bool has(struct wsman_obj capabilities, const char *name)
{
    bool value = false;

    return wsman_bool(capabilities, name, &value) && value;
}

/* --- the steps, in the reference's order --- */

static struct wsman_request *ask_capabilities(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "AMT_BootCapabilities", NULL);
}

static int hear_capabilities(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    const struct boot_request *boot = &boot_of(seq)->boot;
    const struct goal *goal = &goals[boot->goal];
    struct wsman_obj obj = wsman_call_obj(call, 0);

    if (goal->capability && !has(obj, goal->capability))
        return refuse(err, goal->text);
    if (boot->sol_if_offered && has(obj, "SOL"))
        boot_of(seq)->boot.flags |= BOOT_USE_SOL;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if ((boot->flags & flags[i].flag) && !has(obj, flags[i].capability))
            return refuse(err, flags[i].member);
    if ((boot->verbosity == BOOT_QUIET && !has(obj, "VerbosityQuiet")) ||
        (boot->verbosity == BOOT_VERBOSE && !has(obj, "VerbosityVerbose")) ||
        (boot->verbosity == BOOT_BLANK && !has(obj, "VerbosityScreenBlank")))
        return refuse(err, "this verbosity");
    return SEQ_NEXT;
}

/* Boot options of a device in client mode, or that asks for it, need the user's consent (section 3.5). */
static struct wsman_request *ask_consent(struct seq *seq, struct err *err)
{
    (void)err;
    return boot_of(seq)->power.quirks->opt_in ? wsman_request_new(WSMAN_GET, "IPS_OptInService", NULL) : NULL;
}

static int hear_consent(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t required = 0, state = 0;

    (void)seq;
    if (call) {
        wsman_u32(wsman_call_obj(call, 0), "OptInRequired", &required);
        wsman_u32(wsman_call_obj(call, 0), "OptInState", &state);
    }
    if (required == UINT32_MAX && state != 3 && state != 4) {
        err_set(err, CAUSE_CONSENT_REQUIRED, "boot options need the consent of the user at the machine");
        return SEQ_FAIL;
    }
    return SEQ_NEXT;
}

static struct wsman_request *ask_settings(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "AMT_BootSettingData", NULL);
}

static int hear_settings(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct boot_seq *bs = boot_of(seq);
    const struct goal *goal = &goals[bs->boot.goal];
    struct wsman_obj obj = wsman_call_obj(call, 0);
    struct wsman_request *put = wsman_request_new(WSMAN_PUT, "AMT_BootSettingData", NULL);

    (void)err;
    wsman_add_instance(put, obj.doc, obj.el, boot_settings_not_in_put);
    for (const char *const *name = always_false; *name; name++)
        wsman_replace_bool(put, *name, false);
    wsman_replace_u32(put, "IDERBootDevice", goal->ider_device > 0 ? (uint32_t)goal->ider_device : 0);
    wsman_replace_u32(put, "BootMediaIndex", bs->boot.media_index);
    wsman_replace_u32(put, "FirmwareVerbosity", bs->boot.verbosity);
    if (goal->flag)
        wsman_replace_bool(put, goal->flag, true);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (bs->boot.flags & flags[i].flag)
            wsman_replace_bool(put, flags[i].member, true);
    wsman_request_free(bs->put);
    bs->put = put;
    return SEQ_NEXT;
}

static struct wsman_request *boot_order(const char *source)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, "CIM_BootConfigSetting", "ChangeBootOrder");
    const struct wsman_selector selectors[] = {{"InstanceID", source}, {NULL, NULL}};

    if (source)
        wsman_add_epr(rq, "Source", "CIM_BootSourceSetting", selectors);
    return rq;
}

/* A leftover source makes some versions refuse the Put. */
static struct wsman_request *ask_clear_order(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return boot_order(NULL);
}

static int hear_method(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    const struct wsman_request *rq = wsman_call_request(call);

    (void)seq;
    return wsman_return_value_to_err(wsman_request_class(rq), wsman_request_method(rq),
                                     wsman_call_return_value(call), err) == 0
               ? SEQ_NEXT
               : SEQ_FAIL;
}

static struct wsman_request *ask_put(struct seq *seq, struct err *err)
{
    struct boot_seq *bs = boot_of(seq);
    struct wsman_request *put = bs->put;

    (void)err;
    bs->put = NULL;
    return put;
}

static int hear_put(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)seq;
    (void)call;
    (void)err;
    return SEQ_NEXT;
}

struct wsman_request *boot_make_next(void)
{
    static const struct wsman_selector selectors[] = {{"InstanceID", "Intel(r) AMT: Boot Configuration 0"},
                                                      {NULL, NULL}};
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, "CIM_BootService", "SetBootConfigRole");

    wsman_add_epr(rq, "BootConfigSetting", "CIM_BootConfigSetting", selectors);
    wsman_add_u32(rq, "Role", 1); /* is next, single use */
    return rq;
}

static struct wsman_request *ask_role(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return boot_make_next();
}

static struct wsman_request *ask_order(struct seq *seq, struct err *err)
{
    (void)err;
    return boot_order(goals[boot_of(seq)->boot.goal].source);
}

/* The settings stand. What follows is a power action like any other: the sequence goes over to its table. */
static struct wsman_request *ask_start(struct seq *seq, struct err *err)
{
    struct boot_seq *bs = boot_of(seq);
    struct power_request power = {.action = POWER_DO_RESET_OR_ON, .graceful = bs->boot.graceful};
    struct seq kept = *seq;

    (void)err;
    bs->settings_done = true;
    if (!bs->boot.start) {
        bs->power.report.remark = "set for the next boot, once";
        seq_go(seq, SEQ_DONE);
        return NULL;
    }
    power_seq_init(&bs->power, &power, bs->power.quirks);
    seq->now_ms = kept.now_ms;
    seq->budget_ms = kept.budget_ms;
    seq->changed = kept.changed;
    seq_go(seq, 0);
    return NULL;
}

static const struct seq_step boot_steps[] = {
    {"read boot capabilities", SEQ_READ, ask_capabilities, hear_capabilities},
    {"read consent settings", SEQ_READ | SEQ_ABSENT_OK, ask_consent, hear_consent},
    {"read boot settings", SEQ_READ, ask_settings, hear_settings},
    {"clear boot order", SEQ_CHANGE, ask_clear_order, hear_method},
    {"put boot settings", SEQ_CHANGE, ask_put, hear_put},
    {"make them next, once", SEQ_CHANGE, ask_role, hear_method},
    {"set boot order", SEQ_CHANGE, ask_order, hear_method},
    {"start", SEQ_READ, ask_start, NULL},
};

void boot_seq_init(struct boot_seq *bs, const struct boot_request *request, const struct quirks *quirks)
{
    memset(bs, 0, sizeof(*bs));
    seq_init(&bs->power.seq, SEQ_TABLE(boot_steps));
    bs->power.quirks = quirks ? quirks : quirks_for(NULL);
    bs->boot = *request;
}

void boot_seq_clear(struct boot_seq *bs)
{
    wsman_request_free(bs->put);
    bs->put = NULL;
}
