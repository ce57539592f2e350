/* The activity log's entries: what was done, or tried and denied, by a caller. */
#ifndef AMTD_API_ACTIVITY_H
#define AMTD_API_ACTIVITY_H

#include <stdint.h>

#include "base/err.h"
#include "base/hostlist.h"

struct daemon;

struct deed {
    const char *who; /* "uid 1000 (anna)" */
    const char *by;  /* by which means: "socket" */
    const char *what;
    const char *target;           /* as given, or NULL */
    const struct hostlist *hosts; /* what it came to, or NULL */
    const struct err *err;        /* NULL: it went well */
    const char *result;           /* without err: NULL is "ok" */
    const char *detail;           /* without err: or NULL */
    int64_t run;                  /* the run it began, or 0 */
};
/* Handed to the store; a failure is logged. Loop's thread. */
void activity_write(struct daemon *daemon, const struct deed *deed);
/* So many denials of somebody had no rows (denials.h); arg is the daemon. */
void activity_left_out(void *arg, const char *who, uint32_t count);
/* What amtd removed by itself (fleet/purge.h); arg is the daemon. */
void activity_purged(void *arg, const char *text, const struct err *failure);

#endif
