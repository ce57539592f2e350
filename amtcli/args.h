/* Options by table. */
#ifndef AMTCLI_ARGS_H
#define AMTCLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct option_row {
    const char *name;  /* without dashes; NULL ends the table */
    char letter;       /* or 0 */
    const char *value; /* what it takes, "FILE"; NULL: nothing; "[T]": may take one, with '=' */
    const char *help;
};

#define ARGS_OPTIONS_MAX 64

struct arg {
    const struct option_row *row;
    const char *value; /* borrowed from argv; NULL when none */
};

struct args {
    struct arg options[ARGS_OPTIONS_MAX]; /* in the order given */
    size_t option_count;
    const char **operands; /* owned array of borrowed strings */
    int operand_count;
};

/* Reads argv[0..argc). Mistakes are appended to `mistakes`, all of them, one a line; -1 then. */
int args_read(struct args *args, int argc, char **argv, const struct option_row *const *tables,
              struct buf *mistakes);
void args_clear(struct args *args);

bool args_has(const struct args *args, const char *name);
const char *args_value(const struct args *args, const char *name); /* the last one; NULL when not given */
/* The i-th value of an option that may be given several times, or NULL. */
const char *args_value_at(const struct args *args, const char *name, size_t i);

/* The word of the list nearest to a mistyped one, or NULL. */
const char *nearest_word(const char *word, const char *(*word_at)(size_t i, const void *arg),
                         const void *arg);

#endif
