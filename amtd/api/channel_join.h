/* Channels of the kind `join` (docs/mux.md): a node or a client shows that it has a token, and is known from
 * then on. */
#ifndef AMTD_API_CHANNEL_JOIN_H
#define AMTD_API_CHANNEL_JOIN_H

#include "amtd/api/channel.h"

extern const struct channel_kind channel_join;

#endif
