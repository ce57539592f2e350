/* Whether a device is set up, and taking that back. (reference wsman.md, 3.1, 3.16) */
#ifndef AMTSIM_SETUP_H
#define AMTSIM_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/amtsim/device.h"

#define SETUP_GONE_MS 2000 /* after unprovisioning nobody is answered; of firmware it is a minute */

/* Settings as a factory leaves them: redirection, general settings, consent, network. Names are freed. */
void setup_factory(struct device *device);

/* Set up: it answers to all that it has. */
bool setup_done(const struct device *device);
/* On its way from one state to another. */
bool setup_gone(const struct device *device);
/* A locked audit log keeps it from being unprovisioned. */
bool setup_blocked(const struct device *device);

/* Unprovisioned, with its ReturnValue. full: all is as a factory leaves it, and the realm a new one; else the
 * administrator with his password, names and addresses stay. Accounts, filters, agents, alarms,
 * subscriptions, keys, certificates and the settings of TLS are gone either way. */
uint32_t setup_undo(struct device *device, bool full);
/* Set up again, as it is. */
void setup_redo(struct device *device);

#endif
