#include "base/expect.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"

#define SEND_MAX 65536

struct step {
    char *text; /* of the regular expression; NULL: a sending */
    regex_t regex;
    struct buf send;
};

/* Where in a terminal's sequence the stream is. */
enum place { TEXT, ESCAPE, CONTROL, STRING, STRING_ESCAPE, CHARSET };

struct expect {
    struct step *steps;
    size_t count, next;
    int64_t timeout_ms, since_ms;
    enum place place;
    struct buf seen; /* behind the last match */
    bool inside;     /* it does not begin with a line */
};

struct expect *expect_new(int64_t timeout_ms)
{
    struct expect *e = xcalloc(1, sizeof(*e));

    e->timeout_ms = timeout_ms;
    e->seen = buf_init(2 * EXPECT_WINDOW);
    return e;
}

void expect_free(struct expect *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->count; i++) {
        if (e->steps[i].text)
            regfree(&e->steps[i].regex);
        free(e->steps[i].text);
        buf_free(&e->steps[i].send);
    }
    free(e->steps);
    buf_free(&e->seen);
    free(e);
}

static struct step *add_step(struct expect *e)
{
    e->steps = xreallocarray(e->steps, e->count + 1, sizeof(*e->steps));
    e->steps[e->count] = (struct step){.send = buf_init_secret(SEND_MAX)};
    return &e->steps[e->count++];
}

int expect_add(struct expect *e, const char *regex, struct err *err)
{
    struct step *step = add_step(e);
    int status = regcomp(&step->regex, regex, REG_EXTENDED | REG_NEWLINE);
    char why[256];

    if (status == 0) {
        step->text = xstrdup(regex);
        return 0;
    }
    regerror(status, &step->regex, why, sizeof(why));
    return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is no regular expression: %s", regex, why);
}

int expect_add_send(struct expect *e, const char *text, struct err *err)
{
    struct step *step = add_step(e);

    if (text_unescape(text, &step->send) && buf_ok(&step->send))
        return 0;
    return err_set(err, CAUSE_INVALID_ARGUMENT,
                   "what is sent has a backslash that means nothing: \\r, \\n, \\t, \\e, \\x7f, \\\\");
}

/* --- the text without what moves and colours --- */

static enum place after(enum place place, uint8_t c)
{
    switch (place) {
    case TEXT:
        return c == '\033' ? ESCAPE : TEXT;
    case ESCAPE:
        return c == '['                                                   ? CONTROL
               : c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_' ? STRING
               : c >= 0x20 && c <= 0x2f                                   ? CHARSET
               : c == '\033'                                              ? ESCAPE
                                                                          : TEXT;
    case CONTROL:
        return c == '\033' ? ESCAPE : c >= 0x40 && c <= 0x7e ? TEXT : CONTROL;
    case STRING:
        return c == '\a' || c == '\n' ? TEXT : c == '\033' ? STRING_ESCAPE : STRING;
    case STRING_ESCAPE:
        return c == '\\' ? TEXT : after(ESCAPE, c);
    case CHARSET:
        return c >= 0x20 && c <= 0x2f ? CHARSET : TEXT;
    }
    return TEXT;
}

static void forget(struct expect *e, size_t n)
{
    if (n > 0)
        e->inside = e->seen.p[n - 1] != '\n';
    buf_consume(&e->seen, n);
}

static void see(struct expect *e, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum place before = e->place;

        e->place = after(before, p[i]);
        if (before == TEXT && e->place == TEXT && p[i] != '\r' && p[i] != '\0')
            buf_add(&e->seen, &p[i], 1);
    }
    if (e->seen.len > EXPECT_WINDOW)
        forget(e, e->seen.len - EXPECT_WINDOW);
}

/* --- steps --- */

static bool matches(struct expect *e, const struct step *step)
{
    regmatch_t match = {.rm_so = 0, .rm_eo = (regoff_t)e->seen.len};

    if (regexec(&step->regex, buf_str(&e->seen), 1, &match, REG_STARTEND | (e->inside ? REG_NOTBOL : 0)) != 0)
        return false;
    forget(e, (size_t)match.rm_eo);
    return true;
}

/* Goes on as far as what was seen lets it. */
static void advance(struct expect *e, int64_t now_ms, struct buf *send)
{
    while (e->next < e->count) {
        const struct step *step = &e->steps[e->next];

        if (step->text && !matches(e, step))
            return;
        if (!step->text)
            buf_add(send, step->send.p, step->send.len);
        e->since_ms = now_ms;
        e->next++;
    }
}

void expect_begin(struct expect *e, int64_t now_ms, struct buf *send)
{
    e->since_ms = now_ms;
    while (e->next < e->count && !e->steps[e->next].text) {
        buf_add(send, e->steps[e->next].send.p, e->steps[e->next].send.len);
        e->next++;
    }
}

void expect_feed(struct expect *e, const void *p, size_t n, int64_t now_ms, struct buf *send)
{
    const uint8_t *bytes = p;

    while (n > 0) { /* so that nothing is forgotten before it was looked at */
        size_t part = n < EXPECT_WINDOW / 4 ? n : EXPECT_WINDOW / 4;

        see(e, bytes, part);
        advance(e, now_ms, send);
        bytes += part;
        n -= part;
    }
}

bool expect_done(const struct expect *e)
{
    return e->next == e->count;
}

const char *expect_waits(const struct expect *e)
{
    return expect_done(e) ? NULL : e->steps[e->next].text;
}

int64_t expect_deadline(const struct expect *e)
{
    return expect_done(e) ? INT64_MAX : e->since_ms + e->timeout_ms;
}
