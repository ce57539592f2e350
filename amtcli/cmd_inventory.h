/* inventory update, show, list, history, diff, export. */
#ifndef AMTCLI_CMD_INVENTORY_H
#define AMTCLI_CMD_INVENTORY_H

#include "amtcli/cmd.h"

extern const struct command command_inventory_update, command_inventory_show, command_inventory_list,
    command_inventory_history, command_inventory_diff, command_inventory_export;

#endif
