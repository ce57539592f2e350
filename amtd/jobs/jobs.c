#include "amtd/jobs/jobs.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/log.h"
#include "base/xalloc.h"

struct entry {
    struct job_run *run;
    struct jobs *jobs;
    struct entry *prev, *next;
};

struct jobs {
    const struct job_parts *parts;
    struct entry *entries;
    bool loading; /* what an earlier amtd left is being read */
    bool stopping;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

static void maybe_end(struct jobs *jobs)
{
    void (*stopped)(void *arg) = jobs->stopped;
    void *arg = jobs->stopped_arg;

    if (!jobs->stopping || jobs->entries || jobs->loading)
        return;
    free(jobs);
    stopped(arg);
}

static void run_went(void *arg, struct job_run *run)
{
    struct entry *entry = arg;
    struct jobs *jobs = entry->jobs;

    (void)run;
    DL_DELETE(jobs->entries, entry);
    free(entry);
    maybe_end(jobs);
}

static struct entry *entry_new(struct jobs *jobs)
{
    struct entry *entry = xcalloc(1, sizeof(*entry));

    entry->jobs = jobs;
    DL_APPEND(jobs->entries, entry);
    return entry;
}

void jobs_run(struct jobs *jobs, struct job_order *order, const struct job_watch *watch,
              struct job_viewer **viewer)
{
    struct entry *entry = entry_new(jobs);

    entry->run = job_run_begin(jobs->parts, order, run_went, entry);
    if (watch)
        *viewer = job_run_watch(entry->run, watch);
}

/* --- what an earlier amtd left --- */

struct left {
    struct jobs *jobs;
    struct job_record *records;
    size_t count;
};

static int load(struct tx *tx, void *data, struct err *err)
{
    struct left *left = data;

    for (size_t i = 0; i < left->count; i++) /* the transaction is tried again when others in it fail */
        job_record_clear(&left->records[i]);
    free(left->records);
    return tx_jobs_open(tx, &left->records, &left->count, err);
}

static void loaded(void *data, const struct err *failure)
{
    struct left *left = data;
    struct jobs *jobs = left->jobs;

    jobs->loading = false;
    if (failure)
        log_err(NULL, "runs of jobs that an earlier amtd left cannot be read: %s", failure->text);
    for (size_t i = 0; i < left->count; i++) {
        if (!failure && !jobs->stopping) {
            struct entry *entry = entry_new(jobs);

            entry->run = job_run_resume(jobs->parts, &left->records[i], run_went, entry);
        } else {
            job_record_clear(&left->records[i]);
        }
    }
    free(left->records);
    free(left);
    maybe_end(jobs);
}

struct jobs *jobs_new(const struct job_parts *parts)
{
    struct jobs *jobs = xcalloc(1, sizeof(*jobs));
    struct left *left = xcalloc(1, sizeof(*left));

    jobs->parts = parts;
    jobs->loading = true;
    left->jobs = jobs;
    store_submit(parts->run->store, load, loaded, left);
    return jobs;
}

void jobs_stop(struct jobs *jobs, void (*done)(void *arg), void *arg)
{
    struct entry *entry;

    jobs->stopping = true;
    jobs->stopped = done;
    jobs->stopped_arg = arg;
    DL_FOREACH(jobs->entries, entry)
    job_run_drop(entry->run);
    maybe_end(jobs);
}

/* --- looking --- */

const struct job_parts *jobs_parts(const struct jobs *jobs)
{
    return jobs->parts;
}

struct job_run *jobs_find(const struct jobs *jobs, int64_t run_id)
{
    const struct entry *entry;

    DL_FOREACH(jobs->entries, entry)
    if (job_run_is_ready(entry->run) && job_run_record(entry->run)->run.id == run_id)
        return entry->run;
    return NULL;
}

bool jobs_runs_schedule(const struct jobs *jobs, const char *schedule)
{
    const struct entry *entry;

    DL_FOREACH(jobs->entries, entry)
    {
        const struct job_order *order = job_run_order(entry->run);

        if (!job_run_is_over(entry->run) && order->schedule && strcmp(order->schedule, schedule) == 0)
            return true;
    }
    return false;
}

bool jobs_runs_reaction(const struct jobs *jobs, const char *reaction, const char *target)
{
    const struct entry *entry;

    DL_FOREACH(jobs->entries, entry)
    {
        const struct job_order *order = job_run_order(entry->run);

        if (!job_run_is_over(entry->run) && order->reaction && strcmp(order->reaction, reaction) == 0 &&
            strcmp(order->target, target) == 0)
            return true;
    }
    return false;
}

size_t jobs_active(const struct jobs *jobs)
{
    const struct entry *entry;
    size_t count = 0;

    DL_FOREACH(jobs->entries, entry)
    if (!job_run_is_over(entry->run))
        count++;
    return count;
}
