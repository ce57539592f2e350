/* A job: a sequence of tasks for each host of a target, out of a job file (docs/jobs.md).
 *
 * A job is read whole: every mistake is told, with its place. What it needs of other files (a filter file) is
 * sent along with it, so that it stays the same whatever becomes of them. */
#ifndef AMTD_JOBS_JOB_H
#define AMTD_JOBS_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/jobs/job_kind.h"
#include "amtd/store/query.h"
#include "amtd/store/rights.h"

#define JOB_BYTES_MAX   (1024 * 1024) /* of the text */
#define JOB_TASKS_MAX   100
#define JOB_NAME_MAX    64 /* bytes of a name, of job or task */
#define JOB_RETRIES_MAX 100

enum job_on_failure {
    JOB_STOP,     /* the host ends here, failed */
    JOB_CONTINUE, /* it goes on as if nothing had been */
    JOB_UNDO,     /* what the tasks before did is taken back, last first; then as JOB_STOP */
};

/* Strings, args and when are owned by the job. */
struct job_task {
    char *name; /* unique in the job; when the file gives none the kind's, "power", "power-2" */
    const struct job_kind *kind;
    json_t *args;              /* as the kind shaped them */
    const struct task *engine; /* that does it; NULL: the kind's action does */
    json_t *task_args;         /* for the engine; NULL with action */
    int64_t timeout_ms;        /* for one try; 0: as long as task or action want */
    uint32_t retries;          /* after the first try */
    int64_t pause_ms;          /* before each */
    int on_failure;            /* enum job_on_failure */
    char *when;                /* a query; NULL: always */
    size_t line;               /* of the file, from 1 */
};

/* How the hosts take their turns; see run_order. -1: the file does not say. */
struct job_rollout {
    int64_t parallel, per_subnet, canary, batch, pause_ms, max_failures;
};

struct job {
    char *name;
    char *text; /* for people, or NULL */
    char *hash; /* SHA-256 of what was read, hex */
    struct job_rollout rollout;
    int64_t timeout_ms; /* for one host from its first task on; 0: no limit */
    struct job_task *tasks;
    size_t count;
};

/* A file that a job names. */
struct job_file {
    char *name;       /* as it stands there */
    const char *kind; /* of the task that names it */
    json_t *set;      /* that task's names and what they stand for, or NULL */
};

struct job_reading {
    json_t *mistakes;       /* array of {line, column, text}; both from 1, 0: of the whole */
    struct job_file *files; /* that the job names, each once, whether or not they were given */
    size_t file_count;
};
void job_reading_clear(struct job_reading *reading);

/* Reads n bytes of YAML. files: {NAME: {"name", "text", ...}}, what the files that it names hold; NULL: they
 * are not known yet, and not missed. NULL and reading->mistakes when there are any; reading is to be cleared
 * in any case. The job's name is the file's `name`, else fallback. */
struct job *job_read(const char *fallback, const void *text, size_t n, const json_t *files,
                     struct job_reading *reading);
void job_free(struct job *job); /* NULL is fine */
/* Filters learn what the tasks behind them need, so that they refuse to cut that off. For job_read.c. */
void job_share_needs(struct job *job);

/* The engine's own form of a task's arguments. NULL and err; also for one by action, without err. To be freed
 * by job_task_drop. */
void *job_task_parse(const struct job_task *task, struct err *err);
void job_task_drop(const struct job_task *task, void *args); /* NULL is fine */
/* For one try, or for what is done until it holds; 0: as long as the engine's task wants. */
int64_t job_task_timeout(const struct job_task *task);
/* It changes something on hosts. */
bool job_changes(const struct job *job);
/* The highest role that one of its tasks asks for, on each host. */
enum api_role job_role(const struct job *job);
/* The task of that name; job->count: none. */
size_t job_find(const struct job *job, const char *name, size_t n);
/* After this failure another try would end the same way, or do harm. */
bool job_cause_is_final(enum cause cause);
/* By this the device has said that it did not do it. */
bool job_cause_is_refusal(enum cause cause);
/* Tasks and their settings, for people and programs. Caller's. */
json_t *job_json(const struct job *job);
/* What the file may hold, as JSON Schema (docs/job.schema.json). Caller's. */
json_t *job_schema(void);

#endif
