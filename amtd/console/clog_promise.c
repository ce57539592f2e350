/* How far replicas of a log may have read it. A machine that loses power loses the newest bytes of its logs,
 * and servers have them: were their offsets used again, log and replica would be different bytes at the same
 * places. So a promise is on the disk before bytes go out: offsets below it are not used again after a loss
 * of power. The promise goes ahead of the log, the further the faster the log grows, so that it is seldom
 * renewed.
 *
 * The file `promise` in the log's directory has the offset and the kernel's boot id: sudden death of this
 * process loses nothing that was written, so only a promise of another boot moves the log on. A log that was
 * closed in good order has none. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtd/console/clog_internal.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

#define STEP_MIN   ((uint64_t)1 << 20)
#define STEP_MAX   ((uint64_t)64 << 20)
#define STEP_MS    60000 /* a promise that was used up sooner was too small */
#define ID_SIZE    64
#define LINE_MAX   128
#define OFFSET_MAX ((uint64_t)1 << 62)

struct promise_job {
    struct clog *log;
    char *path, *temporary, *dir;
    char *lives; /* synced with it: whoever has bytes of this life will find it here */
    uint64_t upto;
    int failure; /* errno */
};

/* A line of a small file, without its end. -1: there is none. */
static int read_line(const char *path, char *line, size_t size)
{
    FILE *file = fopen(path, "re");
    bool read = file && fgets(line, (int)size, file);

    if (file)
        fclose(file);
    if (!read)
        return -1;
    line[strcspn(line, "\n")] = '\0';
    return 0;
}

static const char *boot_id(void)
{
    static char id[ID_SIZE];

    if (id[0] == '\0' && read_line("/proc/sys/kernel/random/boot_id", id, sizeof(id)) != 0)
        snprintf(id, sizeof(id), "unknown");
    return id;
}

static char *promise_path(const struct clog *log)
{
    return xasprintf("%s/promise", log->path);
}

uint64_t clog_promise_read(struct clog *log)
{
    char *path = promise_path(log), line[LINE_MAX], *id;
    uint64_t upto = 0, lost = 0;

    if (read_line(path, line, sizeof(line)) == 0) {
        id = strchr(line, ' ');
        if (id)
            *id++ = '\0';
        if (!id || !text_u64(line, 0, OFFSET_MAX, &upto))
            clog_repair_note(log, "'promise' makes no sense");
        else if (strcmp(id, boot_id()) != 0)
            lost = upto;
        log->promise_left = true;
    }
    free(path);
    return lost;
}

/* --- on the other thread --- */

static int write_promise(const struct promise_job *job)
{
    char line[LINE_MAX];
    int n = snprintf(line, sizeof(line), "%" PRIu64 " %s\n", job->upto, boot_id());
    int fd = open(job->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int dir = open(job->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int lives = open(job->lives, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool good = fd >= 0 && dir >= 0 && lives >= 0 && write(fd, line, (size_t)n) == n && fsync(fd) == 0 &&
                fsync(lives) == 0 && rename(job->temporary, job->path) == 0 && fsync(dir) == 0;
    int failure = good ? 0 : errno != 0 ? errno : ENOSPC;

    if (fd >= 0)
        close(fd);
    if (dir >= 0)
        close(dir);
    if (lives >= 0)
        close(lives);
    return failure;
}

static void promise_run(void *arg)
{
    struct promise_job *job = arg;

    errno = 0;
    job->failure = write_promise(job);
}

/* --- on the loop's thread --- */

static void promise_done(void *arg)
{
    struct promise_job *job = arg;
    struct clog *log = job->log;

    log->promising = false;
    log->store->busy--;
    if (job->failure == 0) {
        log->promised = job->upto;
    } else {
        log_err(log->name, "log: replicas are not sent more, because %s: %s", job->path,
                strerror(job->failure));
        log->promise_due = clog_now(log) + RETRY_MS;
    }
    free(job->path);
    free(job->temporary);
    free(job->dir);
    free(job->lives);
    free(job);
    if (log->dying && log->working == WORK_NONE)
        clog_release(log);
    else if (!log->dying && log->events.worked)
        log->events.worked(log->events.arg);
}

static void promise_more(struct clog *log, uint64_t from)
{
    struct promise_job *job = xcalloc(1, sizeof(*job));
    int64_t now = clog_now(log);

    if (log->promise_step == 0 || now - log->promise_ms > STEP_MS)
        log->promise_step = STEP_MIN;
    else if (log->promise_step < STEP_MAX)
        log->promise_step *= 2;
    log->promise_ms = now;
    log->promising = true;
    job->log = log;
    job->path = promise_path(log);
    job->temporary = xasprintf("%s/promise.new", log->path);
    job->dir = xstrdup(log->path);
    job->lives = clog_lives_path(log);
    job->upto = (from > log->end ? from : log->end) + log->promise_step;
    log->store->busy++;
    log->store->worker.submit(log->store->worker.arg, promise_run, promise_done, job);
}

uint64_t clog_promise(struct clog *log, uint64_t from)
{
    uint64_t left = log->promised > from ? log->promised - from : 0;
    uint64_t enough = (log->promise_step > 0 ? log->promise_step : STEP_MIN) / 2;

    if (left <= enough && log->known && !log->lives_unsaved && !log->promising && log->promise_due == 0 &&
        clog_make_dir(log, NULL, NULL) == 0)
        promise_more(log, from);
    return log->promised;
}

void clog_promise_tick(struct clog *log, int64_t now_ms)
{
    if (log->promise_due == 0 || now_ms < log->promise_due)
        return;
    log->promise_due = 0;
    if (log->events.worked) /* whoever waits asks again */
        log->events.worked(log->events.arg);
}

void clog_promise_end(struct clog *log)
{
    char *path = promise_path(log);
    int fd = -1;

    if (log->promised > 0 || log->promise_left) {
        if (log->unsynced)
            fd = open(log->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if ((!log->unsynced || (fd >= 0 && syncfs(fd) == 0)) && unlink(path) != 0 && errno != ENOENT)
            log_warn(log->name, "log: %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
    }
    free(path);
}
