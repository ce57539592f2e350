#include "amtd/console/blocks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"

/* BLAKE3 is two to three times as fast on pieces that begin and end at multiples of this as on those that do
 * anywhere, and takes nothing but copying half a piece to make them so. */
#define PIECE 16384
_Static_assert(BLOCK_SIZE % PIECE == 0, "nothing waits at the end of a block");

struct seen {
    uint64_t number;
    uint8_t digest[HASH_LEN];
};

/* --- while bytes are written --- */

void blocks_clear(struct blocks *b)
{
    blocks_rest(b);
    buf_free(&b->seen);
    memset(b, 0, sizeof(*b));
}

void blocks_rest(struct blocks *b)
{
    hash_free(b->hash);
    free(b->waiting);
    b->hash = NULL;
    b->waiting = NULL;
}

struct buf blocks_take(struct blocks *b)
{
    struct buf seen = b->seen;

    b->seen = buf_init(0);
    return seen;
}

bool blocks_many(const struct blocks *b)
{
    return b->seen.len >= BLOCKS_SEEN_MAX / 2 * sizeof(struct seen);
}

static void note(struct blocks *b, uint64_t number, const uint8_t digest[HASH_LEN])
{
    struct seen seen = {.number = number};

    if (b->seen.max == 0)
        b->seen = buf_init(BLOCKS_SEEN_MAX * sizeof(seen));
    if (b->seen.len == b->seen.max) /* nobody came for them */
        return;
    memcpy(seen.digest, digest, sizeof(seen.digest));
    buf_add(&b->seen, &seen, sizeof(seen));
}

/* Into the hash, by whole pieces; the rest waits. */
static void hash_part(struct blocks *b, const uint8_t *p, size_t n)
{
    size_t fill = PIECE - b->waiting_n, whole;

    if (b->waiting_n > 0) {
        fill = fill < n ? fill : n;
        memcpy(b->waiting + b->waiting_n, p, fill);
        b->waiting_n += fill;
        p += fill;
        n -= fill;
        if (b->waiting_n < PIECE)
            return;
        hash_add(b->hash, b->waiting, PIECE);
    }
    whole = n - n % PIECE;
    hash_add(b->hash, p, whole);
    b->waiting_n = n - whole;
    memcpy(b->waiting, p + whole, b->waiting_n);
}

/* Bytes of one block, not all of it. */
static void add_part(struct blocks *b, uint64_t at, const uint8_t *p, size_t n)
{
    size_t into = (size_t)(at % BLOCK_SIZE);
    uint8_t digest[HASH_LEN];

    if (into > 0 && (!b->hash || b->at != at)) /* its beginning was not seen */
        return;
    if (!b->hash) {
        b->hash = hash_new();
        b->waiting = xmalloc(PIECE);
    }
    if (into == 0) {
        hash_begin(b->hash);
        b->waiting_n = 0;
    }
    hash_part(b, p, n);
    b->at = at + n;
    if (into + n == BLOCK_SIZE) { /* so nothing waits */
        hash_end(b->hash, digest);
        note(b, at / BLOCK_SIZE, digest);
    }
}

void blocks_add(struct blocks *b, uint64_t at, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    uint8_t digest[HASH_LEN];

    while (n > 0) {
        size_t rest = BLOCK_SIZE - (size_t)(at % BLOCK_SIZE), part = n < rest ? n : rest;

        if (part == BLOCK_SIZE) {
            hash_bytes(bytes, part, digest);
            note(b, at / BLOCK_SIZE, digest);
        } else {
            add_part(b, at, bytes, part);
        }
        bytes += part;
        at += part;
        n -= part;
    }
}

/* --- when they are signed --- */

int blocks_read(int fd, uint64_t at, void *p, size_t n, struct err *err)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(fd, (uint8_t *)p + done, n - done, (off_t)(at + done));

        if (got == 0)
            return err_set(err, CAUSE_SYSTEM, "the segment ends at byte %" PRIu64 ", which is too early",
                           at + done);
        if (got < 0 && errno != EINTR)
            return err_set_errno(err, CAUSE_SYSTEM, errno, "the segment, at byte %" PRIu64, at + done);
        if (got > 0)
            done += (size_t)got;
    }
    return 0;
}

/* The digest of whole block number `number`, when it is among what was seen from *next on; *next is the place
 * to look from for the one behind it. */
static const uint8_t *find(const struct buf *seen, size_t *next, uint64_t number)
{
    const struct seen *all = (const struct seen *)(const void *)seen->p;
    size_t count = seen->len / sizeof(*all);

    while (*next < count && all[*next].number < number)
        (*next)++;
    return *next < count && all[*next].number == number ? all[*next].digest : NULL;
}

int blocks_hash(int fd, uint64_t size, struct buf *digests, const struct buf *seen, uint8_t sum[HASH_LEN],
                struct err *err)
{
    static const struct buf nothing = {0};
    uint64_t whole = size / BLOCK_SIZE;
    size_t rest = (size_t)(size % BLOCK_SIZE), next = 0;
    uint8_t *block = xmalloc(BLOCK_SIZE), digest[HASH_LEN];
    struct hash *all = hash_new();
    int status = 0;

    if (digests->len > whole * HASH_LEN) /* more than there can be: not to be trusted */
        digests->len = 0;
    for (uint64_t i = digests->len / HASH_LEN; status == 0 && i < whole; i++) {
        const uint8_t *known = find(seen ? seen : &nothing, &next, i);

        if (!known) {
            status = blocks_read(fd, i * BLOCK_SIZE, block, BLOCK_SIZE, err);
            hash_bytes(block, status == 0 ? BLOCK_SIZE : 0, digest);
        }
        if (status == 0)
            buf_add(digests, known ? known : digest, HASH_LEN);
    }
    hash_add(all, digests->p, digests->len);
    if (status == 0 && rest > 0) {
        status = blocks_read(fd, whole * BLOCK_SIZE, block, rest, err);
        hash_bytes(block, status == 0 ? rest : 0, digest);
        hash_add(all, digest, sizeof(digest));
    }
    hash_end(all, sum);
    hash_free(all);
    free(block);
    return status;
}
