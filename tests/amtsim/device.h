/* One simulated AMT device: its state. Behaviour lives with the nouns that own each part.
 *
 * At rest a device takes well under 4 KiB: instances are computed from this state when asked for, and what is
 * seldom used (record, users, alarms) is allocated at its first use. */
#ifndef AMTSIM_DEVICE_H
#define AMTSIM_DEVICE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/amtsim/fault.h"
#include "tests/amtsim/generation.h"
#include "tests/amtsim/machine.h"

#define DEVICE_CONTEXTS  4  /* enumerations open at once */
#define DEVICE_REALM_MAX 48 /* "Digest:" and 32 hex digits */
#define DEVICE_NAME_MAX  32

struct fleet;
struct record;
struct users;
struct alarms;
struct cable;
struct agents;
struct defense;
struct tls_identity;
struct console;
struct redir_session;
struct subscription;
struct tls_changes;
struct keyring;

enum redir_kind { REDIR_SOL, REDIR_IDER, REDIR_KINDS }; /* what a redirection session redirects */

enum device_tls { DEVICE_TLS_NONE, DEVICE_TLS_SERVER, DEVICE_TLS_MUTUAL };
extern const char *const device_tls_names[];   /* "none", "server", "mutual", NULL */
extern const char *const device_ports_names[]; /* by bits: "none", "wired", "wireless", "both", NULL */

/* Names of AMT_RedirectionService.EnabledState from 32768 on: "none", "ider", "sol", "both", NULL. */
#define DEVICE_REDIRECTION_NONE 32768
extern const char *const device_redirection_names[];

struct device_context { /* an open enumeration */
    uint32_t id;        /* 0: free */
    uint16_t class_index;
    uint16_t next; /* instance to pull next */
    int64_t expires_ms;
};

struct device_login {
    uint8_t admin_ha1[16];
    bool admin_ha1_known; /* false: to be computed from the fleet's password */
    uint8_t fails;
    int64_t locked_until_ms;
    uint32_t epoch;       /* rises when nonces and cached logins die: ACL or realm changed */
    uint32_t realm_epoch; /* rises when the device is provisioned anew */
    uint64_t last_nonce;  /* first 8 bytes of the last good nonce */
    uint32_t last_nc;
};

struct device_boot { /* what the next boot is told; class_boot.c */
    uint32_t flags;  /* bit per boolean member of AMT_BootSettingData */
    uint8_t ider_device;
    uint8_t verbosity;
    uint16_t media_index;
    uint8_t source;         /* index of CIM_BootSourceSetting + 1, 0 none */
    uint8_t uefi_params;    /* UefiBootNumberOfParams */
    uint8_t role;           /* 1: the configuration is the next boot's */
    bool cleared;           /* OptionsCleared */
    uint16_t service_state; /* CIM_BootService.EnabledState */
};

struct device_consent {        /* class_consent.c */
    uint32_t required;         /* OptInRequired */
    uint16_t code_s, screen_s; /* OptInCodeTimeout, OptInDisplayTimeout */
    uint8_t state;
    uint8_t wrong_codes;
    uint32_t code;
    int64_t until_ms;
};

struct device_redirection { /* class_redirection.c */
    uint16_t enabled_state; /* 32768 + bit 0 IDE-R, bit 1 SOL */
    bool listener;
    bool kvm_enabled;
    bool kvm_5900;
    uint8_t kvm_screen;
    uint16_t kvm_session_minutes;
    uint16_t opt_in_timeout;
    bool kvm_opt_in;
    bool no_clear_text; /* the switch of the MEBx: no login with user and password in clear */
    bool no_digest;     /* as the oldest firmware: no other login than that */
    bool holds_power;   /* refuses power off, cycle and reset while a SOL session is open */
    bool bios_speaks;   /* the BIOS talks to the serial port at every boot, not only with UseSOL */
};

struct device_settings { /* AMT_GeneralSettings and the like; class_settings.c */
    char *host_name;     /* NULL: made from the index */
    char *domain_name;   /* NULL: "sim.example" */
    bool ping, rmcp_ping, wsman_only, network_on;
    uint32_t idle_wake_minutes;
    uint8_t power_scheme;
    bool dhcp;
    bool local_time_sync;
    uint16_t watchdog_action;
};

struct device_network {                         /* network.c, class_port.c */
    uint32_t address, mask, gateway, dns, dns2; /* static ones, host byte order; 0: none */
    bool stays;                                 /* takes new addresses, tells them, and is where it was */
    bool ipv6;
    struct in6_addr ipv6_static, ipv6_router, ipv6_dns, ipv6_dns2; /* zeros: none */
    uint16_t vlan;                                                 /* 0: none */
    uint8_t wifi_policy;                                           /* bits: S0 and Sx on mains, on battery */
    uint8_t profile_sync;
    uint16_t wifi_state; /* CIM_WiFiPort.EnabledState */
    bool next_dhcp;      /* what holds when the network has restarted */
    uint32_t next_address;
    struct uv_timer_s *restart; /* NULL: nothing is about to change */
};

struct device {
    struct fleet *fleet;
    uint32_t index; /* from 0 */
    const struct generation *generation;
    enum device_tls tls;
    bool plain_too;   /* takes plain connections besides those with TLS */
    bool agent;       /* the machine's OS runs the local management agent */
    bool standby;     /* modern standby: on, but the OS saves power */
    bool client_mode; /* CCM; else ACM */
    bool os_hangs;    /* graceful requests are accepted and ignored */
    uint8_t ports;    /* network ports: bit 0 wired, bit 1 wireless */
    uint8_t connections;
    uint16_t requested_power; /* last RequestPowerStateChange value accepted; 0 none */
    uint32_t message_id;
    uint32_t context_id;
    uint32_t log_iterator;
    uint8_t blank_uuid;      /* index in device_blank_uuids: its maker set none; 0: it has one */
    uint32_t twin;           /* number of the device whose UUID it has too; 0: it has its own */
    int64_t clock_offset_ms; /* ME clock minus real time */
    int64_t log_cleared_ms;
    bool log_frozen;
    struct machine *machine;
    const char *machine_kind; /* "scripted", "qemu"; static or of the options; NULL: the fleet's */
    uint8_t initial_state;    /* enum machine_state the machine starts in */
    struct plan *plan;        /* faults; NULL none */
    uint32_t strikes[FAULTS_MAX];
    uint32_t spared[FAULTS_MAX]; /* requests that a fault with `after` let pass */
    struct device_context contexts[DEVICE_CONTEXTS];
    struct device_login login;
    struct device_boot boot;
    struct device_consent consent;
    struct device_redirection redirection;
    struct device_settings settings;
    struct device_network network;
    bool unprovisioned; /* setup.c */
    bool audit_locked;
    int64_t gone_until_ms;              /* it answers nobody before; monotonic */
    struct subscription *subscriptions; /* who hears of alerts, oldest first */
    uint32_t subscription_number;       /* of the last one made */
    struct traps *traps;                /* who hears of them by SNMP traps, NULL none */
    struct users *users;                /* further accounts, NULL none */
    struct alarms *alarms;              /* alarm clock, NULL none */
    struct defense *defense;            /* System Defense, NULL none */
    struct agents *agents;              /* agent presence, NULL none */
    char *tap;                          /* where a virtual PC's network cable ends; NULL: it has none */
    struct cable *cable;                /* NULL none */
    struct record *record;              /* NULL: nothing happened yet */
    struct redir_session *sessions[REDIR_KINDS]; /* logged in, by what they redirect; NULL: free */
    struct console *console;                     /* what the machine's serial port said; NULL: nothing */
    struct tls_changes *tls_changes;             /* TLS settings were changed; NULL: never */
    struct tls_identity *tls_identity;           /* NULL: not needed yet */
    struct keyring *keyring;                     /* NULL: as it was set up */
};

/* Readies a zeroed device with the factory settings. The machine is attached by the fleet. */
void device_init(struct device *device, struct fleet *fleet, uint32_t index,
                 const struct generation *generation, enum device_tls tls);
void device_clear(struct device *device);

/* Wall time by the device's own clock, milliseconds. */
int64_t device_wall_ms(const struct device *device);
/* Monotonic milliseconds. */
int64_t device_mono_ms(const struct device *device);

/* The digest realm, AMT's identity since provisioning. `out` holds DEVICE_REALM_MAX bytes; returns it. */
const char *device_realm(const struct device *device, char *out);
/* The realm it shows in challenges: the same unless a fault says otherwise. */
const char *device_challenge_realm(struct device *device, char *out);
/* The platform's UUID as SMBIOS keeps it. */
void device_uuid(const struct device *device, uint8_t out[16]);
/* "", "zeros", "ones", "sample"; ended by NULL. */
extern const char *const device_blank_uuids[];
/* MAC address "xx-xx-xx-xx-xx-xx" of port 0. out: 18 bytes. */
const char *device_mac(const struct device *device, char *out);
const char *device_host_name(const struct device *device, char *out /* DEVICE_NAME_MAX */);
const char *device_address(const struct device *device, char *out /* 16 */);

/* The account's HA1 = MD5(user:realm:password) for logins with the realm shown; false: no such user. */
bool device_ha1(struct device *device, const char *user, const char *realm, uint8_t out[16]);

/* Whether connections with TLS, or without, are taken. */
bool device_serves(const struct device *device, bool tls);

/* Forget nonces and cached logins. */
void device_acl_changed(struct device *device);

#endif
