#ifndef AMTCLI_CMD_PASSWORD_H
#define AMTCLI_CMD_PASSWORD_H

#include "amtcli/cmd.h"

extern const struct command command_password_rotate, command_password_list, command_password_show,
    command_password_export, command_password_forget;

#endif
