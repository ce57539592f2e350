#ifndef AMTCLI_CMD_JOB_H
#define AMTCLI_CMD_JOB_H

#include "amtcli/cmd.h"

extern const struct command command_job_check, command_job_run, command_job_list, command_job_show,
    command_job_watch, command_job_pause, command_job_resume, command_job_cancel, command_job_retry,
    command_job_schema;

#endif
