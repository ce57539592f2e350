/* discover, discover list, show, diff, cancel. */
#ifndef AMTCLI_CMD_DISCOVER_H
#define AMTCLI_CMD_DISCOVER_H

#include "amtcli/cmd.h"

extern const struct command command_discover, command_discover_list, command_discover_show,
    command_discover_diff, command_discover_cancel;

#endif
