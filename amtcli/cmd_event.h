#ifndef AMTCLI_CMD_EVENT_H
#define AMTCLI_CMD_EVENT_H

#include "amtcli/cmd.h"

extern const struct command command_event_list, command_event_follow, command_event_show;

#endif
