/* activity, activity verify, activity export. */
#ifndef AMTCLI_CMD_ACTIVITY_H
#define AMTCLI_CMD_ACTIVITY_H

#include "amtcli/cmd.h"

extern const struct command command_activity, command_activity_verify, command_activity_export;

#endif
