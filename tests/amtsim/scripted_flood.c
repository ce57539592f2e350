#include "tests/amtsim/scripted_flood.h"

#include <string.h>

#define LINE   64
#define DIGITS 12

void scripted_flood_init(struct scripted_flood *f, uint64_t bytes)
{
    *f = (struct scripted_flood){.end = bytes};
}

/* Twelve digits, fifty letters, CR LF. */
static void line_of(uint64_t number, char line[LINE])
{
    static const char letters[] = " abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLM";
    for (unsigned i = DIGITS; i > 0; i--) {
        line[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    memcpy(line + DIGITS, letters, sizeof(letters) - 1);
    line[LINE - 2] = '\r';
    line[LINE - 1] = '\n';
}

size_t scripted_flood_fill(struct scripted_flood *f, uint8_t *out, size_t n)
{
    char line[LINE];
    size_t done = 0;
    while (done < n && f->at < f->end) {
        size_t from = (size_t)(f->at % LINE), part = LINE - from;
        if (part > n - done)
            part = n - done;
        if (part > f->end - f->at)
            part = (size_t)(f->end - f->at);
        line_of(f->at / LINE, line);
        memcpy(out + done, line + from, part);
        done += part;
        f->at += part;
    }
    return done;
}
