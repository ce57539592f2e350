/* The kinds of machines there are, by name. */
#ifndef AMTSIM_MACHINE_KINDS_H
#define AMTSIM_MACHINE_KINDS_H

#include <stdbool.h>

#include "base/err.h"
#include "tests/amtsim/device.h"

bool machine_kind_known(const char *name);
/* "scripted or qemu": for messages. Static. */
const char *machine_kind_list(void);
/* The table's own string for that name, NULL when there is none. */
const char *machine_kind_name(const char *name);
/* Gives the device a machine of its machine_kind, in its initial_state. 0, or -1 and err. */
int machine_kind_start(struct device *device, struct err *err);

#endif
