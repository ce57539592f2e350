/* Reading and changing one device as JSON. */
#ifndef AMTSIM_CONTROL_SET_H
#define AMTSIM_CONTROL_SET_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "tests/amtsim/device.h"

/* The device's state. Caller's. */
json_t *control_get(struct device *device);
/* Changes what the members of `changes` name. 0, or -1 and err (invalid-argument: member, expected); members
 * before the wrong one are changed. */
int control_set(struct device *device, const json_t *changes, struct err *err);
/* The i-th member that can be set, NULL behind the last one. */
const char *control_set_name(size_t i);

#endif
