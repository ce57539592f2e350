/* What job_host.c (from task to task), job_undo.c (taking back, another life), job_doubt.c (was it done?) and
 * job_save.c (results) share.
 * For them only. */
#ifndef AMTD_JOBS_JOB_HOST_INTERNAL_H
#define AMTD_JOBS_JOB_HOST_INTERNAL_H

#include "amtd/jobs/job_run_internal.h"

/* --- job_host.c, for job_undo.c --- */

int64_t job_host_wall(const struct job_host *h);
int64_t job_host_mono(const struct job_host *h);
/* The one that it is at. */
const struct job_task *job_host_task(const struct job_host *h);
/* The task has come to its end, after one try or several, and the next thing follows. attempt: the last try,
 * NULL: none was made on the device; was: what it found, or NULL; failure NULL: it went well. */
void job_host_task_over(struct job_host *h, struct attempt *attempt, const struct operation *was,
                        const struct err *failure);
/* The next try, after that time. False: there will be none. */
bool job_host_pause(struct job_host *h, int64_t pause_ms);
/* Why it failed. */
struct err job_host_failure(const struct operation *op);
bool job_host_pause_so(struct job_host *h, int64_t pause_ms, uv_timer_cb then);
/* The place of a result, emptied and named. */
struct job_result *job_host_result_at(struct job_host *h, uint32_t task, const char *label);
/* order: the job's, or given to h->attempt->own by the caller. */
void job_host_start_device(struct job_host *h, uint32_t task, const char *label,
                           const struct run_order *order);

/* A question to the store, whose answer the host waits for. */
struct question {
    struct job_host *h;
    const struct query *query;     /* does it hold? */
    const struct run_order *order; /* is it admitted? */
    bool matches;
    char *known;
    struct job_result *start; /* to be noted before amtd begins by itself */
};
struct question *job_host_ask(struct job_host *h, const struct run_order *order);
store_work job_host_ask_work;
/* To be called by the store_done: h->asked, h->matches and h->known are set, and `then` follows. */
void job_host_answered(void *data, const struct err *failure, void (*then)(struct job_host *h));

/* The host may have got another password since the run read them: by a task of the job, or while it was held.
 */
bool job_host_had_rotation(const struct job_host *h);
/* Reads the host's passwords and pins anew; then follows, with h->asked and h->renewed set. */
void job_host_renew(struct job_host *h, void (*then)(struct job_host *h));
void job_host_clear_passwords(struct job_host *h);

/* A try has come to its end. */
void job_host_attempt_over(struct job_host *h, struct attempt *attempt);

/* --- job_doubt.c --- */

/* Of a task that may have been done. True: it is found out, or is at an end; false: it is done anew. */
bool job_host_resolve_doubt(struct job_host *h);
/* What became of the attempt is not known, and can be found out. */
void job_host_doubt(struct job_host *h, struct attempt *attempt);
/* attempt has looked at the power state. */
void job_host_looked(struct job_host *h, struct attempt *attempt);

/* --- job_others.c --- */

/* True: the attempt did nothing because of another operation of amtd, and will be made once more. */
bool job_host_minds_others(struct job_host *h, struct attempt *attempt);
/* The same of what amtd does by itself. */
bool job_host_call_waits(struct job_host *h);

/* --- job_kept.c --- */

/* job_call.keep. */
void job_host_keep(struct job_call *call, void *work, void (*release)(void *work),
                   const struct err *(*lost)(const void *work));
/* Why a task failed: what a machine did not do because it had lost what an earlier task gave it, has that for
 * its cause. */
struct err job_host_blame(const struct job_host *h, const struct err *failure);

/* --- job_moved.c --- */

/* A try on the device failed as one does on a machine that went elsewhere: true when the store is asked. Then
 * the same is done at the host's new address, or job_host_attempt_over follows. */
bool job_host_seek(struct job_host *h, struct attempt *attempt);
/* What the attempt did not do, where the host is now, as whom it lets in now. The attempt is over. */
void job_host_once_more(struct job_host *h, struct attempt *attempt);
void job_host_clear_addresses(struct job_host *h);

/* --- job_save.c --- */

/* failure NULL: it went well. */
void job_host_set_failure(struct operation *op, const struct err *failure);
struct err job_host_failure_of(const struct job_result *result);
/* All of it is to's own. */
void job_host_copy(struct operation *to, const struct operation *from);

/* --- job_undo.c, for job_host.c --- */

/* An order of one host's own, for the i-th task: this task of the engine with these arguments (taken; may be
 * NULL). NULL: none. */
struct run_order *job_host_own_order(const struct job_host *h, size_t i, const char *engine, json_t *args);
/* Begins, or goes on, to take back what was done; the host's end follows. */
void job_host_undo_next(struct job_host *h);
void job_host_undo_over(struct job_host *h, struct attempt *attempt);

#endif
