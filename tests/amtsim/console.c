#include "tests/amtsim/console.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct console {
    uint64_t total;
    uint8_t ring[CONSOLE_KEPT]; /* byte i of all is at i modulo the size */
};

void console_take(struct console **console, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    struct console *c = *console;

    if (c == NULL)
        c = *console = xcalloc(1, sizeof *c);
    while (n > 0) {
        size_t at = (size_t)(c->total % CONSOLE_KEPT);
        size_t part = n < CONSOLE_KEPT - at ? n : CONSOLE_KEPT - at;

        memcpy(c->ring + at, p, part);
        c->total += part;
        p += part;
        n -= part;
    }
}

void console_free(struct console *console)
{
    free(console);
}

void console_tail(const struct console *c, struct buf *out)
{
    size_t at;

    if (c == NULL)
        return;
    at = (size_t)(c->total % CONSOLE_KEPT);
    if (c->total >= CONSOLE_KEPT)
        buf_add(out, c->ring + at, CONSOLE_KEPT - at);
    buf_add(out, c->ring, at);
}

uint64_t console_total(const struct console *c)
{
    return c != NULL ? c->total : 0;
}
