#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define BUF_FIRST 64 /* bytes taken at first use */

struct buf buf_init(size_t max)
{
    struct buf b = {.max = max};

    return b;
}

struct buf buf_init_secret(size_t max)
{
    struct buf b = {.max = max, .secret = true};

    return b;
}

void buf_free(struct buf *b)
{
    if (b->secret && b->p)
        explicit_bzero(b->p, b->cap);
    free(b->p);
    b->p = NULL;
    b->len = b->cap = 0;
    b->failed = false;
}

void buf_reset(struct buf *b)
{
    if (b->secret && b->p)
        explicit_bzero(b->p, b->cap);
    if (b->p)
        b->p[0] = '\0';
    b->len = 0;
    b->failed = false;
}

bool buf_ok(const struct buf *b)
{
    return !b->failed;
}

/* One byte more than asked for always stands ready for the NUL. */
static void grow(struct buf *b, size_t want)
{
    size_t cap = b->cap > 0           ? b->cap
                 : b->max < BUF_FIRST ? b->max + 1 /* never more than may be held: see buf_add */
                                      : BUF_FIRST;
    uint8_t *p;

    while (cap < want)
        cap = cap > b->max / 2 ? b->max + 1 : cap * 2;
    if (!b->secret) {
        b->p = xrealloc(b->p, cap);
    } else { /* realloc would leave a copy behind */
        p = xmalloc(cap);
        if (b->p) {
            memcpy(p, b->p, b->len + 1);
            explicit_bzero(b->p, b->cap);
            free(b->p);
        }
        b->p = p;
    }
    b->cap = cap;
    b->p[b->len] = '\0'; /* also of room that nothing was put into yet */
}

uint8_t *buf_room(struct buf *b, size_t n)
{
    if (b->failed || n > b->max - b->len) {
        b->failed = true;
        return NULL;
    }
    if (b->cap < b->len + n + 1)
        grow(b, b->len + n + 1);
    return b->p + b->len;
}

void buf_added(struct buf *b, size_t n)
{
    b->len += n;
    b->p[b->len] = '\0';
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    bool fits = n < b->cap - b->len && !b->failed; /* as nearly always: there is no need to look at max */
    uint8_t *room = fits ? b->p + b->len : buf_room(b, n);

    if (!room)
        return;
    if (n > 0)
        memcpy(room, p, n);
    buf_added(b, n);
}

void buf_putc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_put_u64(struct buf *b, uint64_t n)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    uint8_t *room;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    room = n < 0 ? NULL : buf_room(b, (size_t)n);
    if (!room) {
        b->failed = true;
        return;
    }
    vsnprintf((char *)room, (size_t)n + 1, fmt, ap);
    buf_added(b, (size_t)n);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void buf_consume(struct buf *b, size_t n)
{
    if (n == 0 || !b->p)
        return;
    if (n > b->len)
        n = b->len;
    memmove(b->p, b->p + n, b->len - n + 1);
    b->len -= n;
}

const char *buf_str(const struct buf *b)
{
    return b->p ? (const char *)b->p : "";
}

char *buf_take(struct buf *b)
{
    char *text = b->p ? (char *)b->p : xstrdup("");

    b->p = NULL;
    b->len = b->cap = 0;
    b->failed = false;
    return text;
}
