/* Digests of a segment's blocks (docs/console-log.md): what the chain signs of its bytes is the hash of
 * these.
 *
 * What is logged in large pieces is hashed from where it lies when it was just written; what came in small
 * ones, or before this life of the process, is read back from the file when it is to be signed, which is
 * cheaper for those. Both may be so for different blocks of a segment. */
#ifndef AMTD_CONSOLE_BLOCKS_H
#define AMTD_CONSOLE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

#define BLOCK_SIZE      (64 * 1024) /* of a segment, counted from its beginning */
#define BLOCKS_SEEN_MAX 1024        /* digests that wait to be taken, 40 bytes each; more are read back */

/* --- while bytes are written --- */

/* What was seen of a segment. Zero it to begin. */
struct blocks {
    struct hash *hash; /* of the block that `at` is in; NULL: of none */
    uint8_t *waiting;  /* the last of its bytes, which are not in `hash` yet */
    size_t waiting_n;
    uint64_t at;     /* behind what was seen last */
    struct buf seen; /* numbers and digests of whole blocks, by rising number */
};

void blocks_clear(struct blocks *blocks); /* frees; it may be used again */
/* No more will come for a while: frees what it can, at the price of one block that is read back. */
void blocks_rest(struct blocks *blocks);
/* n bytes of the segment stand at `at` from its beginning. Blocks of which not all is said, in order, are
 * left out. */
void blocks_add(struct blocks *blocks, uint64_t at, const void *p, size_t n);
/* What was seen of whole blocks goes to the caller. */
struct buf blocks_take(struct blocks *blocks);
/* Is it time to take? Half of what may wait is there. */
bool blocks_many(const struct blocks *blocks);

/* --- when they are signed --- */

/* The digests of the blocks of fd's first `size` bytes. `digests` holds those of the first blocks already, as
 * many as there are; those of the other whole blocks are added, from `seen` (blocks_take; NULL: nothing) or
 * by reading them. *sum is the hash of all, with that of a last block that is not whole. Any thread. -1 and
 * err (system: also when the file is shorter). */
int blocks_hash(int fd, uint64_t size, struct buf *digests, const struct buf *seen, uint8_t sum[HASH_LEN],
                struct err *err);
/* n bytes of fd from `at` on. -1 and err (system: also when the file ends before). */
int blocks_read(int fd, uint64_t at, void *p, size_t n, struct err *err);

#endif
