/* What the logs of one daemon share: their directory, the clock, worker threads, the signing key, and the
 * descriptors of log files that are kept open. Loop's thread only. */
#ifndef AMTD_CONSOLE_CLOG_STORE_H
#define AMTD_CONSOLE_CLOG_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "amtd/console/keeper.h"
#include "amtd/console/node_key.h"
#include "base/clock.h"
#include "base/err.h"

struct clog_store;

/* Work for another thread: run is called there, then done on the loop's thread. Tests run both at once. */
struct clog_worker {
    void *arg;
    void (*submit)(void *arg, void (*run)(void *job), void (*done)(void *job), void *job);
};

struct clog_store_settings {
    const char *dir;   /* made when it is missing */
    size_t files_max;  /* descriptors kept open */
    int64_t sync_ms;   /* what is older survives power loss; 0: left to the system */
    uint64_t held_max; /* bytes that all paused logs together hold in memory */
};

/* clock, key and worker's arg are borrowed. NULL and err. */
struct clog_store *clog_store_new(const struct clog_store_settings *settings, const struct clock *clock,
                                  const struct node_key *key, const struct clog_worker *worker,
                                  struct err *err);
/* All logs must be freed before. NULL is fine. */
void clog_store_free(struct clog_store *store);
const char *clog_store_dir(const struct clog_store *store);
void clog_store_set_sync(struct clog_store *store, int64_t sync_ms);
/* To be called at the end of a turn of the loop in which clog_event_early said true. */
void clog_store_turn(struct clog_store *store);
/* Time passes: syncs what was written, makes journals of early events. Returns when it wants to be called
 * next (monotonic ms), INT64_MAX: not before something is written. */
int64_t clog_store_tick(struct clog_store *store, int64_t now_ms);
/* What the logs gave up of their closed segments since this was asked last. */
struct keeper_gone clog_store_gone(struct clog_store *store);
/* Jobs handed to the worker that have not come back. */
size_t clog_store_busy(const struct clog_store *store);

#endif
