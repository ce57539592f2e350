/* What the tasks of one host did is taken back; and where an earlier amtd left it. */
#include <stdlib.h>
#include <string.h>

#include "amtd/jobs/job_host_internal.h"
#include "base/log.h"
#include "base/xalloc.h"

#define UNDO_TRIES    3
#define UNDO_PAUSE_MS 5000

struct run_order *job_host_own_order(const struct job_host *h, size_t i, const char *engine, json_t *args)
{
    const struct job_task *task = &h->run->job->tasks[i];
    struct err err = ERR_INIT;
    struct run_order *own;

    if (!args)
        return NULL;
    own = xcalloc(1, sizeof(*own));
    own->task = task_by_name(engine);
    own->args = xcalloc(1, own->task->args_size + 1);
    own->who = xstrdup(h->run->order.who);
    own->profile = xstrdup(h->run->order.profile);
    if (own->task->parse(own->args, args, &err) != 0) {
        log_err(NULL, "job %s: '%s': %s", h->run->job->name, task->name, err.text);
        run_order_clear(own);
        free(own);
        own = NULL;
    }
    json_decref(args);
    return own;
}

/* --- taking back --- */

static void undo_ended(struct job_host *h)
{
    struct err failure = h->failure;
    size_t taken = 0, failed = 0;

    for (size_t i = 0; h->undone && i < h->run->job->count; i++) {
        taken += h->undone[i].label != NULL;
        failed += h->undone[i].label && h->undone[i].operation.state == OPERATION_FAILED;
    }
    if (failed > 0)
        err_set(&failure, failure.cause, "%s; %zu of %zu tasks could not be taken back", h->failure.text,
                failed, taken);
    else if (taken > 0)
        err_set(&failure, failure.cause, "%s; what was done before is taken back", h->failure.text);
    if (h->failure.code[0])
        err_code(&failure, "%s", h->failure.code);
    job_host_end(h, &failure);
}

/* A machine that the tasks before have just started refuses for a while. */
static bool undo_again(struct job_host *h, const struct operation *was)
{
    if (was->state != OPERATION_FAILED || h->undo_tries >= UNDO_TRIES ||
        job_cause_is_final(cause_by_name(was->cause)) || !job_host_pause(h, UNDO_PAUSE_MS))
        return false;
    h->undo_at++;
    return true;
}

void job_host_undo_over(struct job_host *h, struct attempt *attempt)
{
    struct job_result *result;

    if (undo_again(h, &attempt->record)) {
        job_run_forget(attempt, h->run);
        return;
    }
    result = job_host_result_at(h, attempt->task, attempt->label);
    job_host_copy(&result->operation, &attempt->record);
    result->operation.host_id = h->host->id;
    result->operation.tries = h->undo_tries;
    h->undo_tries = 0;
    job_run_save(h, attempt->task, attempt);
    job_host_undo_next(h);
}

/* What takes back the task with that number; NULL: nothing is to be. */
static struct run_order *undo_order(const struct job_host *h, size_t i)
{
    const struct job_task *task = &h->run->job->tasks[i];
    const struct operation *was = &h->results[i].operation;
    const char *engine = task->kind->task;
    json_t *args;

    if (!h->results[i].label || h->results[i].skipped || was->state != OPERATION_OK || !task->kind->undo)
        return NULL;
    args = task->kind->undo(task->args, was, &engine);
    return job_host_own_order(h, i, engine, args);
}

/* What went on after the task is over now; nothing is asked of the device. */
static void note_released(struct job_host *h)
{
    uint32_t task = (uint32_t)(JOB_UNDO_BASE + h->undo_at);
    struct job_result *result = job_host_result_at(h, task, h->run->undo_labels[h->undo_at]);

    result->operation.state = OPERATION_OK;
    result->operation.tries = 1;
    result->operation.began_ms = result->operation.ended_ms = job_host_wall(h);
    result->operation.message = xstrdup("what went on after it was ended");
    job_run_save(h, task, NULL);
}

static void undo_refused(struct job_host *h, const struct err *failure)
{
    uint32_t task = (uint32_t)(JOB_UNDO_BASE + h->undo_at);
    struct job_result *result = job_host_result_at(h, task, h->run->undo_labels[h->undo_at]);

    job_host_set_failure(&result->operation, failure);
    result->operation.began_ms = result->operation.ended_ms = job_host_wall(h);
    job_run_save(h, task, NULL);
    run_order_clear(h->undo_order);
    free(h->undo_order);
    h->undo_order = NULL;
    h->undo_tries = 0;
    job_host_undo_next(h);
}

static void undo_admitted(struct job_host *h)
{
    struct run_order *order = h->undo_order;
    struct err failure = h->asked;

    if (failure.cause != CAUSE_NONE) {
        undo_refused(h, &failure);
        return;
    }
    h->undo_order = NULL;
    job_host_start_device(h, (uint32_t)(JOB_UNDO_BASE + h->undo_at), h->run->undo_labels[h->undo_at], order);
    h->attempt->own = order;
}

static void undo_answered(void *data, const struct err *failure)
{
    job_host_answered(data, failure, undo_admitted);
}

/* The last first. What was taken back in another life stays so. */
void job_host_undo_next(struct job_host *h)
{
    bool released;

    if (!h->undone) {
        h->undone = xcalloc(h->run->job->count + 1, sizeof(*h->undone));
        h->undo_at = h->at;
    }
    while (h->undo_at > 0) {
        h->undo_at--;
        released = job_host_release_task(h, h->undo_at);
        if (h->undone[h->undo_at].label)
            continue;
        h->undo_order = undo_order(h, h->undo_at);
        if (!h->undo_order) {
            if (released)
                note_released(h);
            continue;
        }
        h->tries = ++h->undo_tries;
        h->asked = (struct err)ERR_INIT;
        if (h->undo_order->task->keeping && h->undo_order->task->keeping->admit)
            job_run_ask(h->run, job_host_ask_work, undo_answered, job_host_ask(h, h->undo_order));
        else
            undo_admitted(h);
        return;
    }
    undo_ended(h);
}

/* --- another life --- */

static void take_past(struct job_host *h, struct job_result *past)
{
    size_t i = past->task % JOB_UNDO_BASE;

    if (i >= h->run->job->count || past->operation.state == OPERATION_STARTED)
        return;
    if (past->task >= JOB_UNDO_BASE && !h->undone)
        h->undone = xcalloc(h->run->job->count + 1, sizeof(*h->undone));
    (past->task < JOB_UNDO_BASE ? h->results : h->undone)[i] = *past;
    memset(past, 0, sizeof(*past));
}

bool job_host_restore(struct job_host *h, struct job_result *past, size_t count)
{
    const struct job *job = h->run->job;
    const struct job_result *last;

    if (count == 0)
        return false;
    h->results = xcalloc(job->count + 1, sizeof(*h->results));
    h->record->began_ms = past[0].operation.began_ms;
    for (size_t i = 0; i < count; i++) {
        const struct operation *op = &past[i].operation;

        if (op->state == OPERATION_STARTED && past[i].task < job->count) {
            h->in_doubt = h->taken_up = true;
            h->doubt_mono = job_host_mono(h);
            h->tries = op->tries;
            h->accepted = op->message && strcmp(op->message, JOB_ACCEPTED) == 0;
            h->began_ms = op->began_ms;
            err_set(&h->doubt, CAUSE_INTERRUPTED, "amtd ended after it was or may have been done");
        }
        take_past(h, &past[i]);
    }
    while (
        h->at < job->count && h->results[h->at].label &&
        (h->results[h->at].operation.state == OPERATION_OK || job->tasks[h->at].on_failure == JOB_CONTINUE))
        h->at++;
    last = &h->results[h->at];
    if (h->at < job->count && last->label && job->tasks[h->at].on_failure == JOB_UNDO) {
        h->undoing = true;
        h->undo_at = h->at;
        h->failure = job_host_failure_of(last);
        if (!h->undone)
            h->undone = xcalloc(job->count + 1, sizeof(*h->undone));
    }
    return true;
}
