#ifndef AMTCLI_CMD_CERTIFICATE_H
#define AMTCLI_CMD_CERTIFICATE_H

#include "amtcli/cmd.h"

extern const struct command command_certificate_ca, command_certificate_client, command_certificate_list,
    command_certificate_issue, command_certificate_renew, command_certificate_check,
    command_certificate_remove;

#endif
