/* Addresses and ports as rules use them: networks by prefix and ranges of ports, in lists.
 *
 * Hardware compares an address under a mask; only masks of ones followed by zeros are used, because every
 * list of addresses can be said with them and each is an interval of numbers that can be compared with
 * others. */
#ifndef FILTERS_NET_H
#define FILTERS_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* An address as a number: IPv4 in the lowest 32 bits. */
__extension__ typedef unsigned __int128 net_number;

#define NETS_MAX   1024 /* networks of one list; more is an error, not a crash */
#define RANGES_MAX 256  /* ranges of ports of one list */

struct net {
    uint8_t version;    /* 4 or 6 */
    uint8_t bits;       /* of the prefix: 0 to 32 or 128 */
    net_number address; /* nothing outside the prefix */
};

struct nets { /* owned; {0} is empty */
    struct net *items;
    size_t count;
};

struct range { /* inclusive */
    uint16_t first, last;
};

struct ranges { /* owned; {0} is empty */
    struct range *items;
    size_t count;
};

/* All ones for that many leading bits of an address of that version. */
net_number net_mask(uint8_t version, unsigned bits);
net_number net_last(const struct net *net); /* the highest address in it; `address` is the lowest */
bool net_contains(const struct net *outer, const struct net *inner);
/* The smallest network that holds both; both of one version. */
struct net net_hull(const struct net *a, const struct net *b);
/* How many addresses, as a float: 2^128 has no integer. */
double net_size(const struct net *net);

/* Network byte order: 4 bytes for IPv4, 16 for IPv6. */
net_number net_from_bytes(const uint8_t *p, uint8_t version);
void net_to_bytes(net_number address, uint8_t version, uint8_t out[16]);

/* Appends "10.1.0.0/16", "10.0.0.5", "fe80::/10". */
void net_text(const struct net *net, struct buf *out);
void net_address_text(net_number address, uint8_t version, struct buf *out);

/* Adds one network. -1 beyond NETS_MAX. */
int nets_add(struct nets *list, const struct net *net, struct err *err);
/* Adds first to last (inclusive) as the fewest networks. */
int nets_add_range(struct nets *list, uint8_t version, net_number first, net_number last, struct err *err);
/* Sorts, drops what another network of the list holds, joins halves: the fewest networks of the same
 * addresses, none overlapping. */
void nets_normalise(struct nets *list);
bool nets_hold(const struct nets *list, uint8_t version, net_number address);
/* True when every address of `inner` is in `outer`; both normalised. */
bool nets_contain(const struct nets *outer, const struct nets *inner);
bool nets_has_version(const struct nets *list, uint8_t version);
void nets_copy(struct nets *to, const struct nets *from);
void nets_free(struct nets *list);

int ranges_add(struct ranges *list, unsigned first, unsigned last, struct err *err);
/* Sorts and joins what overlaps or touches. */
void ranges_normalise(struct ranges *list);
bool ranges_hold(const struct ranges *list, uint16_t port);
bool ranges_contain(const struct ranges *outer, const struct ranges *inner);
void ranges_text(const struct ranges *list, struct buf *out); /* "53,80-90" */
void ranges_copy(struct ranges *to, const struct ranges *from);
void ranges_free(struct ranges *list);

#endif
