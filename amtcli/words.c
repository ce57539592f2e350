#include "amtcli/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"

#define BLANKS   " \t\r\n"
#define WORD_MAX (1 << 20)

static void add(struct words *words, char *word)
{
    words->items = xreallocarray(words->items, words->count + 2, sizeof(*words->items));
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
}

/* The word that begins at in; returns where it ends. */
static const char *read_word(struct words *words, const char *in)
{
    struct buf word = buf_init(WORD_MAX);
    char quote = 0;

    for (; *in && (quote || !strchr(BLANKS, *in)); in++) {
        if (*in == quote)
            quote = 0;
        else if (!quote && (*in == '\'' || *in == '"'))
            quote = *in;
        else if (*in == '\\' && quote != '\'' && in[1])
            buf_putc(&word, *++in);
        else
            buf_putc(&word, *in);
    }
    words->quote = quote;
    add(words, xstrdup(buf_str(&word)));
    buf_free(&word);
    return in;
}

void words_split(struct words *words, const char *line, bool unfinished)
{
    const char *in = line;
    bool blank = true; /* stands before the end */

    memset(words, 0, sizeof(*words));
    words->items = xcalloc(1, sizeof(*words->items));
    for (;;) {
        size_t blanks = strspn(in, BLANKS);

        in += blanks;
        blank |= blanks > 0;
        if (!*in)
            break;
        words->last_start = (size_t)(in - line);
        in = read_word(words, in);
        blank = false;
    }
    if (unfinished && blank) {
        words->last_start = (size_t)(in - line);
        add(words, xstrdup(""));
    }
}

void words_clear(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    free(words->items);
    memset(words, 0, sizeof(*words));
}
