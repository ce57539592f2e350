#ifndef AMTCLI_CMD_SCHEDULE_H
#define AMTCLI_CMD_SCHEDULE_H

#include "amtcli/cmd.h"

extern const struct command command_schedule_add, command_schedule_set, command_schedule_run,
    command_schedule_list, command_schedule_show, command_schedule_next, command_schedule_enable,
    command_schedule_disable, command_schedule_remove, command_job_schedule;

#endif
