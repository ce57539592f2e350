#ifndef AMTCLI_CMD_FILTER_FILE_H
#define AMTCLI_CMD_FILTER_FILE_H

#include "amtcli/cmd.h"

/* Filter files, without any device. */
extern const struct command command_filter_list, command_filter_show, command_filter_check;
extern const struct command command_filter_explain, command_filter_replay, command_filter_import;

#endif
