/* Removing what is old, a portion at a time, so that nobody waits long for the store. Inside store work only;
 * all return 0 or -1 with err.
 *
 * What goes is told by a moment: everything before it. Age says it at once; for a limit on the size, what
 * each hour takes is counted first (tx_purge_measure), and the moment is the hour with which all that is
 * younger fits.
 *
 * Whatever is in use stays however old it is: runs under way and those that hosts' filters or unproved
 * passwords came from, sweeps that can be gone on with and the newest through its addresses, the newest
 * inventory of a host, what a device may still have in its log, the newest row of the activity log.
 * Passwords, filters and facts (pins among them) are not touched at all. */
#ifndef AMTD_STORE_PURGE_H
#define AMTD_STORE_PURGE_H

#include <stdbool.h>
#include <stdint.h>

#include "amtd/store/store.h"

enum purge_kind {
    PURGE_RUNS, /* with what was done to each host, also those of jobs */
    PURGE_EVENTS,
    PURGE_EVENT_DATA, /* what events of consoles have besides their line: lines, captures */
    PURGE_SWEEPS,
    PURGE_INVENTORY, /* versions that are not the newest */
    PURGE_DEVICE_LOGS,
    PURGE_ACTIVITY, /* its head, in place of which stays a signed anchor (activity_chain.h) */
    PURGE_KINDS
};
extern const char *const purge_names[PURGE_KINDS + 1]; /* "device-logs"; ended by NULL */

#define PURGE_HOURS 87600 /* ten years; what is older counts for the last */

/* What is there, by hours of age; index 0: the youngest. */
struct purge_ages {
    int64_t bytes[PURGE_HOURS];
};

/* Where a walk is; zeroed to begin. */
struct purge_walk {
    enum purge_kind kind;
    bool begun, over;
    int64_t after, last;      /* ids: this one was looked at; the last there was when it began */
    int64_t left, left_bytes; /* one of which a part is gone, and what it took before; 0: none */
};

/* Adds what a portion takes, however old. */
int tx_purge_measure(struct tx *tx, struct purge_walk *walk, int64_t now_ms, struct purge_ages *ages,
                     struct err *err);
/* Everything before this moment has to go, for the rest to take at most so many bytes; INT64_MIN: nothing. */
int64_t purge_moment(const struct purge_ages *ages, int64_t now_ms, int64_t keep_bytes);

/* What went, or would. */
struct purge_gone {
    int64_t units, bytes;
    int64_t from_ms, to_ms; /* of the oldest and the youngest; 0: none */
};
void purge_gone_add(struct purge_gone *sum, const struct purge_gone *more);
/* Removes a portion of what is from before a moment; dry: only looks. *gone is what went in this portion. */
int tx_purge_remove(struct tx *tx, struct purge_walk *walk, int64_t before_ms, bool dry,
                    struct purge_gone *gone, struct err *err);

/* The database file. */
struct purge_file {
    int64_t bytes, free_bytes; /* the latter: of pages that nothing is in, and that will be used again */
    int64_t given_back;        /* by all portions together */
    bool over;                 /* the file is as small as it is to be */
};
/* Gives a portion of the free pages back to the file system, until a tenth of the file is free, or 16 MiB:
 * what is written tomorrow takes that again. Databases that were made before amtd could do it keep their
 * size. */
int tx_purge_give_back(struct tx *tx, struct purge_file *file, struct err *err);

/* The last purge, as JSON; NULL: none yet. Owned. */
int tx_purge_last(struct tx *tx, int64_t *at_ms, char **report, struct err *err);
int tx_purge_put(struct tx *tx, int64_t at_ms, const char *report, struct err *err);

#endif
