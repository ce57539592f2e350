/* Taking a device's set-up back. (reference wsman.md, section 3.16)
 *
 * Full: everything is as a factory leaves it. Partial: the administrator with his password, names, addresses
 * and what it was set up with stay. In client control mode both do the same. What keeps the device from it is
 * asked before; the request is sent once, and never again when its answer is lost. */
#ifndef WSMAN_UNPROVISION_H
#define WSMAN_UNPROVISION_H

#include <stdbool.h>

#include "wsman/seq.h"

struct unprovision_seq {
    struct seq seq; /* first */
    bool full;
    bool done;        /* the device said so, or is not provisioned */
    bool already;     /* it was not provisioned before */
    bool client_mode; /* full or partial: it makes no difference */
    /* private */
    struct err lost; /* why the answer did not come */
};

/* Causes of its own: invalid-state (a locked audit log keeps it from it), not-reached (it still says that it
 * is provisioned), interrupted (the answer was lost, and nobody knows). */
void unprovision_seq_init(struct unprovision_seq *us, bool full);

#endif
