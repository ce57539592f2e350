#ifndef AMTCLI_CMD_RUN_H
#define AMTCLI_CMD_RUN_H

#include "amtcli/cmd.h"

extern const struct command command_power_status, command_power_on, command_power_off, command_power_cycle,
    command_power_reset, command_power_soft_off, command_power_soft_reset, command_power_sleep,
    command_power_hibernate, command_power_nmi;
extern const struct command command_boot, command_info, command_doctor, command_profile_test;
extern const struct command command_run_list, command_run_show, command_run_cancel;

#endif
