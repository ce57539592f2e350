/* Substitutions in the values of a console: "c=t[n]f,...". */
#include <stdlib.h>
#include <string.h>

#include "amtd/compat/conserver_console.h"
#include "base/text.h"

#define VALUE_MAX 65536

struct subst {
    char sign;    /* what is replaced */
    char what;    /* c h r: text; b p P: a number */
    char format;  /* s, or d x X a A */
    bool zeros;   /* filled with them */
    size_t width; /* at least */
};

static bool parse_subst(const char *item, struct subst *s)
{
    const char *p = item;

    if (!p[0] || p[1] != '=' || !p[2] || !strchr("chrbpP", p[2]))
        return false;
    *s = (struct subst){.sign = p[0], .what = p[2]};
    p += 3;
    s->zeros = *p == '0';
    for (; *p >= '0' && *p <= '9'; p++)
        s->width = s->width < 100 ? s->width * 10 + (size_t)(*p - '0') : 100;
    s->format = *p;
    return *p && !p[1] && strchr(strchr("chr", s->what) ? "s" : "dxXaA", *p);
}

static void put_padded(const struct subst *s, const char *text, struct buf *out)
{
    for (size_t n = strlen(text); n < s->width; n++)
        buf_putc(out, s->zeros && s->format != 's' ? '0' : ' ');
    buf_puts(out, text);
}

/* In the base that the format names: 10, 16 or, "alphanumeric", 36. */
static void put_number(const struct subst *s, uint64_t number, struct buf *out)
{
    const char *digits = s->format == 'X' || s->format == 'A' ? "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                              : "0123456789abcdefghijklmnopqrstuvwxyz";
    unsigned base = s->format == 'd' ? 10 : strchr("xX", s->format) ? 16 : 36;
    char text[32], *p = text + sizeof(text) - 1;

    *p = '\0';
    do {
        *--p = digits[number % base];
        number /= base;
    } while (number > 0);
    put_padded(s, p, out);
}

static void put_subst(const struct cf_console *c, const struct subst *s, struct cf_notes *notes,
                      struct buf *out)
{
    uint64_t number = 0;

    switch (s->what) {
    case 'c':
        put_padded(s, c->name, out);
        return;
    case 'h':
        put_padded(s, cf_value(c, CF_HOST), out);
        return;
    case 'r':
        put_padded(s, cf_value(c, CF_REPLSTRING), out);
        return;
    case 'b':
        number = cf_number(c, CF_BAUD, 10000000, 0, notes);
        break;
    case 'p':
        number = cf_number(c, CF_PORT, UINT16_MAX, 0, notes);
        break;
    default:
        number = cf_final_port(c, notes);
    }
    put_number(s, number, out);
}

char *cf_substituted(const struct cf_console *c, enum cf_key key, enum cf_key by, struct cf_notes *notes)
{
    struct subst table[256] = {0}, s;
    struct buf out = buf_init(VALUE_MAX);
    const char *list = cf_value(c, by);
    char *item;

    while ((item = cf_next_item(&list))) {
        if (parse_subst(item, &s))
            table[(uint8_t)s.sign] = s;
        else
            cf_note_entry(notes, c->values[by], "expected c=t[n]f, such as '&=cs'");
        free(item);
    }
    for (const char *p = cf_value(c, key); *p; p++) {
        if (table[(uint8_t)*p].sign)
            put_subst(c, &table[(uint8_t)*p], notes, &out);
        else
            buf_putc(&out, *p);
    }
    return buf_take(&out);
}
