/* Preparing a host for a session: the task `prepare` (amtd/fleet/task_prepare.c), and what it found. */
#ifndef AMTD_REDIRECT_PREPARE_H
#define AMTD_REDIRECT_PREPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "amtd/redirect/redirect.h"

struct prepared {
    const char *changes; /* what was switched on, one line; NULL: nothing was */
    bool waits;          /* the user's consent is wanted and not given yet; a code is on the screen */
    int64_t code_timeout_s;
    const char *holder; /* newest line of the device's log of sessions, "" none */
};

/* failure NULL: prepared is set, and borrowed. Else causes of any WS-Management operation. */
typedef void prepare_done(void *arg, const struct prepared *prepared, const struct err *failure);

struct preparation;
/* kind: "sol" or "ider". look: change nothing. done follows, never from inside this call. */
struct preparation *prepare_start(struct redirect *redirect, const char *host, const char *kind, bool look,
                                  prepare_done *done, void *arg);
/* What was begun goes on; nobody hears of it. NULL is fine. */
void prepare_forget(struct preparation *preparation);

#endif
