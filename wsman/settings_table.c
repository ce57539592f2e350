/* Which settings there are. */
#include <string.h>

#include "wsman/settings.h"

static const char *const switches[] = {"off", "on", NULL};
static const char *const ipv4_names[] = {"static", "dhcp", NULL};
static const char *const wireless_names[] = {"off", "awake", "always", NULL};
static const char *const policy_names[] = {"s0-ac", "sx-ac", "s0-dc", "sx-dc", NULL};
static const char *const sync_names[] = {"off", "user", "all", NULL};
static const char *const consent_names[] = {"none", "kvm", "all", NULL};

#define SWITCH(section, name, text)                                                                          \
    {                                                                                                        \
        section, name, SETTING_IS_CHOICE, switches, 0, 0, NULL, text, false                                  \
    }
#define CHOICE(section, name, choices, text)                                                                 \
    {                                                                                                        \
        section, name, SETTING_IS_CHOICE, choices, 0, 0, NULL, text, false                                   \
    }
#define IPV4(section, name, text, own)                                                                       \
    {                                                                                                        \
        section, name, SETTING_IS_IPV4, NULL, 0, 0, NULL, text, own                                          \
    }
#define IPV6(section, name, text, own)                                                                       \
    {                                                                                                        \
        section, name, SETTING_IS_IPV6, NULL, 0, 0, NULL, text, own                                          \
    }
#define TIME(section, name, min, max, unit, text)                                                            \
    {                                                                                                        \
        section, name, SETTING_IS_TIME, NULL, min, max, unit, text, false                                    \
    }

const struct setting settings[SETTINGS] = {
    [SETTING_HOST_NAME] = {"network", "host-name", SETTING_IS_NAME, NULL, 1, 63, NULL,
                           "AMT's host name; own: the host's name in amtd, up to its first dot", true},
    [SETTING_DOMAIN] = {"network", "domain", SETTING_IS_NAME, NULL, 1, 190, NULL, "AMT's domain name", false},
    [SETTING_PING] = SWITCH("network", "ping", "answers to pings"),
    [SETTING_RMCP_PING] = SWITCH("network", "rmcp-ping", "answers to presence pings on UDP port 623"),
    [SETTING_WEB] = SWITCH("network", "web", "the device's own web pages; off leaves WS-Management alone"),
    [SETTING_IPV4] = CHOICE("network", "ipv4", ipv4_names, "how the wired port gets its address"),
    [SETTING_ADDRESS] =
        IPV4("network", "address", "its address, when static; own: that of amtd's host", true),
    [SETTING_MASK] = IPV4("network", "mask", "its subnet mask", false),
    [SETTING_GATEWAY] = IPV4("network", "gateway", "its router", false),
    [SETTING_DNS] = IPV4("network", "dns", "its name server", false),
    [SETTING_DNS_2] = IPV4("network", "dns-2", "its second name server", false),
    [SETTING_IPV6] = SWITCH("network", "ipv6", "IPv6 at the wired port"),
    [SETTING_IPV6_ADDRESS] =
        IPV6("network", "ipv6-address",
             "its static IPv6 address, besides those that it makes itself; own: that of amtd's host", true),
    [SETTING_IPV6_ROUTER] = IPV6("network", "ipv6-router", "its static IPv6 router", false),
    [SETTING_IPV6_DNS] = IPV6("network", "ipv6-dns", "its IPv6 name server", false),
    [SETTING_IPV6_DNS_2] = IPV6("network", "ipv6-dns-2", "its second IPv6 name server", false),
    [SETTING_VLAN] = {"network", "vlan", SETTING_IS_VLAN, NULL, 1, 4094, NULL,
                      "the virtual network (VLAN) of the wired port, on firmware that tells it", false},
    [SETTING_WIRELESS] = CHOICE("wireless", "state", wireless_names,
                                "wireless: off, only while the machine is on, or also while it sleeps"),
    [SETTING_LINK_POLICY] = {"wireless", "link-policy", SETTING_IS_SET, policy_names, 0, 0, NULL,
                             "when AMT may use the wireless port: on and asleep, on mains and on battery",
                             false},
    [SETTING_PROFILE_SYNC] = CHOICE("wireless", "profile-sync", sync_names,
                                    "which of the system's wireless profiles AMT takes over"),
    [SETTING_SOL] = SWITCH("redirection", "sol", "serial consoles"),
    [SETTING_IDER] = SWITCH("redirection", "ider", "redirected drives"),
    [SETTING_LISTENER] = SWITCH("redirection", "listener", "the ports of redirection are open"),
    [SETTING_KVM] = SWITCH("redirection", "kvm", "keyboard, video and mouse"),
    [SETTING_KVM_PORT] = SWITCH("redirection", "kvm-port-5900", "plain VNC on port 5900"),
    [SETTING_KVM_SESSION] =
        TIME("redirection", "kvm-session", 0, 255, "m", "how long an idle KVM session lasts; 0m: for ever"),
    [SETTING_CONSENT] =
        CHOICE("consent", "required", consent_names, "for what the user at the machine is asked"),
    [SETTING_CODE_TIMEOUT] = TIME("consent", "code-timeout", 60, 900, "s", "how long a code is good for"),
    [SETTING_SCREEN_TIMEOUT] =
        TIME("consent", "screen-timeout", 15, 900, "s", "how long a code stays on the screen"),
    [SETTING_SLEEP] = SWITCH("power", "in-sleep", "AMT answers while the machine sleeps or is off"),
    [SETTING_IDLE_WAKE] =
        TIME("power", "idle-wake", 1, 65535, "m", "how long AMT stays awake in sleep without being asked"),
    [SETTING_LOCAL_SYNC] = SWITCH("clock", "local-sync", "the machine's own system may set AMT's clock"),
    [SETTING_CLOCK] = TIME("clock", "within", 1, 86400, "s", "AMT's clock is off by no more than this"),
};

const char *const setting_state_names[] = {"same", "differs", "changed", "unsupported", "refused"};

int setting_find(const char *section, const char *name)
{
    for (int i = 0; i < SETTINGS; i++)
        if (strcmp(settings[i].section, section) == 0 && strcmp(settings[i].name, name) == 0)
            return i;
    return -1;
}
