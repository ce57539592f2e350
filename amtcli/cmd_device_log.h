/* eventlog and auditlog: read, show, search, export. */
#ifndef AMTCLI_CMD_DEVICE_LOG_H
#define AMTCLI_CMD_DEVICE_LOG_H

#include "amtcli/cmd.h"

extern const struct command command_eventlog_read, command_eventlog_show, command_eventlog_search,
    command_eventlog_export, command_auditlog_read, command_auditlog_show, command_auditlog_search,
    command_auditlog_export;

#endif
