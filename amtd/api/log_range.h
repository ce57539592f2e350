/* Which part of a log a call is about (docs/api.md, "Range of a log"). */
#ifndef AMTD_API_LOG_RANGE_H
#define AMTD_API_LOG_RANGE_H

#include <jansson.h>

#include "amtd/console/clog.h"
#include "amtd/console/log_times.h"
#include "base/err.h"

struct log_range {
    uint64_t from, to;          /* offsets; UINT64_MAX: the end */
    int64_t since_ms, until_ms; /* wall clock; 0: not given */
    int64_t boot;               /* -1: not given */
    int64_t lines;              /* 0: not given */
};

/* The parameters of every call with a range, for calls.c. */
#define LOG_RANGE_PARAMS                                                                                     \
    {"from", API_INTEGER, false, "offset"}, {"to", API_INTEGER, false, "offset"},                            \
        {"since_ms", API_INTEGER, false, "how long ago"}, {"until_ms", API_INTEGER, false, "how long ago"},  \
        {"since", API_STRING, false, "RFC 3339"}, {"until", API_STRING, false, "RFC 3339"},                  \
        {"lines", API_INTEGER, false, "the last so many"},                                                   \
    {                                                                                                        \
        "boot", API_INTEGER, false, "0: the last one"                                                        \
    }

/* -1 and err (invalid-argument). */
int log_range_read(const json_t *params, struct log_range *range, struct err *err);
/* On the loop's thread: `lines` becomes an offset, and what waits is written. Afterwards from and to lie in
 * the log. */
void log_range_settle(struct log_range *range, struct clog *log);
/* On any thread: times and boots become offsets. -1 and err: not-found (no such boot). */
int log_range_resolve(struct log_range *range, struct log_times *times, struct err *err);

#endif
