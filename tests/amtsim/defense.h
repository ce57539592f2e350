/* System Defense: the filters and policies of a device, what is enabled on which of its ports, and which
 * policy is active there. (reference system-defense.md, chapter 1)
 *
 * Filters and policies are of the whole device and live in flash: boots and power loss leave them, only being
 * provisioned anew removes them. Counters and the one event per match are of the active policy of a port and
 * end with it, with power and with a restart of the ME. Which policy is active is worked out whenever
 * somebody looks. */
#ifndef AMTSIM_DEFENSE_H
#define AMTSIM_DEFENSE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tests/amtsim/device.h"

#define DEFENSE_NAME_MAX     16
#define DEFENSE_HANDLES_MAX  62 /* filters of one policy */
#define DEFENSE_POLICIES_MAX 8  /* of the device */
#define DEFENSE_FILTERS_MAX  80
#define DEFENSE_PORTS        2 /* 0 wired, 1 wireless */
#define DEFENSE_MINUTES_MAX  65535

enum defense_direction { DEFENSE_TX, DEFENSE_RX, DEFENSE_DIRECTIONS };

/* FilterProfile. */
enum defense_profile {
    DEFENSE_PASS_COUNT,
    DEFENSE_DROP_COUNT,
    DEFENSE_LIMIT,
    DEFENSE_PASS,
    DEFENSE_DROP,
    DEFENSE_PROFILES
};

/* Who enables a policy on a port: each at most one there. */
enum defense_owner {
    DEFENSE_CONSOLE,     /* AMT_NetworkPortSystemDefensePolicy */
    DEFENSE_AGENT,       /* AMT_AgentPresenceInterfacePolicy */
    DEFENSE_ENVIRONMENT, /* AMT_EnvironmentDetectionInterfacePolicy */
    DEFENSE_HEURISTICS,  /* AMT_HeuristicPacketFilterInterfacePolicy */
    DEFENSE_DEFAULT,     /* AMT_NetworkPortDefaultSystemDefensePolicy: active when no other is enabled */
    DEFENSE_OWNERS
};
extern const char *const defense_owner_names[]; /* "console", ..., NULL */

struct defense_address {
    bool given;
    uint8_t address[16], mask[16]; /* fits when packet AND mask is address */
};

struct defense_range {
    bool given;
    uint16_t start, end;
};

struct defense_filter {
    uint32_t handle;
    bool ip; /* AMT_IPHeadersFilter, else AMT_Hdr8021Filter */
    char name[DEFENSE_NAME_MAX + 1];
    uint8_t profile;   /* enum defense_profile */
    uint8_t direction; /* enum defense_direction */
    bool event;
    uint32_t limit; /* packets in a second */
    uint16_t ethertype;
    uint8_t version; /* 4 or 6 */
    bool has_protocol;
    uint8_t protocol;
    struct defense_address source, destination;
    struct defense_range source_ports, destination_ports;
    uint8_t flags_on, flags_off; /* bits of byte 14 of the TCP header */
};

/* What happens to packets of a direction that no filter fits. */
struct defense_rest {
    bool drop, event, count;
};

struct defense_policy {
    uint32_t handle;
    char name[DEFENSE_NAME_MAX + 1];
    uint32_t precedence;
    uint8_t anti_spoof; /* 0 off, bit 0 event, bit 1 count */
    struct defense_rest rest[DEFENSE_DIRECTIONS];
    uint32_t minutes; /* 0: no time-out */
    uint32_t handles[DEFENSE_HANDLES_MAX];
    size_t count;
};

/* What a port takes in each direction; filters with one for the default. */
struct defense_limits {
    uint32_t filters[DEFENSE_DIRECTIONS], counters[DEFENSE_DIRECTIONS];
    uint32_t filters6[DEFENSE_DIRECTIONS], counters6[DEFENSE_DIRECTIONS];
    uint32_t ratio; /* IPv4 places that one of IPv6 takes */
    bool spoof4, spoof6;
};

enum defense_state { DEFENSE_ABSENT, DEFENSE_DISABLED, DEFENSE_ENABLED, DEFENSE_ACTIVE };

/* What fitted on a port since its policy became active. Owner of a row: a filter's handle, or one of these.
 */
#define DEFENSE_ROW_TX    0xffffff00u /* the default for what leaves */
#define DEFENSE_ROW_RX    0xffffff01u
#define DEFENSE_ROW_SPOOF 0xffffff02u

struct defense_row {
    uint32_t of;
    uint32_t packets; /* now */
    bool matched;     /* now; the event was sent */
    uint32_t shown;   /* as of the last UpdateStatistics */
    bool shown_matched;
    int64_t second; /* of the rate limit, monotonic; packets let pass in it */
    uint32_t passed;
};

struct defense_live {
    uint32_t policy; /* active; 0 none */
    int64_t since_ms, reset_ms;
    struct defense_row rows[DEFENSE_HANDLES_MAX + 3];
    size_t count;
};

bool defense_has_port(const struct device *device, unsigned port);
const struct defense_limits *defense_limits(const struct device *device, unsigned port);

/* --- objects; what is returned is borrowed until the next change --- */

size_t defense_filter_count(const struct device *device, bool ip);
const struct defense_filter *defense_filter_at(const struct device *device, bool ip, size_t i);
const struct defense_filter *defense_filter(const struct device *device, uint32_t handle); /* NULL: none */
size_t defense_policy_count(const struct device *device);
const struct defense_policy *defense_policy_at(const struct device *device, size_t i);
const struct defense_policy *defense_policy(const struct device *device, uint32_t handle);
bool defense_filter_used(const struct device *device, uint32_t handle);
bool defense_policy_used(const struct device *device, uint32_t handle);

/* Gives the copy a handle and returns it; 0 when the device is full. */
uint32_t defense_filter_add(struct device *device, const struct defense_filter *filter);
uint32_t defense_policy_add(struct device *device, const struct defense_policy *policy);
void defense_filter_remove(struct device *device, uint32_t handle);
void defense_policy_remove(struct device *device, uint32_t handle);
void defense_policy_minutes(struct device *device, uint32_t handle, uint32_t minutes);
/* Whether the policy fits into the port's filters and counters. */
bool defense_fits(const struct device *device, const struct defense_policy *policy, unsigned port);

/* --- enabling --- */

uint32_t defense_bound(const struct device *device, enum defense_owner owner, unsigned port); /* 0: none */
void defense_bind(struct device *device, enum defense_owner owner, unsigned port, uint32_t policy);
void defense_unbind(struct device *device, enum defense_owner owner, unsigned port);
enum defense_state defense_state(struct device *device, enum defense_owner owner, unsigned port);
/* The port's active policy and its counters; policy is 0 when everything passes. */
struct defense_live *defense_live(struct device *device, unsigned port);
/* UpdateStatistics: what is shown becomes what is; events come again. */
void defense_update(struct device *device, unsigned port, bool reset);

/* Whether agent presence asks for its policy (agents.h). */
void defense_set_agent(struct device *device, bool asks);
/* Monotonic time, with what somebody let pass. */
int64_t defense_now_ms(const struct device *device);

/* --- heuristics (class_heuristics.c) --- */

struct defense_heuristics {
    bool written; /* the settings were Put once */
    bool block_all, block_port;
    uint32_t encounter_s;
    uint32_t fast_count, fast_ms, slow_count, slow_s;
    uint8_t reason; /* of the breach: 0 none, 1 slow, 2 fast, 3 factory */
    int64_t breach_ms;
};
struct defense_heuristics *defense_heuristics(struct device *device);

/* --- from outside --- */

/* Power is gone, or the ME restarts: counters and events begin anew. */
void defense_power_lost(struct device *device);
/* Everything is removed. */
void defense_free(struct device *device);
/* What the address of the port is for anti-spoofing, network byte order, 4 or 16 bytes. The IPv6 list holds
 * the last few. */
void defense_learn(struct device *device, unsigned port, const uint8_t *address, size_t n);
bool defense_own_address(const struct device *device, unsigned port, const uint8_t *address, size_t n);

/* {"filters": [...], "policies": [...], "ports": [...]}. Caller's. */
json_t *defense_json(struct device *device);
/* {"policies": n, "filters": n, "enabled": owner, "precedence": n}: another product's objects; {"agent":
 * true},
 * {"outside": true}, {"breach": "fast"}: triggers; {"minutes": n}: time passes for time-outs. */
int defense_set(struct device *device, const json_t *changes, struct err *err);

#endif
