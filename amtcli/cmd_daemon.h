#ifndef AMTCLI_CMD_DAEMON_H
#define AMTCLI_CMD_DAEMON_H

#include "amtcli/cmd.h"

extern const struct command command_status, command_stop, command_calendar, command_manual,
    command_config_reload;

#endif
