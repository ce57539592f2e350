#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/charset.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A byte at a time gives what all at once gives; a terminal gets UTF-8, whatever the machine sent. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"utf-8", "cp437", "latin1"};

    for (size_t k = 0; k < 6; k++) {
        struct charset *whole = charset_new(names[k / 2], NULL), *parts = charset_new(names[k / 2], NULL);
        void (*convert)(struct charset *, const void *, size_t, struct buf *) =
            k % 2 ? charset_to_machine : charset_to_terminal;
        struct buf a = buf_init(1 << 24), b = buf_init(1 << 24);

        convert(whole, data, size, &a);
        for (size_t i = 0; i < size; i++)
            convert(parts, data + i, 1, &b);
        if (a.len != b.len || (a.len > 0 && memcmp(a.p, b.p, a.len) != 0))
            abort();
        if (k >= 2 && k % 2 == 0 && !memchr(data, 0, size) && !text_is_utf8(a.p, a.len))
            abort();
        buf_free(&a);
        buf_free(&b);
        charset_free(whole);
        charset_free(parts);
    }
    return 0;
}
