/* A device's network settings: how its wired port gets its address, and whether it has IPv6 and wireless. A
 * device with a static address answers there, and nowhere else. (reference wsman.md, 3.11) */
#ifndef AMTSIM_NETWORK_H
#define AMTSIM_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/amtsim/device.h"

#define NETWORK_RESTART_MS 200 /* until new addresses hold; connections to the old one are then reset */

/* What a port is told; numbers in host byte order, 0: none. */
struct network_port {
    bool dhcp;
    uint32_t address, mask, gateway, dns, dns2;
};

/* As it is now. With DHCP the lease: the address that the fleet gave the device. */
struct network_port network_port(const struct device *device);
/* Whether firmware takes these: an address of a host, a mask without holes, a router in its network. */
bool network_port_ok(const struct network_port *port);
/* Holds after NETWORK_RESTART_MS. */
void network_port_set(struct device *device, const struct network_port *port);
void network_free(struct device *device);

/* The first of the fleet that moved to this address, or NULL. */
struct device *network_at(struct fleet *fleet, uint32_t address);
bool network_moved(const struct device *device);

#endif
