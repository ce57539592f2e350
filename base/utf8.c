#include "base/utf8.h"

#include <string.h>

#include "base/text.h"

static void unknown(size_t count, utf8_each each, void *arg)
{
    static const uint8_t replacement[] = {0xef, 0xbf, 0xbd};

    while (count-- > 0)
        each(arg, replacement, sizeof(replacement));
}

/* Goes on with the character that an earlier portion began. Returns how many bytes of this one it took. */
static size_t complete(struct utf8 *utf8, const uint8_t *p, size_t n, utf8_each each, void *arg)
{
    size_t taken = 0;
    uint32_t c;

    while (utf8->n > 0 && taken < n) {
        int length;

        utf8->part[utf8->n++] = p[taken++];
        length = text_utf8_next(utf8->part, utf8->n, &c);
        if (length < 0)
            continue;
        if (length > 0) {
            each(arg, utf8->part, (size_t)length);
        } else {
            unknown(utf8->n - 1, each, arg);
            taken--; /* the last byte did not belong to it */
        }
        utf8->n = 0;
    }
    return taken;
}

void utf8_feed(struct utf8 *utf8, const void *p, size_t n, utf8_each each, void *arg)
{
    const uint8_t *s = p;
    uint32_t c;

    for (size_t i = complete(utf8, s, n, each, arg); i < n;) {
        int length = text_utf8_next(s + i, n - i, &c);

        if (length < 0) {
            utf8->n = n - i;
            memcpy(utf8->part, s + i, utf8->n);
            return;
        }
        if (length > 0)
            each(arg, s + i, (size_t)length);
        else
            unknown(1, each, arg);
        i += length > 0 ? (size_t)length : 1;
    }
}

void utf8_end(struct utf8 *utf8, utf8_each each, void *arg)
{
    unknown(utf8->n, each, arg);
    utf8->n = 0;
}
