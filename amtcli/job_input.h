/* A job file as the command line names it: read, checked by amtd, with the files that it names. */
#ifndef AMTCLI_JOB_INPUT_H
#define AMTCLI_JOB_INPUT_H

#include <jansson.h>

#include "amtcli/cmd.h"

struct job_input {
    json_t *params;  /* name, text and files: of every call that takes a job */
    json_t *checked; /* {mistakes, files, job} as job.check says */
};

/* Reads FILE ("-": standard input) and what it names. Returns 0, also when there are mistakes; or the exit
 * code after a message. To be cleared in any case. */
int job_input_open(struct context *ctx, const char *path, struct job_input *input);
/* Has amtd look at the parameters again. The same as job_input_open. */
int job_input_check(struct context *ctx, struct job_input *input);
void job_input_clear(struct job_input *input);
/* The number of mistakes, each printed to stderr with its place. */
size_t job_input_tell(const struct job_input *input, const char *path);

#endif
