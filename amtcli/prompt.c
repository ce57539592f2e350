#include "amtcli/prompt.h"

#include <string.h>

#include "base/text.h"

/* Where in the sequence of an arrow or a function key we are: it means nothing here. */
enum { TEXT, ESCAPE, SEQUENCE };

void prompt_begin(struct prompt *prompt)
{
    memset(prompt, 0, sizeof(*prompt));
    prompt->text = buf_init(PROMPT_MAX);
}

void prompt_clear(struct prompt *prompt)
{
    buf_free(&prompt->text);
}

static void rub_out(struct prompt *prompt, struct buf *echo)
{
    struct buf *text = &prompt->text;

    if (text->len == 0)
        return;
    do
        text->len--;
    while (text->len > 0 && (text->p[text->len] & 0xc0) == 0x80);
    text->p[text->len] = '\0';
    buf_puts(echo, "\b \b");
}

static enum prompt_state in_sequence(struct prompt *prompt, uint8_t c)
{
    if (prompt->skipping == ESCAPE && c == '\033')
        return PROMPT_CANCELLED;
    if (prompt->skipping == ESCAPE)
        prompt->skipping = c == '[' || c == 'O' ? SEQUENCE : TEXT;
    else if (c >= 0x40 && c != '[')
        prompt->skipping = TEXT;
    return PROMPT_MORE;
}

static enum prompt_state feed_one(struct prompt *prompt, uint8_t c, struct buf *echo)
{
    if (prompt->skipping != TEXT)
        return in_sequence(prompt, c);
    switch (c) {
    case '\r':
    case '\n':
        return PROMPT_DONE;
    case '\003':
    case '\007':
        return PROMPT_CANCELLED;
    case '\033':
        prompt->skipping = ESCAPE;
        break;
    case '\b':
    case 0x7f:
        rub_out(prompt, echo);
        break;
    case '\025':
        while (prompt->text.len > 0)
            rub_out(prompt, echo);
        break;
    default:
        if (c >= 0x20 && prompt->text.len + 1 < PROMPT_MAX) {
            buf_add(&prompt->text, &c, 1);
            buf_add(echo, &c, 1);
        }
    }
    return PROMPT_MORE;
}

enum prompt_state prompt_feed(struct prompt *prompt, const void *p, size_t n, size_t *taken, struct buf *echo)
{
    enum prompt_state state = PROMPT_MORE;
    const uint8_t *bytes = p;
    size_t i = 0;

    while (i < n && state == PROMPT_MORE)
        state = feed_one(prompt, bytes[i++], echo);
    *taken = i;
    if (state == PROMPT_DONE && !text_is_utf8(prompt->text.p, prompt->text.len))
        state = PROMPT_CANCELLED;
    return state;
}
