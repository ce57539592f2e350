/* A job file on amtd's own machine, read together with what it names: for jobs that amtd begins by itself.
 * Those of people are read by amtcli and sent. Reads files: not on the loop's thread while others wait. */
#ifndef AMTD_JOBS_JOB_SOURCE_H
#define AMTD_JOBS_JOB_SOURCE_H

#include <jansson.h>

#include "base/err.h"

/* What job_read takes; all of it is owned. */
struct job_source {
    char *name; /* of the file, without folder and ".yaml" */
    char *text;
    json_t *files;
};

/* Files that it names are looked for beside it, then in the library. -1 and err: not-found, system (it cannot
 * be read, is no plain file, or too long), invalid-argument (it has mistakes: *mistakes, as of job_reading,
 * is the caller's; else NULL). */
int job_source_read(const char *path, struct job_source *out, json_t **mistakes, struct err *err);
void job_source_clear(struct job_source *source);
void job_source_copy(struct job_source *to, const struct job_source *from);

#endif
