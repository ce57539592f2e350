/* What a device's redirection settings mean for its ports and sessions. */
#ifndef AMTSIM_REDIR_SETTINGS_H
#define AMTSIM_REDIR_SETTINGS_H

#include <stdbool.h>

#include "tests/amtsim/device.h"

/* True when the ports are open: provisioned, listener on, something enabled. */
bool redir_listens(const struct device *device);
/* Settings were written: sessions of what is switched off now end, ports open or close. */
void redir_settings_changed(struct device *device);

#endif
