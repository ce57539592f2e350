#ifndef AMTCLI_CMD_HOST_H
#define AMTCLI_CMD_HOST_H

#include "amtcli/cmd.h"

extern const struct command command_host_add, command_host_import, command_host_list, command_host_show;
extern const struct command command_host_set, command_host_remove;

#endif
