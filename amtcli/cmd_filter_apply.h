#ifndef AMTCLI_CMD_FILTER_APPLY_H
#define AMTCLI_CMD_FILTER_APPLY_H

#include "amtcli/cmd.h"

extern const struct command command_filter_apply, command_filter_ping, command_filter_remove,
    command_filter_status, command_filter_stats, command_filter_drift, command_filter_confirm;

#endif
