#ifndef AMTCLI_CMD_FILTER_APPLY_H
#define AMTCLI_CMD_FILTER_APPLY_H

#include <jansson.h>

#include "amtcli/cmd.h"
#include "filters/file.h"

extern const struct command command_filter_apply, command_filter_ping, command_filter_remove,
    command_filter_status, command_filter_stats, command_filter_drift, command_filter_confirm;

/* The filter file that a word means, as one document; a name in `set` that neither it nor `also` (NULL: none)
 * has is a mistake. Sets `file` {name, text} and `addresses` (of host names
 * that it names, maybe of none) in args. 0, or the exit code after a message. */
int filter_file_take(const char *word, const json_t *set, const struct filter_file *also, json_t *args);

#endif
