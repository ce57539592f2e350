/* Other operations of amtd on a host of a run: the one that talks to it now is waited for; what another one
 * changed since the run read it, its password or its certificate, is read again. */
#include <stdlib.h>

#include "amtd/jobs/job_host_internal.h"

#define TURN_MS      1000   /* between two looks whether the other one has ended */
#define TURN_MOST_MS 600000 /* no operation takes longer */

static void try_in_turn(uv_timer_t *timer)
{
    struct job_host *h = timer->data;
    struct attempt *attempt = h->lost;

    h->lost = NULL;
    if (h->run->cancelled && !h->undoing)
        job_host_attempt_over(h, attempt);
    else
        job_host_once_more(h, attempt);
}

/* How long it has been waited for. */
static bool may_wait(struct job_host *h)
{
    int64_t now = job_host_mono(h);

    if (h->turn_mono == 0)
        h->turn_mono = now;
    return now - h->turn_mono < TURN_MOST_MS;
}

static bool wait_for_turn(struct job_host *h, struct attempt *attempt)
{
    if (!attempt->op.is_taken || !may_wait(h) || !job_host_pause_so(h, TURN_MS, try_in_turn))
        return false;
    h->lost = attempt;
    return true;
}

bool job_host_call_waits(struct job_host *h)
{
    if (!h->call.is_taken || !may_wait(h) || !job_host_pause(h, TURN_MS))
        return false;
    h->tries--;
    return true;
}

static bool is_stale(const struct operation *record)
{
    static const enum cause stale[] = {CAUSE_AUTH_FAILED, CAUSE_TLS_UNTRUSTED, CAUSE_TLS_CHANGED};
    enum cause cause = record->state == OPERATION_FAILED ? cause_by_name(record->cause) : CAUSE_NONE;

    for (size_t i = 0; i < sizeof(stale) / sizeof(stale[0]); i++)
        if (stale[i] == cause)
            return true;
    return false;
}

/* What must not be done twice, and may have been done before the device wanted another password. */
static bool is_unsafe(const struct job_host *h, const struct attempt *attempt)
{
    const struct job_task *task = job_host_task(h);

    return attempt->started && !h->undoing && job_kind_again(task->kind, task->args) != JOB_AGAIN_SAFE;
}

static void read_anew(struct job_host *h)
{
    struct attempt *attempt = h->lost;
    bool renewed = h->asked.cause == CAUSE_NONE && h->renewed && !h->run->cancelled;

    h->lost = NULL;
    if (renewed && is_unsafe(h, attempt))
        job_host_doubt(h, attempt);
    else if (renewed)
        job_host_once_more(h, attempt);
    else if (!job_host_seek(h, attempt))
        job_host_attempt_over(h, attempt);
}

static bool read_if_stale(struct job_host *h, struct attempt *attempt)
{
    if (!is_stale(&attempt->record) || h->run->cancelled || h->run->dropped)
        return false;
    h->lost = attempt;
    job_host_renew(h, read_anew);
    return true;
}

bool job_host_minds_others(struct job_host *h, struct attempt *attempt)
{
    if (wait_for_turn(h, attempt))
        return true;
    h->turn_mono = 0;
    return read_if_stale(h, attempt);
}
