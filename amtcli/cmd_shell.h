#ifndef AMTCLI_CMD_SHELL_H
#define AMTCLI_CMD_SHELL_H

#include "amtcli/cmd.h"

extern const struct command command_shell;

#endif
