/* Channels that a server opens to its node (docs/mux.md): `consoles`, which there are, and `replica`, one of
 * them. */
#ifndef AMTD_API_CHANNEL_REPLICA_H
#define AMTD_API_CHANNEL_REPLICA_H

#include "amtd/api/channel.h"

extern const struct channel_kind channel_consoles, channel_replica;

#endif
