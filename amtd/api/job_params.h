/* A job among the parameters of a call: `name`, `text`, `files`. */
#ifndef AMTD_API_JOB_PARAMS_H
#define AMTD_API_JOB_PARAMS_H

#include <jansson.h>

#include "amtd/jobs/job.h"

struct api_request;

/* NULL and err, *mistakes (owned) as in job_reading. */
struct job *job_from_params(const json_t *params, json_t **mistakes, struct err *err);
/* How hosts take their turns; -1 where params do not say. */
int job_rollout_read(const json_t *params, struct job_rollout *rollout, struct err *err);
/* The role that the job asks of whoever has it done; 0, or -1 and err (denied). */
int job_require(const struct api_request *rq, const struct job *job, struct err *err);

#endif
