/* All commands, in the order in which help shows them. */
#include "amtcli/cmd.h"
#include "amtcli/cmd_agent.h"
#include "amtcli/cmd_collection.h"
#include "amtcli/cmd_completion.h"
#include "amtcli/cmd_console.h"
#include "amtcli/cmd_daemon.h"
#include "amtcli/cmd_discover.h"
#include "amtcli/cmd_event.h"
#include "amtcli/cmd_filter_apply.h"
#include "amtcli/cmd_filter_file.h"
#include "amtcli/cmd_host.h"
#include "amtcli/cmd_ider.h"
#include "amtcli/cmd_job.h"
#include "amtcli/cmd_log.h"
#include "amtcli/cmd_password.h"
#include "amtcli/cmd_profile.h"
#include "amtcli/cmd_run.h"
#include "amtcli/cmd_settings.h"
#include "amtcli/cmd_shell.h"
#include "amtcli/help.h"

const struct command *const commands[] = {
    &command_host_add,
    &command_host_import,
    &command_host_list,
    &command_host_show,
    &command_host_set,
    &command_host_remove,
    &command_discover,
    &command_discover_list,
    &command_discover_show,
    &command_discover_diff,
    &command_discover_cancel,
    &command_collection_add,
    &command_collection_list,
    &command_collection_show,
    &command_collection_remove,
    &command_profile_add,
    &command_profile_list,
    &command_profile_show,
    &command_profile_set,
    &command_profile_remove,
    &command_profile_test,
    &command_password_rotate,
    &command_password_list,
    &command_password_show,
    &command_password_forget,
    &command_power_status,
    &command_power_on,
    &command_power_off,
    &command_power_cycle,
    &command_power_reset,
    &command_power_soft_off,
    &command_power_soft_reset,
    &command_power_sleep,
    &command_power_hibernate,
    &command_power_nmi,
    &command_boot,
    &command_filter_apply,
    &command_filter_ping,
    &command_filter_remove,
    &command_filter_status,
    &command_filter_stats,
    &command_filter_drift,
    &command_filter_confirm,
    &command_agent_list,
    &command_agent_add,
    &command_agent_remove,
    &command_worm_show,
    &command_worm_set,
    &command_worm_reset,
    &command_ider,
    &command_redirection,
    &command_consent,
    &command_clock,
    &command_alert,
    &command_filter_list,
    &command_filter_show,
    &command_filter_check,
    &command_filter_explain,
    &command_filter_replay,
    &command_filter_import,
    &command_info,
    &command_doctor,
    &command_console,
    &command_console_list,
    &command_console_show,
    &command_console_who,
    &command_console_send,
    &command_console_message,
    &command_console_note,
    &command_console_break,
    &command_console_up,
    &command_console_down,
    &command_console_logging,
    &command_console_disconnect,
    &command_console_roll,
    &command_log_show,
    &command_log_follow,
    &command_log_search,
    &command_log_export,
    &command_log_events,
    &command_log_verify,
    &command_log_print,
    &command_job_check,
    &command_job_schema,
    &command_run_list,
    &command_run_show,
    &command_run_cancel,
    &command_event_list,
    &command_event_follow,
    &command_event_show,
    &command_activity,
    &command_calendar,
    &command_status,
    &command_stop,
    &command_shell,
    &command_completion,
    &command_manual,
    &command_help,
    &command_version,
    NULL,
};
