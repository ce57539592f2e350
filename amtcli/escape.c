#include "amtcli/escape.h"

#include <string.h>

#define DEL 0x7f

enum state {
    PLAIN,
    HALF,  /* the first character was typed */
    WHOLE, /* both: a letter is awaited */
    BREAK, /* l: which one */
    OCTAL, /* \ooo: a byte as three octal digits */
    ANEW,  /* e: two new characters */
};

const struct escape_row escape_rows[] = {
    {".\x04\x03", ESCAPE_LEAVE, ".", "leave"},
    {"a", ESCAPE_ATTACH, "a", "ask for the right to write"},
    {"f", ESCAPE_FORCE, "f", "take the right to write from whoever has it"},
    {"s", ESCAPE_WATCH, "s", "watch only: give the right to write back"},
    {"G", ESCAPE_GRANT, "G", "hand the right to write to who waits for it"},
    {"p", ESCAPE_POWER, "p", "power of the machine: a menu"},
    {"C", ESCAPE_CONSENT, "C", "consent of the user at the machine: a code"},
    {"l", ESCAPE_BREAK, "l0", "send a break; l? lists those of this console"},
    {"r", ESCAPE_REPLAY, "r", "replay the last lines"},
    {"R", ESCAPE_REPLAY_SET, "R", "set how many lines that are, and replay"},
    {"\x12", ESCAPE_REPLAY_LINE, "^R", "replay the last line"},
    {"w", ESCAPE_WHO, "w", "who is on this console"},
    {"ix", ESCAPE_INFO, "i", "state of this console"},
    {"ug", ESCAPE_HOSTS, "u", "state of all consoles"},
    {"b", ESCAPE_MESSAGE, "b", "send a message to all on this console"},
    {"n", ESCAPE_NOTE, "n", "write a note into the log"},
    {"L", ESCAPE_LOG, "L", "switch logging off and on"},
    {"d", ESCAPE_DOWN, "d", "take the line down"},
    {"o", ESCAPE_UP, "o", "close the line and open it anew"},
    {"k", ESCAPE_KEYS, "k", "next mapping of keys"},
    {"c", ESCAPE_CHARSET, "c", "next character set"},
    {";", ESCAPE_GO, ";", "go to another console"},
    {"e", ESCAPE_REDEFINED, "exy", "make x y the characters that begin a sequence"},
    {"\\", ESCAPE_NONE, "\\ooo", "send one byte, three octal digits"},
    {"z\x1a", ESCAPE_SUSPEND, "z", "suspend"},
    {"v", ESCAPE_VERSION, "v", "version"},
    {"?h", ESCAPE_HELP, "?", "this list"},
    {" \r\n", ESCAPE_NONE, " ", NULL}, /* nothing: also the last row */
};
#define ROWS (sizeof(escape_rows) / sizeof(escape_rows[0]))

/* "^X", or one character. Moves *text behind it. */
static bool read_character(const char **text, uint8_t *out)
{
    const char *t = *text;

    if (t[0] == '^' && t[1]) {
        if (t[1] != '?' && (t[1] < '@' || t[1] > 'z'))
            return false;
        *out = t[1] == '?' ? DEL : (uint8_t)t[1] & 0x1f;
        *text = t + 2;
        return true;
    }
    if (t[0] < 0x21 || t[0] > 0x7e)
        return false;
    *out = (uint8_t)t[0];
    *text = t + 1;
    return true;
}

int escape_init(struct escape *e, const char *text, struct err *err)
{
    const char *rest = text;

    memset(e, 0, sizeof(*e));
    if (strcmp(text, "none") == 0) {
        e->off = true;
        return 0;
    }
    if (!read_character(&rest, &e->first) || !read_character(&rest, &e->second) || *rest)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "an escape is two characters such as ^Ec, or none, not '%s'", text);
    return 0;
}

static void character_text(uint8_t c, struct buf *out)
{
    if (c < 0x20)
        buf_printf(out, "^%c", c | 0x40);
    else if (c == DEL)
        buf_puts(out, "^?");
    else
        buf_putc(out, (char)c);
}

void escape_text(const struct escape *e, struct buf *out)
{
    if (e->off) {
        buf_puts(out, "none");
        return;
    }
    character_text(e->first, out);
    character_text(e->second, out);
}

/* --- one character in each state: what is to be done --- */

static enum escape_command plain(struct escape *e, uint8_t c, struct buf *out, uint8_t *detail)
{
    (void)detail;
    if (c == e->first && !e->off)
        e->state = HALF;
    else
        buf_add(out, &c, 1);
    return ESCAPE_NONE;
}

/* The first twice sends one, and stays half-way. */
static enum escape_command half(struct escape *e, uint8_t c, struct buf *out, uint8_t *detail)
{
    (void)detail;
    if (c == e->second) {
        e->state = WHOLE;
        return ESCAPE_NONE;
    }
    buf_add(out, &e->first, 1);
    if (c != e->first) {
        e->state = PLAIN;
        buf_add(out, &c, 1);
    }
    return ESCAPE_NONE;
}

static enum escape_command whole(struct escape *e, uint8_t c, struct buf *out, uint8_t *detail)
{
    (void)out;
    e->state = PLAIN;
    e->held_count = 0;
    *detail = c;
    for (size_t i = 0; c && i < ROWS; i++) {
        if (!strchr(escape_rows[i].letters, c))
            continue;
        e->state = c == 'l' ? BREAK : c == '\\' ? OCTAL : c == 'e' ? ANEW : PLAIN;
        return e->state == PLAIN ? escape_rows[i].command : ESCAPE_NONE;
    }
    return ESCAPE_UNKNOWN;
}

static enum escape_command which_break(struct escape *e, uint8_t c, struct buf *out, uint8_t *detail)
{
    (void)out;
    e->state = PLAIN;
    *detail = c;
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '?' ? ESCAPE_BREAK : ESCAPE_UNKNOWN;
}

static enum escape_command octal(struct escape *e, uint8_t c, struct buf *out, uint8_t *detail)
{
    uint8_t byte;

    if (c < '0' || c > (e->held_count == 0 ? '3' : '7')) {
        e->state = PLAIN;
        *detail = c;
        return ESCAPE_UNKNOWN;
    }
    e->held[e->held_count++] = c;
    if (e->held_count < 3)
        return ESCAPE_NONE;
    byte = (uint8_t)((e->held[0] - '0') << 6 | (e->held[1] - '0') << 3 | (e->held[2] - '0'));
    e->state = PLAIN;
    buf_add(out, &byte, 1);
    return ESCAPE_NONE;
}

static enum escape_command anew(struct escape *e, uint8_t c, struct buf *out, uint8_t *detail)
{
    (void)out;
    *detail = 0;
    e->held[e->held_count++] = c;
    if (e->held_count < 2)
        return ESCAPE_NONE;
    e->state = PLAIN;
    e->first = e->held[0];
    e->second = e->held[1];
    return ESCAPE_REDEFINED;
}

size_t escape_feed(struct escape *e, const void *p, size_t n, struct buf *out, enum escape_command *command,
                   uint8_t *detail)
{
    static enum escape_command (*const steps[])(struct escape *, uint8_t, struct buf *, uint8_t *) = {
        [PLAIN] = plain,       [HALF] = half,   [WHOLE] = whole,
        [BREAK] = which_break, [OCTAL] = octal, [ANEW] = anew};
    const uint8_t *bytes = p;

    *command = ESCAPE_NONE;
    *detail = 0;
    for (size_t i = 0; i < n; i++) {
        *command = steps[e->state](e, bytes[i], out, detail);
        if (*command != ESCAPE_NONE)
            return i + 1;
    }
    return n;
}
