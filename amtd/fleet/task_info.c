/* info: what a device is. probe: can we log in, and what version is it. One sequence serves both. */
#include <string.h>

#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "base/clock.h"
#include "wsman/identity.h"
#include "wsman/power.h"

#define INFO_BUDGET_MS 60000

static const struct task_arg no_args[] = {{NULL}};

static int info_parse(void *args, const json_t *json, struct err *err)
{
    return task_args_read(no_args, json, args, err);
}

static bool info_changes(const void *args)
{
    (void)args;
    return false;
}

static int64_t info_budget(const void *args)
{
    (void)args;
    return INFO_BUDGET_MS;
}

static void info_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    (void)args;
    (void)host;
    (void)quirks;
    identity_seq_init(work, IDENTITY_WHOLE);
}

static void probe_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    (void)args;
    (void)host;
    (void)quirks;
    identity_seq_init(work, IDENTITY_BRIEF);
}

/* --- what was found, as JSON and as facts --- */

static void set(json_t *json, const char *name, const char *value)
{
    if (value && value[0])
        json_object_set_new(json, name, json_string(value));
}

static const char *redirection_text(const struct identity *id)
{
    static const char *const texts[] = {"off", "IDE redirection", "console", "console and IDE redirection"};

    return id->redirection >= 32768 && id->redirection <= 32771 ? texts[id->redirection - 32768] : NULL;
}

static const char *kvm_text(const struct identity *id)
{
    return id->kvm == 2 ? "in use" : id->kvm == 6 ? "enabled" : id->kvm == 3 ? "disabled" : NULL;
}

static const char *consent_text(const struct identity *id)
{
    if (!id->opt_in_known)
        return NULL;
    return id->opt_in == 0 ? "not needed" : id->opt_in == 1 ? "needed for KVM" : "needed for all redirection";
}

static void set_clock(json_t *json, const struct identity *id)
{
    int64_t now = clock_wall(clock_system()) / 1000;
    char text[CLOCK_TEXT_MAX];

    if (id->clock < 0)
        return;
    set(json, "clock", clock_text(id->clock * 1000, text));
    json_object_set_new(json, "clock_off_s", json_integer(id->clock - now));
}

static json_t *info_json(const struct identity *id)
{
    json_t *json = json_object();

    set(json, "version", id->version);
    set(json, "build", id->build);
    set(json, "product", id->sku ? identity_sku_name(id->sku) : NULL);
    set(json, "uuid", id->uuid);
    set(json, "host_name", id->host_name);
    set(json, "domain", id->domain);
    set(json, "address", id->address);
    set(json, "mac", id->mac);
    set(json, "provisioning",
        id->provisioning_state >= 0 ? identity_state_name(id->provisioning_state) : NULL);
    set(json, "control_mode", id->provisioning_state >= 0 ? identity_mode_name(id) : NULL);
    set(json, "power", id->power >= 0 ? power_state_name((enum power_state)id->power, false) : NULL);
    set(json, "redirection", redirection_text(id));
    if (id->redirection >= 0)
        json_object_set_new(json, "listener", json_boolean(id->listener));
    set(json, "kvm", kvm_text(id));
    set(json, "consent", consent_text(id));
    set_clock(json, id);
    return json;
}

static void info_facts(const struct identity *id, struct pairs *facts)
{
    const struct {
        const char *name, *value;
    } rows[] = {
        {"amt.version", id->version},
        {"amt.uuid", id->uuid},
        {"amt.name", id->host_name},
        {"amt.mac", strspn(id->mac, "0-:") == strlen(id->mac) ? "" : id->mac}, /* none is said by zeros */
        {"amt.state", id->provisioning_state >= 0 ? identity_state_name(id->provisioning_state) : ""},
        {"amt.mode", id->provisioning_state >= 0 ? identity_mode_name(id) : ""},
        {"amt.product", id->sku ? identity_sku_name(id->sku) : ""},
        {"power", id->power >= 0 ? power_state_name((enum power_state)id->power, false) : ""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].value[0])
            pairs_set(facts, rows[i].name, rows[i].value);
}

static void info_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct identity *id = &((const struct identity_seq *)work)->identity;

    if (failure)
        return;
    info_facts(id, &finding->facts);
    finding->detail = json_pack("{s:o}", "info", info_json(id));
}

static void info_would(const void *args, const struct host *host, struct buf *out)
{
    (void)args;
    buf_printf(out, "would log in at %s and read what it is", host->address ? host->address : host->name);
}

const struct task task_info = {
    .name = "info",
    .args_size = 1,
    .work_size = sizeof(struct identity_seq),
    .parse = info_parse,
    .changes = info_changes,
    .budget_ms = info_budget,
    .init = info_init,
    .find = info_find,
    .would = info_would,
};

const struct task task_probe = {
    .name = "probe",
    .args_size = 1,
    .work_size = sizeof(struct identity_seq),
    .parse = info_parse,
    .changes = info_changes,
    .budget_ms = info_budget,
    .init = probe_init,
    .find = info_find,
    .would = info_would,
};
