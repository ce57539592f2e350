/* Schedules: jobs that begin by themselves at their times. Loop's thread only.
 *
 * One run of a schedule at a time: what is due while the one before goes on is left out, and said so by an
 * event. What amtd slept through is left out, or done once (catch_up), one schedule after the other, so that
 * a morning after a night without power is no storm. */
#ifndef AMTD_JOBS_SCHEDULES_H
#define AMTD_JOBS_SCHEDULES_H

#include "amtd/jobs/cron.h"
#include "amtd/jobs/jobs.h"
#include "amtd/store/schedules.h"

struct schedules;

/* Pointers are borrowed and outlive it. */
struct schedules *schedules_new(const struct job_parts *parts, struct jobs *jobs);
/* Nothing begins any more; before jobs_stop. NULL is fine. */
void schedules_free(struct schedules *schedules);
/* Some were added, removed or changed in the store. */
void schedules_look(struct schedules *schedules);
/* Some are kept: amtd has something to do some day. */
bool schedules_pending(const struct schedules *schedules);

/* The times of one. NULL and err: it has mistakes. */
struct cron *schedule_cron(const struct schedule *schedule, struct err *err);

#endif
