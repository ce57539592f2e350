/* grant add, list, remove. */
#ifndef AMTCLI_CMD_GRANT_H
#define AMTCLI_CMD_GRANT_H

#include "amtcli/cmd.h"

extern const struct command command_grant_add, command_grant_list, command_grant_remove;

#endif
