#ifndef AMTCLI_CMD_MAIL_H
#define AMTCLI_CMD_MAIL_H

#include "amtcli/cmd.h"

extern const struct command command_mail_login, command_mail_test;

#endif
