/* The activity log's hash chain: each row is hashed together with the hash of the row before, and signed by
 * the node's key; a signed head names the last row. A row that was changed, removed or moved is found, and so
 * is an end that was cut off. (docs/store.md)
 *
 * Nothing here knows the database. Any thread. */
#ifndef AMTD_STORE_ACTIVITY_CHAIN_H
#define AMTD_STORE_ACTIVITY_CHAIN_H

#include <jansson.h>

#include "amtd/console/node_key.h"
#include "amtd/store/model.h"

/* The row as an object, as it is exported: what is hashed, and hash and signature. New reference. */
json_t *activity_json(const struct activity *a);

/* Sets previous, key, hash and signature of a row that has its id. -1 and err. */
int activity_seal(struct activity *a, const uint8_t previous[ACTIVITY_HASH], const struct node_key *key,
                  struct err *err);

/* The end of the chain. */
struct activity_head {
    int64_t id; /* of the last row; 0: there is none */
    uint8_t hash[ACTIVITY_HASH];
    uint8_t signature[ACTIVITY_SIGNATURE];
};
int activity_head_seal(struct activity_head *head, const struct node_key *key, struct err *err);

/* Where the chain begins after its head was cut off by the rules of keeping. */
struct activity_anchor {
    int64_t id;                  /* of the last row that was cut off; 0: none was */
    uint8_t hash[ACTIVITY_HASH]; /* its hash */
    int64_t count;               /* how many rows there were, all together */
    int64_t from_ms, to_ms;      /* when the first and the last of them were written */
    uint8_t signature[ACTIVITY_SIGNATURE];
};
int activity_anchor_seal(struct activity_anchor *anchor, const struct node_key *key, struct err *err);

/* A walk along the chain, from its first row on. */
struct activity_walk {
    const struct node_key *key;
    int64_t rows;
    int64_t last_id;
    uint8_t last_hash[ACTIVITY_HASH];
};
/* Before the first row; of no anchor (id 0) nothing is expected. What is wrong with it, as below. */
const char *activity_walk_begin(struct activity_walk *walk, const struct activity_anchor *anchor);
/* What is wrong with the next row: static text; NULL: nothing. */
const char *activity_walk_row(struct activity_walk *walk, const struct activity *a);
/* Whether the next rows are whole and follow each other, and the last of them is signed: that proves all of
 * them (each has the hash of the one before it in its own) for a fraction of the time that looking at every
 * signature takes. False: something is wrong with one of them; the walk stays where it was, and
 * activity_walk_row tells. */
bool activity_walk_rows(struct activity_walk *walk, const struct activity *rows, size_t count);
/* What is wrong with the end; head NULL: there is none. */
const char *activity_walk_end(const struct activity_walk *walk, const struct activity_head *head);

#endif
