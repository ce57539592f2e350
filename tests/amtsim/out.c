#include "tests/amtsim/out.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/xml.h"

#define ANONYMOUS "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"

struct out out_xml(struct buf *b, char prefix)
{
    return (struct out){.b = b, .prefix = prefix, .common = (char)(prefix + 1)};
}

struct out out_match(const struct selector *want, size_t count)
{
    return (struct out){.want = want, .want_count = count};
}

static void tag(struct out *o, const char *name, bool end)
{
    char open[3] = "</";
    buf_add(o->b, open, end ? 2 : 1);
    buf_putc(o->b, o->prefix);
    buf_putc(o->b, ':');
    buf_puts(o->b, name);
    buf_putc(o->b, '>');
}

static const struct selector *wanted(struct out *o, const char *name)
{
    for (size_t i = 0; i < o->want_count; i++) {
        if (strcmp(o->want[i].name, name) == 0) {
            o->known |= 1u << i;
            return &o->want[i];
        }
    }
    return NULL;
}

/* A plain value: compare, or write between its tags. Only text that is not ours can need escaping. */
static void value(struct out *o, const char *name, const char *text)
{
    if (o->b == NULL) {
        const struct selector *s = wanted(o, name);
        if (s != NULL && (s->is_epr || strcmp(s->value, text) != 0))
            o->differs = true;
        return;
    }
    tag(o, name, false);
    out_text(o->b, text);
    tag(o, name, true);
}

void out_text(struct buf *b, const char *text)
{
    if (strpbrk(text, "&<>\"'") == NULL)
        buf_puts(b, text);
    else
        xml_escape(b, text);
}

void out_str(struct out *o, const char *name, const char *text)
{
    if (text != NULL)
        value(o, name, text);
}

void out_fmt(struct out *o, const char *name, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    value(o, name, text);
}

void out_num(struct out *o, const char *name, uint64_t number)
{
    char text[24];
    char *p = text + sizeof(text);
    *--p = '\0';
    do {
        *--p = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    value(o, name, p);
}

void out_bool(struct out *o, const char *name, bool truth)
{
    value(o, name, truth ? "true" : "false");
}

void out_nums(struct out *o, const char *name, const uint16_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out_num(o, name, values[i]);
}

void out_bytes(struct out *o, const char *name, const void *p, size_t n)
{
    struct buf text = buf_init(SIZE_MAX / 2);
    text_base64(&text, p, n);
    value(o, name, buf_str(&text));
    buf_free(&text);
}

static void wrapped(struct out *o, const char *name, const char *kind, const char *text)
{
    if (o->b == NULL) {
        value(o, name, text);
        return;
    }
    tag(o, name, false);
    buf_printf(o->b, "<%c:%s>%s</%c:%s>", o->common, kind, text, o->common, kind);
    tag(o, name, true);
}

void out_time(struct out *o, const char *name, int64_t wall_ms)
{
    char text[CLOCK_TEXT_MAX];
    wrapped(o, name, "Datetime", clock_text(wall_ms, text));
}

void out_interval(struct out *o, const char *name, uint32_t minutes)
{
    char text[48];
    snprintf(text, sizeof(text), "P%uDT%uH%uM", minutes / 1440, minutes / 60 % 24, minutes % 60);
    wrapped(o, name, "Interval", text);
}

static void write_epr(struct buf *b, const struct epr *epr)
{
    buf_puts(b, "<b:Address>");
    buf_puts(b, epr->address != NULL ? epr->address : ANONYMOUS);
    buf_puts(b, "</b:Address><b:ReferenceParameters><c:ResourceURI>");
    const char *ns = epr_namespace(epr->class_name);
    if (ns != NULL) {
        buf_puts(b, ns);
        buf_puts(b, epr->class_name);
    }
    buf_puts(b, "</c:ResourceURI><c:SelectorSet>");
    for (size_t i = 0; i < epr->count; i++) {
        buf_puts(b, "<c:Selector Name=\"");
        buf_puts(b, epr->pairs[i].name);
        buf_puts(b, "\">");
        if (epr->pairs[i].epr != NULL) {
            buf_puts(b, "<b:EndpointReference>");
            write_epr(b, epr->pairs[i].epr);
            buf_puts(b, "</b:EndpointReference>");
        } else {
            out_text(b, epr->pairs[i].value);
        }
        buf_puts(b, "</c:Selector>");
    }
    buf_puts(b, "</c:SelectorSet></b:ReferenceParameters>");
}

void out_epr(struct out *o, const char *name, const struct epr *epr)
{
    if (o->b == NULL) {
        const struct selector *s = wanted(o, name);
        if (s != NULL && (!s->is_epr || !epr_covers(epr, &s->epr)))
            o->differs = true;
        return;
    }
    tag(o, name, false);
    write_epr(o->b, epr);
    tag(o, name, true);
}

void out_fixed(struct out *o, const char *const *pairs)
{
    for (; pairs[0] != NULL; pairs += 2)
        value(o, pairs[0], pairs[1]);
}
