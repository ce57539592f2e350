/* The objects of System Defense as plain data: filters, policies, ports and limits as the hardware has them.
 * (reference system-defense.md, chapters 1 and 2)
 *
 * This is the one definition of what a device can hold. `filters/` compiles to it, system_defense.h reads and
 * writes it. There is no order among filters: all that fit a packet are looked at, drop beats pass, and the
 * policy's default counts only where none fits. */
#ifndef WSMAN_SYSTEM_DEFENSE_OBJECTS_H
#define WSMAN_SYSTEM_DEFENSE_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define SD_NAME_MAX        16  /* characters of a filter's or policy's name */
#define SD_HANDLES_MAX     62  /* filters of one policy */
#define SD_FILTERS_MAX     256 /* filters of a device that are looked at; firmware holds about 80 */
#define SD_POLICIES_MAX    32  /* policies of a device; firmware holds about 8 */
#define SD_PORTS_MAX       4   /* network ports of a device; 0 wired, 1 wireless */
#define SD_ID_MAX          80  /* InstanceID of a policy, DeviceID of a port */
#define SD_TIMEOUT_MAX     65535
#define SD_ETHERTYPE_IPV4  2048
#define SD_ETHERTYPE_ARP   2054
#define SD_ETHERTYPE_IPV6  34525
#define SD_ETHERTYPE_8021X 34958

/* FilterProfile: what a filter does with the packets it fits. */
enum sd_profile {
    SD_PASS_COUNT = 0,
    SD_DROP_COUNT = 1,
    SD_RATE_LIMIT = 2, /* `rate` packets pass each second, the rest is dropped; counts */
    SD_PASS = 3,
    SD_DROP = 4,
};

/* FilterDirection, seen from the PC. */
enum sd_direction {
    SD_TX = 0, /* leaves the PC */
    SD_RX = 1, /* enters the PC */
};

enum sd_filter_kind {
    SD_ETHERNET, /* AMT_Hdr8021Filter: by EtherType only */
    SD_IP,       /* AMT_IPHeadersFilter */
};

/* Fits when (packet AND mask) == address. Network byte order; 4 bytes for IPv4, 16 for IPv6, the rest zero.
 * The address holds no bit outside the mask. */
struct sd_address {
    bool given; /* false: fits every address */
    uint8_t address[16];
    uint8_t mask[16];
};

/* Inclusive. Either one single port (start == end) on one side or both, or a range on one side and nothing on
 * the other; the hardware refuses the rest. With TCP or UDP only. */
struct sd_ports {
    bool given; /* false: fits every port */
    uint16_t start;
    uint16_t end;
};

/* tcp_on and tcp_off: bits of the TCP header's flag byte. */
enum sd_tcp_flag {
    SD_TCP_FIN = 1,
    SD_TCP_SYN = 2,
    SD_TCP_RST = 4,
    SD_TCP_PSH = 8,
    SD_TCP_ACK = 16,
    SD_TCP_URG = 32,
};

struct sd_filter {
    enum sd_filter_kind kind;
    uint32_t handle; /* creation handle; 0: not on a device */
    char name[SD_NAME_MAX + 1];
    enum sd_profile profile;
    enum sd_direction direction;
    bool event;    /* an event at the first fit */
    uint32_t rate; /* packets per second; SD_RATE_LIMIT only, 0 else */
    /* SD_ETHERNET */
    uint16_t ethertype;
    /* SD_IP */
    uint8_t ip_version; /* 4 or 6 */
    bool protocol_given;
    uint8_t protocol; /* 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6 */
    struct sd_address source, destination;
    struct sd_ports source_ports, destination_ports;
    uint8_t tcp_on, tcp_off; /* must be set, must be clear; TCP only */
};

/* What happens to packets of a direction that no filter fits. */
struct sd_default {
    bool drop;
    bool event;
    bool count;
};

/* AntiSpoofingSupport: bits of what happens when a packet with a false source address is dropped on its way
 * out. */
enum sd_anti_spoof {
    SD_ANTI_SPOOF_OFF = 0,
    SD_ANTI_SPOOF_EVENT = 1,
    SD_ANTI_SPOOF_COUNT = 2,
};

struct sd_policy {
    char id[SD_ID_MAX]; /* InstanceID, opaque; "": not on a device */
    char name[SD_NAME_MAX + 1];
    uint32_t precedence; /* of the enabled policies of a port the highest is active */
    uint32_t anti_spoof; /* enum sd_anti_spoof */
    struct sd_default tx, rx;
    uint32_t handles[SD_HANDLES_MAX]; /* of its filters; no order, no doubles */
    size_t count;
};

/* What one port takes in one direction; filters include one for the default action. */
struct sd_room {
    uint32_t filters;
    uint32_t counters; /* filters with a profile that counts, and counting defaults */
};

/* Limits of a port. 0: the device did not tell. */
struct sd_port_limits {
    struct sd_room ipv4_tx, ipv4_rx;
    struct sd_room ipv6_tx, ipv6_rx;
    uint32_t ipv6_ratio; /* about how many IPv4 places one IPv6 filter takes */
    bool ipv4_anti_spoof, ipv6_anti_spoof;
};

struct sd_port {
    char id[SD_ID_MAX]; /* DeviceID: "Intel(r) AMT Ethernet Port 0" */
    unsigned number;    /* its trailing number: 0 wired, 1 wireless */
    bool has_limits;
    struct sd_port_limits limits;
};

struct sd_limits {
    uint32_t policies; /* on the device; 0: it did not tell */
    uint32_t filters;
};

/* True when the profile takes one of the counters. */
bool sd_profile_counts(enum sd_profile profile);
/* The same in meaning: everything but handle and name. */
bool sd_filter_same(const struct sd_filter *a, const struct sd_filter *b);
/* Refuses what no hardware takes: port combinations, ports without TCP or UDP, address bits outside the mask,
 * a rate on the wrong profile, names that are too long or empty. invalid-argument says which. */
int sd_filter_check(const struct sd_filter *filter, struct err *err);
/* Appends one line for people: "rx pass tcp from 10.0.0.5 to port 443". */
void sd_filter_text(const struct sd_filter *filter, struct buf *out);

#endif
