#include "amtcli/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"

#define HELD_MAX 8 /* of one unfinished character */
#define ROOM     4 /* bytes that one byte becomes at most */

/* One direction. */
struct converter {
    bool converts; /* else bytes go through as they are */
    iconv_t iconv;
    const char *replacement;
    bool from_utf8;
    char held[HELD_MAX];
    size_t held_count;
};

struct charset {
    const char *name;
    struct converter in, out;
};

static const struct {
    const char *name;
    const char *code; /* as iconv calls it; NULL: that of the terminal */
} names[] = {{"utf-8", NULL}, {"cp437", "CP437"}, {"latin1", "ISO-8859-1"}};
#define NAMES (sizeof(names) / sizeof(names[0]))

static struct converter converter_new(const char *to, const char *from, const char *replacement)
{
    struct converter c = {.replacement = replacement, .from_utf8 = from && strcmp(from, "UTF-8") == 0};

    if (to && from) {
        c.iconv = iconv_open(to, from);
        c.converts = (intptr_t)c.iconv != -1;
    }
    return c;
}

struct charset *charset_new(const char *name, struct err *err)
{
    struct charset *cs = xcalloc(1, sizeof(*cs));
    const char *code = NULL;

    for (size_t i = 0; i < NAMES; i++) {
        if (strcmp(names[i].name, name) == 0) {
            cs->name = names[i].name;
            code = names[i].code;
        }
    }
    cs->in = converter_new(code ? "UTF-8" : NULL, code, "\xef\xbf\xbd");
    cs->out = converter_new(code, "UTF-8", "?");
    if (cs->name && (!code || (cs->in.converts && cs->out.converts)))
        return cs;
    if (!cs->name)
        err_set(err, CAUSE_INVALID_ARGUMENT, "there is no character set '%s': utf-8, cp437 or latin1", name);
    else
        err_set(err, CAUSE_SYSTEM, "this system cannot convert %s", cs->name);
    charset_free(cs);
    return NULL;
}

void charset_free(struct charset *cs)
{
    if (!cs)
        return;
    if (cs->in.converts)
        iconv_close(cs->in.iconv);
    if (cs->out.converts)
        iconv_close(cs->out.iconv);
    free(cs);
}

const char *charset_name(const struct charset *cs)
{
    return cs->name;
}

const char *charset_next(const char *name)
{
    for (size_t i = 0; i < NAMES; i++)
        if (strcmp(names[i].name, name) == 0)
            return names[(i + 1) % NAMES].name;
    return names[0].name;
}

/* A character that has no equal is dropped whole; of what is no character, a byte. */
static void skip(const struct converter *c, char **p, size_t *n)
{
    uint32_t character;
    int length = c->from_utf8 ? text_utf8_next(*p, *n, &character) : 1;
    size_t gone = length > 0 ? (size_t)length : 1;

    *p += gone;
    *n -= gone;
}

/* Converts what stands at *p until it ends, or a character is unfinished or none. */
static void convert_some(struct converter *c, char **p, size_t *n, struct buf *out)
{
    while (*n > 0) {
        size_t room = ROOM * *n;
        char *to = (char *)buf_room(out, room);
        size_t left = room;
        size_t result;

        if (!to)
            return;
        result = iconv(c->iconv, p, n, &to, &left);
        buf_added(out, room - left);
        if (result != (size_t)-1 || errno == EINVAL)
            return; /* done, or the rest of the last one is still to come */
        if (errno != EILSEQ)
            continue; /* no room: there is more of it now */
        buf_puts(out, c->replacement);
        skip(c, p, n);
    }
}

static void convert(struct converter *c, const void *p, size_t n, struct buf *out)
{
    char *all, *rest;
    size_t left = c->held_count + n;

    if (!c->converts) {
        buf_add(out, p, n);
        return;
    }
    all = xmalloc(left + 1);
    memcpy(all, c->held, c->held_count);
    memcpy(all + c->held_count, p, n);
    rest = all;
    convert_some(c, &rest, &left, out);
    c->held_count = left < HELD_MAX ? left : 0;
    memcpy(c->held, rest, c->held_count);
    free(all);
}

void charset_to_terminal(struct charset *cs, const void *p, size_t n, struct buf *out)
{
    convert(&cs->in, p, n, out);
}

void charset_to_machine(struct charset *cs, const void *p, size_t n, struct buf *out)
{
    convert(&cs->out, p, n, out);
}
