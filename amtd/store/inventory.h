/* What is kept of machines' inventories: each that differs from the one before, and the newest one's facts
 * for queries. Inside store work only; all return 0 or -1 with err. */
#ifndef AMTD_STORE_INVENTORY_H
#define AMTD_STORE_INVENTORY_H

#include <stddef.h>
#include <stdint.h>

#include "amtd/store/store.h"

struct inventory_row { /* strings are owned */
    int64_t host_id;
    char *host;       /* its name; set by reading only */
    int64_t version;  /* from 1, by host */
    int64_t since_ms; /* when it was first seen so */
    int64_t seen_ms;  /* when it was last seen so */
    char *data;       /* JSON, its keys sorted; NULL: was not asked for */
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
/* Of the newest inventory of one host, without copying it; what is told is borrowed. 1: there is one (row
 * without data), 0: it was never read. */
typedef void tell_inventory(void *arg, const struct inventory_row *row);
int tx_inventory_tell(struct tx *tx, int64_t host_id, tell_inventory *tell, void *arg, struct err *err);
/* A fact of it, by its full name; one that it does not have is nothing. */
int tx_inventory_fact(struct tx *tx, int64_t host_id, const char *name, tell_pair *tell, void *arg,
                      struct err *err);

#endif
