/* What a command line can go on with: for the shell and for bash. Knows commands and options from their
 * tables, and names from amtd. */
#ifndef AMTCLI_COMPLETE_H
#define AMTCLI_COMPLETE_H

#include <jansson.h>
#include <stddef.h>

struct completion {
    char **words; /* whole words that the last word can become, unquoted, sorted, each once */
    size_t count;
    char *typed;  /* the last word as it is, unquoted */
    size_t start; /* where in the line it begins */
    char quote;   /* that is open there, or 0 */
};

/* line: up to the cursor, without "amtcli". names: the reply of target.words, or NULL. */
void complete_line(struct completion *c, const char *line, const json_t *names);
void complete_clear(struct completion *c);
/* How many bytes all words begin with; at least as many as are typed. 0 when there is no word. */
size_t complete_common(const struct completion *c);

#endif
