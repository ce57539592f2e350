/* What is kept of runs of jobs: what each was made from, and the result of every task on every host. Inside
 * store work only; all return 0 or -1 with err.
 *
 * A run of a job is a run (tx_run_add) whose operations are its hosts, from begin to end; they stay open when
 * amtd ends, and are taken up by the next. */
#ifndef AMTD_STORE_JOBS_H
#define AMTD_STORE_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/store/store.h"

enum job_run_state { JOB_RUN_GOING, JOB_RUN_PAUSED, JOB_RUN_CANCELLED, JOB_RUN_OVER };

/* Strings are owned. */
struct job_record {
    struct run run; /* of tx_run_add; its task is "job" */
    char *name;
    char *hash;       /* of text and files */
    char *text;       /* the job file */
    char *files;      /* JSON: what it names */
    char *settings;   /* JSON: how hosts take their turns */
    char *order;      /* JSON: ids of the hosts, in the order in which they were to begin */
    char *schedule;   /* that began it, or NULL */
    char *reaction;   /* that began it, or NULL */
    char *event;      /* JSON: the event on which the reaction did, with `reactions`; or NULL */
    int64_t uid;      /* the account of who began it; -1: none */
    int64_t retry_of; /* the run whose failed hosts it repeats; 0: none */
    enum job_run_state state;
    bool held; /* with JOB_RUN_PAUSED: until its window comes */
};
void job_record_clear(struct job_record *record);

/* One task on one host. Of its operation, id and run_id are not used. */
struct job_result {
    int64_t run;
    uint32_t task; /* its number in the job, from 0 */
    char *label;   /* its name */
    char *kind;    /* "power" */
    bool skipped;  /* its condition did not hold; state is ok then */
    struct operation operation;
};
#define JOB_UNDO_BASE 1000 /* what takes back task n has the number JOB_UNDO_BASE + n */
void job_result_clear(struct job_result *result);

/* What tx_run_add does, and what makes it a job's. Ids come back in record->run.id and operations[i].id. */
int tx_job_add(struct tx *tx, struct job_record *record, struct operation *operations, size_t count,
               struct err *err);
/* Ends one that nobody can go on with: what was open fails with that cause. */
int tx_job_abandon(struct tx *tx, int64_t run, int64_t at_ms, const struct err *why, struct err *err);
int tx_job_state(struct tx *tx, int64_t run, enum job_run_state state, bool held, struct err *err);
/* All that are not over, oldest first. Caller's array. */
int tx_jobs_open(struct tx *tx, struct job_record **out, size_t *count, struct err *err);
/* Newest first, without text, files, settings and order. name, who NULL: all. */
int tx_jobs(struct tx *tx, const char *name, const char *who, size_t limit, struct job_record **out,
            size_t *count, struct err *err);
/* -1 and not-found: there is no such run, or it is none of a job. */
int tx_job_get(struct tx *tx, int64_t run, struct job_record *out, struct err *err);

/* The result as it is now, in place of what was written of it before. */
int tx_job_result_put(struct tx *tx, const struct job_result *result, struct err *err);
/* All of a run, or (host_id not 0) of one of its hosts; by host, then by number. Caller's array. */
int tx_job_results(struct tx *tx, int64_t run, int64_t host_id, struct job_result **out, size_t *count,
                   struct err *err);
/* Tells of those of one host, by number; what is told is borrowed. */
typedef void tell_job_result(void *arg, const struct job_result *result);
int tx_job_results_tell(struct tx *tx, int64_t run, int64_t host_id, tell_job_result *tell, void *arg,
                        struct err *err);
/* The hosts of a run that are still there. */
int tx_job_hosts(struct tx *tx, int64_t run, struct hosts *out, struct err *err);
/* Whether the query holds for the host; in it result.NAME and cause.NAME are those of the tasks of this run.
 */
int tx_host_matches(struct tx *tx, int64_t host_id, int64_t run, const struct query *query, bool *matches,
                    struct err *err);

#endif
