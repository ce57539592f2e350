/* How many hosts are being worked on in each subnet, and whether one more may be. Pure bookkeeping. */
#ifndef AMTD_FLEET_SUBNETS_H
#define AMTD_FLEET_SUBNETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct subnets;

/* per_subnet 0: no limit. */
struct subnets *subnets_new(uint32_t per_subnet);
void subnets_free(struct subnets *subnets);

/* The key of the subnet of a numeric address, /24 for IPv4, /64 for IPv6; false for a name, whose subnet is
 * not known before it is resolved: no limit holds for it. */
#define SUBNET_KEY_LEN 8
bool subnet_key(const char *address, uint8_t key[SUBNET_KEY_LEN]);

/* Takes a place; false when the subnet is full. */
bool subnets_enter(struct subnets *subnets, const char *address);
void subnets_leave(struct subnets *subnets, const char *address);

#endif
