/* amtcli: one command line, or a shell of them. */
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/cmd.h"
#include "amtcli/output.h"
#include "base/process.h"
#include "base/secret.h"

/* Names and findings are UTF-8 whatever the locale; widths are counted in it. */
static void locale_init(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

/* --server HOST in front of the command. Returns how many words that were; -1: it lacks its value. */
static int take_server(struct context *ctx, int argc, char **argv)
{
    static const char option[] = "--server";
    size_t n = sizeof(option) - 1;
    const char *env = getenv("AMTD_SERVER");

    ctx->server = env && env[0] ? env : NULL;
    if (argc < 2 || strncmp(argv[1], option, n) != 0 || (argv[1][n] != '\0' && argv[1][n] != '='))
        return 0;
    ctx->server = argv[1][n] == '=' ? argv[1] + n + 1 : argv[2];
    if (ctx->server && ctx->server[0])
        return argv[1][n] == '=' ? 1 : 2;
    fputs("amtcli: --server: expected the name or address of a server\n", stderr);
    return -1;
}

int main(int argc, char **argv)
{
    struct context ctx = {0};
    int code, taken;

    process_open_standard_fds();
    locale_init();
    signal(SIGPIPE, SIG_DFL); /* `amtcli ... | head` ends as it should */
    if (!isatty(STDOUT_FILENO))
        setvbuf(stdout, NULL, _IOFBF, OUTPUT_BLOCK);
    secret_process_init();
    taken = take_server(&ctx, argc, argv);
    code = taken < 0 ? EXIT_USAGE : run_command(&ctx, argc - 1 - taken, argv + 1 + taken);
    client_close(ctx.client);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("amtcli: standard output");
        return code != EXIT_ALL ? code : EXIT_SOME_FAILED;
    }
    return code;
}
