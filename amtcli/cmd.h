/* Commands as data. */
#ifndef AMTCLI_CMD_H
#define AMTCLI_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "amtcli/args.h"
#include "amtcli/client.h"

/* Exit codes. */
enum { EXIT_ALL = 0, EXIT_SOME_FAILED = 1, EXIT_USAGE = 2, EXIT_NO_DAEMON = 3, EXIT_REFUSED = 4 };

struct context {
    const struct command *command;
    struct args args;
    struct client *client; /* opened when first needed; kept by the shell */
};

struct command {
    const char *name;     /* "host add" */
    const char *operands; /* "HOSTS", "TARGET", "[TARGET]" */
    int min, max;         /* number of operands; max -1: any */
    const char *summary;
    const struct option_row *const *options; /* tables, ended by NULL */
    const char *examples;                    /* one a line, without "amtcli " */
    int (*run)(struct context *ctx);
};

extern const struct command *const commands[]; /* ended by NULL */

/* Runs one command line (without the program's name). Returns the exit code. */
int run_command(struct context *ctx, int argc, char **argv);

/* The connection, made on first use. NULL: the reason was printed. */
struct client *context_client(struct context *ctx);
/* A call that answers at once. 0 and *reply, or the exit code, the reason printed; *reply is then the
 * failure's details (host.import has some) or NULL. */
int context_call(struct context *ctx, const char *name, json_t *params, json_t **reply);
/* Prints a failure and its hint to stderr; returns its exit code. */
int print_failure(const struct err *err);
/* Asks on the terminal; false without one. */
bool confirm(const char *question);

/* Tables that several commands share. */
extern const struct option_row options_output[]; /* -o */
extern const struct option_row options_yes[];    /* --yes */
extern const struct option_row options_run[];    /* how a run goes on */

#endif
