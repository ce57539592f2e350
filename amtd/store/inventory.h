/* What is kept of machines' inventories: each that differs from the one before, and the newest one's facts
 * for queries. Inside store work only; all return 0 or -1 with err. */
#ifndef AMTD_STORE_INVENTORY_H
#define AMTD_STORE_INVENTORY_H

#include <stddef.h>
#include <stdint.h>

#include "amtd/store/store.h"

struct inventory_row { /* strings are owned */
    int64_t host_id;
    char *host;         /* its name; set by reading only */
    int64_t version;    /* from 1, by host */
    int64_t since_ms;   /* when it was first seen so */
    int64_t seen_ms;    /* when it was last seen so */
    char *data;         /* JSON, its keys sorted; NULL: was not asked for */
    struct pairs facts; /* those that were asked for; by tx_inventory_newest only */
};
void inventory_row_clear(struct inventory_row *row);

/* An inventory read at a time. facts: its facts for queries, named with their prefix. A host that is not
 * there any more is nothing. *changed: it differs from the one before (or is the first). */
int tx_inventory_put(struct tx *tx, int64_t host_id, int64_t at_ms, const char *data,
                     const struct pairs *facts, bool *changed, struct err *err);
/* The version that held at a time (0: now), or this version when it is not 0. not-found. */
int tx_inventory_get(struct tx *tx, int64_t host_id, int64_t at_ms, int64_t version,
                     struct inventory_row *row, struct err *err);
/* All versions, newest first, without data. Caller's array. */
int tx_inventory_versions(struct tx *tx, int64_t host_id, struct inventory_row **rows, size_t *count,
                          struct err *err);
/* The newest of each host of a target that was ever read, without data, in natural order of names. names: a
 * JSON array of full names of facts, each row's `facts` being those that it has. Caller's array. */
int tx_inventory_newest(struct tx *tx, const char *target, const char *names, struct inventory_row **rows,
                        size_t *count, struct err *err);

#endif
