/* A run on the screen: what is asked, the live line, the table at the end, the exit code. */
#ifndef AMTCLI_RUN_VIEW_H
#define AMTCLI_RUN_VIEW_H

#include <jansson.h>

#include "amtcli/cmd.h"
#include "amtcli/output.h"

enum run_shape { RUN_POWER, RUN_DETAIL_INFO, RUN_DETAIL_CHECKS };

/* Starts the run that params describe (taken), with the options of options_run added, asks when amtd wants
 * confirmation, shows it to its end, and returns the exit code. */
int run_and_show(struct context *ctx, json_t *params, enum run_shape shape);

/* Prints results that are already there, as for a live run. */
int show_results(const struct args *args, const json_t *results, enum run_shape shape);

#endif
