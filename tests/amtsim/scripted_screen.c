#include "tests/amtsim/scripted_screen.h"

#include <string.h>

#define FIRST_ROW 4

enum key { KEY_UP, KEY_DOWN, KEY_ENTER, KEY_F10 };

/* The ways terminals write them: ANSI, application mode, Intel's own for F10 (ESC 0). */
static const struct {
    const char *bytes;
    enum key key;
} keys[] = {
    {"\x1b[A", KEY_UP},
    {"\x1bOA", KEY_UP},
    {"\x1b[B", KEY_DOWN},
    {"\x1bOB", KEY_DOWN},
    {"\r", KEY_ENTER},
    {"\n", KEY_ENTER},
    {"\x1b[21~", KEY_F10},
    {"\x1bOY", KEY_F10},
    {"\x1b"
     "0",
     KEY_F10},
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static unsigned count_of(const struct scripted_screen *s)
{
    unsigned n = 0;
    while (s->entries[n] != NULL)
        n++;
    return n;
}

static void draw_entry(const struct scripted_screen *s, unsigned i, struct buf *out)
{
    buf_printf(out, "\x1b[%u;3H%s%c %-40s\x1b[0m", FIRST_ROW + i, i == s->selected ? "\x1b[7m" : "",
               i == s->selected ? '*' : ' ', s->entries[i]);
}

/* The cursor waits below the list. */
static void park(const struct scripted_screen *s, struct buf *out)
{
    buf_printf(out, "\x1b[%u;1H", FIRST_ROW + count_of(s) + 4);
}

void scripted_screen_show(struct scripted_screen *s, const char *title, const char *const *entries,
                          const char *hint, struct buf *out)
{
    *s = (struct scripted_screen){.title = title, .entries = entries, .hint = hint};
    buf_printf(out, "\x1b[2J\x1b[1;3H%s\x1b[2;3H", title);
    for (size_t i = 0; i < strlen(title); i++)
        buf_putc(out, '=');
    for (unsigned i = 0; entries[i] != NULL; i++)
        draw_entry(s, i, out);
    buf_printf(out, "\x1b[%u;3H%s", FIRST_ROW + count_of(s) + 1, hint);
    park(s, out);
}

/* Shows the bytes of the last key: who maps keys wants to see what arrives. */
static void draw_key(const struct scripted_screen *s, struct buf *out)
{
    buf_printf(out, "\x1b[%u;3Hkey:", FIRST_ROW + count_of(s) + 2);
    for (size_t i = 0; i < s->key_len; i++)
        buf_printf(out, " %02x", (unsigned char)s->key[i]);
    buf_puts(out, "\x1b[K");
}

static void move(struct scripted_screen *s, int by, struct buf *out)
{
    unsigned before = s->selected, last = count_of(s) - 1; /* there is at least one */
    if (by > 0)
        s->selected = before == last ? 0 : before + 1;
    else
        s->selected = before == 0 ? last : before - 1;
    draw_entry(s, before, out);
    draw_entry(s, s->selected, out);
}

/* The key that the bytes so far are; KEYS: none; *prefix: they may become one. */
static size_t find_key(const struct scripted_screen *s, bool *prefix)
{
    *prefix = false;
    for (size_t i = 0; i < KEYS; i++) {
        size_t n = strlen(keys[i].bytes);
        if (n < s->key_len || memcmp(keys[i].bytes, s->key, s->key_len) != 0)
            continue;
        if (n == s->key_len)
            return i;
        *prefix = true;
    }
    return KEYS;
}

enum screen_event scripted_screen_key(struct scripted_screen *s, char byte, struct buf *out)
{
    bool prefix;
    enum screen_event event = SCREEN_STAYS;
    s->key[s->key_len++] = byte;
    size_t i = find_key(s, &prefix);
    if (i == KEYS && prefix && s->key_len < SCREEN_KEY_MAX)
        return SCREEN_STAYS;
    draw_key(s, out);
    if (i < KEYS && keys[i].key == KEY_UP)
        move(s, -1, out);
    else if (i < KEYS && keys[i].key == KEY_DOWN)
        move(s, 1, out);
    else if (i < KEYS)
        event = keys[i].key == KEY_ENTER ? SCREEN_CHOSEN : SCREEN_SAVED;
    park(s, out);
    s->key_len = 0;
    return event;
}
