#include "amtcli/password.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "amtcli/cmd.h"
#include "amtcli/interrupt.h"
#include "base/secret.h"
#include "base/text.h"

static struct secret *read_quietly(void)
{
    struct secret *secret = NULL;
    char text[1024];

    if (fgets(text, sizeof(text), stdin))
        secret = secret_new(text, strcspn(text, "\n"));
    else
        clearerr(stdin);
    secret_wipe(text, sizeof(text));
    return secret;
}

/* From the terminal, without showing it. The terminal gets its echo back however this ends. */
static struct secret *ask_password(const char *kind, const char *name)
{
    struct interrupt interrupt;
    struct termios kept, quiet;
    struct secret *secret;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &kept) != 0) {
        fprintf(stderr, "amtcli: give the password with --password-file FILE, '-' for standard input\n");
        return NULL;
    }
    fprintf(stderr, "password of %s %s: ", kind, name);
    interrupt_begin(&interrupt);
    quiet = kept;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    secret = read_quietly();
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &kept);
    interrupt_end(&interrupt);
    fputc('\n', stderr);
    if (interrupt_count() > 0)
        raise(SIGINT);
    return secret;
}

static struct secret *get_password(const char *file, const char *kind, const char *name)
{
    struct err err = ERR_INIT;
    struct secret *secret;

    if (!file || (strcmp(file, "-") == 0 && isatty(STDIN_FILENO)))
        return ask_password(kind, name);
    secret = secret_from_file(file, &err);
    if (!secret)
        fprintf(stderr, "amtcli: %s\n", err.text);
    return secret;
}

int password_take(json_t *params, const char *file, const char *kind, const char *name)
{
    struct secret *secret = get_password(file, kind, name);
    bool good = secret && secret_len(secret) > 0 && text_is_utf8(secret_str(secret), secret_len(secret));

    if (secret && !good)
        fprintf(stderr, "amtcli: the password %s\n",
                secret_len(secret) > 0 ? "is not UTF-8 text" : "is empty");
    if (good)
        json_object_set_new(params, "password", json_string(secret_str(secret)));
    secret_free(secret);
    return good ? EXIT_ALL : EXIT_USAGE;
}
