/* The options of a job file, for reading it and for its schema. For job_*.c only. */
#ifndef AMTD_JOBS_JOB_FILE_H
#define AMTD_JOBS_JOB_FILE_H

#include "amtd/config_reader.h"

/* All ended by name NULL. */
extern const struct option job_options[];
extern const struct option job_rollout_options[];
extern const struct option job_task_options[];
extern const struct option job_retry_options[];

#endif
