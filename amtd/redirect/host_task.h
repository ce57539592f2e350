/* A task on one host, ordered by amtd itself: a run like any other, so that it finds the right profile, waits
 * its turn and is written down. Loop's thread only. */
#ifndef AMTD_REDIRECT_HOST_TASK_H
#define AMTD_REDIRECT_HOST_TASK_H

#include <jansson.h>

#include "amtd/redirect/redirect.h"

struct host_task;

/* op: what became of it, NULL when it never began; failure NULL: it went well. Both borrowed. */
typedef void host_task_done(void *arg, const struct operation *op, const struct err *failure);

/* Takes args. done follows, never from inside this call. */
struct host_task *host_task_start(struct redirect *redirect, const char *host, const char *task, json_t *args,
                                  const char *who, host_task_done *done, void *arg);
/* What was begun goes on; nobody hears of it. NULL is fine. */
void host_task_forget(struct host_task *task);

#endif
