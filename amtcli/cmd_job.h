#ifndef AMTCLI_CMD_JOB_H
#define AMTCLI_CMD_JOB_H

#include "amtcli/cmd.h"

extern const struct command command_job_check, command_job_schema;

#endif
