/* A run on the screen: what is asked, the live line, Ctrl-C, the results at the end. */
#ifndef AMTCLI_RUN_VIEW_H
#define AMTCLI_RUN_VIEW_H

#include <jansson.h>

#include "amtcli/cmd.h"
#include "amtcli/result_view.h"

/* The parameters of run.start. Takes args; the rest is borrowed. Owned by the caller. */
json_t *run_params(const char *task, json_t *args, const char *target);

/* Sets what options_run say. */
void run_options(json_t *params, const struct args *args);

/* Starts the run that params describe (taken), with the options of options_run added, asks when amtd wants
 * confirmation, shows it to its end, and returns the exit code. */
int run_and_show(struct context *ctx, json_t *params, enum result_shape shape);

/* The same with a call that answers like run.start: job.run and its like. params is taken. Of job.watch also
 * RUN_NOT_UNDER_WAY, with nothing said: the run is over, or never was. */
#define RUN_NOT_UNDER_WAY (-1)
int call_and_show(struct context *ctx, const char *call, json_t *params, enum result_shape shape);

#endif
