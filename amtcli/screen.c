#include "amtcli/screen.h"

#include <stdint.h>

/* ESC [ ? number ; number h (or l) */
enum place { TEXT, ESCAPE, BRACKET, NUMBERS };

#define NUMBER_MAX 100000

static bool is_switch(unsigned number)
{
    return number == 47 || number == 1047 || number == 1049;
}

static void in_numbers(struct screen *s, uint8_t c)
{
    if (c >= '0' && c <= '9') {
        s->number = s->number < NUMBER_MAX ? s->number * 10 + (unsigned)(c - '0') : NUMBER_MAX;
        return;
    }
    s->switches |= is_switch(s->number);
    s->number = 0;
    if (c == ';')
        return;
    if (s->switches && (c == 'h' || c == 'l'))
        s->alternate = c == 'h';
    s->place = c == '\033' ? ESCAPE : TEXT;
}

void screen_feed(struct screen *s, const void *p, size_t n)
{
    const uint8_t *bytes = p;

    for (size_t i = 0; i < n; i++) {
        uint8_t c = bytes[i];

        if (s->place == NUMBERS) {
            in_numbers(s, c);
        } else if (s->place == BRACKET && c == '?') {
            s->place = NUMBERS;
            s->number = 0;
            s->switches = false;
        } else {
            s->place = c == '\033' ? ESCAPE : s->place == ESCAPE && c == '[' ? BRACKET : TEXT;
        }
    }
}
