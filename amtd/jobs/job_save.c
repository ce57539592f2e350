/* What runs of jobs write down. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "amtd/jobs/job_host_internal.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

#define SAVE_AGAIN_MS 5000

static int save_work(struct tx *tx, void *data, struct err *err)
{
    const struct saving *s = data;
    const struct run *run = &s->h->run->record.run;

    if (!s->result)
        return tx_operation_end(tx, s->h->record, err);
    if (tx_job_result_put(tx, s->result, err) != 0)
        return -1;
    if (s->attempt)
        return tx_host_op_end(tx, &s->attempt->op, run, err);
    return s->finding && s->finding->facts.count > 0
               ? tx_host_facts(tx, s->h->host->id, &s->finding->facts, err)
               : 0;
}

void job_run_saving_free(struct saving *s)
{
    if (s->attempt) {
        host_op_clear(&s->attempt->op);
        operation_clear(&s->attempt->record);
        if (s->attempt->own)
            run_order_clear(s->attempt->own);
        free(s->attempt->own);
        free(s->attempt);
    }
    if (s->finding) {
        finding_clear(s->finding);
        free(s->finding);
    }
    free(s);
}

static void tell_saved(const struct saving *s)
{
    struct job_run *run = s->h->run;
    const struct operation *record = s->h->record;

    if (s->result) {
        struct operation *op = &s->result->operation;
        const struct job_task *task = &run->job->tasks[s->result->task % JOB_UNDO_BASE];

        if (!task->kind->recalls) {
            free(op->detail); /* it is in the store, and large */
            op->detail = NULL;
        }
        run->kept_changed |= s->attempt && s->attempt->op.order->task->keeping;
        job_run_add_news(run, s->h, s->result->task);
        return;
    }
    if (record->state == OPERATION_OK)
        run->record.run.ok++;
    else
        run->record.run.failed++;
    rollout_result(run->rollout);
    job_run_add_news(run, s->h, JOB_HOST_ENDED);
}

static void saved(void *data, const struct err *failure)
{
    struct saving *s = data;
    struct job_run *run = s->h->run;

    run->pending--;
    if (failure && failure->cause == CAUSE_STORE_FAILED && !run->dropped) {
        DL_APPEND(run->unsaved, s);
        if (run->save_at == 0)
            log_err(NULL, "run=%lld results cannot be written down, trying again: %s",
                    (long long)run->record.run.id, failure->text);
        run->save_at = clock_mono(run->parts->run->clock) + SAVE_AGAIN_MS;
    } else {
        if (failure) /* for one, the host was removed meanwhile */
            log_warn(NULL, "host=%s result not kept: %s", s->h->host->name, failure->text);
        tell_saved(s);
        job_run_saving_free(s);
    }
    job_run_wake(run);
}

/* how: of the store; STORE_LATER, or 0 when the rest of the run waits for it. */
static void submit(struct job_run *run, unsigned how, struct saving *s)
{
    run->pending++;
    store_submit_so(run->parts->run->store, how | STORE_AGAIN, save_work, saved, s);
}

void job_run_save_again(struct job_run *run)
{
    struct saving *s, *next, *list = run->unsaved;

    run->unsaved = NULL;
    run->save_at = 0;
    DL_FOREACH_SAFE(list, s, next)
    submit(run, STORE_LATER, s);
}

void job_run_save(struct job_host *h, uint32_t task, struct attempt *attempt)
{
    struct saving *s = xcalloc(1, sizeof(*s));

    s->h = h;
    s->attempt = attempt;
    s->result = &(task < JOB_UNDO_BASE ? h->results : h->undone)[task % JOB_UNDO_BASE];
    s->finding = h->finding;
    h->finding = NULL;
    submit(h->run, STORE_LATER, s);
}

void job_run_save_host(struct job_host *h)
{
    struct saving *s = xcalloc(1, sizeof(*s));
    const struct operation *record = h->record;

    s->h = h;
    rollout_over(h->run->rollout, (size_t)(h - h->run->members), record->state == OPERATION_OK,
                 record->cause ? cause_by_name(record->cause) : CAUSE_NONE, h->host->name);
    submit(h->run, rollout_wants_results(h->run->rollout) ? 0 : STORE_LATER, s);
}

static void forgotten(void *data, const struct err *failure)
{
    struct saving *s = data;
    struct job_run *run = s->h->run;

    (void)failure;
    run->pending--;
    job_run_saving_free(s);
    job_run_wake(run);
}

static void forget(struct attempt *attempt, struct job_run *run, store_work *work)
{
    struct saving *s = xcalloc(1, sizeof(*s));

    s->h = attempt->host;
    s->attempt = attempt;
    run->pending++;
    store_submit_later(run->parts->run->store, work, forgotten, s);
}

void job_run_forget(struct attempt *attempt, struct job_run *run)
{
    forget(attempt, run, NULL);
}

static int settle_work(struct tx *tx, void *data, struct err *err)
{
    const struct saving *s = data;

    return tx_host_op_end(tx, &s->attempt->op, &s->h->run->record.run, err);
}

void job_run_settle(struct attempt *attempt, struct job_run *run)
{
    run->kept_changed |= attempt->op.order->task->keeping != NULL;
    forget(attempt, run, attempt->op.order->task->keeping ? settle_work : NULL);
}

void job_run_ask(struct job_run *run, store_work *work, store_done *done, void *data)
{
    run->pending++; /* done counts it back */
    store_submit_later(run->parts->run->store, work, done, data);
}

static int save_end(struct tx *tx, void *data, struct err *err)
{
    const struct job_run *run = data;

    return tx_run_end(tx, run->record.run.id, run->record.run.ended_ms, err) == 0
               ? tx_job_state(tx, run->record.run.id, JOB_RUN_OVER, false, err)
               : -1;
}

static void end_saved(void *data, const struct err *failure)
{
    struct job_run *run = data;

    run->pending--;
    /* Without it the next amtd takes the run up, finds all its hosts over, and ends it. */
    if (failure)
        log_err(NULL, "run=%lld its end could not be written down: %s", (long long)run->record.run.id,
                failure->text);
    run->ended_saved = true;
    job_run_wake(run);
}

/* Whoever ordered it by a call hears the end, and has it written down; these are heard by nobody. */
static void tell_end(const struct job_run *run)
{
    const struct job_order *order = &run->order;
    const struct run *record = &run->record.run;
    char *by, *what, *detail;

    if (!order->schedule && !order->reaction && !run->resumed)
        return;
    by = order->schedule   ? xasprintf("schedule %s", order->schedule)
         : order->reaction ? xasprintf("reaction %s", order->reaction)
                           : xasprintf("run %lld, taken up", (long long)record->id);
    what = xasprintf("job.run %s", run->job->name);
    detail = xasprintf("run %lld: %u %s, %u ok, %u failed", (long long)record->id, record->hosts,
                       text_plural(record->hosts, "host", "hosts"), record->ok, record->failed);
    run->parts->note(run->parts->arg, &(struct job_deed){.who = order->who,
                                                         .by = by,
                                                         .what = what,
                                                         .target = order->target,
                                                         .hosts = &run->hosts,
                                                         .run = record->id,
                                                         .detail = detail,
                                                         .result = record->failed > 0 ? "failed" : "ok"});
    free(detail);
    free(what);
    free(by);
}

void job_run_end(struct job_run *run)
{
    run->phase = JOB_ENDED;
    run->record.run.ended_ms = clock_wall(run->parts->run->clock);
    run->record.state = JOB_RUN_OVER;
    tell_end(run);
    run->pending++;
    store_submit(run->parts->run->store, save_end, end_saved, run);
}

/* --- the end of the host --- */

static void copy_ends(struct job_host *h)
{
    for (size_t i = 0; h->results && i < h->run->job->count; i++) {
        const struct operation *op = &h->results[i].operation;

        if (!h->results[i].label || h->results[i].skipped)
            continue;
        h->record->tries++;
        if (op->from && !h->record->from)
            h->record->from = xstrdup(op->from);
        if (op->to)
            xreplace(&h->record->to, op->to);
    }
}

/* A remark names the tasks that failed and were passed over. */
static void remark(struct job_host *h)
{
    struct buf names = buf_init(1000);

    for (size_t i = 0; h->results && i < h->run->job->count; i++)
        if (h->results[i].label && h->results[i].operation.state == OPERATION_FAILED)
            buf_printf(&names, "%s%s (%s)", names.len > 0 ? ", " : "", h->results[i].label,
                       h->results[i].operation.cause);
    if (names.len > 0) {
        free(h->record->message);
        h->record->message = xasprintf("went on after failures of: %s", buf_str(&names));
    }
    buf_free(&names);
}

void job_host_end(struct job_host *h, const struct err *failure)
{
    struct operation *record = h->record;

    if (h->over)
        return;
    h->over = true;
    job_host_release(h);
    if (h->timer)
        uv_timer_stop(h->timer);
    copy_ends(h);
    record->state = failure ? OPERATION_FAILED : OPERATION_OK;
    record->ended_ms = clock_wall(h->run->parts->run->clock);
    if (failure) {
        xreplace(&record->cause, cause_name(failure->cause));
        xreplace(&record->code, failure->code[0] ? failure->code : NULL);
        xreplace(&record->message, failure->text);
    } else {
        remark(h);
    }
    job_run_save_host(h);
}

/* --- failures in results --- */

void job_host_set_failure(struct operation *op, const struct err *failure)
{
    op->state = failure ? OPERATION_FAILED : OPERATION_OK;
    if (!failure)
        return;
    xreplace(&op->cause, cause_name(failure->cause));
    xreplace(&op->code, failure->code[0] ? failure->code : NULL);
    xreplace(&op->message, failure->text);
}

struct err job_host_failure_of(const struct job_result *result)
{
    struct err err = ERR_INIT;

    err_set(&err, cause_by_name(result->operation.cause), "%s: %s", result->label,
            result->operation.message ? result->operation.message : "");
    if (result->operation.code)
        err_code(&err, "%s", result->operation.code);
    return err;
}

/* --- what a device is about to do, and has said yes to --- */

static struct job_result started_result(const struct attempt *attempt, int64_t at_ms)
{
    return (struct job_result){
        .run = attempt->record.run_id,
        .task = attempt->task,
        .label = (char *)attempt->label,
        .kind = (char *)attempt->kind,
        .operation = {.host_id = attempt->record.host_id,
                      .state = OPERATION_STARTED,
                      .began_ms = at_ms,
                      .tries = attempt->tries},
    };
}

int job_host_note_start(struct tx *tx, const struct host_op *op, int64_t at_ms, struct err *err)
{
    struct attempt *attempt = (struct attempt *)op;
    const struct job_result result = started_result(attempt, at_ms);

    attempt->started = true;
    return tx_job_result_put(tx, &result, err);
}

struct acceptance {
    struct job_run *run;
    struct job_result result;
};

static int accept_work(struct tx *tx, void *data, struct err *err)
{
    const struct acceptance *a = data;

    return tx_job_result_put(tx, &a->result, err);
}

static void accept_kept(void *data, const struct err *failure)
{
    struct acceptance *a = data;

    (void)failure; /* it is then as if nobody had heard it */
    a->run->pending--;
    job_run_wake(a->run);
    free(a);
}

/* With this written down, the next amtd knows that it was done. */
void job_host_accepted(void *arg, struct host_op *op, bool by_os)
{
    struct attempt *attempt = (struct attempt *)op;
    const struct job_run *run = arg;
    const struct job_task *task = &run->job->tasks[attempt->task % JOB_UNDO_BASE];
    struct acceptance *a;

    if (by_os && task->kind->wants_proof && task->kind->wants_proof(task->args))
        return;
    a = xcalloc(1, sizeof(*a));

    attempt->accepted = true;
    a->run = arg;
    a->result = started_result(attempt, clock_wall(attempt->host->run->parts->run->clock));
    a->result.operation.message = (char *)JOB_ACCEPTED;
    job_run_ask(arg, accept_work, accept_kept, a);
}

/* --- results --- */

void job_host_copy(struct operation *to, const struct operation *from)
{
    *to = *from;
    to->host = NULL;
    to->from = xstrdup(from->from);
    to->to = xstrdup(from->to);
    to->cause = xstrdup(from->cause);
    to->code = xstrdup(from->code);
    to->message = xstrdup(from->message);
    to->detail = xstrdup(from->detail);
}
