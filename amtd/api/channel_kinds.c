/* The table of all kinds of channels besides calls (docs/mux.md). */
#include <stddef.h>

#include "amtd/api/channel_configure.h"
#include "amtd/api/channel_console.h"
#include "amtd/api/channel_image.h"
#include "amtd/api/channel_join.h"
#include "amtd/api/channel_replica.h"

const struct channel_kind *const channel_kinds[] = {
    &channel_console,  &channel_image,   &channel_join, &channel_configure,
    &channel_consoles, &channel_replica, NULL,
};
