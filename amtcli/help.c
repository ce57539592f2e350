/* help and version. */
#include "amtcli/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/topics.h"
#include "amtcli/wrap.h"
#include "base/xalloc.h"

#define TEXT_MAX   8192
#define OPTION_AT  28 /* columns in which texts begin */
#define COMMAND_AT 25
#define TOPIC_AT   16

const struct option_row help_options[] = {{"help", 'h', OPTION_FLAG, NULL, "show what a command does"},
                                          {NULL}};

/* --- one command --- */

static void option_left(const struct option_row *row, struct buf *out)
{
    if (row->letter)
        buf_printf(out, "-%c, ", row->letter);
    buf_printf(out, row->letter ? "--%s" : "    --%s", row->name);
    if (row->value)
        buf_printf(out, row->bare ? "[=%s]" : " %s", row->value);
}

/* "  name   text", the text in a column of its own, which begins on the next line where the name is too long.
 */
static void print_row(const char *name, const char *text, size_t at)
{
    size_t columns = wrap_columns(stdout, WRAP_PAGE);

    printf("  %s", name);
    if (strlen(name) + 3 > at)
        printf("\n%*s", (int)at, "");
    else
        printf("%*s", (int)(at - 2 - strlen(name)), "");
    wrap_print(stdout, text, at, columns);
}

static void print_option(const struct option_row *row)
{
    struct buf left = buf_init(TEXT_MAX), right = buf_init(TEXT_MAX);

    option_left(row, &left);
    option_describe(row, &right);
    print_row(buf_str(&left), buf_str(&right), OPTION_AT);
    buf_free(&left);
    buf_free(&right);
}

/* Whole words only: "host" is a prefix of "host add", "ho" is not. */
static bool begins(const char *name, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(name, prefix, n) == 0 && (n == 0 || name[n] == ' ' || name[n] == '\0');
}

/* The commands that begin with these words; the one of that name itself only where it is wanted. */
static size_t print_commands(const char *prefix, bool itself, const char *title)
{
    size_t found = 0;

    for (size_t i = 0; commands[i]; i++) {
        if (!begins(commands[i]->name, prefix) || (!itself && strcmp(commands[i]->name, prefix) == 0))
            continue;
        if (found++ == 0)
            fputs(title, stdout);
        print_row(commands[i]->name, commands[i]->summary, COMMAND_AT);
    }
    return found;
}

void help_command(const struct command *command)
{
    const struct option_row *tables[COMMAND_TABLES_MAX];
    const char *line = command->examples;

    printf("usage: amtcli %s%s%s [options]\n\n", command->name, command->operands[0] ? " " : "",
           command->operands);
    wrap_print(stdout, command->summary, 0, wrap_columns(stdout, WRAP_PAGE));
    puts("\noptions:");
    command_tables(command, tables);
    for (size_t i = 0; tables[i]; i++)
        for (const struct option_row *row = tables[i]; row->name; row++)
            print_option(row);
    puts("\nexamples:");
    while (line[0]) {
        size_t n = strcspn(line, "\n");

        printf("  amtcli %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
    print_commands(command->name, false, "\nsee also:\n");
}

/* --- lists --- */

static void print_footer(void)
{
    puts("\n'amtcli COMMAND --help' shows options and examples.\n"
         "Targets: pc7, pc[001-120], @collection, 'where:tag.site = \"lab\"', all;\n"
         "joined by ',', taken away with '!'.\n"
         "--server NAME: the amtd of another machine, which 'amtcli join' made known.\n"
         "Exit status: 0 all succeeded, 1 some failed, 2 usage, 3 no daemon, 4 refused.");
}

void help_topics(void)
{
    puts("usage: amtcli [--server NAME] COMMAND [options]\n\nOut-of-band management of Intel AMT fleets.");
    for (const struct topic *topic = topics; topic->noun; topic++) {
        if (topic->group)
            printf("\n%s:\n", topic->group);
        print_row(topic->noun, topic->summary, TOPIC_AT);
    }
    puts("\n'amtcli help NOUN' lists the commands of one, 'amtcli help all' all of them.");
    print_footer();
}

size_t help_list(const char *prefix)
{
    struct buf title = buf_init(TEXT_MAX);
    size_t found;

    buf_printf(&title, "usage: amtcli [--server NAME] %s%sCOMMAND [options]\n\ncommands:\n", prefix,
               prefix[0] ? " " : "");
    found = print_commands(prefix, true, buf_str(&title));
    if (found > 0)
        print_footer();
    buf_free(&title);
    return found;
}

/* --- the commands help and version --- */

static char *joined(const struct args *args)
{
    struct buf text = buf_init(TEXT_MAX);

    for (int i = 0; i < args->operand_count; i++)
        buf_printf(&text, "%s%s", i > 0 ? " " : "", args->operands[i]);
    return buf_take(&text);
}

static int help(struct context *ctx)
{
    int words, count = ctx->args.operand_count;
    const struct command *command = find_command(count, (char *const *)ctx->args.operands, &words);
    char *prefix;
    size_t found;

    if (command && words == count) {
        help_command(command);
        return EXIT_ALL;
    }
    if (count == 0) {
        help_topics();
        return EXIT_ALL;
    }
    prefix = joined(&ctx->args);
    found = help_list(strcmp(prefix, "all") == 0 ? "" : prefix);
    if (found == 0)
        unknown_command(count, (char *const *)ctx->args.operands);
    free(prefix);
    return found > 0 ? EXIT_ALL : EXIT_USAGE;
}

static int version(struct context *ctx)
{
    (void)ctx;
    puts("amtcli " AMTD_VERSION);
    return EXIT_ALL;
}

const struct command command_help = {"help",
                                     "[COMMAND]",
                                     0,
                                     -1,
                                     "what there is; the commands of a noun, or of all; or one of them",
                                     NULL,
                                     "help\nhelp power\nhelp all\nhelp host add",
                                     help};
const struct command command_version = {"version", "",        0,      0, "show the version of amtcli",
                                        NULL,      "version", version};
