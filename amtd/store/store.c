/* The store's thread, its queue, and group commit. */
#include "amtd/store/store.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <utlist.h>

#include "amtd/store/internal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

#define GROUP_MOST 1000 /* works in one transaction */
#define LATER_MS   100  /* how long work that can wait does, for others to share its transaction */

struct task_item {
    store_work *work;
    store_done *done;
    void *data;
    unsigned how;        /* enum store_how */
    struct err *failure; /* NULL: none */
    struct task_item *prev, *next;
};

struct store {
    struct tx tx;
    bool is_soft; /* how SQLite is told to commit now */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct task_item *waiting, *finished;
    size_t waiting_count;
    bool hurry;         /* among the waiting is one that cannot wait */
    int64_t wait_until; /* when none of them can any more; while any are waiting */
    bool closing;
    _Atomic uint64_t commits;
    void (*wake)(void *arg);
    void *wake_arg;
};

/* --- the store's thread --- */

static int run_sql(struct tx *tx, const char *sql, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, sql, err);

    return st ? tx_run_statement(tx, st, err) : -1;
}

static void fail_item(struct task_item *item, const struct err *failure)
{
    if (!item->failure)
        item->failure = xmalloc(sizeof(*item->failure));
    *item->failure = *failure;
}

static const char begin_one[] = "SAVEPOINT one", undo_one[] = "ROLLBACK TO one", end_one[] = "RELEASE one";

/* A full disk ends a transaction in the middle of a work. What comes after it would be kept on its own,
 * although all of the group is told that it failed: it is not done. */
static bool is_undone(const struct store *store)
{
    return sqlite3_get_autocommit(store->tx.db) != 0;
}

/* Each work has a savepoint of its own: its failure undoes only what it did. */
static void work_one(struct store *store, struct task_item *item)
{
    struct err failure = ERR_INIT, ignored = ERR_INIT;

    if (!item->work || is_undone(store))
        return;
    if (run_sql(&store->tx, begin_one, &failure) == 0) {
        if (item->work(&store->tx, item->data, &failure) != 0)
            run_sql(&store->tx, undo_one, &ignored);
        run_sql(&store->tx, end_one, &ignored);
    }
    if (failure.cause != CAUSE_NONE)
        fail_item(item, &failure);
}

/* Works up to `end` with one savepoint for all of them, which costs as much as a small work does. False: one
 * has failed, and nothing was done. */
static bool work_together(struct store *store, struct task_item *item, const struct task_item *end)
{
    struct err ignored = ERR_INIT;
    bool well = run_sql(&store->tx, begin_one, &ignored) == 0;

    if (!well)
        return false;
    for (; well && item != end; item = item->next)
        well = !item->work || item->work(&store->tx, item->data, &ignored) == 0;
    if (!well)
        run_sql(&store->tx, undo_one, &ignored);
    run_sql(&store->tx, end_one, &ignored);
    return well;
}

/* Does one work, or several that may be done once more. Returns what comes next. */
static struct task_item *work_some(struct store *store, struct task_item *item)
{
    struct task_item *end = item->next;

    while (item->how & STORE_AGAIN && end && end->how & STORE_AGAIN)
        end = end->next;
    if (end != item->next && work_together(store, item, end))
        return end;
    for (; item != end; item = item->next)
        work_one(store, item);
    return end;
}

static void fail_group(struct task_item *group, const struct err *failure)
{
    struct task_item *item;

    DL_FOREACH(group, item)
    fail_item(item, failure);
}

/* One work that has to survive a power failure makes its whole transaction do so. */
static int set_softness(struct store *store, const struct task_item *group, struct err *err)
{
    const struct task_item *item;
    bool soft = true;

    DL_FOREACH(group, item)
    soft = soft && item->how & STORE_SOFT;
    if (soft == store->is_soft)
        return 0;
    if (tx_exec(&store->tx, soft ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", err) != 0)
        return -1;
    store->is_soft = soft;
    return 0;
}

static void work_group(struct store *store, struct task_item *group)
{
    struct task_item *item;
    struct err failure = ERR_INIT;
    sqlite3_int64 before = sqlite3_total_changes64(store->tx.db);

    if (set_softness(store, group, &failure) != 0 || tx_exec(&store->tx, "BEGIN IMMEDIATE", &failure) != 0) {
        fail_group(group, &failure);
        return;
    }
    for (item = group; item;)
        item = work_some(store, item);
    if (is_undone(store)) {
        err_set(&failure, CAUSE_STORE_FAILED, "the database undid the transaction: is the disk full?");
        fail_group(group, &failure);
    } else if (tx_exec(&store->tx, "COMMIT", &failure) != 0) {
        sqlite3_exec(store->tx.db, "ROLLBACK", NULL, NULL, NULL);
        fail_group(group, &failure);
    } else if (sqlite3_total_changes64(store->tx.db) != before) {
        store->commits++;
    }
}

static struct task_item *take_group(struct store *store)
{
    struct task_item *group = NULL, *item, *next;
    size_t count = 0;

    DL_FOREACH_SAFE(store->waiting, item, next)
    {
        if (count == GROUP_MOST)
            break;
        DL_DELETE(store->waiting, item);
        DL_APPEND(group, item);
        count++;
    }
    store->waiting_count -= count;
    store->hurry = store->hurry && store->waiting;
    return group;
}

static bool is_due(const struct store *store)
{
    return store->hurry || store->closing || store->waiting_count >= GROUP_MOST ||
           clock_mono(clock_system()) >= store->wait_until;
}

static void wait_for_more(struct store *store)
{
    struct timespec until = {.tv_sec = (time_t)(store->wait_until / 1000),
                             .tv_nsec = (long)(store->wait_until % 1000 * 1000000)};

    if (store->waiting)
        pthread_cond_timedwait(&store->more, &store->lock, &until);
    else
        pthread_cond_wait(&store->more, &store->lock);
}

static void *store_thread(void *arg)
{
    struct store *store = arg;

    pthread_mutex_lock(&store->lock);
    while (store->waiting || !store->closing) {
        struct task_item *group;

        if (!store->waiting || !is_due(store)) {
            wait_for_more(store);
            continue;
        }
        group = take_group(store);
        pthread_mutex_unlock(&store->lock);
        work_group(store, group);
        pthread_mutex_lock(&store->lock);
        DL_CONCAT(store->finished, group);
        if (store->wake)
            store->wake(store->wake_arg);
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

/* --- the other side --- */

void store_submit_so(struct store *store, unsigned how, store_work *work, store_done *done, void *data)
{
    struct task_item *item = xcalloc(1, sizeof(*item));
    bool hurry = !(how & STORE_LATER);

    item->work = work;
    item->done = done;
    item->data = data;
    item->how = how;
    pthread_mutex_lock(&store->lock);
    bool first = !store->waiting;
    DL_APPEND(store->waiting, item);
    store->waiting_count++;
    if (first)
        store->wait_until = clock_mono(clock_system()) + LATER_MS;
    /* The thread sleeps until wait_until by itself once it knows it. */
    if (first || (hurry && !store->hurry) || store->waiting_count == GROUP_MOST)
        pthread_cond_signal(&store->more);
    store->hurry |= hurry;
    pthread_mutex_unlock(&store->lock);
}

void store_submit(struct store *store, store_work *work, store_done *done, void *data)
{
    store_submit_so(store, 0, work, done, data);
}

void store_submit_later(struct store *store, store_work *work, store_done *done, void *data)
{
    store_submit_so(store, STORE_LATER, work, done, data);
}

uint64_t store_commits(const struct store *store)
{
    return store->commits;
}

void store_reap(struct store *store)
{
    struct task_item *list, *item, *next;

    pthread_mutex_lock(&store->lock);
    list = store->finished;
    store->finished = NULL;
    pthread_mutex_unlock(&store->lock);
    DL_FOREACH_SAFE(list, item, next)
    {
        if (item->done)
            item->done(item->data, item->failure);
        free(item->failure);
        free(item);
    }
}

struct store *store_open(const char *path, const struct seal *seal, void (*wake)(void *arg), void *arg,
                         struct err *err)
{
    struct store *store = xcalloc(1, sizeof(*store));
    pthread_condattr_t by_mono;

    store->wake = wake;
    store->wake_arg = arg;
    pthread_mutex_init(&store->lock, NULL);
    pthread_condattr_init(&by_mono);
    pthread_condattr_setclock(&by_mono, CLOCK_MONOTONIC); /* as wait_until is */
    pthread_cond_init(&store->more, &by_mono);
    pthread_condattr_destroy(&by_mono);
    if (tx_open(&store->tx, path, seal, err) != 0) {
        free(store);
        return NULL;
    }
    if (pthread_create(&store->thread, NULL, store_thread, store) != 0) {
        err_set(err, CAUSE_SYSTEM, "no thread for the database");
        tx_close(&store->tx);
        free(store);
        return NULL;
    }
    return store;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    pthread_mutex_lock(&store->lock);
    store->closing = true;
    pthread_cond_signal(&store->more);
    pthread_mutex_unlock(&store->lock);
    pthread_join(store->thread, NULL);
    store_reap(store);
    tx_close(&store->tx);
    pthread_cond_destroy(&store->more);
    pthread_mutex_destroy(&store->lock);
    free(store);
}
