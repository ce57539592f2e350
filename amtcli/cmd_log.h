#ifndef AMTCLI_CMD_LOG_H
#define AMTCLI_CMD_LOG_H

#include "amtcli/cmd.h"

extern const struct command command_log_show, command_log_follow, command_log_search, command_log_export,
    command_log_events, command_log_verify, command_log_print, command_log_mail;

#endif
