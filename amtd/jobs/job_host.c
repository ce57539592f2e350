/* One host of a run of a job: task after task, tries, what is taken back, and where it was when amtd died. */
#include <stdlib.h>
#include <string.h>

#include "amtd/jobs/job_host_internal.h"
#include "base/log.h"
#include "base/xalloc.h"

#define LOOK_MS         2000   /* between two looks, until it is as it should be */
#define IN_USE_PAUSE_MS 5000   /* what was left half-done is repaired by itself (fleet/filter_watch.h) */
#define IN_USE_MOST_MS  600000 /* but not for ever */

static void step(struct job_host *h);
static void try_task(struct job_host *h);
static void device_over(struct job_host *h);

static const struct job_task *task_of(const struct job_host *h)
{
    return job_host_task(h);
}

const struct job_task *job_host_task(const struct job_host *h)
{
    return &h->run->job->tasks[h->at];
}

static int64_t mono(const struct job_host *h)
{
    return job_host_mono(h);
}

int64_t job_host_mono(const struct job_host *h)
{
    return clock_mono(h->run->parts->run->clock);
}

int64_t job_host_wall(const struct job_host *h)
{
    return clock_wall(h->run->parts->run->clock);
}

/* --- time --- */

static uv_timer_t *timer_of(struct job_host *h)
{
    if (!h->timer) {
        h->timer = xcalloc(1, sizeof(*h->timer));
        uv_timer_init(h->run->parts->run->loop, h->timer);
        h->timer->data = h;
    }
    return h->timer;
}

static void stop_timer(struct job_host *h)
{
    if (h->timer)
        uv_timer_stop(h->timer);
}

static int too_late(const struct job_host *h, struct err *err)
{
    return err_set(err, CAUSE_TIMEOUT, "the job's time for a host, %lld s, is over",
                   (long long)(h->run->job->timeout_ms / 1000));
}

static void host_is_late(uv_timer_t *timer)
{
    struct job_host *h = timer->data;
    struct err err = ERR_INIT;

    too_late(h, &err);
    if (h->attempt) {
        host_op_abort(&h->attempt->op, &err);
    } else if (h->work) {
        task_of(h)->kind->action->cancel(h->work);
        h->call.done(&h->call, NULL, &err);
    }
}

/* The host's own time goes on while a task of it does; for taking back there is always time. */
static void watch_deadline(struct job_host *h)
{
    int64_t left = h->deadline_mono - mono(h);

    if (h->deadline_mono > 0 && !h->undoing)
        uv_timer_start(timer_of(h), host_is_late, left > 0 ? (uint64_t)left : 0, 0);
}

static void pause_over(uv_timer_t *timer)
{
    job_run_ready(timer->data, try_task);
}

/* --- results --- */

/* The place of a result, emptied and named. */
struct job_result *job_host_result_at(struct job_host *h, uint32_t task, const char *label)
{
    size_t i = task % JOB_UNDO_BASE;
    struct job_result *result = task < JOB_UNDO_BASE ? &h->results[i] : &h->undone[i];

    job_result_clear(result);
    result->run = h->run->record.run.id;
    result->task = task;
    result->label = xstrdup(label);
    result->kind = xstrdup(h->run->job->tasks[i].kind->name);
    result->operation.host_id = h->host->id;
    return result;
}

static void learn(struct job_host *h, const struct pairs *facts)
{
    for (size_t i = 0; i < facts->count; i++)
        pairs_set(&h->host->facts, facts->items[i].name, facts->items[i].value);
}

/* What follows from the result that stands at h->at. */
static void after_result(struct job_host *h)
{
    const struct job_result *result = &h->results[h->at];
    struct err failure;

    if (result->operation.state == OPERATION_OK || task_of(h)->on_failure == JOB_CONTINUE) {
        h->at++;
        step(h);
        return;
    }
    failure = job_host_failure_of(result);
    if (task_of(h)->on_failure == JOB_UNDO) {
        h->undoing = true;
        h->failure = failure;
        job_host_undo_next(h);
        return;
    }
    job_host_end(h, &failure);
}

/* The task has come to its end, after one try or several. attempt: the last one, NULL: none was made on the
 * device; failure NULL: it went well. */
static void note_result(struct job_host *h, struct attempt *attempt, const struct operation *was,
                        const struct err *failure)
{
    struct job_result *result = job_host_result_at(h, (uint32_t)h->at, task_of(h)->name);
    struct err why = failure ? job_host_blame(h, failure) : (struct err)ERR_INIT;
    int64_t host_id = result->operation.host_id;

    if (was)
        job_host_copy(&result->operation, was);
    result->operation.host_id = host_id;
    result->operation.tries = h->tries;
    result->operation.began_ms = h->began_ms;
    result->operation.ended_ms = job_host_wall(h);
    if (!was || failure)
        job_host_set_failure(&result->operation, failure ? &why : NULL);
    free(h->known);
    h->known = NULL;
    h->in_doubt = h->taken_up = h->accepted = false;
    h->turn_mono = 0;
    job_run_save(h, (uint32_t)h->at, attempt);
}

/* The same, and what follows. */
void job_host_task_over(struct job_host *h, struct attempt *attempt, const struct operation *was,
                        const struct err *failure)
{
    note_result(h, attempt, was, failure);
    after_result(h);
}

static void skip(struct job_host *h)
{
    struct job_result *result = job_host_result_at(h, (uint32_t)h->at, task_of(h)->name);

    result->skipped = true;
    result->operation.state = OPERATION_OK;
    result->operation.began_ms = result->operation.ended_ms = job_host_wall(h);
    job_run_save(h, (uint32_t)h->at, NULL);
    h->at++;
    step(h);
}

/* --- tries --- */

static bool has_time(const struct job_host *h, int64_t ms)
{
    return h->deadline_mono == 0 || h->undoing || mono(h) + ms < h->deadline_mono;
}

bool job_host_pause_so(struct job_host *h, int64_t pause_ms, uv_timer_cb then)
{
    if (h->run->cancelled || !has_time(h, pause_ms))
        return false;
    uv_timer_start(timer_of(h), then, (uint64_t)pause_ms, 0);
    return true;
}

bool job_host_pause(struct job_host *h, int64_t pause_ms)
{
    return job_host_pause_so(h, pause_ms, pause_over);
}

/* What a try before left half-done, in this life of amtd or another one, amtd itself is at. */
static bool waits_for_repair(struct job_host *h)
{
    if (!h->taken_up && h->tries < 2)
        return false;
    if (h->turn_mono == 0)
        h->turn_mono = mono(h);
    return mono(h) - h->turn_mono < IN_USE_MOST_MS;
}

/* True: there will be one more. started: the device may have done it. */
static bool try_again(struct job_host *h, const struct err *failure, bool started)
{
    const struct job_task *task = task_of(h);

    if (failure->cause == CAUSE_IN_USE && waits_for_repair(h)) {
        h->tries--;
        return job_host_pause(h, IN_USE_PAUSE_MS);
    }
    if (h->tries > task->retries || job_cause_is_final(failure->cause))
        return false;
    if (started && !job_cause_is_refusal(failure->cause) &&
        job_kind_again(task->kind, task->args) != JOB_AGAIN_SAFE) {
        h->in_doubt = true;
        h->doubt_mono = mono(h);
        h->doubt = *failure;
    }
    return job_host_pause(h, task->pause_ms);
}

/* --- on the device --- */

void job_host_reached(void *arg, struct host_op *op)
{
    struct job_host *h = ((struct attempt *)op)->host;

    (void)arg;
    h->op_go = true;
    job_run_ready(h, device_over);
}

void job_host_yields(void *arg, struct host_op *op)
{
    (void)arg;
    ((struct attempt *)op)->host->op_go = false;
}

void job_host_over(void *arg, struct host_op *op)
{
    struct job_host *h = ((struct attempt *)op)->host;

    (void)arg;
    h->op_go = false;
    if (!h->run->dropped)
        job_run_ready(h, device_over);
}

void job_host_start_device(struct job_host *h, uint32_t task, const char *label,
                           const struct run_order *order)
{
    struct attempt *attempt = xcalloc(1, sizeof(*attempt));

    attempt->host = h;
    attempt->task = task;
    attempt->tries = h->tries;
    attempt->label = label;
    attempt->kind = h->run->job->tasks[task % JOB_UNDO_BASE].kind->name;
    attempt->record.run_id = h->run->record.run.id;
    host_op_init(&attempt->op, &h->run->owner, order, h->host, &attempt->record);
    attempt->op.known = h->known;
    h->known = NULL;
    h->attempt = attempt;
    watch_deadline(h);
    host_op_dial(&attempt->op);
}

struct err job_host_failure(const struct operation *op)
{
    struct err err = ERR_INIT;

    err_set(&err, cause_by_name(op->cause), "%s", op->message ? op->message : "");
    if (op->code)
        err_code(&err, "%s", op->code);
    return err;
}

/* What is done until it holds: false when it will be done once more, or its time is over. */
static bool is_met(struct job_host *h, struct attempt *attempt, struct err *failure)
{
    const struct job_task *task = task_of(h);
    int64_t spent = mono(h) - h->began_mono;
    struct buf missing = buf_init(200);
    bool met = task->kind->met(task->args, &attempt->record, &missing);
    struct operation was = attempt->record;

    if (!met && attempt->record.state == OPERATION_OK)
        err_set(failure, CAUSE_NOT_REACHED, "%s after %lld s", buf_str(&missing), (long long)(spent / 1000));
    else if (!met)
        *failure = job_host_failure(&attempt->record);
    buf_free(&missing);
    if (met || job_cause_is_final(failure->cause))
        return true;
    if (spent + LOOK_MS < job_task_timeout(task) && job_host_pause(h, LOOK_MS)) {
        job_run_forget(attempt, h->run);
        return false;
    }
    job_host_task_over(h, attempt, &was, failure);
    return false;
}

void job_host_attempt_over(struct job_host *h, struct attempt *attempt)
{
    struct err failure = ERR_INIT;

    if (h->probing) {
        h->probing = false;
        job_host_looked(h, attempt);
        return;
    }
    if (h->undoing) {
        job_host_undo_over(h, attempt);
        return;
    }
    if (task_of(h)->kind->met && !is_met(h, attempt, &failure))
        return;
    if (attempt->record.state == OPERATION_FAILED) {
        failure = job_host_failure(&attempt->record);
        if (try_again(h, &failure, attempt->started)) {
            job_run_settle(attempt, h->run);
            return;
        }
    }
    job_host_task_over(h, attempt, &attempt->record,
                       attempt->record.state == OPERATION_FAILED ? &failure : NULL);
}

/* An operation wants to go on, or has come to its end. */
static void device_over(struct job_host *h)
{
    struct attempt *attempt = h->attempt;

    if (h->op_go) {
        h->op_go = false;
        host_op_go(&attempt->op);
        return;
    }
    h->attempt = NULL;
    stop_timer(h);
    learn(h, &attempt->op.facts);
    if (!job_host_minds_others(h, attempt) && !job_host_seek(h, attempt))
        job_host_attempt_over(h, attempt);
}

/* --- by amtd itself --- */

static void action_over(struct job_host *h)
{
    struct operation was = {.host_id = h->host->id};
    bool failed = h->failure.cause != CAUSE_NONE;
    struct err failure = h->failure;

    stop_timer(h);
    if (h->finding) {
        learn(h, &h->finding->facts);
        was.from = (char *)h->finding->from;
        was.to = (char *)h->finding->to;
        was.message = failed ? NULL : (char *)h->finding->remark;
        was.detail = h->finding->detail ? json_dumps(h->finding->detail, JSON_COMPACT) : NULL;
    }
    was.state = failed ? OPERATION_FAILED : OPERATION_OK;
    if (failed && (job_host_call_waits(h) || try_again(h, &failure, h->call.in_doubt))) {
        if (h->finding) {
            finding_clear(h->finding);
            free(h->finding);
            h->finding = NULL;
        }
        free(was.detail);
        return;
    }
    job_host_task_over(h, NULL, &was, failed ? &failure : NULL);
    free(was.detail);
}

static void action_done(struct job_call *call, struct finding *finding, const struct err *failure)
{
    struct job_host *h = call->owner;

    h->work = NULL;
    h->failure = failure ? *failure : (struct err)ERR_INIT;
    if (finding) {
        h->finding = xcalloc(1, sizeof(*h->finding));
        *h->finding = *finding;
        memset(finding, 0, sizeof(*finding));
    }
    job_run_ready(h, action_over);
}

static void start_action(struct job_host *h)
{
    const struct job_task *task = task_of(h);

    h->call = (struct job_call){
        .parts = h->run->parts,
        .host = h->host,
        .args = task->args,
        .who = h->run->order.who,
        .uid = h->run->order.uid,
        .run = h->run->record.run.id,
        .everywhere = h->run->order.everywhere,
        .event = h->run->order.event,
        .job = h->run->job->name,
        .task = task->name,
        .timeout_ms = job_task_timeout(task),
        .done = action_done,
        .keep = job_host_keep,
        .owner = h,
    };
    watch_deadline(h);
    h->work = task->kind->action->start(&h->call);
}

/* --- questions to the store --- */

static void start_noted(struct job_host *h)
{
    struct err failure = h->asked;

    if (failure.cause == CAUSE_NONE)
        start_action(h);
    else if (!try_again(h, &failure, false)) /* what cannot be written down is not done */
        job_host_task_over(h, NULL, NULL, &failure);
}

static void start_answered(void *data, const struct err *failure)
{
    job_host_answered(data, failure, start_noted);
}

/* Written down before it begins, when it must not be done twice. */
static void note_action(struct job_host *h)
{
    struct question *q = job_host_ask(h, NULL);

    q->start = xcalloc(1, sizeof(*q->start));
    q->start->run = h->run->record.run.id;
    q->start->task = (uint32_t)h->at;
    q->start->label = xstrdup(task_of(h)->name);
    q->start->kind = xstrdup(task_of(h)->kind->name);
    q->start->operation = (struct operation){
        .host_id = h->host->id, .state = OPERATION_STARTED, .began_ms = job_host_wall(h), .tries = h->tries};
    job_run_ask(h->run, job_host_ask_work, start_answered, q);
}

static void admitted(struct job_host *h)
{
    struct err failure = h->asked;

    if (failure.cause == CAUSE_NONE)
        job_host_start_device(h, (uint32_t)h->at, task_of(h)->name, &h->run->orders[h->at]);
    else if (!try_again(h, &failure, false))
        job_host_task_over(h, NULL, NULL, &failure);
}

static void admit_answered(void *data, const struct err *failure)
{
    job_host_answered(data, failure, admitted);
}

static void do_task(struct job_host *h)
{
    const struct job_task *task = task_of(h);
    const struct run_order *order = &h->run->orders[h->at];

    h->tries++;
    if (!task->engine) {
        if (job_kind_again(task->kind, task->args) == JOB_AGAIN_SAFE)
            start_action(h);
        else
            note_action(h);
    } else if (order->task->keeping && order->task->keeping->admit) {
        job_run_ask(h->run, job_host_ask_work, admit_answered, job_host_ask(h, order));
    } else {
        job_host_start_device(h, (uint32_t)h->at, task->name, order);
    }
}

/* With the passwords that the host has now. */
static void renewed(struct job_host *h)
{
    struct err failure = h->asked;

    if (failure.cause == CAUSE_NONE)
        do_task(h);
    else
        job_host_task_over(h, NULL, NULL, &failure);
}

static void try_task(struct job_host *h)
{
    const struct run_order *order = &h->run->orders[h->at];
    struct err err = ERR_INIT;

    if (h->undoing) {
        job_host_undo_next(h);
        return;
    }
    if (h->run->cancelled) {
        err_set(&err, CAUSE_CANCELLED, "%s", h->run->cancel_text);
        if (h->in_doubt)
            err = h->doubt;
        job_host_task_over(h, NULL, NULL, &err);
        return;
    }
    if (h->in_doubt && job_host_resolve_doubt(h))
        return;
    if (order->task && job_host_had_rotation(h))
        job_host_renew(h, renewed);
    else
        do_task(h);
}

static void begin_task(struct job_host *h)
{
    if (!h->in_doubt) { /* else it is the same beginning still */
        h->tries = 0;
        h->began_ms = job_host_wall(h);
        h->began_mono = mono(h);
    }
    try_task(h);
}

static void condition_known(struct job_host *h)
{
    struct err failure = h->asked;

    if (failure.cause != CAUSE_NONE) {
        h->began_ms = job_host_wall(h);
        job_host_task_over(h, NULL, NULL, &failure);
    } else if (h->matches) {
        begin_task(h);
    } else {
        skip(h);
    }
}

static void condition_answered(void *data, const struct err *failure)
{
    job_host_answered(data, failure, condition_known);
}

/* --- from task to task --- */

/* It ends before its next task; what was under way when amtd ended stays as unknown as it is. */
static void end_here(struct job_host *h, const struct err *failure)
{
    struct err doubt = h->doubt;

    if (h->in_doubt)
        note_result(h, NULL, NULL, &doubt);
    job_host_end(h, failure);
}

/* Nothing more is done in the name of whoever began the run, nor taken back. */
static void turn_away(struct job_host *h)
{
    struct err err = ERR_INIT;

    job_host_say_barred(h, &err);
    end_here(h, &err);
}

static void step(struct job_host *h)
{
    struct job_run *run = h->run;
    struct err err = ERR_INIT;

    if (h->over || run->dropped)
        return;
    if (h->at == run->job->count) {
        job_host_end(h, NULL);
    } else if (run->cancelled) {
        err_set(&err, CAUSE_CANCELLED, "%s; '%s' was %s", run->cancel_text, task_of(h)->name,
                h->in_doubt ? "under way when amtd ended" : "next");
        end_here(h, &err);
    } else if (h->deadline_mono > 0 && mono(h) >= h->deadline_mono) {
        too_late(h, &err);
        end_here(h, &err);
    } else if (h->barred) {
        turn_away(h);
    } else if (job_run_is_held(run)) {
        h->parked = true;
    } else if (run->queries[h->at] && !h->in_doubt) {
        struct question *q = job_host_ask(h, NULL);

        q->query = run->queries[h->at];
        job_run_ask(run, job_host_ask_work, condition_answered, q);
    } else {
        begin_task(h);
    }
}

void job_host_wake(struct job_host *h)
{
    if (h->parked) {
        h->parked = false;
        job_run_ready(h, step);
    } else if (h->run->cancelled && h->timer && uv_is_active((uv_handle_t *)h->timer) && !h->attempt &&
               !h->lost && !h->work && !h->asking && !h->listed) {
        uv_timer_stop(h->timer); /* it waited for its next try */
        job_run_ready(h, try_task);
    } else if (h->run->cancelled && h->work) { /* what amtd does by itself need not be waited for */
        struct err err = ERR_INIT;

        task_of(h)->kind->action->cancel(h->work);
        err_set(&err, CAUSE_CANCELLED, "%s", h->run->cancel_text);
        h->call.done(&h->call, NULL, &err);
    }
}

static void set_deadline(struct job_host *h, int64_t spent_ms)
{
    bool windowed = h->run->window != NULL; /* how much of it was outside is not known */
    int64_t left = h->run->job->timeout_ms - (spent_ms > 0 && !windowed ? spent_ms : 0);

    if (h->run->job->timeout_ms > 0)
        h->deadline_mono = mono(h) + (left > 0 ? left : 1);
}

static void go_on(struct job_host *h)
{
    set_deadline(h, job_host_wall(h) - h->record->began_ms);
    if (h->undoing)
        job_host_undo_next(h);
    else if (h->at < h->run->job->count && h->results[h->at].label)
        after_result(h);
    else
        step(h);
}

void job_host_go(struct job_host *h)
{
    struct err err = ERR_INIT;

    if (h->over)
        return;
    if (!h->host->name || h->host->id == 0) {
        err_set(&err, CAUSE_NOT_FOUND, "the host was removed");
        end_here(h, &err);
    } else if (h->barred) {
        turn_away(h);
    } else if (h->results) {
        go_on(h);
    } else {
        h->results = xcalloc(h->run->job->count + 1, sizeof(*h->results));
        h->record->began_ms = job_host_wall(h);
        set_deadline(h, 0);
        step(h);
    }
}

/* --- the end of the run --- */

void job_host_drop(struct job_host *h)
{
    struct err err = ERR_INIT;

    stop_timer(h);
    job_host_release(h);
    if (h->work)
        task_of(h)->kind->action->cancel(h->work);
    h->work = NULL;
    if (h->lost) {
        job_run_forget(h->lost, h->run);
        h->lost = NULL;
    }
    if (!h->attempt)
        return;
    err_set(&err, CAUSE_INTERRUPTED, "amtd was stopped while the operation was under way");
    host_op_abort(&h->attempt->op, &err);
    job_run_forget(h->attempt, h->run);
    h->attempt = NULL;
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle);
}

void job_host_clear(struct job_host *h)
{
    for (size_t i = 0; i < h->run->job->count; i++) {
        if (h->results)
            job_result_clear(&h->results[i]);
        if (h->undone)
            job_result_clear(&h->undone[i]);
    }
    free(h->results);
    free(h->undone);
    free(h->known);
    job_host_clear_passwords(h);
    job_host_clear_addresses(h);
    if (h->undo_order) {
        run_order_clear(h->undo_order);
        free(h->undo_order);
    }
    if (h->finding) {
        finding_clear(h->finding);
        free(h->finding);
    }
    if (h->timer)
        uv_close((uv_handle_t *)h->timer, timer_closed);
}
