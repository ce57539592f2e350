/* A line as words, as a shell of UNIX parts it: blanks part, quotes and backslashes keep together. */
#ifndef AMTCLI_WORDS_H
#define AMTCLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct words {
    char **items; /* ended by NULL; the last one may be unfinished */
    size_t count;
    size_t last_start; /* where in the line the last word begins; its end when a blank stands there */
    char quote;        /* that is open at the end of the line: ' or ", else 0 */
};

/* Always succeeds. With `unfinished` a line that ends with a blank (or is empty) has an empty last word. */
void words_split(struct words *words, const char *line, bool unfinished);
void words_clear(struct words *words);

#endif
