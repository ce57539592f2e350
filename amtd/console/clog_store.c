#include "amtd/console/clog_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

#include "amtd/console/clog_internal.h"
#include "base/log.h"
#include "base/xalloc.h"

#define SYNC_SINGLE 8 /* more logs than that are synced together, as a file system */

struct clog_store *clog_store_new(const struct clog_store_settings *settings, const struct clock *clock,
                                  const struct node_key *key, const struct clog_worker *worker,
                                  struct err *err)
{
    struct clog_store *store;
    char *path;

    if (mkdir(settings->dir, 0700) != 0 && errno != EEXIST) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "%s", settings->dir);
        return NULL;
    }
    store = xcalloc(1, sizeof(*store));
    store->dir = xstrdup(settings->dir);
    store->clock = clock;
    store->key = key;
    store->worker = *worker;
    store->files_max = settings->files_max > 0 ? settings->files_max : 1;
    store->sync_ms = settings->sync_ms;
    store->held_max = settings->held_max;
    path = xasprintf("%s/.events", settings->dir);
    store->spool = spool_new(path);
    free(path);
    return store;
}

void clog_store_free(struct clog_store *store)
{
    if (!store)
        return;
    spool_free(store->spool);
    free(store->dir);
    free(store);
}

const char *clog_store_dir(const struct clog_store *store)
{
    return store->dir;
}

void clog_store_set_sync(struct clog_store *store, int64_t sync_ms)
{
    store->sync_ms = sync_ms;
}

struct keeper_gone clog_store_gone(struct clog_store *store)
{
    struct keeper_gone gone = store->gone;

    store->gone = (struct keeper_gone){0};
    return gone;
}

size_t clog_store_busy(const struct clog_store *store)
{
    return store->busy;
}

/* --- syncing --- */

struct sync_job {
    struct clog_store *store;
    int fds[SYNC_SINGLE];
    char *fresh[SYNC_SINGLE]; /* directories with files that are new */
    size_t fresh_count;
    size_t count;
    bool whole;  /* fds[0] is any file of the file system */
    int failure; /* errno */
};

static int sync_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int failure = fd >= 0 && fsync(fd) == 0 ? 0 : errno;

    if (fd >= 0)
        close(fd);
    return failure;
}

/* The time index says where the segment begins, and the lives whose bytes they are; and a file that has no
 * name is none. */
static void sync_names(struct sync_job *job)
{
    static const char *const lives[] = {"lives", "origin/lives", "origin"};

    for (size_t i = 0; i < job->fresh_count; i++) {
        char *index = xasprintf("%s/console.idx", job->fresh[i]);
        int failure = sync_path(index);

        for (size_t k = 0; failure == 0 && k < sizeof(lives) / sizeof(lives[0]); k++) {
            char *path = xasprintf("%s/%s", job->fresh[i], lives[k]);

            failure = sync_path(path);
            failure = failure == ENOENT ? 0 : failure;
            free(path);
        }
        if (failure == 0)
            failure = sync_path(job->fresh[i]);
        if (failure == 0)
            failure = sync_path(job->store->dir);
        if (failure != 0 && failure != ENOENT) /* rolled meanwhile: the keeper syncs those */
            job->failure = failure;
        free(index);
    }
}

static void sync_run(void *arg)
{
    struct sync_job *job = arg;

    if (job->whole) {
        if (syncfs(job->fds[0]) != 0)
            job->failure = errno;
        return;
    }
    for (size_t i = 0; i < job->count; i++)
        if (fdatasync(job->fds[i]) != 0)
            job->failure = errno;
    sync_names(job);
}

static void sync_done(void *arg)
{
    struct sync_job *job = arg;
    struct clog_store *store = job->store;

    store->busy--;
    store->syncing = false;
    if (store->unsynced)
        store->sync_due = clock_mono(store->clock) + store->sync_ms;
    if (job->failure != 0)
        log_err(NULL, "consoles: the logs cannot be synced: %s", strerror(job->failure));
    for (size_t i = 0; i < job->count; i++)
        close(job->fds[i]);
    for (size_t i = 0; i < job->fresh_count; i++)
        free(job->fresh[i]);
    free(job);
}

/* A log whose descriptor is not held any more: syncing any descriptor of the file does. */
static int descriptor(const struct clog *log)
{
    char *path;
    int fd;

    if (log->fd >= 0)
        return fcntl(log->fd, F_DUPFD_CLOEXEC, 3);
    path = xasprintf("%s/console.log", log->path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    free(path);
    return fd;
}

static void sync_start(struct clog_store *store)
{
    struct sync_job *job = xcalloc(1, sizeof(*job));
    struct clog *log, *next;

    job->store = store;
    job->whole = store->unsynced_count > SYNC_SINGLE;
    if (job->whole) {
        job->fds[0] = open(store->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        job->count = job->fds[0] >= 0;
    }
    DL_FOREACH_SAFE2(store->unsynced, log, next, sync_next)
    {
        int fd = job->whole ? -1 : descriptor(log);

        if (fd >= 0)
            job->fds[job->count++] = fd;
        if (log->fresh && !job->whole)
            job->fresh[job->fresh_count++] = xstrdup(log->path);
        log->unsynced = log->fresh = false;
        DL_DELETE2(store->unsynced, log, sync_prev, sync_next);
        store->unsynced_count--;
    }
    store->syncing = true;
    store->busy++;
    store->worker.submit(store->worker.arg, sync_run, sync_done, job);
}

static int64_t sync_tick(struct clog_store *store, int64_t now_ms)
{
    if (store->syncing || !store->unsynced || store->sync_ms == 0)
        return INT64_MAX;
    if (now_ms >= store->sync_due)
        sync_start(store);
    return store->syncing || !store->unsynced ? INT64_MAX : store->sync_due;
}

void clog_store_turn(struct clog_store *store)
{
    spool_write(store->spool);
}

int64_t clog_store_tick(struct clog_store *store, int64_t now_ms)
{
    int64_t sync = sync_tick(store, now_ms), sweep = clog_early_sweep(store, now_ms);

    spool_write(store->spool);
    return sync < sweep ? sync : sweep;
}
