#include "amtd/redirect/image.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "base/xalloc.h"

struct chunk {
    uint32_t index; /* hash key */
    uint32_t tag;   /* of the fetch under way; 0: it is here */
    bool bad;       /* could not be had; forgotten when that has been told */
    uint32_t n;
    uint8_t *p;
    UT_hash_handle hh;
    struct chunk *prev, *next; /* longest unused first */
};

struct image {
    uint64_t size;
    struct image_owner owner;
    uint32_t last_tag;
    struct chunk *by_index;
    struct chunk *by_use;
    size_t count;
    uint64_t read_offset; /* the read under way */
    size_t read_n;        /* 0: none */
    uint64_t next_offset; /* where a reader in order reads next */
    uint32_t ahead;       /* chunks to be asked for in advance */
    bool failed;
    uint8_t *touched; /* a bit a chunk */
    uint64_t touched_bytes;
    uint8_t answer[IMAGE_READ_MAX];
};

static uint32_t index_of(uint64_t offset)
{
    return (uint32_t)(offset / IMAGE_CHUNK);
}

static uint32_t chunk_count(const struct image *image)
{
    return index_of(image->size - 1) + 1;
}

static uint32_t chunk_size(const struct image *image, uint32_t index)
{
    uint64_t left = image->size - (uint64_t)index * IMAGE_CHUNK;

    return left < IMAGE_CHUNK ? (uint32_t)left : IMAGE_CHUNK;
}

/* --- the cache --- */

static void chunk_forget(struct image *image, struct chunk *chunk)
{
    HASH_DEL(image->by_index, chunk);
    DL_DELETE(image->by_use, chunk);
    image->count--;
    free(chunk->p);
    free(chunk);
}

static bool is_being_read(const struct image *image, const struct chunk *chunk)
{
    return image->read_n > 0 && chunk->index >= index_of(image->read_offset) &&
           chunk->index <= index_of(image->read_offset + image->read_n - 1);
}

static void make_room(struct image *image)
{
    struct chunk *chunk, *next;

    DL_FOREACH_SAFE(image->by_use, chunk, next)
    {
        if (image->count < IMAGE_CHUNKS)
            return;
        if (chunk->tag == 0 && !is_being_read(image, chunk))
            chunk_forget(image, chunk);
    }
}

static struct chunk *find(const struct image *image, uint32_t index)
{
    struct chunk *chunk;

    HASH_FIND(hh, image->by_index, &index, sizeof(index), chunk);
    return chunk;
}

static void want(struct image *image, uint32_t index)
{
    struct chunk *chunk = find(image, index);

    if (chunk) {
        DL_DELETE(image->by_use, chunk);
        DL_APPEND(image->by_use, chunk);
        return;
    }
    make_room(image);
    chunk = xcalloc(1, sizeof(*chunk));
    chunk->index = index;
    chunk->n = chunk_size(image, index);
    if (++image->last_tag == 0)
        image->last_tag = 1;
    chunk->tag = image->last_tag;
    HASH_ADD(hh, image->by_index, index, sizeof(chunk->index), chunk);
    DL_APPEND(image->by_use, chunk);
    image->count++;
    image->owner.fetch(image->owner.arg, chunk->tag, (uint64_t)index * IMAGE_CHUNK, chunk->n);
}

/* --- reading --- */

static void finish(struct image *image, bool good)
{
    size_t n = image->read_n;

    image->read_n = 0;
    image->owner.done(image->owner.arg, good ? image->answer : NULL, n);
}

/* Copies what the chunk has of the read; behind its end there are zeros already. */
static void copy(struct image *image, const struct chunk *chunk)
{
    uint64_t at = (uint64_t)chunk->index * IMAGE_CHUNK, end = at + chunk->n;
    uint64_t from = image->read_offset > at ? image->read_offset : at;
    uint64_t to = image->read_offset + image->read_n < end ? image->read_offset + image->read_n : end;

    if (from < to)
        memcpy(image->answer + (from - image->read_offset), chunk->p + (from - at), to - from);
}

/* Ends the read when everything it needs is here, or some of it never will be. */
static void look(struct image *image)
{
    uint32_t first, last;

    if (image->read_n == 0)
        return;
    first = index_of(image->read_offset);
    last = index_of(image->read_offset + image->read_n - 1);
    if (last >= chunk_count(image))
        last = chunk_count(image) - 1;
    for (uint32_t i = first; i <= last; i++) {
        struct chunk *chunk = find(image, i);

        if (chunk && chunk->bad) {
            chunk_forget(image, chunk); /* the next read tries again */
            finish(image, false);
            return;
        }
        if (!chunk || chunk->tag != 0)
            return;
    }
    memset(image->answer, 0, image->read_n);
    for (uint32_t i = first; i <= last; i++)
        copy(image, find(image, i));
    finish(image, true);
}

static void touch(struct image *image, uint32_t first, uint32_t last)
{
    for (uint32_t i = first; i <= last; i++) {
        uint8_t bit = (uint8_t)(1u << (i % 8));

        if (!(image->touched[i / 8] & bit))
            image->touched_bytes += chunk_size(image, i);
        image->touched[i / 8] |= bit;
    }
}

static void guess_ahead(struct image *image, uint64_t offset, size_t n)
{
    bool in_order = offset >= image->next_offset && offset - image->next_offset < IMAGE_CHUNK;

    if (!in_order)
        image->ahead = 0;
    else if (image->ahead < IMAGE_AHEAD_MAX)
        image->ahead = image->ahead > 0 ? image->ahead * 2 : 1;
    image->next_offset = offset + n;
}

void image_read(struct image *image, uint64_t offset, size_t n)
{
    uint32_t first = index_of(offset), last = index_of(offset + n - 1), count = chunk_count(image);
    uint32_t ahead_until;

    image->read_offset = offset;
    image->read_n = n;
    if (last >= count)
        last = count - 1;
    if (first < count)
        touch(image, first, last);
    if (!image->owner.fetch || first >= count) {
        memset(image->answer, 0, n);
        finish(image, true);
        return;
    }
    guess_ahead(image, offset, n);
    ahead_until = last + image->ahead < count ? last + image->ahead : count - 1;
    for (uint32_t i = first; i <= ahead_until; i++)
        want(image, i);
    look(image);
}

void image_cancel(struct image *image)
{
    image->read_n = 0;
}

void image_arrived(struct image *image, uint32_t tag, const void *p, size_t n, const struct err *failure)
{
    struct chunk *chunk;
    struct err err = ERR_INIT;

    DL_FOREACH(image->by_use, chunk)
    if (chunk->tag == tag)
        break;
    if (!chunk || tag == 0)
        return;
    chunk->tag = 0;
    if (p && n == chunk->n) {
        chunk->p = xmalloc(n);
        memcpy(chunk->p, p, n);
        look(image);
        return;
    }
    if (failure)
        err = *failure;
    else
        err_set(&err, CAUSE_PROTOCOL, "%zu bytes of the image came where %u were asked for", n, chunk->n);
    if (is_being_read(image, chunk))
        chunk->bad = true;
    else
        chunk_forget(image, chunk); /* was only read ahead: it may never be missed */
    if (!image->failed) {
        image->failed = true;
        image->owner.failed(image->owner.arg, &err);
    }
    look(image);
}

void image_lost(struct image *image, const struct err *failure)
{
    struct chunk *chunk;

    do {
        DL_FOREACH(image->by_use, chunk)
        if (chunk->tag != 0)
            break;
        if (chunk)
            image_arrived(image, chunk->tag, NULL, 0, failure);
    } while (chunk);
}

/* --- life --- */

struct image *image_new(uint64_t size, const struct image_owner *owner)
{
    struct image *image = xcalloc(1, sizeof(*image));

    image->size = size;
    image->owner = *owner;
    image->touched = xcalloc(1, chunk_count(image) / 8 + 1);
    image->next_offset = UINT64_MAX;
    return image;
}

void image_free(struct image *image)
{
    if (!image)
        return;
    while (image->by_use)
        chunk_forget(image, image->by_use);
    free(image->touched);
    free(image);
}

uint64_t image_size(const struct image *image)
{
    return image->size;
}

uint64_t image_touched(const struct image *image)
{
    return image->touched_bytes;
}

bool image_has_failed(const struct image *image)
{
    return image->failed;
}
