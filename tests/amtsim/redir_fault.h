/* The faults of a scenario that show on a redirection session's wire. No I/O. */
#ifndef AMTSIM_REDIR_FAULT_H
#define AMTSIM_REDIR_FAULT_H

#include <stdint.h>

#include "base/buf.h"
#include "tests/amtsim/device.h"
#include "tests/amtsim/fault.h"

/* The fault that strikes at this point, counted; NULL: none. `on` and `bytes` as in fault_strike_at. Refusals
 * by status are not among them. */
const struct fault *redir_fault_at(struct device *device, enum fault_point at, const char *on,
                                   uint64_t bytes);
/* Appends what a fault says in place of the answer due there: garbage, or an answer with a false length. */
void redir_fault_put(const struct fault *fault, enum fault_point at, enum redir_kind kind, struct buf *out);

#endif
