#include "tests/amtsim/control_set.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tests/amtsim/agents.h"
#include "tests/amtsim/boot.h"
#include "tests/amtsim/conn.h"
#include "tests/amtsim/consent.h"
#include "tests/amtsim/defense.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/machine_scripted.h"
#include "tests/amtsim/network.h"
#include "tests/amtsim/power.h"
#include "tests/amtsim/record.h"
#include "tests/amtsim/redir_session.h"
#include "tests/amtsim/redir_settings.h"
#include "tests/amtsim/setup.h"
#include "tests/amtsim/subscriptions.h"
#include "tests/amtsim/traps.h"

static json_t *faults_json(const struct device *d)
{
    json_t *list = json_array();
    for (size_t i = 0; d->plan != NULL && i < d->plan->count; i++) {
        const struct fault *f = &d->plan->faults[i];
        json_array_append_new(list, json_pack("{s:s, s:i, s:i}", "fault", fault_kind_names[f->kind], "first",
                                              (int)f->first, "struck", (int)d->strikes[i]));
    }
    return list;
}

static json_t *redirection_json(const struct device *d)
{
    return json_pack("{s:b, s:b, s:b, s:b, s:b, s:b}", "listener", d->redirection.listener, "ider",
                     d->redirection.enabled_state & 1, "sol", (d->redirection.enabled_state & 2) != 0,
                     "ider-session", d->sessions[REDIR_IDER] != NULL, "sol-session",
                     d->sessions[REDIR_SOL] != NULL, "drives", redir_has_drives(d));
}

static json_t *settings_json(const struct device *d)
{
    const struct device_settings *s = &d->settings;
    const struct device_network *n = &d->network;
    char ipv6[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, &n->ipv6_static, ipv6, sizeof(ipv6));
    return json_pack(
        "{s:s, s:b, s:b, s:b, s:i, s:i, s:b, s:b, s:b, s:i, s:i, s:i, s:b, s:i, s:i, s:i, s:i, s:s}",
        "domain", s->domain_name != NULL ? s->domain_name : "sim.example", "ping", s->ping, "rmcp-ping",
        s->rmcp_ping, "web", !s->wsman_only, "idle-wake", (int)s->idle_wake_minutes, "power-scheme",
        (int)s->power_scheme, "dhcp", s->dhcp, "local-sync", s->local_time_sync, "ipv6", n->ipv6, "wireless",
        (int)n->wifi_state, "link-policy", (int)n->wifi_policy, "profile-sync", (int)n->profile_sync,
        "kvm-5900", d->redirection.kvm_5900, "kvm-session", (int)d->redirection.kvm_session_minutes,
        "code-timeout", (int)d->consent.code_s, "screen-timeout", (int)d->consent.screen_s, "vlan",
        (int)n->vlan, "ipv6-address", ipv6);
}

json_t *control_get(struct device *d)
{
    char address[16], realm[DEVICE_REALM_MAX], name[DEVICE_NAME_MAX];
    json_t *boot = json_pack("{s:o, s:s, s:i, s:b, s:b}", "flags", boot_flags_json(d->boot.flags), "source",
                             boot_source_word(d->boot.source), "media", (int)d->boot.media_index, "next",
                             d->boot.role == 1, "cleared", d->boot.cleared);
    json_t *consent = json_pack("{s:I, s:i, s:i}", "required", (json_int_t)consent_required(d), "state",
                                (int)consent_state(d), "code", (int)d->consent.code);
    json_t *o = json_pack("{s:i, s:s, s:i, s:s, s:s, s:s, s:s}", "device", (int)d->index + 1, "address",
                          device_address(d, address), "generation", (int)d->generation->number, "tls",
                          device_tls_names[d->tls], "machine", d->machine->ops->kind, "power",
                          power_state_word(d->machine->state), "realm", device_realm(d, realm));
    json_object_set_new(o, "name", json_string(device_host_name(d, name)));
    json_object_set_new(o, "standby", json_boolean(d->standby));
    json_object_set_new(o, "agent", json_boolean(d->agent));
    json_object_set_new(o, "os-hangs", json_boolean(d->os_hangs));
    json_object_set_new(o, "ports", json_string(device_ports_names[d->ports]));
    json_object_set_new(o, "control-mode", json_string(d->client_mode ? "client" : "admin"));
    json_object_set_new(o, "boots", json_integer(d->machine->boot_count));
    json_object_set_new(o, "requested", json_integer(d->requested_power));
    json_object_set_new(o, "connections", json_integer(d->connections));
    json_object_set_new(o, "clock-offset", json_integer(d->clock_offset_ms / 1000));
    json_object_set_new(o, "redirection", redirection_json(d));
    json_object_set_new(o, "boot", boot);
    json_object_set_new(o, "consent", consent);
    json_object_set_new(o, "settings", settings_json(d));
    json_object_set_new(o, "provisioned", json_boolean(setup_done(d)));
    json_object_set_new(o, "faults", faults_json(d));
    return o;
}

/* --- changes --- */

static int expected(struct err *err, const char *name, const char *what)
{
    return err_set(err, CAUSE_INVALID_ARGUMENT, "%s: expected %s", name, what);
}

static int set_power(struct device *d, const json_t *v, struct err *err)
{
    int state = json_is_string(v) ? power_state_by_word(json_string_value(v)) : -1;
    if (state < 0)
        return expected(err, "power", "off, on, sleep or hibernate");
    if (!machine_scripted_force(d->machine, (enum machine_state)state))
        return expected(err, "power", "a scripted machine");
    return 0;
}

static int set_bool(bool *to, const json_t *v, const char *name, struct err *err)
{
    if (!json_is_boolean(v))
        return expected(err, name, "true or false");
    *to = json_is_true(v);
    return 0;
}

static int set_standby(struct device *d, const json_t *v, struct err *err)
{
    return set_bool(&d->standby, v, "standby", err);
}

static int set_agent(struct device *d, const json_t *v, struct err *err)
{
    return set_bool(&d->agent, v, "agent", err);
}

static int set_os_hangs(struct device *d, const json_t *v, struct err *err)
{
    return set_bool(&d->os_hangs, v, "os-hangs", err);
}

static int set_control_mode(struct device *d, const json_t *v, struct err *err)
{
    const char *mode = json_is_string(v) ? json_string_value(v) : "";
    if (strcmp(mode, "client") != 0 && strcmp(mode, "admin") != 0)
        return expected(err, "control-mode", "client or admin");
    d->client_mode = strcmp(mode, "client") == 0;
    return 0;
}

static int set_redirection(struct device *d, const json_t *v, struct err *err)
{
    int i = json_is_string(v) ? fault_name_find(device_redirection_names, json_string_value(v)) : -1;
    if (i < 0)
        return expected(err, "redirection", "none, ider, sol or both");
    d->redirection.enabled_state = (uint16_t)(DEVICE_REDIRECTION_NONE + i);
    redir_settings_changed(d);
    return 0;
}

static int set_listener(struct device *d, const json_t *v, struct err *err)
{
    if (set_bool(&d->redirection.listener, v, "listener", err) != 0)
        return -1;
    redir_settings_changed(d);
    return 0;
}

static int set_clear_text(struct device *d, const json_t *v, struct err *err)
{
    bool on = false;
    if (set_bool(&on, v, "clear-text", err) != 0)
        return -1;
    d->redirection.no_clear_text = !on;
    return 0;
}

static int set_digest(struct device *d, const json_t *v, struct err *err)
{
    bool on = false;
    if (set_bool(&on, v, "digest", err) != 0)
        return -1;
    d->redirection.no_digest = !on;
    return 0;
}

static int set_holds_power(struct device *d, const json_t *v, struct err *err)
{
    return set_bool(&d->redirection.holds_power, v, "session-holds-power", err);
}

static int set_bios_redirects(struct device *d, const json_t *v, struct err *err)
{
    return set_bool(&d->redirection.bios_speaks, v, "bios-redirects", err);
}

static int set_consent(struct device *d, const json_t *v, struct err *err)
{
    json_int_t n = json_integer_value(v);
    if (!json_is_integer(v) || (n != 0 && n != 1 && n != CONSENT_ALL))
        return expected(err, "consent", "0, 1 or 4294967295");
    d->consent.required = (uint32_t)n;
    return 0;
}

static int set_clock_offset(struct device *d, const json_t *v, struct err *err)
{
    if (!json_is_integer(v) || llabs(json_integer_value(v)) > 4000000000LL)
        return expected(err, "clock-offset", "seconds");
    d->clock_offset_ms = json_integer_value(v) * 1000;
    return 0;
}

/* The device is provisioned anew: another realm. */
static int set_realm(struct device *d, const json_t *v, struct err *err)
{
    if (!json_is_string(v) || strcmp(json_string_value(v), "new") != 0)
        return expected(err, "realm", "\"new\"");
    defense_free(d);
    agents_free(d);
    subscriptions_free(d);
    trap_sinks_free(d);
    d->login.realm_epoch++;
    d->login.admin_ha1_known = false;
    device_acl_changed(d);
    return 0;
}

static int set_provisioned(struct device *d, const json_t *v, struct err *err)
{
    if (!json_is_true(v))
        return expected(err, "provisioned", "true");
    setup_redo(d);
    return 0;
}

static int set_audit_locked(struct device *d, const json_t *v, struct err *err)
{
    return set_bool(&d->audit_locked, v, "audit-locked", err);
}

static int set_stays(struct device *d, const json_t *v, struct err *err)
{
    return set_bool(&d->network.stays, v, "stays", err);
}

/* The ME restarts: connections, nonces, enumerations are gone. */
static int set_me(struct device *d, const json_t *v, struct err *err)
{
    if (!json_is_string(v) || strcmp(json_string_value(v), "reset") != 0)
        return expected(err, "me", "\"reset\"");
    d->message_id = 0;
    defense_power_lost(d);
    memset(d->contexts, 0, sizeof(d->contexts));
    device_acl_changed(d);
    conn_reset_all(d->fleet, d);
    return 0;
}

static int set_ports(struct device *d, const json_t *v, struct err *err)
{
    int ports = json_is_string(v) ? fault_name_find(device_ports_names, json_string_value(v)) : -1;
    if (ports <= 0)
        return expected(err, "ports", "wired, wireless or both");
    d->ports = (uint8_t)ports;
    return 0;
}

static int set_lock(struct device *d, const json_t *v, struct err *err)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > 86400)
        return expected(err, "lock", "seconds from 0 to 86400");
    d->login.locked_until_ms = device_mono_ms(d) + json_integer_value(v) * 1000;
    return 0;
}

/* It moves: a network without a plan, or a DHCP server that gave its address away. */
static int set_address(struct device *d, const json_t *v, struct err *err)
{
    struct network_port port = network_port(d);
    struct in_addr a = {0};
    bool lease = json_is_string(v) && strcmp(json_string_value(v), "lease") == 0;
    if (!lease && (!json_is_string(v) || inet_pton(AF_INET, json_string_value(v), &a) != 1))
        return expected(err, "address", "an IPv4 address, or lease");
    port.dhcp = lease;
    port.address = ntohl(a.s_addr);
    port.gateway = 0;
    if (!network_port_ok(&port))
        return expected(err, "address", "the address of a host");
    network_port_set(d, &port);
    return 0;
}

/* Typed on the machine's first serial port. */
static int set_type(struct device *d, const json_t *v, struct err *err)
{
    if (!json_is_string(v))
        return expected(err, "type", "text for the serial port");
    d->machine->ops->console_write(d->machine, json_string_value(v), json_string_length(v));
    return 0;
}

static int member_name(const json_t *o, const char *member, const char *const *names, int fallback, int *out,
                       struct err *err)
{
    const json_t *v = json_object_get(o, member);
    *out = v == NULL ? fallback : json_is_string(v) ? fault_name_find(names, json_string_value(v)) : -1;
    if (*out >= 0)
        return 0;
    /* too many for an error */
    return expected(err, member, "one of those that 'amtsim ctl SOCKET names' lists");
}

static int member_number(const json_t *o, const char *member, uint32_t fallback, uint32_t *out,
                         struct err *err)
{
    const json_t *v = json_object_get(o, member);
    *out = fallback;
    if (v == NULL)
        return 0;
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > UINT32_MAX)
        return expected(err, member, "a number from 0 to 4294967295");
    *out = (uint32_t)json_integer_value(v);
    return 0;
}

static int read_fault(const json_t *o, struct fault *f, struct err *err)
{
    int kind, at, how;
    const json_t *on = json_object_get(o, "on");
    if (!json_is_object(o))
        return expected(err, "faults", "objects such as {\"fault\":\"slow\",\"ms\":500}");
    if (member_name(o, "fault", fault_kind_names, -1, &kind, err) != 0 ||
        member_name(o, "at", fault_point_names, (int)fault_point_default((enum fault_kind)kind), &at, err) !=
            0 ||
        member_name(o, "how", fault_how_names, FAULT_BY_503, &how, err) != 0 ||
        member_number(o, "first", 0, &f->first, err) != 0 ||
        member_number(o, "after", 0, &f->after, err) != 0 ||
        member_number(o, "ms", fault_ms_default((enum fault_kind)kind), &f->ms, err) != 0 ||
        member_number(o, "bytes", 0, &f->bytes, err) != 0 ||
        member_number(o, "value", 0, &f->value, err) != 0)
        return -1;
    f->kind = (enum fault_kind)kind;
    f->at = (enum fault_point)at;
    f->how = (enum fault_how)how;
    f->on = json_is_string(on) ? xstrdup(json_string_value(on)) : NULL;
    return 0;
}

static int set_faults(struct device *d, const json_t *v, struct err *err)
{
    if (!json_is_array(v) || json_array_size(v) > FAULTS_MAX)
        return expected(err, "faults", "a list of at most 8 faults");
    struct plan *plan = plan_new();
    for (size_t i = 0; i < json_array_size(v); i++) {
        if (read_fault(json_array_get(v, i), &plan->faults[i], err) != 0) {
            plan_unref(plan);
            return -1;
        }
        plan->count++;
    }
    fault_plan_set(d, plan);
    return 0;
}

static const struct {
    const char *name;
    int (*set)(struct device *d, const json_t *v, struct err *err);
} table[] = {
    {"power", set_power},
    {"standby", set_standby},
    {"agent", set_agent},
    {"os-hangs", set_os_hangs},
    {"control-mode", set_control_mode},
    {"consent", set_consent},
    {"redirection", set_redirection},
    {"listener", set_listener},
    {"clear-text", set_clear_text},
    {"digest", set_digest},
    {"bios-redirects", set_bios_redirects},
    {"session-holds-power", set_holds_power},
    {"clock-offset", set_clock_offset},
    {"realm", set_realm},
    {"me", set_me},
    {"address", set_address},
    {"provisioned", set_provisioned},
    {"audit-locked", set_audit_locked},
    {"stays", set_stays},
    {"lock", set_lock},
    {"faults", set_faults},
    {"type", set_type},
    {"ports", set_ports},
    {"defense", defense_set},
    {"agents", agents_set},
    {"alert", trap_set},
};

const char *control_set_name(size_t i)
{
    return i < sizeof(table) / sizeof(table[0]) ? table[i].name : NULL;
}

int control_set(struct device *d, const json_t *changes, struct err *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)changes, key, value)
    {
        size_t i = 0;
        while (i < sizeof(table) / sizeof(table[0]) && strcmp(table[i].name, key) != 0)
            i++;
        if (i == sizeof(table) / sizeof(table[0]))
            return err_set(err, CAUSE_INVALID_ARGUMENT,
                           "'%s' cannot be set; 'amtsim ctl SOCKET names' lists what can", key);
        if (table[i].set(d, value, err) != 0)
            return -1;
    }
    return 0;
}
