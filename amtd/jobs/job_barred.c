/* Rights of a run that is taken up, or goes on after a pause: whoever began it may have lost them meanwhile.
 */
#include <stdlib.h>

#include "amtd/jobs/job_run_internal.h"
#include "amtd/store/event.h"
#include "base/log.h"
#include "base/xalloc.h"

/* Who began it is known now, as he is today. */
static void known(void *arg, const struct user *user)
{
    struct job_run *run = arg;

    run->order.user = user ? user_copy(user) : NULL;
    job_run_load(run);
}

void job_run_ask_rights(struct job_run *run)
{
    if (run->order.as_amtd)
        job_run_load(run);
    else
        run->parts->look_up(run->parts->arg, run->order.uid, run->order.who, known, run);
}

/* On the store's thread: what he may do, everywhere and on each host. */
static int find_barred(struct tx *tx, const struct job_run *run, const struct user *user,
                       enum api_role *everywhere, bool *barred, struct err *err)
{
    enum api_role need = job_role(run->job);
    struct reach *reach = NULL;

    if (user && tx_reach(tx, user, &reach, err) != 0)
        return -1;
    *everywhere = reach ? reach_everywhere(reach) : ROLE_NONE;
    for (size_t i = 0; i < run->hosts.count; i++) {
        const struct host *host = &run->hosts.items[i];
        enum api_role role = reach && host->name ? reach_on(reach, host->name) : ROLE_NONE;

        barred[i] = host->id > 0 && role < need; /* else it was removed */
    }
    reach_free(reach);
    return 0;
}

static void bar(struct job_run *run, enum api_role everywhere, const bool *barred)
{
    run->order.everywhere = everywhere;
    for (size_t i = 0; i < run->hosts.count; i++)
        run->members[i].barred = barred[i];
}

int tx_job_bar(struct tx *tx, struct job_run *run, struct err *err)
{
    bool *barred = xcalloc(run->hosts.count + 1, sizeof(*barred));
    enum api_role everywhere = ROLE_NONE;
    int status = 0;

    if (!run->order.as_amtd) {
        status = find_barred(tx, run, run->order.user, &everywhere, barred, err);
        if (status == 0)
            bar(run, everywhere, barred);
    }
    free(barred);
    return status;
}

/* --- after a pause --- */

struct recheck {
    struct job_run *run;
    struct user *user;
    enum api_role everywhere;
    bool *barred;
    void (*then)(struct job_run *run);
};

static int recheck_work(struct tx *tx, void *data, struct err *err)
{
    struct recheck *r = data;

    return find_barred(tx, r->run, r->user, &r->everywhere, r->barred, err);
}

/* Where it cannot be known, what was known before holds. */
static void rechecked(void *data, const struct err *failure)
{
    struct recheck *r = data;
    struct job_run *run = r->run;

    run->pending--;
    if (failure) {
        log_err(NULL, "run=%lld the rights of %s cannot be read: %s", (long long)run->record.run.id,
                run->order.who, failure->text);
    } else {
        user_free(run->order.user);
        run->order.user = r->user;
        r->user = NULL;
        bar(run, r->everywhere, r->barred);
        job_run_tell_barred(run, "after a pause");
    }
    if (!run->dropped)
        r->then(run);
    user_free(r->user);
    free(r->barred);
    free(r);
    job_run_wake(run);
}

static void known_again(void *arg, const struct user *user)
{
    struct recheck *r = arg;

    r->user = user ? user_copy(user) : NULL;
    store_submit(r->run->parts->run->store, recheck_work, rechecked, r);
}

void job_run_ask_rights_again(struct job_run *run, void (*then)(struct job_run *run))
{
    struct recheck *r = xcalloc(1, sizeof(*r));

    r->run = run;
    r->then = then;
    r->barred = xcalloc(run->hosts.count + 1, sizeof(*r->barred));
    run->pending++;
    run->parts->look_up(run->parts->arg, run->order.uid, run->order.who, known_again, r);
}

/* --- what is told --- */

void job_host_say_barred(const struct job_host *h, struct err *err)
{
    const struct job_run *run = h->run;

    err_set(err, CAUSE_DENIED, "%s, who began the run, does not have the role '%s' there any more",
            run->order.who, role_name(job_role(run->job)));
}

void job_run_tell_barred(const struct job_run *run, const char *how)
{
    const struct job_parts *parts = run->parts;
    struct hosts barred = {0};
    struct job_host first = {.run = (struct job_run *)run};
    struct err err = ERR_INIT;
    char *what, *by, *text;

    barred.items = xcalloc(run->hosts.count + 1, sizeof(*barred.items));
    for (size_t i = 0; i < run->hosts.count; i++) /* borrowed */
        if (run->members[i].barred && !run->members[i].over)
            barred.items[barred.count++] = run->hosts.items[i];
    if (barred.count > 0) {
        job_host_say_barred(&first, &err);
        what = xasprintf("job.run %s", run->job->name);
        by = xasprintf("run %lld, %s", (long long)run->record.run.id, how);
        text = xasprintf("run %lld of job %s leaves out %zu of %zu hosts: %s", (long long)run->record.run.id,
                         run->job->name, barred.count, run->hosts.count, err.text);
        parts->note(parts->arg, &(struct job_deed){run->order.who, by, what, run->order.target, &barred,
                                                   run->record.run.id, NULL, &err, NULL});
        event_raise(parts->events,
                    &(struct event_report){.kind = EVENT_JOB, .severity = SEVERITY_WARNING, .text = text});
        free(text);
        free(by);
        free(what);
    }
    free(barred.items);
}
