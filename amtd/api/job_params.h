/* A job among the parameters of a call: `name`, `text`, `files`. */
#ifndef AMTD_API_JOB_PARAMS_H
#define AMTD_API_JOB_PARAMS_H

#include <jansson.h>

#include "amtd/jobs/job.h"

/* NULL and err, *mistakes (owned) as in job_reading. */
struct job *job_from_params(const json_t *params, json_t **mistakes, struct err *err);
/* How hosts take their turns; -1 where params do not say. */
int job_rollout_read(const json_t *params, struct job_rollout *rollout, struct err *err);

#endif
