#ifndef AMTCLI_CMD_COMPLETION_H
#define AMTCLI_CMD_COMPLETION_H

#include "amtcli/cmd.h"

extern const struct command command_completion;

#endif
