/* The hash of console logs: BLAKE3 with 256 bits. It is as strong as SHA-256 and four to five times as fast,
 * which counts where every byte of every console is hashed. For all else OpenSSL's digests are used.
 *
 * Source: the BLAKE3 paper (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020). One thread at a time per
 * object. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_LEN  32
#define HASH_NAME "blake3" /* as files say it */

/* The hash of n bytes. */
void hash_bytes(const void *p, size_t n, uint8_t sum[HASH_LEN]);

/* The same of bytes that come in pieces. */
struct hash;
struct hash *hash_new(void);        /* of nothing yet; 2 KiB */
void hash_free(struct hash *hash);  /* NULL is fine */
void hash_begin(struct hash *hash); /* of nothing again */
void hash_add(struct hash *hash, const void *p, size_t n);
/* Of all that was added; more may be added behind it. */
void hash_end(const struct hash *hash, uint8_t sum[HASH_LEN]);

#endif
