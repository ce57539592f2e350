#include "amtd/console/typed_text.h"

#include <string.h>

static enum typed octal(const char **p, uint8_t *byte)
{
    unsigned value = 0;

    for (int i = 0; i < 3 && **p >= '0' && **p <= '7'; i++)
        value = value * 8 + (unsigned)(*(*p)++ - '0');
    *byte = (uint8_t)value;
    return value <= 255 ? TYPED_BYTE : TYPED_WRONG;
}

static enum typed escaped(const char **p, uint8_t *byte)
{
    static const char letters[] = "abfnrtv\\^", bytes[] = "\a\b\f\n\r\t\v\\^";
    const char *found;

    if (**p >= '0' && **p <= '7')
        return octal(p, byte);
    found = **p ? strchr(letters, **p) : NULL;
    if (found)
        *byte = (uint8_t)bytes[found - letters];
    else if (**p != 'z' && **p != 'd')
        return TYPED_WRONG;
    return found ? (++*p, TYPED_BYTE) : *(*p)++ == 'z' ? TYPED_BREAK : TYPED_PAUSE;
}

static enum typed control(const char **p, uint8_t *byte)
{
    char c = **p;

    if (c != '?' && (c < '@' || c > '~'))
        return TYPED_WRONG;
    ++*p;
    *byte = c == '?' ? 0x7f : (uint8_t)(c & 0x1f);
    return TYPED_BYTE;
}

enum typed typed_text_next(const char **p, uint8_t *byte)
{
    char c = **p;

    if (!c)
        return TYPED_END;
    ++*p;
    if (c == '\\')
        return escaped(p, byte);
    if (c == '^')
        return control(p, byte);
    *byte = (uint8_t)c;
    return TYPED_BYTE;
}

bool typed_text_ok(const char *text)
{
    enum typed what;
    uint8_t byte;

    while ((what = typed_text_next(&text, &byte)) != TYPED_END)
        if (what == TYPED_WRONG)
            return false;
    return true;
}
