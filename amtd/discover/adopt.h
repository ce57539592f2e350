/* What becomes of the AMT devices that a sweep found: which of them are hosts already, which become hosts,
 * and which hosts have moved to another address.
 *
 * A device is known again by its UUID, which takes a login to read. So what is new at an address becomes a
 * host first, under its address; amtd logs in and reads who it is; then the host keeps that place under the
 * name the device has, or it is an old one that has moved and is merged with it, or it has the UUID of
 * another that is also there, and both stay and say so. */
#ifndef AMTD_DISCOVER_ADOPT_H
#define AMTD_DISCOVER_ADOPT_H

#include "amtd/discover/discovery.h"
#include "amtd/store/sweeps.h"

struct adoption;

struct adopt_order { /* borrowed until it is over */
    int64_t sweep;
    bool add;            /* else hosts are only named */
    const char *profile; /* or NULL */
    const json_t *tags;  /* or NULL */
    const char *who;
    const bool *stopping; /* amtd ends: begin nothing more */
};

/* failure NULL: hosts and outcomes are written down with the sweep. rows: what was found, with host and
 * outcome; may be taken over (and cleared). Called once, from the loop. */
typedef void adopt_done(void *arg, struct sweep_founds *rows, const struct err *failure);

struct adoption *adopt_start(const struct discovery_parts *parts, const struct adopt_order *order,
                             adopt_done *done, void *arg);

#endif
