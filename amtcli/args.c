#include "amtcli/args.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define WORD_MAX 40

/* Edits between two words (Levenshtein), for suggestions. */
static size_t distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b), row[WORD_MAX + 1];

    if (na > WORD_MAX || nb > WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t corner = row[0];

        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t change = corner + (a[i - 1] != b[j - 1]);
            size_t insert = row[j - 1] + 1, drop = row[j] + 1;

            corner = row[j];
            row[j] = change < insert ? change : insert;
            if (drop < row[j])
                row[j] = drop;
        }
    }
    return row[nb];
}

const char *nearest_word(const char *word, const char *(*word_at)(size_t i, const void *arg), const void *arg)
{
    const char *best = NULL, *candidate;
    size_t least = strlen(word) / 3 + 2;

    for (size_t i = 0; (candidate = word_at(i, arg)); i++) {
        size_t d = distance(word, candidate);

        if (d < least) {
            least = d;
            best = candidate;
        }
    }
    return best;
}

static const struct option_row *find(const struct option_row *const *tables, const char *name, size_t n,
                                     char letter)
{
    for (; *tables; tables++)
        for (const struct option_row *row = *tables; row->name; row++)
            if (letter ? row->letter == letter : strlen(row->name) == n && strncmp(row->name, name, n) == 0)
                return row;
    return NULL;
}

static const char *option_at(size_t i, const void *arg)
{
    const struct option_row *const *tables = arg;

    for (; *tables; tables++)
        for (const struct option_row *row = *tables; row->name; row++)
            if (i-- == 0)
                return row->name;
    return NULL;
}

static void unknown(const char *name, const struct option_row *const *tables, struct buf *mistakes)
{
    const char *near = nearest_word(name, option_at, tables);

    buf_printf(mistakes, "there is no option --%s", name);
    if (near)
        buf_printf(mistakes, "; did you mean --%s?", near);
    buf_putc(mistakes, '\n');
}

static void add(struct args *args, const struct option_row *row, const char *value, struct buf *mistakes)
{
    if (args->option_count == ARGS_OPTIONS_MAX) {
        buf_printf(mistakes, "more than %d options\n", ARGS_OPTIONS_MAX);
        return;
    }
    args->options[args->option_count].row = row;
    args->options[args->option_count++].value = value;
}

/* Takes the option at argv[*i] and, where it needs one, the value behind it. */
static void read_option(struct args *args, const struct option_row *row, const char *value, int argc,
                        char **argv, int *i, struct buf *mistakes)
{
    if (!row->value && value)
        buf_printf(mistakes, "--%s takes no value\n", row->name);
    else if (row->value && !value && row->value[0] != '[' && *i + 1 >= argc)
        buf_printf(mistakes, "--%s needs a value: %s\n", row->name, row->value);
    else if (row->value && !value && row->value[0] != '[')
        add(args, row, argv[++*i], mistakes);
    else
        add(args, row, value, mistakes);
}

static void read_long(struct args *args, int argc, char **argv, int *i,
                      const struct option_row *const *tables, struct buf *mistakes)
{
    const char *name = argv[*i] + 2;
    const char *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    const struct option_row *row = find(tables, name, n, 0);

    if (row) {
        read_option(args, row, equals ? equals + 1 : NULL, argc, argv, i, mistakes);
    } else {
        char *copy = xstrndup(name, n);

        unknown(copy, tables, mistakes);
        free(copy);
    }
}

static void read_short(struct args *args, int argc, char **argv, int *i,
                       const struct option_row *const *tables, struct buf *mistakes)
{
    const char *letters = argv[*i] + 1;

    for (; *letters; letters++) {
        const struct option_row *row = find(tables, NULL, 0, *letters);

        if (!row) {
            buf_printf(mistakes, "there is no option -%c\n", *letters);
            return;
        }
        if (row->value) {
            read_option(args, row, letters[1] ? letters + 1 : NULL, argc, argv, i, mistakes);
            return;
        }
        add(args, row, NULL, mistakes);
    }
}

int args_read(struct args *args, int argc, char **argv, const struct option_row *const *tables,
              struct buf *mistakes)
{
    size_t before = mistakes->len;
    bool options = true;

    memset(args, 0, sizeof(*args));
    args->operands = xcalloc((size_t)argc + 1, sizeof(char *));
    for (int i = 0; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && strncmp(argv[i], "--", 2) == 0)
            read_long(args, argc, argv, &i, tables, mistakes);
        else if (options && argv[i][0] == '-' && argv[i][1] && find(tables, NULL, 0, argv[i][1]))
            read_short(args, argc, argv, &i, tables, mistakes);
        else /* "-pc5" is an exclusion, "-" is standard input */
            args->operands[args->operand_count++] = argv[i];
    }
    return mistakes->len == before ? 0 : -1;
}

void args_clear(struct args *args)
{
    free(args->operands);
    memset(args, 0, sizeof(*args));
}

bool args_has(const struct args *args, const char *name)
{
    for (size_t i = 0; i < args->option_count; i++)
        if (strcmp(args->options[i].row->name, name) == 0)
            return true;
    return false;
}

const char *args_value_at(const struct args *args, const char *name, size_t i)
{
    for (size_t k = 0; k < args->option_count; k++)
        if (strcmp(args->options[k].row->name, name) == 0 && i-- == 0)
            return args->options[k].value;
    return NULL;
}

const char *args_value(const struct args *args, const char *name)
{
    const char *value = NULL;

    for (size_t k = 0; k < args->option_count; k++)
        if (strcmp(args->options[k].row->name, name) == 0)
            value = args->options[k].value;
    return value;
}
