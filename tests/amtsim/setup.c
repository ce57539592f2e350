#include "tests/amtsim/setup.h"

#include <stdlib.h>

#include "tests/amtsim/agents.h"
#include "tests/amtsim/alarms.h"
#include "tests/amtsim/alerts.h"
#include "tests/amtsim/defense.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/keyring.h"
#include "tests/amtsim/network.h"
#include "tests/amtsim/redir_settings.h"
#include "tests/amtsim/return_value.h"
#include "tests/amtsim/subscriptions.h"
#include "tests/amtsim/tls_settings.h"
#include "tests/amtsim/traps.h"
#include "tests/amtsim/users.h"

void setup_factory(struct device *d)
{
    free(d->settings.host_name);
    free(d->settings.domain_name);
    d->redirection = (struct device_redirection){
        .enabled_state = 32771,
        .listener = true,
        .kvm_enabled = true,
        .kvm_session_minutes = 3,
        .opt_in_timeout = 300,
        .holds_power = d->generation->holds_power,
    };
    d->settings = (struct device_settings){
        .ping = true,
        .rmcp_ping = true,
        .network_on = true,
        .idle_wake_minutes = 65535,
        .power_scheme = 1,
        .dhcp = true,
        .local_time_sync = true,
    };
    d->consent = (struct device_consent){.code_s = 120, .screen_s = 300};
    d->network.ipv6 = false;
    d->network.ipv6_static = d->network.ipv6_router = d->network.ipv6_dns = d->network.ipv6_dns2 =
        in6addr_any;
    d->network.vlan = 0;
    d->network.wifi_state = 3;
    d->network.wifi_policy = 3;
    d->network.profile_sync = 0;
}

bool setup_done(const struct device *d)
{
    return !d->unprovisioned && (d->plan == NULL || fault_pending(d, FAULT_NOT_PROVISIONED) == NULL);
}

bool setup_gone(const struct device *d)
{
    return d->gone_until_ms != 0 && device_mono_ms(d) < d->gone_until_ms;
}

bool setup_blocked(const struct device *d)
{
    return d->audit_locked;
}

static void forget(struct device *d)
{
    subscriptions_free(d);
    trap_sinks_free(d);
    defense_free(d);
    agents_free(d);
    alarms_free(d->alarms);
    d->alarms = NULL;
    users_free(d->users);
    d->users = NULL;
    tls_settings_undo(d);
    keyring_forget(d);
}

uint32_t setup_undo(struct device *d, bool full)
{
    struct network_port lease = {.dhcp = true};
    if (setup_blocked(d))
        return RET_BLOCKED;
    if (!setup_done(d))
        return RET_NOT_PERMITTED;
    forget(d);
    if (full) {
        setup_factory(d);
        network_port_set(d, &lease);
        d->login.realm_epoch++;
        d->login.admin_ha1_known = false;
    } else {
        struct network_port port = network_port(d);
        network_port_set(d, &port);
    }
    device_acl_changed(d);
    d->unprovisioned = true;
    d->gone_until_ms = device_mono_ms(d) + SETUP_GONE_MS;
    redir_settings_changed(d);
    return RET_OK;
}

void setup_redo(struct device *d)
{
    d->unprovisioned = false;
    d->gone_until_ms = 0;
    redir_settings_changed(d);
}
