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
    const char *server;    /* --server; NULL: not given. Borrowed */
};

struct command {
    const char *name; /* "host add" */
    /* "TARGET", "[TARGET]", "PROFILE TARGET", "TARGET [show|set]": the words also say how they are completed;
     * of those in small letters one is to be chosen. */
    const char *operands;
    int min, max; /* number of operands; max -1: any */
    const char *summary;
    const struct option_row *const *options; /* tables, ended by NULL; NULL: none */
    const char *examples;                    /* one a line, without "amtcli " */
    int (*run)(struct context *ctx);         /* returns the exit code */
};

extern const struct command *const commands[]; /* ended by NULL */

/* --- dispatch.c --- */

/* Runs one command line (without the program's name). Returns the exit code. */
int run_command(struct context *ctx, int argc, char **argv);
/* The command whose words begin argv, NULL if there is none; *words gets how many they are. */
const struct command *find_command(int argc, char *const *argv, int *words);
/* Reads what stands behind a command's name. Mistakes are appended, one a line; false then. args is the
 * caller's to clear in any case. */
bool command_read(const struct command *command, int argc, char **argv, struct args *args,
                  struct buf *mistakes);
/* Says that there is no such command or option, and which is near. Returns its exit code. */
int unknown_command(int argc, char *const *argv);
/* The word of `operands` for the k-th operand, *n bytes, without brackets and dots; the last one stands for
 * all that follow where any number may. NULL: there is none. */
const char *command_operand(const struct command *command, size_t k, size_t *n);
/* The option tables of a command with that of --help, ended by NULL, into tables. */
#define COMMAND_TABLES_MAX 8
void command_tables(const struct command *command, const struct option_row *tables[COMMAND_TABLES_MAX]);

/* --- context.c --- */

/* The connection, made on first use, and anew when amtd went away. NULL: the reason was printed. */
struct client *context_client(struct context *ctx);
/* Gives up a connection that broke, so that the next command makes a new one. */
void context_drop(struct context *ctx, const struct err *err);
/* A call that answers at once. Takes params. 0 and *reply, which is the caller's to free, or the exit code,
 * the reason printed, and *reply is NULL. */
int context_call(struct context *ctx, const char *name, json_t *params, json_t **reply);
/* The same; of a failure *reply is the details (host.import has some) or NULL, also the caller's to free. */
int context_call_details(struct context *ctx, const char *name, json_t *params, json_t **reply);
/* A call that lists, whose rows go to `rows` as they come (client.h). Takes params. Returns the exit code;
 * *reply is what stands beside them, and the caller's; reply may be NULL. */
int context_rows(struct context *ctx, const char *name, json_t *params, const struct reply_rows *rows,
                 json_t **reply);
/* Prints a failure and its hint to stderr; returns its exit code. */
int print_failure(const struct err *err);
/* The same of what amtd said to the command: with the name that was meant perhaps, and where to read on. */
int context_failure(struct context *ctx, const struct err *err);
/* There is a terminal on which a question can be asked and answered. */
bool can_ask(void);
/* Shows which hosts a command would change and asks on the terminal until they stay the same while it is
 * asked. 0: yes; EXIT_REFUSED: no, or there is no terminal; another exit code: they cannot be found out. */
int confirm_hosts(struct context *ctx, const char *target, const char *what);

/* --- tables that several commands share --- */
extern const struct option_row options_output[];  /* -o */
extern const struct option_row options_yes[];     /* --yes */
extern const struct option_row options_limit[];   /* --limit, of lists whose newest come first */
extern const struct option_row options_run[];     /* how a run goes on */
extern const struct option_row options_job[];     /* how a run of a job goes on */
extern const struct option_row options_rollout[]; /* of these, how the hosts take their turns, and --fold */
extern const struct option_row options_fold[];    /* --fold */

#endif
