/* Was it done? A task had begun on a host when amtd ended, or its answer was lost. Of what moves a machine
 * from one state to another, the power state tells it: once the machine stays where it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/jobs/job_host_internal.h"
#include "base/xalloc.h"

#define LOOK_MS 3000 /* between two looks; a machine that is in the same state at both stays there */

static void look(struct job_host *h)
{
    h->probing = true;
    job_host_start_device(h, (uint32_t)h->at, job_host_task(h)->name, &h->run->probe);
}

/* From now on; the time that the machine had already counts, whatever became of the clock meanwhile. */
static void look_first(struct job_host *h)
{
    const struct job_task *task = job_host_task(h);
    const struct run_order *order = &h->run->orders[h->at];
    int64_t time = order->timeout_ms > 0 ? order->timeout_ms : order->task->budget_ms(order->args);
    int64_t moves = task->kind->moves_ms ? task->kind->moves_ms(task->args) : JOB_MOVES_MS;
    int64_t gone = h->taken_up ? job_host_wall(h) - h->began_ms : 0;

    h->look = (struct look){.end_mono = job_host_mono(h) + time, .still_mono = h->doubt_mono + moves};
    if (gone > 0)
        h->look.still_mono -= gone < moves ? gone : moves;
}

bool job_host_resolve_doubt(struct job_host *h)
{
    const struct job_task *task = job_host_task(h);

    switch (job_kind_again(task->kind, task->args)) {
    case JOB_AGAIN_SAFE:
        h->in_doubt = false;
        h->tries -= h->tries > 0; /* it is the same try still */
        return false;
    case JOB_AGAIN_ASK:
        if (h->look.end_mono == 0)
            look_first(h);
        look(h);
        return true;
    case JOB_AGAIN_NEVER:
        break;
    }
    job_host_task_over(h, NULL, NULL, &h->doubt);
    return true;
}

void job_host_doubt(struct job_host *h, struct attempt *attempt)
{
    h->in_doubt = true;
    h->doubt = job_host_failure(&attempt->record);
    h->doubt_mono = job_host_mono(h);
    h->accepted = attempt->accepted;
    if (job_host_resolve_doubt(h))
        job_run_forget(attempt, h->run);
}

/* --- what was seen --- */

/* True: it stays where it is, or there is no time to wait for that, or no use. */
static bool is_settled(struct job_host *h, const struct operation *record)
{
    const char *state = record->state == OPERATION_OK && record->to ? record->to : "";
    struct look *l = &h->look;
    int64_t now = job_host_mono(h);

    if (record->state == OPERATION_FAILED && job_cause_is_final(cause_by_name(record->cause)))
        return true;
    if (strcmp(l->state, state) != 0 || !state[0]) {
        l->seen_mono = now;
        snprintf(l->state, sizeof(l->state), "%s", state);
    }
    l->was_off |= strcmp(l->state, "off") == 0;
    if (l->was_off && strcmp(l->state, "on") == 0) /* it went through all of it */
        return true;
    return now >= l->end_mono || (state[0] && now >= l->still_mono && now - l->seen_mono >= LOOK_MS);
}

static bool was_done(const struct job_host *h)
{
    return strcmp(h->look.state, "on") == 0 && (h->look.was_off || h->accepted);
}

/* What is left to do of it. */
static struct run_order *finish_order(const struct job_host *h)
{
    const struct job_task *task = job_host_task(h);

    return strcmp(h->look.state, "off") == 0 && task->kind->finish
               ? job_host_own_order(h, h->at, task->kind->task, task->kind->finish(task->args))
               : NULL;
}

static void say_done(struct job_host *h)
{
    struct operation was = {.state = OPERATION_OK, .to = h->look.state};

    was.message = (char *)(h->look.was_off ? "it was seen to go off and on"
                                           : "the device had accepted it, and the machine is on");
    job_host_task_over(h, NULL, &was, NULL);
}

static void say_doubt(struct job_host *h, const struct operation *record)
{
    struct operation was = {.to = record->to};
    struct err err = h->doubt;

    if (record->state == OPERATION_OK)
        err_set(&err, h->doubt.cause, "%s; the machine is %s now", h->doubt.text,
                record->to ? record->to : "in an unknown state");
    else
        err_set(&err, h->doubt.cause, "%s; its power state cannot be read: %s", h->doubt.text,
                record->message ? record->message : "");
    job_host_task_over(h, NULL, &was, &err);
}

void job_host_looked(struct job_host *h, struct attempt *attempt)
{
    struct run_order *left;

    if (!is_settled(h, &attempt->record) && job_host_pause(h, LOOK_MS)) {
        job_run_forget(attempt, h->run);
        return;
    }
    h->in_doubt = false;
    h->look.end_mono = 0;
    if (was_done(h)) {
        say_done(h);
    } else if ((left = finish_order(h))) {
        h->tries++;
        job_host_start_device(h, (uint32_t)h->at, job_host_task(h)->name, left);
        h->attempt->own = left;
    } else {
        say_doubt(h, &attempt->record);
    }
    job_run_forget(attempt, h->run);
}
