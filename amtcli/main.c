/* amtcli: one command line, or a shell of them. */
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "amtcli/cmd.h"
#include "base/process.h"
#include "base/secret.h"

/* Names and findings are UTF-8 whatever the locale; widths are counted in it. */
static void locale_init(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

int main(int argc, char **argv)
{
    struct context ctx = {0};
    int code;

    process_open_standard_fds();
    locale_init();
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
