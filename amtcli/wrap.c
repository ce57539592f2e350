#include "amtcli/wrap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <wchar.h>

#include "base/text.h"
#include "base/xalloc.h"

#define COLUMNS_MOST 10000

size_t text_width(const char *text)
{
    size_t plain = 0, n;
    wchar_t *wide;
    int width;

    while (text[plain] >= ' ' && text[plain] <= '~')
        plain++;
    if (!text[plain]) /* as most are */
        return plain;
    wide = xcalloc(strlen(text) + 1, sizeof(*wide));
    n = mbstowcs(wide, text, strlen(text) + 1);
    width = n != (size_t)-1 ? wcswidth(wide, n) : -1;
    free(wide);
    return width >= 0 ? (size_t)width : strlen(text);
}

/* The bytes of the character at the beginning of a text, and the columns it takes. */
static size_t character(const char *text, size_t *columns)
{
    mbstate_t state = {0};
    wchar_t wide;
    size_t n = mbrtowc(&wide, text, strlen(text), &state);
    int width = n != (size_t)-1 && n != (size_t)-2 ? wcwidth(wide) : -1;

    *columns = width >= 0 ? (size_t)width : 1;
    return width >= 0 && n > 0 ? n : 1;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* At text[n] a word is over: a blank is there, or a comma before it. */
static bool is_word_end(const char *text, size_t n)
{
    return (text[n] == ' ' && (n == 0 || text[n - 1] != ' ')) || (n > 0 && text[n - 1] == ',');
}

/* A moment is broken between date and time, a name where it has a mark; numbers and ranges stay whole. */
static bool is_part_end(const char *text, size_t n)
{
    bool numbers = n > 1 && is_digit(text[n - 2]) && is_digit(text[n]);

    if (is_word_end(text, n))
        return true;
    if (n < 2)
        return false;
    return text[n - 1] == 'T' ? numbers : strchr("./_=;|-:", text[n - 1]) && !numbers;
}

size_t wrap_next(const char *text, size_t columns, size_t *skip)
{
    size_t n = 0, used = 0, word = 0, part = 0, width;

    *skip = 0;
    while (text[n]) {
        size_t bytes = character(text + n, &width);

        if (is_word_end(text, n))
            word = n;
        if (is_part_end(text, n))
            part = n;
        if (used + width > columns && n > 0)
            break;
        used += width;
        n += bytes;
    }
    if (!text[n])
        return n;
    n = word > 0 ? word : part > 0 ? part : n;
    *skip = strspn(text + n, " ");
    return n;
}

/* The widest stretch of a text between two places where it may end. */
static size_t widest(const char *text, bool (*ends)(const char *text, size_t n))
{
    size_t most = 0, stretch = 0, width;

    for (size_t n = 0, bytes; text[n]; n += bytes) {
        bytes = character(text + n, &width);
        if (ends(text, n))
            stretch = 0;
        stretch += text[n] == ' ' ? 0 : width;
        most = stretch > most ? stretch : most;
    }
    return most;
}

size_t wrap_word(const char *text)
{
    return widest(text, is_word_end);
}

size_t wrap_part(const char *text)
{
    return widest(text, is_part_end);
}

void wrap_print(FILE *out, const char *text, size_t at, size_t columns)
{
    size_t room = columns > at && columns - at > WRAP_LINE_MIN ? columns - at : WRAP_LINE_MIN, skip;

    do {
        size_t n = wrap_next(text, room, &skip);

        fwrite(text, 1, n, out);
        fputc('\n', out);
        text += n + skip;
        if (*text)
            fprintf(out, "%*s", (int)at, "");
    } while (*text);
}

size_t wrap_columns(FILE *out, size_t other)
{
    const char *given = getenv("COLUMNS");
    struct winsize size = {0};
    uint64_t columns = 0;

    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        columns = size.ws_col;
    else if (!given || !text_u64(given, 1, COLUMNS_MOST, &columns))
        return other;
    return columns > WRAP_LINE_MIN ? (size_t)columns : WRAP_LINE_MIN;
}
