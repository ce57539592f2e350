/* What --help prints, from the tables. */
#ifndef AMTCLI_HELP_H
#define AMTCLI_HELP_H

#include "amtcli/cmd.h"

extern const struct option_row help_options[];
extern const struct command command_help, command_version;

void help_command(const struct command *command);
/* The first page: what commands are about, the most used first. */
void help_topics(void);
/* Lists the commands that begin with the words of prefix; "" lists all. Returns how many. */
size_t help_list(const char *prefix);

#endif
