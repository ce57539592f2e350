/* Options by table: parsing, checks of values, --help, completion and the man page come from it. */
#ifndef AMTCLI_ARGS_H
#define AMTCLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum option_kind {
    OPTION_FLAG,   /* takes nothing */
    OPTION_TEXT,   /* any text */
    OPTION_FILE,   /* the name of a file; completed as one */
    OPTION_NUMBER, /* a whole number from min to max */
    OPTION_TIME,   /* "30s", "5m", "250ms": from min to max milliseconds */
    OPTION_CHOICE, /* one of choices */
};

struct option_row {
    const char *name; /* without dashes; NULL ends the table */
    char letter;      /* or 0 */
    enum option_kind kind;
    const char *value; /* what help calls the value: "FILE", "N"; NULL for a flag */
    const char *help;
    int64_t min, max;
    const char *choices;  /* "table json csv" */
    const char *standard; /* what holds when it is not given, for help; NULL */
    bool bare;            /* the value may be left out; when given, it is with '=' */
    bool required;
};

#define ARGS_OPTIONS_MAX 64

struct arg {
    const struct option_row *row;
    const char *value; /* borrowed from argv; NULL when none */
    int64_t number;    /* of OPTION_NUMBER; milliseconds of OPTION_TIME */
};

struct args {
    struct arg options[ARGS_OPTIONS_MAX]; /* in the order given */
    size_t option_count;
    const char **operands; /* owned array of borrowed strings */
    int operand_count;
};

/* Reads argv[0..argc). Mistakes are appended to `mistakes`, all of them, one a line; -1 then. What looks like
 * an option is one, up to "--"; "-" alone is an operand. tables: ended by NULL. */
int args_read(struct args *args, int argc, char **argv, const struct option_row *const *tables,
              struct buf *mistakes);
void args_clear(struct args *args);

bool args_has(const struct args *args, const char *name);
const char *args_value(const struct args *args, const char *name); /* the last one; NULL when not given */
/* The i-th value of an option that may be given several times, or NULL. */
const char *args_value_at(const struct args *args, const char *name, size_t i);
/* The value of an option of kind number or time. False when it is not given. */
bool args_number(const struct args *args, const char *name, int64_t *out);

/* The row of a long name (n bytes), or of a letter when it is not 0. NULL: there is none. */
const struct option_row *option_find(const struct option_row *const *tables, const char *name, size_t n,
                                     char letter);
/* "table, json or csv", of choices parted by blanks. Appends. */
void option_choices(const char *choices, struct buf *out);
/* "; did you mean 'json'?", where a choice is near to what was given. Appends. */
void option_suggest(const char *choices, const char *value, struct buf *out);
/* What an option is for, with its choices and what holds without it. Appends. */
void option_describe(const struct option_row *row, struct buf *out);

/* The word of the list nearest to a mistyped one, or NULL when none is near. */
const char *nearest_word(const char *word, const char *(*word_at)(size_t i, const void *arg),
                         const void *arg);

#endif
