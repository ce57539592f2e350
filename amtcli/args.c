#include "amtcli/args.h"

#include <stdlib.h>
#include <string.h>

#include "amtcli/words.h"
#include "base/text.h"
#include "base/xalloc.h"

#define WORD_MAX 40

/* Edits between two words, where two letters that changed places are one (optimal string alignment), for
 * suggestions. */
static size_t distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b), rows[3][WORD_MAX + 1];

    if (na > WORD_MAX || nb > WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t *row = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t change = last[j - 1] + (a[i - 1] != b[j - 1]), insert = row[j - 1] + 1, drop = last[j] + 1;

            row[j] = change < insert ? change : insert;
            if (drop < row[j])
                row[j] = drop;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
    }
    return rows[na % 3][nb];
}

const char *nearest_word(const char *word, const char *(*word_at)(size_t i, const void *arg), const void *arg)
{
    const char *best = NULL, *candidate;
    size_t least = strlen(word) < 4 ? 2 : strlen(word) / 3 + 2;

    for (size_t i = 0; (candidate = word_at(i, arg)); i++) {
        size_t d = distance(word, candidate);

        if (d < least) {
            least = d;
            best = candidate;
        }
    }
    return best;
}

const struct option_row *option_find(const struct option_row *const *tables, const char *name, size_t n,
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

/* --- describing --- */

void option_choices(const char *choices, struct buf *out)
{
    while (*choices) {
        size_t n = strcspn(choices, " ");
        const char *next = choices + n + (choices[n] == ' ');

        buf_add(out, choices, n);
        if (*next)
            buf_puts(out, next[strcspn(next, " ")] ? ", " : " or ");
        choices = next;
    }
}

static const char *choice_at(size_t i, const void *arg)
{
    return ((const struct words *)arg)->items[i];
}

void option_suggest(const char *choices, const char *value, struct buf *out)
{
    struct words words;
    const char *near;

    words_split(&words, choices, false);
    near = nearest_word(value, choice_at, &words);
    if (near)
        buf_printf(out, "; did you mean '%s'?", near);
    words_clear(&words);
}

void option_describe(const struct option_row *row, struct buf *out)
{
    buf_puts(out, row->help);
    if (row->kind == OPTION_CHOICE) {
        buf_puts(out, ": ");
        option_choices(row->choices, out);
    }
    if (row->standard)
        buf_printf(out, " (default %s)", row->standard);
    if (row->required)
        buf_puts(out, " (required)");
}

/* --- checking values --- */

static bool is_choice(const char *choices, const char *value)
{
    size_t n = strlen(value);

    for (; *choices; choices += strcspn(choices, " "), choices += *choices == ' ')
        if (strcspn(choices, " ") == n && strncmp(choices, value, n) == 0)
            return true;
    return false;
}

static void expect_number(const struct option_row *row, struct buf *out)
{
    buf_printf(out, "a whole number from %lld", (long long)row->min);
    if (row->max == INT64_MAX)
        buf_puts(out, " on");
    else
        buf_printf(out, " to %lld", (long long)row->max);
}

static void expect_time(const struct option_row *row, struct buf *out)
{
    static const int64_t examples[] = {250, 30000, 300000, 7200000, (int64_t)7 * 86400000};
    size_t given = 0;

    buf_puts(out, "a time from ");
    text_duration(out, row->min);
    buf_puts(out, " to ");
    text_duration(out, row->max);
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]) && given < 3; i++) {
        if (examples[i] < row->min || examples[i] > row->max)
            continue;
        buf_puts(out, given++ == 0 ? ", such as " : " or ");
        text_duration(out, examples[i]);
    }
}

static void expect_choice(const struct option_row *row, struct buf *out)
{
    option_choices(row->choices, out);
}

/* What a value of the kind must be. Kinds that take any text have no row. */
static void (*const expectations[])(const struct option_row *row, struct buf *out) = {
    [OPTION_NUMBER] = expect_number, [OPTION_TIME] = expect_time, [OPTION_CHOICE] = expect_choice};

static bool check(struct arg *arg)
{
    const struct option_row *row = arg->row;

    switch (row->kind) {
    case OPTION_NUMBER:
        return text_i64(arg->value, row->min, row->max, &arg->number);
    case OPTION_TIME:
        return text_duration_ms(arg->value, row->min, row->max, &arg->number);
    case OPTION_CHOICE:
        return is_choice(row->choices, arg->value);
    case OPTION_FLAG:
    case OPTION_TEXT:
    case OPTION_FILE:
        break;
    }
    return true;
}

/* --- reading --- */

static void quote(const char *text, struct buf *out)
{
    buf_puts(out, "'");
    text_printable(out, text, strlen(text));
    buf_puts(out, "'");
}

static void unknown(const char *name, const struct option_row *const *tables, struct buf *mistakes)
{
    const char *near = nearest_word(name, option_at, tables);

    buf_puts(mistakes, "there is no option --");
    text_printable(mistakes, name, strlen(name));
    if (near)
        buf_printf(mistakes, "; did you mean --%s?", near);
    buf_putc(mistakes, '\n');
}

/* amtd speaks JSON, so UTF-8. Anything else is refused here, before a value could get lost on the way. */
static bool is_text(const char *value, struct buf *mistakes)
{
    if (text_is_utf8(value, strlen(value)))
        return true;
    quote(value, mistakes);
    buf_puts(mistakes, " is not UTF-8\n");
    return false;
}

static void add(struct args *args, const struct option_row *row, const char *value, struct buf *mistakes)
{
    struct arg *arg = &args->options[args->option_count];

    if (args->option_count == ARGS_OPTIONS_MAX) {
        buf_printf(mistakes, "more than %d options\n", ARGS_OPTIONS_MAX);
        return;
    }
    args->option_count++;
    arg->row = row;
    arg->value = value;
    if (!value || !is_text(value, mistakes) || check(arg))
        return;
    buf_printf(mistakes, "--%s expects ", row->name);
    expectations[row->kind](row, mistakes);
    buf_puts(mistakes, ", not ");
    quote(value, mistakes);
    if (row->kind == OPTION_CHOICE)
        option_suggest(row->choices, value, mistakes);
    buf_putc(mistakes, '\n');
}

/* Takes the option at argv[*i] and, where it needs one, the value behind it. */
static void read_option(struct args *args, const struct option_row *row, const char *value, int argc,
                        char **argv, int *i, struct buf *mistakes)
{
    bool needs = row->kind != OPTION_FLAG && !row->bare && !value;

    if (row->kind == OPTION_FLAG && value)
        buf_printf(mistakes, "--%s takes no value\n", row->name);
    else if (needs && *i + 1 >= argc)
        buf_printf(mistakes, "--%s needs a value: %s\n", row->name, row->value);
    else
        add(args, row, needs ? argv[++*i] : value, mistakes);
}

static void read_long(struct args *args, int argc, char **argv, int *i,
                      const struct option_row *const *tables, struct buf *mistakes)
{
    const char *name = argv[*i] + 2;
    const char *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    const struct option_row *row = option_find(tables, name, n, 0);

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
    for (const char *letters = argv[*i] + 1; *letters; letters++) {
        const struct option_row *row = option_find(tables, NULL, 0, *letters);

        if (!row) {
            buf_puts(mistakes, "there is no option -");
            text_printable(mistakes, letters, 1);
            buf_puts(mistakes, "; what begins with '-' and is no option goes behind '--'\n");
            return;
        }
        if (row->kind != OPTION_FLAG) {
            const char *rest = letters[1] == '=' ? letters + 2 : letters + 1;

            read_option(args, row, letters[1] ? rest : NULL, argc, argv, i, mistakes);
            return;
        }
        add(args, row, NULL, mistakes);
    }
}

/* What must be given and is not. */
static void check_required(const struct args *args, const struct option_row *const *tables,
                           struct buf *mistakes)
{
    for (; *tables; tables++) {
        for (const struct option_row *row = *tables; row->name; row++) {
            if (!row->required || args_has(args, row->name))
                continue;
            buf_printf(mistakes, "--%s %s is required", row->name, row->value);
            if (row->kind == OPTION_CHOICE) {
                buf_puts(mistakes, ": ");
                option_choices(row->choices, mistakes);
            }
            buf_putc(mistakes, '\n');
        }
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
        else if (options && argv[i][0] == '-' && argv[i][1])
            read_short(args, argc, argv, &i, tables, mistakes);
        else if (is_text(argv[i], mistakes)) /* "-" is standard input */
            args->operands[args->operand_count++] = argv[i];
    }
    if (!args_has(args, "help"))
        check_required(args, tables, mistakes);
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

bool args_number(const struct args *args, const char *name, int64_t *out)
{
    bool found = false;

    for (size_t k = 0; k < args->option_count; k++) {
        if (strcmp(args->options[k].row->name, name) == 0 && args->options[k].value) {
            *out = args->options[k].number;
            found = true;
        }
    }
    return found;
}
