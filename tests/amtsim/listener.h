/* The listening sockets: one per port for all devices. (design.md: the address connected to names the device)
 *
 * They are bound to 0.0.0.0, so every address in 127/8 reaches them; conn_accept refuses other peers.
 * Addresses of devices that are `unreachable` are served by a socket filter that drops their packets, so that
 * a client sees nothing at all. When some device is to refuse connections really (ECONNREFUSED), by a fault
 * or because its redirection ports are closed at the start, every address gets listening sockets of its own
 * instead. */
#ifndef AMTSIM_LISTENER_H
#define AMTSIM_LISTENER_H

#include <stdbool.h>

#include "base/err.h"
#include "tests/amtsim/fleet.h"

struct listener;

/* Opens the ports the fleet's devices need. each: a socket per address. NULL and err (system: the port). */
struct listener *listener_new(struct fleet *fleet, bool each, struct err *err);
/* Closes the sockets; memory goes when the loop runs next. NULL is fine. */
void listener_free(struct listener *listener);
/* Who is unreachable has changed. */
int listener_update(struct listener *listener, struct err *err);
/* Another set of ports is served by the device: those that nobody has opened yet are opened; with a socket
 * per address, its own ones that it does not serve any more are closed. */
int listener_device_changed(struct listener *listener, const struct device *device, struct err *err);
/* "16992, 16993"; out: 32 bytes. */
const char *listener_ports(const struct listener *listener, char *out);

#endif
