/* What the logs of one daemon share: their directory, the clock, worker threads, the signing key, and the
 * descriptors of log files that are kept open. Loop's thread only. */
#ifndef AMTD_CONSOLE_CLOG_STORE_H
#define AMTD_CONSOLE_CLOG_STORE_H

#include <stddef.h>

#include "amtd/console/node_key.h"
#include "base/clock.h"
#include "base/err.h"

struct clog_store;

/* Work for another thread: run is called there, then done on the loop's thread. Tests run both at once. */
struct clog_worker {
    void *arg;
    void (*submit)(void *arg, void (*run)(void *job), void (*done)(void *job), void *job);
};

/* dir is made when it is missing. key and clock are borrowed. files_max: descriptors kept open. NULL and err.
 */
struct clog_store *clog_store_new(const char *dir, const struct clock *clock, const struct node_key *key,
                                  const struct clog_worker *worker, size_t files_max, struct err *err);
/* All logs must be freed before. NULL is fine. */
void clog_store_free(struct clog_store *store);
const char *clog_store_dir(const struct clog_store *store);
/* Jobs handed to the worker that have not come back. */
size_t clog_store_busy(const struct clog_store *store);

#endif
