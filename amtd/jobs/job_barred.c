/* Rights of a run that is taken up: whoever began it may have lost them while amtd was down. */
#include <stdlib.h>

#include "amtd/jobs/job_run_internal.h"
#include "amtd/store/event.h"
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

int tx_job_bar(struct tx *tx, struct job_run *run, struct err *err)
{
    enum api_role need = job_role(run->job);
    struct reach *reach = NULL;

    if (run->order.as_amtd)
        return 0;
    if (run->order.user && tx_reach(tx, run->order.user, &reach, err) != 0)
        return -1;
    run->order.everywhere = reach ? reach_everywhere(reach) : ROLE_NONE;
    for (size_t i = 0; i < run->hosts.count; i++) {
        const struct host *host = &run->hosts.items[i];
        enum api_role role = reach && host->name ? reach_on(reach, host->name) : ROLE_NONE;

        run->members[i].barred = host->id > 0 && role < need; /* else it was removed */
    }
    reach_free(reach);
    return 0;
}

void job_host_say_barred(const struct job_host *h, struct err *err)
{
    const struct job_run *run = h->run;

    err_set(err, CAUSE_DENIED,
            "amtd was restarted, and %s, who began the run, does not have the role '%s' there any more",
            run->order.who, role_name(job_role(run->job)));
}

void job_run_tell_barred(const struct job_run *run)
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
        by = xasprintf("run %lld, taken up", (long long)run->record.run.id);
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
