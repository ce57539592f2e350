#ifndef AMTCLI_CMD_CONSOLE_H
#define AMTCLI_CMD_CONSOLE_H

#include <jansson.h>

#include "amtcli/cmd.h"

extern const struct command command_console, command_console_list, command_console_show, command_console_who,
    command_console_send, command_console_message, command_console_note, command_console_break,
    command_console_up, command_console_down, command_console_logging, command_console_disconnect,
    command_console_roll;

/* Attaches to a console (with the usual settings) and, once it is up, starts the run (parameters of
 * run.start, taken): so that its boot is seen from the first byte on. Returns the exit code. */
int console_with_run(struct context *ctx, const char *name, json_t *run);

#endif
