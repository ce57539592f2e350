/* A growing byte buffer with an obligatory cap.
 *
 * Appending beyond the cap keeps what was there and sets `failed`, which sticks: append freely, check once
 * with buf_ok. The content is always followed by a NUL that does not count, so text may be used as a C
 * string. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
    uint8_t *p; /* owned; NULL while empty */
    size_t len;
    size_t cap;
    size_t max;
    bool failed;
    bool secret; /* wiped when grown, cleared or freed */
};

/* An empty buffer that never holds more than max bytes. No memory is taken yet. */
struct buf buf_init(size_t max);
struct buf buf_init_secret(size_t max);
void buf_free(struct buf *b);  /* frees; the buffer may be used again */
void buf_reset(struct buf *b); /* empties, keeps the memory, forgets `failed` */
bool buf_ok(const struct buf *b);

void buf_add(struct buf *b, const void *p, size_t n);
static inline void buf_puts(struct buf *b, const char *s) /* the length of a literal is known already */
{
    buf_add(b, s, strlen(s));
}
void buf_putc(struct buf *b, char c);
void buf_put_u64(struct buf *b, uint64_t n); /* in decimal */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Room for n more bytes at the end, or NULL (and failed) beyond the cap; the caller writes there and says
 * with buf_added how many it wrote (at most n). */
uint8_t *buf_room(struct buf *b, size_t n);
void buf_added(struct buf *b, size_t n);
/* Drops n bytes from the front (at most len). */
void buf_consume(struct buf *b, size_t n);
/* The content as a C string, "" while empty. Borrowed until the next change. */
const char *buf_str(const struct buf *b);
/* The content as a C string owned by the caller (free()); the buffer is empty after. */
char *buf_take(struct buf *b);

#endif
