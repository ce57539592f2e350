/* purge, purge show. */
#ifndef AMTCLI_CMD_PURGE_H
#define AMTCLI_CMD_PURGE_H

#include "amtcli/cmd.h"

extern const struct command command_purge, command_purge_show;

#endif
