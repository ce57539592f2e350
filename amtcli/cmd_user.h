#ifndef AMTCLI_CMD_USER_H
#define AMTCLI_CMD_USER_H

#include "amtcli/cmd.h"

extern const struct command command_user;

#endif
