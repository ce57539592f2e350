/* Channels of the kind `configure` (docs/mux.md): a server says which consoles its node is to have. */
#ifndef AMTD_API_CHANNEL_CONFIGURE_H
#define AMTD_API_CHANNEL_CONFIGURE_H

#include "amtd/api/channel.h"

extern const struct channel_kind channel_configure;

#endif
