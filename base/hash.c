#include "base/hash.h"

#include <blake3.h>
#include <stdlib.h>

#include "base/xalloc.h"

struct hash {
    blake3_hasher blake3;
};

_Static_assert(HASH_LEN == BLAKE3_OUT_LEN, "the length that BLAKE3 has of itself");

void hash_bytes(const void *p, size_t n, uint8_t sum[HASH_LEN])
{
    struct hash hash;

    hash_begin(&hash);
    hash_add(&hash, p, n);
    hash_end(&hash, sum);
}

struct hash *hash_new(void)
{
    struct hash *hash = xmalloc(sizeof(*hash));

    hash_begin(hash);
    return hash;
}

void hash_free(struct hash *hash)
{
    free(hash);
}

void hash_begin(struct hash *hash)
{
    blake3_hasher_init(&hash->blake3);
}

void hash_add(struct hash *hash, const void *p, size_t n)
{
    if (n > 0)
        blake3_hasher_update(&hash->blake3, p, n);
}

void hash_end(const struct hash *hash, uint8_t sum[HASH_LEN])
{
    blake3_hasher_finalize(&hash->blake3, sum, HASH_LEN);
}
