#ifndef AMTCLI_CMD_PROFILE_H
#define AMTCLI_CMD_PROFILE_H

#include "amtcli/cmd.h"

extern const struct command command_profile_add, command_profile_list, command_profile_show,
    command_profile_set, command_profile_remove;

#endif
