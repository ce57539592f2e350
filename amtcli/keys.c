#include "amtcli/keys.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/xalloc.h"

#define SEQUENCE_MAX 8  /* bytes that a key sends */
#define SEND_MAX     64 /* bytes that a key is mapped to */
#define LINE_MAX     512

enum key {
    KEY_ENTER,
    KEY_BACKSPACE,
    KEY_UP,
    KEY_DOWN,
    KEY_RIGHT,
    KEY_LEFT,
    KEY_HOME,
    KEY_END,
    KEY_INSERT,
    KEY_DELETE,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_F1,
    KEY_F12 = KEY_F1 + 11,
    KEYS,
};

static const char *const key_names[KEYS] = {"Enter", "Backspace", "Up",     "Down",   "Right",  "Left",
                                            "Home",  "End",       "Insert", "Delete", "PageUp", "PageDown",
                                            "F1",    "F2",        "F3",     "F4",     "F5",     "F6",
                                            "F7",    "F8",        "F9",     "F10",    "F11",    "F12"};

/* What terminals send: xterm in both cursor modes, the Linux console, VT220, rxvt. */
static const struct {
    const char *sequence;
    enum key key;
} sent[] = {
    {"\r", KEY_ENTER},        {"\x7f", KEY_BACKSPACE},    {"\033[A", KEY_UP},       {"\033OA", KEY_UP},
    {"\033[B", KEY_DOWN},     {"\033OB", KEY_DOWN},       {"\033[C", KEY_RIGHT},    {"\033OC", KEY_RIGHT},
    {"\033[D", KEY_LEFT},     {"\033OD", KEY_LEFT},       {"\033[H", KEY_HOME},     {"\033OH", KEY_HOME},
    {"\033[1~", KEY_HOME},    {"\033[7~", KEY_HOME},      {"\033[F", KEY_END},      {"\033OF", KEY_END},
    {"\033[4~", KEY_END},     {"\033[8~", KEY_END},       {"\033[2~", KEY_INSERT},  {"\033[3~", KEY_DELETE},
    {"\033[5~", KEY_PAGE_UP}, {"\033[6~", KEY_PAGE_DOWN}, {"\033OP", KEY_F1},       {"\033[11~", KEY_F1},
    {"\033[[A", KEY_F1},      {"\033OQ", KEY_F1 + 1},     {"\033[12~", KEY_F1 + 1}, {"\033[[B", KEY_F1 + 1},
    {"\033OR", KEY_F1 + 2},   {"\033[13~", KEY_F1 + 2},   {"\033[[C", KEY_F1 + 2},  {"\033OS", KEY_F1 + 3},
    {"\033[14~", KEY_F1 + 3}, {"\033[[D", KEY_F1 + 3},    {"\033[15~", KEY_F1 + 4}, {"\033[[E", KEY_F1 + 4},
    {"\033[17~", KEY_F1 + 5}, {"\033[18~", KEY_F1 + 6},   {"\033[19~", KEY_F1 + 7}, {"\033[20~", KEY_F1 + 8},
    {"\033[21~", KEY_F1 + 9}, {"\033[23~", KEY_F1 + 10},  {"\033[24~", KEY_F12},
};
#define SENT (sizeof(sent) / sizeof(sent[0]))

/* The mappings; a key that is not named is sent as it was typed. */
struct mapping {
    const char *name;
    const char *send[KEYS];
};

/* linux is what the kernel's terminals and GRUB take, whatever the user's own terminal is. Firmware with a
 * redirected console listens to vt100+ (VT-UTF8 too), vt100 or, of older Intel boards, intel. */
static const struct mapping mappings[] = {
    {"plain", {NULL}},
    {"linux",
     {"\r",       "\x7f",     "\033[A",   "\033[B",   "\033[C",   "\033[D",   "\033[1~",  "\033[4~",
      "\033[2~",  "\033[3~",  "\033[5~",  "\033[6~",  "\033OP",   "\033OQ",   "\033OR",   "\033OS",
      "\033[15~", "\033[17~", "\033[18~", "\033[19~", "\033[20~", "\033[21~", "\033[23~", "\033[24~"}},
    {"vt100+", {"\r",    "\b",    "\033[A", "\033[B", "\033[C", "\033[D", "\033h", "\033k",
                "\033+", "\033-", "\033?",  "\033/",  "\0331",  "\0332",  "\0333", "\0334",
                "\0335", "\0336", "\0337",  "\0338",  "\0339",  "\0330",  "\033!", "\033@"}},
    {"vt100", {"\r",      "\b",      "\033[A",  "\033[B",  "\033[C", "\033[D", "\033[H", "\033[F",
               "\033[2~", "\033[3~", "\033[5~", "\033[6~", "\033OP", "\033OQ", "\033OR", "\033OS",
               "\033OT",  "\033OU",  "\033OV",  "\033OW",  "\033OX", "\033OY", "\033OZ", "\033O["}},
    {"intel", {"\r",      "\b",      "\033[A",  "\033[B",  "\033[C",  "\033[D",  "\033[H",  "\033[F",
               "\033[2~", "\033[3~", "\033[5~", "\033[6~", "\033[OP", "\033[OQ", "\033[Ow", "\033[Ox",
               "\033[Ot", "\033[Ou", "\033[Oq", "\033[Or", "\033[Op", "\033[OM"}},
};
#define MAPPINGS (sizeof(mappings) / sizeof(mappings[0]))

struct keys {
    char *name;
    char *send[KEYS]; /* NULL: as typed */
    size_t send_n[KEYS];
    char held[SEQUENCE_MAX];
    size_t held_count;
    int64_t held_since;
};

/* --- a mapping --- */

static void set_key(struct keys *keys, int key, const char *bytes, size_t n)
{
    free(keys->send[key]);
    keys->send[key] = xmalloc(n + 1);
    memcpy(keys->send[key], bytes, n);
    keys->send_n[key] = n;
}

static bool take_mapping(struct keys *keys, const char *name)
{
    for (size_t i = 0; i < MAPPINGS; i++) {
        if (strcmp(mappings[i].name, name) != 0)
            continue;
        for (int k = 0; k < KEYS; k++)
            if (mappings[i].send[k])
                set_key(keys, k, mappings[i].send[k], strlen(mappings[i].send[k]));
        return true;
    }
    return false;
}

static int key_by_name(const char *name)
{
    for (int k = 0; k < KEYS; k++)
        if (strcasecmp(key_names[k], name) == 0)
            return k;
    return -1;
}

/* Cuts blanks off both ends. */
static char *trim(char *text)
{
    size_t n;

    text += strspn(text, " \t");
    n = strlen(text);
    while (n > 0 && strchr(" \t\r\n", text[n - 1]))
        n--;
    text[n] = '\0';
    return text;
}

/* "F10 = \e0". What is wrong, or NULL. */
static const char *take_line(struct keys *keys, char *line)
{
    char *equals = strchr(line, '='), *name, *value;
    struct buf bytes = buf_init(SEND_MAX);
    const char *wrong = NULL;
    int key;

    if (!equals)
        return "expected KEY = WHAT IS SENT";
    *equals = '\0';
    name = trim(line);
    value = trim(equals + 1);
    key = key_by_name(name);
    if (strcmp(name, "base") == 0)
        return take_mapping(keys, value) ? NULL : "there is no mapping of that name";
    if (key < 0)
        wrong = "there is no key of that name";
    else if (!text_unescape(value, &bytes) || !buf_ok(&bytes))
        wrong = "expected at most 64 bytes such as \\e[A, ^H or \\x7f";
    else
        set_key(keys, key, buf_str(&bytes), bytes.len);
    buf_free(&bytes);
    return wrong;
}

static int read_file(struct keys *keys, const char *path, FILE *file, struct err *err)
{
    char line[LINE_MAX];

    for (int number = 1; fgets(line, sizeof(line), file); number++) {
        char *text = trim(line);
        const char *wrong = text[0] && text[0] != '#' ? take_line(keys, text) : NULL;

        if (wrong)
            return err_set(err, CAUSE_INVALID_ARGUMENT, "%s:%d: %s", path, number, wrong);
    }
    if (ferror(file))
        return err_set_errno(err, CAUSE_INVALID_ARGUMENT, errno, "%s", path);
    return 0;
}

struct keys *keys_new(const char *name, struct err *err)
{
    struct keys *keys = xcalloc(1, sizeof(*keys));
    FILE *file;
    int status;

    keys->name = xstrdup(name);
    if (take_mapping(keys, name))
        return keys;
    file = fopen(name, "r");
    if (!file) {
        err_set_errno(err, CAUSE_INVALID_ARGUMENT, errno,
                      "%s is no mapping of keys (plain, linux, vt100+, vt100, intel) and no file", name);
        keys_free(keys);
        return NULL;
    }
    status = read_file(keys, name, file, err);
    fclose(file);
    if (status == 0)
        return keys;
    keys_free(keys);
    return NULL;
}

void keys_free(struct keys *keys)
{
    if (!keys)
        return;
    for (int k = 0; k < KEYS; k++)
        free(keys->send[k]);
    free(keys->name);
    free(keys);
}

const char *keys_name(const struct keys *keys)
{
    return keys->name;
}

const char *keys_next(const char *name)
{
    for (size_t i = 0; i < MAPPINGS; i++)
        if (strcmp(mappings[i].name, name) == 0)
            return mappings[(i + 1) % MAPPINGS].name;
    return mappings[0].name;
}

/* --- typing --- */

/* The key that the held bytes are; -1: none. *more: they may become one. */
static int held_key(const struct keys *keys, bool *more)
{
    int key = -1;

    *more = false;
    for (size_t i = 0; i < SENT; i++) {
        size_t n = strlen(sent[i].sequence);

        if (n < keys->held_count || memcmp(sent[i].sequence, keys->held, keys->held_count) != 0)
            continue;
        if (n == keys->held_count)
            key = (int)sent[i].key;
        else
            *more = true;
    }
    return key;
}

static void send_held(struct keys *keys, int key, struct buf *out)
{
    if (key >= 0 && keys->send[key])
        buf_add(out, keys->send[key], keys->send_n[key]);
    else
        buf_add(out, keys->held, keys->held_count);
    keys->held_count = 0;
}

static void feed_one(struct keys *keys, char c, int64_t now_ms, struct buf *out)
{
    bool more, begins = keys->held_count == 0;
    int key;

    keys->held[keys->held_count++] = c;
    key = held_key(keys, &more);
    if (key < 0 && !more && !begins) { /* not what it seemed: what was held goes, and this begins anew */
        keys->held_count--;
        send_held(keys, -1, out);
        feed_one(keys, c, now_ms, out);
    } else if (!more) {
        send_held(keys, key, out);
    } else if (begins) {
        keys->held_since = now_ms;
    }
}

void keys_feed(struct keys *keys, const void *p, size_t n, int64_t now_ms, struct buf *out)
{
    const char *bytes = p;

    for (size_t i = 0; i < n; i++)
        feed_one(keys, bytes[i], now_ms, out);
}

int64_t keys_deadline(const struct keys *keys)
{
    return keys->held_count > 0 ? keys->held_since + KEYS_WAIT_MS : INT64_MAX;
}

void keys_tick(struct keys *keys, int64_t now_ms, struct buf *out)
{
    bool more;

    if (now_ms >= keys_deadline(keys))
        send_held(keys, held_key(keys, &more), out);
}
