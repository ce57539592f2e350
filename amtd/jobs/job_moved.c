/* A host of a run that is not where it was: its address may have become another one since the run read it, by
 * a sweep that found the machine elsewhere, or by hand. Who answers at the old one is told by his realm or
 * certificate before a password is used (wsman/http.h), so nothing was done to another machine. */
#include <stdlib.h>
#include <string.h>

#include "amtd/jobs/job_host_internal.h"
#include "base/log.h"
#include "base/xalloc.h"

struct seeking {
    struct job_host *h;
    char *address; /* as the store has it now */
    bool there;
};

/* What is seen of a machine that went away, or of another one in its place. */
static bool is_lost(const struct operation *record)
{
    static const enum cause lost[] = {CAUSE_NAME_UNKNOWN, CAUSE_UNREACHABLE,   CAUSE_REFUSED,
                                      CAUSE_DROPPED,      CAUSE_TIMEOUT,       CAUSE_REALM_CHANGED,
                                      CAUSE_TLS_CHANGED,  CAUSE_TLS_UNTRUSTED, CAUSE_NOT_PROVISIONED,
                                      CAUSE_NOT_AMT,      CAUSE_AUTH_FAILED,   CAUSE_WRONG_MACHINE};
    enum cause cause = record->state == OPERATION_FAILED ? cause_by_name(record->cause) : CAUSE_NONE;

    for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
        if (lost[i] == cause)
            return true;
    return false;
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static int read_address(struct tx *tx, void *data, struct err *err)
{
    struct seeking *s = data;

    free(s->address); /* the transaction is tried again when others in it fail */
    s->address = NULL;
    return tx_host_address(tx, s->h->host->id, &s->address, &s->there, err);
}

void job_host_once_more(struct job_host *h, struct attempt *attempt)
{
    struct run_order *own = attempt->own;
    const struct run_order *order = attempt->op.order;
    const char *label = attempt->label;
    uint32_t task = attempt->task;

    free(h->known);
    h->known = attempt->op.known;
    attempt->op.known = NULL;
    attempt->own = NULL;
    job_run_forget(attempt, h->run);
    job_host_start_device(h, task, label, order);
    h->attempt->own = own;
}

static void sought(struct job_host *h)
{
    struct attempt *attempt = h->lost;

    h->lost = NULL;
    if (h->moved && !h->run->cancelled)
        job_host_once_more(h, attempt);
    else
        job_host_attempt_over(h, attempt);
}

/* Of the old address others may know still: it stays until the run is over. */
static void move(struct job_host *h, char *address)
{
    log_info(h->host->name, "it has moved from %s to %s: run %lld goes on there",
             h->host->address ? h->host->address : "its name", address ? address : "its name",
             (long long)h->run->record.run.id);
    h->addresses = xreallocarray(h->addresses, h->address_count + 1, sizeof(*h->addresses));
    h->addresses[h->address_count++] = h->host->address;
    h->host->address = address;
}

static void address_read(void *data, const struct err *failure)
{
    struct seeking *s = data;
    struct job_host *h = s->h;

    h->run->pending--;
    h->asking = false;
    h->moved = !failure && s->there && !is_same(s->address, h->host->address);
    if (h->moved)
        move(h, s->address);
    else
        free(s->address);
    free(s);
    if (!h->run->dropped)
        job_run_ready(h, sought);
    else
        job_run_wake(h->run);
}

bool job_host_seek(struct job_host *h, struct attempt *attempt)
{
    struct seeking *s;

    /* what may have been done is not done again somewhere else */
    if (!is_lost(&attempt->record) || attempt->started || h->run->cancelled || h->run->dropped)
        return false;
    s = xcalloc(1, sizeof(*s));
    s->h = h;
    h->lost = attempt;
    h->asking = true;
    job_run_ask(h->run, read_address, address_read, s);
    return true;
}

void job_host_clear_addresses(struct job_host *h)
{
    for (size_t i = 0; i < h->address_count; i++)
        free(h->addresses[i]);
    free(h->addresses);
}
