/* Scenarios: a YAML file that says how devices differ from the fleet's and what goes wrong with them.
 * The format is described in README.md. */
#ifndef AMTSIM_SCENARIO_H
#define AMTSIM_SCENARIO_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "tests/amtsim/fleet.h"

#define SCENARIO_MAX (4u << 20) /* bytes of a file */

/* Applies a scenario to a fleet whose machines are not started yet. 0, or -1 and err (invalid-argument); then
 * report holds a line for every mistake, "FILE:LINE:COLUMN: what, and what was expected", and the fleet is
 * unchanged. */
int scenario_apply(struct fleet *fleet, const char *path, struct buf *report, struct err *err);
/* The same from memory; name stands for the file in the report. */
int scenario_apply_text(struct fleet *fleet, const void *p, size_t n, const char *name, struct buf *report,
                        struct err *err);

#endif
