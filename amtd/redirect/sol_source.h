/* The kind `amt` of console sources: the Serial-over-LAN session of a host.
 *
 * What the device tells of the host is passed on: whether it is on (SOURCE_DSR), lost output and a port that
 * nobody owns as notes. There is no break (the protocol has no message for it). */
#ifndef AMTD_REDIRECT_SOL_SOURCE_H
#define AMTD_REDIRECT_SOL_SOURCE_H

#include "amtd/console/source.h"
#include "amtd/redirect/redirect.h"

/* redirect is borrowed and outlives all consoles of the kind. */
struct source_kind sol_source_kind(struct redirect *redirect);

#endif
