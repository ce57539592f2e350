/* What a serial line tells of the machine at its other end. Modem lines that were never on tell nothing: many
 * cables have three wires. Powered off and a cable that was pulled out look the same to a port; a port that
 * is not there any more, as that of an USB adapter, is known for what it is. */
#ifndef AMTD_CONSOLE_DEVICE_H
#define AMTD_CONSOLE_DEVICE_H

#include <stdbool.h>

enum device_state {
    DEVICE_UNKNOWN,
    DEVICE_CONNECTED,   /* DCD or DSR is on */
    DEVICE_POWERED_OFF, /* both are off, and were not before */
    DEVICE_UNPLUGGED,   /* the port is not there */
};

struct device {
    enum device_state state;
    bool has_lines; /* one of them was on */
};

/* "", "connected", "powered off", "unplugged". */
const char *device_state_name(enum device_state state);
/* All return whether the state is another one now. */
/* known, on: sets of enum source_signal. */
bool device_lines(struct device *device, unsigned known, unsigned on);
/* The link is not there (any more); no_port: because its port is not. */
bool device_down(struct device *device, bool no_port);

#endif
