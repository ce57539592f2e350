/* The network cable of a virtual PC: every Ethernet frame in and out is judged by the device's System
 * Defense, and what passes goes to or comes from a tap interface, where a virtual network begins.
 * (defense_judge.h)
 *
 * On the PC's side the cable is a pair of datagram sockets, a frame each; QEMU inherits one end at every
 * boot. */
#ifndef AMTSIM_CABLE_H
#define AMTSIM_CABLE_H

#include <stdint.h>

#include "base/err.h"
#include "tests/amtsim/device.h"

#define CABLE_TAP_MAX 15 /* characters of an interface's name */

struct cable;

/* Makes the tap interface (it goes with the cable; needs CAP_NET_ADMIN). Port 0. NULL and err. */
struct cable *cable_new(struct device *device, const char *tap, struct err *err);
void cable_free(struct cable *cable); /* NULL is fine; memory is freed from the loop */
/* The end that the virtual PC inherits. Stays the cable's. */
int cable_pc_end(const struct cable *cable);
/* How many frames passed and how many were dropped, both ways together. */
void cable_counts(const struct cable *cable, uint64_t *passed, uint64_t *dropped);

#endif
