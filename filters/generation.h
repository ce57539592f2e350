/* What generations of AMT have room for, as published: for checks before a device is asked. On a device its
 * own numbers count. (reference system-defense.md, 1.1 and 1.6) */
#ifndef FILTERS_GENERATION_H
#define FILTERS_GENERATION_H

#include <stdbool.h>

#include "wsman/system_defense_objects.h"

struct generation {
    const char *name;     /* "AMT 4 and later"; NULL ends the table */
    unsigned first, last; /* major versions */
    bool filters;         /* System Defense over WS-Management */
    bool timeout;         /* policies with a time-out of their own */
    struct sd_limits device;
    struct sd_port_limits port;
};

extern const struct generation generations[];

/* The generation of a major version; NULL for none. */
const struct generation *generation_of(unsigned major);

#endif
