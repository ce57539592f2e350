/* Jobs begun by events. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtd/jobs/job.h"
#include "amtd/reactions/reaction_internal.h"
#include "amtd/store/schedules.h"
#include "base/xalloc.h"

struct start {
    struct delivery *delivery;
    struct job_viewer *viewer;
    struct job_order order;
    char *who, *target, *job; /* of the order, for the activity log */
    char *schedule;           /* whose job it is, or NULL */
    struct schedule record;   /* as the store has it */
};

/* --- the run --- */

static void end(struct start *s, const struct err *failure)
{
    delivered(s->delivery, failure);
    job_order_clear(&s->order);
    schedule_clear(&s->record);
    free(s->who);
    free(s->target);
    free(s->job);
    free(s->schedule);
    free(s);
}

/* Its names stay when jobs_run has taken the order over. */
static void name(struct start *s)
{
    s->who = xstrdup(s->order.who);
    s->target = xstrdup(s->order.target);
    s->job = xstrdup(s->order.job->name);
}

/* For the activity log; err NULL: it has begun. */
static void note(const struct start *s, const struct hosts *hosts, int64_t run, const struct err *err)
{
    const struct jobs *jobs = s->delivery->reactions->parts.jobs;
    const struct job_parts *parts = jobs ? jobs_parts(jobs) : NULL; /* NULL: amtd ends */
    char *by = xasprintf("reaction %s", s->delivery->rule);
    char *what = xasprintf("job.run %s", s->job);

    if (parts)
        parts->note(parts->arg, &(struct job_deed){s->who, by, what, s->target, hosts, run, NULL, err, NULL});
    free(what);
    free(by);
}

static void run_ready(void *arg, struct job_run *run)
{
    const struct start *s = arg;

    note(s, job_run_hosts(run), job_run_record(run)->run.id, NULL);

    log_info("reactions", "reaction %s: run %lld of job %s", s->delivery->rule,
             (long long)job_run_record(run)->run.id, job_run_job(run)->name);
}

static void run_refused(void *arg, const struct err *err)
{
    struct start *s = arg;

    note(s, NULL, 0, err);
    end(s, err);
}

static void run_news(void *arg, struct job_run *run)
{
    struct start *s = arg;
    const struct run *record = &job_run_record(run)->run;
    struct err err = ERR_INIT;

    if (!job_run_is_over(run))
        return;
    if (record->failed > 0)
        err_set(&err, CAUSE_FAULT, "run %lld of job %s failed on %u of %u hosts", (long long)record->id,
                job_run_job(run)->name, record->failed, record->hosts);
    job_run_unwatch(s->viewer);
    end(s, err.cause != CAUSE_NONE ? &err : NULL);
}

static void begin(struct start *s)
{
    const struct job_watch watch = {s, run_ready, run_refused, run_news};
    struct jobs *jobs = s->delivery->reactions->parts.jobs;
    const char *rule = s->delivery->rule;
    struct job_order *order = &s->order;
    struct err err = ERR_INIT;

    name(s);
    if (!jobs)
        err_set(&err, CAUSE_NOT_STARTED, "amtd ends");
    else if (jobs_runs_reaction(jobs, rule, order->target))
        err_set(&err, CAUSE_IN_USE, "the run that it began before is still under way on %s", order->target);
    if (err.cause != CAUSE_NONE)
        end(s, &err);
    else
        jobs_run(jobs, order, &watch, &s->viewer);
}

/* --- its job --- */

/* 0, or -1 and err. text and files stay the caller's. */
static int take_job(struct job_order *order, const char *name, const char *text, const json_t *files,
                    struct err *err)
{
    struct job_reading reading;

    order->job = job_read(name, text, strlen(text), files, &reading);
    job_reading_clear(&reading);
    if (!order->job)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "its job file cannot be read by this amtd");
    order->text = xstrdup(text);
    order->files = json_incref((json_t *)files);
    return 0;
}

static int read_schedule(struct tx *tx, void *data, struct err *err)
{
    struct start *s = data;

    schedule_clear(&s->record); /* the transaction is tried again when others in it fail */
    return tx_schedule_get(tx, s->schedule, &s->record, err);
}

/* The job of a schedule is done with the account of whoever added it, and with the rights that he has now:
 * else it would be a way to amtd's own. */
static void known(void *arg, const struct user *user)
{
    struct start *s = arg;
    struct err err = ERR_INIT;

    if (user) {
        s->order.user = user_copy(user);
        begin(s);
        return;
    }
    name(s);
    err_set(&err, CAUSE_DENIED, "nobody knows %s any more, who added the schedule %s", s->who, s->schedule);
    run_refused(s, &err);
}

static void ask_who(struct start *s)
{
    const struct jobs *jobs = s->delivery->reactions->parts.jobs;
    const struct job_parts *parts = jobs ? jobs_parts(jobs) : NULL;
    struct err err = ERR_INIT;

    if (!parts) {
        err_set(&err, CAUSE_NOT_STARTED, "amtd ends");
        end(s, &err);
        return;
    }
    xreplace(&s->order.who, s->record.who);
    s->order.uid = s->record.uid;
    parts->look_up(parts->arg, s->record.uid, s->record.who, known, s);
}

static void schedule_read(void *data, const struct err *failure)
{
    struct start *s = data;
    struct err err = failure ? *failure : (struct err)ERR_INIT;
    json_t *files = failure ? NULL : json_loads(s->record.files, 0, NULL);

    if (!failure)
        take_job(&s->order, s->record.job, s->record.text, files, &err);
    json_decref(files);
    if (err.cause != CAUSE_NONE)
        end(s, &err);
    else
        ask_who(s);
}

/* The event as others get it, and how it came to this. */
static json_t *event_of(const struct firing *f)
{
    json_t *json = event_json(&f->event);

    json_object_set_new(json, "reaction", json_string(f->rule.name));
    json_object_set_new(json, "reactions", reactions_led(&f->event, f->rule.name));
    return json;
}

static struct job_order order_of(const struct firing *f, const char *target)
{
    return (struct job_order){
        .target = xstrdup(target),
        .who = xasprintf("reaction %s", f->rule.name),
        .uid = (int64_t)geteuid(), /* as other commands of reactions */
        .reaction = xstrdup(f->rule.name),
        .event = event_of(f),
        .rollout = {-1, -1, -1, -1, -1, -1},
        .confirmed = true,
    };
}

void job_start(const struct firing *f)
{
    const struct reaction_job *job = &f->rule.action.job;
    const char *target = job->target ? job->target : f->event.host;
    struct start *s = xcalloc(1, sizeof(*s));
    struct err err = ERR_INIT;

    s->delivery = delivery_new(f);
    if (!target)
        err_set(&err, CAUSE_INVALID_ARGUMENT, "there is no host for the job");
    else if (reactions_led_by(&f->event, f->rule.name))
        err_set(&err, CAUSE_IN_USE, "the event comes from a run that it began itself");
    if (err.cause != CAUSE_NONE) {
        end(s, &err);
        return;
    }
    s->order = order_of(f, target);
    if (job->schedule) {
        s->schedule = xstrdup(job->schedule);
        store_submit(f->reactions->parts.store, read_schedule, schedule_read, s);
    } else if (take_job(&s->order, job->source.name, job->source.text, job->source.files, &err) == 0) {
        begin(s);
    } else {
        end(s, &err);
    }
}
