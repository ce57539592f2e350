/* Accounts besides the administrator, and the administrator's own name and password when they were changed.
 * (reference wsman.md, 3.9) */
#ifndef AMTSIM_USERS_H
#define AMTSIM_USERS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/amtsim/device.h"

struct users;
void users_free(struct users *users); /* NULL is fine */

const char *users_admin_name(const struct device *device);
/* HA1 of an enabled digest account that may log in from the network. */
bool users_ha1(const struct device *device, const char *name, uint8_t out[16]);
/* True when the account may use redirection: the administrator, or one with that realm. */
bool users_may_redirect(const struct device *device, const char *name);

#endif
