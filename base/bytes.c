#include "base/bytes.h"

#include <endian.h>
#include <string.h>

struct rd rd_init(const void *p, size_t n)
{
    struct rd r = {p, n, false};

    return r;
}

struct view rd_bytes(struct rd *r, size_t n)
{
    struct view v = {r->p, n};

    if (r->bad || n > r->n) {
        r->bad = true;
        v.n = 0;
        return v;
    }
    r->p += n;
    r->n -= n;
    return v;
}

static uint64_t rd_le(struct rd *r, size_t n)
{
    struct view v = rd_bytes(r, n);
    uint64_t value = 0;

    for (size_t i = v.n; i > 0; i--)
        value = value << 8 | v.p[i - 1];
    return value;
}

static uint64_t rd_be(struct rd *r, size_t n)
{
    struct view v = rd_bytes(r, n);
    uint64_t value = 0;

    for (size_t i = 0; i < v.n; i++)
        value = value << 8 | v.p[i];
    return value;
}

uint8_t rd_u8(struct rd *r)
{
    return (uint8_t)rd_le(r, 1);
}

uint16_t rd_le16(struct rd *r)
{
    return (uint16_t)rd_le(r, 2);
}

uint32_t rd_le32(struct rd *r)
{
    return (uint32_t)rd_le(r, 4);
}

uint64_t rd_le64(struct rd *r)
{
    return rd_le(r, 8);
}

uint16_t rd_be16(struct rd *r)
{
    return (uint16_t)rd_be(r, 2);
}

uint32_t rd_be24(struct rd *r)
{
    return (uint32_t)rd_be(r, 3);
}

uint32_t rd_be32(struct rd *r)
{
    struct view v = rd_bytes(r, sizeof(uint32_t));
    uint32_t value = 0;

    if (v.n > 0)
        memcpy(&value, v.p, sizeof(value));
    return be32toh(value);
}

uint64_t rd_be64(struct rd *r)
{
    struct view v = rd_bytes(r, sizeof(uint64_t));
    uint64_t value = 0;

    if (v.n > 0)
        memcpy(&value, v.p, sizeof(value));
    return be64toh(value);
}

void rd_copy(struct rd *r, void *out, size_t n)
{
    struct view v = rd_bytes(r, n);

    if (v.n > 0)
        memcpy(out, v.p, v.n);
    else if (n > 0)
        memset(out, 0, n);
}

void rd_skip(struct rd *r, size_t n)
{
    rd_bytes(r, n);
}

struct rd rd_sub(struct rd *r, size_t n)
{
    struct view v = rd_bytes(r, n);
    struct rd sub = {v.p, v.n, r->bad};

    return sub;
}

struct view rd_str8(struct rd *r)
{
    return rd_bytes(r, rd_u8(r));
}

struct view rd_str32(struct rd *r, size_t max)
{
    uint32_t n = rd_be32(r);

    if (n > max)
        r->bad = true;
    return rd_bytes(r, n);
}

struct view rd_until(struct rd *r, uint8_t delimiter)
{
    const uint8_t *end = r->bad || r->n == 0 ? NULL : memchr(r->p, delimiter, r->n);
    struct view v;

    if (!end) {
        r->bad = true;
        return rd_bytes(r, 0);
    }
    v = rd_bytes(r, (size_t)(end - r->p));
    rd_skip(r, 1);
    return v;
}

bool rd_end(const struct rd *r)
{
    return !r->bad && r->n == 0;
}

bool rd_ok(const struct rd *r)
{
    return !r->bad;
}

bool view_eq(struct view v, const char *text)
{
    return strlen(text) == v.n && (v.n == 0 || memcmp(v.p, text, v.n) == 0);
}

static void wr_le(struct buf *b, uint64_t v, size_t n)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(v >> (8 * i));
    buf_add(b, bytes, n);
}

static void wr_be(struct buf *b, uint64_t v, size_t n)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < n; i++)
        bytes[n - 1 - i] = (uint8_t)(v >> (8 * i));
    buf_add(b, bytes, n);
}

void wr_u8(struct buf *b, uint8_t v)
{
    buf_add(b, &v, 1);
}

void wr_le16(struct buf *b, uint16_t v)
{
    wr_le(b, v, 2);
}

void wr_le32(struct buf *b, uint32_t v)
{
    wr_le(b, v, 4);
}

void wr_le64(struct buf *b, uint64_t v)
{
    wr_le(b, v, 8);
}

void wr_be16(struct buf *b, uint16_t v)
{
    wr_be(b, v, 2);
}

void wr_be24(struct buf *b, uint32_t v)
{
    if (v >= 1u << 24)
        b->failed = true;
    else
        wr_be(b, v, 3);
}

void wr_be32(struct buf *b, uint32_t v)
{
    wr_be(b, v, 4);
}

void wr_be64(struct buf *b, uint64_t v)
{
    wr_be(b, v, 8);
}

void wr_bytes(struct buf *b, const void *p, size_t n)
{
    buf_add(b, p, n);
}

void wr_str8(struct buf *b, const void *p, size_t n)
{
    if (n > UINT8_MAX) {
        b->failed = true;
        return;
    }
    wr_u8(b, (uint8_t)n);
    buf_add(b, p, n);
}

void wr_str32(struct buf *b, const void *p, size_t n)
{
    if (n > UINT32_MAX) {
        b->failed = true;
        return;
    }
    wr_be32(b, (uint32_t)n);
    buf_add(b, p, n);
}
