#ifndef AMTCLI_CMD_SETTINGS_H
#define AMTCLI_CMD_SETTINGS_H

#include "amtcli/cmd.h"

extern const struct command command_redirection, command_consent, command_clock, command_alert;

#endif
