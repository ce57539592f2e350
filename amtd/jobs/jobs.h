/* All runs of jobs under way. Loop's thread only. */
#ifndef AMTD_JOBS_JOBS_H
#define AMTD_JOBS_JOBS_H

#include "amtd/jobs/job_run.h"

struct jobs;

/* Takes up what an earlier amtd left. parts is borrowed, and so is all that it names. */
struct jobs *jobs_new(const struct job_parts *parts);
/* Leaves everything as it is, for the next amtd; calls done(arg) when nothing is waited for any more, and
 * frees itself. Before the engine stops. */
void jobs_stop(struct jobs *jobs, void (*done)(void *arg), void *arg);

/* Takes the order over. The watch may be NULL, and then *viewer; else that is set before anything is told. */
void jobs_run(struct jobs *jobs, struct job_order *order, const struct job_watch *watch,
              struct job_viewer **viewer);
/* What they work with; borrowed. */
const struct job_parts *jobs_parts(const struct jobs *jobs);
struct job_run *jobs_find(const struct jobs *jobs, int64_t run_id); /* NULL: not under way */
/* A run that the schedule began is under way. */
bool jobs_runs_schedule(const struct jobs *jobs, const char *schedule);
/* The same of a reaction, on this target. */
bool jobs_runs_reaction(const struct jobs *jobs, const char *reaction, const char *target);
size_t jobs_active(const struct jobs *jobs);

#endif
