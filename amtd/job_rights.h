/* What jobs and schedules ask of the floor above: who somebody is, what he may do at a console, and a line in
 * the activity log. */
#ifndef AMTD_JOB_RIGHTS_H
#define AMTD_JOB_RIGHTS_H

#include "amtd/jobs/job_run.h"

struct daemon;

/* Fills console_right, look_up, note and their arg. */
void job_rights_fill(struct job_parts *parts, struct daemon *daemon);

#endif
