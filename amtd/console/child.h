/* A child process on a terminal of its own. It is always reaped, also when nobody is interested in it any
 * more. */
#ifndef AMTD_CONSOLE_CHILD_H
#define AMTD_CONSOLE_CHILD_H

#include <stdbool.h>
#include <uv.h>

#include "base/err.h"

struct child;

/* Runs `/bin/sh -c COMMAND` as the leader of a session whose terminal is *fd's other end (an 80x24 one; *fd
 * is non-blocking and belongs to the caller). ended is called once, later, with one line about how it ended
 * ("exit status 1", "killed by signal 9", "exit status 0" with good set); not after child_forget. NULL and
 * err. */
struct child *child_start(uv_loop_t *loop, const char *command, int *fd,
                          void (*ended)(void *arg, bool good, const char *how), void *arg, struct err *err);
/* Ends it (hang-up, and after a while kill) and reaps it some time. Not after `ended`. */
void child_forget(struct child *child);

#endif
