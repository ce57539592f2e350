/* doctor: from the host's name to its clock, every step with its finding and what to do next. The first half,
 * without credentials, is walk.c; this is what can be asked once logged in. */
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "amtd/fleet/walk.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "wsman/power.h"

#define DOCTOR_BUDGET_MS 90000
#define CLOCK_OFF_S      300 /* more than Kerberos allows (wsman.md 1.4) */

struct doctor {
    struct seq seq;
    json_t *checks; /* taken by doctor_find */
    char *version;
    const struct host *host;
};

static struct doctor *doctor_of(struct seq *seq)
{
    return (struct doctor *)seq;
}

static void add(struct seq *seq, const char *check, const char *result, const char *hint, const char *fmt,
                ...) __attribute__((format(printf, 5, 6)));

static void add(struct seq *seq, const char *check, const char *result, const char *hint, const char *fmt,
                ...)
{
    struct buf text = buf_init(512);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    check_add(doctor_of(seq)->checks, check, result, buf_str(&text), hint);
    buf_free(&text);
}

/* A check whose call failed: says so and goes on with the next. */
static int add_failed(struct seq *seq, const char *check, const struct err *err)
{
    if (err->cause == CAUSE_UNSUPPORTED || err->cause == CAUSE_NOT_FOUND)
        add(seq, check, "skip", NULL, "this firmware does not have it");
    else
        add(seq, check, "fail", cause_hint(err->cause), "%s", err->text);
    return SEQ_NEXT;
}

/* --- the steps --- */

static struct wsman_request *ask_general(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "AMT_GeneralSettings", NULL);
}

static int hear_general(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    const char *name = wsman_str(wsman_call_obj(call, 0), "HostName");

    (void)err;
    add(seq, "authentication", "ok", NULL, "the device let us in; it calls itself '%s'", name ? name : "");
    return SEQ_NEXT;
}

static struct wsman_request *ask_version(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, "CIM_SoftwareIdentity", NULL);
}

static int hear_version(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    const char *version;

    if (!call)
        return add_failed(seq, "version", err);
    version = wsman_str(wsman_call_find(call, "InstanceID", "AMT"), "VersionString");
    if (!version) {
        add(seq, "version", "warn", NULL, "the firmware does not say its version");
        return SEQ_NEXT;
    }
    xreplace(&doctor_of(seq)->version, version);
    add(seq, "version", "ok", NULL, "AMT %s", version);
    return SEQ_NEXT;
}

static struct wsman_request *ask_setup(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "AMT_SetupAndConfigurationService", NULL);
}

static int hear_setup(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    static const char *const states[] = {"not provisioned", "being provisioned", "provisioned"};
    uint32_t state;

    if (!call)
        return add_failed(seq, "provisioned", err);
    if (!wsman_u32(wsman_call_obj(call, 0), "ProvisioningState", &state) || state > 2)
        add(seq, "provisioned", "warn", NULL, "the device does not say");
    else
        add(seq, "provisioned", state == 2 ? "ok" : "fail",
            state == 2 ? NULL : cause_hint(CAUSE_NOT_PROVISIONED), "%s", states[state]);
    return SEQ_NEXT;
}

static struct wsman_request *ask_mode(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "IPS_HostBasedSetupService", NULL);
}

static int hear_mode(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t mode = 0;

    (void)err;
    if (!call) { /* before 6.2: there is only one mode */
        add(seq, "control mode", "ok", NULL, "admin (this generation has no other)");
        return SEQ_NEXT;
    }
    wsman_u32(wsman_call_obj(call, 0), "CurrentControlMode", &mode);
    if (mode == 1)
        add(seq, "control mode", "warn",
            "consoles and boot options need the consent of the user at the machine", "client control mode");
    else
        add(seq, "control mode", "ok", NULL, "%s", mode == 2 ? "admin control mode" : "none");
    return SEQ_NEXT;
}

static struct wsman_request *ask_power(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, "CIM_ServiceAvailableToElement", NULL);
}

static int hear_power(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t state = 0;

    if (!call)
        return add_failed(seq, "authorisation", err);
    wsman_u32(wsman_call_obj(call, 0), "PowerState", &state);
    add(seq, "authorisation", "ok", NULL, "the account may use remote control; the machine is %s",
        power_state_name((enum power_state)state, false));
    return SEQ_NEXT;
}

static struct wsman_request *ask_redirection(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "AMT_RedirectionService", NULL);
}

static int hear_redirection(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t state = 0;
    bool listening = false;

    if (!call)
        return add_failed(seq, "redirection", err);
    wsman_u32(wsman_call_obj(call, 0), "EnabledState", &state);
    wsman_bool(wsman_call_obj(call, 0), "ListenerEnabled", &listening);
    if (listening && (state == 32770 || state == 32771))
        add(seq, "redirection", "ok", NULL, "console%s enabled",
            state == 32771 ? " and IDE redirection" : "");
    else
        add(seq, "redirection", "warn", cause_hint(CAUSE_REDIRECTION_DISABLED), "listener %s, console %s",
            listening ? "on" : "off", state == 32770 || state == 32771 ? "on" : "off");
    return SEQ_NEXT;
}

static struct wsman_request *ask_consent(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "IPS_OptInService", NULL);
}

static int hear_consent(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t required = 0;

    (void)err;
    if (!call) {
        add(seq, "user consent", "skip", NULL, "this firmware does not have it");
        return SEQ_NEXT;
    }
    wsman_u32(wsman_call_obj(call, 0), "OptInRequired", &required);
    if (required == 0)
        add(seq, "user consent", "ok", NULL, "not needed");
    else
        add(seq, "user consent", "warn", cause_hint(CAUSE_CONSENT_REQUIRED), "needed for %s",
            required == 1 ? "KVM" : "consoles, images and boot options");
    return SEQ_NEXT;
}

static struct wsman_request *ask_clock(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_INVOKE, "AMT_TimeSynchronizationService", "GetLowAccuracyTimeSynch");
}

static int hear_clock(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t device = 0;
    char text[CLOCK_TEXT_MAX];
    int64_t off;

    if (!call)
        return add_failed(seq, "clock", err);
    if (wsman_call_return_value(call) != 0 || !wsman_u32(wsman_call_obj(call, 0), "Ta0", &device)) {
        add(seq, "clock", "warn", NULL, "the device does not say its time (ReturnValue %u)",
            wsman_call_return_value(call));
        return SEQ_NEXT;
    }
    off = (int64_t)device - clock_wall(clock_system()) / 1000;
    if (llabs(off) <= CLOCK_OFF_S)
        add(seq, "clock", "ok", NULL, "%s, off by %lld s", clock_text((int64_t)device * 1000, text),
            (long long)off);
    else
        add(seq, "clock", "warn", "set it before TLS or Kerberos are used", "%s, off by %lld s",
            clock_text((int64_t)device * 1000, text), (long long)off);
    return SEQ_NEXT;
}

static const struct seq_step doctor_steps[] = {
    {"log in", SEQ_READ, ask_general, hear_general},
    {"read version", SEQ_READ | SEQ_FAILURE_OK, ask_version, hear_version},
    {"read provisioning state", SEQ_READ | SEQ_FAILURE_OK, ask_setup, hear_setup},
    {"read control mode", SEQ_READ | SEQ_FAILURE_OK, ask_mode, hear_mode},
    {"read power state", SEQ_READ | SEQ_FAILURE_OK, ask_power, hear_power},
    {"read redirection settings", SEQ_READ | SEQ_FAILURE_OK, ask_redirection, hear_redirection},
    {"read consent settings", SEQ_READ | SEQ_FAILURE_OK, ask_consent, hear_consent},
    {"read clock", SEQ_READ | SEQ_FAILURE_OK, ask_clock, hear_clock},
};

/* --- the task --- */

static const struct task_arg no_args[] = {{NULL}};

static int doctor_parse(void *args, const json_t *json, struct err *err)
{
    return task_args_read(no_args, json, args, err);
}

static bool doctor_changes(const void *args)
{
    (void)args;
    return false;
}

static int64_t doctor_budget(const void *args)
{
    (void)args;
    return DOCTOR_BUDGET_MS;
}

static void doctor_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    struct doctor *doctor = work;

    (void)args;
    (void)quirks;
    seq_init(&doctor->seq, SEQ_TABLE(doctor_steps));
    doctor->checks = json_array();
    doctor->host = host;
}

/* A failure ends the sequence only at the log-in. */
static void doctor_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct doctor *doctor = work;

    if (failure)
        check_add(doctor->checks, "authentication", "fail", failure->text, cause_hint(failure->cause));
    finding->detail = json_pack("{s:O}", "checks", doctor->checks);
    if (doctor->version)
        pairs_set(&finding->facts, "amt.version", doctor->version);
}

static void doctor_drop(void *work)
{
    struct doctor *doctor = work;

    json_decref(doctor->checks);
    free(doctor->version);
}

static void doctor_would(const void *args, const struct host *host, struct buf *out)
{
    (void)args;
    buf_printf(out, "would examine the way to %s", host->address ? host->address : host->name);
}

const struct task task_doctor = {
    .name = "doctor",
    .args_size = 1,
    .work_size = sizeof(struct doctor),
    .parse = doctor_parse,
    .changes = doctor_changes,
    .budget_ms = doctor_budget,
    .init = doctor_init,
    .find = doctor_find,
    .drop = doctor_drop,
    .would = doctor_would,
    .walks = true,
};
