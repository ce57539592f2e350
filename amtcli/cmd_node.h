/* node, client, server, join: amtds and clients on other machines. */
#ifndef AMTCLI_CMD_NODE_H
#define AMTCLI_CMD_NODE_H

#include "amtcli/cmd.h"

extern const struct command command_node_invite, command_node_list, command_node_show, command_node_remove,
    command_node_join, command_client_invite, command_client_list, command_client_remove, command_server_list,
    command_server_remove, command_join;

#endif
