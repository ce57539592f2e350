#ifndef AMTCLI_CMD_UNPROVISION_H
#define AMTCLI_CMD_UNPROVISION_H

#include "amtcli/cmd.h"

extern const struct command command_unprovision;

#endif
