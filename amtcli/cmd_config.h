#ifndef AMTCLI_CMD_CONFIG_H
#define AMTCLI_CMD_CONFIG_H

#include "amtcli/cmd.h"

extern const struct command command_config_show, command_config_check, command_config_diff,
    command_config_drift, command_config_apply, command_config_declare, command_config_declared,
    command_config_forget, command_config_schema;

#endif
