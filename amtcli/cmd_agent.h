#ifndef AMTCLI_CMD_AGENT_H
#define AMTCLI_CMD_AGENT_H

#include "amtcli/cmd.h"

extern const struct command command_agent_list, command_agent_add, command_agent_remove;

#endif
