/* What is learned in an operation: of the machine, by its session and by the task. For host_op*.c only. */
#ifndef AMTD_FLEET_HOST_OP_INTERNAL_H
#define AMTD_FLEET_HOST_OP_INTERNAL_H

#include "amtd/fleet/host_op.h"

/* What the session saw on the way is worth remembering even when the task failed; what tells machines apart
 * only of the host's own. */
void host_op_learn(struct host_op *op, const struct err *failure);
/* What the task found becomes the record's and the facts'. */
void host_op_take_finding(struct host_op *op, const struct err *failure);

/* Before the work begins: the device is going to be changed, and nothing proves that it is the host's. */
bool host_op_must_ask(const struct host_op *op);
/* The machine has told its UUID, or "" and why it did not. -1 with err (wrong-machine): it is not the host.
 */
int host_op_hear_machine(struct host_op *op, const char *uuid, const struct err *why, struct err *err);
/* The same of a task that is done, and that changed nothing: it may have read the UUID, too. */
int host_op_found_machine(struct host_op *op, struct err *err);
/* What was learned of the machine since it was asked, to be written down before it is changed; the caller's.
 */
struct pairs host_op_identity(struct host_op *op);

#endif
