/* Power of a device: what AMT lets a client ask, and what the machine then does. (reference wsman.md, 3.2) */
#ifndef AMTSIM_POWER_H
#define AMTSIM_POWER_H

#include <stddef.h>
#include <stdint.h>

#include "tests/amtsim/device.h"
#include "tests/amtsim/machine.h"

#define POWER_VALUES_MAX 12

/* CIM PowerState of the machine's state. */
uint16_t power_value(enum machine_state state);
/* "off", "on", "sleep", "hibernate"; "?" for anything else. Static. */
const char *power_state_word(uint32_t state);
/* -1: no such word. */
int power_state_by_word(const char *word);

/* AvailableRequestedPowerStates now, in the firmware's order. Returns how many, at most POWER_VALUES_MAX. */
size_t power_available(const struct device *device, uint16_t *out);

/* RequestPowerStateChange. Returns ReturnValue and records it. */
uint32_t power_request(struct device *device, uint16_t value);
/* IPS RequestOSPowerSavingStateChange: 2 full power, 3 saving. */
uint32_t power_saving_request(struct device *device, uint16_t value);

/* What the machine reports; the fleet connects these. */
void power_on_state(void *device, enum machine_state state);
void power_on_booted(void *device, uint32_t boot_count);

#endif
