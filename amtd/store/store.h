/* The store: what amtd keeps, in SQLite (WAL, STRICT tables, migrations by version). Narrow on purpose: a
 * second implementation on PostgreSQL fits behind it.
 *
 * Two halves. The functions store_host_..., store_run_... are synchronous and run on the store's own thread
 * only, inside a transaction. store_submit brings work there and its end back: work that is waiting together
 * shares one transaction (group commit), and every done is called after the commit, so what was done is
 * durable. */
#ifndef AMTD_STORE_STORE_H
#define AMTD_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "amtd/store/model.h"
#include "amtd/store/query.h"
#include "base/err.h"
#include "base/hostlist.h"
#include "base/secret.h"

struct store; /* the handle for store_submit; any thread */
struct tx;    /* an open transaction; store thread only */

/* Opens (creates, migrates) STATE_DIR/amtd.db. seal (borrowed) opens and seals the profiles' passwords.
 * wake(arg) is called from the store's thread when done functions are waiting: arrange that store_reap runs
 * on the loop's thread (uv_async_send). NULL and err: store-failed, or a database of a newer version. */
struct store *store_open(const char *path, const struct seal *seal, void (*wake)(void *arg), void *arg,
                         struct err *err);
/* Finishes what was submitted (done functions are called from here), closes. NULL is fine. */
void store_close(struct store *store);

/* Queues work. It returns 0, or -1 with err to undo everything it did (its own savepoint; others in the same
 * transaction stay). done gets the result on the thread of store_reap; a failed commit is store-failed for
 * all in the group. Either may be NULL. Order of submission is order of execution. */
typedef int store_work(struct tx *tx, void *data, struct err *err);
typedef void store_done(void *data, const struct err *failure);
void store_submit(struct store *store, store_work *work, store_done *done, void *data);
/* The same for work that nobody waits for: it is done within a tenth of a second, or together with the next
 * that is waited for, so that results that come one by one do not take a transaction each. */
void store_submit_later(struct store *store, store_work *work, store_done *done, void *data);
enum store_how {
    STORE_LATER = 1, /* as store_submit_later */
    /* For work about what changed nothing outside, such as the results of reading: it survives the death of
     * this process as all does, but a power failure only together with later work that is durable. So nobody
     * waits for the disk. */
    STORE_SOFT = 2,
    /* It only writes what `data` says, and may be done once more after it was undone: such works are done
     * together as long as none of them fails, which is cheaper. */
    STORE_AGAIN = 4,
};
/* how: those together that hold. */
void store_submit_so(struct store *store, unsigned how, store_work *work, store_done *done, void *data);
void store_reap(struct store *store);
/* Transactions that wrote something, since it was opened. Any thread. */
uint64_t store_commits(const struct store *store);

/* --- inside work; all return 0 or -1 with err --- */

/* not-found names what is missing; exists names what is in the way. */
int tx_host_add(struct tx *tx, const struct host *host, int64_t *id, struct err *err);
int tx_host_update(struct tx *tx, const struct host *host,
                   struct err *err); /* name, address, profile, tags */
int tx_host_remove(struct tx *tx, int64_t id, struct err *err);
int tx_host_get(struct tx *tx, const char *name, struct host *out, struct err *err);
/* *address is owned, NULL where the name is used; *there false: no such host. */
int tx_host_address(struct tx *tx, int64_t id, char **address, bool *there, struct err *err);
/* Before something is done to it in the name of a run that knows it: not-found when it was removed since. */
int tx_host_expect(struct tx *tx, int64_t id, struct err *err);
/* Sets (value NULL: removes) facts; unchanged ones are not written. */
/* Another host than this one that is reached at an address: *name (caller's), or NULL. */
int tx_host_at(struct tx *tx, const char *address, int64_t but, char **name, struct err *err);
int tx_host_facts(struct tx *tx, int64_t host_id, const struct pairs *facts, struct err *err);
/* What a target takes for something else than a host's name: "all", "where:...". No host is called so. */
bool target_has_word(const char *name);
/* All hosts of a target, in natural order of names, with tags and facts:
 *   pc7 | pc[001-120] | @collection | where:QUERY | all, joined by ',', '!' or '-' in front takes away.
 * A name or collection that is not there is not-found (all of them in one message). */
int tx_target(struct tx *tx, const char *target, struct hosts *out, struct err *err);
/* The same with names, addresses and profiles alone: for those who list many. */
int tx_target_bare(struct tx *tx, const char *target, struct hosts *out, struct err *err);
/* The ids of those hosts, for those who go through them portion by portion. *ids is the caller's. */
int tx_target_ids(struct tx *tx, const char *target, int64_t **ids, size_t *count, struct err *err);
/* Of one host at a time, without copying it: what is told is borrowed. 1: there is one, 0: not any more. */
typedef void tell_host(void *arg, const char *name, const char *address, const char *profile);
int tx_host_tell(struct tx *tx, int64_t id, tell_host *tell, void *arg, struct err *err);
/* Its tags, and its facts, by name. */
typedef void tell_pair(void *arg, const char *name, const char *value);
int tx_tags_tell(struct tx *tx, int64_t id, tell_pair *tell, void *arg, struct err *err);
int tx_facts_tell(struct tx *tx, int64_t id, tell_pair *tell, void *arg, struct err *err);
/* Hosts of a query. */
int tx_query(struct tx *tx, const struct query *query, struct hosts *out, struct err *err);

int tx_collection_put(struct tx *tx, const struct collection *collection, bool replace, struct err *err);
int tx_collection_remove(struct tx *tx, const char *name, struct err *err);
int tx_collection_get(struct tx *tx, const char *name, struct collection *out, struct err *err);
int tx_collections(struct tx *tx, struct collection **out, size_t *count, struct err *err);
/* Whether the host is in it now. */
int tx_in_collection(struct tx *tx, const char *collection, const struct host *host, bool *in,
                     struct err *err);

int tx_profile_put(struct tx *tx, const struct profile *profile, bool replace, struct err *err);
int tx_profile_remove(struct tx *tx, const char *name, struct err *err); /* exists: hosts that name it */
int tx_profile_get(struct tx *tx, const char *name, struct profile *out, struct err *err);
int tx_profiles(struct tx *tx, struct profiles *out, struct err *err);

/* A login of amtd itself at a service ("mail"); the password is sealed at rest. user NULL removes it. */
int tx_login_put(struct tx *tx, const char *name, const char *user, const struct secret *password,
                 struct err *err);
/* *user and *password are the caller's; both NULL when there is none. */
int tx_login_get(struct tx *tx, const char *name, char **user, struct secret **password, struct err *err);

/* A run and all its operations (waiting), in one go. ids come back in run->id and operations[i].id. */
int tx_run_add(struct tx *tx, struct run *run, struct operation *operations, size_t count, struct err *err);
/* The operations of one that was added without. */
int tx_operations_add(struct tx *tx, const struct run *run, struct operation *operations, size_t count,
                      struct err *err);
/* To OPERATION_STARTED. */
int tx_operation_start(struct tx *tx, int64_t id, int64_t at_ms, struct err *err);
/* To its end: state, times, from, to, tries, cause, code, message, detail; counts in the run. */
int tx_operation_end(struct tx *tx, const struct operation *operation, struct err *err);
int tx_run_end(struct tx *tx, int64_t run_id, int64_t at_ms, struct err *err);
int tx_run_get(struct tx *tx, int64_t id, struct run *out, struct operation **operations, size_t *count,
               struct err *err);
int tx_run_find(struct tx *tx, int64_t id, struct run *out, struct err *err); /* without them */
/* The ids of its operations, in natural order of hosts' names. *ids is the caller's. */
int tx_operation_ids(struct tx *tx, int64_t run_id, int64_t **ids, size_t *count, struct err *err);
/* Tells of one; what is told is borrowed. One that is not there any more is nothing. */
typedef void tell_operation(void *arg, const struct operation *operation);
int tx_operation_tell(struct tx *tx, int64_t id, tell_operation *tell, void *arg, struct err *err);
/* Newest first. */
int tx_runs(struct tx *tx, size_t limit, struct run **out, size_t *count, struct err *err);
/* At start: what an earlier amtd left behind. Started operations end as interrupted, waiting ones as
 * not-started, their runs are ended; *count says how many operations. Runs of jobs stay open. */
int tx_recover(struct tx *tx, int64_t now_ms, size_t *count, struct err *err);

/* The activity log is append-only. A new row gets its id, and its place in the chain once there is a key. */
int tx_activity_add(struct tx *tx, struct activity *activity, struct err *err);
/* Which entries; NULL: any. */
struct activity_filter {
    int64_t since_ms;   /* wall clock */
    const char *host;   /* that it was done to */
    const char *who;    /* a part of the text */
    const char *what;   /* the same */
    const char *result; /* the whole of it: "denied" */
    size_t limit;
};
/* The newest first. *out is an owned array. */
int tx_activities(struct tx *tx, const struct activity_filter *filter, struct activity **out, size_t *count,
                  struct err *err);
/* Oldest first, those behind `id`. */
int tx_activities_after(struct tx *tx, int64_t id, size_t limit, struct activity **out, size_t *count,
                        struct err *err);
struct activity_head;
int tx_activity_head(struct tx *tx, struct activity_head *head, struct err *err); /* id 0: there is none */
/* Where the chain begins, once its head was cut off. id 0: it never was. */
struct activity_anchor;
int tx_activity_anchor(struct tx *tx, struct activity_anchor *anchor, struct err *err);
/* Moves it to this row, so that all up to it may be removed, which is to be done in the same transaction. -1
 * and err: invalid-state when the chain is broken before it. */
int tx_activity_anchor_move(struct tx *tx, int64_t last, struct err *err);
/* The key (borrowed, outlives the store) that seals rows from now on. Where there is no chain yet, the rows
 * that are there become its beginning, and a row says so; *count says how many. */
struct node_key;
int tx_activity_begin(struct tx *tx, const struct node_key *key, int64_t now_ms, size_t *count,
                      struct err *err);

#endif
