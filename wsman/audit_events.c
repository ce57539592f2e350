#include "wsman/audit_events.h"

#include <stddef.h>

static const struct audit_app apps[] = {
    {16, "security administration"},
    {17, "remote control"},
    {18, "redirection"},
    {19, "firmware update"},
    {20, "audit log"},
    {21, "time"},
    {22, "network"},
    {23, "storage"},
    {24, "events"},
    {25, "System Defense"},
    {26, "agent presence"},
    {27, "wireless"},
    {28, "access control"},
    {29, "KVM"},
    {30, "user consent"},
    {31, "BIOS"},
    {32, "screen blanking"},
    {33, "watchdog"},
};

static const struct audit_word methods[] = {{1, "PSK"}, {2, "PKI"}, {3, "MEBx"}, {5, "host-based, admin"},
                                            {6, "DAL"}, {0, NULL}};
static const struct audit_word places[] = {{0, "AMT"}, {1, "MEBx"}, {0, NULL}};
static const struct audit_word tls[] = {{0, "none"}, {1, "server"}, {2, "mutual"}, {0, NULL}};
static const struct audit_word on_off[] = {{0, "off"}, {1, "on"}, {0, NULL}};
static const struct audit_word realm_modes[] = {{0, "none"}, {1, "authentication"}, {2, "off"}, {0, NULL}};
static const struct audit_word removers[] = {
    {1, "BIOS"}, {2, "MEBx"}, {3, "local MEI"}, {4, "local WS-Management"}, {5, "remote WS-Management"},
    {0, NULL}};
static const struct audit_word consents[] = {{0, "none"}, {1, "KVM"}, {255, "all"}, {0, NULL}};
static const struct audit_word codes[] = {{0, "right"}, {1, "wrong three times"}, {0, NULL}};
static const struct audit_word recoveries[] = {
    {0, "for an unknown reason"}, {1, "after a migration"}, {2, "after an initialisation"}, {0, NULL}};

/* Events without parts carry nothing that tells more, or nothing at all. */
static const struct audit_event events[] = {
    {16, 0, "provisioning started", {{0}}},
    {16, 1, "provisioning completed", {{"by", AUDIT_WORD8, methods}}},
    {16, 2, "account added", {{"", AUDIT_ACCOUNT, NULL}}},
    {16, 3, "account changed", {{"fields", AUDIT_WORD8, NULL}, {"of", AUDIT_ACCOUNT, NULL}}},
    {16, 4, "account removed", {{"", AUDIT_ACCOUNT, NULL}}},
    {16, 5, "wrong credentials", {{"for", AUDIT_WORD8, places}}},
    {16, 6, "account switched", {{"", AUDIT_WORD8, on_off}, {"", AUDIT_ACCOUNT, NULL}}},
    {16, 7, "TLS changed", {{"remote", AUDIT_WORD8, tls}, {"local", AUDIT_WORD8, tls}}},
    {16, 8, "TLS certificate set", {{0}}},
    {16, 9, "TLS certificate removed", {{0}}},
    {16, 10, "trusted root certificate added", {{0}}},
    {16, 11, "trusted root certificate removed", {{0}}},
    {16, 12, "pre-shared key set", {{0}}},
    {16, 13, "Kerberos settings changed", {{0}}},
    {16, 14, "Kerberos key changed", {{0}}},
    {16, 15, "flash wear counters reset", {{0}}},
    {16, 16, "power package changed", {{"", AUDIT_GUID, NULL}}},
    {16,
     17,
     "authentication of a realm changed",
     {{"realm", AUDIT_NUMBER32, NULL}, {"", AUDIT_WORD8, realm_modes}}},
    {16, 18, "client control mode became admin control mode", {{0}}},
    {16, 19, "unprovisioning started", {{"by", AUDIT_WORD8, removers}}},
    {17, 0, "power up", {{0}}},
    {17, 1, "power down", {{0}}},
    {17, 2, "power cycle", {{0}}},
    {17, 3, "reset", {{0}}},
    {17, 4, "boot options set", {{0}}},
    {17, 5, "graceful power down", {{0}}},
    {17, 6, "graceful reset", {{0}}},
    {17, 7, "standby", {{0}}},
    {17, 8, "hibernate", {{0}}},
    {17, 9, "diagnostic interrupt", {{0}}},
    {18, 0, "IDE redirection session opened", {{0}}},
    {18, 1, "IDE redirection session closed", {{0}}},
    {18, 2, "IDE redirection enabled", {{0}}},
    {18, 3, "IDE redirection disabled", {{0}}},
    {18, 4, "Serial-over-LAN session opened", {{0}}},
    {18, 5, "Serial-over-LAN session closed", {{0}}},
    {18, 6, "Serial-over-LAN enabled", {{0}}},
    {18, 7, "Serial-over-LAN disabled", {{0}}},
    {18, 8, "KVM session started", {{0}}},
    {18, 9, "KVM session ended", {{0}}},
    {18, 10, "KVM enabled", {{0}}},
    {18, 11, "KVM disabled", {{0}}},
    {18, 12, "VNC password wrong three times", {{0}}},
    {19, 0, "firmware updated", {{"from", AUDIT_VERSION, NULL}, {"to", AUDIT_VERSION, NULL}}},
    {19, 1, "firmware update failed", {{"", AUDIT_NUMBER32, NULL}}},
    {20, 0, "audit log cleared", {{0}}},
    {20, 1, "audit policy changed", {{0}}},
    {20, 2, "audit log disabled", {{0}}},
    {20, 3, "audit log enabled", {{0}}},
    {20, 4, "audit log exported", {{0}}},
    {20, 5, "audit log recovered", {{"", AUDIT_WORD8, recoveries}}},
    {21, 0, "clock set", {{"", AUDIT_TIME, NULL}}},
    {21, 1, "clock synchronisation enabled", {{0}}},
    {21, 2, "clock synchronisation disabled", {{0}}},
    {22, 0, "TCP/IP settings changed", {{"interface", AUDIT_NUMBER32, NULL}, {"DHCP", AUDIT_WORD8, on_off}}},
    {22, 1, "host name changed", {{"", AUDIT_NAME, NULL}}},
    {22, 2, "domain name changed", {{"", AUDIT_NAME, NULL}}},
    {22, 3, "VLAN changed", {{"interface", AUDIT_NUMBER32, NULL}, {"tag", AUDIT_NUMBER16, NULL}}},
    {22, 4, "link policy changed", {{"interface", AUDIT_NUMBER32, NULL}}},
    {22, 5, "IPv6 settings changed", {{0}}},
    {23, 0, "global storage attributes changed", {{0}}},
    {23, 1, "storage access list of enterprises changed", {{0}}},
    {23, 2, "storage access list of partners changed", {{0}}},
    {23, 3, "storage written", {{0}}},
    {24, 0, "alerts subscribed", {{0}}},
    {24, 1, "alerts unsubscribed", {{0}}},
    {24, 2, "event log cleared", {{0}}},
    {24, 3, "event log frozen", {{"", AUDIT_WORD8, on_off}}},
    {25, 0, "filter added", {{"handle", AUDIT_HANDLE, NULL}}},
    {25, 1, "filter removed", {{"handle", AUDIT_HANDLE, NULL}}},
    {25, 2, "policy added", {{"handle", AUDIT_HANDLE, NULL}}},
    {25, 3, "policy removed", {{"handle", AUDIT_HANDLE, NULL}}},
    {25, 4, "default policy set", {{"port", AUDIT_HANDLE, NULL}, {"handle", AUDIT_HANDLE, NULL}}},
    {25, 5, "heuristics changed", {{0}}},
    {25, 6, "heuristics cleared", {{0}}},
    {26, 0, "agent watchdog added", {{"", AUDIT_GUID, NULL}}},
    {26, 1, "agent watchdog removed", {{"", AUDIT_GUID, NULL}}},
    {26, 2, "agent watchdog's action set", {{"", AUDIT_GUID, NULL}}},
    {27, 0, "wireless profile added", {{0}}},
    {27, 1, "wireless profile removed", {{0}}},
    {27, 2, "wireless profile changed", {{0}}},
    {27, 3, "synchronisation of wireless profiles changed", {{0}}},
    {27, 4, "link preference changed", {{0}}},
    {27, 5, "sharing of wireless profiles with UEFI changed", {{0}}},
    {28, 0, "posture signer changed", {{0}}},
    {28, 1, "access control enabled", {{0}}},
    {28, 2, "access control disabled", {{0}}},
    {28, 3, "posture changed", {{0}}},
    {28, 4, "access control options changed", {{0}}},
    {29, 0, "consent for KVM enabled", {{0}}},
    {29, 1, "consent for KVM disabled", {{0}}},
    {29, 2, "KVM password changed", {{0}}},
    {29, 3, "consent for KVM given", {{0}}},
    {29, 4, "consent for KVM failed", {{0}}},
    {30, 0, "consent policy changed", {{"from", AUDIT_WORD8, consents}, {"to", AUDIT_WORD8, consents}}},
    {30, 1, "consent code entered", {{"", AUDIT_WORD8, codes}}},
    {30, 2, "asking for consent blocked", {{0}}},
    {32, 0, "screen blanking started", {{0}}},
    {32, 1, "screen blanking ended", {{0}}},
    {33, 1, "watchdog's action settings changed", {{0}}},
    {33, 2, "watchdog pairing changed", {{0}}},
};

const struct audit_event *audit_event_find(uint16_t app, uint16_t event)
{
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (events[i].app == app && events[i].event == event)
            return &events[i];
    return NULL;
}

const struct audit_app *audit_app_find(uint16_t app)
{
    for (size_t i = 0; i < sizeof(apps) / sizeof(apps[0]); i++)
        if (apps[i].number == app)
            return &apps[i];
    return NULL;
}
