#ifndef AMTCLI_CMD_AGENT_H
#define AMTCLI_CMD_AGENT_H

#include "amtcli/cmd.h"

extern const struct command command_worm_show, command_worm_set, command_worm_reset;
extern const struct command command_agent_list, command_agent_add, command_agent_remove;

#endif
