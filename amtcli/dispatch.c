/* Finds the command of a command line, reads its options, runs it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/cmd.h"
#include "amtcli/help.h"
#include "amtcli/topics.h"
#include "amtcli/wrap.h"
#include "base/text.h"
#include "base/xalloc.h"

#define MISTAKES_MAX 16384

static const char *command_at(size_t i, const void *arg)
{
    (void)arg;
    return commands[i] ? commands[i]->name : NULL;
}

/* How many of argv's words the name's words are; 0: argv does not begin with the whole name. */
static int words_of(const char *name, int argc, char *const *argv)
{
    int count = 0;

    for (; *name; count++) {
        size_t n = strcspn(name, " ");

        if (count == argc || strlen(argv[count]) != n || strncmp(argv[count], name, n) != 0)
            return 0;
        name += n + (name[n] == ' ');
    }
    return count;
}

const struct command *find_command(int argc, char *const *argv, int *words)
{
    const struct command *best = NULL;

    *words = 0;
    for (size_t i = 0; commands[i]; i++) {
        int count = words_of(commands[i]->name, argc, argv);

        if (count > *words) {
            best = commands[i];
            *words = count;
        }
    }
    return best;
}

void command_tables(const struct command *command, const struct option_row *tables[COMMAND_TABLES_MAX])
{
    size_t n = 0;

    while (command->options && command->options[n] && n < COMMAND_TABLES_MAX - 2) {
        tables[n] = command->options[n];
        n++;
    }
    tables[n] = help_options;
    tables[n + 1] = NULL;
}

const char *command_operand(const struct command *command, size_t k, size_t *n)
{
    const char *word = command->operands;

    if (command->max >= 0 && k >= (size_t)command->max)
        return NULL;
    while (k-- > 0 && strchr(word, ' '))
        word = strchr(word, ' ') + 1;
    word += *word == '[';
    *n = strcspn(word, " ].");
    return word;
}

static const char *noun_at(size_t i, const void *arg)
{
    (void)arg;
    return topics[i].noun;
}

static bool is_noun(const char *word)
{
    for (const struct topic *topic = topics; topic->noun; topic++)
        if (strcmp(topic->noun, word) == 0)
            return true;
    return false;
}

struct family {
    const char *noun;
    size_t n;
};

/* The i-th command of a noun. */
static const char *sister_at(size_t i, const void *arg)
{
    const struct family *family = arg;

    for (size_t k = 0; commands[k]; k++)
        if (strncmp(commands[k]->name, family->noun, family->n) == 0 && i-- == 0)
            return commands[k]->name + family->n;
    return NULL;
}

/* typed: a noun and a word behind it. The command of this noun whose other words are near; NULL: none. */
static const char *nearest_verb(const char *typed)
{
    const char *blank = strchr(typed, ' ');
    struct family family = {typed, blank ? (size_t)(blank + 1 - typed) : 0};
    const char *near = blank ? nearest_word(blank + 1, sister_at, &family) : NULL;

    return near ? near - family.n : NULL;
}

int unknown_command(int argc, char *const *argv)
{
    bool option = argv[0][0] == '-', noun = is_noun(argv[0]);
    char *typed =
        argc > 1 && !option && argv[1][0] != '-' ? xasprintf("%s %s", argv[0], argv[1]) : xstrdup(argv[0]);
    const char *near = option ? NULL : noun ? nearest_verb(typed) : nearest_word(typed, command_at, NULL);
    struct buf text = buf_init(MISTAKES_MAX);

    if (!near && !option && !noun)
        near = nearest_word(argv[0], noun_at, NULL);
    text_printable(&text, typed, strlen(typed));
    fprintf(stderr, "amtcli: there is no %s '%s'", option ? "option" : "command", buf_str(&text));
    if (near)
        fprintf(stderr, "; did you mean '%s'?", near);
    if (noun)
        fprintf(stderr, "\nhint: 'amtcli help %s' lists its commands\n", argv[0]);
    else
        fprintf(stderr, "\nhint: 'amtcli help' shows what there is; options come behind the command\n");
    buf_free(&text);
    free(typed);
    return EXIT_USAGE;
}

static int usage_mistake(const struct command *command, const char *mistakes)
{
    while (*mistakes) {
        size_t n = strcspn(mistakes, "\n");

        char *line = xasprintf("amtcli %s: %.*s", command->name, (int)n, mistakes);

        wrap_print(stderr, line, 2, wrap_columns(stderr, WRAP_ANY));
        free(line);
        mistakes += n + (mistakes[n] == '\n');
    }
    fprintf(stderr, "usage: amtcli %s%s%s; see 'amtcli %s --help'\n", command->name,
            command->operands[0] ? " " : "", command->operands, command->name);
    return EXIT_USAGE;
}

/* word: "show|set", n bytes. */
static bool is_one_of(const char *text, const char *word, size_t n)
{
    size_t length = strlen(text);

    for (const char *end = word + n; word < end; word++) {
        size_t part = strcspn(word, "|] ");

        if (part == length && strncmp(word, text, part) == 0)
            return true;
        word += part;
    }
    return false;
}

static void check_choice(const struct command *command, size_t k, const char *text, struct buf *mistakes)
{
    size_t n;
    const char *word = command_operand(command, k, &n);
    char *choices;

    if (!word || word[0] < 'a' || word[0] > 'z' || is_one_of(text, word, n))
        return;
    buf_puts(mistakes, "expected ");
    for (size_t i = 0; i < n; i++)
        if (word[i] == '|')
            buf_puts(mistakes, memchr(word + i + 1, '|', n - i - 1) ? ", " : " or ");
        else
            buf_putc(mistakes, word[i]);
    buf_puts(mistakes, ", not '");
    text_printable(mistakes, text, strlen(text));
    buf_puts(mistakes, "'");
    choices = xstrndup(word, n);
    for (char *mark = choices; (mark = strchr(mark, '|'));)
        *mark = ' ';
    option_suggest(choices, text, mistakes);
    buf_putc(mistakes, '\n');
    free(choices);
}

static void check_operands(const struct command *command, const struct args *args, struct buf *mistakes)
{
    if (args->operand_count < command->min)
        buf_printf(mistakes, "expected %s\n", command->operands);
    for (int i = 0; i < args->operand_count; i++)
        check_choice(command, (size_t)i, args->operands[i], mistakes);
    for (int i = command->max; command->max >= 0 && i < args->operand_count; i++) {
        buf_puts(mistakes, "unexpected '");
        text_printable(mistakes, args->operands[i], strlen(args->operands[i]));
        buf_puts(mistakes, "'\n");
    }
}

bool command_read(const struct command *command, int argc, char **argv, struct args *args,
                  struct buf *mistakes)
{
    const struct option_row *tables[COMMAND_TABLES_MAX];
    size_t before = mistakes->len;

    command_tables(command, tables);
    args_read(args, argc, argv, tables, mistakes);
    if (!args_has(args, "help"))
        check_operands(command, args, mistakes);
    return mistakes->len == before;
}

static int run_found(struct context *ctx, const struct command *command, int argc, char **argv)
{
    struct buf mistakes = buf_init(MISTAKES_MAX);
    bool good;
    int code = EXIT_ALL;

    ctx->command = command;
    good = command_read(command, argc, argv, &ctx->args, &mistakes);
    if (args_has(&ctx->args, "help"))
        help_command(command);
    else
        code = good ? command->run(ctx) : usage_mistake(command, buf_str(&mistakes));
    args_clear(&ctx->args);
    buf_free(&mistakes);
    return code;
}

int run_command(struct context *ctx, int argc, char **argv)
{
    static char help[] = "help", version[] = "version";
    const struct command *command;
    int words;

    if (argc == 0) {
        help_topics();
        return EXIT_USAGE;
    }
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
        argv[0] = help;
    if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0)
        argv[0] = version;
    command = find_command(argc, argv, &words);
    if (command)
        return run_found(ctx, command, argc - words, argv + words);
    if (argc == 1 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) /* "power" alone */
        if (help_list(argv[0]) > 0)
            return argc == 1 ? EXIT_USAGE : EXIT_ALL;
    return unknown_command(argc, argv);
}
