/* amtcli: finds the command, reads its options, runs it. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/cmd.h"
#include "base/process.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/xalloc.h"

static const struct option_row help_options[] = {{"help", 'h', NULL, "this text"}, {NULL}};

/* --- help --- */

static void print_options(const struct option_row *const *tables)
{
    for (; tables && *tables; tables++) {
        for (const struct option_row *row = *tables; row->name; row++) {
            char *left =
                xasprintf("%s%c%s--%s%s%s", row->letter ? "-" : " ", row->letter ? row->letter : ' ',
                          row->letter ? ", " : "  ", row->name,
                          row->value ? (row->value[0] == '[' ? "=" : " ") : "", row->value ? row->value : "");

            printf("  %-30s %s\n", left, row->help);
            free(left);
        }
    }
}

static void print_command_help(const struct command *command)
{
    const char *line = command->examples;

    printf("usage: amtcli %s%s%s%s\n\n%s\n", command->name, command->operands[0] ? " " : "",
           command->operands, command->options ? " [options]" : "", command->summary);
    if (command->options) {
        puts("\noptions:");
        print_options(command->options);
    }
    if (line && line[0])
        puts("\nexamples:");
    while (line && line[0]) {
        size_t n = strcspn(line, "\n");

        printf("  amtcli %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static void print_help(const char *prefix)
{
    size_t n = strlen(prefix);

    if (n == 0)
        puts("usage: amtcli COMMAND [options]\n\nOut-of-band management of Intel AMT fleets.\n\ncommands:");
    else
        printf("commands beginning with '%s':\n", prefix);
    for (size_t i = 0; commands[i]; i++)
        if (strncmp(commands[i]->name, prefix, n) == 0)
            printf("  %-20s %s\n", commands[i]->name, commands[i]->summary);
    puts("\n'amtcli COMMAND --help' shows options and examples. Targets: pc7, pc[001-120], @collection,\n"
         "'where:tag.site = \"lab\"', all; joined by ',', taken away with '!'.\n"
         "exit status: 0 all succeeded, 1 some failed, 2 usage, 3 no daemon, 4 refused");
}

/* --- failures --- */

int print_failure(const struct err *err)
{
    const char *hint = cause_hint(err->cause);

    fprintf(stderr, "amtcli: %s%s%s%s (%s)\n", err->text, err->code[0] ? " [" : "", err->code,
            err->code[0] ? "]" : "", cause_name(err->cause));
    if (hint[0])
        fprintf(stderr, "hint: %s\n", hint);
    switch (err->cause) {
    case CAUSE_NO_DAEMON:
    case CAUSE_PROTOCOL:
        return EXIT_NO_DAEMON;
    case CAUSE_DENIED:
    case CAUSE_REFUSED_UNCONFIRMED:
        return EXIT_REFUSED;
    case CAUSE_INVALID_ARGUMENT:
    case CAUSE_NOT_FOUND:
    case CAUSE_EXISTS:
        return EXIT_USAGE;
    default:
        return EXIT_SOME_FAILED;
    }
}

bool confirm(const char *question)
{
    char answer[16];

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return false;
    fprintf(stderr, "%s [y/N] ", question);
    return fgets(answer, sizeof(answer), stdin) &&
           (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0);
}

struct client *context_client(struct context *ctx)
{
    struct err err = ERR_INIT;

    if (!ctx->client)
        ctx->client = client_open(true, &err);
    if (!ctx->client)
        print_failure(&err);
    return ctx->client;
}

int context_call(struct context *ctx, const char *name, json_t *params, json_t **reply)
{
    struct err err = ERR_INIT;

    if (reply)
        *reply = NULL;
    if (!context_client(ctx)) {
        json_decref(params);
        return EXIT_NO_DAEMON;
    }
    if (client_call(ctx->client, name, params, NULL, NULL, NULL, reply, &err) == 0)
        return 0;
    if (err.cause == CAUSE_NO_DAEMON || err.cause == CAUSE_PROTOCOL) { /* the shell connects anew */
        client_close(ctx->client);
        ctx->client = NULL;
    }
    return print_failure(&err);
}

/* --- finding the command --- */

static const char *command_at(size_t i, const void *arg)
{
    (void)arg;
    return commands[i] ? commands[i]->name : NULL;
}

/* The command whose words begin argv; *words gets how many they are. */
static const struct command *find_command(int argc, char **argv, int *words)
{
    const struct command *best = NULL;

    *words = 0;
    for (size_t i = 0; commands[i]; i++) {
        const char *name = commands[i]->name;
        int count = 0;

        while (*name && count < argc) {
            size_t n = strcspn(name, " ");

            if (strlen(argv[count]) != n || strncmp(argv[count], name, n) != 0)
                break;
            name += n + (name[n] == ' ');
            count++;
        }
        if (*name == '\0' && count > *words) {
            best = commands[i];
            *words = count;
        }
    }
    return best;
}

static bool is_prefix(const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; commands[i]; i++)
        if (strncmp(commands[i]->name, word, n) == 0 && commands[i]->name[n] == ' ')
            return true;
    return false;
}

static int unknown_command(int argc, char **argv)
{
    char *typed = argc > 1 && argv[1][0] != '-' ? xasprintf("%s %s", argv[0], argv[1]) : xstrdup(argv[0]);
    const char *near = nearest_word(typed, command_at, NULL);

    if (argc <= 1 && is_prefix(argv[0])) {
        print_help(argv[0]);
        free(typed);
        return EXIT_USAGE;
    }
    fprintf(stderr, "amtcli: there is no command '%s'", typed);
    if (near)
        fprintf(stderr, "; did you mean '%s'?", near);
    fprintf(stderr, "\nhint: 'amtcli help' lists them\n");
    free(typed);
    return EXIT_USAGE;
}

static int usage_mistake(const struct command *command, const char *mistakes)
{
    while (*mistakes) {
        size_t n = strcspn(mistakes, "\n");

        fprintf(stderr, "amtcli %s: %.*s\n", command->name, (int)n, mistakes);
        mistakes += n + (mistakes[n] == '\n');
    }
    fprintf(stderr, "usage: amtcli %s %s; see 'amtcli %s --help'\n", command->name, command->operands,
            command->name);
    return EXIT_USAGE;
}

static int run_found(struct context *ctx, const struct command *command, int argc, char **argv)
{
    const struct option_row *tables[8] = {help_options};
    struct buf mistakes = buf_init(4096);
    int code;

    for (size_t i = 0; command->options && command->options[i] && i < 6; i++)
        tables[i + 1] = command->options[i];
    ctx->command = command;
    if (args_read(&ctx->args, argc, argv, tables, &mistakes) == 0 && !args_has(&ctx->args, "help")) {
        if (ctx->args.operand_count < command->min)
            buf_printf(&mistakes, "expected %s\n", command->operands);
        else if (command->max >= 0 && ctx->args.operand_count > command->max)
            buf_printf(&mistakes, "unexpected '%s'\n", ctx->args.operands[command->max]);
    }
    if (args_has(&ctx->args, "help")) {
        print_command_help(command);
        code = EXIT_ALL;
    } else {
        code = mistakes.len > 0 ? usage_mistake(command, buf_str(&mistakes)) : command->run(ctx);
    }
    args_clear(&ctx->args);
    buf_free(&mistakes);
    return code;
}

int run_command(struct context *ctx, int argc, char **argv)
{
    const struct command *command;
    int words;

    if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
        print_help("");
        return argc == 0 ? EXIT_USAGE : EXIT_ALL;
    }
    if (strcmp(argv[0], "help") == 0) {
        command = find_command(argc - 1, argv + 1, &words);
        if (command)
            print_command_help(command);
        else
            print_help(argc > 1 ? argv[1] : "");
        return EXIT_ALL;
    }
    if (strcmp(argv[0], "--version") == 0) {
        puts("amtcli " AMTD_VERSION);
        return EXIT_ALL;
    }
    command = find_command(argc, argv, &words);
    return command ? run_found(ctx, command, argc - words, argv + words) : unknown_command(argc, argv);
}

int main(int argc, char **argv)
{
    struct context ctx = {0};
    int code;

    process_open_standard_fds();
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_DFL); /* `amtcli ... | head` ends as it should */
    secret_process_init();
    code = run_command(&ctx, argc - 1, argv + 1);
    client_close(ctx.client);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("amtcli: standard output");
        return code != EXIT_ALL ? code : EXIT_SOME_FAILED;
    }
    return code;
}
