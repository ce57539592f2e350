/* help and version. */
#include "amtcli/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define TEXT_MAX 4096

const struct option_row help_options[] = {{"help", 'h', OPTION_FLAG, NULL, "show what a command does"},
                                          {NULL}};

static void print_option(const struct option_row *row)
{
    struct buf left = buf_init(TEXT_MAX), right = buf_init(TEXT_MAX);

    if (row->letter)
        buf_printf(&left, "-%c, ", row->letter);
    buf_printf(&left, row->letter ? "--%s" : "    --%s", row->name);
    if (row->value)
        buf_printf(&left, row->bare ? "[=%s]" : " %s", row->value);
    option_describe(row, &right);
    printf("  %-30s %s\n", buf_str(&left), buf_str(&right));
    buf_free(&left);
    buf_free(&right);
}

void help_command(const struct command *command)
{
    const struct option_row *tables[COMMAND_TABLES_MAX];
    const char *line = command->examples;

    printf("usage: amtcli %s%s%s [options]\n\n%s\n\noptions:\n", command->name,
           command->operands[0] ? " " : "", command->operands, command->summary);
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
}

/* Whole words only: "host" is a prefix of "host add", "ho" is not. */
static bool begins(const char *name, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(name, prefix, n) == 0 && (n == 0 || name[n] == ' ' || name[n] == '\0');
}

size_t help_list(const char *prefix)
{
    size_t found = 0;

    for (size_t i = 0; commands[i]; i++) {
        if (!begins(commands[i]->name, prefix))
            continue;
        if (found++ == 0)
            printf("usage: amtcli [--server NAME] %s%sCOMMAND [options]\n\n%s\n", prefix,
                   prefix[0] ? " " : "",
                   prefix[0] ? "commands:" : "Out-of-band management of Intel AMT fleets.\n\ncommands:");
        printf("  %-20s %s\n", commands[i]->name, commands[i]->summary);
    }
    if (found > 0)
        puts("\n'amtcli COMMAND --help' shows options and examples.\n"
             "Targets: pc7, pc[001-120], @collection, 'where:tag.site = \"lab\"', all; joined by ',', taken "
             "away with '!'.\n"
             "--server NAME: the amtd of another machine, which 'amtcli join' made known.\n"
             "Exit status: 0 all succeeded, 1 some failed, 2 usage, 3 no daemon, 4 refused.");
    return found;
}

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
    prefix = joined(&ctx->args);
    found = help_list(prefix);
    if (found == 0)
        fprintf(stderr, "amtcli: no command begins with '%s'; 'amtcli help' lists them\n", prefix);
    free(prefix);
    return found > 0 ? EXIT_ALL : EXIT_USAGE;
}

static int version(struct context *ctx)
{
    (void)ctx;
    puts("amtcli " AMTD_VERSION);
    return EXIT_ALL;
}

const struct command command_help = {
    "help", "[COMMAND]", 0, -1, "list commands, or show one", NULL, "help\nhelp power\nhelp host add", help};
const struct command command_version = {"version", "",        0,      0, "show the version of amtcli",
                                        NULL,      "version", version};
