/* Bounds-checked cursors: the only place where lengths from outside meet pointers.
 *
 * Reader: every get checks the length, consumes only on success and otherwise sets `bad`, which sticks: a
 * decoder is straight-line gets and one check at the end. Gets on a bad reader return 0 or an empty view. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct rd {
    const uint8_t *p; /* next byte; borrowed */
    size_t n;         /* bytes left */
    bool bad;         /* something did not fit; sticks */
};

struct view { /* borrowed bytes, not NUL-terminated */
    const uint8_t *p;
    size_t n;
};

/* What a decoder of a stream answers. */
enum decode {
    DECODE_BAD = -1, /* no valid message can begin like this */
    DECODE_MORE = 0, /* a prefix of a valid message: come back with more bytes */
    DECODE_DONE = 1, /* one message complete */
};

struct rd rd_init(const void *p, size_t n);
uint8_t rd_u8(struct rd *r);
uint16_t rd_le16(struct rd *r);
uint32_t rd_le32(struct rd *r);
uint64_t rd_le64(struct rd *r);
uint16_t rd_be16(struct rd *r);
uint32_t rd_be24(struct rd *r);
uint32_t rd_be32(struct rd *r);
uint64_t rd_be64(struct rd *r);
/* The next n bytes, borrowed. */
struct view rd_bytes(struct rd *r, size_t n);
/* Copies exactly n bytes; on a bad reader out is zeroed. */
void rd_copy(struct rd *r, void *out, size_t n);
void rd_skip(struct rd *r, size_t n);
/* A reader of the next n bytes; the outer one moves behind them. Bad inside if bad outside. */
struct rd rd_sub(struct rd *r, size_t n);
/* A string with its length in front (one byte; four bytes big-endian), at most max bytes. */
struct view rd_str8(struct rd *r);
struct view rd_str32(struct rd *r, size_t max);
/* Text up to the delimiter (consumed, not part of the view); bad when it does not come. */
struct view rd_until(struct rd *r, uint8_t delimiter);
/* True when nothing is left and nothing went wrong. */
bool rd_end(const struct rd *r);
bool rd_ok(const struct rd *r);

bool view_eq(struct view v, const char *text);

/* Writers append to a capped buffer; failure sticks in the buffer (buf_ok). */
void wr_u8(struct buf *b, uint8_t v);
void wr_le16(struct buf *b, uint16_t v);
void wr_le32(struct buf *b, uint32_t v);
void wr_le64(struct buf *b, uint64_t v);
void wr_be16(struct buf *b, uint16_t v);
void wr_be24(struct buf *b, uint32_t v); /* v < 1<<24, else the buffer fails */
void wr_be32(struct buf *b, uint32_t v);
void wr_be64(struct buf *b, uint64_t v);
void wr_bytes(struct buf *b, const void *p, size_t n);
/* One length byte and the bytes; longer than 255 fails the buffer. */
void wr_str8(struct buf *b, const void *p, size_t n);
void wr_str32(struct buf *b, const void *p, size_t n);

#endif
