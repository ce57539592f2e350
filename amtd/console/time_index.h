/* The time index of a segment: which bytes were written when (docs/console-log.md). What is read back is
 * untrusted: records that cannot be true are passed over. */
#ifndef AMTD_CONSOLE_TIME_INDEX_H
#define AMTD_CONSOLE_TIME_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

#define TIME_INDEX_HEAD   32
#define TIME_INDEX_RECORD 16
#define TIME_INDEX_MAX    (64 * 1024 * 1024) /* bytes of a file that are read */

struct time_index {
    uint64_t first;     /* offset of the segment's first byte */
    int64_t created_ms; /* wall clock */
    size_t count;
    struct time_point {
        uint64_t offset; /* bytes from here on... */
        int64_t at_ms;   /* ...were written at this time, wall clock */
    } * points;          /* offsets strictly grow */
};

void time_index_write_head(struct buf *out, uint64_t first, int64_t created_ms);
void time_index_write(struct buf *out, uint64_t offset, int64_t at_ms);
/* Only the head. DECODE_MORE: too short for one. */
enum decode time_index_read_head(const void *p, size_t n, uint64_t *first, int64_t *created_ms);
/* The whole file. Records outside [first, end), or that go back, are dropped, as is what is left of a torn
 * one. False: it has no head, and *index is empty. */
bool time_index_read(struct time_index *index, const void *p, size_t n, uint64_t end);
void time_index_clear(struct time_index *index);

/* The first offset that was written at or after that time; `end` when there is none. */
uint64_t time_index_offset(const struct time_index *index, int64_t at_ms, uint64_t end);
/* When the byte at that offset was written; 0: not known. */
int64_t time_index_time(const struct time_index *index, uint64_t offset);

#endif
