/* Schedules: jobs that begin by themselves. Inside store work only; all return 0 or -1 with err. */
#ifndef AMTD_STORE_SCHEDULES_H
#define AMTD_STORE_SCHEDULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/store/store.h"

/* Strings are owned. */
struct schedule {
    int64_t id;
    char *name; /* unique */
    char *cron; /* cron.h; NULL: by every_ms */
    int64_t every_ms;
    char *zone;
    char *window;  /* NULL: all day */
    bool catch_up; /* what amtd slept through is done once when it is back; else it is left out */
    bool enabled;
    char *job, *text, *files; /* as of struct job_record; all empty where it is a sweep */
    char *discover;           /* JSON: the sweep (amtd/discover/discovery.h); NULL: a job */
    char *target;
    char *settings; /* JSON: what was said of the rollout, and a profile */
    char *who;
    int64_t uid;
    int64_t created_ms;
    int64_t last_ms;  /* when it was last due and looked at; 0: never */
    int64_t last_run; /* that it began; 0: none */
    int64_t last_sweep;
    bool sweep_left; /* which did not end; by reading only */
    char *last_note; /* why the last one was not begun, or NULL */
};
void schedule_clear(struct schedule *schedule);

int tx_schedule_add(struct tx *tx, const struct schedule *schedule, struct err *err); /* exists */
/* The one of this name becomes what schedule says, whether it is enabled and what it did last apart. What was
 * due until created_ms does not count. not-found */
int tx_schedule_replace(struct tx *tx, const struct schedule *schedule, struct err *err);
int tx_schedule_remove(struct tx *tx, const char *name, struct err *err); /* not-found */
int tx_schedule_enable(struct tx *tx, const char *name, bool enabled, int64_t now_ms, struct err *err);
/* Those that were looked at more than most_ms from now in the future: the clock was wrong then. They are as
 * if they had been looked at now. */
int tx_schedules_rewind(struct tx *tx, int64_t now_ms, int64_t most_ms, struct err *err);
/* What became of it when it was due: the run or the sweep that began (else 0), or why none did (else NULL).
 */
int tx_schedule_done(struct tx *tx, int64_t id, int64_t at_ms, int64_t run, int64_t sweep, const char *note,
                     struct err *err);
/* All, by name. Caller's array. */
int tx_schedules(struct tx *tx, struct schedule **out, size_t *count, struct err *err);
int tx_schedule_get(struct tx *tx, const char *name, struct schedule *out, struct err *err);

#endif
