/* What the files of an operation share: host_op.c (its life: logins, reaching, what is written down),
 * host_op_work.c (its turn on the device), host_op_learn.c (what is learned of the machine, by its session
 * and by the task). For them only. */
#ifndef AMTD_FLEET_HOST_OP_INTERNAL_H
#define AMTD_FLEET_HOST_OP_INTERNAL_H

#include "amtd/fleet/host_op.h"

/* --- host_op.c --- */
const struct session_guard *host_op_guard(const struct host_op *op); /* NULL: there are no sessions */
int64_t host_op_mono(const struct host_op *op);
uv_timer_t *host_op_timer(struct host_op *op);
void host_op_keep_failure(struct err **kept, const struct err *failure);
/* Lets go of everything on the way to the device. */
void host_op_leave(struct host_op *op, bool keep);
void host_op_drop_work(struct host_op *op);
/* After a failure: goes on with the next login, or ends. */
void host_op_next_login(struct host_op *op, const struct err *failure);
/* Of the runner (runner_owner): what may change the device is written down before it is sent. */
void host_op_before_change(void *arg, struct runner *runner);
/* Opens the console again that was set aside. */
void host_op_bring_back(struct host_op *op);
void host_op_end(struct host_op *op, const struct err *failure); /* failure NULL: it went well */

/* --- host_op_learn.c --- */
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
