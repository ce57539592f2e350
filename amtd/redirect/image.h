/* An image that a machine reads: bytes that come from elsewhere, seen through a cache of chunks.
 *
 * Whoever reads in order is read ahead of, the farther the longer it does so; what is read at random is not.
 * So what a boot takes is the protocol's time, not that of the way to the file. One read at a time, as a
 * drive has one command at a time. No I/O, no clock; not thread-safe. */
#ifndef AMTD_REDIRECT_IMAGE_H
#define AMTD_REDIRECT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define IMAGE_CHUNK     65536
#define IMAGE_CHUNKS    256 /* kept: 16 MiB */
#define IMAGE_AHEAD_MAX 16  /* chunks asked for in advance: 1 MiB */
#define IMAGE_READ_MAX  65536
#define IMAGE_SIZE_MAX  ((uint64_t)4 << 30)

struct image;

struct image_owner {
    void *arg;
    /* Wants n bytes (at most IMAGE_CHUNK) from offset on; image_arrived answers, at once or later. Tags are
     * not used twice. NULL: the image is all zeros. */
    void (*fetch)(void *arg, uint32_t tag, uint64_t offset, uint32_t n);
    /* The read is done: its n bytes, borrowed; p NULL: they cannot be had. Also from inside image_read. */
    void (*done)(void *arg, const uint8_t *p, size_t n);
    /* Bytes could not be had, for the first time: one line. */
    void (*failed)(void *arg, const struct err *err);
};

/* size: 1 to IMAGE_SIZE_MAX. */
struct image *image_new(uint64_t size, const struct image_owner *owner);
void image_free(struct image *image); /* without callbacks; NULL is fine */
uint64_t image_size(const struct image *image);

/* Reads n bytes, 1 to IMAGE_READ_MAX, from offset on; behind the end there are zeros. */
void image_read(struct image *image, uint64_t offset, size_t n);
/* Nobody waits for the read any more. */
void image_cancel(struct image *image);
/* What was fetched: n bytes (copied), as many as were asked for; p NULL: failure says why not. A tag that is
 * not waited for is ignored. */
void image_arrived(struct image *image, uint32_t tag, const void *p, size_t n, const struct err *failure);
/* Nothing of what is being fetched will come. */
void image_lost(struct image *image, const struct err *failure);

/* Bytes of the image, by chunks, that the machine has read at least once. */
uint64_t image_touched(const struct image *image);
bool image_has_failed(const struct image *image);

#endif
