/* discover, discover list, show, diff, cancel. */
#ifndef AMTCLI_CMD_DISCOVER_H
#define AMTCLI_CMD_DISCOVER_H

#include <jansson.h>

#include "amtcli/cmd.h"

/* The options that say how a sweep is done, as parameters of discover.start; 0, or EXIT_USAGE after a
 * message. */
int discover_take(const struct args *args, json_t *params);
/* Orders a sweep with the parameters of discover.start (taken), shows it to its end, and returns the exit
 * code. */
int discover_and_show(struct context *ctx, json_t *params);

extern const struct command command_discover, command_discover_list, command_discover_show,
    command_discover_diff, command_discover_cancel;

#endif
