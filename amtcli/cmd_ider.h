/* ider: serving images to a host. */
#ifndef AMTCLI_CMD_IDER_H
#define AMTCLI_CMD_IDER_H

#include "amtcli/cmd.h"

extern const struct command command_ider;

#endif
