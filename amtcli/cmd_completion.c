/* completion: a function for bash, and the words it asks for. */
#include <stdio.h>
#include <string.h>

#include "amtcli/cmd_completion.h"
#include "amtcli/complete.h"

/* The work is done by amtcli itself, so that bash offers what the shell offers. Bash parts words also at '@',
 * '=' and ':'; what it has already is cut off. */
static const char bash[] =
    "# for bash: source this, or put it into /etc/bash_completion.d/amtcli\n"
    "_amtcli() {\n"
    "    local IFS=$'\\n' line=${COMP_LINE:0:COMP_POINT} word cut\n"
    "    word=${line##*[[:space:]]}\n"
    "    cut=${word%\"${COMP_WORDS[COMP_CWORD]}\"}\n"
    "    COMPREPLY=($(\"$1\" completion words -- \"${line#\"${COMP_WORDS[0]}\"}\" 2>/dev/null))\n"
    "    COMPREPLY=(\"${COMPREPLY[@]#\"$cut\"}\")\n"
    "}\n"
    "complete -o default -F _amtcli amtcli\n";

/* amtd is not started only to be asked for names. */
static int print_words(struct context *ctx, const char *line)
{
    struct err err = ERR_INIT;
    struct completion c;
    json_t *names = NULL;

    if (!ctx->client)
        ctx->client = client_open(ctx->server, false, &err);
    if (ctx->client)
        client_call(ctx->client, "target.words", NULL, NULL, NULL, NULL, &names, &err);
    complete_line(&c, line, names);
    for (size_t i = 0; i < c.count; i++)
        puts(c.words[i]);
    complete_clear(&c);
    json_decref(names);
    return EXIT_ALL;
}

static int completion(struct context *ctx)
{
    const struct args *args = &ctx->args;

    if (strcmp(args->operands[0], "words") == 0)
        return print_words(ctx, args->operand_count > 1 ? args->operands[1] : "");
    if (strcmp(args->operands[0], "bash") == 0 && args->operand_count == 1) {
        fputs(bash, stdout);
        return EXIT_ALL;
    }
    fputs("amtcli completion: expected bash, or words and a line\n", stderr);
    return EXIT_USAGE;
}

const struct command command_completion = {
    "completion",
    "SHELL [LINE]",
    1,
    2,
    "print a completion function for bash; with 'words', what a line can go on with",
    NULL,
    "completion bash > /etc/bash_completion.d/amtcli\ncompletion words 'power cy'",
    completion};
