#include "wsman/identity.h"

#include <stdio.h>
#include <string.h>

const char *identity_sku_name(uint32_t sku)
{
    return sku & 0x8    ? "Intel AMT"
           : sku & 0x10 ? "Intel Standard Manageability"
           : sku & 0x20 ? "Intel Small Business Technology"
                        : "unknown";
}

const char *identity_state_name(int state)
{
    static const char *const names[] = {"pre", "in", "post"};

    return state >= 0 && state <= 2 ? names[state] : "unknown";
}

const char *identity_mode_name(const struct identity *identity)
{
    static const char *const names[] = {"none", "client", "admin"};

    if (identity->control_mode >= 0 && identity->control_mode <= 2)
        return names[identity->control_mode];
    return identity->provisioning_mode == 4 ? "client" : "admin";
}

void identity_uuid_text(const uint8_t b[16], char out[40])
{
    snprintf(out, 40, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[3], b[2],
             b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static struct identity *identity_of(struct seq *seq)
{
    return &((struct identity_seq *)seq)->identity;
}

static void copy_text(char *out, size_t size, struct wsman_obj obj, const char *name)
{
    const char *text = wsman_str(obj, name);

    if (text)
        snprintf(out, size, "%s", text);
}

static void copy_int(int *out, struct wsman_obj obj, const char *name)
{
    uint32_t value;

    if (wsman_u32(obj, name, &value) && value <= INT32_MAX)
        *out = (int)value;
}

/* --- the steps; each asks one class --- */

static struct wsman_request *ask_general(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "AMT_GeneralSettings", NULL);
}

static int hear_general(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct identity *id = identity_of(seq);
    struct wsman_obj obj = wsman_call_obj(call, 0);

    (void)err;
    copy_text(id->host_name, sizeof(id->host_name), obj, "HostName");
    copy_text(id->domain, sizeof(id->domain), obj, "DomainName");
    copy_text(id->realm, sizeof(id->realm), obj, "DigestRealm");
    return SEQ_NEXT;
}

static struct wsman_request *ask_software(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, "CIM_SoftwareIdentity", NULL);
}

static int hear_software(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct identity *id = identity_of(seq);

    (void)err;
    if (call) {
        copy_text(id->version, sizeof(id->version), wsman_call_find(call, "InstanceID", "AMT"),
                  "VersionString");
        copy_text(id->build, sizeof(id->build), wsman_call_find(call, "InstanceID", "Build Number"),
                  "VersionString");
        wsman_u32(wsman_call_find(call, "InstanceID", "Sku"), "VersionString", &id->sku);
    }
    return ((struct identity_seq *)seq)->extent == IDENTITY_BRIEF ? SEQ_DONE : SEQ_NEXT;
}

static struct wsman_request *ask_uuid(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_INVOKE, "AMT_SetupAndConfigurationService", "GetUuid");
}

static int hear_uuid(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct buf bytes = buf_init(64);

    (void)err;
    if (call && wsman_base64(wsman_call_obj(call, 0), "UUID", &bytes) && bytes.len == 16)
        identity_uuid_text(bytes.p, identity_of(seq)->uuid);
    buf_free(&bytes);
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
    struct identity *id = identity_of(seq);

    (void)err;
    if (call) {
        copy_int(&id->provisioning_state, wsman_call_obj(call, 0), "ProvisioningState");
        copy_int(&id->provisioning_mode, wsman_call_obj(call, 0), "ProvisioningMode");
    }
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
    (void)err;
    if (call)
        copy_int(&identity_of(seq)->control_mode, wsman_call_obj(call, 0), "CurrentControlMode");
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
    (void)err;
    if (call)
        copy_int(&identity_of(seq)->power, wsman_call_obj(call, 0), "PowerState");
    return SEQ_NEXT;
}

static struct wsman_request *ask_port(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, "AMT_EthernetPortSettings", NULL);
}

static int hear_port(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct identity *id = identity_of(seq);
    struct wsman_obj wired;

    (void)err;
    if (!call)
        return SEQ_NEXT;
    wired = wsman_call_find(call, "InstanceID", "Intel(r) AMT Ethernet Port Settings 0");
    copy_text(id->address, sizeof(id->address), wired, "IPAddress");
    copy_text(id->mac, sizeof(id->mac), wired, "MACAddress");
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
    struct identity *id = identity_of(seq);

    (void)err;
    if (call) {
        copy_int(&id->redirection, wsman_call_obj(call, 0), "EnabledState");
        wsman_bool(wsman_call_obj(call, 0), "ListenerEnabled", &id->listener);
    }
    return SEQ_NEXT;
}

static struct wsman_request *ask_kvm(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "CIM_KVMRedirectionSAP", NULL);
}

static int hear_kvm(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)err;
    if (call)
        copy_int(&identity_of(seq)->kvm, wsman_call_obj(call, 0), "EnabledState");
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
    struct identity *id = identity_of(seq);

    (void)err;
    id->opt_in_known = call && wsman_u32(wsman_call_obj(call, 0), "OptInRequired", &id->opt_in);
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
    uint32_t seconds;

    (void)err;
    if (call && wsman_u32(wsman_call_obj(call, 0), "Ta0", &seconds))
        identity_of(seq)->clock = seconds;
    return SEQ_NEXT;
}

#define MAY_FAIL (SEQ_READ | SEQ_FAILURE_OK)

static const struct seq_step identity_steps[] = {
    {"read general settings", SEQ_READ, ask_general, hear_general},
    {"read version", MAY_FAIL, ask_software, hear_software},
    {"read UUID", MAY_FAIL, ask_uuid, hear_uuid},
    {"read provisioning state", MAY_FAIL, ask_setup, hear_setup},
    {"read control mode", MAY_FAIL, ask_mode, hear_mode},
    {"read power state", MAY_FAIL, ask_power, hear_power},
    {"read network port", MAY_FAIL, ask_port, hear_port},
    {"read redirection settings", MAY_FAIL, ask_redirection, hear_redirection},
    {"read KVM state", MAY_FAIL, ask_kvm, hear_kvm},
    {"read consent settings", MAY_FAIL, ask_consent, hear_consent},
    {"read clock", MAY_FAIL, ask_clock, hear_clock},
};

static const struct seq_step uuid_steps[] = {{"read UUID", SEQ_READ, ask_uuid, hear_uuid}};

void identity_seq_init(struct identity_seq *is, enum identity_extent extent)
{
    struct identity *id = &is->identity;

    memset(is, 0, sizeof(*is));
    if (extent == IDENTITY_UUID)
        seq_init(&is->seq, SEQ_TABLE(uuid_steps));
    else
        seq_init(&is->seq, SEQ_TABLE(identity_steps));
    is->extent = extent;
    id->provisioning_state = id->provisioning_mode = id->control_mode = id->power = id->redirection =
        id->kvm = -1;
    id->clock = -1;
}
