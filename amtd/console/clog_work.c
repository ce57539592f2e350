/* Work on a log by another thread: closing segments, signing, saving what was deleted; one piece at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtd/console/clog_internal.h"
#include "base/log.h"
#include "base/xalloc.h"

static void job_free(struct clog_job *job)
{
    if (job->fd >= 0)
        close(job->fd);
    buf_free(&job->keeper.seen);
    free(job->path);
    free((char *)job->keeper.name);
    free(job);
}

/* --- on the other thread --- */

static void run_close(struct clog_job *job)
{
    job->status = keeper_close(&job->keeper, &job->gone, &job->err);
}

static void run_sign(struct clog_job *job)
{
    job->status = keeper_sign(&job->keeper, job->fd, job->first, job->end, job->journal_end, &job->err);
}

static void run_rescue(struct clog_job *job)
{
    job->status = keeper_rescue(&job->keeper, job->fd, job->first, job->end - job->first, &job->err);
    if (job->status == 0)
        run_close(job);
}

static void run_expire(struct clog_job *job)
{
    job->status = keeper_expire(&job->keeper, &job->gone, &job->err);
}

static void (*const runs[])(struct clog_job *job) = {
    [WORK_CLOSE] = run_close, [WORK_SIGN] = run_sign, [WORK_RESCUE] = run_rescue, [WORK_EXPIRE] = run_expire};

static void job_run(void *arg)
{
    struct clog_job *job = arg;

    runs[job->work](job);
}

/* --- back on the loop's thread --- */

static void job_done(void *arg);

static void submit(struct clog *log, struct clog_job *job)
{
    log->working = job->work;
    log->store->busy++;
    log->store->worker.submit(log->store->worker.arg, job_run, job_done, job);
}

static void job_failed(struct clog *log, struct clog_job *job)
{
    static const char *const what[] = {[WORK_CLOSE] = "a segment cannot be closed",
                                       [WORK_SIGN] = "the open segment cannot be signed",
                                       [WORK_EXPIRE] = "what is kept no longer cannot be removed",
                                       [WORK_RESCUE] = "what the deleted file held cannot be saved yet"};

    log_err(log->name, "log: %s: %s", what[job->work], job->err.text);
    log->work_due = clog_now(log) + CLOSE_RETRY_MS;
    if (job->work == WORK_CLOSE)
        log->close_wanted = true;
}

static void job_done(void *arg)
{
    struct clog_job *job = arg;
    struct clog *log = job->log;

    log->working = WORK_NONE;
    log->store->busy--;
    if (job->status != 0)
        job_failed(log, job);
    if (job->status == 0 && job->work == WORK_SIGN && job->first == log->first) {
        log->signed_end = job->end;
        log->signed_journal = job->journal_end;
    }
    if (job->gone.segments > 0)
        log_info(log->name, "log: %llu old segments removed", (unsigned long long)job->gone.segments);
    log->store->gone.segments += job->gone.segments;
    log->store->gone.bytes += job->gone.bytes;
    if (job->status != 0 && job->work == WORK_RESCUE && !log->dying)
        log->waiting = job; /* it holds the only way to those bytes */
    else
        job_free(job);
    clog_drop_reader(log);
    log->oldest_known = false;
    if (log->dying) {
        if (!log->promising)
            clog_release(log);
        return;
    }
    clog_start_work(log, clog_now(log));
    if (log->events.worked)
        log->events.worked(log->events.arg);
}

static struct clog_job *job_new(struct clog *log, enum clog_work work)
{
    struct clog_job *job = xcalloc(1, sizeof(*job));

    job->log = log;
    job->work = work;
    job->fd = -1;
    job->path = xstrdup(log->path);
    job->first = log->first;
    job->end = log->end;
    job->journal_end = log->journal_end;
    job->keeper.path = job->path;
    job->keeper.name = xstrdup(log->name);
    job->keeper.key = log->store->key;
    job->keeper.settings = log->settings;
    job->keeper.now_ms = clock_wall(log->store->clock);
    return job;
}

/* --- what to begin --- */

/* Segments that were given their closed names; what was seen of the last one goes with it. */
static struct clog_job *closing(struct clog *log, enum clog_work work)
{
    struct clog_job *job = job_new(log, work);

    job->keeper.seen = log->closed_seen;
    job->keeper.seen_first = log->closed_first;
    log->closed_seen = buf_init(0);
    return job;
}

static void start_rescue(struct clog *log)
{
    struct clog_job *job = log->waiting;
    struct err err = ERR_INIT;

    if (job) { /* once more */
        log->waiting = NULL;
        job->status = 0;
        submit(log, job);
        return;
    }
    log->rescue_wanted = false;
    clog_flush(log);
    if (log->fd < 0 || clog_file_is_there(log))
        return;
    clog_write_index(log);
    clog_move_stray(log);
    job = job_new(log, WORK_RESCUE);
    job->fd = fcntl(log->fd, F_DUPFD_CLOEXEC, 3);
    if (job->fd < 0 || clog_roll_files(log, log->end, &err) != 0) {
        log->rescue_wanted = true;
        log->work_due = clog_now(log) + RETRY_MS;
        job_free(job);
        return;
    }
    log->close_wanted = false; /* the same piece of work does that */
    clog_write_journal(log, NULL);
    submit(log, job);
}

static void start_roll(struct clog *log)
{
    struct err err = ERR_INIT;

    log->roll_wanted = false;
    clog_flush(log);
    if (log->end == log->first)
        return;
    clog_write_index(log);
    clog_event(log, JOURNAL_ROLL, NULL, log->roll_why);
    if (clog_roll_files(log, log->end, &err) != 0) {
        log_err(log->name, "log: the segment cannot be closed: %s", err.text);
        log->roll_wanted = true;
        log->work_due = clog_now(log) + CLOSE_RETRY_MS;
    }
}

static void start_sign(struct clog *log)
{
    struct clog_job *job;
    struct err err = ERR_INIT;

    log->sign_due = INT64_MAX;
    if (log->end == log->first || log->paused || clog_open_file(log, &err) != 0 || log->end == log->first)
        return;
    if (log->signed_end == log->end && log->signed_journal == log->journal_end)
        return;
    job = job_new(log, WORK_SIGN);
    clog_doubt_blocks(log);
    job->keeper.seen = blocks_take(&log->blocks);
    job->keeper.seen_first = log->first;
    job->fd = fcntl(log->fd, F_DUPFD_CLOEXEC, 3);
    if (job->fd >= 0)
        submit(log, job);
    else
        job_free(job);
}

static bool is_old(const struct clog *log)
{
    int64_t age = clock_wall(log->store->clock) - log->created_ms;

    return log->known && log->begun && log->end > log->first && log->settings.segment_ms > 0 &&
           age >= log->settings.segment_ms;
}

bool clog_start_work(struct clog *log, int64_t now_ms)
{
    if (log->working != WORK_NONE || log->dying || now_ms < log->work_due)
        return false;
    if (log->waiting || (log->rescue_wanted && !log->paused)) {
        start_rescue(log);
        if (log->working != WORK_NONE)
            return true;
    }
    if (is_old(log) && !log->roll_wanted) {
        log->roll_wanted = true;
        log->roll_why = "age";
    }
    if (log->roll_wanted && !log->paused && !log->rescue_wanted)
        start_roll(log);
    if (log->close_wanted && log->known && !log->paused) {
        log->close_wanted = log->expire_wanted = false;
        submit(log, closing(log, WORK_CLOSE));
        return true;
    }
    if (log->expire_wanted) {
        log->expire_wanted = false;
        submit(log, job_new(log, WORK_EXPIRE));
        return true;
    }
    if (now_ms >= log->sign_due)
        start_sign(log);
    return log->working != WORK_NONE;
}

int64_t clog_work_deadline(const struct clog *log)
{
    int64_t next = INT64_MAX, left;

    if (log->working != WORK_NONE)
        return INT64_MAX; /* its end looks for more */
    if (log->waiting || log->rescue_wanted || log->roll_wanted || log->close_wanted || log->expire_wanted)
        next = log->work_due;
    if (log->sign_due < next)
        next = log->sign_due;
    if (log->known && log->begun && log->end > log->first && log->settings.segment_ms > 0) {
        left = log->created_ms + log->settings.segment_ms - clock_wall(log->store->clock);
        if (left > log->settings.segment_ms) /* the clock was put back */
            left = log->settings.segment_ms;
        left = clog_now(log) + (left > 0 ? left : 0);
        next = left < next ? left : next;
    }
    return next > log->work_due ? next : log->work_due;
}
