#ifndef AMTCLI_CMD_COLLECTION_H
#define AMTCLI_CMD_COLLECTION_H

#include "amtcli/cmd.h"

extern const struct command command_collection_add, command_collection_list, command_collection_show,
    command_collection_remove, command_collection_set;

#endif
